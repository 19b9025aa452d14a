package inspect

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func TestAChangedDocumentKeepsWhatItSaid(t *testing.T) {
	const statement = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/k"}`
	for _, c := range []struct{ name, text, want string }{
		{"none", "", `{"Version":"2012-10-17","Statement":[` + statement + `]}`},
		{"one that stands alone", `{"Version":"2008-10-17","Statement":{"Sid":"a","Effect":"Deny","Action":"*","Resource":"<&>"}}`,
			`{"Version":"2008-10-17","Statement":[{"Sid":"a","Effect":"Deny","Action":"*","Resource":"<&>"},` + statement + `]}`},
		{"several", `{"Id":"i","Version":"2012-10-17","Statement":[{"Sid":"a"},{"Sid":"b"}]}`,
			`{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"a"},{"Sid":"b"},` + statement + `]}`},
	} {
		d, ok := readDocument(c.text)
		if !ok {
			t.Fatal(c.name)
		}
		if d, ok = d.with(statement); !ok || d.String() != c.want {
			t.Errorf("%s: %t\n got %s\nwant %s", c.name, ok, d, c.want)
		}
	}
	old, _ := readDocument(`{"Statement":[]}`)
	if _, ok := old.with(`{"Resource":"${*}"}`); ok {
		t.Error("a variable in a document of the older language means something else")
	}
}

// The role gets by, and nobody else does.
func TestAnExceptionIsForOneRole(t *testing.T) {
	const text = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:s3:::b/*"},
		{"Effect":"Deny","Principal":"*","Action":"*","Resource":"arn:aws:s3:::b/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`
	d, ok := readDocument(text)
	if !ok {
		t.Fatal("it is a document")
	}
	if d, ok = d.except(1, role); !ok {
		t.Fatal("there is no exception yet")
	}
	p, err := policy.Parse("b", policy.Resource, []byte(d.String()))
	if err != nil {
		t.Fatal(err)
	}
	may := func(role string) bool {
		who := policy.Principal{Account: "000000000000", RoleARN: role, ARN: "arn:aws:sts::000000000000:assumed-role/r/f"}
		return policy.Evaluate(policy.Request{
			Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Principal: who,
			Context: map[string][]string{"aws:securetransport": {"true"}, "aws:principalarn": {role}},
		}, policy.Policies{Resource: p}).Allowed
	}
	if !may(role) || may(role+"2") {
		t.Errorf("it %t, another %t", may(role), may(role+"2"))
	}
	if _, ok := d.except(1, role); ok {
		t.Error("a second exception is for a person to see")
	}
}

// Two refusals of one policy are lifted by one command, in which both changes are.
func TestTwoChangesOfOneDocumentAreOneCommand(t *testing.T) {
	c := testConfig(t)
	w, err := c.wantedCall(asking("service", "s3://b/k"))
	if err != nil {
		t.Fatal(err)
	}
	call := &api.Call{Caller: w.caller}
	first := callRemedy{Statement: `{"Sid":"one"}`}
	by := deciding{Kind: string(policy.Resource)}
	w.replace(&first, by, call, nil)
	before := []callRemedy{first}
	second := callRemedy{Statement: `{"Sid":"two"}`}
	w.replace(&second, by, call, before)
	want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"},{"Sid":"one"},{"Sid":"two"}]}`
	if diff := cmp.Diff(want, second.document); diff != "" || before[0].CLI != "" {
		t.Errorf("document (-want +got):\n%s\nfirst command %q", diff, before[0].CLI)
	}
	if second.CLI != "aws s3api put-bucket-policy --bucket b --policy '"+want+"'" {
		t.Errorf("command %s", second.CLI)
	}
}

func TestANewPolicyTakesNoNameOfAnother(t *testing.T) {
	c := testConfig(t)
	w, err := c.wantedCall(asking("service", "s3://b/k"))
	if err != nil {
		t.Fatal(err)
	}
	if got := w.freePolicyName("GetObject"); got != "allow-GetObject" {
		t.Error(got)
	}
	if _, err := c.Store.Update(func(tx *state.Tx) error {
		tx.Put(&resource.Role{Name: w.caller.RoleName, InlinePolicies: map[string]string{"allow-GetObject": "{}"}})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.view = c.Store.View()
	if got := w.freePolicyName("GetObject"); got != "allow-GetObject-2" {
		t.Error(got)
	}
}

// A call that is denied, and that nothing allows, is refused twice.
func TestThatNothingAllowsACallIsSaidBesideADenial(t *testing.T) {
	c := testConfig(t)
	w, err := c.wantedCall(asking("service", "s3://b/k"))
	if err != nil {
		t.Fatal(err)
	}
	for identity, want := range map[string]int{`{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}`: 1, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`: 0} {
		parse := func(kind policy.Kind, statement string) *policy.Document {
			d, err := policy.Parse("p", kind, []byte(`{"Version":"2012-10-17","Statement":[`+statement+`]}`))
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		call := &api.Call{Caller: w.caller}
		d := policy.Evaluate(policy.Request{Action: w.action, Resource: w.resource, Principal: policy.PrincipalOf(&call.Caller)}, policy.Policies{
			Identity: []*policy.Document{parse(policy.Identity, identity)},
			Resource: parse(policy.Resource, `{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`),
		})
		also := alsoRefusing(call, d)
		if len(also) != want || want == 1 && also[0].Code != codeIdentity {
			t.Errorf("%s: %+v", identity, also)
		}
	}
}
