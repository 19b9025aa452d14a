package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// web sends a request to an address that the service gave out.
func (b *bench) web(r *http.Request, change ...func(*api.Call)) *httptest.ResponseRecorder {
	b.Helper()
	call := &api.Call{
		RequestID: "request-1", Region: "us-west-2", Account: "000000000000", Time: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC),
		Caller: api.Caller{Type: api.Anonymous}, Origin: api.Origin{Door: api.DoorInternet, SourceIP: netip.MustParseAddr("192.0.2.7"), Secure: true}, HTTP: r,
	}
	for _, f := range change {
		f(call)
	}
	w := httptest.NewRecorder()
	web := b.service.Definition().Web
	if !web.Owns(r.Host, r.URL.Path) {
		b.Fatalf("%s%s is not the service's", r.Host, r.URL.Path)
	}
	web.Handler.ServeCall(w, call)
	return w
}

// newURLBench makes a function with a URL that everybody may use.
func newURLBench(t *testing.T, change ...func(*CreateFunctionUrlConfigInput)) (b *bench, url string) {
	b = newBench(t, func(c *Config) {
		c.Authorize = func(_ state.Reader, call *api.Call, action, on string, own *policy.Document, keys map[string][]string) error {
			d := policy.Evaluate(policy.Request{Action: action, Resource: on, Principal: policy.PrincipalOf(&call.Caller), Context: keys}, policy.Policies{Resource: own})
			if !d.Allowed {
				return errors.New("denied")
			}
			return nil
		}
	})
	b.create("f")
	in := &CreateFunctionUrlConfigInput{FunctionName: ptr("f"), AuthType: ptr("NONE")}
	for _, f := range change {
		f(in)
	}
	url = *must[CreateFunctionUrlConfigOutput](b, "CreateFunctionUrlConfig", in).FunctionUrl
	may := allow("f", "url", "*")
	may.Action, may.FunctionUrlAuthType = ptr("lambda:InvokeFunctionUrl"), ptr("NONE")
	must[AddPermissionOutput](b, "AddPermission", may)
	via := allow("f", "via", "*")
	via.InvokedViaFunctionUrl = ptr(true)
	must[AddPermissionOutput](b, "AddPermission", via)
	return b, url
}

func TestAURLIsConfiguredAsOnAWS(t *testing.T) {
	b, url := newURLBench(t)
	id, ok := strings.CutSuffix(strings.TrimPrefix(url, "https://"), ".lambda-url.us-west-2.on.aws/")
	if !ok || len(id) != 32 {
		t.Errorf("got %s", url)
	}
	b.refused("CreateFunctionUrlConfig", &CreateFunctionUrlConfigInput{FunctionName: ptr("f"), AuthType: ptr("NONE")}, 409,
		"ResourceConflictException: Failed to create function url config for [functionArn = arn:aws:lambda:us-west-2:000000000000:function:f]. Error message:  FunctionUrlConfig exists for this Lambda function")
	must[UpdateFunctionUrlConfigOutput](b, "UpdateFunctionUrlConfig", &UpdateFunctionUrlConfigInput{FunctionName: ptr("f"), AuthType: ptr("AWS_IAM"), Cors: &Cors{AllowOrigins: []string{"*"}}})
	got := must[GetFunctionUrlConfigOutput](b, "GetFunctionUrlConfig", &GetFunctionUrlConfigInput{FunctionName: ptr("f")})
	if *got.AuthType != "AWS_IAM" || *got.FunctionUrl != url || got.Cors.AllowOrigins[0] != "*" || *got.InvokeMode != "BUFFERED" {
		t.Errorf("got %v", got)
	}
	must[DeleteFunctionUrlConfigOutput](b, "DeleteFunctionUrlConfig", &DeleteFunctionUrlConfigInput{FunctionName: ptr("f")})
	if w := b.web(httptest.NewRequest("GET", url, nil)); w.Code != 403 {
		t.Errorf("a URL that is gone answers %d", w.Code)
	}
}

func TestARequestToAURLBecomesAnEvent(t *testing.T) {
	b, url := newURLBench(t)
	r := httptest.NewRequest("POST", url+"a/b?x=1&x=2", strings.NewReader("\x00\x01"))
	r.Header.Set("Cookie", "c=1; d=2")
	r.Header.Set("X-Mine", "yes")
	r.Header.Set("User-Agent", "probe")
	r.Header.Set("X-Forwarded-For", "10.0.0.1")
	if w := b.web(r); w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	var got map[string]any
	if err := json.Unmarshal(b.fake.invoked[0].Payload, &got); err != nil {
		t.Fatal(err)
	}
	host := r.Host
	id := strings.Split(host, ".")[0]
	want := map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": "/a/b", "rawQueryString": "x=1&x=2", "body": "AAE=", "isBase64Encoded": true,
		"cookies": []any{"c=1", "d=2"}, "queryStringParameters": map[string]any{"x": "1,2"},
		"headers": map[string]any{
			"host": host, "x-mine": "yes", "user-agent": "probe", "content-length": "2",
			"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https", "x-forwarded-port": "443",
		},
		"requestContext": map[string]any{
			"accountId": "anonymous", "apiId": id, "domainName": host, "domainPrefix": id, "requestId": "request-1", "routeKey": "$default", "stage": "$default",
			"time": "24/Nov/2026:12:00:00 +0000", "timeEpoch": 1795521600000.0,
			"http": map[string]any{"method": "POST", "path": "/a/b", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7", "userAgent": "probe"},
		},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("event (-got +want):\n%s", diff)
	}
}

func TestWhatAFunctionSaysBecomesAnAnswer(t *testing.T) {
	b, url := newURLBench(t)
	for said, want := range map[string]string{
		`{"statusCode":201,"headers":{"Content-Type":"text/plain","X-A":"b"},"body":"hi","cookies":["c=1"]}`: "201 text/plain b c=1 hi",
		`{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`:                                            "200 application/json   hi",
		`{"a":1}`:                         `200 application/json   {"a":1}`,
		`"text"`:                          "200 application/json   text",
		`{"statusCode":7}`:                "502 application/json   Internal Server Error",
		`{"statusCode":99999,"body":"x"}`: "502 application/json   Internal Server Error",
	} {
		b.fake.handle = func(context.Context, *resource.Function, Invocation) (Result, error) {
			return Result{Payload: []byte(said)}, nil
		}
		w := b.web(httptest.NewRequest("GET", url, nil))
		got := strings.TrimSpace(strings.Join([]string{itoa(w.Code), w.Header().Get("Content-Type"), w.Header().Get("X-A"), w.Header().Get("Set-Cookie"), w.Body.String()}, " "))
		if got != want {
			t.Errorf("%s: got %q, want %q", said, got, want)
		}
	}
	b.fake.handle = func(context.Context, *resource.Function, Invocation) (Result, error) {
		return Result{Payload: []byte(`{"errorMessage":"secret"}`), FunctionError: "Unhandled"}, nil
	}
	if w := b.web(httptest.NewRequest("GET", url, nil)); w.Code != 502 || w.Body.String() != "Internal Server Error" {
		t.Errorf("a function error: got %d %s", w.Code, w.Body)
	}
	b.fake.handle = func(context.Context, *resource.Function, Invocation) (Result, error) {
		return Result{}, &Throttled{"x"}
	}
	if w := b.web(httptest.NewRequest("GET", url, nil)); w.Code != 429 {
		t.Errorf("throttled: got %d", w.Code)
	}
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

func TestAURLIsForThoseWhoMay(t *testing.T) {
	b, url := newURLBench(t)
	get := func(change ...func(*api.Call)) int {
		return b.web(httptest.NewRequest("GET", url, nil), change...).Code
	}
	if got := get(); got != 200 {
		t.Errorf("everybody may, got %d", got)
	}
	if got := get(func(c *api.Call) { c.Origin.Door = api.DoorEndpoint }); got != 403 {
		t.Errorf("through a VPC endpoint: got %d, want 403", got)
	}
	must[RemovePermissionOutput](b, "RemovePermission", &RemovePermissionInput{FunctionName: ptr("f"), StatementId: ptr("via")})
	if got := get(); got != 403 {
		t.Errorf("with lambda:InvokeFunctionUrl alone: got %d, want 403", got)
	}
	must[AddPermissionOutput](b, "AddPermission", allow("f", "invoke", "*"))
	if got := get(); got != 200 {
		t.Errorf("with both permissions: got %d, want 200", got)
	}
	must[RemovePermissionOutput](b, "RemovePermission", &RemovePermissionInput{FunctionName: ptr("f"), StatementId: ptr("url")})
	if got := get(); got != 403 {
		t.Errorf("with lambda:InvokeFunction alone: got %d, want 403", got)
	}
	web := b.service.Definition().Web
	host := strings.Trim(strings.TrimPrefix(url, "https://"), "/")
	if !web.Open(host, "/") {
		t.Error("a URL for everybody looks at signatures")
	}
	must[UpdateFunctionUrlConfigOutput](b, "UpdateFunctionUrlConfig", &UpdateFunctionUrlConfigInput{FunctionName: ptr("f"), AuthType: ptr("AWS_IAM")})
	signed := allow("f", "signed", "*")
	signed.Action, signed.FunctionUrlAuthType = ptr("lambda:InvokeFunctionUrl"), ptr("AWS_IAM")
	must[AddPermissionOutput](b, "AddPermission", signed)
	somebody := func(c *api.Call) {
		c.Caller = api.Caller{Type: api.AssumedRole, Account: "000000000000", ARN: "arn:aws:sts::000000000000:assumed-role/r/s", RoleARN: testRole}
	}
	if got := get(somebody); got != 200 {
		t.Errorf("who signed gets %d, want 200", got)
	}
	if web.Open(host, "/") || get() != 403 {
		t.Error("a URL with AWS_IAM lets in who did not sign")
	}
}

func TestPagesOfOtherSitesMayWhatTheURLSays(t *testing.T) {
	b, url := newURLBench(t, func(in *CreateFunctionUrlConfigInput) {
		in.Cors = &Cors{AllowOrigins: []string{"https://a.example"}, AllowMethods: []string{"POST"}, AllowHeaders: []string{"x-a"}, MaxAge: ptr(int64(60))}
	})
	ask := func(origin string) http.Header {
		r := httptest.NewRequest("OPTIONS", url, nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		return b.web(r).Header()
	}
	h := ask("https://a.example")
	if h.Get("Access-Control-Allow-Origin") != "https://a.example" || h.Get("Access-Control-Allow-Methods") != "POST" || h.Get("Access-Control-Max-Age") != "60" || len(b.fake.invoked) != 0 {
		t.Errorf("got %v", h)
	}
	if h := ask("https://b.example"); h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another site got %v", h)
	}
}

func TestTheAddressOfAPackageGivesItBackForAWhile(t *testing.T) {
	b := newBench(t)
	zipped := makeZip(t, entry{"a", 0o644, "x"})
	b.create("f", func(in *CreateFunctionInput) { in.Code = &FunctionCode{ZipFile: zipped} })
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	asked := &api.Call{Time: now, HTTP: httptest.NewRequest("GET", "http://127.0.0.1:4566/x", nil)}
	got, err := b.service.getFunction(b.state.View(), asked, &GetFunctionInput{FunctionName: ptr("f")})
	if err != nil || !strings.HasPrefix(*got.Code.Location, "http://127.0.0.1:4566/") {
		t.Fatalf("got %v, %v", got, err)
	}
	location := *got.Code.Location
	if w := b.web(httptest.NewRequest("GET", location, nil)); w.Code != 200 || w.Body.String() != string(zipped) {
		t.Errorf("got %d and %d bytes, want %d", w.Code, w.Body.Len(), len(zipped))
	}
	if owns := b.service.Definition().Web.Owns; owns("bucket.s3.us-west-2.amazonaws.com", "/_lambda/code/x") || !owns("lambda.us-west-2.amazonaws.com", "/_lambda/code/x") {
		t.Error("the path of an object in a bucket is taken for a package's, or a package's is not")
	}
	later := func(c *api.Call) { c.Time = now.Add(11 * time.Minute) }
	if w := b.web(httptest.NewRequest("GET", location, nil), later); w.Code != 403 {
		t.Errorf("after its life: got %d", w.Code)
	}
	for _, forged := range []string{strings.Replace(location, "Signature=", "Signature=0", 1), strings.Replace(location, "Expires=1", "Expires=2", 1), strings.Replace(location, "/code/", "/code/../../", 1)} {
		if w := b.web(httptest.NewRequest("GET", forged, nil)); w.Code != 403 {
			t.Errorf("%s: got %d", forged, w.Code)
		}
	}
}
