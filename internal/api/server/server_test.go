package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/api/sigv4"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

const (
	testAccount = "000000000000"
	rootKey     = "test"
	roleKey     = "ASIAROLE"
	roleARN     = "arn:aws:sts::000000000000:assumed-role/r/s"
)

func ptr[T any](v T) *T { return &v }

// Shapes of the test's services.
type (
	tagShape struct {
		Key   *string `wire:"Key,out=key"`
		Value *string `wire:"Value,out=value"`
	}
	createVpcInput struct {
		CidrBlock *string    `wire:"CidrBlock,required"`
		DryRun    *bool      `wire:"DryRun"`
		Tags      []tagShape `wire:"Tag"`
	}
	createVpcOutput struct {
		VpcId *string `wire:"VpcId,out=vpcId"`
	}
	emptyShape  struct{}
	invokeInput struct {
		FunctionName *string `wire:"FunctionName,uri,required"`
		Payload      []byte  `wire:"Payload,payload"`
	}
	invokeOutput struct {
		Payload []byte `wire:"Payload,payload"`
	}
)

func (*invokeInput) HTTP() (method, path string, status int) {
	return "POST", "/2015-03-31/functions/{FunctionName}/invocations", 200
}

// testKeys knows the operator and one session.
type testKeys struct{}

func (testKeys) Lookup(id, token string, _ time.Time) (sigv4.Credential, error) {
	switch id {
	case rootKey:
		return sigv4.Credential{Secret: "secret", Caller: api.Caller{Type: api.Root, Account: testAccount, ARN: "arn:aws:iam::000000000000:root"}}, nil
	case roleKey:
		return sigv4.Credential{Secret: "secret", Caller: api.Caller{Type: api.AssumedRole, Account: testAccount, ARN: roleARN}}, nil
	}
	return sigv4.Credential{}, sigv4.ErrUnknownKey
}

// fixture is a server with small services, and what they saw.
type fixture struct {
	*httptest.Server
	store   *state.Store
	records []Record
	asked   []Question
	objects []*api.Call
	settled []uint64
	config  Config
	log     bytes.Buffer
	settle  error
}

func newFixture(t *testing.T, change ...func(*Config)) *fixture {
	t.Helper()
	store, err := state.Open(state.Config{Region: "us-west-2", Account: testAccount})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{store: store}
	f.config = Config{
		Store: store, Keys: testKeys{}, Authorizer: NewAuthorizer(f.decide), Services: f.services(),
		Settle: func(_ context.Context, revision uint64) error {
			f.settled = append(f.settled, revision)
			return f.settle
		},
		Record: func(r Record) { f.records = append(f.records, r) },
		Inspect: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "inspected")
		}),
		Log: slog.New(slog.NewTextHandler(&f.log, nil)),
	}
	for _, c := range change {
		c(&f.config)
	}
	s, err := New(f.config)
	if err != nil {
		t.Fatal(err)
	}
	f.Server = httptest.NewUnstartedServer(s)
	f.Server.Config = HTTPServer(s)
	f.Start()
	t.Cleanup(f.Close)
	return f
}

// decide allows the operator everything and the role nothing.
func (f *fixture) decide(_ state.Reader, call *api.Call, q Question) (policy.Decision, error) {
	f.asked = append(f.asked, q)
	if call.Caller.Type == api.Root {
		return policy.Decision{Allowed: true, Kind: "root"}, nil
	}
	return policy.Decision{Kind: "identity-based", Statement: -1}, nil
}

// ServeCall makes the fixture an object store.
func (f *fixture) ServeCall(w http.ResponseWriter, call *api.Call) {
	f.objects = append(f.objects, call)
	call.Operation = "GetObject"
	if call.HTTP.URL.Path == "/panic" {
		panic("a bug")
	}
	err := f.config.Authorizer.Authorize(f.store.View(), call, "s3:GetObject", "arn:aws:s3:::b/k", nil, nil)
	if e := api.AsError(err); e != nil {
		w.WriteHeader(e.Status)
		_, _ = io.WriteString(w, e.Code+": "+e.Message)
		return
	}
	_, _ = io.Copy(w, call.HTTP.Body)
}

func (f *fixture) services() []service.Definition {
	createVpc := func(tx *state.Tx, _ *api.Call, in *createVpcInput) (*createVpcOutput, error) {
		switch *in.CidrBlock {
		case "bug":
			panic("a bug")
		case "internal":
			return nil, errors.New("the disk of host db-7 is full")
		case "taken":
			return nil, api.Errorf("InvalidVpc.Range", "taken")
		}
		id := tx.NewID("vpc")
		tx.Put(&resource.VPC{ID: resource.VPCID(id)})
		return &createVpcOutput{VpcId: &id}, nil
	}
	vpcs := func(_ state.Reader, in *createVpcInput) []string {
		return []string{"arn:aws:ec2:us-west-2:000000000000:vpc/*"}
	}
	describe := func(v *state.View, _ *api.Call, _ *emptyShape) (*createVpcOutput, error) {
		return &createVpcOutput{VpcId: ptr(strings.Repeat("x", len(state.List[*resource.VPC](v))))}, nil
	}
	identity := func(_ *state.View, call *api.Call, _ *emptyShape) (*createVpcOutput, error) {
		return &createVpcOutput{VpcId: &call.Caller.ARN}, nil
	}
	invoke := func(_ context.Context, _ *api.Call, in *invokeInput) (*invokeOutput, error) {
		return &invokeOutput{Payload: in.Payload}, nil
	}
	return []service.Definition{
		{Name: "ec2", Protocol: service.EC2Query, Version: "2016-11-15", Operations: []service.Operation{
			service.Update("CreateVpc", createVpc, service.On(vpcs)),
			service.View("DescribeVpcs", describe, service.OnAny()),
		}},
		{Name: "sts", Protocol: service.AWSQuery, Version: "2011-06-15", Unsigned: []string{"AssumeRoleWithWebIdentity"}, Operations: []service.Operation{
			service.View("GetCallerIdentity", identity, service.Public()),
			service.View("AssumeRole", describe, service.OnAny()),
		}},
		{Name: "lambda", Protocol: service.RESTJSON, Operations: []service.Operation{
			service.Stream("Invoke", invoke, service.Action("lambda:InvokeFunction"), service.OnAny(), service.MaxBody(1000)),
		}},
		{Name: "logs", Protocol: service.AWSJSON11, TargetPrefix: "Logs_20140328", Operations: []service.Operation{
			service.View("DescribeLogGroups", describe, service.OnAny()),
		}},
		{Name: "s3", Protocol: service.RESTXML, Handler: f},
	}
}

// call is a request to make.
type call struct {
	service string // empty: do not sign
	region  string
	key     string
	method  string
	path    string
	host    string
	header  map[string]string
	body    string
}

func form(nameValues ...string) call {
	v := url.Values{}
	for i := 0; i < len(nameValues); i += 2 {
		v.Set(nameValues[i], nameValues[i+1])
	}
	return call{service: "ec2", body: v.Encode(), header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}
}

func (c call) as(service, key string) call {
	c.service, c.key = service, key
	return c
}

func (f *fixture) request(t *testing.T, c call) *http.Request {
	t.Helper()
	if c.method == "" {
		c.method = "POST"
	}
	if c.path == "" {
		c.path = "/"
	}
	r, err := http.NewRequest(c.method, f.URL+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	if c.host != "" {
		r.Host = c.host
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	if c.service == "" {
		return r
	}
	sum := sha256.Sum256([]byte(c.body))
	hash := hex.EncodeToString(sum[:])
	if c.service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", hash)
	}
	if c.key == "" {
		c.key = rootKey
	}
	if c.region == "" {
		c.region = "us-west-2"
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = c.service == "s3" })
	err = signer.SignHTTP(context.Background(), aws.Credentials{AccessKeyID: c.key, SecretAccessKey: "secret"}, r, hash, c.service, c.region, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (f *fixture) do(t *testing.T, c call) (int, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(f.request(t, c))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body) + response.Header.Get("X-Amzn-ErrorType")
}

// want fails unless a call gets a status and an answer that contains a text.
func (f *fixture) want(t *testing.T, c call, status int, text string) {
	t.Helper()
	got, body := f.do(t, c)
	if got != status || !strings.Contains(body, text) {
		t.Errorf("got %d %s\nwant %d ... %s", got, body, status, text)
	}
}

func (f *fixture) lastRecord(t *testing.T) Record {
	t.Helper()
	f.Close() // waits for the handler, which records after the answer
	if len(f.records) == 0 {
		t.Fatal("no record")
	}
	return f.records[len(f.records)-1]
}

// through makes the fixture's server listen at another door.
func (f *fixture) through(t *testing.T, o api.Origin) {
	t.Helper()
	s, err := New(f.config)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	f.Server = httptest.NewUnstartedServer(s)
	f.Server.Config = HTTPServer(s)
	f.Server.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context { return WithOrigin(ctx, o) }
	f.Start()
	t.Cleanup(f.Close)
}

func endpointOrigin(service string) api.Origin {
	return api.Origin{Door: api.DoorEndpoint, Service: service, SourceIP: netip.MustParseAddr("10.0.1.5"), VPCEndpointID: "vpce-1", VPCID: "vpc-1"}
}

func failingDecide(state.Reader, *api.Call, Question) (policy.Decision, error) {
	return policy.Decision{Allowed: true}, errors.New("the policy is gone")
}
