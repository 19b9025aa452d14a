package test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/culvert-cloud/culvert/internal/operator"
	"github.com/culvert-cloud/culvert/internal/region"
)

const (
	everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	trust      = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`
	vpcAccess  = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
)

func role(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 4 || args[2] != "->" {
		ts.Fatalf("usage: role NAME POLICY-FILE -> VAR")
	}
	ctx, cancel := limit()
	defer cancel()
	arn, err := makeRole(ctx, of(ts).client, args[0], ts.ReadFile(args[1]))
	check(ts, neg, err)
	ts.Setenv(args[3], arn)
}

// makeRole makes a role that Lambda may assume, with a policy, and returns its ARN.
func makeRole(ctx context.Context, client *operator.Client, name, document string) (string, error) {
	steps := [][]string{
		{"CreateRole", "RoleName", name, "AssumeRolePolicyDocument", trust},
		{"AttachRolePolicy", "RoleName", name, "PolicyArn", vpcAccess},
		{"PutRolePolicy", "RoleName", name, "PolicyName", "inline", "PolicyDocument", document},
	}
	for _, s := range steps {
		if err := client.Query(ctx, "iam", s[0], nil, s[1:]...); err != nil {
			return "", err
		}
	}
	return "arn:aws:iam::" + region.Account + ":role/" + name, nil
}

func function(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: function NAME role=ARN [subnet=ID sg=ID] [timeout=S]")
	}
	code, err := packedProbe()
	ts.Check(err)
	in := map[string]any{"FunctionName": args[0], "Runtime": "provided.al2023", "Handler": "bootstrap", "Code": map[string]string{"ZipFile": code}}
	network := map[string]any{}
	for _, a := range args[1:] {
		name, value, _ := strings.Cut(a, "=")
		switch name {
		case "role":
			in["Role"] = value
		case "timeout":
			in["Timeout"], err = strconv.Atoi(value)
			ts.Check(err)
		case "subnet":
			network["SubnetIds"] = strings.Split(value, ",")
		case "sg":
			network["SecurityGroupIds"] = strings.Split(value, ",")
		default:
			ts.Fatalf("function: unknown argument %q", a)
		}
	}
	if len(network) > 0 {
		in["VpcConfig"] = network
	}
	ctx, cancel := limit()
	defer cancel()
	if in["Role"] == nil {
		in["Role"], err = makeRole(ctx, of(ts).client, "everything-"+args[0], everything)
		ts.Check(err)
	}
	body, err := of(ts).client.JSON(ctx, "lambda", "POST", "/2015-03-31/functions", in)
	check(ts, neg, err)
	fmt.Fprintln(ts.Stdout(), string(body))
}

// packedProbe is the probe function's zip in base64, made once.
var packedProbe = sync.OnceValues(func() (string, error) {
	program, err := os.Open(os.Getenv(probeFunction))
	if err != nil {
		return "", err
	}
	defer program.Close()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(w, program); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(out.Bytes()), nil
})

func invoke(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: invoke NAME [JSON]")
	}
	payload := []byte("{}")
	if len(args) == 2 {
		payload = []byte(args[1])
	}
	ctx, cancel := limit()
	defer cancel()
	got, err := of(ts).client.Invoke(ctx, args[0], payload)
	if err == nil && got.FunctionError != "" {
		fmt.Fprintf(ts.Stderr(), "%s\n%s", got.FunctionError, got.Log)
		if !neg {
			ts.Logf("%s", got.Log)
			ts.Fatalf("the function failed: %s", got.Payload)
		}
	} else {
		check(ts, neg, err)
		fmt.Fprint(ts.Stderr(), got.Log)
	}
	var text string
	if json.Unmarshal([]byte(got.Payload), &text) == nil { // a string answer is read more easily without its quotes
		got.Payload = text
	}
	fmt.Fprintln(ts.Stdout(), got.Payload)
}
