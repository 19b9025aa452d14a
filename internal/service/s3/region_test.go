package s3_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/objects"
	"github.com/culvert-cloud/culvert/internal/service/s3"
	"github.com/culvert-cloud/culvert/internal/state"
)

func TestMain(m *testing.M) {
	if objects.IsChild() {
		objects.ChildMain()
	}
	os.Exit(launch.Tests(m.Run))
}

const (
	account    = "123456789012"
	regionName = "us-west-2"
	secret     = "secret"
)

// region is the service with a real engine behind it and a door in front that believes every signature: package
// api/sigv4 has its own tests. The access key is the caller's name; "root" is the account's root.
type region struct {
	*httptest.Server
	t       testing.TB
	store   *state.Store
	engine  *objects.Engine
	service *s3.Service
	roles   map[string]*policy.Document
	// endpoint, if set, is the VPC endpoint that calls come through.
	endpoint string
	count    atomic.Int64
}

func newRegion(t testing.TB) *region {
	t.Helper()
	store, err := state.Open(state.Config{Region: regionName, Account: account})
	if err != nil {
		t.Fatal(err)
	}
	return newRegionIn(t, store, tempDir(t))
}

func newRegionIn(t testing.TB, store *state.Store, dir string) *region {
	t.Helper()
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelInfo}))
	engine, err := objects.Start(context.Background(), objects.Config{
		Dir: dir, Region: regionName, Owner: s3.CanonicalUserID(account), Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &region{t: t, store: store, engine: engine, roles: map[string]*policy.Document{}}
	r.service = s3.New(s3.Config{Store: store, Engine: engine.Transport(), Authorize: r.authorize, SigningKey: signingKey, Log: log})
	r.Server = httptest.NewTLSServer(http.HandlerFunc(r.serve))
	t.Cleanup(func() {
		r.Server.Close()
		_ = engine.Close()
	})
	return r
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

func (r *region) serve(w http.ResponseWriter, in *http.Request) {
	call := &api.Call{
		RequestID: fmt.Sprintf("REQUEST%09d", r.count.Add(1)), Service: "s3", Region: regionName, Account: account,
		Time: time.Now(), Caller: callerOf(in), HTTP: in, Origin: api.Origin{Door: api.DoorHost, Secure: true},
	}
	if r.endpoint != "" {
		call.Origin = api.Origin{Door: api.DoorEndpoint, VPCEndpointID: r.endpoint}
	}
	r.service.ServeCall(w, call)
}

func callerOf(in *http.Request) api.Caller {
	credential := in.URL.Query().Get("X-Amz-Credential")
	if _, rest, ok := strings.Cut(in.Header.Get("Authorization"), "Credential="); ok {
		credential = rest
	}
	name, _, _ := strings.Cut(credential, "/")
	switch name {
	case "":
		return api.Caller{Type: api.Anonymous}
	case "root":
		return api.Caller{Type: api.Root, Account: account, ARN: "arn:aws:iam::" + account + ":root", AccessKeyID: name}
	}
	return api.Caller{
		Type: api.AssumedRole, Account: account, AccessKeyID: name, RoleName: name, SessionName: "s",
		ARN: "arn:aws:sts::" + account + ":assumed-role/" + name + "/s", RoleARN: "arn:aws:iam::" + account + ":role/" + name,
	}
}

// signingKey derives the key of a header signature, as the real door remembers it.
func signingKey(call *api.Call) []byte {
	_, rest, ok := strings.Cut(call.HTTP.Header.Get("Authorization"), "Credential=")
	if !ok {
		return nil
	}
	key := []byte("AWS4" + secret)
	for _, part := range strings.Split(strings.SplitN(rest, ",", 2)[0], "/")[1:] {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return key
}

func (r *region) authorize(_ state.Reader, call *api.Call, action, arn string, bucket *policy.Document, conditions map[string][]string) error {
	if call.Origin.VPCEndpointID != "" {
		conditions["aws:sourcevpce"] = []string{call.Origin.VPCEndpointID}
	}
	who := policy.Principal{
		Account: call.Caller.Account, ARN: call.Caller.ARN, RoleARN: call.Caller.RoleARN,
		Root: call.Caller.Type == api.Root, Anonymous: call.Caller.Type == api.Anonymous,
	}
	policies := policy.Policies{Resource: bucket, ResourceAccount: account}
	if d := r.roles[call.Caller.RoleName]; d != nil {
		policies.Identity = []*policy.Document{d}
	}
	d := policy.Evaluate(policy.Request{Action: action, Resource: arn, Principal: who, Context: conditions}, policies)
	if d.Allowed {
		return nil
	}
	return &api.Error{Code: "AccessDenied", Message: policy.DeniedText(call.Caller.ARN, action, arn, true, d), Status: 403}
}

// allow gives a role a policy.
func (r *region) allow(role, text string) {
	r.t.Helper()
	d, err := policy.Parse(role, policy.Identity, []byte(text))
	if err != nil {
		r.t.Fatal(err)
	}
	r.roles[role] = d
}

// as is a client that calls as somebody.
func (r *region) as(name string, options ...func(*client.Options)) *client.Client {
	o := client.Options{
		Region: regionName, BaseEndpoint: aws.String(r.URL), UsePathStyle: true, HTTPClient: r.Client(), RetryMaxAttempts: 1,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: name, SecretAccessKey: secret}, nil
		}),
	}
	return client.New(o, options...)
}

// realNames makes a client use AWS's own host names.
func (r *region) realNames(o *client.Options) {
	address := r.Listener.Addr().String()
	o.BaseEndpoint, o.UsePathStyle = nil, false
	o.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", address)
		}
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // the test server's certificate is for example.com
	})
}

func (r *region) bucket(name string) string {
	r.t.Helper()
	_, err := r.as("root").CreateBucket(r.t.Context(), &client.CreateBucketInput{
		Bucket:                    &name,
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: regionName},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return name
}

func (r *region) put(bucket, key, body string) {
	r.t.Helper()
	_, err := r.as("root").PutObject(r.t.Context(), &client.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)})
	if err != nil {
		r.t.Fatalf("put %s: %v", key, err)
	}
}

func get(ctx context.Context, c *client.Client, bucket, key string) (string, error) {
	out, err := c.GetObject(ctx, &client.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	return string(b), err
}

// raw sends a request that no client would, as root unless a header says otherwise.
func (r *region) raw(method, target, body string, header ...string) (int, http.Header, string) {
	r.t.Helper()
	in, err := http.NewRequestWithContext(r.t.Context(), method, r.URL, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	in.URL.Opaque = target // as it is
	if path, query, ok := strings.Cut(target, "?"); ok {
		in.URL.Opaque, in.URL.RawQuery = path, query
	}
	in.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=root/x,Signature=x")
	in.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			in.Host = header[i+1]
			continue
		}
		in.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			in.Header.Del(header[i])
		}
	}
	res, err := r.Client().Do(in)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(got)
}

// code is the error's code, "" for nil.
func code(err error) string {
	if err == nil {
		return ""
	}
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return err.Error()
}

func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "s3")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
