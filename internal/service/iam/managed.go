package iam

import (
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) createPolicy(tx *state.Tx, _ *api.Call, in *CreatePolicyInput) (*CreatePolicyOutput, error) {
	name := *in.PolicyName
	own := state.Select(tx, func(p *resource.Policy) bool { return !p.AWSManaged })
	for _, p := range own { // names are unique whatever their case and path
		if strings.EqualFold(p.Name, name) {
			return nil, exists("A policy called %s already exists. Duplicate names are not allowed.", name)
		}
	}
	if len(own) >= maxPolicies {
		return nil, limitExceeded("Cannot exceed quota for PoliciesPerAccount: %d", maxPolicies)
	}
	if err := checkManaged(*in.PolicyDocument); err != nil {
		return nil, err
	}
	tags, err := addTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	p := &resource.Policy{
		Name:             name,
		Path:             value(in.Path, "/"),
		ID:               newID(tx, "ANPA"),
		Description:      value(in.Description, ""),
		DefaultVersionID: "v1",
		LastVersion:      1,
		Versions:         []resource.PolicyVersion{{ID: "v1", Document: *in.PolicyDocument, CreateDate: tx.Now()}},
		CreateDate:       tx.Now(),
		UpdateDate:       tx.Now(),
		Tags:             tags,
	}
	p.ARN = arn(tx, "policy", p.Path, name)
	tx.Put(p)
	out := describePolicy(tx, p)
	out.Description = nil // AWS answers it in GetPolicy only
	return &CreatePolicyOutput{Policy: out}, nil
}

func checkManaged(document string) error {
	if err := checkPolicy(document); err != nil {
		return err
	}
	if size(document) > maxManagedPolicy {
		return limitExceeded("Cannot exceed quota for PolicySize: %d", maxManagedPolicy)
	}
	return nil
}

// describePolicy is the policy as GetPolicy answers it.
func describePolicy(r state.Reader, p *resource.Policy) *Policy {
	attached, bounds := uses(r, p.ARN)
	attachable := true
	out := &Policy{
		Arn:                           &p.ARN,
		AttachmentCount:               &attached,
		CreateDate:                    &p.CreateDate,
		DefaultVersionId:              &p.DefaultVersionID,
		IsAttachable:                  &attachable,
		Path:                          &p.Path,
		PermissionsBoundaryUsageCount: &bounds,
		PolicyId:                      &p.ID,
		PolicyName:                    &p.Name,
		Tags:                          listTags(p.Tags),
		UpdateDate:                    &p.UpdateDate,
	}
	if p.Description != "" {
		out.Description = &p.Description
	}
	return out
}

// entity is a role, user or group that uses a managed policy.
type entity struct {
	kind, id, name, path string
	attached, bound      bool
}

// usersOf are those that use a managed policy, by kind and name.
func usersOf(r state.Reader, arn string) []entity {
	var out []entity
	add := func(e entity) {
		if e.attached || e.bound {
			out = append(out, e)
		}
	}
	for _, g := range state.List[*resource.Group](r) {
		add(entity{"Group", g.ID, g.Name, g.Path, slices.Contains(g.AttachedPolicies, arn), false})
	}
	for _, role := range state.List[*resource.Role](r) {
		add(entity{"Role", role.ID, role.Name, role.Path, slices.Contains(role.AttachedPolicies, arn), role.PermissionsBoundary == arn})
	}
	for _, u := range state.List[*resource.User](r) {
		add(entity{"User", u.ID, u.Name, u.Path, slices.Contains(u.AttachedPolicies, arn), u.PermissionsBoundary == arn})
	}
	return out
}

// uses counts how often a managed policy is attached, and how often it is a boundary.
func uses(r state.Reader, arn string) (attached, bounds int64) {
	for _, e := range usersOf(r, arn) {
		if e.attached {
			attached++
		}
		if e.bound {
			bounds++
		}
	}
	return attached, bounds
}

func (s *Service) getPolicy(v *state.View, _ *api.Call, in *GetPolicyInput) (*GetPolicyOutput, error) {
	p, err := mustPolicy(v, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	return &GetPolicyOutput{Policy: describePolicy(v, p)}, nil
}

// The values of ListPolicies' Scope and PolicyUsageFilter.
const (
	scopeAWS         = "AWS"
	scopeLocal       = "Local"
	usagePermissions = "PermissionsPolicy"
	usageBoundary    = "PermissionsBoundary"
)

func (s *Service) listPolicies(v *state.View, _ *api.Call, in *ListPoliciesInput) (*ListPoliciesOutput, error) {
	wanted := func(p *resource.Policy) bool {
		scope := value(in.Scope, "All")
		return !(scope == scopeAWS && !p.AWSManaged) && !(scope == scopeLocal && p.AWSManaged) &&
			strings.HasPrefix(p.Path, value(in.PathPrefix, "/")) && usedAs(v, p, value(in.PolicyUsageFilter, ""), value(in.OnlyAttached, false))
	}
	page, next, err := paginate(state.Select(v, wanted), (*resource.Policy).Key, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &ListPoliciesOutput{IsTruncated: truncated(next), Marker: next, Policies: []Policy{}}
	for _, p := range page {
		d := describePolicy(v, p)
		d.Tags, d.Description = nil, nil // lists are without; see the API reference
		out.Policies = append(out.Policies, *d)
	}
	return out, nil
}

func usedAs(r state.Reader, p *resource.Policy, usage string, onlyAttached bool) bool {
	attached, bounds := uses(r, p.ARN)
	switch {
	case usage == usagePermissions:
		return attached > 0
	case usage == usageBoundary:
		return bounds > 0
	case onlyAttached:
		return attached+bounds > 0
	}
	return true
}

func (s *Service) deletePolicy(tx *state.Tx, _ *api.Call, in *DeletePolicyInput) (*DeletePolicyOutput, error) {
	p, err := mustOwn(tx, in.PolicyArn)
	switch {
	case err != nil:
		return nil, err
	case len(usersOf(tx, p.ARN)) > 0:
		return nil, conflict("Cannot delete a policy attached to entities.")
	case len(p.Versions) > 1:
		return nil, conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. " +
			"The default version is deleted with the policy.")
	}
	tx.Delete(p)
	return &DeletePolicyOutput{}, nil
}

func (s *Service) listEntitiesForPolicy(v *state.View, _ *api.Call, in *ListEntitiesForPolicyInput) (*ListEntitiesForPolicyOutput, error) {
	p, err := mustPolicy(v, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(wantedEntities(v, p.ARN, in), func(e entity) string { return e.kind + e.name }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &ListEntitiesForPolicyOutput{
		IsTruncated: truncated(next), Marker: next,
		PolicyGroups: []PolicyGroup{}, PolicyRoles: []PolicyRole{}, PolicyUsers: []PolicyUser{},
	}
	for _, e := range page {
		switch e.kind {
		case "Group":
			out.PolicyGroups = append(out.PolicyGroups, PolicyGroup{GroupId: &e.id, GroupName: &e.name})
		case "Role":
			out.PolicyRoles = append(out.PolicyRoles, PolicyRole{RoleId: &e.id, RoleName: &e.name})
		default:
			out.PolicyUsers = append(out.PolicyUsers, PolicyUser{UserId: &e.id, UserName: &e.name})
		}
	}
	return out, nil
}

func wantedEntities(r state.Reader, arn string, in *ListEntitiesForPolicyInput) []entity {
	usage, prefix, kind := value(in.PolicyUsageFilter, ""), value(in.PathPrefix, "/"), value(in.EntityFilter, "")
	return slices.DeleteFunc(usersOf(r, arn), func(e entity) bool {
		return usage == usagePermissions && !e.attached || usage == usageBoundary && !e.bound ||
			kind != "" && kind != e.kind || !strings.HasPrefix(e.path, prefix)
	})
}
