package iam

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) putGroupPolicy(tx *state.Tx, _ *api.Call, in *PutGroupPolicyInput) (*PutGroupPolicyOutput, error) {
	return &PutGroupPolicyOutput{}, changeGroup(tx, in.GroupName, func(g *resource.Group) error {
		return holderOfGroup(g).put(*in.PolicyName, *in.PolicyDocument)
	})
}

func (s *Service) getGroupPolicy(v *state.View, _ *api.Call, in *GetGroupPolicyInput) (*GetGroupPolicyOutput, error) {
	g, err := mustGroup(v, in.GroupName)
	if err != nil {
		return nil, err
	}
	document, err := holderOfGroup(g).get(*in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &GetGroupPolicyOutput{GroupName: in.GroupName, PolicyName: in.PolicyName, PolicyDocument: document}, nil
}

func (s *Service) deleteGroupPolicy(tx *state.Tx, _ *api.Call, in *DeleteGroupPolicyInput) (*DeleteGroupPolicyOutput, error) {
	return &DeleteGroupPolicyOutput{}, changeGroup(tx, in.GroupName, func(g *resource.Group) error {
		return holderOfGroup(g).remove(*in.PolicyName)
	})
}

func (s *Service) listGroupPolicies(v *state.View, _ *api.Call, in *ListGroupPoliciesInput) (*ListGroupPoliciesOutput, error) {
	g, err := mustGroup(v, in.GroupName)
	if err != nil {
		return nil, err
	}
	page, next, err := holderOfGroup(g).listInline(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListGroupPoliciesOutput{IsTruncated: truncated(next), Marker: next, PolicyNames: page}, nil
}

func (s *Service) attachGroupPolicy(tx *state.Tx, _ *api.Call, in *AttachGroupPolicyInput) (*AttachGroupPolicyOutput, error) {
	return &AttachGroupPolicyOutput{}, changeGroup(tx, in.GroupName, func(g *resource.Group) error {
		return holderOfGroup(g).attach(tx, *in.PolicyArn)
	})
}

func (s *Service) detachGroupPolicy(tx *state.Tx, _ *api.Call, in *DetachGroupPolicyInput) (*DetachGroupPolicyOutput, error) {
	return &DetachGroupPolicyOutput{}, changeGroup(tx, in.GroupName, func(g *resource.Group) error {
		return holderOfGroup(g).detach(*in.PolicyArn)
	})
}

func (s *Service) listAttachedGroupPolicies(v *state.View, _ *api.Call, in *ListAttachedGroupPoliciesInput) (*ListAttachedGroupPoliciesOutput, error) {
	g, err := mustGroup(v, in.GroupName)
	if err != nil {
		return nil, err
	}
	page, next, err := holderOfGroup(g).listAttached(v, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListAttachedGroupPoliciesOutput{IsTruncated: truncated(next), Marker: next, AttachedPolicies: page}, nil
}
