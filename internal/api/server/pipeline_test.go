package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

func TestACallGoesThroughThePipeline(t *testing.T) {
	f := newFixture(t)
	f.want(t, form("Action", "CreateVpc", "CidrBlock", "10.0.0.0/16", "Tag.1.Key", "Name", "Tag.1.Value", "a"), 200, "<vpcId>vpc-")
	if diff := cmp.Diff(f.asked, []Question{{
		Action: "ec2:CreateVpc", Resource: "arn:aws:ec2:us-west-2:000000000000:vpc/*",
		Keys: map[string][]string{"aws:requesttag/name": {"a"}, "aws:tagkeys": {"Name"}},
	}}); diff != "" {
		t.Error(diff)
	}
	if !cmp.Equal(f.settled, []uint64{1}) || f.store.View().Revision() != 1 {
		t.Errorf("settled %v at revision %d", f.settled, f.store.View().Revision())
	}
	r := f.lastRecord(t)
	if r.Service != "ec2" || r.Operation != "CreateVpc" || r.Revision != 1 || r.Status != 200 || r.Code != "" || r.Caller.Type != api.Root ||
		r.Origin.Door != api.DoorHost || !r.Origin.SourceIP.IsLoopback() || len(r.Decisions) != 1 || !r.Decisions[0].Decision.Allowed {
		t.Errorf("record = %+v", r)
	}
	if got := strings.Count(f.log.String(), "\n"); got != 1 {
		t.Errorf("%d log lines, want 1:\n%s", got, &f.log)
	}
}

func TestEveryProtocolIsServed(t *testing.T) {
	f := newFixture(t)
	f.want(t, form("Action", "DescribeVpcs"), 200, "<DescribeVpcsResponse>")
	f.want(t, form("Action", "GetCallerIdentity").as("sts", ""), 200, ":root</vpcId></GetCallerIdentityResult>")
	f.want(t, call{service: "lambda", path: "/2015-03-31/functions/f/invocations", body: `{"a":1}`}, 200, `{"a":1}`)
	f.want(t, call{service: "logs", header: map[string]string{"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}, body: "{}"}, 200, `{"vpcId":""}`)
	f.want(t, call{service: "s3", method: "PUT", path: "/b/k", body: "bytes"}, 200, "bytes")
	sts := form("Action", "GetCallerIdentity").as("sts", "")
	sts.region = "us-east-1"
	f.want(t, sts, 200, "GetCallerIdentityResult")
}

func TestCallsOfS3AreRecordedToo(t *testing.T) {
	f := newFixture(t)
	f.want(t, call{service: "s3", key: roleKey, method: "GET", path: "/b/k"}, 403, "AccessDenied")
	r := f.lastRecord(t)
	if r.Service != "s3" || r.Operation != "GetObject" || r.Status != 403 || r.Caller.ARN != roleARN || len(r.RequestID) != 16 ||
		len(r.Decisions) != 1 || r.Decisions[0].Resource != "arn:aws:s3:::b/k" || r.Decisions[0].Decision.Allowed {
		t.Errorf("record = %+v", r)
	}
}

func TestTheWrongRegionIsToldTheRightOne(t *testing.T) {
	f := newFixture(t)
	response, err := http.DefaultClient.Do(f.request(t, call{service: "s3", region: "eu-west-1", method: "HEAD", path: "/b"}))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 400 || response.Header.Get("X-Amz-Bucket-Region") != "us-west-2" {
		t.Errorf("HEAD: %d %v", response.StatusCode, response.Header)
	}
	wrong := form("Action", "DescribeVpcs")
	wrong.region = "eu-west-1"
	f.want(t, wrong, 401, "they are for the region eu-west-1, this is us-west-2")
}

// As tools do that log in with an identity of AWS.
func TestAPresignedIdentityIsVerified(t *testing.T) {
	f := newFixture(t)
	r, err := http.NewRequest("GET", f.URL+"/?Action=GetCallerIdentity&Version=2011-06-15", nil)
	if err != nil {
		t.Fatal(err)
	}
	empty := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	target, _, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: roleKey, SecretAccessKey: "secret"}, r, empty, "sts", "us-west-2", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != 200 || !strings.Contains(string(body), roleARN) {
		t.Errorf("got %d %s", response.StatusCode, body)
	}
}

func TestADeniedCallDoesNothingAndSaysWhy(t *testing.T) {
	f := newFixture(t)
	who := "User: " + roleARN + " is not authorized to perform: "
	f.want(t, form("Action", "CreateVpc", "CidrBlock", "x").as("ec2", roleKey), 403,
		"<Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this operation. "+who+
			"ec2:CreateVpc on resource: arn:aws:ec2:us-west-2:000000000000:vpc/* because no identity-based policy allows the ec2:CreateVpc action. Encoded authorization failure message: ")
	if f.store.View().Revision() != 0 {
		t.Error("a denied call changed the state")
	}
	f.want(t, form("Action", "AssumeRole").as("sts", roleKey), 403, "<Code>AccessDenied</Code><Message>"+who+"sts:AssumeRole on resource: * because no")
	f.want(t, call{service: "logs", key: roleKey, header: map[string]string{"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}}, 400, `"__type":"AccessDeniedException"`)
	f.want(t, call{service: "s3", key: roleKey, method: "GET", path: "/b/k"}, 403, `AccessDenied: `+who+`s3:GetObject on resource: "arn:aws:s3:::b/k" because no identity-based policy allows the s3:GetObject action`)
	f.want(t, form("Action", "GetCallerIdentity").as("sts", roleKey), 200, roleARN)
	f.want(t, call{service: "lambda", key: roleKey, path: "/2015-03-31/functions/f/invocations"}, 403, "lambda:InvokeFunction")
	if r := f.lastRecord(t); r.Code != "AccessDeniedException" || len(r.Decisions) != 1 || r.Decisions[0].Decision.Allowed || r.Decisions[0].Action != "lambda:InvokeFunction" {
		t.Errorf("record = %+v", r)
	}
}

func TestNobodyIsServedWithoutAGoodSignature(t *testing.T) {
	f := newFixture(t)
	f.want(t, form("Action", "CreateVpc", "CidrBlock", "x").as("ec2", "stranger"), 401, "AuthFailure")
	f.want(t, form("Action", "GetCallerIdentity").as("", ""), 403, "MissingAuthenticationToken")
	f.want(t, form("Action", "AssumeRoleWithWebIdentity", "WebIdentityToken", "x").as("", ""), 400, "Could not find operation AssumeRoleWithWebIdentity for version 2011-06-15: Culvert does not support it")
	f.want(t, call{header: map[string]string{"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}}, 400, "MissingAuthenticationTokenException")
	if len(f.asked) != 0 {
		t.Errorf("asked %v", f.asked)
	}
	f.want(t, call{method: "GET", path: "/b/k"}, 403, "Access Denied")
	if f.objects[0].Caller.Type != api.Anonymous {
		t.Errorf("caller = %+v", f.objects[0].Caller)
	}
}

func TestDryRunsChangeNothing(t *testing.T) {
	f := newFixture(t)
	f.want(t, form("Action", "CreateVpc", "CidrBlock", "x", "DryRun", "true"), 412, "<Code>DryRunOperation</Code><Message>Request would have succeeded, but DryRun flag is set.")
	f.want(t, form("Action", "CreateVpc", "CidrBlock", "x", "DryRun", "true").as("ec2", roleKey), 403, "UnauthorizedOperation")
	if f.store.View().Revision() != 0 {
		t.Error("a dry run changed the state")
	}
}

func TestUnknownOperationsAndServicesGetClearRefusals(t *testing.T) {
	f := newFixture(t)
	f.want(t, form("Action", "RunInstances"), 400, "<Code>InvalidAction</Code><Message>The action RunInstances is not valid for this web service")
	f.want(t, form("Action", "GetFederationToken").as("sts", ""), 400, "<Code>InvalidAction</Code><Message>Could not find operation GetFederationToken for version 2011-06-15")
	f.want(t, call{service: "logs", header: map[string]string{"X-Amz-Target": "Logs_20140328.StartQuery"}}, 400, "UnknownOperationException")
	f.want(t, call{service: "lambda", path: "/2015-03-31/event-source-mappings"}, 404, "Culvert")
	f.want(t, call{service: "dynamodb", header: map[string]string{"X-Amz-Target": "DynamoDB_20120810.ListTables"}}, 404, `"__type":"UnknownService","message":"Culvert does not have the service 'dynamodb', so nobody answers the call."`)
	f.want(t, form("Action", "ListQueues").as("sqs", ""), 404, "<Code>UnknownService</Code>")
}

func TestErrorsOfHandlers(t *testing.T) {
	f := newFixture(t)
	f.want(t, form("Action", "CreateVpc", "CidrBlock", "taken"), 400, "InvalidVpc.Range")
	status, body := f.do(t, form("Action", "CreateVpc", "CidrBlock", "internal"))
	if status != 500 || !strings.Contains(body, "<Code>InternalError</Code>") || strings.Contains(body, "db-7") {
		t.Errorf("internal error: %d %s", status, body)
	}
	status, body = f.do(t, form("Action", "CreateVpc", "CidrBlock", "bug"))
	if status != 500 || !strings.Contains(body, "<Code>InternalError</Code>") {
		t.Errorf("panic: %d %s", status, body)
	}
	f.want(t, form("Action", "CreateVpc", "CidrBlock", "fine"), 200, "vpc-")
	f.want(t, call{service: "s3", method: "GET", path: "/panic"}, 500, "InternalError")
	f.Close()
	if !strings.Contains(f.log.String(), "db-7") || !strings.Contains(f.log.String(), "a bug") {
		t.Errorf("what went wrong is not in the log:\n%s", &f.log)
	}
}

func TestAChangeThatDoesNotSettleIsStillMade(t *testing.T) {
	f := newFixture(t)
	f.settle = errors.New("the driver is stuck")
	f.want(t, form("Action", "CreateVpc", "CidrBlock", "x"), 200, "vpc-")
	f.Close()
	if !strings.Contains(f.log.String(), "the driver is stuck") {
		t.Error("not logged")
	}
}

func TestBodiesAreLimited(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.MaxBuffered = maxForm + 10 })
	f.want(t, call{service: "lambda", path: "/2015-03-31/functions/f/invocations", body: strings.Repeat("x", 1001)}, 413,
		"Request must be smaller than 1000 bytes for the InvokeFunction operation")
	f.want(t, call{service: "logs", header: map[string]string{"X-Amz-Target": "Logs_20140328.X"}, body: strings.Repeat("x", maxForm+11)}, 503, "ServiceUnavailable")
	f.want(t, form("Action", "DescribeVpcs", "X", strings.Repeat("x", maxForm)), 413, "RequestEntityTooLarge")
	f.want(t, form("Action", "DescribeVpcs"), 200, "") // what was held is free again
}

func TestTheHostNameSaysTheService(t *testing.T) {
	f := newFixture(t)
	for host, want := range map[string]string{
		"ec2.us-west-2.amazonaws.com":                             "ec2",
		"sts.amazonaws.com":                                       "sts",
		"lambda.us-west-2.api.aws":                                "lambda",
		"bucket.s3.us-west-2.amazonaws.com":                       "s3",
		"lambda.s3.dualstack.us-west-2.amazonaws.com:443":         "s3",
		"s3-us-west-2.amazonaws.com":                              "s3",
		"123456789012.s3-control.us-west-2.amazonaws.com":         "s3",
		"vpce-0a-1b-us-west-2a.logs.us-west-2.vpce.amazonaws.com": "logs",
		"b.bucket.vpce-0a-1b.s3.us-west-2.vpce.amazonaws.com":     "s3",
		"dynamodb.us-west-2.amazonaws.com":                        "dynamodb",
		"localhost:4566":                                          "",
		"000000000000.aws.test":                                   "",
	} {
		s := f.Config.Handler.(*Server)
		if got := s.hostService(hostname(host)); got != want {
			t.Errorf("%s: service %q, want %q", host, got, want)
		}
	}
	wrong := form("Action", "DescribeVpcs")
	wrong.host = "lambda.us-west-2.amazonaws.com"
	f.want(t, wrong, 403, "Credential should be scoped to correct service: 'lambda'.")
}

func TestADoorServesItsServiceOnly(t *testing.T) {
	f := newFixture(t)
	f.through(t, endpointOrigin("s3"))
	f.want(t, call{service: "s3", key: roleKey, method: "PUT", path: "/b/k", body: "x"}, 403, "AccessDenied")
	if o := f.objects[0].Origin; o.VPCEndpointID != "vpce-1" || o.SourceIP.String() != "10.0.1.5" {
		t.Errorf("origin = %+v", o)
	}
	f.want(t, form("Action", "DescribeVpcs"), 400, "AuthorizationHeaderMalformed")
	forged := form("Action", "DescribeVpcs")
	forged.host = "ec2.us-west-2.amazonaws.com"
	f.want(t, forged, 400, "AuthorizationHeaderMalformed")
	f.through(t, endpointOrigin("lambda"))
	f.want(t, call{service: "s3", method: "GET", path: "/b/k"}, 403, "InvalidSignatureException")
	f.want(t, call{method: "GET", path: "/b/k"}, 403, "MissingAuthenticationTokenException")
	f.want(t, call{method: "GET", path: "/_culvert/"}, 403, "MissingAuthenticationTokenException")
	if r := f.lastRecord(t); r.Origin.VPCEndpointID != "vpce-1" {
		t.Errorf("record = %+v", r)
	}
}

func TestTheKeyOfASignatureIsThereForS3(t *testing.T) {
	f := newFixture(t)
	f.want(t, call{service: "s3", method: "PUT", path: "/b/k"}, 200, "")
	f.want(t, call{method: "GET", path: "/b/k"}, 403, "")
	if got := SigningKey(f.objects[0]); len(got) != 32 {
		t.Errorf("signing key = %x", got)
	}
	if got := SigningKey(f.objects[1]); got != nil {
		t.Errorf("an anonymous call has the signing key %x", got)
	}
	if SigningKey(&api.Call{}) != nil {
		t.Error("a call from nowhere has a signing key")
	}
}

func TestTheRegionsOwnAPIIsForTheOperatorOnly(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Hosts = []string{"culvert.example.org"} })
	get := func(host string, header map[string]string) call {
		return call{method: "GET", path: "/_culvert/x", host: host, header: header}
	}
	for _, host := range []string{"", "localhost:4566", "[::1]:80", "aws.test", "culvert.example.org"} {
		f.want(t, get(host, nil), 200, "inspected")
	}
	f.want(t, get("evil.example.com", nil), 403, "name")
	f.want(t, get("192.0.2.1", nil), 403, "name")
	f.want(t, get("localhost", map[string]string{"Origin": "http://evil.example.com"}), 403, "other sites")
	f.want(t, get("localhost", map[string]string{"Origin": "null"}), 403, "other sites")
	f.want(t, get("localhost", map[string]string{"Sec-Fetch-Site": "cross-site"}), 403, "other sites")
	f.want(t, get("localhost:80", map[string]string{"Origin": "http://localhost:80", "Sec-Fetch-Site": "same-origin"}), 200, "inspected")
	f.want(t, get("bucket.s3.us-west-2.amazonaws.com", nil), 403, "Access Denied") // a key of that name
}

// An HTTP client that uses us as its proxy sends the whole URL, and needs no name to resolve.
func TestAbsoluteFormIsAccepted(t *testing.T) {
	f := newFixture(t)
	proxy, err := url.Parse(f.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
	signed := f.request(t, call{service: "s3", method: "GET", path: "/v20180820/tags/x", host: "000000000000.aws.test"})
	signed.URL.Host = "000000000000.aws.test"
	response, err := client.Do(signed)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 || len(f.objects) != 1 || f.objects[0].HTTP.Host != "000000000000.aws.test" {
		t.Errorf("status %d, calls %v", response.StatusCode, f.objects)
	}
}

func TestItIsNoProxyForOthers(t *testing.T) {
	f := newFixture(t)
	c, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != 400 || !strings.Contains(string(body), "not a proxy") {
		t.Errorf("CONNECT: %d %s", response.StatusCode, body)
	}
}

func TestOperationsMustSayOnWhatTheyAct(t *testing.T) {
	f := newFixture(t)
	c := f.config
	c.Services = []service.Definition{{Name: "x", Protocol: service.AWSQuery, Operations: []service.Operation{
		service.View("Get", func(*state.View, *api.Call, *emptyShape) (*emptyShape, error) { return nil, nil }),
	}}}
	if _, err := New(c); err == nil || !strings.Contains(err.Error(), "Get") {
		t.Errorf("New: %v", err)
	}
}

func TestADecisionThatCannotBeMadeDenies(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Authorizer = NewAuthorizer(failingDecide) })
	f.want(t, form("Action", "CreateVpc", "CidrBlock", "x"), 500, "InternalError")
	if f.store.View().Revision() != 0 {
		t.Error("the call was made")
	}
}
