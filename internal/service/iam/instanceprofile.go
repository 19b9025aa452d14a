package iam

import (
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

const maxInstanceProfiles = 1000

const ec2Principal = "ec2.amazonaws.com"

func (s *Service) instanceProfileOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateInstanceProfile", s.createInstanceProfile, service.On(func(r state.Reader, in *CreateInstanceProfileInput) []string {
			return []string{arn(r, "instance-profile", value(in.Path, "/"), value(in.InstanceProfileName, ""))}
		}), service.Needs(func(r state.Reader, in *CreateInstanceProfileInput) []service.Need {
			return tagging("iam:TagInstanceProfile", in.Tags, arn(r, "instance-profile", value(in.Path, "/"), value(in.InstanceProfileName, "")))
		})),
		service.View("GetInstanceProfile", s.getInstanceProfile,
			onProfile(func(in *GetInstanceProfileInput) *string { return in.InstanceProfileName })),
		service.Update("DeleteInstanceProfile", s.deleteInstanceProfile,
			onProfile(func(in *DeleteInstanceProfileInput) *string { return in.InstanceProfileName })),
		service.View("ListInstanceProfiles", s.listInstanceProfiles, service.On(func(r state.Reader, in *ListInstanceProfilesInput) []string {
			return []string{arn(r, "instance-profile", value(in.PathPrefix, "/"), "")}
		})),
		service.View("ListInstanceProfilesForRole", s.listInstanceProfilesForRole,
			onRole(func(in *ListInstanceProfilesForRoleInput) *string { return in.RoleName })),
		service.Update("AddRoleToInstanceProfile", s.addRoleToInstanceProfile,
			onProfile(func(in *AddRoleToInstanceProfileInput) *string { return in.InstanceProfileName }), service.Needs(passToEC2)),
		service.Update("RemoveRoleFromInstanceProfile", s.removeRoleFromInstanceProfile,
			onProfile(func(in *RemoveRoleFromInstanceProfileInput) *string { return in.InstanceProfileName })),
		service.Update("TagInstanceProfile", s.tagInstanceProfile,
			onProfile(func(in *TagInstanceProfileInput) *string { return in.InstanceProfileName })),
		service.Update("UntagInstanceProfile", s.untagInstanceProfile,
			onProfile(func(in *UntagInstanceProfileInput) *string { return in.InstanceProfileName })),
		service.View("ListInstanceProfileTags", s.listInstanceProfileTags,
			onProfile(func(in *ListInstanceProfileTagsInput) *string { return in.InstanceProfileName })),
	}
}

// tagging is the permission that a call needs which makes something with tags.
func tagging(action string, tags []Tag, arn string) []service.Need {
	if len(tags) == 0 {
		return nil
	}
	return []service.Need{{Action: action, Resource: arn}}
}

// passToEC2 is iam:PassRole, without which a profile would be a way to a role that one may not hand out.
func passToEC2(r state.Reader, in *AddRoleToInstanceProfileInput) []service.Need {
	on := arn(r, "role", "/", value(in.RoleName, ""))
	if role, ok := findRole(r, value(in.RoleName, "")); ok {
		on = role.ARN
	}
	return []service.Need{{Action: "iam:PassRole", Resource: on, Keys: map[string][]string{"iam:passedtoservice": {ec2Principal}}}}
}

// onProfile says that an operation acts on the instance profile of a name.
func onProfile[In any](name func(*In) *string) service.Option {
	return service.On(func(r state.Reader, in *In) []string {
		n := value(name(in), "")
		if p, ok := state.Get[*resource.InstanceProfile](r, n); ok {
			return []string{p.ARN}
		}
		return []string{arn(r, "instance-profile", "/", n)}
	})
}

func mustProfile(r state.Reader, name *string) (*resource.InstanceProfile, error) {
	p, ok := state.Get[*resource.InstanceProfile](r, value(name, ""))
	if !ok {
		return nil, noSuch("Instance Profile %s cannot be found.", value(name, ""))
	}
	return p, nil
}

func profilesOf(r state.Reader, role string) []*resource.InstanceProfile {
	return state.Select(r, func(p *resource.InstanceProfile) bool { return p.Role == role })
}

func (s *Service) createInstanceProfile(tx *state.Tx, _ *api.Call, in *CreateInstanceProfileInput) (*CreateInstanceProfileOutput, error) {
	name := *in.InstanceProfileName
	all := state.List[*resource.InstanceProfile](tx)
	for _, p := range all { // names are unique whatever their case
		if strings.EqualFold(p.Name, name) {
			return nil, exists("Instance Profile %s already exists.", name)
		}
	}
	if len(all) >= maxInstanceProfiles {
		return nil, limitExceeded("Cannot exceed quota for InstanceProfilesPerAccount: %d", maxInstanceProfiles)
	}
	tags, err := addTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	p := &resource.InstanceProfile{Name: name, Path: value(in.Path, "/"), ID: newID(tx, "AIPA"), CreateDate: tx.Now(), Tags: tags}
	p.ARN = arn(tx, "instance-profile", p.Path, name)
	tx.Put(p)
	return &CreateInstanceProfileOutput{InstanceProfile: describeProfile(tx, p)}, nil
}

// describeProfile is the profile as GetInstanceProfile answers it.
func describeProfile(r state.Reader, p *resource.InstanceProfile) *InstanceProfile {
	out := &InstanceProfile{
		Arn: &p.ARN, CreateDate: &p.CreateDate, InstanceProfileId: &p.ID, InstanceProfileName: &p.Name, Path: &p.Path,
		Roles: []Role{}, Tags: listTags(p.Tags),
	}
	if role, ok := findRole(r, p.Role); ok {
		d := describeRole(role)
		d.Tags, d.PermissionsBoundary, d.Description, d.MaxSessionDuration = nil, nil, nil, nil
		out.Roles = append(out.Roles, *d)
	}
	return out
}

func (s *Service) getInstanceProfile(v *state.View, _ *api.Call, in *GetInstanceProfileInput) (*GetInstanceProfileOutput, error) {
	p, err := mustProfile(v, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	return &GetInstanceProfileOutput{InstanceProfile: describeProfile(v, p)}, nil
}

func (s *Service) deleteInstanceProfile(tx *state.Tx, _ *api.Call, in *DeleteInstanceProfileInput) (*DeleteInstanceProfileOutput, error) {
	p, err := mustProfile(tx, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	if p.Role != "" {
		return nil, conflict("Cannot delete entity, must remove roles from instance profile first.")
	}
	tx.Delete(p)
	return &DeleteInstanceProfileOutput{}, nil
}

func (s *Service) listInstanceProfiles(v *state.View, _ *api.Call, in *ListInstanceProfilesInput) (*ListInstanceProfilesOutput, error) {
	prefix := value(in.PathPrefix, "/")
	all := state.Select(v, func(p *resource.InstanceProfile) bool { return strings.HasPrefix(p.Path, prefix) })
	page, next, err := paginate(all, (*resource.InstanceProfile).Key, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListInstanceProfilesOutput{IsTruncated: truncated(next), Marker: next, InstanceProfiles: listProfiles(v, page)}, nil
}

func (s *Service) listInstanceProfilesForRole(v *state.View, _ *api.Call, in *ListInstanceProfilesForRoleInput) (*ListInstanceProfilesForRoleOutput, error) {
	role, err := mustRole(v, in.RoleName)
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(profilesOf(v, role.Name), (*resource.InstanceProfile).Key, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListInstanceProfilesForRoleOutput{IsTruncated: truncated(next), Marker: next, InstanceProfiles: listProfiles(v, page)}, nil
}

// listProfiles is without tags; see the API reference.
func listProfiles(r state.Reader, page []*resource.InstanceProfile) []InstanceProfile {
	out := []InstanceProfile{}
	for _, p := range page {
		d := describeProfile(r, p)
		d.Tags = nil
		out = append(out, *d)
	}
	return out
}

func (s *Service) addRoleToInstanceProfile(tx *state.Tx, _ *api.Call, in *AddRoleToInstanceProfileInput) (*AddRoleToInstanceProfileOutput, error) {
	p, err := mustProfile(tx, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	role, err := mustRole(tx, in.RoleName)
	if err != nil {
		return nil, err
	}
	if p.Role != "" {
		return nil, limitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
	}
	c := *p
	c.Role = role.Name
	tx.Put(&c)
	return &AddRoleToInstanceProfileOutput{}, nil
}

func (s *Service) removeRoleFromInstanceProfile(tx *state.Tx, _ *api.Call, in *RemoveRoleFromInstanceProfileInput) (*RemoveRoleFromInstanceProfileOutput, error) {
	p, err := mustProfile(tx, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	if p.Role != *in.RoleName {
		return nil, noSuch("The role with name %s cannot be found.", *in.RoleName)
	}
	c := *p
	c.Role = ""
	tx.Put(&c)
	return &RemoveRoleFromInstanceProfileOutput{}, nil
}

func (s *Service) tagInstanceProfile(tx *state.Tx, _ *api.Call, in *TagInstanceProfileInput) (*TagInstanceProfileOutput, error) {
	p, err := mustProfile(tx, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	c := *p
	if c.Tags, err = addTags(p.Tags, in.Tags); err != nil {
		return nil, err
	}
	tx.Put(&c)
	return &TagInstanceProfileOutput{}, nil
}

func (s *Service) untagInstanceProfile(tx *state.Tx, _ *api.Call, in *UntagInstanceProfileInput) (*UntagInstanceProfileOutput, error) {
	p, err := mustProfile(tx, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	c := *p
	c.Tags = withoutTags(p.Tags, in.TagKeys)
	tx.Put(&c)
	return &UntagInstanceProfileOutput{}, nil
}

func (s *Service) listInstanceProfileTags(v *state.View, _ *api.Call, in *ListInstanceProfileTagsInput) (*ListInstanceProfileTagsOutput, error) {
	p, err := mustProfile(v, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	page, next, err := pageTags(p.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListInstanceProfileTagsOutput{IsTruncated: truncated(next), Marker: next, Tags: page}, nil
}
