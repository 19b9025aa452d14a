package resource

import "time"

// The kinds of what belongs to a function and of layers.
const (
	KindFunctionVersion Kind = "function-version"
	KindFunctionAlias   Kind = "function-alias"
	KindFunctionPolicy  Kind = "function-policy"
	KindFunctionURL     Kind = "function-url"
	KindEventInvoke     Kind = "function-event-invoke-config"
	KindProvisioned     Kind = "function-provisioned-concurrency"
	KindLayer           Kind = "layer"
	KindLayerVersion    Kind = "layer-version"
	qualifierSeparator       = ":"
)

// FunctionVersion is a function as it was when it was published. It never changes.
type FunctionVersion struct {
	Function
	// SourceDescription is what $LATEST was described as: the version can have a description of its own.
	SourceDescription string
}

func (*FunctionVersion) Kind() Kind    { return KindFunctionVersion }
func (v *FunctionVersion) Key() string { return FunctionPart(v.Name, v.Version) }

// FunctionPart is the key of what belongs to a function's qualifier: a version's number, an alias, or nothing.
func FunctionPart(function, qualifier string) string {
	return function + qualifierSeparator + qualifier
}

// FunctionAlias is a name for a version, or for two of which each gets a share of the invocations.
type FunctionAlias struct {
	Function    string
	Name        string
	Version     string // $LATEST or a number
	Description string
	Weights     map[string]float64 // of another version: its share, 0 to 1
	RevisionID  string
}

func (*FunctionAlias) Kind() Kind    { return KindFunctionAlias }
func (a *FunctionAlias) Key() string { return FunctionPart(a.Function, a.Name) }

// FunctionPolicy says who may use a function, or one version or alias of it.
type FunctionPolicy struct {
	Function   string
	Qualifier  string // empty: the function
	Statements []PolicyStatement
	RevisionID string
}

// PolicyStatement is one statement of a policy that is changed statement by statement.
type PolicyStatement struct {
	ID   string
	JSON string
}

func (*FunctionPolicy) Kind() Kind    { return KindFunctionPolicy }
func (p *FunctionPolicy) Key() string { return FunctionPart(p.Function, p.Qualifier) }

// FunctionURL is an address on the web that invokes a function or an alias.
type FunctionURL struct {
	ID           string // the first label of the name
	Function     string
	Qualifier    string // empty: $LATEST; otherwise an alias
	AuthType     string // NONE or AWS_IAM
	InvokeMode   string // BUFFERED or RESPONSE_STREAM
	CORS         *FunctionURLCORS
	CreationTime time.Time
	LastModified time.Time
}

// FunctionURLCORS says which pages of other sites may read a function's answers.
type FunctionURLCORS struct {
	AllowCredentials                                        bool
	AllowHeaders, AllowMethods, AllowOrigins, ExposeHeaders []string
	MaxAge                                                  int // seconds
}

func (*FunctionURL) Kind() Kind    { return KindFunctionURL }
func (u *FunctionURL) Key() string { return FunctionPart(u.Function, u.Qualifier) }

// EventInvoke is what becomes of asynchronous invocations.
type EventInvoke struct {
	Function     string
	Qualifier    string // $LATEST, a version or an alias
	MaxAge       *int   // seconds; nil: six hours
	MaxRetries   *int   // nil: two
	OnSuccess    string // ARN; empty: none
	OnFailure    string
	LastModified time.Time
}

func (*EventInvoke) Kind() Kind    { return KindEventInvoke }
func (c *EventInvoke) Key() string { return FunctionPart(c.Function, c.Qualifier) }

// Provisioned is how many environments of a version or alias are to be kept initialized.
type Provisioned struct {
	Function     string
	Qualifier    string
	Requested    int
	LastModified time.Time
}

func (*Provisioned) Kind() Kind    { return KindProvisioned }
func (p *Provisioned) Key() string { return FunctionPart(p.Function, p.Qualifier) }
