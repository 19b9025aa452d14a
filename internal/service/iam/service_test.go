package iam

import (
	_ "embed"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

const (
	account     = "000000000000"
	lambdaTrust = `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}],"Version":"2012-10-17"}`
	readB       = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::b/*"}]}`
	vpcAccess   = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
	denyAll     = "arn:aws:iam::aws:policy/AWSDenyAll"
)

// region is a service with its state.
type region struct {
	*Service
	store *state.Store
}

func newRegion(t *testing.T) *region {
	t.Helper()
	store, err := state.Open(state.Config{Region: "us-west-2", Account: account, Now: func() time.Time {
		return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Update(Bootstrap); err != nil {
		t.Fatal(err)
	}
	keys := 0
	return &region{New(Config{NewAccessKey: func() (string, string) {
		keys++
		return fmt.Sprintf("AKIA%016d", keys), "secret"
	}}), store}
}

// try calls an operation as the front door does, but for the wire.
func (r *region) try(t *testing.T, name string, in any) (any, error) {
	t.Helper()
	operations := r.Definition().Operations
	i := slices.IndexFunc(operations, func(o service.Operation) bool { return o.Name == name })
	if i < 0 {
		t.Fatalf("there is no operation %s", name)
	}
	o := operations[i]
	if arns := o.Resources(r.store.View(), in); len(arns) == 0 {
		t.Errorf("%s acts on nothing", name)
	}
	if o.View != nil {
		return o.View(r.store.View(), &api.Call{}, in)
	}
	var out any
	_, err := r.store.Update(func(tx *state.Tx) (err error) {
		out, err = o.Update(tx, &api.Call{}, in)
		return err
	})
	return out, err
}

func must[Out any](t *testing.T, r *region, name string, in any) *Out {
	t.Helper()
	out, err := r.try(t, name, in)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out.(*Out)
}

// refuse checks that an operation answers an error, "Code: text", and changes nothing.
func (r *region) refuse(t *testing.T, name string, in any, want string, status int) {
	t.Helper()
	revision := r.store.View().Revision()
	_, err := r.try(t, name, in)
	e := api.AsError(err)
	switch {
	case e == nil:
		t.Errorf("%s: %v, want %s", name, err, want)
	case e.Error() != want || e.Status != status:
		t.Errorf("%s: %d %v, want %d %s", name, e.Status, e, status, want)
	}
	if r.store.View().Revision() != revision {
		t.Errorf("%s was refused, but changed the state", name)
	}
}

func p[T any](v T) *T { return &v }

// role makes a role that Lambda may assume.
func (r *region) role(t *testing.T, name string) *Role {
	t.Helper()
	return must[CreateRoleOutput](t, r, "CreateRole", &CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: p(lambdaTrust)}).Role
}

func TestARoleIsAnsweredAsAWSDoes(t *testing.T) {
	r := newRegion(t)
	created := must[CreateRoleOutput](t, r, "CreateRole", &CreateRoleInput{
		RoleName: p("demo"), Path: p("/app/"), AssumeRolePolicyDocument: p(lambdaTrust), MaxSessionDuration: p(int64(7200)),
		Description: p("for a demo"), PermissionsBoundary: p(vpcAccess), Tags: []Tag{{Key: p("Name"), Value: p("x")}},
	}).Role
	if !strings.HasPrefix(*created.RoleId, "AROA") || len(*created.RoleId) != 21 {
		t.Errorf("role id %s", *created.RoleId)
	}
	if created.MaxSessionDuration != nil {
		t.Errorf("CreateRole answers MaxSessionDuration %d", *created.MaxSessionDuration)
	}
	want := &Role{
		Arn:                      p("arn:aws:iam::000000000000:role/app/demo"),
		AssumeRolePolicyDocument: p(url.PathEscape(lambdaTrust)),
		CreateDate:               p(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)),
		Description:              p("for a demo"),
		MaxSessionDuration:       p(int64(7200)),
		Path:                     p("/app/"),
		PermissionsBoundary:      &AttachedPermissionsBoundary{PermissionsBoundaryArn: p(vpcAccess), PermissionsBoundaryType: p("Policy")},
		RoleId:                   created.RoleId,
		RoleLastUsed:             &RoleLastUsed{},
		RoleName:                 p("demo"),
		Tags:                     []Tag{{Key: p("Name"), Value: p("x")}},
	}
	got := must[GetRoleOutput](t, r, "GetRole", &GetRoleInput{RoleName: p("demo")}).Role
	decoded, err := url.PathUnescape(*got.AssumeRolePolicyDocument)
	if err != nil || decoded != lambdaTrust || strings.ContainsAny(*got.AssumeRolePolicyDocument, ` "{}:+`) {
		t.Errorf("document %s, %v", *got.AssumeRolePolicyDocument, err)
	}
	want.AssumeRolePolicyDocument = got.AssumeRolePolicyDocument
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("GetRole (-want +got):\n%s", diff)
	}

	must[UpdateRoleOutput](t, r, "UpdateRole", &UpdateRoleInput{RoleName: p("demo"), MaxSessionDuration: p(int64(3600))})
	got = must[GetRoleOutput](t, r, "GetRole", &GetRoleInput{RoleName: p("demo")}).Role
	if got.Description != nil || *got.MaxSessionDuration != 3600 {
		t.Errorf("after UpdateRole: %v, %d", got.Description, *got.MaxSessionDuration)
	}
	profiles := must[ListInstanceProfilesForRoleOutput](t, r, "ListInstanceProfilesForRole", &ListInstanceProfilesForRoleInput{RoleName: p("demo")})
	if len(profiles.InstanceProfiles) != 0 || *profiles.IsTruncated {
		t.Errorf("instance profiles %+v", profiles)
	}
}

func TestRolesAreRefusedWithAWSsWords(t *testing.T) {
	r := newRegion(t)
	r.role(t, "demo")
	create := func(name, trust string) *CreateRoleInput {
		return &CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}
	}
	trusting := func(arn string) string {
		return `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + arn + `"}}]}`
	}
	r.refuse(t, "CreateRole", create("DEMO", lambdaTrust), "EntityAlreadyExists: Role with name DEMO already exists.", 409)
	r.refuse(t, "CreateRole", create("x", `{`), "MalformedPolicyDocument: This policy contains invalid Json", 400)
	r.refuse(t, "CreateRole", create("x", trusting("arn:aws:iam::000000000000:role/nobody")),
		`MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:role/nobody"`, 400)
	r.refuse(t, "CreateRole", create("x", trusting("arn:aws:iam::000000000000:user/ann")),
		`MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:user/ann"`, 400)
	r.refuse(t, "CreateRole", create("x", strings.Replace(lambdaTrust, "{", `{"Id":"`+strings.Repeat("x", 2048)+`",`, 1)),
		"LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048", 409)
	r.refuse(t, "CreateRole", &CreateRoleInput{RoleName: p("x"), AssumeRolePolicyDocument: p(lambdaTrust), PermissionsBoundary: p("arn:aws:iam::aws:policy/Nope")},
		"NoSuchEntity: Scope ARN: arn:aws:iam::aws:policy/Nope does not exist or is not attachable.", 404)
	r.refuse(t, "CreateRole", &CreateRoleInput{RoleName: p("x"), AssumeRolePolicyDocument: p(lambdaTrust), Tags: []Tag{
		{Key: p("a"), Value: p("1")}, {Key: p("A"), Value: p("2")}}},
		"InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.", 400)
	r.refuse(t, "GetRole", &GetRoleInput{RoleName: p("x")}, "NoSuchEntity: The role with name x cannot be found.", 404)
	r.refuse(t, "DeleteRole", &DeleteRoleInput{RoleName: p("x")}, "NoSuchEntity: The role with name x cannot be found.", 404)
	r.refuse(t, "UpdateAssumeRolePolicy", &UpdateAssumeRolePolicyInput{RoleName: p("demo"), PolicyDocument: p(`{"Statement":[]}`)},
		"MalformedPolicyDocument: Could not parse the policy: Statement is empty!", 400)
	must[CreateRoleOutput](t, r, "CreateRole", create("trusts-a-role", trusting("arn:aws:iam::000000000000:role/demo")))
	must[CreateRoleOutput](t, r, "CreateRole", create("trusts-the-account", trusting("000000000000")))
}

func TestInlinePolicies(t *testing.T) {
	r := newRegion(t)
	r.role(t, "demo")
	put := func(name, document string) *PutRolePolicyInput {
		return &PutRolePolicyInput{RoleName: p("demo"), PolicyName: &name, PolicyDocument: &document}
	}
	must[PutRolePolicyOutput](t, r, "PutRolePolicy", put("b", readB))
	must[PutRolePolicyOutput](t, r, "PutRolePolicy", put("a", readB))
	got := must[GetRolePolicyOutput](t, r, "GetRolePolicy", &GetRolePolicyInput{RoleName: p("demo"), PolicyName: p("b")})
	if text, err := url.PathUnescape(*got.PolicyDocument); err != nil || text != readB {
		t.Errorf("document %s, %v", *got.PolicyDocument, err)
	}
	names := must[ListRolePoliciesOutput](t, r, "ListRolePolicies", &ListRolePoliciesInput{RoleName: p("demo")}).PolicyNames
	if diff := cmp.Diff([]string{"a", "b"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	r.refuse(t, "PutRolePolicy", put("c", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*"}]}`),
		"MalformedPolicyDocument: Policy statement must contain actions.", 400)
	long := strings.Replace(readB, "b/*", strings.Repeat("x", maxInline), 1)
	r.refuse(t, "PutRolePolicy", put("c", long), "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role demo", 409)
	r.refuse(t, "DeleteRole", &DeleteRoleInput{RoleName: p("demo")}, "DeleteConflict: Cannot delete entity, must delete policies first.", 409)
	must[DeleteRolePolicyOutput](t, r, "DeleteRolePolicy", &DeleteRolePolicyInput{RoleName: p("demo"), PolicyName: p("a")})
	must[DeleteRolePolicyOutput](t, r, "DeleteRolePolicy", &DeleteRolePolicyInput{RoleName: p("demo"), PolicyName: p("b")})
	r.refuse(t, "DeleteRolePolicy", &DeleteRolePolicyInput{RoleName: p("demo"), PolicyName: p("b")},
		"NoSuchEntity: The role policy with name b cannot be found.", 404)
	must[DeleteRoleOutput](t, r, "DeleteRole", &DeleteRoleInput{RoleName: p("demo")})
}

func TestAttachedPolicies(t *testing.T) {
	r := newRegion(t)
	r.role(t, "demo")
	attach := func(arn string) *AttachRolePolicyInput {
		return &AttachRolePolicyInput{RoleName: p("demo"), PolicyArn: &arn}
	}
	must[AttachRolePolicyOutput](t, r, "AttachRolePolicy", attach(vpcAccess))
	must[AttachRolePolicyOutput](t, r, "AttachRolePolicy", attach(vpcAccess))
	must[AttachRolePolicyOutput](t, r, "AttachRolePolicy", attach(denyAll))
	got := must[ListAttachedRolePoliciesOutput](t, r, "ListAttachedRolePolicies", &ListAttachedRolePoliciesInput{RoleName: p("demo")})
	want := []AttachedPolicy{
		{PolicyArn: p(vpcAccess), PolicyName: p("AWSLambdaVPCAccessExecutionRole")}, {PolicyArn: p(denyAll), PolicyName: p("AWSDenyAll")},
	}
	if diff := cmp.Diff(want, got.AttachedPolicies); diff != "" {
		t.Errorf("attached (-want +got):\n%s", diff)
	}
	r.refuse(t, "AttachRolePolicy", attach("arn:aws:iam::aws:policy/Nope"),
		"NoSuchEntity: Policy arn:aws:iam::aws:policy/Nope does not exist or is not attachable.", 404)
	r.refuse(t, "AttachRolePolicy", attach("something that is no ARN"), "ValidationError: Invalid ARN:  Could not be parsed!", 400)
	r.refuse(t, "DeleteRole", &DeleteRoleInput{RoleName: p("demo")}, "DeleteConflict: Cannot delete entity, must detach all policies first.", 409)
	for _, arn := range []string{vpcAccess, denyAll} {
		must[DetachRolePolicyOutput](t, r, "DetachRolePolicy", &DetachRolePolicyInput{RoleName: p("demo"), PolicyArn: &arn})
	}
	r.refuse(t, "DetachRolePolicy", &DetachRolePolicyInput{RoleName: p("demo"), PolicyArn: p(denyAll)}, "NoSuchEntity: Policy "+denyAll+" was not found.", 404)
	for i := range maxAttached + 1 {
		created := must[CreatePolicyOutput](t, r, "CreatePolicy", &CreatePolicyInput{PolicyName: p(string(rune('a' + i))), PolicyDocument: p(readB)})
		if i < maxAttached {
			must[AttachRolePolicyOutput](t, r, "AttachRolePolicy", attach(*created.Policy.Arn))
		} else {
			r.refuse(t, "AttachRolePolicy", attach(*created.Policy.Arn), "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10", 409)
		}
	}
}

func TestVersionsOfAManagedPolicy(t *testing.T) {
	r := newRegion(t)
	r.role(t, "demo")
	created := must[CreatePolicyOutput](t, r, "CreatePolicy", &CreatePolicyInput{
		PolicyName: p("reads"), Path: p("/app/"), PolicyDocument: p(readB), Description: p("reads b")}).Policy
	arn := *created.Arn
	if arn != "arn:aws:iam::000000000000:policy/app/reads" || !strings.HasPrefix(*created.PolicyId, "ANPA") {
		t.Fatalf("created %s %s", arn, *created.PolicyId)
	}
	r.refuse(t, "CreatePolicy", &CreatePolicyInput{PolicyName: p("READS"), PolicyDocument: p(readB)},
		"EntityAlreadyExists: A policy called READS already exists. Duplicate names are not allowed.", 409)
	version := func() *CreatePolicyVersionInput {
		return &CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: p(readB)}
	}
	for range 4 {
		must[CreatePolicyVersionOutput](t, r, "CreatePolicyVersion", version())
	}
	r.refuse(t, "CreatePolicyVersion", version(), "LimitExceeded: A managed policy can have up to 5 versions. "+
		"Before you create a new version, you must delete an existing version.", 409)
	drop := func(id string) *DeletePolicyVersionInput {
		return &DeletePolicyVersionInput{PolicyArn: &arn, VersionId: &id}
	}
	r.refuse(t, "DeletePolicyVersion", drop("v1"), "DeleteConflict: Cannot delete the default version of a policy.", 409)
	must[DeletePolicyVersionOutput](t, r, "DeletePolicyVersion", drop("v5"))
	in := version()
	in.SetAsDefault = p(true)
	if got := must[CreatePolicyVersionOutput](t, r, "CreatePolicyVersion", in).PolicyVersion; *got.VersionId != "v6" || !*got.IsDefaultVersion {
		t.Errorf("after v5 was deleted comes %s, default %v; want v6, true", *got.VersionId, *got.IsDefaultVersion)
	}
	r.refuse(t, "GetPolicyVersion", &GetPolicyVersionInput{PolicyArn: &arn, VersionId: p("v5")},
		"NoSuchEntity: Policy "+arn+" version v5 does not exist or is not attachable.", 404)
	must[SetDefaultPolicyVersionOutput](t, r, "SetDefaultPolicyVersion", &SetDefaultPolicyVersionInput{PolicyArn: &arn, VersionId: p("v2")})

	must[AttachRolePolicyOutput](t, r, "AttachRolePolicy", &AttachRolePolicyInput{RoleName: p("demo"), PolicyArn: &arn})
	got := must[GetPolicyOutput](t, r, "GetPolicy", &GetPolicyInput{PolicyArn: &arn}).Policy
	if *got.AttachmentCount != 1 || *got.DefaultVersionId != "v2" || *got.Description != "reads b" || !*got.IsAttachable {
		t.Errorf("policy %+v", got)
	}
	roles := must[ListEntitiesForPolicyOutput](t, r, "ListEntitiesForPolicy", &ListEntitiesForPolicyInput{PolicyArn: &arn}).PolicyRoles
	if len(roles) != 1 || *roles[0].RoleName != "demo" {
		t.Errorf("attached to %+v", roles)
	}
	r.refuse(t, "DeletePolicy", &DeletePolicyInput{PolicyArn: &arn}, "DeleteConflict: Cannot delete a policy attached to entities.", 409)
	must[DetachRolePolicyOutput](t, r, "DetachRolePolicy", &DetachRolePolicyInput{RoleName: p("demo"), PolicyArn: &arn})
	r.refuse(t, "DeletePolicy", &DeletePolicyInput{PolicyArn: &arn}, "DeleteConflict: This policy has more than one version. "+
		"Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.", 409)
	versions := must[ListPolicyVersionsOutput](t, r, "ListPolicyVersions", &ListPolicyVersionsInput{PolicyArn: &arn}).Versions
	var ids []string
	for _, v := range versions {
		ids = append(ids, *v.VersionId)
		if *v.VersionId != "v2" {
			must[DeletePolicyVersionOutput](t, r, "DeletePolicyVersion", drop(*v.VersionId))
		}
	}
	if diff := cmp.Diff([]string{"v6", "v4", "v3", "v2", "v1"}, ids); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	must[DeletePolicyOutput](t, r, "DeletePolicy", &DeletePolicyInput{PolicyArn: &arn})
	r.refuse(t, "GetPolicy", &GetPolicyInput{PolicyArn: &arn}, "NoSuchEntity: Policy "+arn+" was not found.", 404)
	r.refuse(t, "DeletePolicy", &DeletePolicyInput{PolicyArn: p(denyAll)}, "AccessDenied: Policy is outside your own account.", 403)
}

func TestListsComeInPages(t *testing.T) {
	r := newRegion(t)
	for _, name := range []string{"e", "a", "c", "b", "d"} {
		r.role(t, name)
	}
	var got [][]string
	in := &ListRolesInput{MaxItems: p(int64(2))}
	for {
		out := must[ListRolesOutput](t, r, "ListRoles", in)
		var names []string
		for _, role := range out.Roles {
			names = append(names, *role.RoleName)
		}
		got = append(got, names)
		if in.Marker = out.Marker; in.Marker == nil {
			break
		}
	}
	if diff := cmp.Diff([][]string{{"a", "b"}, {"c", "d"}, {"e"}}, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	r.refuse(t, "ListRoles", &ListRolesInput{Marker: p("???")}, "ValidationError: Invalid Marker.", 400)
}

func TestTagsOfARole(t *testing.T) {
	r := newRegion(t)
	r.role(t, "demo")
	must[TagRoleOutput](t, r, "TagRole", &TagRoleInput{RoleName: p("demo"), Tags: []Tag{{p("b"), p("1")}, {p("a"), p("2")}}})
	must[TagRoleOutput](t, r, "TagRole", &TagRoleInput{RoleName: p("demo"), Tags: []Tag{{p("B"), p("3")}}})
	got := must[ListRoleTagsOutput](t, r, "ListRoleTags", &ListRoleTagsInput{RoleName: p("demo")}).Tags
	if diff := cmp.Diff([]Tag{{p("B"), p("3")}, {p("a"), p("2")}}, got); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	must[UntagRoleOutput](t, r, "UntagRole", &UntagRoleInput{RoleName: p("demo"), TagKeys: []string{"b", "nosuch"}})
	got = must[ListRoleTagsOutput](t, r, "ListRoleTags", &ListRoleTagsInput{RoleName: p("demo")}).Tags
	if len(got) != 1 || *got[0].Key != "a" {
		t.Errorf("after UntagRole: %+v", got)
	}
	var many []Tag
	for i := range maxTags {
		many = append(many, Tag{p("t" + strings.Repeat("x", i)), p("")})
	}
	r.refuse(t, "TagRole", &TagRoleInput{RoleName: p("demo"), Tags: many}, "LimitExceeded: The number of tags has reached the maximum limit.", 409)
}

func TestBootstrapTwiceChangesNothing(t *testing.T) {
	r := newRegion(t)
	before := r.store.View().Revision()
	if _, err := r.store.Update(Bootstrap); err != nil {
		t.Fatal(err)
	}
	if after := r.store.View().Revision(); after != before {
		t.Errorf("revision %d, want %d", after, before)
	}
	listed := must[ListPoliciesOutput](t, r, "ListPolicies", &ListPoliciesInput{Scope: p("AWS")}).Policies
	if len(listed) != len(state.List[*resource.Policy](r.store.View())) || len(listed) < 7 {
		t.Errorf("%d policies of AWS", len(listed))
	}
	if own := must[ListPoliciesOutput](t, r, "ListPolicies", &ListPoliciesInput{Scope: p("Local")}).Policies; len(own) != 0 {
		t.Errorf("own policies: %+v", own)
	}
}

//go:embed operations.txt
var listed string

func TestEveryOperationOfTheListIsServed(t *testing.T) {
	served := map[string]bool{}
	for _, o := range New(Config{}).Definition().Operations {
		served[o.Name] = true
	}
	for name := range strings.Lines(listed) {
		name = strings.TrimSpace(name)
		if name != "" && !strings.HasPrefix(name, "#") && !served[name] {
			t.Errorf("%s is in operations.txt, but not served", name)
		}
	}
}
