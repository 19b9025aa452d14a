package iam

import (
	"regexp"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

var accountAlias = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// createAccountAlias sets the alias; an account has one, and a new one takes the place of the old one.
func (s *Service) createAccountAlias(tx *state.Tx, _ *api.Call, in *CreateAccountAliasInput) (*CreateAccountAliasOutput, error) {
	name := *in.AccountAlias
	if !accountAlias.MatchString(name) {
		return nil, api.Errorf("ValidationError", "1 validation error detected: Value '%s' at 'accountAlias' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", name)
	}
	for _, old := range state.List[*resource.AccountAlias](tx) {
		if old.Name == name {
			return nil, exists("The account alias %s already exists.", name)
		}
		tx.Delete(old)
	}
	tx.Put(&resource.AccountAlias{Name: name})
	return &CreateAccountAliasOutput{}, nil
}

func (s *Service) deleteAccountAlias(tx *state.Tx, _ *api.Call, in *DeleteAccountAliasInput) (*DeleteAccountAliasOutput, error) {
	a, ok := state.Get[*resource.AccountAlias](tx, *in.AccountAlias)
	if !ok {
		return nil, noSuch("The account alias with name %s cannot be found.", *in.AccountAlias)
	}
	tx.Delete(a)
	return &DeleteAccountAliasOutput{}, nil
}

func (s *Service) listAccountAliases(v *state.View, _ *api.Call, _ *ListAccountAliasesInput) (*ListAccountAliasesOutput, error) {
	out := &ListAccountAliasesOutput{IsTruncated: truncated(nil), AccountAliases: []string{}}
	for _, a := range state.List[*resource.AccountAlias](v) {
		out.AccountAliases = append(out.AccountAliases, a.Name)
	}
	return out, nil
}

// getAccountSummary counts what there is, beside the quotas. What there cannot be here is zero.
func (s *Service) getAccountSummary(v *state.View, _ *api.Call, _ *GetAccountSummaryInput) (*GetAccountSummaryOutput, error) {
	policies := state.Select(v, func(p *resource.Policy) bool { return !p.AWSManaged })
	versions := 0
	for _, p := range policies {
		versions += len(p.Versions)
	}
	return &GetAccountSummaryOutput{SummaryMap: map[string]int64{
		"Users": int64(len(state.List[*resource.User](v))), "UsersQuota": maxUsers,
		"Groups": int64(len(state.List[*resource.Group](v))), "GroupsQuota": maxGroups,
		"Roles": int64(len(state.List[*resource.Role](v))), "RolesQuota": maxRoles,
		"InstanceProfiles": int64(len(state.List[*resource.InstanceProfile](v))), "InstanceProfilesQuota": maxInstanceProfiles,
		"Policies": int64(len(policies)), "PoliciesQuota": maxPolicies, "PolicySizeQuota": maxManagedPolicy,
		"PolicyVersionsInUse": int64(versions), "VersionsPerPolicyQuota": maxVersions,
		"UserPolicySizeQuota": maxUserInline, "GroupPolicySizeQuota": maxGroupInline, "RolePolicySizeQuota": maxInline,
		"AssumeRolePolicySizeQuota": maxTrustPolicy, "GroupsPerUserQuota": maxGroupsPerUser, "AccessKeysPerUserQuota": maxAccessKeys,
		"AttachedPoliciesPerUserQuota": maxAttached, "AttachedPoliciesPerGroupQuota": maxAttached, "AttachedPoliciesPerRoleQuota": maxAttached,
		"MFADevices": 0, "MFADevicesInUse": 0, "AccountMFAEnabled": 0, "ServerCertificates": 0, "Providers": 0,
	}}, nil
}

// A user here has neither password nor MFA device, SSH key, certificate or credential of a service: nothing makes
// one. So the lists are empty, which is what the tools ask for before they delete a user.

func (s *Service) listMFADevices(v *state.View, _ *api.Call, in *ListMFADevicesInput) (*ListMFADevicesOutput, error) {
	_, err := mustUser(v, in.UserName)
	return &ListMFADevicesOutput{IsTruncated: truncated(nil), MFADevices: []MFADevice{}}, err
}

func (s *Service) listVirtualMFADevices(*state.View, *api.Call, *ListVirtualMFADevicesInput) (*ListVirtualMFADevicesOutput, error) {
	return &ListVirtualMFADevicesOutput{IsTruncated: truncated(nil), VirtualMFADevices: []VirtualMFADevice{}}, nil
}

func (s *Service) listSSHPublicKeys(v *state.View, _ *api.Call, in *ListSSHPublicKeysInput) (*ListSSHPublicKeysOutput, error) {
	_, err := mustUser(v, in.UserName)
	return &ListSSHPublicKeysOutput{IsTruncated: truncated(nil), SSHPublicKeys: []SSHPublicKeyMetadata{}}, err
}

func (s *Service) listSigningCertificates(v *state.View, _ *api.Call, in *ListSigningCertificatesInput) (*ListSigningCertificatesOutput, error) {
	_, err := mustUser(v, in.UserName)
	return &ListSigningCertificatesOutput{IsTruncated: truncated(nil), Certificates: []SigningCertificate{}}, err
}

func (s *Service) listServiceSpecificCredentials(v *state.View, _ *api.Call, in *ListServiceSpecificCredentialsInput) (*ListServiceSpecificCredentialsOutput, error) {
	_, err := mustUser(v, in.UserName)
	return &ListServiceSpecificCredentialsOutput{ServiceSpecificCredentials: []ServiceSpecificCredentialMetadata{}}, err
}

func noLoginProfile(r state.Reader, user *string) error {
	u, err := mustUser(r, user)
	if err != nil {
		return err
	}
	return noSuch("Login Profile for User %s cannot be found.", u.Name)
}

func (s *Service) getLoginProfile(v *state.View, _ *api.Call, in *GetLoginProfileInput) (*GetLoginProfileOutput, error) {
	return nil, noLoginProfile(v, in.UserName)
}

func (s *Service) deleteLoginProfile(tx *state.Tx, _ *api.Call, in *DeleteLoginProfileInput) (*DeleteLoginProfileOutput, error) {
	return nil, noLoginProfile(tx, in.UserName)
}
