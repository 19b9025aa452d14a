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
	if strings.HasPrefix(q.Resource, "arn:aws:ec2:") {
		keys["ec2:region"] = []string{call.Region}
	}
	putPrincipalTags(r, keys, &call.Caller)
	maps.Copy(keys, resourceKeys(r, q.Resource))
	maps.Copy(keys, q.Keys)
	return policy.Evaluate(policy.Request{
		Action: q.Action, Resource: q.Resource, Principal: policy.PrincipalOf(&call.Caller), Context: keys,
	}, p), nil
}

// putPrincipalTags puts the tags of the caller's role or user, and those of the session, with its source identity.
func putPrincipalTags(r state.Reader, keys map[string][]string, c *api.Caller) {
	var tags resource.Tags
	if role, ok := findRole(r, c.RoleName); ok {
		tags = role.Tags
	} else if u, ok := findUser(r, c.UserName); ok {
		tags = u.Tags
	}
	for k, v := range tags {
		keys["aws:principaltag/"+strings.ToLower(k)] = []string{v}
	}
	for k, v := range c.SessionTags { // they go before the role's
		keys["aws:principaltag/"+strings.ToLower(k)] = []string{v}
	}
	if c.SourceIdentity != "" {
		keys["aws:sourceidentity"] = []string{c.SourceIdentity}
	}
}

// PoliciesFor collects what the caller's own policies are: for a session its role's inline and attached policies,
// the role's boundary and the session's policy; for a user the user's and the groups', and the user's boundary. A session whose role is gone, or was deleted and made anew, has no
// credentials any more.
func (s *Service) PoliciesFor(r state.Reader, c *api.Caller) (policy.Policies, error) {
	p := policy.Policies{ResourceAccount: r.Account()}
	switch c.Type {
	case api.AssumedRole:
	case api.User:
		err := s.userPolicies(r, c, &p)
		return p, err
	default:
		return p, nil
	}
	role, ok := findRole(r, c.RoleName)
	id, _, _ := strings.Cut(c.UserID, ":")
	if !ok || role.ID != id || role.ARN != c.RoleARN {
		return p, errGone()
	}
	if err := s.rolePolicies(r, role, &p); err != nil {
		return p, err
	}
	err := s.sessionPolicies(r, c, &p)
	return p, err
}

// sessionPolicies brings the policies together that were passed when the session was made: any of them may allow.
func (s *Service) sessionPolicies(r state.Reader, c *api.Caller, p *policy.Policies) error {
	var documents []*policy.Document
	if c.SessionPolicy != "" {
		d, err := s.documents.parse("of session "+c.SessionName, policy.Session, c.SessionPolicy)
		if err != nil {
			return err
		}
		documents = append(documents, d)
	}
	for _, arn := range c.SessionPolicyARNs {
		d, err := s.managed(r, policy.Session, arn)
		if err != nil {
			return err
		}
		documents = append(documents, d)
	}
	p.Session = policy.Join("of session "+c.SessionName, documents)
	return nil
}

// errGone is for who had credentials and is not there any more.
func errGone() error {
	return api.Errorf("InvalidClientTokenId", "The security token included in the request is invalid.").WithStatus(403)
}

// userPolicies adds the policies of a user and of the groups that the user is in.
func (s *Service) userPolicies(r state.Reader, c *api.Caller, p *policy.Policies) error {
	u, ok := findUser(r, c.UserName)
	if !ok || u.ID != c.UserID || u.ARN != c.ARN {
		return errGone()
	}
	if err := s.addIdentity(r, "user/"+u.Name, u.InlinePolicies, u.AttachedPolicies, p); err != nil {
		return err
	}
	for _, name := range u.Groups {
		g, ok := state.Get[*resource.Group](r, name)
		if !ok {
			return fmt.Errorf("find group %s: %w", name, state.ErrNotFound)
		}
		if err := s.addIdentity(r, "group/"+g.Name, g.InlinePolicies, g.AttachedPolicies, p); err != nil {
			return err
		}
	}
	return s.setBoundary(r, u.PermissionsBoundary, p)
}

func (s *Service) rolePolicies(r state.Reader, role *resource.Role, p *policy.Policies) error {
	if err := s.addIdentity(r, "role/"+role.Name, role.InlinePolicies, role.AttachedPolicies, p); err != nil {
		return err
	}
	return s.setBoundary(r, role.PermissionsBoundary, p)
}

func (s *Service) addIdentity(r state.Reader, whose string, inline map[string]string, attached []string, p *policy.Policies) error {
	for _, name := range slices.Sorted(maps.Keys(inline)) {
		d, err := s.documents.parse(whose+" inline "+name, policy.Identity, inline[name])
		if err != nil {
			return err
		}
		p.Identity = append(p.Identity, d)
	}
	for _, arn := range attached {
		d, err := s.managed(r, policy.Identity, arn)
		if err != nil {
			return err
		}
		p.Identity = append(p.Identity, d)
	}
	return nil
}

func (s *Service) setBoundary(r state.Reader, arn string, p *policy.Policies) error {
	if arn == "" {
		return nil
	}
	var err error
	p.Boundary, err = s.managed(r, policy.Boundary, arn)
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
