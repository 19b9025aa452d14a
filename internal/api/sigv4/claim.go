package sigv4

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeLayout = "20060102T150405Z"
	dateLayout = "20060102"
	// maxExpiry is the longest life of a presigned request.
	maxExpiry = 7 * 24 * time.Hour
)

// claim is what a request says about its signature. Nothing of it is verified.
type claim struct {
	presigned     bool
	version2      bool // see version2.go; time is that of expiry
	accessKeyID   string
	date          string
	region        string
	service       string
	signedHeaders []string
	signature     []byte
	token         string
	time          time.Time
	timeText      string
	expires       time.Duration // presigned; zero: not said
}

func (c *claim) scope() string {
	return c.date + "/" + c.region + "/" + c.service + "/" + terminator
}

// ScopeService returns the service that a request claims to be signed for, empty if it does not say. It is for
// finding who shall verify the claim.
func ScopeService(r *http.Request) string {
	credential := r.URL.Query().Get("X-Amz-Credential")
	if header := r.Header.Get("Authorization"); header != "" {
		_, parameters, _ := strings.Cut(header, " ")
		credential = parameterMap(parameters)["Credential"]
	}
	parts := strings.Split(credential, "/")
	if len(parts) != 5 {
		return ""
	}
	return parts[3]
}

// parse reads a request's claim, nil if it has none.
func parse(r *http.Request) (*claim, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault{kind: incomplete, text: "The query string is malformed."}
	}
	header := r.Header.Values("Authorization")
	inQuery := query.Has("X-Amz-Algorithm") || query.Has("X-Amz-Signature") || query.Has("X-Amz-Credential")
	switch {
	case len(header) > 1 || len(header) == 1 && inQuery:
		return nil, fault{kind: twoMechanisms}
	case len(header) == 1:
		return parseHeader(r, header[0])
	case inQuery:
		return parseQuery(query)
	case query.Has("AWSAccessKeyId") && query.Has("Signature"):
		return &claim{presigned: true, version2: true}, nil // the rest is for S3 to look at
	}
	return nil, nil
}

func parseHeader(r *http.Request, header string) (*claim, error) {
	name, parameters, _ := strings.Cut(header, " ")
	if err := checkAlgorithm(name); err != nil {
		return nil, err
	}
	p := parameterMap(parameters)
	var lacks []string
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if p[name] == "" {
			lacks = append(lacks, "Authorization header requires '"+name+"' parameter.")
		}
	}
	if lacks != nil {
		return nil, fault{kind: incomplete, text: strings.Join(lacks, " ")}
	}
	c := &claim{token: r.Header.Get("X-Amz-Security-Token"), signedHeaders: strings.Split(p["SignedHeaders"], ";")}
	if err := c.setTime(headerTime(r)); err != nil {
		return nil, err
	}
	return c, c.set(p["Credential"], p["Signature"])
}

// parameterMap reads Credential=..., SignedHeaders=..., Signature=...
func parameterMap(s string) map[string]string {
	found := map[string]string{}
	for part := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		found[name] = value
	}
	return found
}

// headerTime is the time of the request in the form of X-Amz-Date; Date stands in for it.
func headerTime(r *http.Request) string {
	if s := r.Header.Get("X-Amz-Date"); s != "" {
		return s
	}
	date := r.Header.Get("Date")
	if t, err := http.ParseTime(date); err == nil {
		return t.UTC().Format(timeLayout)
	}
	return date
}

func parseQuery(query url.Values) (*claim, error) {
	if err := checkAlgorithm(query.Get("X-Amz-Algorithm")); err != nil {
		return nil, err
	}
	for _, name := range []string{"X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		if len(query[name]) != 1 {
			return nil, fault{kind: incompleteQuery, text: "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."}
		}
	}
	c := &claim{presigned: true, token: query.Get("X-Amz-Security-Token"), signedHeaders: strings.Split(query.Get("X-Amz-SignedHeaders"), ";")}
	if text := query.Get("X-Amz-Expires"); text != "" {
		seconds, err := strconv.ParseUint(text, 10, 31)
		switch {
		case err != nil:
			return nil, fault{kind: incompleteQuery, text: "X-Amz-Expires should be a number"}
		case time.Duration(seconds)*time.Second > maxExpiry:
			return nil, fault{kind: incompleteQuery, text: "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"}
		case seconds == 0:
			return nil, fault{kind: incompleteQuery, text: "X-Amz-Expires must be positive"}
		}
		c.expires = time.Duration(seconds) * time.Second
	}
	if err := c.setTime(query.Get("X-Amz-Date")); err != nil {
		return nil, err
	}
	return c, c.set(query.Get("X-Amz-Credential"), query.Get("X-Amz-Signature"))
}

func checkAlgorithm(name string) error {
	switch {
	case name == algorithm:
		return nil
	case strings.HasPrefix(name, "AWS4-ECDSA-"):
		return fault{kind: unsupported, text: "Culvert does not verify Signature Version 4A (" + excerpt(name) + "). Please use " + algorithm + "."}
	}
	return fault{kind: oldVersion}
}

func (c *claim) setTime(text string) error {
	t, err := time.Parse(timeLayout, text)
	if err != nil {
		return fault{kind: incomplete, claim: c, text: "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."}
	}
	c.time, c.timeText = t, text
	return nil
}

func (c *claim) set(credential, signature string) error {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || parts[0] == "" || len(parts[0]) > 128 {
		return fault{kind: scope, claim: c, text: "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."}
	}
	c.accessKeyID, c.date, c.region, c.service = parts[0], parts[1], parts[2], parts[3]
	if parts[4] != terminator {
		return fault{kind: scope, claim: c, text: "Credential should be scoped with a valid terminator: 'aws4_request'."}
	}
	sum, err := hex.DecodeString(signature)
	if err != nil || len(sum) != 32 {
		return fault{kind: mismatch, claim: c}
	}
	c.signature = sum
	return nil
}

// excerpt keeps what strangers send short in messages.
func excerpt(s string) string {
	const most = 64
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
