package region_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/operator"
)

// bootstrap is a function in Bash: it opens a TCP connection to what TARGET says, if it says anything, and answers
// "reached".
const bootstrap = `#!/bin/bash
host=${AWS_LAMBDA_RUNTIME_API%:*} port=${AWS_LAMBDA_RUNTIME_API#*:}
while :; do
	exec 3<>/dev/tcp/$host/$port || exit 1
	printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3
	id=
	while IFS= read -r line <&3; do
		line=${line%$'\r'}
		[[ $line ]] || break
		[[ ${line,,} == lambda-runtime-aws-request-id:* ]] && id=${line#*: }
	done
	exec 3>&-
	answer='"reached"'
	if [[ $TARGET ]]; then
		{ exec 4<>/dev/tcp/${TARGET%:*}/${TARGET#*:}; } 2>/dev/null || answer='"refused"'
		exec 4>&-
	fi
	exec 3<>/dev/tcp/$host/$port
	printf 'POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' "$id" ${#answer} "$answer" >&3
	while IFS= read -r line <&3; do :; done
	exec 3>&-
done
`

const trustLambda = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`

func packed(t testing.TB, script string) string {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	header := &zip.FileHeader{Name: "bootstrap"}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err == nil {
		_, err = w.Write([]byte(script))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

// A set is a VPC with one of everything that a function needs to reach S3 through an interface endpoint.
type set struct {
	VPC      string `xml:"vpc>vpcId"`
	Subnet   string `xml:"subnet>subnetId"`
	Group    string `xml:"groupId"`
	Endpoint string `xml:"vpcEndpoint>vpcEndpointId"`
	ENI      string `xml:"vpcEndpoint>networkInterfaceIdSet>item"`
	Address  string `xml:"networkInterfaceSet>item>privateIpAddress"`
	Function string
}

const roleName = "chaos"

func makeRole(ctx context.Context, c *operator.Client) error {
	if err := c.Query(ctx, "iam", "CreateRole", nil, "RoleName", roleName, "AssumeRolePolicyDocument", trustLambda); err != nil {
		return err
	}
	return c.Query(ctx, "iam", "AttachRolePolicy", nil, "RoleName", roleName, "PolicyArn", "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole")
}

// makeSet makes a set; what was made before an error is in it.
func makeSet(ctx context.Context, c *operator.Client, name, code string) (s set, err error) {
	steps := [][]string{
		{"CreateVpc", "CidrBlock", "10.0.0.0/16"},
		{"CreateSubnet", "VpcId", "VPC", "CidrBlock", "10.0.1.0/24"},
		{"CreateSecurityGroup", "VpcId", "VPC", "GroupName", name, "GroupDescription", name},
		{"AuthorizeSecurityGroupIngress", "GroupId", "GROUP", "IpPermissions.1.IpProtocol", "-1", "IpPermissions.1.Groups.1.GroupId", "GROUP"},
		{"CreateVpcEndpoint", "VpcEndpointType", "Interface", "VpcId", "VPC", "ServiceName", "com.amazonaws.us-west-2.s3", "SubnetId.1", "SUBNET", "SecurityGroupId.1", "GROUP"},
		{"DescribeNetworkInterfaces", "NetworkInterfaceId.1", "ENI"},
	}
	for _, step := range steps {
		for i, p := range step {
			step[i] = map[string]string{"VPC": s.VPC, "SUBNET": s.Subnet, "GROUP": s.Group, "ENI": s.ENI}[p]
			if step[i] == "" {
				step[i] = p
			}
		}
		if err := c.Query(ctx, "ec2", step[0], &s, step[1:]...); err != nil {
			return s, err
		}
	}
	s.Function = name
	_, err = c.JSON(ctx, "lambda", "POST", "/2015-03-31/functions", map[string]any{
		"FunctionName": name, "Role": "arn:aws:iam::000000000000:role/" + roleName, "Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 5,
		"Code":        map[string]string{"ZipFile": code},
		"VpcConfig":   map[string]any{"SubnetIds": []string{s.Subnet}, "SecurityGroupIds": []string{s.Group}},
		"Environment": map[string]any{"Variables": map[string]string{"TARGET": s.Address + ":443"}},
	})
	return s, err
}

// reach invokes the set's function, which must reach the endpoint.
func (s set) reach(ctx context.Context, c *operator.Client) error {
	out, err := c.Invoke(ctx, s.Function, []byte("{}"))
	if err != nil {
		return err
	}
	if out.Payload != `"reached"` {
		return fmt.Errorf("the function of %s says %s (%s) %s", s.VPC, out.Payload, out.FunctionError, out.Log)
	}
	return nil
}

// remove deletes all of a set. An interface goes a moment after what used it.
func (s set) remove(ctx context.Context, c *operator.Client) error {
	if _, err := c.JSON(ctx, "lambda", "DELETE", "/2015-03-31/functions/"+s.Function, nil); err != nil {
		return err
	}
	for _, step := range [][]string{
		{"DeleteVpcEndpoints", "VpcEndpointId.1", s.Endpoint}, {"DeleteSecurityGroup", "GroupId", s.Group},
		{"DeleteSubnet", "SubnetId", s.Subnet}, {"DeleteVpc", "VpcId", s.VPC},
	} {
		err := c.Query(ctx, "ec2", step[0], nil, step[1:]...)
		for range 100 {
			if operator.ErrorCode(err) != "DependencyViolation" {
				break
			}
			time.Sleep(20 * time.Millisecond)
			err = c.Query(ctx, "ec2", step[0], nil, step[1:]...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cycle is a whole life of a set.
func cycle(ctx context.Context, c *operator.Client, name, code string) error {
	s, err := makeSet(ctx, c, name, code)
	if err != nil {
		return err
	}
	if err := s.reach(ctx, c); err != nil {
		return err
	}
	return s.remove(ctx, c)
}

// storm runs cycles, and puts and gets of objects, until the context ends. It returns how many of each ended well,
// and what the others said.
type storm struct {
	under           sync.WaitGroup // its callers
	cycles, objects atomic.Int64
	failed          chan error
}

func (s *storm) run(ctx context.Context, c *operator.Client, code string) {
	for range 2 {
		name := fmt.Sprintf("storm-%d-", rand.Int32())
		s.under.Go(func() {
			s.repeat(ctx, &s.cycles, func(i int) error { return cycle(ctx, c, fmt.Sprint(name, i), code) })
		})
	}
	s.under.Go(func() {
		s.repeat(ctx, &s.objects, func(i int) error { return object(ctx, c, fmt.Sprint("storm-", i%10)) })
	})
}

func (s *storm) repeat(ctx context.Context, good *atomic.Int64, f func(int) error) {
	for i := 0; ctx.Err() == nil; i++ {
		if err := f(i); err == nil {
			good.Add(1)
		} else if ctx.Err() == nil {
			select {
			case s.failed <- err:
			default:
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func object(ctx context.Context, c *operator.Client, key string) error {
	content := strings.Repeat(key, 1000)
	if _, _, err := c.Do(ctx, operator.Request{Service: "s3", Method: "PUT", Path: "/chaos/" + key, Body: []byte(content)}); err != nil {
		return err
	}
	_, body, err := c.Do(ctx, operator.Request{Service: "s3", Method: "GET", Path: "/chaos/" + key})
	if err == nil && string(body) != content {
		return fmt.Errorf("object %s is %d bytes, not %d", key, len(body), len(content))
	}
	return err
}

func makeBucket(ctx context.Context, c *operator.Client) error {
	location := `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>us-west-2</LocationConstraint></CreateBucketConfiguration>`
	_, _, err := c.Do(ctx, operator.Request{Service: "s3", Method: "PUT", Path: "/chaos", Body: []byte(location)})
	return err
}
