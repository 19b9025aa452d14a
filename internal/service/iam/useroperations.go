package iam

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) userOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateUser", s.createUser, service.On(func(r state.Reader, in *CreateUserInput) []string {
			return []string{arn(r, "user", value(in.Path, "/"), value(in.UserName, ""))}
		}), service.Needs(func(r state.Reader, in *CreateUserInput) []service.Need {
			return tagging("iam:TagUser", in.Tags, arn(r, "user", value(in.Path, "/"), value(in.UserName, "")))
		})),
		service.View("ListUsers", s.listUsers, service.On(func(r state.Reader, in *ListUsersInput) []string {
			return []string{arn(r, "user", value(in.PathPrefix, "/"), "")}
		})),
		service.Update("UpdateUser", s.updateUser, service.On(func(r state.Reader, in *UpdateUserInput) []string {
			arns := []string{userARN(r, value(in.UserName, ""))}
			if in.NewUserName == nil && in.NewPath == nil {
				return arns
			}
			path := "/"
			if u, ok := findUser(r, value(in.UserName, "")); ok {
				path = u.Path
			}
			return append(arns, arn(r, "user", value(in.NewPath, path), value(in.NewUserName, value(in.UserName, ""))))
		})),
		service.View("GetUser", s.getUser,
			onUser(func(in *GetUserInput) *string { return in.UserName }), byCaller(func(in *GetUserInput) **string { return &in.UserName })),
		service.Update("DeleteUser", s.deleteUser,
			onUser(func(in *DeleteUserInput) *string { return in.UserName })),
		service.Update("TagUser", s.tagUser,
			onUser(func(in *TagUserInput) *string { return in.UserName })),
		service.Update("UntagUser", s.untagUser,
			onUser(func(in *UntagUserInput) *string { return in.UserName })),
		service.View("ListUserTags", s.listUserTags,
			onUser(func(in *ListUserTagsInput) *string { return in.UserName })),

		service.Update("PutUserPolicy", s.putUserPolicy,
			onUser(func(in *PutUserPolicyInput) *string { return in.UserName })),
		service.View("GetUserPolicy", s.getUserPolicy,
			onUser(func(in *GetUserPolicyInput) *string { return in.UserName })),
		service.Update("DeleteUserPolicy", s.deleteUserPolicy,
			onUser(func(in *DeleteUserPolicyInput) *string { return in.UserName })),
		service.View("ListUserPolicies", s.listUserPolicies,
			onUser(func(in *ListUserPoliciesInput) *string { return in.UserName })),
		service.Update("AttachUserPolicy", s.attachUserPolicy,
			onUser(func(in *AttachUserPolicyInput) *string { return in.UserName }), onPolicyARN(func(in *AttachUserPolicyInput) *string { return in.PolicyArn })),
		service.Update("DetachUserPolicy", s.detachUserPolicy,
			onUser(func(in *DetachUserPolicyInput) *string { return in.UserName }), onPolicyARN(func(in *DetachUserPolicyInput) *string { return in.PolicyArn })),
		service.View("ListAttachedUserPolicies", s.listAttachedUserPolicies,
			onUser(func(in *ListAttachedUserPoliciesInput) *string { return in.UserName })),
		service.Update("PutUserPermissionsBoundary", s.putUserPermissionsBoundary,
			onUser(func(in *PutUserPermissionsBoundaryInput) *string { return in.UserName })),
		service.Update("DeleteUserPermissionsBoundary", s.deleteUserPermissionsBoundary,
			onUser(func(in *DeleteUserPermissionsBoundaryInput) *string { return in.UserName })),
		service.View("ListGroupsForUser", s.listGroupsForUser,
			onUser(func(in *ListGroupsForUserInput) *string { return in.UserName })),

		service.Update("CreateAccessKey", s.createAccessKey,
			onUser(func(in *CreateAccessKeyInput) *string { return in.UserName }), byCaller(func(in *CreateAccessKeyInput) **string { return &in.UserName })),
		service.Update("UpdateAccessKey", s.updateAccessKey,
			onUser(func(in *UpdateAccessKeyInput) *string { return in.UserName }), byCaller(func(in *UpdateAccessKeyInput) **string { return &in.UserName })),
		service.Update("DeleteAccessKey", s.deleteAccessKey,
			onUser(func(in *DeleteAccessKeyInput) *string { return in.UserName }), byCaller(func(in *DeleteAccessKeyInput) **string { return &in.UserName })),
		service.View("ListAccessKeys", s.listAccessKeys,
			onUser(func(in *ListAccessKeysInput) *string { return in.UserName }), byCaller(func(in *ListAccessKeysInput) **string { return &in.UserName })),
		service.View("GetAccessKeyLastUsed", s.getAccessKeyLastUsed, service.On(func(r state.Reader, in *GetAccessKeyLastUsedInput) []string {
			if k, ok := state.Get[*resource.AccessKey](r, value(in.AccessKeyId, "")); ok {
				return []string{userARN(r, k.User)}
			}
			return []string{"*"}
		})),

		service.View("GetLoginProfile", s.getLoginProfile,
			onUser(func(in *GetLoginProfileInput) *string { return in.UserName })),
		service.Update("DeleteLoginProfile", s.deleteLoginProfile,
			onUser(func(in *DeleteLoginProfileInput) *string { return in.UserName })),
		service.View("ListMFADevices", s.listMFADevices,
			onUser(func(in *ListMFADevicesInput) *string { return in.UserName }), byCaller(func(in *ListMFADevicesInput) **string { return &in.UserName })),
		service.View("ListSSHPublicKeys", s.listSSHPublicKeys,
			onUser(func(in *ListSSHPublicKeysInput) *string { return in.UserName }), byCaller(func(in *ListSSHPublicKeysInput) **string { return &in.UserName })),
		service.View("ListSigningCertificates", s.listSigningCertificates,
			onUser(func(in *ListSigningCertificatesInput) *string { return in.UserName }), byCaller(func(in *ListSigningCertificatesInput) **string { return &in.UserName })),
		service.View("ListServiceSpecificCredentials", s.listServiceSpecificCredentials,
			onUser(func(in *ListServiceSpecificCredentialsInput) *string { return in.UserName }), byCaller(func(in *ListServiceSpecificCredentialsInput) **string { return &in.UserName })),
		service.View("ListVirtualMFADevices", s.listVirtualMFADevices, service.OnAny()),
	}
}

func (s *Service) groupOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateGroup", s.createGroup, service.On(func(r state.Reader, in *CreateGroupInput) []string {
			return []string{arn(r, "group", value(in.Path, "/"), value(in.GroupName, ""))}
		})),
		service.View("ListGroups", s.listGroups, service.On(func(r state.Reader, in *ListGroupsInput) []string {
			return []string{arn(r, "group", value(in.PathPrefix, "/"), "")}
		})),
		service.Update("UpdateGroup", s.updateGroup, service.On(func(r state.Reader, in *UpdateGroupInput) []string {
			name := value(in.GroupName, "")
			path := "/"
			if g, ok := state.Get[*resource.Group](r, name); ok {
				path = g.Path
			}
			return []string{arn(r, "group", path, name), arn(r, "group", value(in.NewPath, path), value(in.NewGroupName, name))}
		})),
		service.View("GetGroup", s.getGroup,
			onGroup(func(in *GetGroupInput) *string { return in.GroupName })),
		service.Update("DeleteGroup", s.deleteGroup,
			onGroup(func(in *DeleteGroupInput) *string { return in.GroupName })),
		service.Update("AddUserToGroup", s.addUserToGroup,
			onGroup(func(in *AddUserToGroupInput) *string { return in.GroupName })),
		service.Update("RemoveUserFromGroup", s.removeUserFromGroup,
			onGroup(func(in *RemoveUserFromGroupInput) *string { return in.GroupName })),

		service.Update("PutGroupPolicy", s.putGroupPolicy,
			onGroup(func(in *PutGroupPolicyInput) *string { return in.GroupName })),
		service.View("GetGroupPolicy", s.getGroupPolicy,
			onGroup(func(in *GetGroupPolicyInput) *string { return in.GroupName })),
		service.Update("DeleteGroupPolicy", s.deleteGroupPolicy,
			onGroup(func(in *DeleteGroupPolicyInput) *string { return in.GroupName })),
		service.View("ListGroupPolicies", s.listGroupPolicies,
			onGroup(func(in *ListGroupPoliciesInput) *string { return in.GroupName })),
		service.Update("AttachGroupPolicy", s.attachGroupPolicy,
			onGroup(func(in *AttachGroupPolicyInput) *string { return in.GroupName }), onPolicyARN(func(in *AttachGroupPolicyInput) *string { return in.PolicyArn })),
		service.Update("DetachGroupPolicy", s.detachGroupPolicy,
			onGroup(func(in *DetachGroupPolicyInput) *string { return in.GroupName }), onPolicyARN(func(in *DetachGroupPolicyInput) *string { return in.PolicyArn })),
		service.View("ListAttachedGroupPolicies", s.listAttachedGroupPolicies,
			onGroup(func(in *ListAttachedGroupPoliciesInput) *string { return in.GroupName })),
	}
}

func (s *Service) accountOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateAccountAlias", s.createAccountAlias, service.OnAny()),
		service.Update("DeleteAccountAlias", s.deleteAccountAlias, service.OnAny()),
		service.View("ListAccountAliases", s.listAccountAliases, service.OnAny()),
		service.View("GetAccountSummary", s.getAccountSummary, service.OnAny()),
		service.View("GetAccountAuthorizationDetails", s.getAccountAuthorizationDetails, service.OnAny()),
	}
}

func userARN(r state.Reader, name string) string {
	if u, ok := findUser(r, name); ok {
		return u.ARN
	}
	return arn(r, "user", "/", name)
}

// onUser says that an operation acts on the user of a name. Who names nobody and is no user is refused by the
// handler; until then it is about all.
func onUser[In any](name func(*In) *string) service.Option {
	return service.On(func(r state.Reader, in *In) []string {
		if n := name(in); n != nil {
			return []string{userARN(r, *n)}
		}
		return []string{"*"}
	})
}

// byCaller fills in the caller's own name where a user may leave it out, before it is decided whether the call
// may happen.
func byCaller[In any](name func(*In) **string) service.Option {
	return service.Complete(func(c *api.Caller, in *In) {
		if n := name(in); *n == nil && c.Type == api.User {
			own := c.UserName
			*n = &own
		}
	})
}

func onGroup[In any](name func(*In) *string) service.Option {
	return service.On(func(r state.Reader, in *In) []string {
		n := value(name(in), "")
		if g, ok := state.Get[*resource.Group](r, n); ok {
			return []string{g.ARN}
		}
		return []string{arn(r, "group", "/", n)}
	})
}

// onPolicyARN is the condition key iam:PolicyARN, by which policies say what may be attached.
func onPolicyARN[In any](policy func(*In) *string) service.Option {
	return service.Conditions(func(_ state.Reader, in *In, _ string) map[string][]string {
		return map[string][]string{"iam:policyarn": {value(policy(in), "")}}
	})
}
