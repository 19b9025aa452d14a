package s3

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// level is what an operation acts on.
type level int

const (
	levelService level = iota
	levelBucket
	levelObject
	levelControl // S3 Control, the API beside S3
)

// request is a call on its way.
type request struct {
	call     *api.Call
	view     *state.View
	method   string
	header   http.Header // with what a presigned URL carries as parameters
	query    url.Values  // without the signature
	signed   signing
	version2 bool // of the signature
	level    level
	bucket   string
	key      string
	path     string // of S3 Control: what follows the version

	op     *operation
	config *resource.Bucket // of bucket, once it is found

	conditions map[string][]string // see authorize.go
}

// signing is where the signature was.
type signing int

const (
	unsigned signing = iota
	signedHeader
	signedQuery
)

func (s *Service) newRequest(call *api.Call) (*request, error) {
	r := &request{call: call, view: s.Store.View(), method: call.HTTP.Method}
	query, err := url.ParseQuery(call.HTTP.URL.RawQuery)
	if err != nil {
		return nil, api.Errorf("InvalidURI", "Couldn't parse the specified URI.")
	}
	r.query = query
	r.header = call.HTTP.Header.Clone()
	switch {
	case query.Has("X-Amz-Signature"):
		r.signed = signedQuery
	case r.header.Get("Authorization") != "":
		r.signed = signedHeader
	case query.Has("AWSAccessKeyId"):
		r.signed, r.version2 = signedQuery, true
	}
	r.liftParameters()
	if err := r.checkOnce(); err != nil {
		return nil, err
	}
	a, err := parseAddress(call.HTTP.Host, call.HTTP.URL.Path, r.view.Region())
	if err != nil {
		return nil, err
	}
	r.level, r.bucket, r.key, r.path = a.level, a.bucket, a.key, a.path
	return r, nil
}

// liftParameters removes the signature's parameters, and makes headers of the headers that a presigned URL
// carries as parameters: S3 treats X-Amz-Acl=private in the query as the header of that name.
func (r *request) liftParameters() {
	for name, values := range r.query {
		switch lower := strings.ToLower(name); {
		case lower == "x-id", r.signed == signedQuery && (isSignatureParameter(lower) || r.version2 && isVersion2Parameter(name)):
			delete(r.query, name)
		case r.signed == signedQuery && (strings.HasPrefix(lower, "x-amz-") || r.version2 && strings.HasPrefix(lower, "content-")):
			delete(r.query, name)
			if len(values) > 0 && r.header.Get(name) == "" {
				r.header.Set(name, values[0])
			}
		}
	}
}

// checkOnce refuses a parameter or header that is given twice: policies and the engine might look at different
// ones.
func (r *request) checkOnce() error {
	for name, values := range r.query {
		if len(values) > 1 && name != "tagKeys" {
			return invalidArgument("A parameter must not be given twice.", name, values[1])
		}
	}
	for name, values := range r.header {
		if len(values) > 1 && strings.HasPrefix(name, "X-Amz-") && !isList(name) {
			return invalidArgument("A header must not be given twice.", name, values[1])
		}
	}
	if values := r.query["versionId"]; len(values) > 0 && values[0] == "" {
		return invalidArgument("Version id cannot be the empty string", "versionId", "")
	}
	if err := r.checkIDs(); err != nil {
		return err
	}
	if r.signed == unsigned {
		for name := range r.query {
			if strings.HasPrefix(name, "response-") {
				return api.Errorf("InvalidRequest", "Request specific response headers cannot be used for anonymous GET requests.")
			}
		}
	}
	return nil
}

// isList reports whether a header may have several values.
func isList(name string) bool {
	return strings.HasPrefix(name, "X-Amz-Meta-") || name == "X-Amz-Object-Attributes" || name == "X-Amz-Optional-Object-Attributes"
}

func isSignatureParameter(lower string) bool {
	switch lower {
	case "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders",
		"x-amz-signature", "x-amz-security-token":
		return true
	}
	return false
}

func isVersion2Parameter(name string) bool {
	return name == "AWSAccessKeyId" || name == "Signature" || name == "Expires"
}

// findBucket looks up the bucket's configuration.
func (s *Service) findBucket(r *request) error {
	if r.bucket == "" || r.op.makesBucket {
		return nil
	}
	b, err := lookUpBucket(r.view, r.bucket)
	r.config = b
	return err
}

func lookUpBucket(r state.Reader, name string) (*resource.Bucket, error) {
	b, ok := state.Get[*resource.Bucket](r, name)
	if !ok {
		return nil, noSuchBucket(name)
	}
	return b, nil
}

// checkOwner refuses a call that expects the bucket to be someone else's.
func (r *request) checkOwner() error {
	for _, name := range []string{"X-Amz-Expected-Bucket-Owner", "X-Amz-Source-Expected-Bucket-Owner"} {
		if want := r.header.Get(name); want != "" && want != r.view.Account() {
			return accessDenied()
		}
	}
	return nil
}

// action is the IAM action; it differs if a version is named.
func (r *request) action() string {
	if r.op.versionAction != "" && r.query.Get("versionId") != "" {
		return r.op.versionAction
	}
	return r.op.action
}

// resource is the ARN that the operation acts on.
func (r *request) resource() string {
	switch r.level {
	case levelBucket:
		return bucketARN(r.bucket)
	case levelObject:
		return objectARN(r.bucket, r.key)
	}
	return "*"
}

func bucketARN(bucket string) string      { return "arn:aws:s3:::" + bucket }
func objectARN(bucket, key string) string { return "arn:aws:s3:::" + bucket + "/" + key }
