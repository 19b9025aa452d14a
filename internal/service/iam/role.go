package iam

import (
	"maps"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// The quotas of a new account; see the IAM guide, "IAM and AWS STS quotas".
const (
	maxRoles         = 1000
	maxTrustPolicy   = 2048  // characters without white space
	maxInline        = 10240 // characters without white space, all inline policies of a role together
	maxManagedPolicy = 6144  // characters without white space
	maxAttached      = 10
	maxPolicies      = 1500
	maxVersions      = 5
	maxTags          = 50
)

const defaultSessionDuration = 3600

func (s *Service) createRole(tx *state.Tx, _ *api.Call, in *CreateRoleInput) (*CreateRoleOutput, error) {
	name := *in.RoleName
	if strings.HasPrefix(value(in.Path, "/"), serviceRolePath) {
		return nil, invalidInput("The path %s is reserved for service-linked roles.", *in.Path)
	}
	roles := state.List[*resource.Role](tx)
	for _, r := range roles { // names are unique whatever their case
		if strings.EqualFold(r.Name, name) {
			return nil, exists("Role with name %s already exists.", name)
		}
	}
	if len(roles) >= maxRoles {
		return nil, limitExceeded("Cannot exceed quota for RolesPerAccount: %d", maxRoles)
	}
	if err := checkTrust(tx, *in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	tags, err := addTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	boundary := value(in.PermissionsBoundary, "")
	if err := checkBoundary(tx, boundary); err != nil {
		return nil, err
	}
	role := &resource.Role{
		Name:                     name,
		Path:                     value(in.Path, "/"),
		ID:                       newID(tx, "AROA"),
		AssumeRolePolicyDocument: *in.AssumeRolePolicyDocument,
		Description:              value(in.Description, ""),
		MaxSessionDuration:       int(value(in.MaxSessionDuration, defaultSessionDuration)),
		PermissionsBoundary:      boundary,
		CreateDate:               tx.Now(),
		Tags:                     tags,
	}
	role.ARN = arn(tx, "role", role.Path, name)
	tx.Put(role)
	out := describeRole(role)
	out.MaxSessionDuration = nil // AWS leaves it out of this one answer
	return &CreateRoleOutput{Role: out}, nil
}

func checkBoundary(r state.Reader, arn string) error {
	if arn == "" {
		return nil
	}
	if err := checkPolicyARN(arn); err != nil {
		return err
	}
	if _, ok := state.Get[*resource.Policy](r, arn); !ok {
		return noSuch("Scope ARN: %s does not exist or is not attachable.", arn)
	}
	return nil
}

// describeRole is the role as GetRole answers it, but for RoleLastUsed.
func describeRole(r *resource.Role) *Role {
	duration := int64(r.MaxSessionDuration)
	out := &Role{
		Arn:                      &r.ARN,
		AssumeRolePolicyDocument: escape(r.AssumeRolePolicyDocument),
		CreateDate:               &r.CreateDate,
		MaxSessionDuration:       &duration,
		Path:                     &r.Path,
		RoleId:                   &r.ID,
		RoleName:                 &r.Name,
		Tags:                     listTags(r.Tags),
	}
	if r.Description != "" {
		out.Description = &r.Description
	}
	if r.PermissionsBoundary != "" {
		kind := "Policy"
		out.PermissionsBoundary = &AttachedPermissionsBoundary{PermissionsBoundaryArn: &r.PermissionsBoundary, PermissionsBoundaryType: &kind}
	}
	return out
}

func (s *Service) getRole(v *state.View, _ *api.Call, in *GetRoleInput) (*GetRoleOutput, error) {
	r, err := mustRole(v, in.RoleName)
	if err != nil {
		return nil, err
	}
	out := describeRole(r)
	out.RoleLastUsed = &RoleLastUsed{}
	return &GetRoleOutput{Role: out}, nil
}

func (s *Service) listRoles(v *state.View, _ *api.Call, in *ListRolesInput) (*ListRolesOutput, error) {
	prefix := value(in.PathPrefix, "/")
	roles := state.Select(v, func(r *resource.Role) bool { return strings.HasPrefix(r.Path, prefix) })
	page, next, err := paginate(roles, func(r *resource.Role) string { return r.Name }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &ListRolesOutput{IsTruncated: truncated(next), Marker: next, Roles: []Role{}}
	for _, r := range page {
		role := describeRole(r)
		role.Tags, role.PermissionsBoundary = nil, nil // lists are without; see the API reference
		out.Roles = append(out.Roles, *role)
	}
	return out, nil
}

// Wrapped says that the answer has a result, though there is nothing in it; SDKs insist.
func (*UpdateRoleOutput) Wrapped() {}

func (s *Service) updateRole(tx *state.Tx, _ *api.Call, in *UpdateRoleInput) (*UpdateRoleOutput, error) {
	err := changeAnyRole(tx, in.RoleName, func(r *resource.Role) error {
		r.Description = value(in.Description, "")
		r.MaxSessionDuration = int(value(in.MaxSessionDuration, defaultSessionDuration))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &UpdateRoleOutput{}, nil
}

// changeRole puts a changed copy of the role, but for one that belongs to a service.
func changeRole(tx *state.Tx, name *string, change func(*resource.Role) error) error {
	return changeAnyRole(tx, name, func(r *resource.Role) error {
		if err := checkModifiable(r); err != nil {
			return err
		}
		return change(r)
	})
}

// changeAnyRole puts a changed copy of the role; values in the state are never changed.
func changeAnyRole(tx *state.Tx, name *string, change func(*resource.Role) error) error {
	r, err := mustRole(tx, name)
	if err != nil {
		return err
	}
	c := *r
	c.InlinePolicies = maps.Clone(r.InlinePolicies)
	c.AttachedPolicies = slices.Clone(r.AttachedPolicies)
	c.Tags = maps.Clone(r.Tags)
	if err := change(&c); err != nil {
		return err
	}
	tx.Put(&c)
	return nil
}

func (s *Service) deleteRole(tx *state.Tx, _ *api.Call, in *DeleteRoleInput) (*DeleteRoleOutput, error) {
	r, err := mustRole(tx, in.RoleName)
	if err == nil {
		err = checkModifiable(r)
	}
	switch {
	case err != nil:
		return nil, err
	case len(r.AttachedPolicies) > 0:
		return nil, conflict("Cannot delete entity, must detach all policies first.")
	case len(r.InlinePolicies) > 0:
		return nil, conflict("Cannot delete entity, must delete policies first.")
	case len(profilesOf(tx, r.Name)) > 0:
		return nil, conflict("Cannot delete entity, must remove roles from instance profile first.")
	}
	tx.Delete(r)
	return &DeleteRoleOutput{}, nil
}
