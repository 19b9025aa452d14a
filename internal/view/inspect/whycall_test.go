package inspect

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const role = "arn:aws:iam::000000000000:role/r"

func testConfig(t *testing.T) *Config {
	t.Helper()
	store, err := state.Open(state.Config{Region: "us-west-2", Account: "000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.Update(func(tx *state.Tx) error {
		tx.Put(&resource.Function{Name: "f", Role: role})
		tx.Put(&resource.Bucket{Name: "b", Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}]}`})
		tx.Put(&resource.VPCEndpoint{ID: "vpce-1", VPCID: "vpc-1"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return &Config{
		Store: store,
		Session: func(f *resource.Function) (api.Caller, error) {
			return api.Caller{
				Type: api.AssumedRole, Account: "000000000000", RoleARN: f.Role, RoleName: "r", SessionName: f.Name,
				ARN: "arn:aws:sts::000000000000:assumed-role/r/" + f.Name,
			}, nil
		},
	}
}

func asking(nameValues ...string) url.Values {
	q := url.Values{"function": {"f"}, "service": {"s3"}}
	for i := 0; i < len(nameValues); i += 2 {
		q.Set(nameValues[i], nameValues[i+1])
	}
	return q
}

func TestTheCallThatIsMeant(t *testing.T) {
	c := testConfig(t)
	for _, row := range []struct {
		q            url.Values
		action, on   string
		bucketPolicy bool
	}{
		{asking("service", "s3://b/a/key"), "s3:GetObject", "arn:aws:s3:::b/a/key", true},
		{asking("service", "s3://b"), "s3:ListBucket", "arn:aws:s3:::b", true},
		{asking("service", "s3://b/"), "s3:ListBucket", "arn:aws:s3:::b", true},
		{asking("service", "s3://b/k", "action", "s3:PutObject"), "s3:PutObject", "arn:aws:s3:::b/k", true},
		{asking("action", "s3:ListAllMyBuckets"), "s3:ListAllMyBuckets", "*", false},
		{asking("service", "s3://new", "action", "s3:CreateBucket"), "s3:CreateBucket", "arn:aws:s3:::new", false},
		{asking("service", "ec2", "action", "ec2:DescribeVpcs"), "ec2:DescribeVpcs", "*", false},
	} {
		w, err := c.wantedCall(row.q)
		if err != nil {
			t.Errorf("%v: %v", row.q, err)
			continue
		}
		if w.action != row.action || w.resource != row.on || (w.policy != nil) != row.bucketPolicy {
			t.Errorf("%v: got %s on %s, policy %v", row.q, w.action, w.resource, w.policy)
		}
	}
	if w, err := c.wantedCall(asking()); w != nil || err != nil {
		t.Errorf("no call: got %v, %v", w, err)
	}
}

func TestAWrongQuestionIsRefused(t *testing.T) {
	c := testConfig(t)
	for _, row := range []struct {
		q    url.Values
		want string
	}{
		{asking("service", "s3://"), "say which bucket"},
		{asking("service", "s3://b/k", "resource", "arn:aws:s3:::b/k"), "names the resource already"},
		{asking("resource", "arn:aws:s3:::b/k"), "--resource needs --action"},
		{asking("action", "GetObject"), "no action such as"},
		{asking("action", "s3:Get*", "resource", "arn:aws:s3:::b/k"), "no action such as"},
		{asking("action", "s3:GetObject", "resource", "b/k"), "no ARN such as"},
		{asking("action", "s3:GetObject"), "say on what"},
		{asking("action", "s3:GetObject", "resource", "arn:aws:s3:::b"), "acts on an object"},
		{asking("action", "s3:PutBucketPolicy", "resource", "arn:aws:s3:::b/k"), "acts on a bucket"},
		{asking("action", "s3:ListAllMyBuckets", "resource", "arn:aws:s3:::b"), "acts on *"},
		{asking("service", "s3://nowhere/k"), "there is no bucket"},
		{url.Values{"interface": {"eni-1"}, "service": {"s3://b/k"}}, "an interface has no role"},
	} {
		_, err := c.wantedCall(row.q)
		if _, ok := err.(*problem); !ok || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%v: got %v, want %s", row.q, err, row.want)
		}
	}
}

func TestTheCallComesFromWhereTheTraceEnds(t *testing.T) {
	c := testConfig(t)
	w, err := c.wantedCall(asking("service", "s3://b/k"))
	if err != nil {
		t.Fatal(err)
	}
	var asked *api.Call
	c.Decide = func(_ state.Reader, call *api.Call, q Question) (policy.Decision, error) {
		asked = call
		return policy.Decision{Allowed: true, Kind: "identity-based", Statement: -1}, nil
	}
	at := outside.Next()
	for _, row := range []struct {
		trace explain.Trace
		want  api.Origin
	}{
		{explain.Trace{Flow: explain.Flow{From: "eni-1", Port: 443}, Service: "s3", Endpoint: "vpce-1", SourceSeen: at},
			api.Origin{Door: api.DoorEndpoint, SourceIP: at, Secure: true, Service: "s3", VPCEndpointID: "vpce-1", VPCID: "vpc-1"}},
		{explain.Trace{Flow: explain.Flow{From: "eni-1", Port: 80}, Service: "s3", SourceSeen: at},
			api.Origin{Door: api.DoorInternet, SourceIP: at, Service: "s3"}},
		{explain.Trace{Flow: explain.Flow{Port: 443}, Service: "s3", SourceSeen: at},
			api.Origin{Door: api.DoorInternet, SourceIP: outside, Secure: true, Service: "s3"}},
	} {
		if _, err := c.judge(row.trace, w); err != nil {
			t.Error(err)
		} else if asked.Origin != row.want {
			t.Errorf("origin %+v, want %+v", asked.Origin, row.want)
		}
	}
	if _, err := c.judge(explain.Trace{Service: "sts"}, w); err == nil || !strings.Contains(err.Error(), "what is reached is sts") {
		t.Errorf("another service: %v", err)
	}
	if _, err := c.judge(explain.Trace{}, w); err == nil || !strings.Contains(err.Error(), "no AWS service") {
		t.Errorf("no service: %v", err)
	}
}

func TestEveryRefusalIsNamed(t *testing.T) {
	c := testConfig(t)
	w, err := c.wantedCall(asking("service", "s3://b/k"))
	if err != nil {
		t.Fatal(err)
	}
	parse := func(kind policy.Kind, name, statements string) *policy.Document {
		d, err := policy.Parse(name, kind, []byte(`{"Version":"2012-10-17","Statement":[`+statements+`]}`))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	call := w.call(explain.Trace{Flow: explain.Flow{From: "eni-1"}, Service: "s3", Endpoint: "vpce-1", SourceSeen: outside})
	d := policy.Evaluate(policy.Request{
		Action: w.action, Resource: w.resource, Principal: policy.PrincipalOf(&call.Caller), Context: policy.Context(call),
	}, policy.Policies{
		Identity: []*policy.Document{parse(policy.Identity, "mine", `{"Effect":"Allow","Action":"*","Resource":"*"},
			{"Sid":"Vpc","Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}`)},
		Resource: parse(policy.Resource, "bucket", `{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`),
		Endpoint: parse(policy.GatewayEndpoint, "vpce-1", `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:UserAgent":"x"}}}`),
	})
	a := w.answer(call, d, nil)
	number := func(n int) *int { return &n }
	if diff := cmp.Diff([]deciding{
		{Code: codeIdentity, Kind: "identity-based", Explicit: true, Document: "mine", Statement: number(1), Sid: "Vpc"},
		{Code: codeResource, Kind: "resource-based", Explicit: true, Document: "bucket", Statement: number(0)},
		{Code: codeEndpoint, Kind: "VPC endpoint"},
	}, append([]deciding{a.deciding}, a.Also...)); diff != "" {
		t.Errorf("refusals (-want +got):\n%s", diff)
	}
	if want := "statement 1 (Vpc) of the identity-based policy mine denies it; and statement 0 of the resource-based policy bucket denies it; " +
		"and the policy of vpce-1 does not allow it"; a.Reason != want {
		t.Errorf("reason\n got %s\nwant %s", a.Reason, want)
	}
	var remedies []string
	for _, r := range a.Remedies {
		remedies = append(remedies, r.Text)
	}
	if diff := cmp.Diff([]string{
		"narrow or remove statement 1 (Vpc) of the identity-based policy mine: it applies where StringEquals aws:SourceVpc vpc-1, and here it is vpc-1",
		"narrow or remove statement 0 of the resource-based policy bucket; the change printed here exempts " + role,
		"add a statement to the policy of vpce-1",
	}, remedies); diff != "" {
		t.Errorf("remedies (-want +got):\n%s", diff)
	}
	if len(a.Notes) != 2 || !strings.Contains(a.Notes[0], "aws:UserAgent, which only the call itself would show") {
		t.Errorf("notes: %q", a.Notes)
	}
}

// What is advised allows the call, and of a key with wildcards in it that one only.
func TestTheAdvisedStatementAllowsJustTheCall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[a-z*?$ {}'"&é/]{1,12}`).Draw(t, "key")
		w := &wantedCall{action: "s3:GetObject", resource: "arn:aws:s3:::b/" + key, caller: api.Caller{RoleARN: role}}
		for kind, also := range map[policy.Kind]policy.Policies{policy.Identity: {}, policy.Endpoint: {}, policy.GatewayEndpoint: {}, policy.Resource: {}} {
			statement := w.allowing(deciding{Kind: wordOf(kind)})
			d, err := policy.Parse("advice", kind, []byte(`{"Version":"2012-10-17","Statement":[`+statement+`]}`))
			if err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
			everything, err := policy.Parse("all", policy.Identity, []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			switch kind {
			case policy.Identity:
				also.Identity = []*policy.Document{d}
			case policy.Resource:
				also.Resource = d
			default:
				also.Identity, also.Endpoint = []*policy.Document{everything}, d
			}
			who := policy.Principal{Account: "000000000000", RoleARN: role, ARN: "arn:aws:sts::000000000000:assumed-role/r/f"}
			may := func(on string) bool {
				return policy.Evaluate(policy.Request{Action: w.action, Resource: on, Principal: who}, also).Allowed
			}
			if !may(w.resource) || may(w.resource+"x") || may("arn:aws:s3:::b/x"+key) {
				t.Fatalf("%s policy %s: it %v, more %v, other %v", kind, statement, may(w.resource), may(w.resource+"x"), may("arn:aws:s3:::b/x"+key))
			}
		}
	})
}
