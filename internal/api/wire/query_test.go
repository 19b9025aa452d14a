package wire

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
)

func TestEC2RequestsDecode(t *testing.T) {
	c := newCodec(t, Service{Protocol: EC2Query})
	got := new(createInput)
	r := formRequest(pairs(t, "Action", "CreateVpc", "Version", "2016-11-15",
		"CidrBlock", "10.0.0.0/16", "AmazonProvided", "False", "MaxResults", "5", "Ratio", "0.25",
		"When", "2026-11-24T02:00:00Z", "Data", "aGk=", "GroupId.2", "sg-2", "GroupId.10", "sg-10", "GroupId.1", "sg-1",
		"TagSpecification.1.ResourceType", "vpc", "TagSpecification.1.Tag.1.Key", "Name", "TagSpecification.1.Tag.1.Value", ""))
	operation, err := c.Operation(r)
	if err != nil || operation != "CreateVpc" {
		t.Fatalf("Operation = %q, %v", operation, err)
	}
	if err := c.Decode(r, operation, got); err != nil {
		t.Fatal(err)
	}
	want := &createInput{
		CidrBlock: ptr("10.0.0.0/16"), Amazon: ptr(false), MaxResults: ptr(int64(5)), Ratio: ptr(0.25),
		When: ptr(time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)), Data: []byte("hi"),
		GroupIds: []string{"sg-1", "sg-2", "sg-10"},
		Specs:    []tagSpecification{{ResourceType: ptr("vpc"), Tags: []tagShape{{Key: ptr("Name"), Value: ptr("")}}}},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

func TestEC2TakesAMemberByItsNameInTheModel(t *testing.T) {
	c := newCodec(t, Service{Protocol: EC2Query})
	got := new(createInput)
	r := formRequest(pairs(t, "Action", "X", "CidrBlock", "c", "UserGroups.1.Key", "k"))
	if err := c.Decode(r, "X", got); err != nil {
		t.Fatal(err)
	}
	if len(got.UserGroups) != 1 || *got.UserGroups[0].Key != "k" {
		t.Errorf("UserGroups = %+v", got.UserGroups)
	}
}

func TestMalformedFormsAreRefusedWithAWSsCodes(t *testing.T) {
	ec2 := newCodec(t, Service{Protocol: EC2Query})
	query := newCodec(t, Service{Protocol: AWSQuery})
	many := strings.Repeat("A=1&", maxPairs+1)
	for _, test := range []struct {
		name  string
		codec Codec
		form  string
		code  string
		text  string
	}{
		{"no action", ec2, "CidrBlock=x", "MissingAction", "missing an action"},
		{"missing parameter", ec2, "Action=X", "MissingParameter", "The request must contain the parameter CidrBlock"},
		{"missing inside a list", ec2, "Action=X&CidrBlock=c&TagSpecification.1.Tag.1.Value=v", "MissingParameter", "TagSpecification.1.Tag.1.Key"},
		{"unknown parameter", ec2, "Action=X&CidrBlock=c&Nonsense.1=2", "UnknownParameter", "The parameter Nonsense.1 is not recognized"},
		{"unknown below a scalar", ec2, "Action=X&CidrBlock.1=c", "UnknownParameter", "CidrBlock.1"},
		{"not a number", ec2, "Action=X&CidrBlock=c&MaxResults=0x10", "InvalidParameterValue", "Value (0x10) for parameter MaxResults is invalid"},
		{"too large a number", ec2, "Action=X&CidrBlock=c&MaxResults=99999999999999999999", "InvalidParameterValue", "MaxResults"},
		{"number out of bounds", ec2, "Action=X&CidrBlock=c&MaxResults=4", "InvalidParameterValue", "greater than or equal to 5"},
		{"not a boolean", ec2, "Action=X&CidrBlock=c&AmazonProvided=yes", "InvalidParameterValue", "Expecting a boolean"},
		{"not a float", ec2, "Action=X&CidrBlock=c&Ratio=Inf", "InvalidParameterValue", "Ratio"},
		{"not a time", ec2, "Action=X&CidrBlock=c&When=yesterday", "InvalidParameterValue", "a timestamp"},
		{"not base64", ec2, "Action=X&CidrBlock=c&Data=!", "InvalidParameterValue", "base64"},
		{"index too large", ec2, "Action=X&CidrBlock=c&GroupId.100000=x", "MalformedQueryString", "GroupId.100000"},
		{"index with a zero", ec2, "Action=X&CidrBlock=c&GroupId.01=x", "MalformedQueryString", "GroupId.01"},
		{"index is a name", ec2, "Action=X&CidrBlock=c&GroupId.x=x", "MalformedQueryString", "GroupId.x"},
		{"empty part", ec2, "Action=X&CidrBlock..1=c", "MalformedQueryString", "malformed"},
		{"twice", ec2, "Action=X&CidrBlock=c&CidrBlock=d", "MalformedQueryString", "more than once"},
		{"bad escape", ec2, "Action=X&CidrBlock=%zz", "MalformedQueryString", "malformed"},
		{"not UTF-8", ec2, "Action=X&CidrBlock=%ff", "MalformedQueryString", "malformed"},
		{"too deep", ec2, "Action=X&" + strings.Repeat("A.", maxDepth) + "A=1", "MalformedQueryString", "too deeply"},
		{"too many", ec2, many, "MalformedQueryString", "too many"},
		{"missing, query", query, "Action=X", "ValidationError",
			"1 validation error detected: Value null at 'cidrBlock' failed to satisfy constraint: Member must not be null"},
		{"two violations, query", query, "Action=X&MaxResults=1001", "ValidationError",
			"2 validation errors detected: Value null at 'cidrBlock' failed to satisfy constraint: Member must not be null; " +
				"Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000"},
		{"list without member, query", query, "Action=X&CidrBlock=c&GroupId.1=x", "ValidationError", "GroupId.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := api.AsError(test.codec.Decode(formRequest(test.form), "X", new(createInput)))
			if err == nil {
				t.Fatal("the request was accepted")
			}
			if err.Code != test.code || !strings.Contains(err.Message, test.text) || err.Status != http.StatusBadRequest {
				t.Errorf("got %v (%d), want %s ... %s", err, err.Status, test.code, test.text)
			}
		})
	}
}

func TestABodyThatIsNoFormIsRefused(t *testing.T) {
	r := formRequest("Action=X")
	r.HTTP.Header.Set("Content-Type", "text/plain")
	_, err := newCodec(t, Service{Protocol: EC2Query}).Operation(r)
	if api.AsError(err) == nil {
		t.Errorf("Operation: %v, want an AWS error", err)
	}
}

func TestQueryListsHaveAMemberElement(t *testing.T) {
	c := newCodec(t, Service{Protocol: AWSQuery})
	got := new(createInput)
	if err := c.Decode(formRequest("Action=X&CidrBlock=c&GroupId.member.1=a&GroupId.member.2=b&Groups="), "X", got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got.GroupIds, []string{"a", "b"}); diff != "" {
		t.Error(diff)
	}
	if got.UserGroups == nil || len(got.UserGroups) != 0 {
		t.Errorf("an empty list decoded to %#v", got.UserGroups)
	}
}

func TestEC2AnswersAreEncoded(t *testing.T) {
	c := newCodec(t, Service{Protocol: EC2Query, Namespace: "http://ec2.amazonaws.com/doc/2016-11-15/"})
	out := &createInput{
		CidrBlock: ptr("a<b&\x01c"), Amazon: ptr(true), When: ptr(time.Date(2026, 11, 24, 2, 0, 0, 5e6, time.UTC)),
		GroupIds: []string{"x", "y"}, UserGroups: []tagShape{},
	}
	r, err := c.Output("req-1", "CreateVpc", out)
	if err != nil {
		t.Fatal(err)
	}
	want := `<?xml version="1.0" encoding="UTF-8"?>
<CreateVpcResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>req-1</requestId>` +
		`<cidrBlock>a&lt;b&amp;` + "\uFFFD" + `c</cidrBlock><amazonProvided>true</amazonProvided><when>2026-11-24T02:00:00.005Z</when>` +
		`<groupIdSet><item>x</item><item>y</item></groupIdSet><groups></groups></CreateVpcResponse>
`
	if diff := cmp.Diff(string(r.Body), want); diff != "" {
		t.Error(diff)
	}
	if r.Status != 200 || header(r, "X-Amzn-RequestId") != "req-1" {
		t.Errorf("status %d, headers %v", r.Status, r.Header)
	}
}

func TestEC2SaysTrueWhereThereIsNoOutput(t *testing.T) {
	r, err := newCodec(t, Service{Protocol: EC2Query}).Output("r", "DeleteVpc", &emptyShape{})
	if err != nil {
		t.Fatal(err)
	}
	if got := wellFormed(t, r.Body)["DeleteVpcResponse/return"]; !cmp.Equal(got, []string{"true"}) {
		t.Errorf("return = %q", got)
	}
}

func TestQueryAnswersHaveAResult(t *testing.T) {
	c := newCodec(t, Service{Protocol: AWSQuery, Namespace: "https://iam.amazonaws.com/doc/2010-05-08/"})
	r, err := c.Output("r", "GetRole", &createInput{GroupIds: []string{"x"}, When: ptr(time.Unix(0, 0))})
	if err != nil {
		t.Fatal(err)
	}
	got := wellFormed(t, r.Body)
	if !cmp.Equal(got["GetRoleResponse/GetRoleResult/groupIdSet/member"], []string{"x"}) ||
		!cmp.Equal(got["GetRoleResponse/GetRoleResult/when"], []string{"1970-01-01T00:00:00Z"}) ||
		!cmp.Equal(got["GetRoleResponse/ResponseMetadata/RequestId"], []string{"r"}) {
		t.Errorf("answer = %s", r.Body)
	}
	r, err = c.Output("r", "DeleteRole", &emptyShape{})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(r.Body), "DeleteRoleResult") {
		t.Errorf("an operation without output has a result: %s", r.Body)
	}
	r, err = c.Output("r", "RegisterTargets", &wrappedShape{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(r.Body), "<RegisterTargetsResult></RegisterTargetsResult>") {
		t.Errorf("an empty output that says it has a result has none: %s", r.Body)
	}
}

type wrappedShape struct{}

func (*wrappedShape) Wrapped() {}

func TestErrorsHaveTheProtocolsShape(t *testing.T) {
	e := api.Errorf("InvalidVpcID.NotFound", "The vpc ID 'a<b' does not exist").With("BucketName", "b")
	got := wellFormed(t, newCodec(t, Service{Protocol: EC2Query}).Error("r", e).Body)
	if !cmp.Equal(got["Response/Errors/Error/Code"], []string{e.Code}) ||
		!cmp.Equal(got["Response/Errors/Error/Message"], []string{e.Message}) || !cmp.Equal(got["Response/RequestID"], []string{"r"}) {
		t.Errorf("EC2: %v", got)
	}
	got = wellFormed(t, newCodec(t, Service{Protocol: AWSQuery}).Error("r", e.WithStatus(500)).Body)
	if !cmp.Equal(got["ErrorResponse/Error/Type"], []string{"Receiver"}) || !cmp.Equal(got["ErrorResponse/Error/Code"], []string{e.Code}) ||
		!cmp.Equal(got["ErrorResponse/RequestId"], []string{"r"}) {
		t.Errorf("query: %v", got)
	}
	got = wellFormed(t, S3Error("r", e).Body)
	if !cmp.Equal(got["Error/BucketName"], []string{"b"}) || !cmp.Equal(got["Error/RequestId"], []string{"r"}) {
		t.Errorf("S3: %v", got)
	}
}
