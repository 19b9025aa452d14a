package iam

import (
	"slices"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/service"
)

func TestAnInstanceProfileHoldsOneRole(t *testing.T) {
	r := newRegion(t)
	r.role(t, "demo")
	r.role(t, "other")
	made := must[CreateInstanceProfileOutput](t, r, "CreateInstanceProfile", &CreateInstanceProfileInput{
		InstanceProfileName: p("web"), Path: p("/app/"), Tags: []Tag{{p("team"), p("net")}}}).InstanceProfile
	if *made.Arn != "arn:aws:iam::000000000000:instance-profile/app/web" || !strings.HasPrefix(*made.InstanceProfileId, "AIPA") || len(made.Roles) != 0 {
		t.Errorf("made %+v", made)
	}
	add := func(role string) *AddRoleToInstanceProfileInput {
		return &AddRoleToInstanceProfileInput{InstanceProfileName: p("web"), RoleName: &role}
	}
	remove := func(role string) *RemoveRoleFromInstanceProfileInput {
		return &RemoveRoleFromInstanceProfileInput{InstanceProfileName: p("web"), RoleName: &role}
	}
	r.refuse(t, "CreateInstanceProfile", &CreateInstanceProfileInput{InstanceProfileName: p("WEB")},
		"EntityAlreadyExists: Instance Profile WEB already exists.", 409)
	r.refuse(t, "GetInstanceProfile", &GetInstanceProfileInput{InstanceProfileName: p("x")},
		"NoSuchEntity: Instance Profile x cannot be found.", 404)
	r.refuse(t, "AddRoleToInstanceProfile", add("nobody"), "NoSuchEntity: The role with name nobody cannot be found.", 404)
	must[AddRoleToInstanceProfileOutput](t, r, "AddRoleToInstanceProfile", add("demo"))
	r.refuse(t, "AddRoleToInstanceProfile", add("other"), "LimitExceeded: Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1", 409)
	r.refuse(t, "RemoveRoleFromInstanceProfile", remove("other"), "NoSuchEntity: The role with name other cannot be found.", 404)
	r.refuse(t, "DeleteRole", &DeleteRoleInput{RoleName: p("demo")},
		"DeleteConflict: Cannot delete entity, must remove roles from instance profile first.", 409)
	r.refuse(t, "DeleteInstanceProfile", &DeleteInstanceProfileInput{InstanceProfileName: p("web")},
		"DeleteConflict: Cannot delete entity, must remove roles from instance profile first.", 409)

	got := must[GetInstanceProfileOutput](t, r, "GetInstanceProfile", &GetInstanceProfileInput{InstanceProfileName: p("web")}).InstanceProfile
	if len(got.Roles) != 1 || *got.Roles[0].RoleName != "demo" || len(got.Tags) != 1 {
		t.Errorf("got %+v", got)
	}
	of := must[ListInstanceProfilesForRoleOutput](t, r, "ListInstanceProfilesForRole", &ListInstanceProfilesForRoleInput{RoleName: p("demo")})
	if len(of.InstanceProfiles) != 1 || len(of.InstanceProfiles[0].Tags) != 0 {
		t.Errorf("profiles of the role: %+v", of.InstanceProfiles)
	}
	if all := must[ListInstanceProfilesOutput](t, r, "ListInstanceProfiles", &ListInstanceProfilesInput{PathPrefix: p("/other/")}); len(all.InstanceProfiles) != 0 {
		t.Errorf("profiles of another path: %+v", all.InstanceProfiles)
	}
	must[TagInstanceProfileOutput](t, r, "TagInstanceProfile", &TagInstanceProfileInput{InstanceProfileName: p("web"), Tags: []Tag{{p("a"), p("b")}}})
	must[UntagInstanceProfileOutput](t, r, "UntagInstanceProfile", &UntagInstanceProfileInput{InstanceProfileName: p("web"), TagKeys: []string{"TEAM"}})
	tags := must[ListInstanceProfileTagsOutput](t, r, "ListInstanceProfileTags", &ListInstanceProfileTagsInput{InstanceProfileName: p("web")}).Tags
	if len(tags) != 1 || *tags[0].Key != "a" {
		t.Errorf("tags %+v", tags)
	}
	must[RemoveRoleFromInstanceProfileOutput](t, r, "RemoveRoleFromInstanceProfile", remove("demo"))
	must[DeleteInstanceProfileOutput](t, r, "DeleteInstanceProfile", &DeleteInstanceProfileInput{InstanceProfileName: p("web")})
	must[DeleteRoleOutput](t, r, "DeleteRole", &DeleteRoleInput{RoleName: p("demo")})
}

func TestARoleInAProfileMustBePassable(t *testing.T) {
	r := newRegion(t)
	role := r.role(t, "demo")
	operations := r.Definition().Operations
	i := slices.IndexFunc(operations, func(o service.Operation) bool { return o.Name == "AddRoleToInstanceProfile" })
	needs := operations[i].Needs(r.store.View(), &AddRoleToInstanceProfileInput{InstanceProfileName: p("web"), RoleName: p("demo")})
	if len(needs) != 1 || needs[0].Action != "iam:PassRole" || needs[0].Resource != *role.Arn || needs[0].Keys["iam:passedtoservice"][0] != "ec2.amazonaws.com" {
		t.Errorf("needs %+v", needs)
	}
}
