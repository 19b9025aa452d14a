package sigv4

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Version 2 in the query: what boto3 and the AWS CLI make URLs with, in the regions that are older than version 4,
// unless they are told otherwise. S3 alone takes it, and in no other place. See the S3 guide of 2014, "Signing and
// Authenticating REST Requests".

// signedByVersion2 are the parameters that version 2 signs.
var signedByVersion2 = []string{
	"accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location", "logging",
	"metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment",
	"response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language",
	"response-content-type", "response-expires", "restore", "select", "select-type", "storageClass", "tagging", "torrent",
	"uploadId", "uploads", "versionId", "versioning", "versions", "website",
}

// harmlessToVersion2 are those that it does not sign and that do not change what a request is.
var harmlessToVersion2 = []string{
	"AWSAccessKeyId", "Expires", "Signature", "content-md5", "content-type", "continuation-token", "delimiter",
	"encoding-type", "fetch-owner", "key-marker", "list-type", "marker", "max-keys", "max-parts", "max-uploads",
	"part-number-marker", "prefix", "start-after", "upload-id-marker", "version-id-marker", "x-id",
}

// parseVersion2 reads the claim of a URL. Anyone may add a parameter to it that is not signed: what could make the
// request another one is refused.
func parseVersion2(r *http.Request) (*claim, error) {
	query := r.URL.Query()
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, _, _ := strings.Cut(part, "=")
		amz := strings.HasPrefix(strings.ToLower(name), "x-amz-")
		if name != "" && !amz && !slices.Contains(signedByVersion2, name) && !slices.Contains(harmlessToVersion2, name) {
			return nil, fault{kind: oldVersion}
		}
	}
	for _, values := range query {
		// The text that is signed has lines: a value of several could stand for another request.
		if strings.ContainsAny(strings.Join(values, ""), "\r\n") {
			return nil, forbidden("AccessDenied", "A signature of version 2 does not cover line breaks in parameters")
		}
	}
	for _, name := range []string{"AWSAccessKeyId", "Expires", "Signature"} {
		if len(query[name]) != 1 {
			return nil, forbidden("AccessDenied", "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
		}
	}
	seconds, err := strconv.ParseInt(query.Get("Expires"), 10, 64)
	if err != nil {
		return nil, forbidden("AccessDenied", "Invalid date (should be seconds since epoch): %s", excerpt(query.Get("Expires")))
	}
	c := &claim{
		presigned: true, version2: true, accessKeyID: query.Get("AWSAccessKeyId"), time: time.Unix(seconds, 0).UTC(),
		token: amzHeaders(r, query)["x-amz-security-token"],
	}
	c.signature, err = base64.StdEncoding.DecodeString(query.Get("Signature"))
	if err != nil || len(c.signature) != sha1.Size {
		return nil, fault{kind: mismatch, claim: c}
	}
	return c, nil
}

// verifyVersion2 is Verify for such a URL.
func (o *Options) verifyVersion2(r *http.Request) (*Result, error) {
	if o.Style != S3 || o.VirtualBucket == nil {
		return nil, fault{kind: oldVersion}
	}
	c, err := parseVersion2(r)
	if err != nil {
		return nil, err
	}
	if o.Now.After(c.time) {
		const iso = "2006-01-02T15:04:05Z"
		return nil, forbidden("AccessDenied", "Request has expired").
			With("Expires", c.time.Format(iso)).With("ServerTime", o.Now.UTC().Format(iso))
	}
	credential, err := o.Keys.Lookup(c.accessKeyID, c.token, o.Now)
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha1.New, []byte(credential.Secret))
	h.Write([]byte(version2Text(r, o.VirtualBucket(r.Host))))
	if !hmac.Equal(h.Sum(nil), c.signature) {
		return nil, fault{kind: mismatch, claim: c}
	}
	caller := credential.Caller
	caller.AccessKeyID = c.accessKeyID
	return &Result{Caller: caller, AccessKeyID: c.accessKeyID, Token: c.token, Time: o.Now, Service: o.Service, Presigned: true}, nil
}

// version2Text is the text that such a signature is about.
func version2Text(r *http.Request, bucket string) string {
	query := r.URL.Query()
	standard := func(name string) string {
		if v := r.Header.Get(name); v != "" {
			return strings.TrimSpace(v)
		}
		return query.Get(name)
	}
	var b strings.Builder
	b.WriteString(r.Method + "\n" + standard("content-md5") + "\n" + standard("content-type") + "\n" + query.Get("Expires") + "\n")
	amz := amzHeaders(r, query)
	var names []string
	for name := range amz {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.WriteString(name + ":" + amz[name] + "\n")
	}
	if bucket != "" {
		b.WriteString("/" + bucket)
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	b.WriteString(path)
	separator := "?"
	for _, name := range signedByVersion2 { // in order
		if !query.Has(name) {
			continue
		}
		b.WriteString(separator + name)
		if v := query.Get(name); v != "" {
			b.WriteString("=" + v)
		}
		separator = "&"
	}
	return b.String()
}

// amzHeaders are S3's own headers by their names in small letters. What a URL carries as a parameter is a header too
// if the request has none of that name.
func amzHeaders(r *http.Request, query url.Values) map[string]string {
	found := map[string]string{}
	for name, values := range query {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") {
			found[lower] = strings.TrimSpace(strings.Join(values, ","))
		}
	}
	for name, values := range r.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") {
			found[lower] = strings.TrimSpace(strings.Join(values, ","))
		}
	}
	return found
}
