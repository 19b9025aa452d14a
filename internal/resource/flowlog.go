package resource

import "time"

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
