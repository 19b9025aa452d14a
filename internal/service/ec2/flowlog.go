package ec2

import (
	"slices"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/network/flowlog"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func nounFlowLog() vpcnet.Noun {
	return vpcnet.Noun{Prefix: "fl", Malformed: "InvalidFlowLogId.Malformed", NotFound: "InvalidFlowLogId.NotFound",
		Text: "These flow log ids in the input list are not found: [TotalCount: 1] %s"}
}

// flowLogService is who writes to log groups, by a role that trusts it.
const flowLogService = "vpc-flow-logs.amazonaws.com"

// The destinations of flow logs.
const (
	toCloudWatch = "cloud-watch-logs"
	toS3         = "s3"
	toFirehose   = "kinesis-data-firehose"
)

// The times that a record may cover, in seconds.
const (
	shortAggregation = 60
	usualAggregation = 600
)

func (s *ec2) flowLogOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateFlowLogs", s.createFlowLogs, on(func(in *CreateFlowLogsInput) refs {
			return append(refs{made(string(resource.KindFlowLog))}, anyKind(in.ResourceIds)...)
		}), service.Needs(flowLogNeeds)),
		service.View("DescribeFlowLogs", s.describeFlowLogs, service.OnAny()),
		service.Update("DeleteFlowLogs", s.deleteFlowLogs, on(func(in *DeleteFlowLogsInput) refs {
			return many(string(resource.KindFlowLog), in.FlowLogIds)
		}), service.Needs(deliveryNeeds)),
	}
}

// flowLogNeeds: who lets flow logs act as a role may pass it, and who has files delivered may ask for that.
func flowLogNeeds(_ state.Reader, in *CreateFlowLogsInput) []service.Need {
	if given(in.DeliverLogsPermissionArn) {
		return []service.Need{{Action: "iam:PassRole", Resource: *in.DeliverLogsPermissionArn, Keys: map[string][]string{"iam:passedtoservice": {flowLogService}}}}
	}
	if value(in.LogDestinationType) == toS3 {
		return []service.Need{{Action: "logs:CreateLogDelivery", Resource: "*"}}
	}
	return nil
}

func deliveryNeeds(r state.Reader, in *DeleteFlowLogsInput) []service.Need {
	for _, id := range in.FlowLogIds {
		if f, ok := state.Get[*resource.FlowLog](r, id); ok && f.Destination == toS3 {
			return []service.Need{{Action: "logs:DeleteLogDelivery", Resource: "*"}}
		}
	}
	return nil
}

func (s *ec2) createFlowLogs(tx *state.Tx, call *api.Call, in *CreateFlowLogsInput) (*CreateFlowLogsOutput, error) {
	tags, err := newTags(in.TagSpecifications, resource.KindFlowLog)
	if err != nil {
		return nil, err
	}
	wanted, err := newFlowLog(tx, in)
	if err != nil {
		return nil, err
	}
	ids, err := flowLogResources(tx, in)
	if err != nil {
		return nil, err
	}
	out := &CreateFlowLogsOutput{FlowLogIds: []string{}, Unsuccessful: []UnsuccessfulItem{}, ClientToken: in.ClientToken}
	for _, id := range ids {
		f := wanted
		f.ResourceID, f.Tags = id, tags
		made, err := s.createFlowLog(tx, call, in, &f)
		if e := api.AsError(err); e != nil && e.Code != "IdempotentParameterMismatch" {
			out.Unsuccessful = append(out.Unsuccessful, unsuccessful(id, err))
			continue
		} else if err != nil {
			return nil, err
		}
		out.FlowLogIds = append(out.FlowLogIds, made)
	}
	return out, nil
}

// createFlowLog makes the flow log of one resource. Its errors are told of that resource alone.
func (s *ec2) createFlowLog(tx *state.Tx, call *api.Call, in *CreateFlowLogsInput, f *resource.FlowLog) (string, error) {
	plain := *in
	plain.ClientToken = nil
	token, err := newClientToken("CreateFlowLogs "+f.ResourceID, in.ClientToken, plain)
	if err != nil {
		return "", err
	}
	if id, err := token.seen(tx); err != nil || id != "" {
		return id, err
	}
	if exists(tx, f.SameAs) {
		return "", api.Errorf("FlowLogAlreadyExists", "Error. There is an existing Flow Log with the same configuration and log destination.")
	}
	if f.Destination == toS3 {
		if err := s.allowDelivery(tx, call, f); err != nil {
			return "", err
		}
	}
	f.ID, f.CreationTime = resource.FlowLogID(tx.NewID("fl")), tx.Now()
	token.made(tx, string(f.ID))
	tx.Put(f)
	return string(f.ID), nil
}

// newFlowLog reads what a call wants, but for its resource.
func newFlowLog(r state.Reader, in *CreateFlowLogsInput) (f resource.FlowLog, err error) {
	if given(in.DeliverCrossAccountRole) {
		return f, unsupported("Delivery to other accounts is not supported in this region: there is one account.")
	}
	f.TrafficType = value(in.TrafficType)
	switch f.TrafficType {
	case "ACCEPT", "REJECT", "ALL":
	case "":
		return f, missing("TrafficType")
	default:
		return f, invalidValue("TrafficType", f.TrafficType)
	}
	seconds := int64(usualAggregation)
	if in.MaxAggregationInterval != nil {
		seconds = *in.MaxAggregationInterval
	}
	if seconds != shortAggregation && seconds != usualAggregation {
		return f, api.Errorf("InvalidParameter", "Invalid Flow Log Max Aggregation Interval")
	}
	f.Aggregation = time.Duration(seconds) * time.Second
	format := flowlog.Default()
	if given(in.LogFormat) {
		var ok bool
		if format, ok = flowlog.Parse(*in.LogFormat); !ok {
			return f, api.Errorf("InvalidParameter", "1 validation error detected: Value '%s' at 'logFormat' has an invalid format", *in.LogFormat)
		}
	}
	f.Format = format.String()
	return f, setDestination(r, in, &f)
}

// flowLogResources are the resources that a call wants flow logs of, each once.
func flowLogResources(r state.Reader, in *CreateFlowLogsInput) ([]string, error) {
	if len(in.ResourceIds) == 0 {
		return nil, missing("ResourceId")
	}
	ids := idsOf[string](in.ResourceIds)
	var look func(id string) error
	switch value(in.ResourceType) {
	case "VPC":
		look = func(id string) error { _, err := vpcnet.Find[*resource.VPC](r, vpcnet.VPC, id); return err }
	case "Subnet":
		look = func(id string) error { _, err := vpcnet.Find[*resource.Subnet](r, vpcnet.Subnet, id); return err }
	case "NetworkInterface":
		look = func(id string) error {
			_, err := vpcnet.Find[*resource.NetworkInterface](r, vpcnet.ENI, id)
			return err
		}
	case "":
		return nil, missing("ResourceType")
	case "TransitGateway", "TransitGatewayAttachment", "RegionalNatGateway":
		return nil, unsupported("Flow logs of a %s are not supported in this region.", *in.ResourceType)
	default:
		return nil, invalidValue("ResourceType", *in.ResourceType)
	}
	for _, id := range ids {
		if err := look(id); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func (s *ec2) deleteFlowLogs(tx *state.Tx, _ *api.Call, in *DeleteFlowLogsInput) (*DeleteFlowLogsOutput, error) {
	if len(in.FlowLogIds) == 0 {
		return nil, missing("FlowLogId")
	}
	var found []*resource.FlowLog
	var gone []string
	for _, id := range idsOf[string](in.FlowLogIds) {
		f, err := vpcnet.Find[*resource.FlowLog](tx, nounFlowLog(), id)
		if e := api.AsError(err); e != nil && e.Code == nounFlowLog().NotFound {
			gone = append(gone, id)
		} else if err != nil {
			return nil, err
		} else {
			found = append(found, f)
		}
	}
	if len(gone) > 0 {
		slices.Sort(gone)
		return nil, api.Errorf(nounFlowLog().NotFound, "These flow log ids in the input list are not found: [TotalCount: %d] %s", len(gone), strings.Join(gone, " "))
	}
	for _, f := range found {
		vpcnet.DeleteFlowLog(tx, f)
	}
	return &DeleteFlowLogsOutput{Unsuccessful: []UnsuccessfulItem{}}, nil
}
