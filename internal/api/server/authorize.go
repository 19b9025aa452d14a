package server

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Question is what is to be decided about a call.
type Question struct {
	Action   string // s3:GetObject
	Resource string // ARN, or "*"
	// Policy is the resource's own policy; nil: it has none.
	Policy *policy.Document
	// Keys are condition keys of the operation, lower case, beside the global ones.
	Keys map[string][]string
}

// Authorizer asks whether calls may happen, words refusals, and notes every decision for the call's record.
type Authorizer struct {
	// Seal makes the failure messages of EC2, which sts:DecodeAuthorizationMessage opens. Nil: they are left empty.
	Seal   func(text []byte) string
	decide func(state.Reader, *api.Call, Question) (policy.Decision, error)
}

// NewAuthorizer makes an authorizer. decide finds the policies that apply and evaluates them; an error of it means
// that nothing could be decided, and then the call may not happen.
func NewAuthorizer(decide func(state.Reader, *api.Call, Question) (policy.Decision, error)) *Authorizer {
	return &Authorizer{decide: decide}
}

// Authorize returns nil if the call may take the action on the resource, and otherwise what the caller is told, in
// the words of the call's service. resourcePolicy and keys may be nil; keys are lower case.
func (a *Authorizer) Authorize(r state.Reader, call *api.Call, action, resource string, resourcePolicy *policy.Document, keys map[string][]string) error {
	d, err := a.decide(r, call, Question{Action: action, Resource: resource, Policy: resourcePolicy, Keys: keys})
	if err != nil && api.AsError(err) == nil {
		return fmt.Errorf("decide %s on %s: %w", action, resource, err)
	}
	if err != nil {
		return err
	}
	x := exchangeOf(call)
	if x != nil {
		x.trail.add(Decided{Action: action, Resource: resource, Decision: d})
	}
	if d.Allowed {
		return nil
	}
	protocol := service.RESTXML
	if x != nil && x.service != nil {
		protocol = x.service.Protocol
	}
	message := ""
	if protocol == service.EC2Query && a.Seal != nil {
		message = a.Seal(failureMessage(call, Question{Action: action, Resource: resource, Keys: keys}, d))
	}
	return denied(protocol, call, action, resource, d, message)
}

// denied words a denial as the services of a protocol do.
func denied(protocol service.Protocol, call *api.Call, action, resource string, d policy.Decision, message string) *api.Error {
	text := policy.DeniedText(call.Caller.ARN, action, resource, protocol == service.RESTXML, d)
	switch protocol {
	case service.EC2Query:
		text = fmt.Sprintf("You are not authorized to perform this operation. %s. Encoded authorization failure message: %s", text, message)
		return api.Errorf("UnauthorizedOperation", "%s", text).WithStatus(http.StatusForbidden)
	case service.AWSJSON11:
		return api.Errorf("AccessDeniedException", "%s", text)
	case service.RESTJSON:
		return api.Errorf("AccessDeniedException", "%s", text).WithStatus(http.StatusForbidden)
	}
	return api.Errorf("AccessDenied", "%s", text).WithStatus(http.StatusForbidden)
}

// authorizeOperation asks for every resource that the operation acts on, then for what else the call needs.
func (s *Server) authorizeOperation(x *exchange) error {
	view := s.config.Store.View()
	action := x.operation.Action
	if action == "" {
		action = x.service.Name + ":" + x.operation.Name
	}
	resources := x.operation.Resources(view, x.input)
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	var own *policy.Document
	if x.operation.Policy != nil {
		var err error
		if own, err = parsePolicy(x.operation.Policy(view, x.input)); err != nil {
			return err
		}
	}
	for _, resource := range resources {
		keys := requestTags(x.input)
		if x.operation.Conditions != nil {
			maps.Copy(keys, x.operation.Conditions(view, x.input, resource))
		}
		if err := s.config.Authorizer.Authorize(view, x.call, action, resource, own, keys); err != nil {
			return err
		}
	}
	return s.authorizeNeeds(view, x)
}

func (s *Server) authorizeNeeds(view *state.View, x *exchange) error {
	if x.operation.Needs == nil {
		return nil
	}
	for _, need := range x.operation.Needs(view, x.input) {
		keys := requestTags(x.input)
		maps.Copy(keys, need.Keys)
		own, err := parsePolicy(need.Policy)
		if err != nil {
			return err
		}
		if err := s.config.Authorizer.Authorize(view, x.call, need.Action, need.Resource, own, keys); err != nil {
			return err
		}
	}
	return nil
}

// parsePolicy reads a resource's policy, nil if there is none. What cannot be read decides nothing, so the call fails.
func parsePolicy(p service.Policy) (*policy.Document, error) {
	if p.Text == "" {
		return nil, nil
	}
	document, err := policy.Parse(p.Name, policy.Resource, []byte(p.Text))
	if err != nil {
		return nil, fmt.Errorf("read the policy %s: %w", p.Name, err)
	}
	return document, nil
}

// isDryRun reports whether the input has a member DryRun that is true.
func isDryRun(input any) bool {
	f := reflect.ValueOf(input).Elem().FieldByName("DryRun")
	if !f.IsValid() {
		return false
	}
	b, ok := f.Interface().(*bool)
	return ok && b != nil && *b
}
