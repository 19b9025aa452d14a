package sigv4

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
)

// direct verifies a request without a network between.
func direct(r *http.Request, style Style, now time.Time) (*Result, error) {
	return Verify(r, Options{
		Style: style, Service: serviceOf(style), Regions: []string{"us-west-2", "us-east-1"}, Keys: testKeys{}, Now: now,
		BodyHash: func() (string, error) { return "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", nil },
	})
}

func signedRequest(t *testing.T, style Style, s signed) *http.Request {
	t.Helper()
	if s.method == "" {
		s.method, s.path = "GET", "/"
	}
	s.header = http.Header{}
	r, err := s.request("http://example.amazonaws.com", style)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRefusalsAreInTheServicesWords(t *testing.T) {
	hour := testTime().Add(2 * time.Hour)
	replace := func(old, with string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, strings.ReplaceAll(old, "/", "%2F"), strings.ReplaceAll(with, "/", "%2F"), 1)
			if r.Header.Get("Authorization") == "" {
				r.Header.Del("Authorization")
			}
		}
	}
	unsign := func(r *http.Request) { r.Header.Del("Authorization") }
	nothing := func(*http.Request) {}
	for _, test := range []struct {
		name   string
		style  Style
		signed signed
		change func(*http.Request)
		now    time.Time
		status int
		code   string
		text   string
	}{
		{"nobody signed", Query, signed{}, unsign, testTime(), 403, "MissingAuthenticationToken", "Request is missing"},
		{"nobody signed", EC2, signed{}, unsign, testTime(), 401, "AuthFailure", "AWS was not able to validate"},
		{"nobody signed", REST, signed{}, unsign, testTime(), 403, "MissingAuthenticationTokenException", ""},
		{"unknown key", S3, signed{}, replace(testKey, "AKIDOTHER"), testTime(), 403, "InvalidAccessKeyId", "does not exist in our records"},
		{"unknown key", EC2, signed{}, replace(testKey, "AKIDOTHER"), testTime(), 401, "AuthFailure", ""},
		{"unknown key", Query, signed{}, replace(testKey, "AKIDOTHER"), testTime(), 403, "InvalidClientTokenId", "The security token included in the request is invalid."},
		{"unknown key", REST, signed{}, replace(testKey, "AKIDOTHER"), testTime(), 403, "UnrecognizedClientException", ""},
		{"unknown key", JSON, signed{}, replace(testKey, "AKIDOTHER"), testTime(), 400, "UnrecognizedClientException", ""},
		{"expired token", S3, signed{session: true, presign: true}, nothing, testTime().Add(61 * time.Minute), 403, "AccessDenied", "Request has expired"},
		{"too old", S3, signed{}, nothing, hour, 403, "RequestTimeTooSkewed", "too large"},
		{"too old", EC2, signed{}, nothing, hour, 400, "RequestExpired", "Request has expired."},
		{"too old", Query, signed{}, nothing, hour, 403, "SignatureDoesNotMatch", "Signature expired: 20261124T030000Z is now earlier than 20261124T044500Z"},
		{"too old", REST, signed{}, nothing, hour, 403, "InvalidSignatureException", "Signature expired"},
		{"from the future", S3, signed{}, nothing, testTime().Add(-16 * time.Minute), 403, "RequestTimeTooSkewed", ""},
		{"from the future", JSON, signed{}, nothing, testTime().Add(-16 * time.Minute), 400, "InvalidSignatureException", "Signature not yet current"},
		{"presigned from the future", S3, signed{presign: true}, nothing, testTime().Add(-16 * time.Minute), 403, "AccessDenied", "not yet valid"},
		{"wrong region", S3, signed{}, replace("us-west-2", "eu-west-1"), testTime(), 400, "AuthorizationHeaderMalformed",
			"The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-west-2'"},
		{"wrong region", S3, signed{presign: true}, replace("us-west-2", "eu-west-1"), testTime(), 400, "AuthorizationQueryParametersError", "the region 'eu-west-1' is wrong"},
		{"wrong region", Query, signed{}, replace("us-west-2", "eu-west-1"), testTime(), 403, "SignatureDoesNotMatch", "valid region"},
		{"another allowed region has another key", S3, signed{}, replace("us-west-2", "us-east-1"), testTime(), 403, "SignatureDoesNotMatch", ""},
		{"wrong service", Query, signed{}, replace("/iam/", "/sts/"), testTime(), 403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'iam'."},
		{"wrong terminator", Query, signed{}, replace("aws4_request", "aws5_request"), testTime(), 403, "SignatureDoesNotMatch", "valid terminator"},
		{"wrong date", Query, signed{}, replace("20261124/", "20261123/"), testTime(), 403, "SignatureDoesNotMatch", "Date in Credential scope"},
		{"SigV4A", S3, signed{}, replace(algorithm, "AWS4-ECDSA-P256-SHA256"), testTime(), 400, "InvalidRequest", "4A"},
		{"SigV2", S3, signed{}, func(r *http.Request) { r.Header.Set("Authorization", "AWS key:signature") }, testTime(), 400, "InvalidRequest", "Please use AWS4-HMAC-SHA256."},
		{"SigV2 in the query", S3, signed{}, func(r *http.Request) {
			unsign(r)
			r.URL.RawQuery = "AWSAccessKeyId=x&Signature=y&Expires=1"
		}, testTime(), 400, "InvalidRequest", "Please use AWS4-HMAC-SHA256."},
		{"Basic", Query, signed{}, func(r *http.Request) { r.SetBasicAuth("a", "b") }, testTime(), 400, "IncompleteSignature", "AWS4-HMAC-SHA256"},
		{"no signature", Query, signed{}, replace("Signature=", "Sig="), testTime(), 400, "IncompleteSignature", "'Signature' parameter"},
		{"short signature", S3, signed{}, replace("Signature=", "Signature=0"), testTime(), 403, "SignatureDoesNotMatch", ""},
		{"host not signed", Query, signed{}, replace("host;", ""), testTime(), 403, "SignatureDoesNotMatch", "'Host' or ':authority'"},
		{"host not signed", S3, signed{}, replace("host;", ""), testTime(), 403, "AccessDenied", "headers present in the request which were not signed"},
		{"amz header not signed", S3, signed{}, func(r *http.Request) { r.Header.Set("X-Amz-Acl", "public-read") }, testTime(), 403, "AccessDenied", "not signed"},
		{"amz header not signed, presigned", S3, signed{presign: true}, func(r *http.Request) { r.Header.Set("X-Amz-Acl", "public-read") }, testTime(), 403, "AccessDenied", "not signed"},
		{"no payload hash", S3, signed{}, func(r *http.Request) {
			r.Header.Del("X-Amz-Content-Sha256")
		}, testTime(), 400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256"},
		{"odd payload hash", S3, signed{}, func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "x") }, testTime(), 400, "InvalidArgument", "valid sha256"},
		{"two mechanisms", S3, signed{}, func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=x" }, testTime(), 400, "InvalidArgument", "Only one auth mechanism"},
		{"expired", S3, signed{presign: true}, nothing, hour, 403, "AccessDenied", "Request has expired"},
		{"lives too long", S3, signed{presign: true}, replace("Expires=3600", "Expires=604801"), testTime(), 400, "AuthorizationQueryParametersError", "604800"},
		{"no expiry", S3, signed{presign: true}, replace("X-Amz-Expires=3600", "x=1"), testTime(), 400, "AuthorizationQueryParametersError", "X-Amz-Expires"},
		{"half a signature in the query", S3, signed{presign: true}, replace("X-Amz-Date", "x"), testTime(), 400, "AuthorizationQueryParametersError", "requires"},
	} {
		t.Run(string(test.style)+" "+test.name, func(t *testing.T) {
			r := signedRequest(t, test.style, test.signed)
			test.change(r)
			_, err := direct(r, test.style, test.now)
			e := api.AsError(err)
			if e == nil {
				t.Fatalf("got %v, want %s", err, test.code)
			}
			if e.Code != test.code || e.Status != test.status || !strings.Contains(e.Message, test.text) {
				t.Errorf("got %d %v, want %d %s ... %s", e.Status, e, test.status, test.code, test.text)
			}
		})
	}
}

func TestTokensAreChecked(t *testing.T) {
	for _, test := range []struct {
		style   Style
		token   string
		later   time.Duration
		code    string
		message string
	}{
		{Query, "other", 0, "InvalidClientTokenId", ""},
		{S3, "other", 0, "InvalidToken", ""},
		{Query, testToken, 2 * time.Hour, "ExpiredToken", "The security token included in the request is expired"},
		{REST, testToken, 2 * time.Hour, "ExpiredTokenException", ""},
		{S3, testToken, 2 * time.Hour, "ExpiredToken", ""},
		{EC2, testToken, 2 * time.Hour, "RequestExpired", ""},
	} {
		// A claim in time, but with a token that the keys refuse at that time.
		o := Options{Style: test.style, Service: serviceOf(test.style), Regions: []string{"us-west-2"}, Keys: laterKeys(test.later), Now: testTime()}
		r := signedRequest(t, test.style, signed{session: true})
		r.Header.Set("X-Amz-Security-Token", test.token)
		_, err := Verify(r, o)
		if e := api.AsError(err); e == nil || e.Code != test.code || !strings.Contains(e.Message, test.message) {
			t.Errorf("%s, token %q: got %v, want %s", test.style, test.token, err, test.code)
		}
	}
}

// laterKeys are the test's keys, some time later.
type laterKeys time.Duration

func (k laterKeys) Lookup(id, token string, now time.Time) (Credential, error) {
	return testKeys{}.Lookup(id, token, now.Add(time.Duration(k)))
}

func TestS3WithoutASignatureIsAnonymous(t *testing.T) {
	got, err := direct(httptest.NewRequest("GET", "/bucket/key", nil), S3, testTime())
	if err != nil || got.Caller.Type != api.Anonymous || got.SigningKey != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestOtherErrorsOfTheKeysAreInternal(t *testing.T) {
	broken := errors.New("the store is broken")
	_, err := Verify(signedRequest(t, Query, signed{}), Options{
		Style: Query, Service: "iam", Regions: []string{"us-west-2"}, Now: testTime(), Keys: brokenKeys{broken},
	})
	if !errors.Is(err, broken) || api.AsError(err) != nil {
		t.Errorf("got %v, want an internal error", err)
	}
}

type brokenKeys struct{ err error }

func (k brokenKeys) Lookup(string, string, time.Time) (Credential, error) {
	return Credential{}, k.err
}

func TestTheBodyOfAStrangerIsNotRead(t *testing.T) {
	r := signedRequest(t, Query, signed{})
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), testKey, "AKIDOTHER", 1))
	_, err := Verify(r, Options{
		Style: Query, Service: "iam", Regions: []string{"us-west-2"}, Now: testTime(), Keys: testKeys{},
		BodyHash: func() (string, error) { t.Error("the body was read"); return "", nil },
	})
	if err == nil {
		t.Error("a stranger was let in")
	}
}

func TestScopeService(t *testing.T) {
	for _, presign := range []bool{false, true} {
		if got := ScopeService(signedRequest(t, REST, signed{presign: presign})); got != "lambda" {
			t.Errorf("ScopeService (presigned %v) = %q, want lambda", presign, got)
		}
	}
	if got := ScopeService(httptest.NewRequest("GET", "/", nil)); got != "" {
		t.Errorf("ScopeService of an unsigned request = %q", got)
	}
}

func TestPathsAreNormalisedButForS3(t *testing.T) {
	for _, test := range []struct{ path, others, s3 string }{
		{"", "/", "/"},
		{"/", "/", "/"},
		{"/a//b/./c/../d/", "/a/b/d/", "/a//b/./c/../d/"},
		{"/../x", "/x", "/../x"},
		{"/a%20b", "/a%2520b", "/a%20b"},
		{"/a:b", "/a%3Ab", "/a%3Ab"},
		{"/a%2Fb", "/a%252Fb", "/a%2Fb"},
		{"/a+b~", "/a%2Bb~", "/a%2Bb~"},
	} {
		r := httptest.NewRequest("GET", "http://h"+test.path, nil)
		if got := canonicalPath(r.URL, Query); got != test.others {
			t.Errorf("%s: %s, want %s", test.path, got, test.others)
		}
		if got := canonicalPath(r.URL, S3); got != test.s3 {
			t.Errorf("S3, %s: %s, want %s", test.path, got, test.s3)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-west-2/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "20261124T030000Z", "a=b&%zz")
	f.Add("", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE/20261124/us-west-2/s3/aws4_request&X-Amz-Date=20261124T030000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=00&X-Amz-Expires=1")
	f.Fuzz(func(t *testing.T, authorization, date, query string) {
		for _, style := range []Style{S3, EC2, Query, REST, JSON} {
			r := httptest.NewRequest("GET", "/a/b", nil)
			r.URL.RawQuery = query
			if authorization != "" {
				r.Header.Set("Authorization", authorization)
			}
			r.Header.Set("X-Amz-Date", date)
			got, err := direct(r, style, testTime())
			if err == nil && got.Caller.Type != api.Anonymous {
				t.Fatalf("a made-up signature was accepted: %+v", got)
			}
			if err != nil {
				if e := api.AsError(err); e == nil || e.Status < 400 || e.Status > 499 {
					t.Fatalf("refused with %v", err)
				}
			}
			ScopeService(r)
		}
	})
}
