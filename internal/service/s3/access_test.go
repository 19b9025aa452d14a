package s3_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/culvert-cloud/culvert/internal/api"
)

const readPublic = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::access/public/*"}}`

func TestNoKeyEscapesThePolicyThatAllowsIt(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("access")
	r.put(b, "secret", "secret")
	r.put(b, "public/a", "public")
	r.allow("reader", readPublic)
	reader := []string{"Authorization", "AWS4-HMAC-SHA256 Credential=reader/x,Signature=x"}
	if status, _, body := r.raw("GET", "/access/public/a", "", reader...); status != 200 || body != "public" {
		t.Fatalf("allowed key: got %d %s", status, body)
	}
	for _, path := range []string{
		"/access/secret", "/access/public/../secret", "/access/public/%2e%2e/secret", "/access/public%2F..%2Fsecret", "/access/public//../secret",
		"/access/public/./../secret", "/access/./secret", "/access//secret", "//access/secret", "/public/../access/secret", "/access/public/..",
		"/access/public/..%00/secret", "/access/public/a/..%2f..%2fsecret",
	} {
		status, _, body := r.raw("GET", path, "", reader...)
		if status < 400 || body == "secret" {
			t.Errorf("GET %s: got %d %s", path, status, body)
		}
		if status, _, body := r.raw("PUT", path, "overwritten", reader...); status < 400 {
			t.Errorf("PUT %s: got %d %s", path, status, body)
		}
		copied := append([]string{"X-Amz-Copy-Source", path}, reader...)
		if status, _, body := r.raw("PUT", "/access/public/copy", "", copied...); status < 400 {
			t.Errorf("copy of %s: got %d %s", path, status, body)
		}
	}
	if got, err := get(t.Context(), r.as("root"), b, "secret"); got != "secret" {
		t.Errorf("secret: got %q, %v", got, err)
	}
}

func TestAListingShowsNoMoreThanItsPrefix(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("access")
	r.put(b, "secret/x", "x")
	r.put(b, "public/a", "x")
	r.allow("lister", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::access","Condition":{"StringLike":{"s3:prefix":"public/*"}}}}`)
	c := r.as("lister")
	out, err := c.ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: &b, Prefix: aws.String("public/")})
	if err != nil || len(out.Contents) != 1 {
		t.Errorf("allowed prefix: got %+v, %v", out, err)
	}
	for _, prefix := range []string{"", "secret/", "public", "public/../secret/", "public/./"} {
		out, err := c.ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: &b, Prefix: &prefix})
		if err == nil {
			t.Errorf("prefix %q: got %d keys", prefix, len(out.Contents))
		}
	}
}

func TestWhoMayNotListIsNotToldWhatExists(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("access")
	r.allow("reader", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::access/*"}}`)
	r.allow("lister", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*"}}`)
	_, err := get(t.Context(), r.as("reader"), b, "none")
	want := `User: arn:aws:sts::123456789012:assumed-role/reader/s is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::access" because no identity-based policy allows the s3:ListBucket action`
	if code(err) != "AccessDenied" || !strings.Contains(err.Error(), want) {
		t.Errorf("without s3:ListBucket: got %v, want %s", err, want)
	}
	if _, err := get(t.Context(), r.as("lister"), b, "none"); code(err) != "NoSuchKey" {
		t.Errorf("with s3:ListBucket: got %v, want NoSuchKey", err)
	}
	for name, want := range map[string]int{"reader": 403, "lister": 404} {
		status, h, body := r.raw("HEAD", "/access/none", "", "Authorization", "AWS4 Credential="+name+"/x")
		if status != want || body != "" || h.Get("Content-Length") == "0" && status == 200 {
			t.Errorf("HEAD as %s: got %d, want %d", name, status, want)
		}
	}
	if _, err := get(t.Context(), r.as("reader"), "no-such-bucket", "k"); code(err) != "NoSuchBucket" {
		t.Errorf("no bucket: got %v", err)
	}
}

func TestABucketPolicyMayDemandAnEndpoint(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("access")
	r.put(b, "k", "content")
	r.allow("reader", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`)
	text := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::access","arn:aws:s3:::access/*"],"Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}]}`
	if _, err := r.as("root").PutBucketPolicy(t.Context(), &client.PutBucketPolicyInput{Bucket: &b, Policy: &text}); err != nil {
		t.Fatal(err)
	}
	_, err := get(t.Context(), r.as("reader"), b, "k")
	if code(err) != "AccessDenied" || !strings.Contains(err.Error(), "with an explicit deny in a resource-based policy") {
		t.Errorf("from the host: got %v", err)
	}
	if _, err := get(t.Context(), r.as("root"), b, "k"); code(err) != "AccessDenied" {
		t.Errorf("root from the host: got %v", err)
	}
	r.endpoint = "vpce-1"
	if got, err := get(t.Context(), r.as("reader"), b, "k"); got != "content" {
		t.Errorf("through the endpoint: got %q, %v", got, err)
	}
	r.endpoint = ""
	if _, err := r.as("root").DeleteBucketPolicy(t.Context(), &client.DeleteBucketPolicyInput{Bucket: &b}); err != nil {
		t.Errorf("root removes the policy that locks everybody out: got %v", err)
	}
}

func TestAnonymousCallsNeedAPublicPolicyAndAnOpenBlock(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("access")
	r.put(b, "k", "content")
	anonymous := []string{"Authorization", "", "X-Amz-Content-Sha256", ""}
	if status, _, body := r.raw("GET", "/access/k", "", anonymous...); status != 403 || !strings.Contains(body, "<Message>Access Denied</Message>") {
		t.Errorf("without a policy: got %d %s", status, body)
	}
	public := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::access/*"}]}`
	c := r.as("root")
	_, err := c.PutBucketPolicy(t.Context(), &client.PutBucketPolicyInput{Bucket: &b, Policy: &public})
	if code(err) != "AccessDenied" || !strings.Contains(err.Error(), "public policies are prevented by the BlockPublicPolicy setting") {
		t.Errorf("public policy on a new bucket: got %v", err)
	}
	block := func(policy, restrict bool) {
		t.Helper()
		_, err := c.PutPublicAccessBlock(t.Context(), &client.PutPublicAccessBlockInput{Bucket: &b, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicPolicy: &policy, RestrictPublicBuckets: &restrict,
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	block(false, false)
	if _, err := c.PutBucketPolicy(t.Context(), &client.PutBucketPolicyInput{Bucket: &b, Policy: &public}); err != nil {
		t.Fatal(err)
	}
	status, err2 := c.GetBucketPolicyStatus(t.Context(), &client.GetBucketPolicyStatusInput{Bucket: &b})
	if err2 != nil || !*status.PolicyStatus.IsPublic {
		t.Errorf("policy status: got %+v, %v", status, err2)
	}
	if status, _, body := r.raw("GET", "/access/k", "", anonymous...); status != 200 || body != "content" {
		t.Errorf("public: got %d %s", status, body)
	}
	if status, _, body := r.raw("PUT", "/access/new", "put by nobody", anonymous...); status != 200 {
		t.Errorf("public put: got %d %s", status, body)
	}
	if got, err := get(t.Context(), c, b, "new"); got != "put by nobody" {
		t.Errorf("public put: got %q, %v", got, err)
	}
	block(false, true)
	if status, _, _ := r.raw("GET", "/access/k", "", anonymous...); status != 403 {
		t.Errorf("public, restricted: got %d", status)
	}
}

func TestACopyNeedsPermissionForBothEnds(t *testing.T) {
	r := newRegion(t)
	from, to := r.bucket("access-from"), r.bucket("access-to")
	r.put(from, "k", "x")
	statement := func(action, arn string) string {
		return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + arn + `"}`
	}
	read, write := statement("s3:GetObject", "arn:aws:s3:::access-from/*"), statement("s3:PutObject", "arn:aws:s3:::access-to/*")
	for name, row := range map[string]struct{ statements, want string }{
		"read": {read, "AccessDenied"}, "write": {write, "AccessDenied"}, "both": {read + "," + write, ""},
	} {
		r.allow(name, `{"Version":"2012-10-17","Statement":[`+row.statements+`]}`)
		_, err := r.as(name).CopyObject(t.Context(), &client.CopyObjectInput{Bucket: &to, Key: aws.String("k"), CopySource: aws.String(from + "/k")})
		if code(err) != row.want {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}

func TestVersionsAndTagsNeedTheirOwnPermissions(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("access")
	r.put(b, "k", "x")
	r.allow("reader", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}}`)
	c := r.as("reader")
	if _, err := c.GetObject(t.Context(), &client.GetObjectInput{Bucket: &b, Key: aws.String("k"), VersionId: aws.String("null")}); code(err) != "AccessDenied" {
		t.Errorf("version: got %v", err)
	}
	if _, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: &b, Key: aws.String("k"), Tagging: aws.String("a=b")}); code(err) != "AccessDenied" {
		t.Errorf("put with tags: got %v", err)
	}
	if _, err := c.GetObjectAttributes(t.Context(), &client.GetObjectAttributesInput{Bucket: &b, Key: aws.String("k"), ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesEtag}}); code(err) != "AccessDenied" {
		t.Errorf("attributes: got %v", err)
	}
}

func TestAPolicyMayLookAtTheTagsOfAnObject(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("access")
	for key, tag := range map[string]string{"red": "colour=red", "blue": "colour=blue"} {
		if _, err := r.as("root").PutObject(t.Context(), &client.PutObjectInput{Bucket: &b, Key: aws.String(key), Tagging: aws.String(tag)}); err != nil {
			t.Fatal(err)
		}
	}
	r.allow("reader", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`)
	text := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::access/*","Condition":{"StringEquals":{"s3:ExistingObjectTag/colour":"red"}}}]}`
	if _, err := r.as("root").PutBucketPolicy(t.Context(), &client.PutBucketPolicyInput{Bucket: &b, Policy: &text}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"red": "AccessDenied", "blue": ""} {
		if _, err := get(t.Context(), r.as("reader"), b, key); code(err) != want {
			t.Errorf("%s: got %v, want %q", key, err, want)
		}
	}
}

func TestCodeForAFunctionIsReadAsTheCaller(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("access")
	r.put(b, "code.zip", "zip")
	r.allow("deployer", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::access/code.zip"}}`)
	read := func(role, key string) (string, error) {
		in, _ := http.NewRequest("POST", r.URL, nil)
		call := &api.Call{HTTP: in, Caller: api.Caller{Type: api.AssumedRole, Account: account, RoleName: role, ARN: "arn:aws:sts::123456789012:assumed-role/x/y"}}
		body, err := r.service.GetObject(context.Background(), call, b, key, "")
		if err != nil {
			return "", err
		}
		defer body.Close()
		data, err := io.ReadAll(body)
		return string(data), err
	}
	if got, err := read("deployer", "code.zip"); got != "zip" || err != nil {
		t.Errorf("allowed: got %q, %v", got, err)
	}
	for _, row := range []struct{ role, key string }{{"deployer", "other.zip"}, {"nobody", "code.zip"}, {"deployer", "x/../code.zip"}} {
		if got, err := read(row.role, row.key); api.AsError(err) == nil {
			t.Errorf("%v: got %q, %v; want an error for the caller", row, got, err)
		}
	}
}
