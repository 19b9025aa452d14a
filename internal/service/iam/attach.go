package iam

import (
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) attachRolePolicy(tx *state.Tx, _ *api.Call, in *AttachRolePolicyInput) (*AttachRolePolicyOutput, error) {
	arn := *in.PolicyArn
	err := changeRole(tx, in.RoleName, func(r *resource.Role) error {
		if err := checkPolicyARN(arn); err != nil {
			return err
		}
		if _, ok := state.Get[*resource.Policy](tx, arn); !ok {
			return noSuch("Policy %s does not exist or is not attachable.", arn)
		}
		if slices.Contains(r.AttachedPolicies, arn) {
			return nil // attaching twice is fine
		}
		if len(r.AttachedPolicies) >= maxAttached {
			return limitExceeded("Cannot exceed quota for PoliciesPerRole: %d", maxAttached)
		}
		r.AttachedPolicies = append(r.AttachedPolicies, arn)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &AttachRolePolicyOutput{}, nil
}

func (s *Service) detachRolePolicy(tx *state.Tx, _ *api.Call, in *DetachRolePolicyInput) (*DetachRolePolicyOutput, error) {
	err := changeRole(tx, in.RoleName, func(r *resource.Role) error {
		if err := checkPolicyARN(*in.PolicyArn); err != nil {
			return err
		}
		i := slices.Index(r.AttachedPolicies, *in.PolicyArn)
		if i < 0 {
			return noSuch("Policy %s was not found.", *in.PolicyArn)
		}
		r.AttachedPolicies = slices.Delete(r.AttachedPolicies, i, i+1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &DetachRolePolicyOutput{}, nil
}

func (s *Service) listAttachedRolePolicies(v *state.View, _ *api.Call, in *ListAttachedRolePoliciesInput) (*ListAttachedRolePoliciesOutput, error) {
	r, err := mustRole(v, in.RoleName)
	if err != nil {
		return nil, err
	}
	var attached []*resource.Policy
	for _, arn := range r.AttachedPolicies {
		p, ok := state.Get[*resource.Policy](v, arn)
		if ok && strings.HasPrefix(p.Path, value(in.PathPrefix, "/")) {
			attached = append(attached, p)
		}
	}
	page, next, err := paginate(attached, (*resource.Policy).Key, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &ListAttachedRolePoliciesOutput{IsTruncated: truncated(next), Marker: next, AttachedPolicies: []AttachedPolicy{}}
	for _, p := range page {
		out.AttachedPolicies = append(out.AttachedPolicies, AttachedPolicy{PolicyArn: &p.ARN, PolicyName: &p.Name})
	}
	return out, nil
}
