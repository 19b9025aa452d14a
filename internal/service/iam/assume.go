package iam

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const assumeRole = "sts:AssumeRole"

// CanAssume returns the role if the caller may take an action on it: sts:AssumeRole, sts:TagSession or
// sts:SetSourceIdentity. The role's trust policy must allow it by itself; keys are further condition keys, lower case, such as sts:externalid. A role that does not exist is refused with the same
// words, so that nobody can find out which roles there are.
//
// AWS lets nobody assume a role as the account's root. Here the root is the operator, who has no user to be
// instead, so a trust policy that names the account lets it in.
func (s *Service) CanAssume(r state.Reader, call *api.Call, roleARN, action string, keys map[string][]string) (*resource.Role, error) {
	refused := api.Errorf("AccessDenied", "User: %s is not authorized to perform: %s on resource: %s",
		call.Caller.ARN, action, roleARN).WithStatus(403)
	role, ok := roleByARN(r, roleARN)
	if !ok || call.Caller.Type == api.Anonymous {
		return nil, refused
	}
	d, err := s.decideTrusted(r, call, role, action, keys)
	if err != nil {
		return nil, err
	}
	if !d.Allowed {
		return nil, refused
	}
	return role, nil
}

// DecideAssume is [Service.Decide] for assuming a role.
func (s *Service) DecideAssume(r state.Reader, call *api.Call, role *resource.Role, keys map[string][]string) (policy.Decision, error) {
	return s.decideTrusted(r, call, role, assumeRole, keys)
}

// decideTrusted decides about an action on a role that its trust policy must allow.
func (s *Service) decideTrusted(r state.Reader, call *api.Call, role *resource.Role, action string, keys map[string][]string) (policy.Decision, error) {
	trust, err := s.trust(role)
	if err != nil {
		return policy.Decision{}, err
	}
	return s.decide(r, call, Question{Action: action, Resource: role.ARN, Policy: trust, Keys: keys}, true)
}

// CheckManagedPolicy refuses an ARN that is not that of a managed policy.
func (s *Service) CheckManagedPolicy(r state.Reader, arn string) error {
	_, err := mustPolicy(r, &arn)
	return err
}

func (s *Service) trust(role *resource.Role) (*policy.Document, error) {
	return s.documents.parse("trust of role/"+role.Name, policy.Trust, role.AssumeRolePolicyDocument)
}

// AssumableBy reports whether a role exists and trusts a service, such as lambda.amazonaws.com.
func (s *Service) AssumableBy(r state.Reader, roleARN, service string) bool {
	return s.AssumableFor(r, roleARN, service, "")
}

// AssumableFor is AssumableBy for a service that acts for a resource, as aws:SourceArn says; empty: for none.
func (s *Service) AssumableFor(r state.Reader, roleARN, service, source string) bool {
	role, ok := roleByARN(r, roleARN)
	if !ok {
		return false
	}
	trust, err := s.trust(role)
	if err != nil {
		return false
	}
	keys := map[string][]string{"aws:sourceaccount": {r.Account()}, "aws:principalisawsservice": {"true"}}
	if source != "" {
		keys["aws:sourcearn"] = []string{source}
	}
	return policy.Evaluate(policy.Request{
		Action: assumeRole, Resource: roleARN, Principal: policy.Principal{Service: service}, Context: keys,
	}, policy.Policies{Resource: trust, ResourceDecides: true}).Allowed
}

// Allows reports whether a role's policies, within its boundary, allow an action on all resources.
func (s *Service) Allows(r state.Reader, roleARN, action string) bool {
	return s.AllowsOn(r, roleARN, action, "*")
}

// AllowsOn reports whether a role's policies, within its boundary, allow an action on a resource.
func (s *Service) AllowsOn(r state.Reader, roleARN, action, on string) bool {
	role, ok := roleByARN(r, roleARN)
	if !ok {
		return false
	}
	p := policy.Policies{ResourceAccount: r.Account()}
	if err := s.rolePolicies(r, role, &p); err != nil {
		return false
	}
	keys := map[string][]string{
		"aws:principalarn": {role.ARN}, "aws:principalaccount": {r.Account()}, "aws:principaltype": {string(api.AssumedRole)},
		"aws:requestedregion": {r.Region()}, "aws:resourceaccount": {r.Account()},
	}
	putPrincipalTags(r, keys, &api.Caller{RoleName: role.Name})
	return policy.Evaluate(policy.Request{
		Action: action, Resource: on, Principal: policy.Principal{Account: r.Account(), RoleARN: role.ARN}, Context: keys,
	}, p).Allowed
}

// CheckSessionPolicy refuses what is no policy of a session.
func (s *Service) CheckSessionPolicy(text string) error {
	if _, err := policy.Parse("session", policy.Session, []byte(text)); err != nil {
		return malformed(err)
	}
	return nil
}
