package test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/culvert-cloud/culvert/internal/operator"
	"github.com/culvert-cloud/culvert/internal/region"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// The verbs, beside those of testscript itself:
//
//	region [region=NAME] [assume-private-dns] [data=DIR] [flow-log-interval=TIME]   open a region; CULVERT_ENDPOINT and the AWS variables lead to it
//	close                                                   close it
//	call SERVICE OPERATION [NAME=VALUE...] [-> VAR=ELEMENT...]   call a query service; keep elements of the answer
//	rest METHOD PATH [JSON | @FILE]                         call Lambda
//	s3 METHOD PATH [FILE]                                   call S3; FILE is the body
//	role NAME POLICY-FILE -> VAR                            make a role that Lambda may assume, with a policy
//	function NAME [role=ARN] [subnet=ID sg=ID] [timeout=S]  deploy the probe function (probefn); without a role it gets one
//	                                                        that may do everything with S3
//	network                                                 make a VPC 10.0.0.0/16 with DNS host names, a private subnet
//	                                                        10.0.1.0/24 with a route table, a group: VPC, SUBNET, RTB, SG
//	bucket NAME                                             make a bucket with an object "object" that says "content of NAME"
//	trim-star VAR                                           take the leading * off a DNS name
//	substitute FILE VAR...                                  write the variables' values into a file where it says $VAR
//	set-from-stdout VAR                                     keep the last command's output
//	wait-for URL                                            wait until a region answers there
//	big FILE SIZE                                           write a JSON string of so many bytes
//	cmp-ids FILE FILE                                       both name the same VPCs
//	invoke NAME [JSON]                                      run a function; its answer is stdout, its error stderr
//	person NAME POLICY-FILE -> VAR                          make a role that the account may assume, with a policy
//	as ROLE-ARN, as operator                                make the calls that follow as a session of the role, or as before
//	web METHOD URL [BODY]                                   a request that is not signed, under the URL's name; see webverbs_test.go
//	as ACCESS-KEY-ID SECRET [TOKEN]                         make the calls that follow with a key
//	presign METHOD PATH -> VAR, open URL [HEADER=VALUE...], keep-from-stderr VAR PATTERN   see presignverbs_test.go
//	instance VAR SCRIPT [NAME=VALUE...], becomes VAR STATE, console VAR PATTERN   see instanceverbs_test.go
//	group-has GROUP PATTERN, bucket-has BUCKET PATTERN, waits-for PATTERN SERVICE OPERATION [NAME=VALUE...]   see flowlogverbs_test.go
//	logged PATTERN                                          the region's own log has such a line
//	dialogue FILE COMMAND...                                a command at a terminal; see terminalverbs_test.go
//
// A verb with ! before it must fail; stderr then holds AWS's code and message.
func verbs() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"region": openRegion, "close": closeRegion, "call": call, "rest": rest, "s3": s3, "role": role, "function": function,
		"network": network, "bucket": bucket, "trim-star": trimStar,
		"substitute": substitute, "wait-for": waitFor, "set-from-stdout": setFromStdout, "cmp-ids": compareIDs, "big": big, "invoke": invoke,
		"person": person, "as": as, "web": web, "presign": presign, "open": open, "keep-from-stderr": keepFromStderr,
		"group-has": groupHas, "bucket-has": bucketHas, "waits-for": waitsFor,
		"instance": instance, "becomes": becomes, "console": console,
		"dialogue": dialogue, "logged": logged,
	}
}

// running is the region of one script.
type running struct {
	region *region.Region
	client *operator.Client

	logMu sync.Mutex
	log   bytes.Buffer // the region's; guarded by logMu
}

type runningKey struct{}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "scripts",
		RequireExplicitExec: true,
		Cmds:                verbs(),
		Condition:           condition,
		Setup: func(env *testscript.Env) error {
			r := &running{}
			env.Values[runningKey{}] = r
			env.Defer(func() {
				if r.region != nil {
					_ = r.region.Close()
				}
			})
			for _, name := range []string{"PATH", "HOME"} { // for aws, python3 and what they need of their own
				env.Setenv("HOST_"+name, os.Getenv(name))
			}
			env.Setenv("PATH", env.Getenv("PATH")+":"+os.Getenv("PATH"))
			return nil
		},
	})
}

func of(ts *testscript.TestScript) *running { return ts.Value(runningKey{}).(*running) }

func openRegion(ts *testscript.TestScript, neg bool, args []string) {
	r := of(ts)
	if neg || r.region != nil {
		ts.Fatalf("usage: region, once")
	}
	c := region.Config{Region: "us-west-2", Listen: "127.0.0.1:0", Version: "test", Log: testLog(ts)}
	for _, a := range args {
		name, value, _ := strings.Cut(a, "=")
		switch name {
		case "region":
			c.Region = value
		case "data":
			c.Data = ts.MkAbs(value)
		case "assume-private-dns":
			c.AssumePrivateDNS = true
		case "quota":
			quotas, err := resource.ParseQuotas([]string{value})
			ts.Check(err)
			c.Quotas = quotas
		case "async-retry-delay":
			d, err := time.ParseDuration(value)
			ts.Check(err)
			c.AsyncRetryDelay = d
		case "flow-log-interval":
			every, err := time.ParseDuration(value)
			ts.Check(err)
			c.FlowLogInterval = every
		case "default-vpc":
			c.DefaultVPC = true
		default:
			ts.Fatalf("region: unknown argument %q", a)
		}
	}
	opened, err := region.Open(context.Background(), c)
	ts.Check(err)
	r.region = opened
	r.client = &operator.Client{Endpoint: opened.URL(), Region: c.Region}
	for name, value := range map[string]string{
		"CULVERT_ENDPOINT": opened.URL(), "AWS_ENDPOINT_URL": opened.URL(), "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_REGION": c.Region, "AWS_DEFAULT_REGION": c.Region, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		ts.Setenv(name, value)
	}
}

func closeRegion(ts *testscript.TestScript, _ bool, _ []string) {
	r := of(ts)
	ts.Check(r.region.Close())
	r.region = nil
}

// check ends a verb: it prints, and compares how it went with how it must.
func check(ts *testscript.TestScript, neg bool, err error) {
	var refused *operator.APIError
	switch {
	case err != nil && !neg:
		ts.Fatalf("%v", err)
	case err == nil && neg:
		ts.Fatalf("succeeded, but must not")
	case errors.As(err, &refused):
		fmt.Fprintf(ts.Stderr(), "%s %s\n", refused.Code, html.UnescapeString(oneLine(refused.Body)))
	case err != nil:
		fmt.Fprintln(ts.Stderr(), err)
	}
}

// oneLine lets a script match the code and the message of an answer with one expression.
func oneLine(b []byte) string { return strings.Join(strings.Fields(string(b)), " ") }

func limit() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 60*time.Second)
}

func call(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: call SERVICE OPERATION [NAME=VALUE...] [-> VAR=ELEMENT...]")
	}
	service, operation, args := args[0], args[1], args[2:]
	var parameters, keep []string
	for i, a := range args {
		if a == "->" {
			keep = args[i+1:]
			break
		}
		name, value, _ := strings.Cut(a, "=")
		if file, ok := strings.CutPrefix(value, "@"); ok {
			value = ts.ReadFile(file)
		}
		parameters = append(parameters, name, value)
	}
	ctx, cancel := limit()
	defer cancel()
	body, err := of(ts).client.QueryRaw(ctx, service, operation, parameters...)
	check(ts, neg, err)
	fmt.Fprintln(ts.Stdout(), string(body))
	for _, k := range keep {
		name, element, _ := strings.Cut(k, "=")
		value, ok := first(body, element)
		if !ok {
			ts.Fatalf("the answer has no element %s:\n%s", element, body)
		}
		ts.Setenv(name, value)
	}
}

// first finds the text of the first element of a name.
func first(document []byte, element string) (string, bool) {
	d := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := d.Token()
		if err != nil {
			return "", false
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == element {
			var text string
			err := d.DecodeElement(&text, &start)
			return text, err == nil
		}
	}
}

func rest(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: rest METHOD PATH [JSON]")
	}
	request := operator.Request{Service: "lambda", Method: args[0], Path: args[1], Header: map[string]string{"Content-Type": "application/json"}}
	if len(args) == 3 {
		request.Body = []byte(args[2])
		if file, ok := strings.CutPrefix(args[2], "@"); ok {
			request.Body = []byte(ts.ReadFile(file))
		}
	}
	ctx, cancel := limit()
	defer cancel()
	_, body, err := of(ts).client.Do(ctx, request)
	check(ts, neg, err)
	fmt.Fprintln(ts.Stdout(), string(body))
}

func s3(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: s3 METHOD PATH [FILE]")
	}
	request := operator.Request{Service: "s3", Method: args[0], Path: args[1]}
	if len(args) == 3 {
		request.Body = []byte(ts.ReadFile(args[2]))
	}
	ctx, cancel := limit()
	defer cancel()
	_, body, err := of(ts).client.Do(ctx, request)
	check(ts, neg, err)
	fmt.Fprintln(ts.Stdout(), string(body))
}

func network(ts *testscript.TestScript, _ bool, _ []string) {
	for _, step := range [][]string{
		{"ec2", "CreateVpc", "CidrBlock=10.0.0.0/16", "->", "VPC=vpcId"},
		{"ec2", "ModifyVpcAttribute", "VpcId=$VPC", "EnableDnsHostnames.Value=true"},
		{"ec2", "CreateSubnet", "VpcId=$VPC", "CidrBlock=10.0.1.0/24", "AvailabilityZone=" + of(ts).client.Region + "a", "->", "SUBNET=subnetId"},
		{"ec2", "CreateRouteTable", "VpcId=$VPC", "->", "RTB=routeTableId"},
		{"ec2", "AssociateRouteTable", "RouteTableId=$RTB", "SubnetId=$SUBNET"},
		{"ec2", "CreateSecurityGroup", "VpcId=$VPC", "GroupName=function", "GroupDescription=function", "->", "SG=groupId"},
	} {
		for i := range step {
			step[i] = os.Expand(step[i], ts.Getenv)
		}
		call(ts, false, step)
	}
}

func bucket(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: bucket NAME")
	}
	client := of(ts).client
	var location []byte
	if client.Region != "us-east-1" {
		location = fmt.Appendf(nil, "<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>", client.Region)
	}
	ctx, cancel := limit()
	defer cancel()
	_, _, err := client.Do(ctx, operator.Request{Service: "s3", Method: "PUT", Path: "/" + args[0], Body: location})
	ts.Check(err)
	_, _, err = client.Do(ctx, operator.Request{Service: "s3", Method: "PUT", Path: "/" + args[0] + "/object", Body: []byte("content of " + args[0])})
	ts.Check(err)
}
