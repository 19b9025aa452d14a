package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Question is what may be decided about a call.
type Question struct {
	Action   string // s3:GetObject
	Resource string // ARN, or "*"
	// Policy is the resource's own policy; nil: it has none.
	Policy *policy.Document
	// Keys are condition keys of the operation, lower case, beside the global ones.
	Keys map[string][]string
}

// Decide says whether a call may do something: by the caller's policies, the resource's, and that of the VPC
// endpoint through which the call came. The error is for what cannot be decided, and then the call may not.
func (s *Service) Decide(r state.Reader, call *api.Call, q Question) (policy.Decision, error) {
	return s.decide(r, call, q, false)
}

func (s *Service) decide(r state.Reader, call *api.Call, q Question, resourceDecides bool) (policy.Decision, error) {
	p, err := s.PoliciesFor(r, &call.Caller)
	if err != nil {
		return policy.Decision{}, err
	}
	if p.Endpoint, err = s.EndpointPolicy(r, &call.Origin); err != nil {
		return policy.Decision{}, err
	}
	p.Resource, p.ResourceDecides = q.Policy, resourceDecides
	keys := policy.Context(call)
	keys["aws:resourceaccount"] = []string{r.Account()}
	putPrincipalTags(r, keys, call.Caller.RoleName)
	maps.Copy(keys, q.Keys)
	return policy.Evaluate(policy.Request{
		Action: q.Action, Resource: q.Resource, Principal: policy.PrincipalOf(&call.Caller), Context: keys,
	}, p), nil
}

func putPrincipalTags(r state.Reader, keys map[string][]string, roleName string) {
	if role, ok := findRole(r, roleName); ok {
		for k, v := range role.Tags {
			keys["aws:principaltag/"+strings.ToLower(k)] = []string{v}
		}
	}
}

// PoliciesFor collects what the caller's own policies are: for a session its role's inline and attached policies,
// the role's boundary and the session's policy. A session whose role is gone, or was deleted and made anew, has no
// credentials any more.
func (s *Service) PoliciesFor(r state.Reader, c *api.Caller) (policy.Policies, error) {
	p := policy.Policies{ResourceAccount: r.Account()}
	if c.Type != api.AssumedRole {
		return p, nil
	}
	role, ok := findRole(r, c.RoleName)
	id, _, _ := strings.Cut(c.UserID, ":")
	if !ok || role.ID != id || role.ARN != c.RoleARN {
		return p, api.Errorf("InvalidClientTokenId", "The security token included in the request is invalid.").WithStatus(403)
	}
	if err := s.rolePolicies(r, role, &p); err != nil {
		return p, err
	}
	if c.SessionPolicy == "" {
		return p, nil
	}
	var err error
	p.Session, err = s.documents.parse("of session "+c.SessionName, policy.Session, c.SessionPolicy)
	return p, err
}

func (s *Service) rolePolicies(r state.Reader, role *resource.Role, p *policy.Policies) error {
	for _, name := range slices.Sorted(maps.Keys(role.InlinePolicies)) {
		d, err := s.documents.parse("role/"+role.Name+" inline "+name, policy.Identity, role.InlinePolicies[name])
		if err != nil {
			return err
		}
		p.Identity = append(p.Identity, d)
	}
	for _, arn := range role.AttachedPolicies {
		d, err := s.managed(r, policy.Identity, arn)
		if err != nil {
			return err
		}
		p.Identity = append(p.Identity, d)
	}
	if role.PermissionsBoundary == "" {
		return nil
	}
	var err error
	p.Boundary, err = s.managed(r, policy.Boundary, role.PermissionsBoundary)
	return err
}

func (s *Service) managed(r state.Reader, kind policy.Kind, arn string) (*policy.Document, error) {
	m, ok := state.Get[*resource.Policy](r, arn)
	if !ok {
		return nil, fmt.Errorf("find managed policy %s: %w", arn, state.ErrNotFound)
	}
	return s.documents.parse(arn, kind, m.Document())
}

// EndpointPolicy returns the policy of the VPC endpoint through which a call came, nil if it came through none.
func (s *Service) EndpointPolicy(r state.Reader, o *api.Origin) (*policy.Document, error) {
	if o.Door != api.DoorEndpoint {
		return nil, nil
	}
	e, ok := state.Get[*resource.VPCEndpoint](r, o.VPCEndpointID)
	if !ok {
		return nil, fmt.Errorf("find VPC endpoint %s: %w", o.VPCEndpointID, state.ErrNotFound)
	}
	kind := policy.Endpoint
	if e.Type == resource.EndpointTypeGateway {
		kind = policy.GatewayEndpoint
	}
	return s.documents.parse(string(e.ID), kind, e.PolicyDocument)
}
