// Package policy decides whether a call may happen, and says by which statement.
//
// It is pure: documents and a request in, a decision out. It knows no state and no service.
package policy

// Document is a parsed policy. Parse makes it.
type Document struct {
	Name       string // for messages and traces: role/x inline p, or the ARN
	Version    string
	ID         string
	Statements []Statement
}

// Request is what is to be decided.
type Request struct {
	Action   string // s3:GetObject
	Resource string // ARN, or "*"
	// Principal is who asks.
	Principal Principal
	// Context holds the condition keys, lower case; a key that is absent is not in the map.
	Context map[string][]string
}

// Principal is who asks.
type Principal struct {
	Account   string
	ARN       string // session ARN or root ARN; empty: anonymous
	RoleARN   string // of a session
	Root      bool
	Anonymous bool
	Service   string // lambda.amazonaws.com, when a service asks
}

// Policies are all that apply to one request. A nil or empty slice of a kind that does not apply; a kind that
// applies and allows nothing denies.
type Policies struct {
	Identity []*Document
	Resource *Document // nil: the resource has none
	Boundary *Document // nil: none
	Session  *Document // nil: none
	Endpoint *Document // nil: not through an endpoint
	// ResourceAccount owns the resource.
	ResourceAccount string
}

// Decision is the outcome.
type Decision struct {
	Allowed bool
	// Kind is the kind of policy that decided: "identity-based", "resource-based", "VPC endpoint",
	// "permissions boundary", "session"; "root" for the account's root with nothing against it.
	Kind string
	// Explicit: a Deny statement matched. Otherwise, if not allowed, no statement of that kind allowed it.
	Explicit bool
	// Document and Statement name what decided; empty and -1 for an implicit denial.
	Document  string
	Statement int
	Sid       string
}
