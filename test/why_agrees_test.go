package test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/operator"
	"github.com/culvert-cloud/culvert/internal/region"
)

// TestWhySaysWhatTheCallSays asks why about calls under random policies, on every way to S3, and then makes them:
// whether they are allowed, and whose policy refuses them, must be the same.
func TestWhySaysWhatTheCallSays(t *testing.T) {
	w := newWorld(t)
	met := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		way := rapid.SampledFrom(w.ways).Draw(t, "way")
		identity := rapid.SliceOfN(rapid.SampledFrom(w.identityStatements()), 1, 3).Draw(t, "identity")
		bucket := rapid.SliceOfN(rapid.SampledFrom(w.bucketStatements()), 0, 2).Draw(t, "bucket")
		endpoint := rapid.SliceOfN(rapid.SampledFrom(w.endpointStatements()), 0, 2).Draw(t, "endpoint")
		put := rapid.Bool().Draw(t, "put")
		w.setPolicies(t, way, identity, bucket, endpoint)

		said, real := w.why(t, way, put), w.invoke(t, way, put)
		if said.Call == nil {
			t.Fatalf("nothing about the call: %+v", said)
		}
		met[fmt.Sprint(said.Call.Kind, " ", said.Call.Allowed, " ", said.Call.Explicit)]++
		want := map[bool]string{true: "written", false: "content of data"}[put]
		if !said.Call.Allowed {
			want = "AccessDenied: " + policy.DeniedText(said.Call.Caller, said.Call.Action, said.Call.Resource, true,
				policy.Decision{Kind: said.Call.Kind, Explicit: said.Call.Explicit})
		}
		if real != want {
			t.Fatalf("the call got  %s\nwhy said %+v, so that it should be %s", real, said.Call, want)
		}
	})
	t.Logf("verdicts: %v", met)
	if len(met) < 6 {
		t.Errorf("only %d kinds of verdicts were compared: %v", len(met), met)
	}
}

// way is one function and how it reaches S3.
type way struct{ function, role, endpoint string }

// world is a region with a bucket and one function for each way to it.
type world struct {
	client          *operator.Client
	ways            []way
	gateway         string // endpoint
	gatewayVPC      string
	privateEndpoint string
	natAddress      string
}

func newWorld(t *testing.T) *world {
	r, err := region.Open(t.Context(), region.Config{Region: "us-west-2", Listen: "127.0.0.1:0", Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{client: &operator.Client{Endpoint: r.URL(), Region: "us-west-2"}}
	location := "<CreateBucketConfiguration><LocationConstraint>us-west-2</LocationConstraint></CreateBucketConfiguration>"
	w.s3(t, "PUT", "/data", location)
	w.s3(t, "PUT", "/data/object", "content of data")
	w.s3(t, "DELETE", "/data?publicAccessBlock", "") // which refuses policies for everybody
	w.roles(t)

	n := w.network(t)
	w.gatewayVPC = n.vpc
	w.gateway = w.ec2(t, "vpcEndpointId", "CreateVpcEndpoint", "VpcEndpointType", "Gateway", "VpcId", n.vpc, "ServiceName", "com.amazonaws.us-west-2.s3", "RouteTableId.1", n.table)
	w.function(t, way{"gateway", "plain", w.gateway}, &n)
	w.function(t, way{"bounded", "limited", w.gateway}, &n)
	n = w.network(t)
	w.privateEndpoint = w.ec2(t, "vpcEndpointId", "CreateVpcEndpoint", "VpcEndpointType", "Interface", "VpcId", n.vpc, "ServiceName", "com.amazonaws.us-west-2.s3",
		"SubnetId.1", n.subnet, "SecurityGroupId.1", n.group, "PrivateDnsEnabled", "true", "DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint", "false")
	w.ec2(t, "", "AuthorizeSecurityGroupIngress", "GroupId", n.group, "IpPermissions.1.IpProtocol", "-1", "IpPermissions.1.Groups.1.GroupId", n.group)
	w.function(t, way{"interface", "plain", w.privateEndpoint}, &n)
	n = w.network(t)
	w.nat(t, n)
	w.function(t, way{"nat", "plain", ""}, &n)
	w.function(t, way{"outside", "plain", ""}, nil)
	return w
}

func (w *world) roles(t *testing.T) {
	limit := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:*","logs:*","s3:GetObject"],"Resource":"*"}]}`
	boundary := w.query(t, "iam", "Arn", "CreatePolicy", "PolicyName", "limit", "PolicyDocument", limit)
	for _, extra := range [][]string{{"RoleName", "plain"}, {"RoleName", "limited", "PermissionsBoundary", boundary}} {
		w.query(t, "iam", "Arn", "CreateRole", append(extra, "AssumeRolePolicyDocument", trust)...)
		w.query(t, "iam", "", "AttachRolePolicy", "RoleName", extra[1], "PolicyArn", vpcAccess)
	}
}

type place struct{ vpc, subnet, table, group string }

func (w *world) network(t *testing.T) place {
	var n place
	n.vpc = w.ec2(t, "vpcId", "CreateVpc", "CidrBlock", "10.0.0.0/16")
	w.ec2(t, "", "ModifyVpcAttribute", "VpcId", n.vpc, "EnableDnsHostnames.Value", "true")
	n.subnet = w.ec2(t, "subnetId", "CreateSubnet", "VpcId", n.vpc, "CidrBlock", "10.0.1.0/24")
	n.table = w.ec2(t, "routeTableId", "CreateRouteTable", "VpcId", n.vpc)
	w.ec2(t, "", "AssociateRouteTable", "RouteTableId", n.table, "SubnetId", n.subnet)
	n.group = w.ec2(t, "groupId", "CreateSecurityGroup", "VpcId", n.vpc, "GroupName", "f", "GroupDescription", "f")
	return n
}

// nat gives a network a NAT gateway.
func (w *world) nat(t *testing.T, n place) {
	igw := w.ec2(t, "internetGatewayId", "CreateInternetGateway")
	w.ec2(t, "", "AttachInternetGateway", "InternetGatewayId", igw, "VpcId", n.vpc)
	public := w.ec2(t, "subnetId", "CreateSubnet", "VpcId", n.vpc, "CidrBlock", "10.0.2.0/24")
	table := w.ec2(t, "routeTableId", "CreateRouteTable", "VpcId", n.vpc)
	w.ec2(t, "", "AssociateRouteTable", "RouteTableId", table, "SubnetId", public)
	w.ec2(t, "", "CreateRoute", "RouteTableId", table, "DestinationCidrBlock", "0.0.0.0/0", "GatewayId", igw)
	allocation := w.ec2(t, "allocationId", "AllocateAddress", "Domain", "vpc")
	w.natAddress = w.ec2(t, "publicIp", "DescribeAddresses", "AllocationId.1", allocation)
	nat := w.ec2(t, "natGatewayId", "CreateNatGateway", "SubnetId", public, "AllocationId", allocation)
	w.ec2(t, "", "CreateRoute", "RouteTableId", n.table, "DestinationCidrBlock", "0.0.0.0/0", "NatGatewayId", nat)
}

func (w *world) function(t *testing.T, to way, in *place) {
	code, err := packedProbe()
	if err != nil {
		t.Fatal(err)
	}
	body := map[string]any{"FunctionName": to.function, "Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 10,
		"Role": "arn:aws:iam::000000000000:role/" + to.role, "Code": map[string]string{"ZipFile": code}}
	if in != nil {
		body["VpcConfig"] = map[string]any{"SubnetIds": []string{in.subnet}, "SecurityGroupIds": []string{in.group}}
	}
	if _, err := w.client.JSON(t.Context(), "lambda", "POST", "/2015-03-31/functions", body); err != nil {
		t.Fatal(err)
	}
	w.ways = append(w.ways, to)
}

// The statements that policies are made of. Every key that tells the ways apart is among their conditions.

func (w *world) identityStatements() []string {
	return []string{
		`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`,
		`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}`,
		`{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::data/n?w"}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::other/*"}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpce":"` + w.gateway + `"}}}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"` + w.natAddress + `/32"}}}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:VpcSourceIp":"10.0.1.0/24"}}}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:authType":"REST-HEADER","s3:ResourceAccount":"000000000000","aws:PrincipalArn":"arn:aws:iam::000000000000:role/plain"}}}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringLike":{"aws:userid":"*:outside"},"NumericGreaterThanEquals":{"s3:TlsVersion":"1.2"}}}`,
		`{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`,
		`{"Effect":"Deny","Action":"s3:PutObject","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"` + w.gatewayVPC + `"}}}`,
	}
}

func (w *world) bucketStatements() []string {
	const on = `"Action":"s3:*","Resource":"arn:aws:s3:::data/*"`
	return []string{
		`{"Effect":"Allow","Principal":"*",` + on + `}`,
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/plain"},` + on + `}`,
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/limited"},` + on + `}`,
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::000000000000:assumed-role/limited/bounded"},` + on + `}`,
		`{"Effect":"Allow","Principal":{"AWS":"000000000000"},` + on + `}`,
		`{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*","Condition":{"StringNotEquals":{"aws:SourceVpce":"` + w.privateEndpoint + `"}}}`,
		`{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::data/*","Condition":{"NotIpAddress":{"aws:SourceIp":"` + w.natAddress + `/32"}}}`,
	}
}

func (w *world) endpointStatements() []string {
	return []string{
		`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`,
		`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}`,
		`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:s3:::other/*"}`,
		`{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"*","Resource":"*"}`,
		`{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}`,
	}
}

func (w *world) setPolicies(t *rapid.T, to way, identity, bucket, endpoint []string) {
	document := func(statements []string) string {
		return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	}
	w.query(t, "iam", "", "PutRolePolicy", "RoleName", to.role, "PolicyName", "inline", "PolicyDocument", document(identity))
	if len(bucket) == 0 {
		w.s3(t, "DELETE", "/data?policy", "")
	} else {
		w.s3(t, "PUT", "/data?policy", document(bucket))
	}
	switch {
	case to.endpoint == "":
	case len(endpoint) == 0:
		w.ec2(t, "", "ModifyVpcEndpoint", "VpcEndpointId", to.endpoint, "ResetPolicy", "true")
	default:
		w.ec2(t, "", "ModifyVpcEndpoint", "VpcEndpointId", to.endpoint, "PolicyDocument", document(endpoint))
	}
}

// answer is what the test reads of GET /_culvert/why.
type answer struct {
	Reachable bool
	Call      *struct {
		Action, Resource, Caller, Kind, Document, Summary string
		Allowed, Explicit                                 bool
	}
}

func (w *world) why(t *rapid.T, to way, put bool) answer {
	query := url.Values{"function": {to.function}, "service": {"s3://data/object"}}
	if put {
		query = url.Values{"function": {to.function}, "service": {"s3"}, "action": {"s3:PutObject"}, "resource": {"arn:aws:s3:::data/new"}}
	}
	var a answer
	if err := w.client.Inspect(context.Background(), "why", query, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func (w *world) invoke(t *rapid.T, to way, put bool) string {
	event := `{"get":"data/object","timeout":5000}`
	if put {
		event = `{"put":"data/new","timeout":5000}`
	}
	got, err := w.client.Invoke(context.Background(), to.function, []byte(event))
	if err != nil || got.FunctionError != "" {
		t.Fatalf("invoke %s: %v %+v", to.function, err, got)
	}
	return strings.ReplaceAll(strings.Trim(got.Payload, `"`), `\"`, `"`)
}

// failer is a *testing.T or a *rapid.T.
type failer interface {
	Fatalf(format string, args ...any)
}

func (w *world) ec2(t failer, element, operation string, parameters ...string) string {
	return w.query(t, "ec2", element, operation, parameters...)
}

// query calls a query service and returns the text of an element of the answer, if one is wanted.
func (w *world) query(t failer, service, element, operation string, parameters ...string) string {
	body, err := w.client.QueryRaw(context.Background(), service, operation, parameters...)
	if err != nil {
		t.Fatalf("%s %v: %v", operation, parameters, err)
	}
	if element == "" {
		return ""
	}
	text, ok := first(body, element)
	if !ok {
		t.Fatalf("%s: no %s in %s", operation, element, body)
	}
	return text
}

func (w *world) s3(t failer, method, path, body string) {
	request := operator.Request{Service: "s3", Method: method, Path: path, Body: []byte(body)}
	if at, query, ok := strings.Cut(path, "?"); ok {
		request.Path, request.Query = at, url.Values{query: {""}}
	}
	if _, _, err := w.client.Do(context.Background(), request); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
}
