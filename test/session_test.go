package test

import (
	"encoding/xml"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/rogpeppe/go-internal/testscript"
)

// as makes the calls that follow as a session of a role, with a key, or as the operator again.
func as(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 3 {
		ts.Fatalf("usage: as ROLE-ARN | as operator | as ACCESS-KEY-ID SECRET [TOKEN]")
	}
	client := of(ts).client
	client.Credentials = nil
	if len(args) > 1 {
		client.Credentials = &aws.Credentials{AccessKeyID: args[0], SecretAccessKey: args[1]}
		if len(args) > 2 {
			client.Credentials.SessionToken = args[2]
		}
		return
	}
	if args[0] == "operator" {
		return
	}
	ctx, cancel := limit()
	defer cancel()
	body, err := client.QueryRaw(ctx, "sts", "AssumeRole", "RoleArn", args[0], "RoleSessionName", "somebody")
	ts.Check(err)
	var out struct {
		Credentials struct{ AccessKeyId, SecretAccessKey, SessionToken string } `xml:"AssumeRoleResult>Credentials"`
	}
	ts.Check(xml.Unmarshal(body, &out))
	c := out.Credentials
	client.Credentials = &aws.Credentials{AccessKeyID: c.AccessKeyId, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
}

// person makes a role that the account may assume, with a policy.
func person(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 || args[2] != "->" {
		ts.Fatalf("usage: person NAME POLICY-FILE -> VAR")
	}
	const trustAccount = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"000000000000"}}]}`
	ctx, cancel := limit()
	defer cancel()
	client := of(ts).client
	ts.Check(client.Query(ctx, "iam", "CreateRole", nil, "RoleName", args[0], "AssumeRolePolicyDocument", trustAccount))
	ts.Check(client.Query(ctx, "iam", "PutRolePolicy", nil, "RoleName", args[0], "PolicyName", "inline", "PolicyDocument", strings.TrimSpace(ts.ReadFile(args[1]))))
	ts.Setenv(args[3], "arn:aws:iam::000000000000:role/"+args[0])
}
