package iam

import (
	"maps"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// The quotas of users and groups; see the IAM guide, "IAM and AWS STS quotas".
const (
	maxUsers         = 5000
	maxGroups        = 300
	maxUserInline    = 2048
	maxGroupInline   = 5120
	maxGroupsPerUser = 10
	maxAccessKeys    = 2
)

func findUser(r state.Reader, name string) (*resource.User, bool) {
	return state.Get[*resource.User](r, name)
}

func mustUser(r state.Reader, name *string) (*resource.User, error) {
	if name == nil {
		return nil, api.Errorf("ValidationError", "Must specify userName when calling with non-User credentials")
	}
	u, ok := findUser(r, *name)
	if !ok {
		return nil, noSuch("The user with name %s cannot be found.", *name)
	}
	return u, nil
}

// changeUser puts a changed copy of the user; values in the state are never changed.
func changeUser(tx *state.Tx, name *string, change func(*resource.User) error) error {
	u, err := mustUser(tx, name)
	if err != nil {
		return err
	}
	c := *u
	c.InlinePolicies = maps.Clone(u.InlinePolicies)
	c.AttachedPolicies, c.Groups = slices.Clone(u.AttachedPolicies), slices.Clone(u.Groups)
	c.Tags = maps.Clone(u.Tags)
	if err := change(&c); err != nil {
		return err
	}
	tx.Put(&c)
	return nil
}

func (s *Service) createUser(tx *state.Tx, _ *api.Call, in *CreateUserInput) (*CreateUserOutput, error) {
	if err := checkUserName(tx, *in.UserName, ""); err != nil {
		return nil, err
	}
	if len(state.List[*resource.User](tx)) >= maxUsers {
		return nil, limitExceeded("Cannot exceed quota for UsersPerAccount: %d", maxUsers)
	}
	tags, err := addTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	boundary := value(in.PermissionsBoundary, "")
	if err := checkBoundary(tx, boundary); err != nil {
		return nil, err
	}
	u := &resource.User{
		Name: *in.UserName, Path: value(in.Path, "/"), ID: newID(tx, "AIDA"), PermissionsBoundary: boundary, CreateDate: tx.Now(), Tags: tags,
	}
	u.ARN = arn(tx, "user", u.Path, u.Name)
	tx.Put(u)
	return &CreateUserOutput{User: describeUser(u)}, nil
}

// checkUserName refuses a name that another user has, whatever its case.
func checkUserName(r state.Reader, name, but string) error {
	for _, u := range state.List[*resource.User](r) {
		if u.Name != but && strings.EqualFold(u.Name, name) {
			return exists("User with name %s already exists.", name)
		}
	}
	return nil
}

// describeUser is the user as GetUser answers it.
func describeUser(u *resource.User) *User {
	out := &User{
		Arn: &u.ARN, CreateDate: &u.CreateDate, Path: &u.Path, UserId: &u.ID, UserName: &u.Name, Tags: listTags(u.Tags),
	}
	if u.PermissionsBoundary != "" {
		kind := "Policy"
		out.PermissionsBoundary = &AttachedPermissionsBoundary{PermissionsBoundaryArn: &u.PermissionsBoundary, PermissionsBoundaryType: &kind}
	}
	return out
}

// listUsersOf is the users as lists have them: without tags and boundary; see the API reference.
func listUsersOf(users []*resource.User) []User {
	out := []User{}
	for _, u := range users {
		d := describeUser(u)
		d.Tags, d.PermissionsBoundary = nil, nil
		out = append(out, *d)
	}
	return out
}

// getUser without a name answers who asks, the account's root too.
func (s *Service) getUser(v *state.View, call *api.Call, in *GetUserInput) (*GetUserOutput, error) {
	if in.UserName == nil && call.Caller.Type == api.Root {
		created, rootName, rootPath := call.Time.UTC(), "root", "/"
		return &GetUserOutput{User: &User{Arn: &call.Caller.ARN, UserId: &call.Caller.UserID, UserName: &rootName, Path: &rootPath, CreateDate: &created}}, nil
	}
	u, err := mustUser(v, in.UserName)
	if err != nil {
		return nil, err
	}
	return &GetUserOutput{User: describeUser(u)}, nil
}

func (s *Service) listUsers(v *state.View, _ *api.Call, in *ListUsersInput) (*ListUsersOutput, error) {
	users := state.Select(v, func(u *resource.User) bool { return strings.HasPrefix(u.Path, value(in.PathPrefix, "/")) })
	page, next, err := paginate(users, (*resource.User).Key, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListUsersOutput{IsTruncated: truncated(next), Marker: next, Users: listUsersOf(page)}, nil
}

// updateUser gives a user another name or path, and with them another ARN. Keys, groups and the id stay.
func (s *Service) updateUser(tx *state.Tx, _ *api.Call, in *UpdateUserInput) (*UpdateUserOutput, error) {
	u, err := mustUser(tx, in.UserName)
	if err != nil {
		return nil, err
	}
	c := *u
	c.Name, c.Path = value(in.NewUserName, u.Name), value(in.NewPath, u.Path)
	c.ARN = arn(tx, "user", c.Path, c.Name)
	if err := checkUserName(tx, c.Name, u.Name); err != nil {
		return nil, err
	}
	for _, k := range keysOf(tx, u.Name) {
		moved := *k
		moved.User = c.Name
		tx.Put(&moved)
	}
	tx.Delete(u)
	tx.Put(&c)
	return &UpdateUserOutput{}, nil
}

func (s *Service) deleteUser(tx *state.Tx, _ *api.Call, in *DeleteUserInput) (*DeleteUserOutput, error) {
	u, err := mustUser(tx, in.UserName)
	if err != nil {
		return nil, err
	}
	if len(u.Groups) > 0 {
		return nil, conflict("Cannot delete entity, must remove users from group first.")
	}
	if len(keysOf(tx, u.Name)) > 0 {
		return nil, conflict("Cannot delete entity, must delete access keys first.")
	}
	c := *u
	if err := holderOfUser(&c).mayDelete(); err != nil {
		return nil, err
	}
	tx.Delete(u)
	return &DeleteUserOutput{}, nil
}

func (s *Service) tagUser(tx *state.Tx, _ *api.Call, in *TagUserInput) (*TagUserOutput, error) {
	return &TagUserOutput{}, changeUser(tx, in.UserName, func(u *resource.User) (err error) {
		u.Tags, err = addTags(u.Tags, in.Tags)
		return err
	})
}

func (s *Service) untagUser(tx *state.Tx, _ *api.Call, in *UntagUserInput) (*UntagUserOutput, error) {
	return &UntagUserOutput{}, changeUser(tx, in.UserName, func(u *resource.User) error {
		u.Tags = withoutTags(u.Tags, in.TagKeys)
		return nil
	})
}

func (s *Service) listUserTags(v *state.View, _ *api.Call, in *ListUserTagsInput) (*ListUserTagsOutput, error) {
	u, err := mustUser(v, in.UserName)
	if err != nil {
		return nil, err
	}
	page, next, err := pageTags(u.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListUserTagsOutput{IsTruncated: truncated(next), Marker: next, Tags: page}, nil
}
