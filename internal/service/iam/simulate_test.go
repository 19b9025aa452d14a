package iam

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	annARN     = "arn:aws:iam::" + account + ":user/ann"
	twoLines   = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\n    \"Effect\": \"Allow\", \"Action\": \"s3:ListBucket\",\n    \"Resource\": \"arn:aws:s3:::teambucket\"\n  }\n}"
	denyDelete = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}]}`
	homes      = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}/*","Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}}]}`
	allS3      = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	onlyEC2    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`
)

// found is what a test looks at of one result.
type found struct {
	Action, On, Decision string
	Matched              []string
	Missing              []string
	Boundary             string
}

func resultsOf(out *SimulatePolicyResponse) []found {
	var all []found
	for _, e := range out.EvaluationResults {
		f := found{Action: *e.EvalActionName, On: *e.EvalResourceName, Decision: *e.EvalDecision}
		for _, m := range e.MatchedStatements {
			f.Matched = append(f.Matched, *m.SourcePolicyId+" "+*m.SourcePolicyType)
		}
		if len(e.MissingContextValues) > 0 {
			f.Missing = e.MissingContextValues
		}
		if b := e.PermissionsBoundaryDecisionDetail; b != nil {
			f.Boundary = map[bool]string{true: "inside", false: "outside"}[*b.AllowedByPermissionsBoundary]
		}
		all = append(all, f)
	}
	return all
}

// The example of the API reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html.
func TestASimulationPointsAtTheStatementThatDecided(t *testing.T) {
	r := newRegion(t)
	out := must[SimulatePolicyResponse](t, r, "SimulateCustomPolicy", &SimulateCustomPolicyInput{
		PolicyInputList: []string{twoLines, denyDelete}, ActionNames: []string{"s3:ListBucket", "s3:DeleteObject", "s3:GetObject"},
		ResourceArns: []string{"arn:aws:s3:::teambucket"},
	})
	want := []found{
		{Action: "s3:ListBucket", On: "arn:aws:s3:::teambucket", Decision: "allowed", Matched: []string{"PolicyInputList.1 none"}},
		{Action: "s3:DeleteObject", On: "arn:aws:s3:::teambucket", Decision: "explicitDeny", Matched: []string{"PolicyInputList.2 none"}},
		{Action: "s3:GetObject", On: "arn:aws:s3:::teambucket", Decision: "implicitDeny"},
	}
	if diff := cmp.Diff(want, resultsOf(out)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	first := out.EvaluationResults[0]
	m := first.MatchedStatements[0]
	if *m.StartPosition.Line != 3 || *m.StartPosition.Column != 16 || *m.EndPosition.Line != 6 || *m.EndPosition.Column != 4 {
		t.Errorf("the statement is at %d:%d to %d:%d", *m.StartPosition.Line, *m.StartPosition.Column, *m.EndPosition.Line, *m.EndPosition.Column)
	}
	if s := first.ResourceSpecificResults; len(s) != 1 || *s[0].EvalResourceName != "arn:aws:s3:::teambucket" || *s[0].EvalResourceDecision != "allowed" {
		t.Errorf("results of resources: %+v", s)
	}
}

func TestASimulationOfAUserHasItsGroupsItsBoundaryAndItsKeys(t *testing.T) {
	r := newRegion(t)
	must[CreateUserOutput](t, r, "CreateUser", &CreateUserInput{UserName: p("ann")})
	must[CreateGroupOutput](t, r, "CreateGroup", &CreateGroupInput{GroupName: p("readers")})
	must[PutGroupPolicyOutput](t, r, "PutGroupPolicy", &PutGroupPolicyInput{GroupName: p("readers"), PolicyName: p("homes"), PolicyDocument: p(homes)})
	must[AddUserToGroupOutput](t, r, "AddUserToGroup", &AddUserToGroupInput{GroupName: p("readers"), UserName: p("ann")})
	in := &SimulatePrincipalPolicyInput{PolicySourceArn: p(annARN), ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"arn:aws:s3:::b/ann/x", "arn:aws:s3:::b/bob/x"}}

	try := func(name string, want ...found) {
		t.Helper()
		if diff := cmp.Diff(want, resultsOf(must[SimulatePolicyResponse](t, r, "SimulatePrincipalPolicy", in))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	const ann, bob = "arn:aws:s3:::b/ann/x", "arn:aws:s3:::b/bob/x"
	try("without the key", found{Action: "s3:GetObject", On: ann, Decision: "implicitDeny", Missing: []string{"aws:SourceVpce"}},
		found{Action: "s3:GetObject", On: bob, Decision: "implicitDeny"})
	in.ContextEntries = []ContextEntry{{ContextKeyName: p("AWS:SourceVPCE"), ContextKeyType: p("string"), ContextKeyValues: []string{"vpce-1"}}}
	try("with it", found{Action: "s3:GetObject", On: ann, Decision: "allowed", Matched: []string{"group_readers_homes group"}},
		found{Action: "s3:GetObject", On: bob, Decision: "implicitDeny"})

	in.PermissionsBoundaryPolicyInputList = []string{onlyEC2}
	in.ResourceArns = []string{ann}
	try("outside a boundary", found{Action: "s3:GetObject", On: ann, Decision: "implicitDeny", Boundary: "outside"})
	in.PermissionsBoundaryPolicyInputList = []string{allS3}
	try("inside one", found{Action: "s3:GetObject", On: ann, Decision: "allowed", Matched: []string{"group_readers_homes group"}, Boundary: "inside"})
	in.PermissionsBoundaryPolicyInputList = nil
	must[PutUserPermissionsBoundaryOutput](t, r, "PutUserPermissionsBoundary", &PutUserPermissionsBoundaryInput{UserName: p("ann"), PermissionsBoundary: p(denyAll)})
	try("with its own", found{Action: "s3:GetObject", On: ann, Decision: "explicitDeny", Matched: []string{"AWSDenyAll aws-managed"}, Boundary: "outside"})
}

func TestASimulationAndTheCallAgree(t *testing.T) {
	r := newRegion(t)
	role := r.role(t, "reader")
	must[PutRolePolicyOutput](t, r, "PutRolePolicy", &PutRolePolicyInput{RoleName: p("reader"), PolicyName: p("reads"), PolicyDocument: p(readB)})
	must[AttachRolePolicyOutput](t, r, "AttachRolePolicy", &AttachRolePolicyInput{RoleName: p("reader"), PolicyArn: p(vpcAccess)})
	for action, on := range map[string]string{
		"s3:GetObject": "arn:aws:s3:::b/k", "s3:PutObject": "arn:aws:s3:::b/k", "ec2:CreateNetworkInterface": "*", "ec2:CreateVpc": "*", "logs:PutLogEvents": "*",
	} {
		out := must[SimulatePolicyResponse](t, r, "SimulatePrincipalPolicy", &SimulatePrincipalPolicyInput{PolicySourceArn: role.Arn, ActionNames: []string{action}, ResourceArns: []string{on}})
		if got, want := *out.EvaluationResults[0].EvalDecision == "allowed", r.may(t, r.session(t, "reader"), action, on); got != want {
			t.Errorf("%s on %s: simulated %v, decided %v", action, on, got, want)
		}
	}
}

func TestAResourcePolicyIsSimulatedForAUser(t *testing.T) {
	r := newRegion(t)
	const foreign = "arn:aws:iam::111111111111:user/carlos"
	toCarlos := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + foreign + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`
	in := &SimulateCustomPolicyInput{
		PolicyInputList: []string{allS3}, ActionNames: []string{"s3:GetObject", "s3:PutObject"}, ResourceArns: []string{"arn:aws:s3:::b/k"},
		ResourcePolicy: &toCarlos,
	}
	r.refuse(t, "SimulateCustomPolicy", in, "InvalidInput: CallerArn is needed with a ResourcePolicy, and names a user.", 400)
	in.CallerArn, in.ResourceOwner = p(foreign), p("arn:aws:iam::222222222222:root")
	out := must[SimulatePolicyResponse](t, r, "SimulateCustomPolicy", in)
	want := []found{
		{Action: "s3:GetObject", On: "arn:aws:s3:::b/k", Decision: "allowed", Matched: []string{"PolicyInputList.1 none", "ResourcePolicy resource"}},
		{Action: "s3:PutObject", On: "arn:aws:s3:::b/k", Decision: "implicitDeny"},
	}
	if diff := cmp.Diff(want, resultsOf(out)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"IAM Policy": "allowed", "Resource Policy": "implicitDeny"}, out.EvaluationResults[1].EvalDecisionDetails); diff != "" {
		t.Errorf("details of the call across accounts (-want +got)\n%s", diff)
	}
}

func TestSimulationsAreRefusedWhenTheyMakeNoSense(t *testing.T) {
	r := newRegion(t)
	custom := func(change func(*SimulateCustomPolicyInput)) *SimulateCustomPolicyInput {
		in := &SimulateCustomPolicyInput{PolicyInputList: []string{allS3}, ActionNames: []string{"s3:GetObject"}}
		change(in)
		return in
	}
	for want, in := range map[string]*SimulateCustomPolicyInput{
		"InvalidInput: The policy PolicyInputList.1 is not valid: Syntax errors in policy.":                                     custom(func(in *SimulateCustomPolicyInput) { in.PolicyInputList = []string{"{"} }),
		"InvalidInput: Invalid resource ARN: b":                                                                                 custom(func(in *SimulateCustomPolicyInput) { in.ResourceArns = []string{"b"} }),
		"InvalidInput: Invalid action name: s3:*. It is a service and an operation, such as iam:CreateUser, without wildcards.": custom(func(in *SimulateCustomPolicyInput) { in.ActionNames = []string{"s3:*"} }),
		"InvalidInput: Invalid CallerArn: ann. It is the ARN of a user.":                                                        custom(func(in *SimulateCustomPolicyInput) { in.CallerArn = p("ann") }),
		"InvalidInput: PermissionsBoundaryPolicyInputList holds at most one policy.":                                            custom(func(in *SimulateCustomPolicyInput) { in.PermissionsBoundaryPolicyInputList = []string{allS3, allS3} }),
		"InvalidInput: ResourceHandlingOption is not supported: name in ResourceArns what the call is about.":                   custom(func(in *SimulateCustomPolicyInput) { in.ResourceHandlingOption = p("EC2-VPC-EBS") }),
	} {
		r.refuse(t, "SimulateCustomPolicy", in, want, 400)
	}
	r.refuse(t, "SimulatePrincipalPolicy", &SimulatePrincipalPolicyInput{PolicySourceArn: p(annARN), ActionNames: []string{"s3:GetObject"}},
		"NoSuchEntity: The user with name ann cannot be found.", 404)
	session := "arn:aws:sts::" + account + ":assumed-role/reader/s"
	r.refuse(t, "SimulatePrincipalPolicy", &SimulatePrincipalPolicyInput{PolicySourceArn: &session, ActionNames: []string{"s3:GetObject"}},
		"InvalidInput: Invalid Entity Arn: "+session+" does not clearly define entity type and name.", 400)
}

func TestResultsComeInPages(t *testing.T) {
	r := newRegion(t)
	in := &SimulateCustomPolicyInput{PolicyInputList: []string{allS3}, ActionNames: []string{"s3:A", "s3:B", "s3:C"}, MaxItems: p(int64(2))}
	first := must[SimulatePolicyResponse](t, r, "SimulateCustomPolicy", in)
	if len(first.EvaluationResults) != 2 || !*first.IsTruncated {
		t.Fatalf("first page: %+v", first)
	}
	in.Marker = first.Marker
	second := must[SimulatePolicyResponse](t, r, "SimulateCustomPolicy", in)
	if len(second.EvaluationResults) != 1 || *second.EvaluationResults[0].EvalActionName != "s3:C" || *second.IsTruncated {
		t.Errorf("second page: %+v", second)
	}
}

func TestTheKeysOfPoliciesAreListedOnce(t *testing.T) {
	r := newRegion(t)
	must[CreateUserOutput](t, r, "CreateUser", &CreateUserInput{UserName: p("ann")})
	must[PutUserPolicyOutput](t, r, "PutUserPolicy", &PutUserPolicyInput{UserName: p("ann"), PolicyName: p("homes"), PolicyDocument: p(homes)})
	out := must[GetContextKeysForPolicyResponse](t, r, "GetContextKeysForPrincipalPolicy", &GetContextKeysForPrincipalPolicyInput{
		PolicySourceArn: p(annARN), PolicyInputList: []string{strings.ReplaceAll(homes, "aws:SourceVpce", "AWS:sourcevpce")},
	})
	if diff := cmp.Diff([]string{"aws:SourceVpce", "aws:username"}, out.ContextKeyNames); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	custom := must[GetContextKeysForPolicyResponse](t, r, "GetContextKeysForCustomPolicy", &GetContextKeysForCustomPolicyInput{PolicyInputList: []string{allS3}})
	if len(custom.ContextKeyNames) != 0 {
		t.Errorf("keys of a policy without any: %v", custom.ContextKeyNames)
	}
	granting := must[ListPoliciesGrantingServiceAccessOutput](t, r, "ListPoliciesGrantingServiceAccess",
		&ListPoliciesGrantingServiceAccessInput{Arn: p(annARN), ServiceNamespaces: []string{"s3", "ec2"}}).PoliciesGrantingServiceAccess
	if len(granting) != 2 || len(granting[0].Policies) != 1 || *granting[0].Policies[0].PolicyName != "homes" || *granting[0].Policies[0].EntityType != "USER" || len(granting[1].Policies) != 0 {
		t.Errorf("policies that grant access: %+v", granting)
	}
}
