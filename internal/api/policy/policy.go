// Package policy decides whether a call may happen, and says by which statement.
//
// It is pure: documents and a request in, a decision out. It knows no state and no service. [Parse] reads one
// document once; [Evaluate] then costs microseconds and keeps a trace of every statement that it looked at.
// Where a document's text comes from and which documents apply to a caller: package service/iam. What AWS
// documents but this package refuses is refused by Parse, never ignored.
package policy

// Document is a parsed policy. Parse makes it; it is never changed afterwards.
type Document struct {
	Name       string // for messages and traces: role/x inline p, or the ARN
	Kind       Kind
	Version    string
	ID         string
	Statements []Statement
}

// Kind is what a document is for. Its text is AWS's word in messages.
type Kind string

// The kinds of documents.
const (
	Identity Kind = "identity-based"
	Resource Kind = "resource-based"
	Boundary Kind = "permissions boundary"
	Session  Kind = "session"
	Trust    Kind = "role trust"
	Endpoint Kind = "VPC endpoint"
	// GatewayEndpoint is the policy of a gateway endpoint: a principal that names an account there is the
	// account's root alone, and roles can be named by conditions only.
	GatewayEndpoint Kind = "VPC gateway endpoint"
	// ServiceControl and ResourceControl are what an organization lets an account's principals do, and lets be done
	// with an account's resources.
	ServiceControl  Kind = "service control"
	ResourceControl Kind = "resource control"
)

// word is the kind as AWS's messages say it.
func (k Kind) word() string {
	if k == GatewayEndpoint {
		return string(Endpoint)
	}
	return string(k)
}

// Effect is what a statement does.
type Effect string

// The effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

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
	ARN       string // of a session, a user or the root; empty: anonymous
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
	// ResourceControl and ServiceControl are an organization's policies, one document for each level from its root
	// down to the account (see [Join]), and each level must allow. Nil: the account is in no organization.
	ResourceControl []*Document // of the resource's account
	ServiceControl  []*Document // of the caller's account
	// ResourceAccount owns the resource; empty: the caller's account does.
	ResourceAccount string
	// ResourceDecides: the resource policy must allow by itself, as a role's trust policy must. Without it,
	// identity or resource policy is enough within an account.
	ResourceDecides bool
}

// Decision is the outcome.
type Decision struct {
	Allowed bool
	// Kind is the kind of policy that decided: "identity-based", "resource-based", "VPC endpoint",
	// "permissions boundary", "session", "role trust", "service control", "resource control"; "root" for the account's root with nothing against it.
	Kind string
	// Explicit: a Deny statement matched. Otherwise, if not allowed, no statement of that kind allowed it.
	Explicit bool
	// Document and Statement name what decided; empty and -1 for an implicit denial.
	Document  string
	Statement int
	Sid       string
	// CrossAccount: caller and resource are of different accounts.
	CrossAccount bool
	// Context is the request's, by which it was decided.
	Context map[string][]string
	// Trace holds every statement that was looked at, in order.
	Trace []Step
}
