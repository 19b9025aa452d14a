package ec2

import (
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// maxPermissions keeps a service's list of principals short.
const maxPermissions = 1000

func (s *ec2) modifyServicePermissions(tx *state.Tx, _ *api.Call, in *ModifyVpcEndpointServicePermissionsInput) (*ModifyVpcEndpointServicePermissionsOutput, error) {
	old, err := findOwnService(tx, in.ServiceId)
	if err != nil {
		return nil, err
	}
	service := new(*old)
	service.Permissions = slices.Clone(old.Permissions)
	for _, p := range in.RemoveAllowedPrincipals {
		service.Permissions = slices.DeleteFunc(service.Permissions, func(o resource.EndpointServicePermission) bool { return o.Principal == p })
	}
	out := &ModifyVpcEndpointServicePermissionsOutput{ReturnValue: new(true), AddedPrincipals: []AddedPrincipal{}}
	for _, p := range idsOf[string](in.AddAllowedPrincipals) {
		kind, ok := principalType(p)
		if !ok {
			return nil, api.Errorf("InvalidPrincipal", "Invalid Principal: '%s'", p)
		}
		if slices.ContainsFunc(service.Permissions, func(o resource.EndpointServicePermission) bool { return o.Principal == p }) {
			continue
		}
		permission := resource.EndpointServicePermission{ID: tx.NewID("vpce-svc-perm"), Principal: p}
		service.Permissions = append(service.Permissions, permission)
		out.AddedPrincipals = append(out.AddedPrincipals, AddedPrincipal{
			Principal: new(p), PrincipalType: &kind, ServiceId: new(string(service.ID)), ServicePermissionId: new(permission.ID),
		})
	}
	if len(service.Permissions) > maxPermissions {
		return nil, api.Errorf("InvalidParameter", "The VPC endpoint service %s has too many principals.", service.ID)
	}
	tx.Put(service)
	return out, nil
}

// principalType reads what an ARN stands for.
func principalType(arn string) (string, bool) {
	if arn == "*" {
		return "All", true
	}
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || len(arn) > 2048 {
		return "", false
	}
	service, account, what := parts[2], parts[4], parts[5]
	if service == "iam" && (len(account) != 12 || strings.Trim(account, "0123456789") != "") {
		return "", false
	}
	switch {
	case service == "iam" && what == "root":
		return "Account", true
	case service == "iam" && strings.HasPrefix(what, "user/") && len(what) > len("user/"):
		return "User", true
	case service == "iam" && strings.HasPrefix(what, "role/") && len(what) > len("role/"):
		return "Role", true
	case service == "organizations" && strings.HasPrefix(what, "ou/"):
		return "OrganizationUnit", true
	}
	return "", false
}

func (s *ec2) describeServicePermissions(v *state.View, _ *api.Call, in *DescribeVpcEndpointServicePermissionsInput) (*DescribeVpcEndpointServicePermissionsOutput, error) {
	service, err := findOwnService(v, in.ServiceId)
	if err != nil {
		return nil, err
	}
	var all []AllowedPrincipal
	for _, p := range service.Permissions {
		kind, _ := principalType(p.Principal)
		all = append(all, AllowedPrincipal{
			Principal: new(p.Principal), PrincipalType: &kind, ServiceId: new(string(service.ID)), ServicePermissionId: new(p.ID), Tags: tagSet(p.Tags),
		})
	}
	l := listing[AllowedPrincipal]{
		key: func(p AllowedPrincipal) string { return *p.Principal },
		fields: fields[AllowedPrincipal]{
			"principal":      func(p AllowedPrincipal) []string { return text(p.Principal) },
			"principal-type": func(p AllowedPrincipal) []string { return text(p.PrincipalType) },
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeVpcEndpointServicePermissionsOutput{AllowedPrincipals: page, NextToken: next}, nil
}
