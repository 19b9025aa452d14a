package lambda

import (
	"testing"
)

func allow(function, id, principal string) *AddPermissionInput {
	return &AddPermissionInput{FunctionName: &function, StatementId: &id, Principal: &principal, Action: ptr("lambda:InvokeFunction")}
}

func TestPermissionsMakeAPolicyInAWSsForm(t *testing.T) {
	b := newBench(t)
	b.create("f", func(in *CreateFunctionInput) { in.Publish = ptr(true) })
	in := allow("f", "bucket", "s3.amazonaws.com")
	in.SourceArn, in.SourceAccount = ptr("arn:aws:s3:::b"), ptr("000000000000")
	added := must[AddPermissionOutput](b, "AddPermission", in)
	want := `{"Sid":"bucket","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction",` +
		`"Resource":"arn:aws:lambda:us-west-2:000000000000:function:f","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"},"StringEquals":{"AWS:SourceAccount":"000000000000"}}}`
	if *added.Statement != want {
		t.Errorf("got  %s\nwant %s", *added.Statement, want)
	}
	must[AddPermissionOutput](b, "AddPermission", allow("f", "account", "123456789012"))
	got := must[GetPolicyOutput](b, "GetPolicy", &GetPolicyInput{FunctionName: ptr("f")})
	whole := `{"Version":"2012-10-17","Id":"default","Statement":[` + want + `,{"Sid":"account","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},` +
		`"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-west-2:000000000000:function:f"}]}`
	if *got.Policy != whole {
		t.Errorf("got  %s\nwant %s", *got.Policy, whole)
	}
	version := allow("f", "version", "*")
	version.Qualifier = ptr("1")
	must[AddPermissionOutput](b, "AddPermission", version)
	if p := policyOf(b.state.View(), ptr("f"), ptr("1")); p.Text == "" || p.Text == whole {
		t.Errorf("the version's policy is %q", p.Text)
	}
	if p := policyOf(b.state.View(), ptr("f:$LATEST"), nil); p.Text != whole {
		t.Errorf("the policy of $LATEST is %q", p.Text)
	}
	for _, id := range []string{"bucket", "account"} {
		must[RemovePermissionOutput](b, "RemovePermission", &RemovePermissionInput{FunctionName: ptr("f"), StatementId: &id})
	}
	b.refused("GetPolicy", &GetPolicyInput{FunctionName: ptr("f")}, 404, "ResourceNotFoundException: No policy is associated with the given resource.")
}

func TestPermissionsThatAWSRefusesAreRefused(t *testing.T) {
	b := newBench(t)
	b.create("f")
	must[AddPermissionOutput](b, "AddPermission", allow("f", "there", "*"))
	latest := allow("f", "x", "*")
	latest.Qualifier = ptr("$LATEST")
	stale := allow("f", "x", "*")
	stale.RevisionId = ptr("stale")
	b.refused("AddPermission", allow("f", "there", "*"), 409, "ResourceConflictException: The statement id (there) provided already exists. Please provide a new statement id, or remove the existing statement.")
	b.refused("AddPermission", latest, 400, "InvalidParameterValueException: We currently do not support adding policies for $LATEST.")
	b.refused("AddPermission", stale, 412, "PreconditionFailedException: The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id")
	b.refused("AddPermission", allow("f", "x", "arn:of nobody"), 400, "InvalidParameterValueException: The provided principal was invalid. Please check the principal and try again.")
	b.refused("RemovePermission", &RemovePermissionInput{FunctionName: ptr("f"), StatementId: ptr("x")}, 404, "ResourceNotFoundException: Statement x is not found in resource policy.")
}
