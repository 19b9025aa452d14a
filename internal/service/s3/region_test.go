package s3_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
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
	"github.com/culvert-cloud/culvert/internal/api/server"
	"github.com/culvert-cloud/culvert/internal/api/sigv4"
	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/objects"
	"github.com/culvert-cloud/culvert/internal/service"
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

// region is the service with a real engine behind it and the real pipeline in front. The access key is the
// caller's name; "root" is the account's root. A second door believes every signature, for requests that no
// client would send.
type region struct {
	*httptest.Server
	credulous *httptest.Server

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
	authorizer := server.NewAuthorizer(r.decide)
	r.service = s3.New(s3.Config{Store: store, Engine: engine.Transport(), Authorize: authorizer.Authorize, SigningKey: server.SigningKey, Log: log})
	pipeline, err := server.New(server.Config{
		Store: store, Services: []service.Definition{r.service.Definition()}, Keys: keys{}, Authorizer: authorizer, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		pipeline.ServeHTTP(w, in.WithContext(server.WithOrigin(in.Context(), r.origin())))
	}))
	r.credulous = httptest.NewTLSServer(http.HandlerFunc(r.believe))
	t.Cleanup(func() {
		r.Server.Close()
		r.credulous.Close()
		_ = engine.Close()
	})
	return r
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

func (r *region) origin() api.Origin {
	if r.endpoint != "" {
		return api.Origin{Door: api.DoorEndpoint, Secure: true, Service: "s3", VPCEndpointID: r.endpoint}
	}
	return api.Origin{Door: api.DoorHost, Secure: true}
}

func (r *region) believe(w http.ResponseWriter, in *http.Request) {
	name := ""
	if _, rest, ok := strings.Cut(in.Header.Get("Authorization"), "Credential="); ok {
		name, _, _ = strings.Cut(rest, "/")
	}
	r.service.ServeCall(w, &api.Call{
		RequestID: fmt.Sprintf("REQUEST%09d", r.count.Add(1)), Service: "s3", Region: regionName, Account: account,
		Time: time.Now(), Caller: callerNamed(name), HTTP: in, Origin: r.origin(),
	})
}

// keys knows every access key: all have the same secret.
type keys struct{}

func (keys) Lookup(name, _ string, _ time.Time) (sigv4.Credential, error) {
	return sigv4.Credential{Secret: secret, Caller: callerNamed(name)}, nil
}

func callerNamed(name string) api.Caller {
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

func (r *region) decide(_ state.Reader, call *api.Call, q server.Question) (policy.Decision, error) {
	conditions := maps.Clone(q.Keys)
	if call.Origin.VPCEndpointID != "" {
		conditions["aws:sourcevpce"] = []string{call.Origin.VPCEndpointID}
	}
	who := policy.Principal{
		Account: call.Caller.Account, ARN: call.Caller.ARN, RoleARN: call.Caller.RoleARN,
		Root: call.Caller.Type == api.Root, Anonymous: call.Caller.Type == api.Anonymous,
	}
	policies := policy.Policies{Resource: q.Policy, ResourceAccount: account}
	if d := r.roles[call.Caller.RoleName]; d != nil {
		policies.Identity = []*policy.Document{d}
	}
	return policy.Evaluate(policy.Request{Action: q.Action, Resource: q.Resource, Principal: who, Context: conditions}, policies), nil
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

// raw sends a request to the credulous door, as root unless a header says otherwise.
func (r *region) raw(method, target, body string, header ...string) (int, http.Header, string) {
	r.t.Helper()
	in, err := http.NewRequestWithContext(r.t.Context(), method, r.credulous.URL, strings.NewReader(body))
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
	res, err := r.credulous.Client().Do(in)
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
