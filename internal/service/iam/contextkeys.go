package iam

import (
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) getContextKeysForCustomPolicy(_ *state.View, _ *api.Call, in *GetContextKeysForCustomPolicyInput) (*GetContextKeysForCustomPolicyOutput, error) {
	m := &simulation{}
	if err := m.addInputs(in.PolicyInputList); err != nil {
		return nil, err
	}
	return contextKeys(m.policies.Identity), nil
}

func (s *Service) getContextKeysForPrincipalPolicy(v *state.View, _ *api.Call, in *GetContextKeysForPrincipalPolicyInput) (*GetContextKeysForPrincipalPolicyOutput, error) {
	source, err := s.source(v, *in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	m := &simulation{policies: source.policies}
	if err := m.addInputs(in.PolicyInputList); err != nil {
		return nil, err
	}
	return contextKeys(m.policies.Identity), nil
}

// contextKeys are the keys that documents look at, each once whatever its case.
func contextKeys(documents []*policy.Document) *GetContextKeysForPolicyResponse {
	keys := []string{}
	for _, d := range documents {
		for i := range d.Statements {
			for _, key := range d.Statements[i].Keys {
				if !slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, key) }) {
					keys = append(keys, key)
				}
			}
		}
	}
	slices.Sort(keys)
	return &GetContextKeysForPolicyResponse{ContextKeyNames: keys}
}

// listPoliciesGrantingServiceAccess lists for each service the policies of a user, role or group in which something
// of the service is allowed, whatever else limits it.
func (s *Service) listPoliciesGrantingServiceAccess(v *state.View, _ *api.Call, in *ListPoliciesGrantingServiceAccessInput) (*ListPoliciesGrantingServiceAccessOutput, error) {
	source, err := s.source(v, *in.Arn)
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(distinct(in.ServiceNamespaces), func(n string) string { return n }, in.Marker, nil)
	if err != nil {
		return nil, err
	}
	out := &ListPoliciesGrantingServiceAccessOutput{IsTruncated: truncated(next), Marker: next, PoliciesGrantingServiceAccess: []ListPoliciesGrantingServiceAccessEntry{}}
	for _, namespace := range page {
		e := ListPoliciesGrantingServiceAccessEntry{ServiceNamespace: &namespace, Policies: []PolicyGrantingServiceAccess{}}
		for _, d := range source.policies.Identity {
			if grantsService(d, namespace) {
				e.Policies = append(e.Policies, granting(v, d.Name))
			}
		}
		out.PoliciesGrantingServiceAccess = append(out.PoliciesGrantingServiceAccess, e)
	}
	return out, nil
}

func grantsService(d *policy.Document, namespace string) bool {
	return slices.ContainsFunc(d.Statements, func(s policy.Statement) bool {
		if s.Effect != policy.Allow {
			return false
		}
		if len(s.NotActions) > 0 {
			return !slices.ContainsFunc(s.NotActions, func(a string) bool { return a == "*" || strings.EqualFold(a, namespace+":*") })
		}
		return slices.ContainsFunc(s.Actions, func(a string) bool {
			vendor, _, _ := strings.Cut(a, ":")
			return vendor == "*" || strings.EqualFold(vendor, namespace)
		})
	})
}

// granting describes a policy by the name of its document: "user/ann inline p" or an ARN.
func granting(r state.Reader, name string) PolicyGrantingServiceAccess {
	inline, managed := "INLINE", "MANAGED"
	if p, ok := state.Get[*resource.Policy](r, name); ok {
		return PolicyGrantingServiceAccess{PolicyName: &p.Name, PolicyArn: &p.ARN, PolicyType: &managed}
	}
	whose, policyName, _ := strings.Cut(name, " inline ")
	kind, owner, _ := strings.Cut(whose, "/")
	kind = strings.ToUpper(kind)
	return PolicyGrantingServiceAccess{PolicyName: &policyName, PolicyType: &inline, EntityType: &kind, EntityName: &owner}
}
