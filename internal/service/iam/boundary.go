package iam

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) putRolePermissionsBoundary(tx *state.Tx, _ *api.Call, in *PutRolePermissionsBoundaryInput) (*PutRolePermissionsBoundaryOutput, error) {
	return &PutRolePermissionsBoundaryOutput{}, changeRole(tx, in.RoleName, func(r *resource.Role) error {
		r.PermissionsBoundary = *in.PermissionsBoundary
		return checkBoundary(tx, r.PermissionsBoundary)
	})
}

func (s *Service) deleteRolePermissionsBoundary(tx *state.Tx, _ *api.Call, in *DeleteRolePermissionsBoundaryInput) (*DeleteRolePermissionsBoundaryOutput, error) {
	return &DeleteRolePermissionsBoundaryOutput{}, changeRole(tx, in.RoleName, func(r *resource.Role) error {
		if r.PermissionsBoundary == "" {
			return noSuch("The role with name %s does not have a permissions boundary.", r.Name)
		}
		r.PermissionsBoundary = ""
		return nil
	})
}

func (s *Service) putUserPermissionsBoundary(tx *state.Tx, _ *api.Call, in *PutUserPermissionsBoundaryInput) (*PutUserPermissionsBoundaryOutput, error) {
	return &PutUserPermissionsBoundaryOutput{}, changeUser(tx, in.UserName, func(u *resource.User) error {
		u.PermissionsBoundary = *in.PermissionsBoundary
		return checkBoundary(tx, u.PermissionsBoundary)
	})
}

func (s *Service) deleteUserPermissionsBoundary(tx *state.Tx, _ *api.Call, in *DeleteUserPermissionsBoundaryInput) (*DeleteUserPermissionsBoundaryOutput, error) {
	return &DeleteUserPermissionsBoundaryOutput{}, changeUser(tx, in.UserName, func(u *resource.User) error {
		if u.PermissionsBoundary == "" {
			return noSuch("The user with name %s does not have a permissions boundary.", u.Name)
		}
		u.PermissionsBoundary = ""
		return nil
	})
}

func (s *Service) updateRoleDescription(tx *state.Tx, _ *api.Call, in *UpdateRoleDescriptionInput) (*UpdateRoleDescriptionOutput, error) {
	out := &UpdateRoleDescriptionOutput{}
	return out, changeAnyRole(tx, in.RoleName, func(r *resource.Role) error {
		r.Description = *in.Description
		out.Role = describeRole(r)
		return nil
	})
}

// changePolicyTags puts a copy of one's own managed policy with other tags.
func changePolicyTags(tx *state.Tx, arn *string, change func(resource.Tags) (resource.Tags, error)) error {
	p, err := mustOwn(tx, arn)
	if err != nil {
		return err
	}
	c := *p
	if c.Tags, err = change(p.Tags); err != nil {
		return err
	}
	tx.Put(&c)
	return nil
}

func (s *Service) tagPolicy(tx *state.Tx, _ *api.Call, in *TagPolicyInput) (*TagPolicyOutput, error) {
	return &TagPolicyOutput{}, changePolicyTags(tx, in.PolicyArn, func(t resource.Tags) (resource.Tags, error) { return addTags(t, in.Tags) })
}

func (s *Service) untagPolicy(tx *state.Tx, _ *api.Call, in *UntagPolicyInput) (*UntagPolicyOutput, error) {
	return &UntagPolicyOutput{}, changePolicyTags(tx, in.PolicyArn, func(t resource.Tags) (resource.Tags, error) {
		return withoutTags(t, in.TagKeys), nil
	})
}

func (s *Service) listPolicyTags(v *state.View, _ *api.Call, in *ListPolicyTagsInput) (*ListPolicyTagsOutput, error) {
	p, err := mustPolicy(v, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	page, next, err := pageTags(p.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListPolicyTagsOutput{IsTruncated: truncated(next), Marker: next, Tags: page}, nil
}
