package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/api"
)

const (
	vectorTime  = "20150830T123600Z"
	vectorScope = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
	unreserved  = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	vectorToken = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
)

// TestTheOfficialVectorsAreVerified holds the signatures of AWS's Signature Version 4 test suite, by their names there.
// Those in which a path is encoded once and stays as it is are S3's way, the others everybody's.
func TestTheOfficialVectorsAreVerified(t *testing.T) {
	for _, v := range []struct {
		name, method, target string
		style                Style
		headers              [][2]string
		signed               string // beside host and x-amz-date
		body, signature      string
	}{
		{name: "get-vanilla", target: "/", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{name: "post-vanilla", method: "POST", target: "/", signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{name: "get-vanilla-empty-query-key", target: "/?Param1=value1", signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
		{name: "get-vanilla-query-order-key-case", target: "/?Param2=value2&Param1=value1", signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{name: "get-vanilla-query-order-encoded", target: "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", signature: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
		{name: "get-vanilla-query-unreserved", target: "/?" + unreserved + "=" + unreserved, signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
		{name: "get-vanilla-utf8-query", target: "/?%E1%88%B4=bar", signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
		{name: "get-unreserved", target: "/" + unreserved, signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
		{name: "get-utf8", target: "/%E1%88%B4", style: S3, signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
		{name: "get-space-normalized", target: "/example%20space/", style: S3, signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
		{name: "get-relative-normalized", target: "/example/..", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{name: "get-relative-relative-normalized", target: "/example1/example2/../..", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{name: "get-slash-dot-slash-normalized", target: "/./", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{name: "get-slashes-normalized", target: "//example//", signature: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
		{name: "get-slashes-unnormalized", target: "//example//", style: S3, signature: "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"},
		{
			name: "get-header-key-duplicate", target: "/", signed: "my-header1", headers: [][2]string{{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
			signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
		}, {
			name: "get-header-value-order", target: "/", signed: "my-header1",
			headers:   [][2]string{{"My-Header1", "value4"}, {"My-Header1", "value1"}, {"My-Header1", "value3"}, {"My-Header1", "value2"}},
			signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
		}, {
			name: "get-header-value-trim", target: "/", signed: "my-header1;my-header2", headers: [][2]string{{"My-Header1", " value1"}, {"My-Header2", ` "a   b   c"`}},
			signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
		}, {
			name: "post-header-key-sort", method: "POST", target: "/", signed: "my-header1", headers: [][2]string{{"My-Header1", "value1"}},
			signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
		}, {
			name: "get-vanilla-with-session-token", target: "/", signed: "x-amz-security-token", headers: [][2]string{{"X-Amz-Security-Token", vectorToken}},
			signature: "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
		}, {
			name: "post-x-www-form-urlencoded", method: "POST", target: "/", signed: "content-length;content-type;x-amz-content-sha256", body: "Param1=value1",
			headers: [][2]string{
				{"Content-Type", "application/x-www-form-urlencoded"},
				{"X-Amz-Content-Sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"},
			},
			signature: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
		}, {
			name: "get-vanilla-query, in the query", style: Query,
			target: "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + url.QueryEscape(vectorScope) + "&X-Amz-Date=" + vectorTime +
				"&X-Amz-SignedHeaders=host&X-Amz-Expires=3600&X-Amz-Signature=e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d",
			signature: "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d",
		},
	} {
		method, style := v.method, v.style
		if method == "" {
			method = "GET"
		}
		if style == "" {
			style = Query
		}
		r := httptest.NewRequest(method, "http://example.amazonaws.com"+v.target, strings.NewReader(v.body))
		for _, h := range v.headers {
			r.Header.Add(h[0], h[1])
		}
		r.Header.Set("X-Amz-Date", vectorTime)
		if !strings.Contains(v.target, "X-Amz-Signature") {
			r.Header.Set("Authorization", algorithm+" Credential="+vectorScope+", SignedHeaders="+signedList(v.signed)+", Signature="+v.signature)
		}
		c, err := parse(r)
		if err != nil {
			t.Errorf("%s: %v", v.name, err)
			continue
		}
		sum := sha256.Sum256([]byte(v.body))
		canonical := canonicalRequest(r, c, style, hex.EncodeToString(sum[:]))
		got := sign(deriveKey(testSecret, c), stringToSign(c, canonical))
		if !hmac.Equal(got, c.signature) || hex.EncodeToString(c.signature) != v.signature {
			t.Errorf("%s: signature %x, want %s\n%s", v.name, got, v.signature, canonical)
		}
	}
}

// signedList is the names of signed headers, in order.
func signedList(more string) string {
	names := []string{"host", "x-amz-date"}
	for _, name := range strings.Split(more, ";") {
		switch {
		case name == "":
		case name < "host":
			names = append(names[:len(names)-2], name, "host", "x-amz-date")
		case name < "x-amz-date":
			names = append(names[:len(names)-1], name, "x-amz-date")
		default:
			names = append(names, name)
		}
	}
	return strings.Join(names, ";")
}

// TestNoneOfManyForgeriesIsAccepted changes a byte or a piece of signed requests, over and over.
func TestNoneOfManyForgeriesIsAccepted(t *testing.T) {
	const wanted = 12_000
	random := rand.New(rand.NewPCG(1, 2))
	refused, attempts := 0, 0
	for refused < wanted && attempts < 4*wanted {
		attempts++
		style := []Style{S3, EC2, Query, REST, JSON}[random.IntN(5)]
		r := signedRequest(t, style, anySigned(style).Example(attempts/40).fixed())
		before := essence(r, style)
		forge(r, random)
		if before == essence(r, style) {
			continue // it says the same
		}
		got, err := direct(r, style, testTime())
		if err == nil && got.Caller.Type != api.Anonymous {
			t.Fatalf("a forgery was accepted: %s %s %v\n%s\n\n%s", r.Method, r.URL, r.Header, before, essence(r, style))
		}
		refused++
	}
	if refused < wanted {
		t.Errorf("only %d forgeries were made, want %d", refused, wanted)
	}
	t.Logf("%d forgeries, 0 accepted", refused)
}

// fixed is the request as it can be verified without a body.
func (s *signed) fixed() signed {
	c := *s
	c.body = nil
	return c
}

// essence is all that a signature is about, the signature included; empty: it cannot be read.
func essence(r *http.Request, style Style) string {
	c, err := parse(r)
	if err != nil || c == nil {
		return ""
	}
	return strings.Join([]string{
		canonicalRequest(r, c, style, r.Header.Get("X-Amz-Content-Sha256")), c.accessKeyID, c.token, c.scope(), c.timeText, c.expires.String(),
		hex.EncodeToString(c.signature),
	}, "\n")
}

// forge changes one thing.
func forge(r *http.Request, random *rand.Rand) {
	other := func(s string) string {
		if s == "" {
			return "x"
		}
		b := []byte(s)
		b[random.IntN(len(b))] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~"[random.IntN(66)]
		return string(b)
	}
	switch random.IntN(8) {
	case 0:
		r.Method = []string{"GET", "PUT", "POST", "DELETE", "HEAD"}[random.IntN(5)]
	case 1:
		r.URL.Path, r.URL.RawPath = "/"+other(strings.TrimPrefix(r.URL.Path, "/")), ""
	case 2:
		r.URL.RawQuery = other(r.URL.RawQuery)
	case 3:
		r.Host = other(r.Host)
	case 4:
		r.URL.RawQuery = strings.TrimPrefix(r.URL.RawQuery+"&"+other("p")+"="+other("v"), "&")
	default:
		var names []string
		for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token", "Content-Length"} {
			if r.Header.Get(name) != "" {
				names = append(names, name)
			}
		}
		if len(names) == 0 {
			r.URL.RawQuery = other(r.URL.RawQuery)
			return
		}
		name := names[random.IntN(len(names))]
		r.Header.Set(name, other(r.Header.Get(name)))
	}
}
