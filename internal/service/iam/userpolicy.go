package iam

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) putUserPolicy(tx *state.Tx, _ *api.Call, in *PutUserPolicyInput) (*PutUserPolicyOutput, error) {
	return &PutUserPolicyOutput{}, changeUser(tx, in.UserName, func(u *resource.User) error {
		return holderOfUser(u).put(*in.PolicyName, *in.PolicyDocument)
	})
}

func (s *Service) getUserPolicy(v *state.View, _ *api.Call, in *GetUserPolicyInput) (*GetUserPolicyOutput, error) {
	u, err := mustUser(v, in.UserName)
	if err != nil {
		return nil, err
	}
	document, err := holderOfUser(u).get(*in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &GetUserPolicyOutput{UserName: in.UserName, PolicyName: in.PolicyName, PolicyDocument: document}, nil
}

func (s *Service) deleteUserPolicy(tx *state.Tx, _ *api.Call, in *DeleteUserPolicyInput) (*DeleteUserPolicyOutput, error) {
	return &DeleteUserPolicyOutput{}, changeUser(tx, in.UserName, func(u *resource.User) error {
		return holderOfUser(u).remove(*in.PolicyName)
	})
}

func (s *Service) listUserPolicies(v *state.View, _ *api.Call, in *ListUserPoliciesInput) (*ListUserPoliciesOutput, error) {
	u, err := mustUser(v, in.UserName)
	if err != nil {
		return nil, err
	}
	page, next, err := holderOfUser(u).listInline(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListUserPoliciesOutput{IsTruncated: truncated(next), Marker: next, PolicyNames: page}, nil
}

func (s *Service) attachUserPolicy(tx *state.Tx, _ *api.Call, in *AttachUserPolicyInput) (*AttachUserPolicyOutput, error) {
	return &AttachUserPolicyOutput{}, changeUser(tx, in.UserName, func(u *resource.User) error {
		return holderOfUser(u).attach(tx, *in.PolicyArn)
	})
}

func (s *Service) detachUserPolicy(tx *state.Tx, _ *api.Call, in *DetachUserPolicyInput) (*DetachUserPolicyOutput, error) {
	return &DetachUserPolicyOutput{}, changeUser(tx, in.UserName, func(u *resource.User) error {
		return holderOfUser(u).detach(*in.PolicyArn)
	})
}

func (s *Service) listAttachedUserPolicies(v *state.View, _ *api.Call, in *ListAttachedUserPoliciesInput) (*ListAttachedUserPoliciesOutput, error) {
	u, err := mustUser(v, in.UserName)
	if err != nil {
		return nil, err
	}
	page, next, err := holderOfUser(u).listAttached(v, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListAttachedUserPoliciesOutput{IsTruncated: truncated(next), Marker: next, AttachedPolicies: page}, nil
}
