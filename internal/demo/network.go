package demo

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/operator"
)

//go:embed handler.py
var pythonHandler []byte

const (
	prefix       = "vpc-endpoint-demo"
	functionName = prefix + "-lambda"
	fileKey      = "metadata.json"
	metadata     = `{"data":{"description":"This object is what the private function is after","name":"Sample Metadata"},"version":"1.0"}`

	trustLambda = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`
	vpcAccess   = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
)

// network is what the story has made so far.
type network struct {
	VPC, Subnet, RouteTable, FunctionGroup string
	Bucket, Role                           string
	Endpoint, EndpointGroup                string
	NATGateway, InternetGateway            string
}

// build makes everything of the story but the way to S3.
func (s *story) build(ctx context.Context) error {
	n := &s.network
	var vpc struct {
		ID string `xml:"vpc>vpcId"`
	}
	if err := s.client.Query(ctx, "ec2", "CreateVpc", &vpc, "CidrBlock", "10.0.0.0/16"); err != nil {
		return err
	}
	n.VPC = vpc.ID
	if err := s.client.Query(ctx, "ec2", "ModifyVpcAttribute", nil, "VpcId", n.VPC, "EnableDnsHostnames.Value", "true"); err != nil {
		return err
	}
	var err error
	if n.Subnet, n.RouteTable, err = s.makeSubnet(ctx, "10.0.1.0/24"); err != nil {
		return err
	}
	if err := s.name(ctx, n.VPC, prefix+"-vpc"); err != nil {
		return err
	}
	if err := s.name(ctx, n.Subnet, prefix+"-private-subnet"); err != nil {
		return err
	}
	if n.FunctionGroup, err = s.makeGroup(ctx, prefix+"-lambda-sg", "Security group for the function"); err != nil {
		return err
	}
	if err := s.makeBucket(ctx); err != nil {
		return err
	}
	if err := s.makeRole(ctx); err != nil {
		return err
	}
	if err := s.makeFunction(ctx); err != nil {
		return err
	}
	return s.makeServer(ctx)
}

// makeServer puts an instance beside the function. It does nothing but be in the pictures.
func (s *story) makeServer(ctx context.Context) error {
	var images struct {
		IDs []string `xml:"imagesSet>item>imageId"`
	}
	if err := s.client.Query(ctx, "ec2", "DescribeImages", &images, "Owner.1", "amazon"); err != nil {
		return err
	}
	if len(images.IDs) == 0 {
		return errors.New("the region has no image to make an instance of")
	}
	return s.client.Query(ctx, "ec2", "RunInstances", nil, "ImageId", images.IDs[0], "InstanceType", "t3.micro", "MinCount", "1", "MaxCount", "1",
		"SubnetId", s.network.Subnet, "SecurityGroupId.1", s.network.FunctionGroup,
		"TagSpecification.1.ResourceType", "instance", "TagSpecification.1.Tag.1.Key", "Name", "TagSpecification.1.Tag.1.Value", prefix+"-server")
}

// makeSubnet makes a subnet with a route table of its own.
func (s *story) makeSubnet(ctx context.Context, cidr string) (subnet, table string, err error) {
	var made struct {
		Subnet string `xml:"subnet>subnetId"`
		Table  string `xml:"routeTable>routeTableId"`
	}
	if err := s.client.Query(ctx, "ec2", "CreateSubnet", &made, "VpcId", s.network.VPC, "CidrBlock", cidr, "AvailabilityZone", s.options.Region+"a"); err != nil {
		return "", "", err
	}
	if err := s.client.Query(ctx, "ec2", "CreateRouteTable", &made, "VpcId", s.network.VPC); err != nil {
		return "", "", err
	}
	return made.Subnet, made.Table, s.client.Query(ctx, "ec2", "AssociateRouteTable", nil, "SubnetId", made.Subnet, "RouteTableId", made.Table)
}

// name gives a resource the name that pictures have.
func (s *story) name(ctx context.Context, id, name string) error {
	return s.client.Query(ctx, "ec2", "CreateTags", nil, "ResourceId.1", id, "Tag.1.Key", "Name", "Tag.1.Value", name)
}

// makeGroup makes a security group; a new one may send anything anywhere.
func (s *story) makeGroup(ctx context.Context, name, description string) (string, error) {
	var made struct {
		ID string `xml:"groupId"`
	}
	err := s.client.Query(ctx, "ec2", "CreateSecurityGroup", &made, "VpcId", s.network.VPC, "GroupName", name, "GroupDescription", description)
	return made.ID, err
}

func (s *story) makeBucket(ctx context.Context) error {
	s.network.Bucket = prefix + "-bucket-" + s.suffix
	location := []byte(`<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>` + s.options.Region + `</LocationConstraint></CreateBucketConfiguration>`)
	if s.options.Region == "us-east-1" {
		location = nil
	}
	path := "/" + s.network.Bucket
	if _, _, err := s.client.Do(ctx, operator.Request{Service: "s3", Method: "PUT", Path: path, Body: location}); err != nil {
		return err
	}
	_, _, err := s.client.Do(ctx, operator.Request{
		Service: "s3", Method: "PUT", Path: path + "/" + fileKey, Body: []byte(metadata), Header: map[string]string{"Content-Type": "application/json"},
	})
	return err
}

func (s *story) makeRole(ctx context.Context) error {
	role := prefix + "-lambda-role"
	s.network.Role = "arn:aws:iam::" + s.options.Account + ":role/" + role
	if err := s.client.Query(ctx, "iam", "CreateRole", nil, "RoleName", role, "AssumeRolePolicyDocument", trustLambda); err != nil {
		return err
	}
	if err := s.client.Query(ctx, "iam", "AttachRolePolicy", nil, "RoleName", role, "PolicyArn", vpcAccess); err != nil {
		return err
	}
	read := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::%s/*"}]}`, s.network.Bucket)
	return s.client.Query(ctx, "iam", "PutRolePolicy", nil, "RoleName", role, "PolicyName", prefix+"-lambda-s3-access", "PolicyDocument", read)
}

func (s *story) makeFunction(ctx context.Context) error {
	code, handler, err := s.code()
	if err != nil {
		return fmt.Errorf("pack the function: %w", err)
	}
	_, err = s.client.JSON(ctx, "lambda", "POST", "/2015-03-31/functions", map[string]any{
		"FunctionName": functionName, "Role": s.network.Role, "Runtime": s.options.Runtime, "Handler": handler,
		"Timeout": s.options.TimeoutSeconds, "Code": map[string]string{"ZipFile": base64.StdEncoding.EncodeToString(code)},
		"VpcConfig":   map[string]any{"SubnetIds": []string{s.network.Subnet}, "SecurityGroupIds": []string{s.network.FunctionGroup}},
		"Environment": map[string]any{"Variables": map[string]string{"BUCKET_NAME": s.network.Bucket, "FILE_KEY": fileKey}},
	})
	return err
}

// code packs the function: this program itself, or the Python handler.
func (s *story) code() (code []byte, handler string, err error) {
	if strings.HasPrefix(s.options.Runtime, "python") {
		code, err = pack("lambda_function.py", bytes.NewReader(pythonHandler))
		return code, "lambda_function.handler", err
	}
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, "", err
	}
	defer self.Close()
	code, err = pack("bootstrap", self)
	return code, "bootstrap", err
}

// pack makes a zip of one executable file, compressed no more than needed.
func pack(name string, content io.Reader) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	header := &zip.FileHeader{Name: name, Method: zip.Deflate}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, content); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil { // writes the directory, so the bytes are not whole before
		return nil, err
	}
	return out.Bytes(), nil
}

// addEndpoint makes the article's endpoint, as printed: an interface endpoint with private DNS off.
func (s *story) addEndpoint(ctx context.Context) error {
	n := &s.network
	var err error
	if n.EndpointGroup, err = s.makeGroup(ctx, prefix+"-endpoint-sg", "Security group for the S3 endpoint"); err != nil {
		return err
	}
	if err := s.client.Query(ctx, "ec2", "AuthorizeSecurityGroupIngress", nil, "GroupId", n.EndpointGroup,
		"IpPermissions.1.IpProtocol", "-1", "IpPermissions.1.Groups.1.GroupId", n.FunctionGroup); err != nil {
		return err
	}
	var made struct {
		ID string `xml:"vpcEndpoint>vpcEndpointId"`
	}
	err = s.client.Query(ctx, "ec2", "CreateVpcEndpoint", &made, "VpcEndpointType", "Interface", "VpcId", n.VPC, "ServiceName", "com.amazonaws."+s.options.Region+".s3",
		"SubnetId.1", n.Subnet, "SecurityGroupId.1", n.EndpointGroup, "PrivateDnsEnabled", "false")
	n.Endpoint = made.ID
	return err
}

func (s *story) enablePrivateDNS(ctx context.Context) error {
	return s.client.Query(ctx, "ec2", "ModifyVpcEndpoint", nil, "VpcEndpointId", s.network.Endpoint, "PrivateDnsEnabled", "true",
		"DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint", "false")
}

// replaceByNATGateway takes the endpoint away and builds the other road.
func (s *story) replaceByNATGateway(ctx context.Context) error {
	n := &s.network
	if err := s.client.Query(ctx, "ec2", "DeleteVpcEndpoints", nil, "VpcEndpointId.1", n.Endpoint); err != nil {
		return err
	}
	var made struct {
		InternetGateway string `xml:"internetGateway>internetGatewayId"`
		Allocation      string `xml:"allocationId"`
		NATGateway      string `xml:"natGateway>natGatewayId"`
		State           string `xml:"natGateway>state"`
	}
	if err := s.client.Query(ctx, "ec2", "CreateInternetGateway", &made); err != nil {
		return err
	}
	n.InternetGateway = made.InternetGateway
	if err := s.client.Query(ctx, "ec2", "AttachInternetGateway", nil, "InternetGatewayId", n.InternetGateway, "VpcId", n.VPC); err != nil {
		return err
	}
	subnet, table, err := s.makeSubnet(ctx, "10.0.2.0/24")
	if err != nil {
		return err
	}
	if err := s.name(ctx, subnet, prefix+"-public-subnet"); err != nil {
		return err
	}
	if err := s.client.Query(ctx, "ec2", "CreateRoute", nil, "RouteTableId", table, "DestinationCidrBlock", "0.0.0.0/0", "GatewayId", n.InternetGateway); err != nil {
		return err
	}
	if err := s.client.Query(ctx, "ec2", "AllocateAddress", &made, "Domain", "vpc"); err != nil {
		return err
	}
	if err := s.client.Query(ctx, "ec2", "CreateNatGateway", &made, "SubnetId", subnet, "AllocationId", made.Allocation); err != nil {
		return err
	}
	n.NATGateway = made.NATGateway
	return s.client.Query(ctx, "ec2", "CreateRoute", nil, "RouteTableId", n.RouteTable, "DestinationCidrBlock", "0.0.0.0/0", "NatGatewayId", n.NATGateway)
}

func milliseconds(us int64) string { return strconv.FormatFloat(float64(us)/1000, 'f', 2, 64) + " ms" }
