package ec2

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) describeFlowLogs(v *state.View, _ *api.Call, in *DescribeFlowLogsInput) (*DescribeFlowLogsOutput, error) {
	found := state.List[*resource.FlowLog](v)
	if len(in.FlowLogIds) > 0 {
		found = nil
		for _, id := range idsOf[string](in.FlowLogIds) {
			f, err := vpcnet.Find[*resource.FlowLog](v, nounFlowLog(), id)
			if e := api.AsError(err); e != nil && e.Code == nounFlowLog().NotFound {
				continue // AWS lists what there is
			} else if err != nil {
				return nil, err
			}
			found = append(found, f)
		}
	}
	var all []FlowLog
	for _, f := range found {
		all = append(all, s.flowLogOutput(f))
	}
	page, next, err := flowLogListing().answer(all, in.Filter, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeFlowLogsOutput{FlowLogs: page, NextToken: next}, nil
}

func flowLogListing() listing[FlowLog] {
	return listing[FlowLog]{
		key:  func(f FlowLog) string { return *f.FlowLogId },
		tags: func(f FlowLog) []Tag { return f.Tags },
		fields: fields[FlowLog]{
			"deliver-log-status":   func(f FlowLog) []string { return text(f.DeliverLogsStatus) },
			"log-destination-type": func(f FlowLog) []string { return text(f.LogDestinationType) },
			"flow-log-id":          func(f FlowLog) []string { return text(f.FlowLogId) },
			"log-group-name":       func(f FlowLog) []string { return text(f.LogGroupName) },
			"resource-id":          func(f FlowLog) []string { return text(f.ResourceId) },
			"traffic-type":         func(f FlowLog) []string { return text(f.TrafficType) },
		},
	}
}

func (s *ec2) flowLogOutput(f *resource.FlowLog) FlowLog {
	out := FlowLog{
		FlowLogId: new(string(f.ID)), FlowLogStatus: new("ACTIVE"), ResourceId: &f.ResourceID, TrafficType: &f.TrafficType,
		LogDestinationType: &f.Destination, LogFormat: &f.Format, MaxAggregationInterval: new(int64(f.Aggregation.Seconds())),
		CreationTime: &f.CreationTime, DeliverLogsStatus: new("SUCCESS"), Tags: tagSet(f.Tags),
	}
	for to, v := range map[**string]string{&out.LogGroupName: f.LogGroupName, &out.LogDestination: f.DestinationARN, &out.DeliverLogsPermissionArn: f.RoleARN} {
		if v != "" {
			*to = new(v)
		}
	}
	if f.Destination == toS3 {
		out.DestinationOptions = &DestinationOptionsResponse{
			FileFormat: &f.Options.FileFormat, HiveCompatiblePartitions: &f.Options.HiveCompatible, PerHourPartition: &f.Options.PerHourPartitioned}
	}
	if s.config.DeliveryError != nil {
		if message := s.config.DeliveryError(f.ID); message != "" {
			out.DeliverLogsStatus, out.DeliverLogsErrorMessage = new("FAILED"), &message
		}
	}
	return out
}
