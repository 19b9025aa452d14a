package resource

import (
	"strings"
	"time"
)

// FlowLogID is a flow log's id: fl-.
type FlowLogID string

// KindFlowLog is the kind of flow logs.
const KindFlowLog Kind = "vpc-flow-log"

// FlowLog tells of the traffic of a VPC's, a subnet's or one interface's interfaces.
type FlowLog struct {
	ID             FlowLogID
	ResourceID     string // vpc-, subnet- or eni-
	TrafficType    string // ACCEPT, REJECT, ALL
	Destination    string // cloud-watch-logs, s3
	LogGroupName   string // cloud-watch-logs
	DestinationARN string // s3: of a bucket or a folder in it; cloud-watch-logs: of the group if given so
	RoleARN        string // who may write to the log group; cloud-watch-logs only
	Format         string // ${version} ${account-id} ...
	Aggregation    time.Duration
	Options        FlowLogOptions
	CreationTime   time.Time
	Tags           Tags
}

// FlowLogOptions say how files are written. S3 only.
type FlowLogOptions struct {
	FileFormat         string // plain-text
	HiveCompatible     bool
	PerHourPartitioned bool
}

func (*FlowLog) Kind() Kind    { return KindFlowLog }
func (f *FlowLog) Key() string { return string(f.ID) }

// Bucket is the bucket that files go to, and the folder in it; empty if the destination is none.
func (f *FlowLog) Bucket() (name, folder string) {
	rest, ok := strings.CutPrefix(f.DestinationARN, "arn:aws:s3:::")
	if !ok {
		return "", ""
	}
	name, folder, _ = strings.Cut(rest, "/")
	return name, strings.TrimSuffix(folder, "/")
}

// SameAs reports whether another flow log tells the same of the same resource to the same place.
func (f *FlowLog) SameAs(o *FlowLog) bool {
	return f.ResourceID == o.ResourceID && f.TrafficType == o.TrafficType && f.Destination == o.Destination && f.LogGroupName == o.LogGroupName &&
		f.RoleARN == o.RoleARN && f.Format == o.Format && f.bucketARN() == o.bucketARN()
}

func (f *FlowLog) bucketARN() string {
	if f.LogGroupName != "" {
		return "" // of the group, which may be said in two ways
	}
	return strings.TrimSuffix(f.DestinationARN, "/")
}
