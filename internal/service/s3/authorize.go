package s3

import (
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// authorize asks whether the request may take an action on a resource in its own bucket.
func (s *Service) authorize(r *request, action, arn string) error {
	return s.authorizeIn(r, r.config, action, arn)
}

// authorizeIn asks about a resource in a bucket; nil for what is in none.
func (s *Service) authorizeIn(r *request, b *resource.Bucket, action, arn string) error {
	conditions := r.conditionKeys()
	if b == nil {
		return s.Authorize(r.view, r.call, action, arn, nil, conditions)
	}
	document, err := s.policies.of(b)
	if err != nil {
		return err
	}
	if document != nil && r.call.Caller.Type == api.Anonymous && document.Public() && blockOf(b).RestrictPublicBuckets {
		return accessDenied()
	}
	if r.call.Caller.Type == api.Root && ownerMay(action) {
		document = nil
	}
	if conditions, err = s.withObjectTags(r, b, arn, conditions); err != nil {
		return err
	}
	return s.Authorize(r.view, r.call, action, arn, document, conditions)
}

// ownerMay says what no bucket policy can take from the account's root, or a bucket could be lost for good. See
// the S3 API reference, PutBucketPolicy.
func ownerMay(action string) bool {
	switch action {
	case "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy":
		return true
	}
	return false
}

// conditionHeaders are the headers that are condition keys under the same name.
var conditionHeaders = []string{
	"x-amz-acl", "x-amz-content-sha256", "x-amz-copy-source", "x-amz-metadata-directive", "x-amz-object-ownership",
	"x-amz-server-side-encryption", "x-amz-storage-class", "x-amz-website-redirect-location",
	"x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write", "x-amz-grant-write-acp",
}

// conditionKeys are S3's condition keys of the request, lower case. See the service authorization reference.
func (r *request) conditionKeys() map[string][]string {
	if r.conditions != nil {
		return r.conditions
	}
	c := map[string][]string{"s3:resourceaccount": {r.view.Account()}}
	r.conditions = c
	for _, name := range conditionHeaders {
		if v := r.header.Get(name); v != "" {
			c["s3:"+name] = []string{v}
		}
	}
	for _, name := range []string{"prefix", "delimiter", "max-keys"} {
		if r.query.Has(name) {
			c["s3:"+name] = []string{r.query.Get(name)}
		}
	}
	if v := r.query.Get("versionId"); v != "" {
		c["s3:versionid"] = []string{v}
	}
	if r.header.Get("If-None-Match") != "" {
		c["s3:if-none-match"] = []string{r.header.Get("If-None-Match")}
	}
	if r.header.Get("If-Match") != "" {
		c["s3:if-match"] = []string{r.header.Get("If-Match")}
	}
	if tls := r.call.HTTP.TLS; tls != nil {
		c["s3:tlsversion"] = []string{fmt.Sprintf("1.%d", tls.Version-0x0301)}
	}
	r.signatureKeys(c)
	addTagKeys(c, "s3:requestobjecttag", tagsOf(r.header.Get("X-Amz-Tagging")))
	return c
}

func (r *request) signatureKeys(c map[string][]string) {
	switch r.signed {
	case signedHeader:
		c["s3:authtype"] = []string{"REST-HEADER"}
	case signedQuery:
		c["s3:authtype"] = []string{"REST-QUERY-STRING"}
		date := r.call.HTTP.URL.Query().Get("X-Amz-Date")
		if t, err := time.Parse("20060102T150405Z", date); err == nil {
			c["s3:signatureage"] = []string{fmt.Sprint(r.call.Time.Sub(t).Milliseconds())}
		}
	default:
		return
	}
	c["s3:signatureversion"] = []string{"AWS4-HMAC-SHA256"}
	if r.version2 {
		c["s3:signatureversion"] = []string{"AWS"}
	}
}

// addTagKeys adds the keys for tags, s3:requestobjecttag/<key> and s3:requestobjecttagkeys.
func addTagKeys(c map[string][]string, name string, tags resource.Tags) {
	for k, v := range tags {
		c[name+"/"+strings.ToLower(k)] = []string{v}
		if name == "s3:requestobjecttag" {
			c[name+"keys"] = append(c[name+"keys"], k)
		}
	}
}

// tagsOf parses a tagging header. What is wrong with it, the engine says.
func tagsOf(header string) resource.Tags {
	values, err := url.ParseQuery(header)
	if err != nil || header == "" {
		return nil
	}
	tags := resource.Tags{}
	for k, v := range values {
		tags[k] = v[0]
	}
	return tags
}

// withObjectTags adds the tags of the object that is there, if any policy asks for them: they cost a request.
func (s *Service) withObjectTags(r *request, b *resource.Bucket, arn string, c map[string][]string) (map[string][]string, error) {
	key, ok := strings.CutPrefix(arn, objectARN(b.Name, ""))
	if !ok || !s.tagUse.inPolicies(r.view) {
		return c, nil
	}
	version := ""
	if b.Name == r.bucket && key == r.key {
		version = r.query.Get("versionId")
	}
	tags, err := s.objectTags(r.call.HTTP.Context(), b.Name, key, version)
	if err != nil || len(tags) == 0 {
		return c, err
	}
	c = maps.Clone(c)
	addTagKeys(c, "s3:existingobjecttag", tags)
	return c, nil
}

// tagUse remembers for one revision of the state whether any policy looks at the tags of objects.
type tagUse struct {
	mu       sync.Mutex
	known    bool
	revision uint64
	used     bool
}

func (t *tagUse) inPolicies(v *state.View) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.known || t.revision != v.Revision() {
		t.known, t.revision, t.used = true, v.Revision(), policiesMention(v, "existingobjecttag")
	}
	return t.used
}

// policiesMention reports whether a word is in any policy of the region, whatever its case.
func policiesMention(v *state.View, word string) bool {
	has := func(text string) bool { return strings.Contains(strings.ToLower(text), word) }
	for _, role := range state.List[*resource.Role](v) {
		for _, text := range role.InlinePolicies {
			if has(text) {
				return true
			}
		}
	}
	for _, u := range state.List[*resource.User](v) {
		for _, text := range u.InlinePolicies {
			if has(text) {
				return true
			}
		}
	}
	for _, g := range state.List[*resource.Group](v) {
		for _, text := range g.InlinePolicies {
			if has(text) {
				return true
			}
		}
	}
	for _, p := range state.List[*resource.Policy](v) {
		if has(p.Document()) {
			return true
		}
	}
	for _, b := range state.List[*resource.Bucket](v) {
		if has(b.Policy) {
			return true
		}
	}
	for _, e := range state.List[*resource.VPCEndpoint](v) {
		if has(e.PolicyDocument) {
			return true
		}
	}
	return false
}

// policies holds the parsed policies of buckets.
type policies struct {
	mu     sync.Mutex
	parsed map[string]parsedPolicy // by bucket
}

type parsedPolicy struct {
	text     string
	document *policy.Document
}

// of returns the bucket's policy, nil if it has none.
func (p *policies) of(b *resource.Bucket) (*policy.Document, error) {
	if b.Policy == "" {
		return nil, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if got, ok := p.parsed[b.Name]; ok && got.text == b.Policy {
		return got.document, nil
	}
	document, err := policy.Parse("bucket policy of "+b.Name, policy.Resource, []byte(b.Policy))
	if err != nil {
		return nil, fmt.Errorf("read policy of bucket %s: %w", b.Name, err)
	}
	if p.parsed == nil {
		p.parsed = map[string]parsedPolicy{}
	}
	p.parsed[b.Name] = parsedPolicy{b.Policy, document}
	return document, nil
}
