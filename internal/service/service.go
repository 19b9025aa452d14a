// Package service says what an AWS service is to this program: a [Definition] with [Operation]s.
//
// An operation says what power it needs, View, Update or Stream, and gets no more: an Update handler is a
// function of a transaction and cannot reach the kernel. Services never import each other, the data plane or
// the compute packages. What happens around a handler is in api/server; how its types look on the wire is in
// their struct tags, read by api/wire.
package service

import (
	"context"
	"maps"
	"net/http"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Protocol is how a service speaks.
type Protocol string

// The protocols.
const (
	EC2Query  Protocol = "ec2"
	AWSQuery  Protocol = "query"
	RESTJSON  Protocol = "rest-json"
	AWSJSON11 Protocol = "json"
	RESTXML   Protocol = "rest-xml" // S3: served by Definition.Handler
)

// Definition is one AWS service.
type Definition struct {
	Name         string // signing name, IAM prefix and PublicService name: ec2
	Protocol     Protocol
	Version      string // 2016-11-15
	Namespace    string // XML namespace
	TargetPrefix string // AWSJSON11: Logs_20140328
	Operations   []Operation
	// Unsigned are operations that clients call without a signature and that are not served: who makes such a call is
	// told so, and not that the signature is missing.
	Unsigned []string
	// VirtualBucket returns the bucket that a host name stands for (S3), empty for none.
	VirtualBucket func(host string) string
	// Handler serves a service whose protocol is not made of operations (S3). It is called after routing and
	// authentication and does the rest of the pipeline itself.
	Handler Handler
	// Web serves addresses that the service gives out, beside its operations. Nil: it gives out none.
	Web *Web
}

// Streamer is the output of an operation that writes its answer itself, while it is made. An error counts as long as
// nothing was written.
type Streamer interface {
	Stream(w http.ResponseWriter) error
}

// Web serves requests that are no calls of the API: those to an address that a service gave out, such as a function's
// URL. They are authenticated, and may be unsigned; what else they may is the handler's to decide.
type Web struct {
	Handler Handler
	// Owns reports whether a request belongs here, by the name it was sent to and its path.
	Owns func(host, path string) bool
	// Open reports whether everybody may come in: then a signature is not looked at.
	Open func(host, path string) bool
	// MaxBody is the longest body; a longer one is refused.
	MaxBody int64
}

// Handler serves calls of a service that has a protocol of its own.
type Handler interface {
	ServeCall(w http.ResponseWriter, call *api.Call)
}

// Operation is one AWS API operation.
type Operation struct {
	Name string
	// Action is the IAM action, service prefix included: lambda:InvokeFunction for Invoke.
	Action string
	// Resources returns the ARNs that the call acts on; "*" where the action has no resource level. Never nil.
	Resources func(r state.Reader, in any) []string
	// Public operations need no permission and cannot be denied (sts:GetCallerIdentity).
	Public bool
	// HTTPMethod and HTTPPath are for REST protocols; labels in braces: /2015-03-31/functions/{FunctionName}.
	// They and Status are the generated input's, unless the option HTTP sets them.
	HTTPMethod, HTTPPath string
	// Status is the HTTP status of success for REST protocols; 0: 200.
	Status int
	// MaxBody is the longest request body that is read; 0: what the protocol usually allows.
	MaxBody int64
	// Policy returns the policy of what the operation acts on. Nil: such things have none.
	Policy func(r state.Reader, in any) Policy
	// Conditions returns further condition keys for policies, such as ec2:vpc or aws:resourcetag/..., lower case.
	// Nil: none. What the request itself says (aws:RequestTag, aws:TagKeys) is found without.
	Conditions func(r state.Reader, in any, resource string) map[string][]string
	// Needs returns what else the caller must be allowed, such as iam:PassRole on the role of a new function.
	// Nil: nothing.
	Needs func(r state.Reader, in any) []Need

	// Complete fills in what a request leaves out and the caller stands for, such as a user's own name. Nil: nothing.
	Complete func(c *api.Caller, in any)

	// DryRun operations have an input with a member DryRun *bool (EC2).

	NewInput func() any // pointer to a zero input
	// Exactly one of:
	View   func(*state.View, *api.Call, any) (any, error)
	Update func(*state.Tx, *api.Call, any) (any, error)
	Stream func(context.Context, *api.Call, any) (any, error)
}

// Need is a permission that a call needs beside the one for its own action.
type Need struct {
	Action   string // iam:PassRole
	Resource string // ARN
	// Policy is the resource's own.
	Policy Policy
	// Keys are condition keys beside the global ones and those of the request's tags, lower case.
	Keys map[string][]string
}

// Policy is the text of a resource's policy, and what to call it in messages. An empty text: there is none.
type Policy struct{ Name, Text string }

// Option completes an operation.
type Option func(*Operation)

// View makes an operation that reads a snapshot.
func View[In, Out any](name string, h func(*state.View, *api.Call, *In) (*Out, error), options ...Option) Operation {
	o := newOperation[In](name, options)
	o.View = func(v *state.View, c *api.Call, in any) (any, error) {
		out, err := h(v, c, in.(*In))
		if err != nil {
			return nil, err // not out: a typed nil is not a nil any
		}
		return out, nil
	}
	return o
}

// Update makes an operation that changes the state, atomically.
func Update[In, Out any](name string, h func(*state.Tx, *api.Call, *In) (*Out, error), options ...Option) Operation {
	o := newOperation[In](name, options)
	o.Update = func(tx *state.Tx, c *api.Call, in any) (any, error) {
		out, err := h(tx, c, in.(*In))
		if err != nil {
			return nil, err
		}
		return out, nil
	}
	return o
}

// Stream makes an operation that does something else than reading or changing the state.
func Stream[In, Out any](name string, h func(context.Context, *api.Call, *In) (*Out, error), options ...Option) Operation {
	o := newOperation[In](name, options)
	o.Stream = func(ctx context.Context, c *api.Call, in any) (any, error) {
		out, err := h(ctx, c, in.(*In))
		if err != nil {
			return nil, err
		}
		return out, nil
	}
	return o
}

func newOperation[In any](name string, options []Option) Operation {
	o := Operation{Name: name, NewInput: func() any { return new(In) }}
	if rest, ok := any(new(In)).(interface {
		HTTP() (method, path string, status int)
	}); ok {
		o.HTTPMethod, o.HTTPPath, o.Status = rest.HTTP()
	}
	for _, f := range options {
		f(&o)
	}
	return o
}

// On says which resources the operation acts on.
func On[In any](f func(state.Reader, *In) []string) Option {
	return func(o *Operation) {
		o.Resources = func(r state.Reader, in any) []string { return f(r, in.(*In)) }
	}
}

// ResourcePolicy says which policy of the resource itself the call is subject to.
func ResourcePolicy[In any](f func(state.Reader, *In) Policy) Option {
	return func(o *Operation) {
		o.Policy = func(r state.Reader, in any) Policy { return f(r, in.(*In)) }
	}
}

// OnAny marks an action that has no resource level.
func OnAny() Option {
	return func(o *Operation) { o.Resources = func(state.Reader, any) []string { return []string{"*"} } }
}

// Action sets the IAM action where it is not <service>:<operation>.
func Action(name string) Option { return func(o *Operation) { o.Action = name } }

// Public marks an operation that needs no permission.
func Public() Option {
	return func(o *Operation) {
		o.Public = true
		o.Resources = func(state.Reader, any) []string { return []string{"*"} }
	}
}

// MaxBody limits the request body, in bytes.
func MaxBody(n int64) Option { return func(o *Operation) { o.MaxBody = n } }

// Conditions adds condition keys that policies can name; resource is one of those that the operation acts on.
func Conditions[In any](f func(r state.Reader, in *In, resource string) map[string][]string) Option {
	return func(o *Operation) {
		others := o.Conditions
		o.Conditions = func(r state.Reader, in any, resource string) map[string][]string {
			keys := f(r, in.(*In), resource)
			if others == nil {
				return keys
			}
			all := maps.Clone(others(r, in, resource))
			if all == nil {
				return keys
			}
			maps.Copy(all, keys)
			return all
		}
	}
}

// Needs adds permissions that the caller must have beside the one for the operation's own action.
func Needs[In any](f func(r state.Reader, in *In) []Need) Option {
	return func(o *Operation) {
		o.Needs = func(r state.Reader, in any) []Need { return f(r, in.(*In)) }
	}
}

// Complete fills in what a request leaves out and the caller stands for, before anything is decided.
func Complete[In any](f func(c *api.Caller, in *In)) Option {
	return func(o *Operation) {
		o.Complete = func(c *api.Caller, in any) { f(c, in.(*In)) }
	}
}
