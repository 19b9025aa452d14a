package iam

import (
	"regexp"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) simulationOperations() []service.Operation {
	return []service.Operation{
		service.View("SimulateCustomPolicy", s.simulateCustomPolicy, service.OnAny()),
		service.View("SimulatePrincipalPolicy", s.simulatePrincipalPolicy, service.On(func(_ state.Reader, in *SimulatePrincipalPolicyInput) []string {
			return []string{value(in.PolicySourceArn, "")}
		})),
		service.View("GetContextKeysForCustomPolicy", s.getContextKeysForCustomPolicy, service.OnAny()),
		service.View("GetContextKeysForPrincipalPolicy", s.getContextKeysForPrincipalPolicy,
			service.On(func(_ state.Reader, in *GetContextKeysForPrincipalPolicyInput) []string {
				return []string{value(in.PolicySourceArn, "")}
			})),
		service.View("ListPoliciesGrantingServiceAccess", s.listPoliciesGrantingServiceAccess,
			service.On(func(_ state.Reader, in *ListPoliciesGrantingServiceAccessInput) []string {
				return []string{value(in.Arn, "")}
			})),
	}
}

// simulation is what both simulations come to: a principal, policies and keys, and the calls to try. Nothing of it is
// done; it is decided by the same evaluator as real calls.
type simulation struct {
	principal policy.Principal
	policies  policy.Policies
	keys      map[string][]string // lower case
	owner     string              // account of resources whose ARN names none
	actions   []string
	resources []string
}

// caller makes somebody the principal, with the keys that follow from it.
func (m *simulation) caller(r state.Reader, c api.Caller) {
	m.principal = policy.PrincipalOf(&c)
	m.keys = policy.CallerContext(&c)
	putPrincipalTags(r, m.keys, &c)
}

func (s *Service) simulateCustomPolicy(v *state.View, _ *api.Call, in *SimulateCustomPolicyInput) (*SimulateCustomPolicyOutput, error) {
	m := &simulation{principal: policy.Principal{Account: v.Account()}, keys: map[string][]string{}}
	if err := m.addInputs(in.PolicyInputList); err != nil {
		return nil, err
	}
	return m.run(v, &scenario{
		actions: in.ActionNames, resources: in.ResourceArns, caller: in.CallerArn, owner: in.ResourceOwner, resourcePolicy: in.ResourcePolicy,
		boundary: in.PermissionsBoundaryPolicyInputList, entries: in.ContextEntries, handling: in.ResourceHandlingOption,
		marker: in.Marker, most: in.MaxItems,
	})
}

func (s *Service) simulatePrincipalPolicy(v *state.View, _ *api.Call, in *SimulatePrincipalPolicyInput) (*SimulatePrincipalPolicyOutput, error) {
	source, err := s.source(v, *in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	m := &simulation{policies: source.policies}
	m.caller(v, source.caller)
	if source.caller.Type == "" { // a group is nobody, but its policies can be tried
		m.principal, m.keys = policy.Principal{Account: v.Account()}, map[string][]string{}
	}
	if err := m.addInputs(in.PolicyInputList); err != nil {
		return nil, err
	}
	return m.run(v, &scenario{
		actions: in.ActionNames, resources: in.ResourceArns, caller: in.CallerArn, owner: in.ResourceOwner, resourcePolicy: in.ResourcePolicy,
		boundary: in.PermissionsBoundaryPolicyInputList, entries: in.ContextEntries, handling: in.ResourceHandlingOption,
		marker: in.Marker, most: in.MaxItems, callerKnown: source.caller.Type == api.User,
	})
}

// policySource is whose policies are looked at.
type policySource struct {
	caller   api.Caller // Type is empty for a group
	policies policy.Policies
}

// source finds a user, role or group by its ARN, with its policies and its boundary.
func (s *Service) source(r state.Reader, arn string) (*policySource, error) {
	kind, name, ok := ownEntity(r, arn)
	if !ok {
		return nil, invalidInput("Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	out := &policySource{policies: policy.Policies{ResourceAccount: r.Account()}}
	switch kind {
	case "user":
		u, err := mustUser(r, &name)
		if err != nil {
			return nil, err
		}
		out.caller = api.Caller{Type: api.User, Account: r.Account(), ARN: u.ARN, UserName: u.Name, UserID: u.ID}
		return out, s.userPolicies(r, &out.caller, &out.policies)
	case "role":
		role, err := mustRole(r, &name)
		if err != nil {
			return nil, err
		}
		out.caller = api.Caller{Type: api.AssumedRole, Account: r.Account(), RoleARN: role.ARN, RoleName: role.Name}
		return out, s.rolePolicies(r, role, &out.policies)
	}
	g, err := mustGroup(r, &name)
	if err != nil {
		return nil, err
	}
	return out, s.addIdentity(r, "group/"+g.Name, g.InlinePolicies, g.AttachedPolicies, &out.policies)
}

// ownEntity takes the ARN of a user, role or group of this account apart. It has to be exact, path included.
func ownEntity(r state.Reader, arn string) (kind, name string, ok bool) {
	rest, own := strings.CutPrefix(arn, "arn:aws:iam::"+r.Account()+":")
	kind, path, _ := strings.Cut(rest, "/")
	name = path[strings.LastIndexByte(path, '/')+1:]
	if !own || name == "" {
		return "", "", false
	}
	switch kind {
	case "user":
		u, found := findUser(r, name)
		return kind, name, !found || u.ARN == arn
	case "role":
		role, found := findRole(r, name)
		return kind, name, !found || role.ARN == arn
	case "group":
		g, found := state.Get[*resource.Group](r, name)
		return kind, name, !found || g.ARN == arn
	}
	return "", "", false
}

// addInputs adds the policies that a request brings.
func (m *simulation) addInputs(texts []string) error {
	for i, text := range texts {
		d, err := inputDocument("PolicyInputList", i, policy.Identity, text)
		if err != nil {
			return err
		}
		m.policies.Identity = append(m.policies.Identity, d)
	}
	return nil
}

func inputDocument(list string, i int, kind policy.Kind, text string) (*policy.Document, error) {
	name := list + "." + itoa(i+1)
	d, err := policy.Parse(name, kind, []byte(text))
	if err != nil {
		return nil, invalidInput("The policy %s is not valid: %v", name, err)
	}
	return d, nil
}

func invalidInput(format string, args ...any) error {
	return api.Errorf("InvalidInput", format, args...)
}

var (
	actionName = regexp.MustCompile(`^[A-Za-z0-9-]+:[A-Za-z0-9]+$`)
	userARNOf  = regexp.MustCompile(`^arn:aws:iam::(\d{12}):user/(?:[^/]+/)*([^/]+)$`)
	accountOf  = regexp.MustCompile(`^(?:arn:aws:iam::)?(\d{12})(?::root|:user/.+)?$`)
)
