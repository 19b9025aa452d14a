package iam

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Service serves IAM.
type Service struct {
	config    Config
	documents *documents
	lastUses  lastUses
	deletions deletions
}

// Config is what the service needs of others.
type Config struct {
	// NewAccessKey makes the id of an access key and its secret, which can always be found again from the id.
	NewAccessKey func() (id, secret string)
}

// New makes the service.
func New(c Config) *Service {
	return &Service{config: c, documents: newDocuments(), lastUses: lastUses{uses: map[string]use{}}}
}

// Definition is the service as the front door knows it.
func (s *Service) Definition() service.Definition {
	return service.Definition{
		Name:      "iam",
		Protocol:  service.AWSQuery,
		Version:   "2010-05-08",
		Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
		Operations: withBoundaryKeys(slices.Concat(
			s.roleOperations(),
			s.policyOperations(),
			s.instanceProfileOperations(),
			s.userOperations(),
			s.groupOperations(),
			s.accountOperations(),
			s.simulationOperations(),
			s.serviceLinkedRoleOperations(),
		)),
	}
}

func (s *Service) roleOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateRole", s.createRole, service.On(func(r state.Reader, in *CreateRoleInput) []string {
			return []string{arn(r, "role", value(in.Path, "/"), value(in.RoleName, ""))}
		}), service.Needs(func(r state.Reader, in *CreateRoleInput) []service.Need {
			return tagging("iam:TagRole", in.Tags, arn(r, "role", value(in.Path, "/"), value(in.RoleName, "")))
		})),
		service.View("GetRole", s.getRole, onRole(func(in *GetRoleInput) *string { return in.RoleName })),
		service.View("ListRoles", s.listRoles, service.On(func(r state.Reader, in *ListRolesInput) []string {
			return []string{arn(r, "role", value(in.PathPrefix, "/"), "")}
		})),
		service.Update("UpdateRole", s.updateRole, onRole(func(in *UpdateRoleInput) *string { return in.RoleName })),
		service.Update("UpdateRoleDescription", s.updateRoleDescription,
			onRole(func(in *UpdateRoleDescriptionInput) *string { return in.RoleName })),
		service.Update("PutRolePermissionsBoundary", s.putRolePermissionsBoundary,
			onRole(func(in *PutRolePermissionsBoundaryInput) *string { return in.RoleName })),
		service.Update("DeleteRolePermissionsBoundary", s.deleteRolePermissionsBoundary,
			onRole(func(in *DeleteRolePermissionsBoundaryInput) *string { return in.RoleName })),
		service.Update("UpdateAssumeRolePolicy", s.updateAssumeRolePolicy,
			onRole(func(in *UpdateAssumeRolePolicyInput) *string { return in.RoleName })),
		service.Update("DeleteRole", s.deleteRole, onRole(func(in *DeleteRoleInput) *string { return in.RoleName })),

		service.Update("PutRolePolicy", s.putRolePolicy, onRole(func(in *PutRolePolicyInput) *string { return in.RoleName })),
		service.View("GetRolePolicy", s.getRolePolicy, onRole(func(in *GetRolePolicyInput) *string { return in.RoleName })),
		service.View("ListRolePolicies", s.listRolePolicies, onRole(func(in *ListRolePoliciesInput) *string { return in.RoleName })),
		service.Update("DeleteRolePolicy", s.deleteRolePolicy, onRole(func(in *DeleteRolePolicyInput) *string { return in.RoleName })),

		service.Update("AttachRolePolicy", s.attachRolePolicy, onRole(func(in *AttachRolePolicyInput) *string { return in.RoleName }),
			onPolicyARN(func(in *AttachRolePolicyInput) *string { return in.PolicyArn })),
		service.Update("DetachRolePolicy", s.detachRolePolicy, onRole(func(in *DetachRolePolicyInput) *string { return in.RoleName }),
			onPolicyARN(func(in *DetachRolePolicyInput) *string { return in.PolicyArn })),
		service.View("ListAttachedRolePolicies", s.listAttachedRolePolicies,
			onRole(func(in *ListAttachedRolePoliciesInput) *string { return in.RoleName })),

		service.Update("TagRole", s.tagRole, onRole(func(in *TagRoleInput) *string { return in.RoleName })),
		service.Update("UntagRole", s.untagRole, onRole(func(in *UntagRoleInput) *string { return in.RoleName })),
		service.View("ListRoleTags", s.listRoleTags, onRole(func(in *ListRoleTagsInput) *string { return in.RoleName })),
	}
}

func (s *Service) policyOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreatePolicy", s.createPolicy, service.On(func(r state.Reader, in *CreatePolicyInput) []string {
			return []string{arn(r, "policy", value(in.Path, "/"), value(in.PolicyName, ""))}
		}), service.Needs(func(r state.Reader, in *CreatePolicyInput) []service.Need {
			return tagging("iam:TagPolicy", in.Tags, arn(r, "policy", value(in.Path, "/"), value(in.PolicyName, "")))
		})),
		service.View("GetPolicy", s.getPolicy, onPolicy(func(in *GetPolicyInput) *string { return in.PolicyArn })),
		service.View("ListPolicies", s.listPolicies, service.OnAny()),
		service.Update("DeletePolicy", s.deletePolicy, onPolicy(func(in *DeletePolicyInput) *string { return in.PolicyArn })),
		service.Update("CreatePolicyVersion", s.createPolicyVersion, onPolicy(func(in *CreatePolicyVersionInput) *string { return in.PolicyArn })),
		service.View("GetPolicyVersion", s.getPolicyVersion, onPolicy(func(in *GetPolicyVersionInput) *string { return in.PolicyArn })),
		service.View("ListPolicyVersions", s.listPolicyVersions, onPolicy(func(in *ListPolicyVersionsInput) *string { return in.PolicyArn })),
		service.Update("DeletePolicyVersion", s.deletePolicyVersion, onPolicy(func(in *DeletePolicyVersionInput) *string { return in.PolicyArn })),
		service.Update("SetDefaultPolicyVersion", s.setDefaultPolicyVersion,
			onPolicy(func(in *SetDefaultPolicyVersionInput) *string { return in.PolicyArn })),
		service.Update("TagPolicy", s.tagPolicy, onPolicy(func(in *TagPolicyInput) *string { return in.PolicyArn })),
		service.Update("UntagPolicy", s.untagPolicy, onPolicy(func(in *UntagPolicyInput) *string { return in.PolicyArn })),
		service.View("ListPolicyTags", s.listPolicyTags, onPolicy(func(in *ListPolicyTagsInput) *string { return in.PolicyArn })),
		service.View("ListEntitiesForPolicy", s.listEntitiesForPolicy,
			onPolicy(func(in *ListEntitiesForPolicyInput) *string { return in.PolicyArn })),
	}
}

// onRole says that an operation acts on the role of a name. A role that is not there has the root path.
func onRole[In any](name func(*In) *string) service.Option {
	return service.On(func(r state.Reader, in *In) []string {
		n := value(name(in), "")
		if role, ok := findRole(r, n); ok {
			return []string{role.ARN}
		}
		return []string{arn(r, "role", "/", n)}
	})
}

func onPolicy[In any](arn func(*In) *string) service.Option {
	return service.On(func(_ state.Reader, in *In) []string { return []string{value(arn(in), "")} })
}

// value is what a pointer points to, or the default.
func value[T any](p *T, or T) T {
	if p == nil {
		return or
	}
	return *p
}
