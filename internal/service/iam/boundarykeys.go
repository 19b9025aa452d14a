package iam

import (
	"reflect"
	"slices"

	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// bounded are the operations with the condition key iam:PermissionsBoundary, by which policies demand that whom
// somebody makes or changes has a boundary. See the IAM guide, "Permissions boundaries for IAM entities".
var bounded = []string{
	"CreateUser", "PutUserPolicy", "DeleteUserPolicy", "AttachUserPolicy", "DetachUserPolicy",
	"PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary",
	"CreateRole", "PutRolePolicy", "DeleteRolePolicy", "AttachRolePolicy", "DetachRolePolicy",
	"PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary",
}

// withBoundaryKeys adds that key: the boundary that a request brings, or else the one that the user or role has.
func withBoundaryKeys(operations []service.Operation) []service.Operation {
	for i := range operations {
		o := &operations[i]
		if !slices.Contains(bounded, o.Name) {
			continue
		}
		others := o.Conditions
		o.Conditions = func(r state.Reader, in any, on string) map[string][]string {
			keys := map[string][]string{}
			if others != nil {
				keys = others(r, in, on)
			}
			if boundary := boundaryOf(r, in); boundary != "" {
				keys["iam:permissionsboundary"] = []string{boundary}
			}
			return keys
		}
	}
	return operations
}

func boundaryOf(r state.Reader, in any) string {
	v := reflect.ValueOf(in).Elem()
	if brought, ok := member[*string](v, "PermissionsBoundary"); ok && brought != nil {
		return *brought
	}
	if name, ok := member[*string](v, "UserName"); ok {
		if u, found := findUser(r, value(name, "")); found {
			return u.PermissionsBoundary
		}
	}
	if name, ok := member[*string](v, "RoleName"); ok {
		if role, found := findRole(r, value(name, "")); found {
			return role.PermissionsBoundary
		}
	}
	return ""
}
