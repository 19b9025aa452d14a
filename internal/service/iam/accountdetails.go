package iam

import (
	"maps"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// getAccountAuthorizationDetails is all of IAM in one answer: who there is, and with which policies. Of AWS's own
// policies it has those that are used.
func (s *Service) getAccountAuthorizationDetails(v *state.View, _ *api.Call, in *GetAccountAuthorizationDetailsInput) (*GetAccountAuthorizationDetailsOutput, error) {
	all, err := authorizationDetails(v, in.Filter)
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(all, func(d authorizationDetail) string { return d.key }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &GetAccountAuthorizationDetailsOutput{
		IsTruncated: truncated(next), Marker: next,
		UserDetailList: []UserDetail{}, GroupDetailList: []GroupDetail{}, RoleDetailList: []RoleDetail{}, Policies: []ManagedPolicyDetail{},
	}
	for _, d := range page {
		d.add(out)
	}
	return out, nil
}

// authorizationDetail is one entry of one of the four lists.
type authorizationDetail struct {
	key string // kind and name, for pages
	add func(*GetAccountAuthorizationDetailsOutput)
}

// The values of GetAccountAuthorizationDetails' Filter.
const (
	detailUser          = "User"
	detailGroup         = "Group"
	detailRole          = "Role"
	detailLocalPolicies = "LocalManagedPolicy"
	detailAWSPolicies   = "AWSManagedPolicy"
)

func authorizationDetails(r state.Reader, filter []string) ([]authorizationDetail, error) {
	kinds := []string{detailUser, detailGroup, detailRole, detailLocalPolicies, detailAWSPolicies}
	for _, f := range filter {
		if !slices.Contains(kinds, f) {
			return nil, api.Errorf("ValidationError", "1 validation error detected: Value '[%s]' at 'filter' failed to satisfy constraint: "+
				"Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]", f)
		}
	}
	wanted := func(kind string) bool { return len(filter) == 0 || slices.Contains(filter, kind) }
	var out []authorizationDetail
	add := func(kind, name string, f func(*GetAccountAuthorizationDetailsOutput)) {
		if wanted(kind) {
			out = append(out, authorizationDetail{kind + " " + name, f})
		}
	}
	for _, u := range state.List[*resource.User](r) {
		add(detailUser, u.Name, func(o *GetAccountAuthorizationDetailsOutput) {
			o.UserDetailList = append(o.UserDetailList, userDetail(r, u))
		})
	}
	for _, g := range state.List[*resource.Group](r) {
		add(detailGroup, g.Name, func(o *GetAccountAuthorizationDetailsOutput) {
			o.GroupDetailList = append(o.GroupDetailList, groupDetail(r, g))
		})
	}
	for _, role := range state.List[*resource.Role](r) {
		add(detailRole, role.Name, func(o *GetAccountAuthorizationDetailsOutput) {
			o.RoleDetailList = append(o.RoleDetailList, roleDetail(r, role))
		})
	}
	for _, p := range state.List[*resource.Policy](r) {
		kind := detailLocalPolicies
		if p.AWSManaged {
			kind = detailAWSPolicies
			if len(usersOf(r, p.ARN)) == 0 {
				continue
			}
		}
		add(kind, p.ARN, func(o *GetAccountAuthorizationDetailsOutput) { o.Policies = append(o.Policies, policyDetail(r, p)) })
	}
	return out, nil
}

func userDetail(r state.Reader, u *resource.User) UserDetail {
	d := describeUser(u)
	return UserDetail{
		Arn: d.Arn, CreateDate: d.CreateDate, Path: d.Path, UserId: d.UserId, UserName: d.UserName, Tags: append([]Tag{}, d.Tags...),
		PermissionsBoundary: d.PermissionsBoundary, GroupList: append([]string{}, u.Groups...),
		UserPolicyList: inlineDetails(u.InlinePolicies), AttachedManagedPolicies: attachedDetails(r, u.AttachedPolicies),
	}
}

func groupDetail(r state.Reader, g *resource.Group) GroupDetail {
	return GroupDetail{
		Arn: &g.ARN, CreateDate: &g.CreateDate, Path: &g.Path, GroupId: &g.ID, GroupName: &g.Name,
		GroupPolicyList: inlineDetails(g.InlinePolicies), AttachedManagedPolicies: attachedDetails(r, g.AttachedPolicies),
	}
}

func roleDetail(r state.Reader, role *resource.Role) RoleDetail {
	d := describeRole(role)
	return RoleDetail{
		Arn: d.Arn, CreateDate: d.CreateDate, Path: d.Path, RoleId: d.RoleId, RoleName: d.RoleName, Tags: append([]Tag{}, d.Tags...),
		AssumeRolePolicyDocument: d.AssumeRolePolicyDocument, PermissionsBoundary: d.PermissionsBoundary, RoleLastUsed: &RoleLastUsed{},
		InstanceProfileList: listProfiles(r, profilesOf(r, role.Name)),
		RolePolicyList:      inlineDetails(role.InlinePolicies), AttachedManagedPolicies: attachedDetails(r, role.AttachedPolicies),
	}
}

func policyDetail(r state.Reader, p *resource.Policy) ManagedPolicyDetail {
	d := describePolicy(r, p)
	out := ManagedPolicyDetail{
		Arn: d.Arn, AttachmentCount: d.AttachmentCount, CreateDate: d.CreateDate, DefaultVersionId: d.DefaultVersionId,
		Description: d.Description, IsAttachable: d.IsAttachable, Path: d.Path, PermissionsBoundaryUsageCount: d.PermissionsBoundaryUsageCount,
		PolicyId: d.PolicyId, PolicyName: d.PolicyName, UpdateDate: d.UpdateDate, PolicyVersionList: []PolicyVersion{},
	}
	for i := range p.Versions {
		v := describeVersion(p, &p.Versions[i])
		v.Document = escape(p.Versions[i].Document)
		out.PolicyVersionList = append(out.PolicyVersionList, *v)
	}
	return out
}

func inlineDetails(inline map[string]string) []PolicyDetail {
	out := []PolicyDetail{}
	for _, name := range slices.Sorted(maps.Keys(inline)) {
		out = append(out, PolicyDetail{PolicyName: &name, PolicyDocument: escape(inline[name])})
	}
	return out
}

func attachedDetails(r state.Reader, attached []string) []AttachedPolicy {
	out := []AttachedPolicy{}
	for _, arn := range attached {
		if p, ok := state.Get[*resource.Policy](r, arn); ok {
			out = append(out, AttachedPolicy{PolicyArn: &p.ARN, PolicyName: &p.Name})
		}
	}
	return out
}
