package resource

import "time"

// Function is a Lambda function's $LATEST.
type Function struct {
	Name        string
	ARN         string
	Runtime     string
	Handler     string
	Role        string // ARN
	Description string
	Timeout     int // seconds
	MemorySize  int // MB
	Environment map[string]string
	// CodeSHA256 is base64, as AWS prints it; CodeKey names the unpacked code in the code store.
	CodeSHA256           string
	CodeKey              string
	CodeSize             int64
	Architectures        []string
	EphemeralStorageSize int // MB
	TracingMode          string
	LogFormat            string
	LogGroup             string
	VPCConfig            *FunctionVPCConfig // nil: not in a VPC
	LastModified         time.Time
	RevisionID           string
	ReservedConcurrency  *int // nil: unreserved
	Tags                 Tags
}

func (*Function) Kind() Kind    { return KindFunction }
func (f *Function) Key() string { return f.Name }

// FunctionVPCConfig places a function in a VPC.
type FunctionVPCConfig struct {
	VPCID                   VPCID
	SubnetIDs               []SubnetID
	GroupIDs                []SecurityGroupID
	NetworkInterfaceIDs     []NetworkInterfaceID // one for each subnet, shared with functions of the same groups
	IPv6AllowedForDualStack bool
}

// Bucket is an S3 bucket's configuration. Its objects live in the engine, not in the state.
type Bucket struct {
	Name         string
	CreationDate time.Time
	Policy       string // JSON; empty: none
	Versioning   string // "", Enabled, Suspended
	Tags         Tags
	Subresources map[string]string // "encryption", "publicAccessBlock", ... -> XML as it was put
}

func (*Bucket) Kind() Kind    { return KindBucket }
func (b *Bucket) Key() string { return b.Name }

// LogGroup is a CloudWatch Logs group. Its events live in the log store, not in the state.
type LogGroup struct {
	Name            string
	CreationTime    time.Time
	RetentionInDays int // 0: for ever
	Class           string
	Tags            Tags
}

func (*LogGroup) Kind() Kind    { return KindLogGroup }
func (g *LogGroup) Key() string { return g.Name }
