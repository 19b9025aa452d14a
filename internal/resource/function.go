package resource

import "time"

// Function is a Lambda function: its $LATEST, or within a [FunctionVersion] what was published.
type Function struct {
	Name string
	ARN  string // without a qualifier
	// Version is the number of a published version; empty: $LATEST. Published counts those ever published of $LATEST.
	Version     string
	Published   int
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
	LogFormat            string // Text or JSON
	LogGroup             string
	// ApplicationLogLevel and SystemLogLevel are of LogFormat JSON only.
	ApplicationLogLevel string
	SystemLogLevel      string
	Layers              []FunctionLayer
	VPCConfig           *FunctionVPCConfig // nil: not in a VPC
	LastModified        time.Time
	RevisionID          string
	ReservedConcurrency *int // nil: unreserved
	Tags                Tags
}

func (*Function) Kind() Kind    { return KindFunction }
func (f *Function) Key() string { return f.Name }

// Qualified is the function's name with its version: what tells the environments of two versions apart.
func (f *Function) Qualified() string {
	if f.Version == "" {
		return f.Name
	}
	return f.Name + ":" + f.Version
}

// FunctionLayer is a layer's version that a function uses. The function keeps its code, also when the layer's
// version is deleted.
type FunctionLayer struct {
	ARN      string
	CodeKey  string
	CodeSize int64
}

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
