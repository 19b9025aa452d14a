package ec2

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/network/flowlog"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func invalidDestination(format string, args ...any) error {
	return api.Errorf("InvalidParameter", format, args...)
}

// setDestination reads where records go.
func setDestination(r state.Reader, in *CreateFlowLogsInput, f *resource.FlowLog) error {
	f.Destination = value(in.LogDestinationType)
	if f.Destination == "" {
		f.Destination = toCloudWatch
	}
	switch {
	case f.Destination == toFirehose:
		return unsupported("Delivery of flow logs to Firehose is not supported in this region: choose %s or %s.", toCloudWatch, toS3)
	case f.Destination != toCloudWatch && f.Destination != toS3:
		return invalidValue("LogDestinationType", f.Destination)
	case given(in.LogGroupName) && given(in.LogDestination):
		return invalidDestination("Please only provide LogGroupName or only provide LogDestination.")
	case given(in.LogGroupName) && f.Destination != toCloudWatch:
		return invalidDestination("LogDestination type must be %s if LogGroupName is provided.", toCloudWatch)
	case !given(in.LogGroupName) && !given(in.LogDestination):
		return invalidDestination("LogDestination can't be empty if LogGroupName is not provided.")
	case f.Destination == toS3:
		return setBucket(in, f)
	}
	return setLogGroup(r, in, f)
}

func setLogGroup(r state.Reader, in *CreateFlowLogsInput, f *resource.FlowLog) error {
	if in.DestinationOptions != nil {
		return invalidDestination("DestinationOptions can only be provided if LogDestinationType is %s.", toS3)
	}
	if !given(in.DeliverLogsPermissionArn) {
		return invalidDestination("DeliverLogsPermissionArn can't be empty if LogDestinationType is %s.", toCloudWatch)
	}
	if !strings.HasPrefix(*in.DeliverLogsPermissionArn, "arn:aws:iam::"+r.Account()+":role/") {
		return invalidDestination("DeliverLogsPermissionArn is not a valid ARN of a role.")
	}
	f.RoleARN, f.LogGroupName = *in.DeliverLogsPermissionArn, value(in.LogGroupName)
	if given(in.LogDestination) {
		name, ok := strings.CutPrefix(*in.LogDestination, "arn:aws:logs:"+r.Region()+":"+r.Account()+":log-group:")
		if !ok {
			return invalidDestination("LogDestination %s is not a valid ARN of a log group of this account and Region.", *in.LogDestination)
		}
		f.DestinationARN, f.LogGroupName = *in.LogDestination, strings.TrimSuffix(name, ":*")
	}
	const letters = ".-_/#ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	if n := f.LogGroupName; n == "" || len(n) > 512 || strings.Trim(n, letters) != "" {
		return invalidDestination("LogGroupName %s is not valid.", n)
	}
	return nil
}

func setBucket(in *CreateFlowLogsInput, f *resource.FlowLog) error {
	if given(in.DeliverLogsPermissionArn) {
		return invalidDestination("DeliverLogsPermissionArn can only be provided if LogDestinationType is %s.", toCloudWatch)
	}
	f.DestinationARN = *in.LogDestination
	bucket, folder := f.Bucket()
	if bucket == "" {
		return invalidDestination("LogDestination %s is not a valid ARN of a bucket.", *in.LogDestination)
	}
	// "You cannot use AWSLogs as a subfolder name": the guide, "Publish flow logs to Amazon S3".
	if slices.Contains(strings.Split(folder, "/"), "AWSLogs") {
		return invalidDestination("LogDestination: %s contains the reserved folder name AWSLogs.", bucket)
	}
	f.Options.FileFormat = "plain-text"
	if o := in.DestinationOptions; o != nil {
		switch value(o.FileFormat) {
		case "", "plain-text":
		case "parquet":
			return unsupported("Flow log files in Parquet are not supported in this region: choose plain-text.")
		default:
			return invalidValue("FileFormat", *o.FileFormat)
		}
		f.Options.HiveCompatible, f.Options.PerHourPartitioned = value(o.HiveCompatiblePartitions), value(o.PerHourPartition)
	}
	return nil
}

// allowDelivery sees to it that the bucket lets files be delivered: its policy does already, or the caller may
// change it and so AWS's statements are added; see the guide, "Amazon S3 bucket permissions for flow logs".
func (s *ec2) allowDelivery(tx *state.Tx, call *api.Call, f *resource.FlowLog) error {
	name, _ := f.Bucket()
	refuse := func(format string) error { return api.Errorf("400", format, name) }
	bucket, ok := state.Get[*resource.Bucket](tx, name)
	if !ok {
		return refuse("LogDestination: %s does not exist")
	}
	document, err := bucketPolicy(bucket)
	if err != nil {
		return err
	}
	if flowlog.MayDeliver(document, f, tx.Region(), tx.Account()) {
		return nil
	}
	const denied = "Access Denied for LogDestination: %s. Please check LogDestination permission"
	if s.config.MayChangePolicy == nil || !s.config.MayChangePolicy(tx, call, bucket, document) || !simple(document) {
		return refuse(denied)
	}
	changed := *bucket
	if changed.Policy, err = flowlog.AddDelivery(bucket.Policy, f, tx.Region(), tx.Account()); err != nil {
		return fmt.Errorf("add delivery to the policy of %s: %w", name, err)
	}
	if document, err = bucketPolicy(&changed); err != nil {
		return err
	}
	if !flowlog.MayDeliver(document, f, tx.Region(), tx.Account()) {
		return refuse(denied) // something denies it
	}
	tx.Put(&changed)
	return nil
}

// simple reports whether statements are added to a policy by themselves: not to one with NotAction or NotPrincipal.
func simple(d *policy.Document) bool {
	return d == nil || !slices.ContainsFunc(d.Statements, func(s policy.Statement) bool { return len(s.NotActions) > 0 || s.Principals() == nil })
}

func bucketPolicy(b *resource.Bucket) (*policy.Document, error) {
	if b.Policy == "" {
		return nil, nil
	}
	if !json.Valid([]byte(b.Policy)) {
		return nil, fmt.Errorf("policy of bucket %s is not JSON", b.Name)
	}
	d, err := policy.Parse("bucket policy of "+b.Name, policy.Resource, []byte(b.Policy))
	if err != nil {
		return nil, fmt.Errorf("parse policy of bucket %s: %w", b.Name, err)
	}
	return d, nil
}
