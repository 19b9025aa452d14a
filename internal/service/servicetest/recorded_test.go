package servicetest_test

import (
	"bufio"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/api/wire"
	"github.com/culvert-cloud/culvert/internal/service/ec2"
	"github.com/culvert-cloud/culvert/internal/service/iam"
	"github.com/culvert-cloud/culvert/internal/service/lambda"
	"github.com/culvert-cloud/culvert/internal/service/sts"
)

// recorded is one request of the Terraform provider, as the recordings hold it.
type recorded struct {
	Seq       int
	Service   string
	Operation string
	Method    string
	Path      string
	Query     string
	Form      url.Values
	Body      string `json:"req_body"`
	Headers   map[string]string
}

func (r *recorded) request() *wire.Request {
	target := r.Path
	if r.Query != "" {
		target += "?" + r.Query
	}
	body := r.Body
	if r.Form != nil {
		body = r.Form.Encode()
	}
	h := httptest.NewRequest(r.Method, target, nil)
	for name, value := range r.Headers {
		h.Header.Set(name, value)
	}
	// The recordings leave the zip out.
	return &wire.Request{HTTP: h, Body: []byte(strings.ReplaceAll(body, "$ZIP", "UEsFBg=="))}
}

func readRecordings(t *testing.T) []recorded {
	t.Helper()
	files, err := filepath.Glob("../../../test/testdata/terraform/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	var all []recorded
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var r recorded
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
	}
	return all
}

// inputs are the inputs of the operations that the recordings hold. An operation that is missing here fails.
func inputs() map[string]map[string]func() any {
	return map[string]map[string]func() any{
		"ec2": {
			"AllocateAddress":               func() any { return new(ec2.AllocateAddressInput) },
			"AssociateRouteTable":           func() any { return new(ec2.AssociateRouteTableInput) },
			"AttachInternetGateway":         func() any { return new(ec2.AttachInternetGatewayInput) },
			"AuthorizeSecurityGroupEgress":  func() any { return new(ec2.AuthorizeSecurityGroupEgressInput) },
			"AuthorizeSecurityGroupIngress": func() any { return new(ec2.AuthorizeSecurityGroupIngressInput) },
			"CreateInternetGateway":         func() any { return new(ec2.CreateInternetGatewayInput) },
			"CreateNatGateway":              func() any { return new(ec2.CreateNatGatewayInput) },
			"CreateNetworkAcl":              func() any { return new(ec2.CreateNetworkAclInput) },
			"CreateNetworkAclEntry":         func() any { return new(ec2.CreateNetworkAclEntryInput) },
			"CreateNetworkInterface":        func() any { return new(ec2.CreateNetworkInterfaceInput) },
			"CreateRoute":                   func() any { return new(ec2.CreateRouteInput) },
			"CreateRouteTable":              func() any { return new(ec2.CreateRouteTableInput) },
			"CreateSecurityGroup":           func() any { return new(ec2.CreateSecurityGroupInput) },
			"CreateSubnet":                  func() any { return new(ec2.CreateSubnetInput) },
			"CreateVpc":                     func() any { return new(ec2.CreateVpcInput) },
			"CreateVpcEndpoint":             func() any { return new(ec2.CreateVpcEndpointInput) },
			"DeleteInternetGateway":         func() any { return new(ec2.DeleteInternetGatewayInput) },
			"DeleteNatGateway":              func() any { return new(ec2.DeleteNatGatewayInput) },
			"DeleteNetworkAcl":              func() any { return new(ec2.DeleteNetworkAclInput) },
			"DeleteNetworkInterface":        func() any { return new(ec2.DeleteNetworkInterfaceInput) },
			"DeleteRoute":                   func() any { return new(ec2.DeleteRouteInput) },
			"DeleteRouteTable":              func() any { return new(ec2.DeleteRouteTableInput) },
			"DeleteSecurityGroup":           func() any { return new(ec2.DeleteSecurityGroupInput) },
			"DeleteSubnet":                  func() any { return new(ec2.DeleteSubnetInput) },
			"DeleteVpc":                     func() any { return new(ec2.DeleteVpcInput) },
			"DeleteVpcEndpoints":            func() any { return new(ec2.DeleteVpcEndpointsInput) },
			"DescribeAddresses":             func() any { return new(ec2.DescribeAddressesInput) },
			"DescribeAddressesAttribute":    func() any { return new(ec2.DescribeAddressesAttributeInput) },
			"DescribeInternetGateways":      func() any { return new(ec2.DescribeInternetGatewaysInput) },
			"DescribeNatGateways":           func() any { return new(ec2.DescribeNatGatewaysInput) },
			"DescribeNetworkAcls":           func() any { return new(ec2.DescribeNetworkAclsInput) },
			"DescribeNetworkInterfaces":     func() any { return new(ec2.DescribeNetworkInterfacesInput) },
			"DescribePrefixLists":           func() any { return new(ec2.DescribePrefixListsInput) },
			"DescribeRouteTables":           func() any { return new(ec2.DescribeRouteTablesInput) },
			"DescribeSecurityGroups":        func() any { return new(ec2.DescribeSecurityGroupsInput) },
			"DescribeSubnets":               func() any { return new(ec2.DescribeSubnetsInput) },
			"DescribeVpcAttribute":          func() any { return new(ec2.DescribeVpcAttributeInput) },
			"DescribeVpcEndpoints":          func() any { return new(ec2.DescribeVpcEndpointsInput) },
			"DescribeVpcs":                  func() any { return new(ec2.DescribeVpcsInput) },
			"DetachInternetGateway":         func() any { return new(ec2.DetachInternetGatewayInput) },
			"DisassociateAddress":           func() any { return new(ec2.DisassociateAddressInput) },
			"DisassociateRouteTable":        func() any { return new(ec2.DisassociateRouteTableInput) },
			"ModifyVpcAttribute":            func() any { return new(ec2.ModifyVpcAttributeInput) },
			"ReleaseAddress":                func() any { return new(ec2.ReleaseAddressInput) },
			"ReplaceNetworkAclAssociation":  func() any { return new(ec2.ReplaceNetworkAclAssociationInput) },
			"RevokeSecurityGroupEgress":     func() any { return new(ec2.RevokeSecurityGroupEgressInput) },
		},
		"iam": {
			"AttachRolePolicy":            func() any { return new(iam.AttachRolePolicyInput) },
			"CreateRole":                  func() any { return new(iam.CreateRoleInput) },
			"DeleteRole":                  func() any { return new(iam.DeleteRoleInput) },
			"DeleteRolePolicy":            func() any { return new(iam.DeleteRolePolicyInput) },
			"DetachRolePolicy":            func() any { return new(iam.DetachRolePolicyInput) },
			"GetRole":                     func() any { return new(iam.GetRoleInput) },
			"GetRolePolicy":               func() any { return new(iam.GetRolePolicyInput) },
			"ListAttachedRolePolicies":    func() any { return new(iam.ListAttachedRolePoliciesInput) },
			"ListInstanceProfilesForRole": func() any { return new(iam.ListInstanceProfilesForRoleInput) },
			"ListRolePolicies":            func() any { return new(iam.ListRolePoliciesInput) },
			"PutRolePolicy":               func() any { return new(iam.PutRolePolicyInput) },
		},
		"sts": {
			"GetCallerIdentity": func() any { return new(sts.GetCallerIdentityInput) },
		},
		"lambda": {
			"CreateFunction":               func() any { return new(lambda.CreateFunctionInput) },
			"DeleteFunction":               func() any { return new(lambda.DeleteFunctionInput) },
			"GetFunction":                  func() any { return new(lambda.GetFunctionInput) },
			"GetFunctionCodeSigningConfig": func() any { return new(lambda.GetFunctionCodeSigningConfigInput) },
			"Invoke":                       func() any { return new(lambda.InvokeInput) },
			"ListVersionsByFunction":       func() any { return new(lambda.ListVersionsByFunctionInput) },
		},
	}
}

func codecs(t *testing.T) map[string]wire.Codec {
	t.Helper()
	protocols := map[string]wire.Protocol{
		"ec2": wire.EC2Query, "iam": wire.AWSQuery, "sts": wire.AWSQuery, "lambda": wire.RESTJSON,
	}
	out := map[string]wire.Codec{}
	for name, protocol := range protocols {
		s := wire.Service{Protocol: protocol}
		for operation, input := range inputs()[name] {
			rest, ok := input().(interface {
				HTTP() (method, path string, status int)
			})
			if ok {
				method, path, status := rest.HTTP()
				s.Operations = append(s.Operations, wire.Operation{Name: operation, Method: method, Path: path, Status: status})
			}
		}
		c, err := wire.New(s)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = c
	}
	return out
}

// The codecs refuse what they do not know, so this also says that nothing a provider sends is dropped.
func TestEveryRecordedTerraformRequestDecodesCompletely(t *testing.T) {
	codecs := codecs(t)
	count := 0
	for _, r := range readRecordings(t) {
		codec := codecs[r.Service]
		if codec == nil {
			continue // S3
		}
		count++
		request := r.request()
		operation, err := codec.Operation(request)
		if err != nil {
			t.Errorf("%d %s: find the operation: %v", r.Seq, r.Operation, err)
			continue
		}
		input := inputs()[r.Service][operation]
		if input == nil {
			t.Errorf("%d: operation %s is not in the test's table", r.Seq, operation)
			continue
		}
		in := input()
		if err := codec.Decode(request, operation, in); err != nil {
			t.Errorf("%d %s: %v", r.Seq, operation, err)
		}
	}
	if count < 250 {
		t.Errorf("decoded %d requests, want at least 250", count)
	}
}

func TestARecordedRequestArrivesInTheHandlersInput(t *testing.T) {
	codecs := codecs(t)
	var endpoint *ec2.CreateVpcEndpointInput
	var function *lambda.CreateFunctionInput
	for _, r := range readRecordings(t) {
		switch {
		case r.Operation == "CreateVpcEndpoint" && endpoint == nil:
			endpoint = new(ec2.CreateVpcEndpointInput)
			if err := codecs["ec2"].Decode(r.request(), r.Operation, endpoint); err != nil {
				t.Fatal(err)
			}
		case r.Operation == "POST /2015-03-31/functions":
			function = new(lambda.CreateFunctionInput)
			if err := codecs["lambda"].Decode(r.request(), "CreateFunction", function); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := *endpoint.TagSpecifications[0].Tags[0].Value; got != "demo-s3-endpoint" {
		t.Errorf("tag = %q", got)
	}
	if *endpoint.PrivateDnsEnabled || len(endpoint.SubnetIds) != 1 || len(endpoint.SecurityGroupIds) != 1 {
		t.Errorf("endpoint input = %+v", endpoint)
	}
	if *function.Timeout != 30 || function.Environment.Variables["FILE_KEY"] != "metadata.json" || string(function.Code.ZipFile[:2]) != "PK" {
		t.Errorf("function input = %+v", function)
	}
}
