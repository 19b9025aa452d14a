package iam

import (
	"maps"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) putRolePolicy(tx *state.Tx, _ *api.Call, in *PutRolePolicyInput) (*PutRolePolicyOutput, error) {
	err := changeRole(tx, in.RoleName, func(r *resource.Role) error {
		if err := checkPolicy(*in.PolicyDocument); err != nil {
			return err
		}
		if r.InlinePolicies == nil {
			r.InlinePolicies = map[string]string{}
		}
		r.InlinePolicies[*in.PolicyName] = *in.PolicyDocument
		total := 0
		for _, text := range r.InlinePolicies {
			total += size(text)
		}
		if total > maxInline {
			return limitExceeded("Maximum policy size of %d bytes exceeded for role %s", maxInline, r.Name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &PutRolePolicyOutput{}, nil
}

func noInline(name *string) error {
	return noSuch("The role policy with name %s cannot be found.", value(name, ""))
}

func (s *Service) getRolePolicy(v *state.View, _ *api.Call, in *GetRolePolicyInput) (*GetRolePolicyOutput, error) {
	r, err := mustRole(v, in.RoleName)
	if err != nil {
		return nil, err
	}
	text, ok := r.InlinePolicies[*in.PolicyName]
	if !ok {
		return nil, noInline(in.PolicyName)
	}
	return &GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: escape(text)}, nil
}

func (s *Service) deleteRolePolicy(tx *state.Tx, _ *api.Call, in *DeleteRolePolicyInput) (*DeleteRolePolicyOutput, error) {
	err := changeRole(tx, in.RoleName, func(r *resource.Role) error {
		if _, ok := r.InlinePolicies[*in.PolicyName]; !ok {
			return noInline(in.PolicyName)
		}
		delete(r.InlinePolicies, *in.PolicyName)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &DeleteRolePolicyOutput{}, nil
}

func (s *Service) listRolePolicies(v *state.View, _ *api.Call, in *ListRolePoliciesInput) (*ListRolePoliciesOutput, error) {
	r, err := mustRole(v, in.RoleName)
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(r.InlinePolicies))
	page, next, err := paginate(names, func(n string) string { return n }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListRolePoliciesOutput{IsTruncated: truncated(next), Marker: next, PolicyNames: append([]string{}, page...)}, nil
}
