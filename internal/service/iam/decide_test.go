package iam

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// session is a call by a session of a role.
func (r *region) session(t *testing.T, role string) *api.Call {
	t.Helper()
	got, ok := findRole(r.store.View(), role)
	if !ok {
		t.Fatalf("there is no role %s", role)
	}
	return &api.Call{
		Region: "us-west-2", Account: account, Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		Origin: api.Origin{Door: api.DoorHost, SourceIP: netip.MustParseAddr("127.0.0.1")},
		Caller: api.Caller{
			Type: api.AssumedRole, Account: account, ARN: "arn:aws:sts::" + account + ":assumed-role/" + role + "/s1",
			RoleARN: got.ARN, RoleName: role, SessionName: "s1", UserID: got.ID + ":s1",
		},
	}
}

func operatorCall() *api.Call {
	return &api.Call{Account: account, Caller: api.Caller{
		Type: api.Root, Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account,
	}}
}

func (r *region) may(t *testing.T, call *api.Call, action, on string) bool {
	t.Helper()
	d, err := r.Decide(r.store.View(), call, Question{Action: action, Resource: on})
	if err != nil {
		t.Fatalf("decide %s on %s: %v", action, on, err)
	}
	return d.Allowed
}

func TestASessionMayWhatItsRoleMay(t *testing.T) {
	r := newRegion(t)
	r.role(t, "demo")
	call := r.session(t, "demo")
	if r.may(t, call, "s3:GetObject", "arn:aws:s3:::b/k") {
		t.Error("a role without policies may")
	}
	must[PutRolePolicyOutput](t, r, "PutRolePolicy", &PutRolePolicyInput{RoleName: p("demo"), PolicyName: p("reads"), PolicyDocument: p(readB)})
	if !r.may(t, call, "s3:GetObject", "arn:aws:s3:::b/k") {
		t.Error("the inline policy does not count")
	}
	must[AttachRolePolicyOutput](t, r, "AttachRolePolicy", &AttachRolePolicyInput{RoleName: p("demo"), PolicyArn: p(vpcAccess)})
	if !r.may(t, call, "ec2:CreateNetworkInterface", "*") {
		t.Error("the attached policy does not count")
	}
	call.Caller.SessionPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`
	if r.may(t, call, "s3:GetObject", "arn:aws:s3:::b/k") {
		t.Error("the session policy does not limit")
	}
	call.Caller.SessionPolicy = ""
	must[AttachRolePolicyOutput](t, r, "AttachRolePolicy", &AttachRolePolicyInput{RoleName: p("demo"), PolicyArn: p(denyAll)})
	if r.may(t, call, "s3:GetObject", "arn:aws:s3:::b/k") {
		t.Error("AWSDenyAll denies nothing")
	}
}

func TestAChangedVersionCountsAtOnce(t *testing.T) {
	r := newRegion(t)
	r.role(t, "demo")
	created := must[CreatePolicyOutput](t, r, "CreatePolicy", &CreatePolicyInput{PolicyName: p("reads"), PolicyDocument: p(readB)}).Policy
	must[AttachRolePolicyOutput](t, r, "AttachRolePolicy", &AttachRolePolicyInput{RoleName: p("demo"), PolicyArn: created.Arn})
	call := r.session(t, "demo")
	if !r.may(t, call, "s3:GetObject", "arn:aws:s3:::b/k") {
		t.Fatal("version 1 does not count")
	}
	must[CreatePolicyVersionOutput](t, r, "CreatePolicyVersion", &CreatePolicyVersionInput{
		PolicyArn: created.Arn, PolicyDocument: p(strings.Replace(readB, "s3:::b", "s3:::c", 1)), SetAsDefault: p(true)})
	if r.may(t, call, "s3:GetObject", "arn:aws:s3:::b/k") || !r.may(t, call, "s3:GetObject", "arn:aws:s3:::c/k") {
		t.Error("version 2 does not count")
	}
}

func TestTheBoundaryLimits(t *testing.T) {
	r := newRegion(t)
	must[CreateRoleOutput](t, r, "CreateRole", &CreateRoleInput{
		RoleName: p("demo"), AssumeRolePolicyDocument: p(lambdaTrust), PermissionsBoundary: p("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")})
	must[AttachRolePolicyOutput](t, r, "AttachRolePolicy", &AttachRolePolicyInput{
		RoleName: p("demo"), PolicyArn: p("arn:aws:iam::aws:policy/AmazonS3FullAccess")})
	call := r.session(t, "demo")
	if !r.may(t, call, "s3:GetObject", "arn:aws:s3:::b/k") || r.may(t, call, "s3:PutObject", "arn:aws:s3:::b/k") {
		t.Error("the boundary is not what limits")
	}
	if !r.Allows(r.store.View(), call.Caller.RoleARN, "s3:ListAllMyBuckets") || r.Allows(r.store.View(), call.Caller.RoleARN, "s3:CreateBucket") {
		t.Error("Allows does not look at the boundary")
	}
}

func TestASessionOfARoleThatIsGoneIsNobody(t *testing.T) {
	r := newRegion(t)
	r.role(t, "demo")
	call := r.session(t, "demo")
	must[DeleteRoleOutput](t, r, "DeleteRole", &DeleteRoleInput{RoleName: p("demo")})
	d, err := r.Decide(r.store.View(), call, Question{Action: "s3:GetObject", Resource: "*"})
	if e := api.AsError(err); e == nil || e.Code != "InvalidClientTokenId" || d.Allowed {
		t.Errorf("deleted: %+v, %v", d, err)
	}
	r.role(t, "demo")
	if d, err := r.Decide(r.store.View(), call, Question{Action: "s3:GetObject", Resource: "*"}); err == nil || d.Allowed {
		t.Errorf("made anew: %+v, %v", d, err)
	}
}

func TestTheEndpointsPolicyCounts(t *testing.T) {
	r := newRegion(t)
	r.role(t, "demo")
	must[PutRolePolicyOutput](t, r, "PutRolePolicy", &PutRolePolicyInput{RoleName: p("demo"), PolicyName: p("reads"), PolicyDocument: p(readB)})
	put := func(document string) {
		t.Helper()
		if _, err := r.store.Update(func(tx *state.Tx) error {
			tx.Put(&resource.VPCEndpoint{ID: "vpce-1", Type: resource.EndpointTypeInterface, PolicyDocument: document})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	call := r.session(t, "demo")
	call.Origin = api.Origin{Door: api.DoorEndpoint, VPCEndpointID: "vpce-1", VPCID: "vpc-1", SourceIP: netip.MustParseAddr("10.0.0.5")}
	if d, err := r.Decide(r.store.View(), call, Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}); err == nil || d.Allowed {
		t.Errorf("through an endpoint that is not there: %+v, %v", d, err)
	}
	put(`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`)
	if !r.may(t, call, "s3:GetObject", "arn:aws:s3:::b/k") {
		t.Error("the default policy of an endpoint denies")
	}
	put(`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:s3:::c/*"}]}`)
	if r.may(t, call, "s3:GetObject", "arn:aws:s3:::b/k") {
		t.Error("the policy for another bucket allows")
	}
	if call.Origin.Door = api.DoorHost; !r.may(t, call, "s3:GetObject", "arn:aws:s3:::b/k") {
		t.Error("the endpoint's policy counts for calls that came another way")
	}
}

func TestDecideSeesTheTagsOfTheRole(t *testing.T) {
	r := newRegion(t)
	must[CreateRoleOutput](t, r, "CreateRole", &CreateRoleInput{
		RoleName: p("demo"), AssumeRolePolicyDocument: p(lambdaTrust), Tags: []Tag{{p("Team"), p("blue")}}})
	must[PutRolePolicyOutput](t, r, "PutRolePolicy", &PutRolePolicyInput{RoleName: p("demo"), PolicyName: p("p"), PolicyDocument: p(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalTag/Team}/*"}]}`)})
	call := r.session(t, "demo")
	if !r.may(t, call, "s3:GetObject", "arn:aws:s3:::blue/k") || r.may(t, call, "s3:GetObject", "arn:aws:s3:::red/k") {
		t.Error("aws:PrincipalTag does not count")
	}
}

func TestWhoMayAssumeARole(t *testing.T) {
	r := newRegion(t)
	trust := func(principal, more string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":` + principal + more + `}]}`
	}
	r.role(t, "caller")
	create := func(name, document string) string {
		return *must[CreateRoleOutput](t, r, "CreateRole", &CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &document}).Role.Arn
	}
	forLambda := create("lambda", lambdaTrust)
	forCaller := create("for-caller", trust(`{"AWS":"arn:aws:iam::000000000000:role/caller"}`, ""))
	forAccount := create("for-account", trust(`{"AWS":"000000000000"}`, ""))
	withID := create("with-id", trust(`{"AWS":"arn:aws:iam::000000000000:root"}`, `,"Condition":{"StringEquals":{"sts:ExternalId":"42"}}`))
	call := r.session(t, "caller")
	check := func(name string, call *api.Call, role string, keys map[string][]string, want bool) {
		t.Helper()
		got, err := r.CanAssume(r.store.View(), call, role, assumeRole, keys)
		if (err == nil) != want || want && got.ARN != role {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
		text := "AccessDenied: User: " + call.Caller.ARN + " is not authorized to perform: sts:AssumeRole on resource: " + role
		if !want && (err == nil || err.Error() != text) {
			t.Errorf("%s: %v, want %s", name, err, text)
		}
	}
	check("a service's role", call, forLambda, nil, false)
	check("the role's own name", call, forCaller, nil, true)
	check("the account, without permission", call, forAccount, nil, false)
	check("a role that is not there", call, "arn:aws:iam::000000000000:role/nobody", nil, false)
	check("another path", call, "arn:aws:iam::000000000000:role/x/for-caller", nil, false)
	check("the operator, the account", operatorCall(), forAccount, nil, true)
	check("the operator, a service's role", operatorCall(), forLambda, nil, false)
	check("without the external id", operatorCall(), withID, nil, false)
	check("with the external id", operatorCall(), withID, map[string][]string{"sts:externalid": {"42"}}, true)
	must[PutRolePolicyOutput](t, r, "PutRolePolicy", &PutRolePolicyInput{RoleName: p("caller"), PolicyName: p("p"), PolicyDocument: p(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`)})
	check("the account, with permission", call, forAccount, nil, true)
	check("permission without trust", call, forLambda, nil, false)
	check("nobody", &api.Call{Caller: api.Caller{Type: api.Anonymous}}, forAccount, nil, false)

	v := r.store.View()
	if !r.AssumableBy(v, forLambda, "lambda.amazonaws.com") || r.AssumableBy(v, forLambda, "ec2.amazonaws.com") ||
		r.AssumableBy(v, forAccount, "lambda.amazonaws.com") || r.AssumableBy(v, "arn:aws:iam::000000000000:role/nobody", "lambda.amazonaws.com") {
		t.Error("AssumableBy")
	}
}

func BenchmarkDecide(b *testing.B) {
	store, err := state.Open(state.Config{Region: "us-west-2", Account: account})
	if err != nil {
		b.Fatal(err)
	}
	role := &resource.Role{Name: "demo", ARN: "arn:aws:iam::" + account + ":role/demo", ID: "AROA1", AttachedPolicies: []string{vpcAccess},
		InlinePolicies: map[string]string{"reads": readB}}
	if _, err := store.Update(func(tx *state.Tx) error { tx.Put(role); return Bootstrap(tx) }); err != nil {
		b.Fatal(err)
	}
	call := &api.Call{Account: account, Caller: api.Caller{Type: api.AssumedRole, Account: account, RoleARN: role.ARN, RoleName: "demo", UserID: "AROA1:s"}}
	s, v := New(Config{}), store.View()
	b.ReportAllocs()
	for b.Loop() {
		var d policy.Decision
		if d, err = s.Decide(v, call, Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}); err != nil || !d.Allowed {
			b.Fatal(d, err)
		}
	}
}
