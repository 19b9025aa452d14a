package sigv4

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"

	"github.com/culvert-cloud/culvert/internal/api"
)

const (
	testKey    = "AKIDEXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	sessionKey = "ASIAEXAMPLE"
	testToken  = "token/with+odd=characters"
)

func testTime() time.Time { return time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC) }

// testKeys knows one long-term key and one session.
type testKeys struct{}

func (testKeys) Lookup(id, token string, now time.Time) (Credential, error) {
	switch {
	case id == testKey && token == "":
		return Credential{testSecret, api.Caller{Type: api.Root, Account: "000000000000"}}, nil
	case id == sessionKey && token == testToken && now.After(testTime().Add(time.Hour)):
		return Credential{}, ErrExpiredToken
	case id == sessionKey && token == testToken:
		return Credential{testSecret, api.Caller{Type: api.AssumedRole, RoleName: "r"}}, nil
	case id == testKey || id == sessionKey:
		return Credential{}, ErrInvalidToken
	}
	return Credential{}, ErrUnknownKey
}

// serve runs a server that verifies what it gets; the function returns what the last request came to.
func serve(t *testing.T, style Style, service string, now func() time.Time) (string, func() (*Result, error)) {
	t.Helper()
	var result *Result
	var err error
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		result, err = Verify(r, Options{
			Style: style, Service: service, Regions: []string{"us-west-2"}, Keys: testKeys{}, Now: now(),
			BodyHash: func() (string, error) {
				body, err := io.ReadAll(r.Body)
				sum := sha256.Sum256(body)
				return hex.EncodeToString(sum[:]), err
			},
		})
	}))
	t.Cleanup(s.Close)
	return s.URL, func() (*Result, error) { return result, err }
}

func serviceOf(style Style) string {
	return map[Style]string{S3: "s3", EC2: "ec2", Query: "iam", REST: "lambda", JSON: "logs"}[style]
}

// signed is a request as the SDK signs it.
type signed struct {
	method, path, query string
	header              http.Header
	body                []byte
	session             bool
	unsignedPayload     bool
	presign             bool
}

// anySigned draws requests whose paths need no normalising, which the SDK does not do.
func anySigned(style Style) *rapid.Generator[*signed] {
	word := rapid.StringMatching(`[a-zA-Z0-9 %+&=~!'()*,:;@$._/é-]{0,12}`)
	return rapid.Custom(func(t *rapid.T) *signed {
		s := &signed{method: rapid.SampledFrom([]string{"GET", "PUT", "POST", "DELETE"}).Draw(t, "method"), header: http.Header{}}
		for range rapid.IntRange(1, 3).Draw(t, "segments") {
			s.path += "/" + encode("s"+rapid.StringMatching(`[a-zA-Z0-9 %+&=~!'()*,:;@$._é-]{0,12}`).Draw(t, "segment"), false)
		}
		if style == S3 && rapid.Bool().Draw(t, "odd") {
			s.path += "//x/../" // S3 keys are taken as they are
		}
		q := url.Values{}
		for range rapid.IntRange(0, 3).Draw(t, "parameters") {
			q.Add("p"+word.Draw(t, "name"), word.Draw(t, "value"))
		}
		s.query = strings.ReplaceAll(q.Encode(), "+", "%20")
		for range rapid.IntRange(0, 2).Draw(t, "headers") {
			s.header.Add("X-Amz-Meta-"+rapid.StringMatching(`[a-z]{1,4}`).Draw(t, "header"), rapid.StringMatching(`[a-z][a-z ]{0,8}[a-z]`).Draw(t, "text"))
		}
		if s.method != "GET" {
			s.body = rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "body")
		}
		s.session = rapid.Bool().Draw(t, "session")
		s.unsignedPayload = style == S3 && rapid.Bool().Draw(t, "unsigned payload")
		s.presign = rapid.Bool().Draw(t, "presign")
		return s
	})
}

func (s *signed) credentials() aws.Credentials {
	c := aws.Credentials{AccessKeyID: testKey, SecretAccessKey: testSecret}
	if s.session {
		c.AccessKeyID, c.SessionToken = sessionKey, testToken
	}
	return c
}

// request makes the request and lets the SDK sign it.
func (s *signed) request(base string, style Style) (*http.Request, error) {
	u, err := url.Parse(base + s.path)
	if err != nil {
		return nil, err
	}
	u.RawQuery = s.query
	if s.presign && style == S3 {
		u.RawQuery += "&X-Amz-Expires=3600"
	}
	r, err := http.NewRequest(s.method, u.String(), bytes.NewReader(s.body))
	if err != nil {
		return nil, err
	}
	r.Header = s.header.Clone()
	sum := sha256.Sum256(s.body)
	hash := hex.EncodeToString(sum[:])
	if s.unsignedPayload || s.presign && style == S3 {
		hash = unsignedPayload
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = style == S3 })
	if s.presign {
		target, header, err := signer.PresignHTTP(context.Background(), s.credentials(), r, hash, serviceOf(style), "us-west-2", testTime())
		if err != nil {
			return nil, err
		}
		p, err := http.NewRequest(s.method, target, bytes.NewReader(s.body))
		if err != nil {
			return nil, err
		}
		header.Del("Host")
		p.Header = header
		return p, nil
	}
	if style == S3 {
		r.Header.Set("X-Amz-Content-Sha256", hash)
	}
	err = signer.SignHTTP(context.Background(), s.credentials(), r, hash, serviceOf(style), "us-west-2", testTime())
	return r, err
}

func do(t rapid.TB, r *http.Request) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
}

func TestWhatTheSDKSignsIsVerified(t *testing.T) {
	for _, style := range []Style{S3, EC2, Query, REST, JSON} {
		t.Run(string(style), func(t *testing.T) {
			base, last := serve(t, style, serviceOf(style), testTime)
			rapid.Check(t, func(t *rapid.T) {
				s := anySigned(style).Draw(t, "request")
				r, err := s.request(base, style)
				if err != nil {
					t.Fatal(err)
				}
				do(t, r)
				got, err := last()
				if err != nil {
					t.Fatalf("%s %s: %v", r.Method, r.URL, details(err))
				}
				want := testKey
				if s.session {
					want = sessionKey
				}
				if got.AccessKeyID != want || got.Caller.AccessKeyID != want || got.Presigned != s.presign || got.Region != "us-west-2" || len(got.SigningKey) != 32 {
					t.Errorf("result = %+v", got)
				}
			})
		})
	}
}

// details shows what was compared.
func details(err error) string {
	e := api.AsError(err)
	if e == nil {
		return err.Error()
	}
	text := e.Error()
	for _, d := range e.Details {
		text += "\n" + d.Name + ": " + d.Value
	}
	return text
}

// mutations each change one thing that a signature covers.
func mutations() map[string]func(*http.Request) {
	flip := func(s string) string {
		b := []byte(s)
		i := len(b) - 1
		if b[i] == '0' {
			b[i] = '1'
		} else {
			b[i] = '0'
		}
		return string(b)
	}
	inQuery := func(r *http.Request, name string, change func(string) string) {
		q := r.URL.Query()
		q.Set(name, change(q.Get(name)))
		r.URL.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	}
	return map[string]func(*http.Request){
		"method": func(r *http.Request) {
			r.Method = map[string]string{"GET": "DELETE", "DELETE": "GET", "PUT": "POST", "POST": "PUT"}[r.Method]
		},
		"path":      func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/elsewhere", "" },
		"host":      func(r *http.Request) { r.Host = "elsewhere.example.com" },
		"parameter": func(r *http.Request) { r.URL.RawQuery = strings.TrimPrefix(r.URL.RawQuery+"&added=1", "&") },
		"signature": func(r *http.Request) {
			if h := r.Header.Get("Authorization"); h != "" {
				r.Header.Set("Authorization", flip(h))
			} else {
				inQuery(r, "X-Amz-Signature", flip)
			}
		},
		"time": func(r *http.Request) {
			later := testTime().Add(time.Minute).Format(timeLayout)
			if r.Header.Get("Authorization") != "" {
				r.Header.Set("X-Amz-Date", later)
			} else {
				inQuery(r, "X-Amz-Date", func(string) string { return later })
			}
		},
		"signed headers": func(r *http.Request) {
			if h := r.Header.Get("Authorization"); h != "" {
				r.Header.Set("Authorization", strings.Replace(h, "SignedHeaders=", "SignedHeaders=accept;", 1))
			} else {
				inQuery(r, "X-Amz-SignedHeaders", func(s string) string { return "accept;" + s })
			}
		},
	}
}

func TestWhatWasChangedAfterSigningIsRefused(t *testing.T) {
	for _, style := range []Style{S3, Query} {
		for name, mutate := range mutations() {
			t.Run(string(style)+" "+name, func(t *testing.T) {
				base, last := serve(t, style, serviceOf(style), testTime)
				rapid.Check(t, func(t *rapid.T) {
					r, err := anySigned(style).Draw(t, "request").request(base, style)
					if err != nil {
						t.Fatal(err)
					}
					mutate(r)
					do(t, r)
					if _, err := last(); api.AsError(err) == nil || api.AsError(err).Code != "SignatureDoesNotMatch" {
						t.Errorf("%s %s: %v, want SignatureDoesNotMatch", r.Method, r.URL, err)
					}
				})
			})
		}
	}
}

func TestAChangedBodyIsRefused(t *testing.T) {
	base, last := serve(t, EC2, "ec2", testTime)
	s := &signed{method: "POST", path: "/", header: http.Header{}, body: []byte("Action=DescribeVpcs")}
	r, err := s.request(base, EC2)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(strings.NewReader("Action=DeleteVpcccc"))
	do(t, r)
	if _, err := last(); api.AsError(err) == nil || api.AsError(err).Code != "AuthFailure" || api.AsError(err).Status != 401 {
		t.Errorf("got %v, want AuthFailure 401", err)
	}
}
