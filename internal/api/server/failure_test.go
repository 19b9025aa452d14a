package server

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
)

func TestAFailureMessageNamesTheStatementThatDenied(t *testing.T) {
	d, err := policy.Parse("role/x inline p", policy.Identity, []byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"*","Resource":"*"},
		{"Sid":"NoVpcs","Effect":"Deny","Action":"ec2:CreateVpc","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	call := &api.Call{Time: time.Unix(0, 0), Caller: api.Caller{
		Type: api.AssumedRole, ARN: "arn:aws:sts::000000000000:assumed-role/x/s", RoleARN: "arn:aws:iam::000000000000:role/x", UserID: "AROAX:s",
	}}
	q := Question{Action: "ec2:CreateVpc", Resource: "*", Keys: map[string][]string{"ec2:vpc": {"v"}}}
	decision := policy.Evaluate(policy.Request{Action: q.Action, Resource: q.Resource, Principal: policy.PrincipalOf(&call.Caller), Context: policy.Context(call)},
		policy.Policies{Identity: []*policy.Document{d}})
	var got failure
	if err := json.Unmarshal(failureMessage(call, q, decision), &got); err != nil {
		t.Fatal(err)
	}
	want := []statement{{
		StatementID: "NoVpcs", Effect: "DENY", Principals: values([]string{"AROAX:s"}), Groups: values(nil),
		Actions: values([]string{"ec2:CreateVpc"}), Resources: values([]string{"*"}),
		Conditions: items[condition]{[]condition{{"aws:SecureTransport", values([]string{"false"})}}},
	}}
	if diff := cmp.Diff(want, got.MatchedStatements.Items); diff != "" || got.Allowed || !got.ExplicitDeny {
		t.Errorf("matched (-want +got):\n%s", diff)
	}
	if c := got.Context; c.Action != q.Action || c.Principal.ID != "AROAX:s" || len(c.Conditions.Items) < 2 {
		t.Errorf("context %+v", c)
	}
}
