package inspect

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// objectScheme begins a target that names a bucket or an object: s3://bucket/key.
const objectScheme = "s3://"

// wantedCall is the call that somebody asks about, before it is known which way it takes.
type wantedCall struct {
	view     *state.View
	caller   api.Caller
	service  string
	action   string
	resource string
	policy   *policy.Document // the resource's own; nil: none
}

// wantedCall reads which call is asked about; nil: none is.
func (c *Config) wantedCall(q url.Values) (*wantedCall, error) {
	w := &wantedCall{view: c.Store.View(), action: q.Get("action"), resource: q.Get("resource")}
	if path, ok := strings.CutPrefix(q.Get("service"), objectScheme); ok {
		if err := w.readObject(path); err != nil {
			return nil, err
		}
	}
	switch {
	case w.action == "" && w.resource == "":
		return nil, nil
	case w.action == "":
		return nil, badRequest("--resource needs --action: what would the function do with %s?", w.resource)
	case q.Get("function") == "":
		return nil, badRequest("only a function's call can be decided: an interface has no role")
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	f, ok := state.Get[*resource.Function](w.view, q.Get("function"))
	if !ok {
		return w, nil // which is said where the sources are looked for
	}
	var err error
	if w.caller, err = c.Session(f); err != nil {
		return nil, notFound("%v", err)
	}
	return w, w.findPolicy()
}

// readObject reads bucket/key. Without a key it is the bucket; without an action, reading is meant.
func (w *wantedCall) readObject(path string) error {
	bucket, key, _ := strings.Cut(path, "/")
	if bucket == "" {
		return badRequest("say which bucket: s3://bucket/key")
	}
	if w.resource != "" {
		return badRequest("s3://%s names the resource already: leave out --resource", path)
	}
	w.resource = bucketARN + strings.TrimSuffix(path, "/")
	if key != "" {
		w.resource = bucketARN + path
	}
	if w.action == "" && key == "" {
		w.action = "s3:ListBucket"
	} else if w.action == "" {
		w.action = "s3:GetObject"
	}
	return nil
}

const bucketARN = "arn:aws:s3:::"

// bucketName is the DNS name under which an SDK calls a bucket. One with dots would fit no certificate.
func bucketName(path, region string) string {
	bucket, _, _ := strings.Cut(path, "/")
	if bucket == "" || strings.Contains(bucket, ".") {
		return topology.MainName(region, "s3")
	}
	return strings.ToLower(bucket) + "." + topology.MainName(region, "s3")
}

// check refuses what no call can be.
func (w *wantedCall) check() error {
	if !regexp.MustCompile(`^[a-z0-9-]+:[A-Za-z]+$`).MatchString(w.action) {
		return badRequest("%q is no action such as s3:GetObject", w.action)
	}
	w.service, _, _ = strings.Cut(w.action, ":")
	if w.resource == "" {
		w.resource = "*"
	}
	if w.resource != "*" && strings.Count(w.resource, ":") < 5 {
		return badRequest("%q is no ARN such as arn:aws:s3:::bucket/key", w.resource)
	}
	if w.service == "s3" {
		return w.checkS3()
	}
	return nil
}

// checkS3 refuses an action on what it does not act on, which no policy would ever be asked about.
func (w *wantedCall) checkS3() error {
	name, isS3 := strings.CutPrefix(w.resource, bucketARN)
	bucket, key, _ := strings.Cut(name, "/")
	switch {
	case w.action == "s3:ListAllMyBuckets":
		if w.resource != "*" {
			return badRequest("s3:ListAllMyBuckets acts on *")
		}
	case !isS3 || bucket == "":
		return badRequest("say on what: --resource arn:aws:s3:::bucket, or arn:aws:s3:::bucket/key")
	case onObject(w.action) && key == "":
		return badRequest("%s acts on an object: %s%s/key", w.action, bucketARN, bucket)
	case !onObject(w.action) && key != "":
		return badRequest("%s acts on a bucket: %s%s", w.action, bucketARN, bucket)
	}
	return nil
}

// onObject reports whether an action of S3 acts on objects rather than buckets. See the service authorization
// reference.
func onObject(action string) bool {
	switch action {
	case "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:BypassGovernanceRetention":
		return true
	}
	return strings.Contains(action, "Object") && !strings.Contains(action, "Bucket")
}

// findPolicy finds the policy of the bucket that the call is for. Roles have one too, which Decide knows of.
func (w *wantedCall) findPolicy() error {
	name, ok := strings.CutPrefix(w.resource, bucketARN)
	if !ok || w.action == "s3:CreateBucket" {
		return nil
	}
	name, _, _ = strings.Cut(name, "/")
	b, ok := state.Get[*resource.Bucket](w.view, name)
	if !ok {
		return notFound("there is no bucket %q in this region", name)
	}
	if b.Policy == "" {
		return nil
	}
	var err error
	w.policy, err = policy.Parse("bucket policy of "+name, policy.Resource, []byte(b.Policy))
	return err
}
