package iam

import (
	"maps"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func mustGroup(r state.Reader, name *string) (*resource.Group, error) {
	g, ok := state.Get[*resource.Group](r, value(name, ""))
	if !ok {
		return nil, noSuch("The group with name %s cannot be found.", value(name, ""))
	}
	return g, nil
}

// changeGroup puts a changed copy of the group.
func changeGroup(tx *state.Tx, name *string, change func(*resource.Group) error) error {
	g, err := mustGroup(tx, name)
	if err != nil {
		return err
	}
	c := *g
	c.InlinePolicies, c.AttachedPolicies = maps.Clone(g.InlinePolicies), slices.Clone(g.AttachedPolicies)
	if err := change(&c); err != nil {
		return err
	}
	tx.Put(&c)
	return nil
}

func checkGroupName(r state.Reader, name, but string) error {
	for _, g := range state.List[*resource.Group](r) {
		if g.Name != but && strings.EqualFold(g.Name, name) {
			return exists("Group with name %s already exists.", name)
		}
	}
	return nil
}

func (s *Service) createGroup(tx *state.Tx, _ *api.Call, in *CreateGroupInput) (*CreateGroupOutput, error) {
	if err := checkGroupName(tx, *in.GroupName, ""); err != nil {
		return nil, err
	}
	if len(state.List[*resource.Group](tx)) >= maxGroups {
		return nil, limitExceeded("Cannot exceed quota for GroupsPerAccount: %d", maxGroups)
	}
	g := &resource.Group{Name: *in.GroupName, Path: value(in.Path, "/"), ID: newID(tx, "AGPA"), CreateDate: tx.Now()}
	g.ARN = arn(tx, "group", g.Path, g.Name)
	tx.Put(g)
	return &CreateGroupOutput{Group: describeGroup(g)}, nil
}

func describeGroup(g *resource.Group) *Group {
	return &Group{Arn: &g.ARN, CreateDate: &g.CreateDate, GroupId: &g.ID, GroupName: &g.Name, Path: &g.Path}
}

func membersOf(r state.Reader, group string) []*resource.User {
	return state.Select(r, func(u *resource.User) bool { return slices.Contains(u.Groups, group) })
}

func (s *Service) getGroup(v *state.View, _ *api.Call, in *GetGroupInput) (*GetGroupOutput, error) {
	g, err := mustGroup(v, in.GroupName)
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(membersOf(v, g.Name), (*resource.User).Key, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &GetGroupOutput{Group: describeGroup(g), IsTruncated: truncated(next), Marker: next, Users: listUsersOf(page)}, nil
}

func (s *Service) listGroups(v *state.View, _ *api.Call, in *ListGroupsInput) (*ListGroupsOutput, error) {
	groups := state.Select(v, func(g *resource.Group) bool { return strings.HasPrefix(g.Path, value(in.PathPrefix, "/")) })
	page, next, err := pageGroups(groups, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListGroupsOutput{IsTruncated: truncated(next), Marker: next, Groups: page}, nil
}

func (s *Service) listGroupsForUser(v *state.View, _ *api.Call, in *ListGroupsForUserInput) (*ListGroupsForUserOutput, error) {
	u, err := mustUser(v, in.UserName)
	if err != nil {
		return nil, err
	}
	groups := state.Select(v, func(g *resource.Group) bool { return slices.Contains(u.Groups, g.Name) })
	page, next, err := pageGroups(groups, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListGroupsForUserOutput{IsTruncated: truncated(next), Marker: next, Groups: page}, nil
}

func pageGroups(groups []*resource.Group, marker *string, most *int64) ([]Group, *string, error) {
	page, next, err := paginate(groups, (*resource.Group).Key, marker, most)
	out := []Group{}
	for _, g := range page {
		out = append(out, *describeGroup(g))
	}
	return out, next, err
}

func (s *Service) updateGroup(tx *state.Tx, _ *api.Call, in *UpdateGroupInput) (*UpdateGroupOutput, error) {
	g, err := mustGroup(tx, in.GroupName)
	if err != nil {
		return nil, err
	}
	c := *g
	c.Name, c.Path = value(in.NewGroupName, g.Name), value(in.NewPath, g.Path)
	c.ARN = arn(tx, "group", c.Path, c.Name)
	if err := checkGroupName(tx, c.Name, g.Name); err != nil {
		return nil, err
	}
	for _, u := range membersOf(tx, g.Name) {
		moved := *u
		moved.Groups = slices.Clone(u.Groups)
		moved.Groups[slices.Index(moved.Groups, g.Name)] = c.Name
		tx.Put(&moved)
	}
	tx.Delete(g)
	tx.Put(&c)
	return &UpdateGroupOutput{}, nil
}

func (s *Service) deleteGroup(tx *state.Tx, _ *api.Call, in *DeleteGroupInput) (*DeleteGroupOutput, error) {
	g, err := mustGroup(tx, in.GroupName)
	if err != nil {
		return nil, err
	}
	if len(membersOf(tx, g.Name)) > 0 {
		return nil, conflict("Cannot delete entity, must remove users from group first.")
	}
	c := *g
	if err := holderOfGroup(&c).mayDelete(); err != nil {
		return nil, err
	}
	tx.Delete(g)
	return &DeleteGroupOutput{}, nil
}

func (s *Service) addUserToGroup(tx *state.Tx, _ *api.Call, in *AddUserToGroupInput) (*AddUserToGroupOutput, error) {
	g, err := mustGroup(tx, in.GroupName)
	if err != nil {
		return nil, err
	}
	return &AddUserToGroupOutput{}, changeUser(tx, in.UserName, func(u *resource.User) error {
		switch {
		case slices.Contains(u.Groups, g.Name): // joining twice is fine
		case len(u.Groups) >= maxGroupsPerUser:
			return limitExceeded("Cannot exceed quota for GroupsPerUser: %d", maxGroupsPerUser)
		default:
			u.Groups = append(u.Groups, g.Name)
		}
		return nil
	})
}

func (s *Service) removeUserFromGroup(tx *state.Tx, _ *api.Call, in *RemoveUserFromGroupInput) (*RemoveUserFromGroupOutput, error) {
	g, err := mustGroup(tx, in.GroupName)
	if err != nil {
		return nil, err
	}
	return &RemoveUserFromGroupOutput{}, changeUser(tx, in.UserName, func(u *resource.User) error {
		i := slices.Index(u.Groups, g.Name)
		if i < 0 {
			return noSuch("The user with name %s cannot be found in group %s.", u.Name, g.Name)
		}
		u.Groups = slices.Delete(u.Groups, i, i+1)
		return nil
	})
}
