package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	account = "000000000000"
	roleARN = "arn:aws:iam::000000000000:role/reader"
	session = "arn:aws:sts::000000000000:assumed-role/reader/s1"
	rootARN = "arn:aws:iam::000000000000:root"
)

var (
	reader      = Principal{Account: account, ARN: session, RoleARN: roleARN}
	accountRoot = Principal{Account: account, ARN: rootARN, Root: true}
	anonymous   = Principal{Anonymous: true}
	stranger    = Principal{Account: "111111111111", ARN: "arn:aws:sts::111111111111:assumed-role/x/s", RoleARN: "arn:aws:iam::111111111111:role/x"}
)

// single makes a document of one statement.
func single(t testing.TB, kind Kind, effect Effect, more string) *Document {
	t.Helper()
	s := `{"Effect":"` + string(effect) + `"`
	if !strings.Contains(more, `Action"`) {
		s += `,"Action":"s3:GetObject"`
	}
	if !strings.Contains(more, `Resource"`) {
		s += `,"Resource":"arn:aws:s3:::b/*"`
	}
	if more != "" {
		s += "," + more
	}
	return mustParse(t, kind, `{"Version":"2012-10-17","Statement":[`+s+`}]}`)
}

func TestWhoMayDoWhatWithWhichPolicies(t *testing.T) {
	var (
		identityAllows = single(t, Identity, Allow, "")
		identityDenies = single(t, Identity, Deny, "")
		otherIdentity  = single(t, Identity, Allow, `"Action":"s3:PutObject"`)
		everybody      = single(t, Resource, Allow, `"Principal":"*"`)
		toAccount      = single(t, Resource, Allow, `"Principal":{"AWS":"000000000000"}`)
		toRole         = single(t, Resource, Allow, `"Principal":{"AWS":"`+roleARN+`"}`)
		toSession      = single(t, Resource, Allow, `"Principal":{"AWS":"`+session+`"}`)
		toStranger     = single(t, Resource, Allow, `"Principal":{"AWS":"111111111111"}`)
		denyAll        = single(t, Resource, Deny, `"Principal":"*"`)
		denyAccount    = single(t, Resource, Deny, `"Principal":{"AWS":"`+rootARN+`"}`)
		denyOthers     = single(t, Resource, Deny, `"NotPrincipal":{"AWS":["`+roleARN+`","`+session+`","`+rootARN+`"]}`)
		denyHalf       = single(t, Resource, Deny, `"NotPrincipal":{"AWS":["`+roleARN+`"]}`)
		limitOther     = single(t, Boundary, Allow, `"Action":"ec2:*","Resource":"*"`)
		limitAllows    = single(t, Boundary, Allow, "")
		sessionOther   = single(t, Session, Allow, `"Action":"ec2:*","Resource":"*"`)
		endpointAll    = single(t, Endpoint, Allow, `"Principal":"*","Action":"*","Resource":"*"`)
		endpointOther  = single(t, Endpoint, Allow, `"Principal":"*","Resource":"arn:aws:s3:::c/*"`)
		endpointDenies = single(t, Endpoint, Deny, `"Principal":"*"`)
		gatewayAccount = single(t, GatewayEndpoint, Allow, `"Principal":{"AWS":"000000000000"}`)
		serviceOnly    = single(t, Resource, Allow, `"Principal":{"Service":"logs.amazonaws.com"}`)
	)
	for _, c := range []struct {
		name     string
		who      Principal
		policies Policies
		allowed  bool
		kind     string
		explicit bool
	}{
		{"nothing", reader, Policies{}, false, "identity-based", false},
		{"identity allows", reader, Policies{Identity: []*Document{identityAllows}}, true, "identity-based", false},
		{"identity allows something else", reader, Policies{Identity: []*Document{otherIdentity}}, false, "identity-based", false},
		{"deny beats allow", reader, Policies{Identity: []*Document{identityAllows, identityDenies}}, false, "identity-based", true},
		{"resource deny beats identity allow", reader, Policies{Identity: []*Document{identityAllows}, Resource: denyAll}, false, "resource-based", true},
		{"resource allows everybody", reader, Policies{Resource: everybody}, true, "resource-based", false},
		{"resource names the role", reader, Policies{Resource: toRole}, true, "resource-based", false},
		{"resource names the session", reader, Policies{Resource: toSession}, true, "resource-based", false},
		{"resource names the account only", reader, Policies{Resource: toAccount}, false, "identity-based", false},
		{"resource names the account, identity allows", reader, Policies{Resource: toAccount, Identity: []*Document{identityAllows}}, true, "identity-based", false},
		{"deny names the account", reader, Policies{Resource: denyAccount, Identity: []*Document{identityAllows}}, false, "resource-based", true},
		{"everybody but the reader denied", reader, Policies{Resource: denyOthers, Identity: []*Document{identityAllows}}, true, "identity-based", false},
		{"NotPrincipal without session and account", reader, Policies{Resource: denyHalf, Identity: []*Document{identityAllows}}, false, "resource-based", true},
		{"everybody but the reader denied, root", accountRoot, Policies{Resource: denyOthers}, true, "root", false},
		{"boundary allows too", reader, Policies{Identity: []*Document{identityAllows}, Boundary: limitAllows}, true, "identity-based", false},
		{"boundary lacks it", reader, Policies{Identity: []*Document{identityAllows}, Boundary: limitOther}, false, "permissions boundary", false},
		{"boundary does not give", reader, Policies{Boundary: limitAllows}, false, "identity-based", false},
		{"session policy lacks it", reader, Policies{Identity: []*Document{identityAllows}, Session: sessionOther}, false, "session", false},
		{"role named, boundary lacks it", reader, Policies{Resource: toRole, Boundary: limitOther}, false, "permissions boundary", false},
		{"role named, session policy lacks it", reader, Policies{Resource: toRole, Session: sessionOther}, false, "session", false},
		{"session named, boundary and session policy lack it", reader, Policies{Resource: toSession, Boundary: limitOther, Session: sessionOther}, true, "resource-based", false},
		{"endpoint allows all", reader, Policies{Identity: []*Document{identityAllows}, Endpoint: endpointAll}, true, "identity-based", false},
		{"endpoint gives nothing", reader, Policies{Endpoint: endpointAll}, false, "identity-based", false},
		{"endpoint for another bucket", reader, Policies{Identity: []*Document{identityAllows}, Endpoint: endpointOther}, false, "VPC endpoint", false},
		{"endpoint denies", reader, Policies{Identity: []*Document{identityAllows}, Endpoint: endpointDenies}, false, "VPC endpoint", true},
		{"endpoint for another bucket, session named", reader, Policies{Resource: toSession, Endpoint: endpointOther}, false, "VPC endpoint", false},
		{"gateway endpoint for the account is for root", reader, Policies{Identity: []*Document{identityAllows}, Endpoint: gatewayAccount}, false, "VPC endpoint", false},
		{"gateway endpoint for the account, root", accountRoot, Policies{Endpoint: gatewayAccount}, true, "root", false},
		{"root", accountRoot, Policies{}, true, "root", false},
		{"root denied by the resource", accountRoot, Policies{Resource: denyAll}, false, "resource-based", true},
		{"root through an endpoint for another bucket", accountRoot, Policies{Endpoint: endpointOther}, false, "VPC endpoint", false},
		{"root is not bound by identity policies", accountRoot, Policies{Identity: []*Document{identityDenies}, Boundary: limitOther}, true, "root", false},
		{"anonymous", anonymous, Policies{}, false, "resource-based", false},
		{"anonymous and an account", anonymous, Policies{Resource: toAccount}, false, "resource-based", false},
		{"anonymous and everybody", anonymous, Policies{Resource: everybody}, true, "resource-based", false},
		{"anonymous denied by the endpoint", anonymous, Policies{Resource: everybody, Endpoint: endpointOther}, false, "VPC endpoint", false},
		{"service named", Principal{Service: "logs.amazonaws.com"}, Policies{Resource: serviceOnly}, true, "resource-based", false},
		{"other service", Principal{Service: "ec2.amazonaws.com"}, Policies{Resource: serviceOnly}, false, "resource-based", false},
		{"cross-account needs both: resource", stranger, Policies{Resource: toStranger, ResourceAccount: account}, false, "identity-based", false},
		{"cross-account needs both: identity", stranger, Policies{Identity: []*Document{identityAllows}, ResourceAccount: account}, false, "resource-based", false},
		{"cross-account with both", stranger, Policies{Identity: []*Document{identityAllows}, Resource: toStranger, ResourceAccount: account}, true, "identity-based", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Evaluate(Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Principal: c.who}, c.policies)
			got := []any{d.Allowed, d.Kind, d.Explicit}
			if diff := cmp.Diff([]any{c.allowed, c.kind, c.explicit}, got); diff != "" {
				t.Errorf("decision (-want +got):\n%s\n%v", diff, d.Trace)
			}
			if (d.Statement >= 0) != (d.Document != "") {
				t.Errorf("statement %d of document %q", d.Statement, d.Document)
			}
		})
	}
}

func TestATrustPolicyMustAllowByItself(t *testing.T) {
	trust := func(principal string) *Document {
		return mustParse(t, Trust, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":`+principal+`}]}`)
	}
	may := single(t, Identity, Allow, `"Action":"sts:AssumeRole","Resource":"*"`)
	for _, c := range []struct {
		name     string
		who      Principal
		trust    *Document
		identity []*Document
		want     bool
	}{
		{"identity alone is not enough", reader, trust(`{"Service":"lambda.amazonaws.com"}`), []*Document{may}, false},
		{"role named", reader, trust(`{"AWS":"` + roleARN + `"}`), nil, true},
		{"account named", reader, trust(`{"AWS":"` + rootARN + `"}`), nil, false},
		{"account named, identity allows", reader, trust(`{"AWS":"` + rootARN + `"}`), []*Document{may}, true},
		{"service", Principal{Service: "lambda.amazonaws.com"}, trust(`{"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]}`), nil, true},
		{"other service", Principal{Service: "lambda.amazonaws.com"}, trust(`{"Service":"ec2.amazonaws.com"}`), nil, false},
		{"service is not everybody's", Principal{Service: "lambda.amazonaws.com"}, trust(`{"AWS":"000000000000"}`), nil, false},
		{"root and the account", accountRoot, trust(`{"AWS":"000000000000"}`), nil, true},
		{"root and a service", accountRoot, trust(`{"Service":"lambda.amazonaws.com"}`), nil, false},
	} {
		d := Evaluate(Request{Action: "sts:AssumeRole", Resource: roleARN, Principal: c.who},
			Policies{Resource: c.trust, Identity: c.identity, ResourceDecides: true})
		if d.Allowed != c.want {
			t.Errorf("%s: allowed %v, want %v (%s)", c.name, d.Allowed, c.want, d.Kind)
		}
	}
}

// The bucket policy of AWS's guide that closes a bucket but for one endpoint.
func TestDenyUnlessThroughTheEndpoint(t *testing.T) {
	policies := Policies{Identity: []*Document{single(t, Identity, Allow, "")}, Resource: single(t, Resource, Deny,
		`"Sid":"Only the endpoint","Principal":"*","Condition":{"StringNotEquals":{"aws:sourceVpce":"vpce-1"}}`)}
	for _, c := range []struct {
		name    string
		who     Principal
		context map[string][]string
		want    bool
	}{
		{"through it", reader, map[string][]string{"aws:sourcevpce": {"vpce-1"}}, true},
		{"through another", reader, map[string][]string{"aws:sourcevpce": {"vpce-2"}}, false},
		{"from the host", reader, nil, false},
		{"root from the host", accountRoot, nil, false},
	} {
		d := Evaluate(Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Principal: c.who, Context: c.context}, policies)
		if d.Allowed != c.want {
			t.Errorf("%s: allowed %v, want %v", c.name, d.Allowed, c.want)
		}
		if !d.Allowed && (d.Sid != "Only the endpoint" || !d.Explicit) {
			t.Errorf("%s: decided by %+v", c.name, d)
		}
	}
}

func TestTheTraceSaysWhyAStatementDoesNotApply(t *testing.T) {
	doc := mustParse(t, Identity, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"},
		{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::c/*"},
		{"Sid":"Vpce","Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpce":["vpce-1","vpce-2"]}}},
		{"Effect":"Allow","NotAction":"s3:*","Resource":"*"},
		{"Effect":"Allow","Action":"s3:G?tObj*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`)
	d := Evaluate(Request{
		Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Principal: reader,
		Context: map[string][]string{"aws:securetransport": {"false"}},
	}, Policies{Identity: []*Document{doc}})
	var got []string
	for _, s := range d.Trace {
		got = append(got, s.String())
	}
	want := []string{
		"identity-based policy identity-based, statement 0: Action does not match",
		"identity-based policy identity-based, statement 1: Resource does not match",
		"identity-based policy identity-based, statement 2 (Vpce): StringEquals aws:SourceVpce wants vpce-1, vpce-2, the request has no such key",
		"identity-based policy identity-based, statement 3: NotAction does not match",
		"identity-based policy identity-based, statement 4: Bool aws:SecureTransport wants true, the request has false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("trace (-want +got):\n%s", diff)
	}
}

func TestDeniedTexts(t *testing.T) {
	const caller = "arn:aws:sts::000000000000:assumed-role/reader/s1"
	for _, c := range []struct {
		decision Decision
		quote    bool
		want     string
	}{
		{Decision{Kind: "identity-based"}, false,
			`User: ` + caller + ` is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k because no identity-based policy allows the s3:GetObject action`},
		{Decision{Kind: "identity-based", Explicit: true}, true,
			`User: ` + caller + ` is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" with an explicit deny in an identity-based policy`},
		{Decision{Kind: "resource-based", Explicit: true}, true,
			`User: ` + caller + ` is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" with an explicit deny in a resource-based policy`},
		{Decision{Kind: "VPC endpoint"}, true,
			`User: ` + caller + ` is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" because no VPC endpoint policy allows the s3:GetObject action`},
		{Decision{Kind: "VPC endpoint", Explicit: true}, true,
			`User: ` + caller + ` is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" with an explicit deny in a VPC endpoint policy`},
		{Decision{Kind: "permissions boundary"}, false,
			`User: ` + caller + ` is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k because no permissions boundary allows the s3:GetObject action`},
		{Decision{Kind: "session", Explicit: true}, false,
			`User: ` + caller + ` is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k with an explicit deny in a session policy`},
		{Decision{Kind: "service control", Explicit: true}, false,
			`User: ` + caller + ` is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k with an explicit deny in a service control policy`},
		{Decision{Kind: "resource control"}, false,
			`User: ` + caller + ` is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k because no resource control policy allows the s3:GetObject action`},
		{Decision{Kind: "resource-based", CrossAccount: true}, true, `Access Denied`},
	} {
		if got := DeniedText(caller, "s3:GetObject", "arn:aws:s3:::b/k", c.quote, c.decision); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	if got := DeniedText("", "s3:GetObject", "x", true, Decision{Kind: "resource-based"}); got != "Access Denied" {
		t.Errorf("anonymous: %s", got)
	}
}
