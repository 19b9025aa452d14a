package s3

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

const copySource = "X-Amz-Copy-Source"

// checkNewObject refuses headers that ask for what would not happen.
func checkNewObject(r *request) error {
	if err := checkACLHeaders(r); err != nil {
		return err
	}
	for name, v := range r.header {
		switch {
		case strings.HasPrefix(name, "X-Amz-Object-Lock-"):
			return api.Errorf("InvalidRequest", "Bucket is missing Object Lock Configuration")
		case name == "X-Amz-Server-Side-Encryption" && v[0] == "AES256":
		case name == "X-Amz-Storage-Class" && v[0] == "STANDARD":
		case name == "X-Amz-Server-Side-Encryption", name == "X-Amz-Storage-Class",
			strings.HasPrefix(name, "X-Amz-Server-Side-Encryption-"),
			strings.HasPrefix(name, "X-Amz-Copy-Source-Server-Side-Encryption-"),
			name == "X-Amz-Write-Offset-Bytes", name == "X-Amz-Mfa":
			return headerNotImplemented(name)
		}
	}
	return nil
}

func checkDelete(r *request) error {
	if r.header.Get("X-Amz-Mfa") != "" {
		return headerNotImplemented("X-Amz-Mfa")
	}
	return nil
}

// putObject needs a second permission if it also tags.
func (s *Service) putObject(w http.ResponseWriter, r *request) error {
	if r.header.Get("X-Amz-Tagging") != "" {
		if err := s.authorize(r, "s3:PutObjectTagging", r.resource()); err != nil {
			return err
		}
	}
	return s.proxy(w, r)
}

// source is what a copy is made of.
type source struct {
	bucket, key, version string
}

func parseSource(header string) (source, error) {
	invalid := invalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source", header)
	path, query, _ := strings.Cut(header, "?")
	path, err := url.PathUnescape(path)
	if err != nil {
		return source{}, invalid
	}
	if strings.HasPrefix(path, "arn:") {
		return source{}, notImplemented("Access points are not implemented.")
	}
	var from source
	from.bucket, from.key, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if from.bucket == "" || from.key == "" {
		return source{}, invalid
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return source{}, invalid
	}
	from.version = values.Get("versionId")
	if err := checkVersionID("versionId", from.version); err != nil {
		return source{}, err
	}
	return from, checkKey(from.key)
}

// header is the source as the engine wants it.
func (f source) header() string {
	h := escapePath(f.bucket + "/" + f.key)
	if f.version != "" {
		h += "?versionId=" + url.QueryEscape(f.version)
	}
	return h
}

// copyObject needs permission to read the source, too.
func (s *Service) copyObject(w http.ResponseWriter, r *request) error {
	from, err := parseSource(r.header.Get(copySource))
	if err != nil {
		return err
	}
	b, err := lookUpBucket(r.view, from.bucket)
	if err != nil {
		return err
	}
	action := "s3:GetObject"
	if from.version != "" {
		action = "s3:GetObjectVersion"
	}
	if err := s.authorizeIn(r, b, action, objectARN(from.bucket, from.key)); err != nil {
		return err
	}
	if r.header.Get("X-Amz-Tagging") != "" {
		if err := s.authorize(r, "s3:PutObjectTagging", r.resource()); err != nil {
			return err
		}
	}
	h := r.engineHeader()
	h.Set(copySource, from.header())
	res, err := s.send(r, h)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode < 300 {
		s.copyAnswer(w, r, res)
		return nil
	}
	e, err := readError(r.method, res)
	if err != nil {
		return err
	}
	if e.Code == "NoSuchKey" {
		if err := s.authorizeIn(r, b, "s3:ListBucket", bucketARN(from.bucket)); err != nil {
			return err
		}
	}
	return e
}

// getAttributes needs two permissions.
func (s *Service) getAttributes(w http.ResponseWriter, r *request) error {
	action := "s3:GetObjectAttributes"
	if r.query.Get("versionId") != "" {
		action = "s3:GetObjectVersionAttributes"
	}
	if err := s.authorize(r, action, r.resource()); err != nil {
		return err
	}
	return s.proxy(w, r)
}

// putObjectTagging reads the tags first: they are condition keys.
func (s *Service) putObjectTagging(w http.ResponseWriter, r *request) error {
	body, err := r.readBody()
	if err != nil {
		return err
	}
	var in taggingIn
	if err := parseXML(body, "Tagging", &in); err != nil {
		return err
	}
	if in.TagSet == nil {
		return malformedXML()
	}
	tags := resource.Tags{}
	for _, t := range in.TagSet.Tag {
		tags[t.Key] = t.Value
	}
	addTagKeys(r.conditionKeys(), "s3:requestobjecttag", tags)
	action := "s3:PutObjectTagging"
	if r.query.Get("versionId") != "" {
		action = "s3:PutObjectVersionTagging"
	}
	if err := s.authorize(r, action, r.resource()); err != nil {
		return err
	}
	r.call.HTTP.Body = io.NopCloser(bytes.NewReader(body))
	r.call.HTTP.ContentLength = int64(len(body))
	return s.proxy(w, r)
}

// getObjectACL answers the same for every object that exists.
func (s *Service) getObjectACL(w http.ResponseWriter, r *request) error {
	if err := s.mustBeThere(r); err != nil {
		return err
	}
	return s.getACL(w, r)
}

// mustBeThere refuses a request about an object that is not there.
func (s *Service) mustBeThere(r *request) error {
	query := url.Values{}
	if v := r.query.Get("versionId"); v != "" {
		query.Set("versionId", v)
	}
	res, err := s.engine(r.call.HTTP.Context(), http.MethodHead, enginePath(r.bucket, r.key), query, nil, nil, 0)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		if err := s.mayKnow(r); err != nil {
			return err
		}
		return noSuchKey(r.key)
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("look for %s in object store: status %d", r.resource(), res.StatusCode)
	}
	return nil
}

func noSuchKey(key string) error {
	return notFound("NoSuchKey", "The specified key does not exist.").With("Key", key)
}

// objectTags asks the engine for an object's tags; none if there is no such object.
func (s *Service) objectTags(ctx context.Context, bucket, key, version string) (resource.Tags, error) {
	query := url.Values{"tagging": {""}}
	if version != "" {
		query.Set("versionId", version)
	}
	res, err := s.engine(ctx, http.MethodGet, enginePath(bucket, key), query, nil, nil, 0)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode >= 400 && res.StatusCode < 500 {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxDocument))
	if err != nil || res.StatusCode >= 300 {
		return nil, fmt.Errorf("read tags of %s: status %d: %w", objectARN(bucket, key), res.StatusCode, err)
	}
	var in taggingIn
	if err := parseXML(body, "Tagging", &in); err != nil || in.TagSet == nil {
		return nil, fmt.Errorf("read tags of %s: %w", objectARN(bucket, key), err)
	}
	tags := resource.Tags{}
	for _, t := range in.TagSet.Tag {
		tags[t.Key] = t.Value
	}
	return tags, nil
}

// GetObject reads an object for another service (Lambda's code), as the caller of the call: with the caller's
// permissions, through the caller's door. The version may be empty.
func (s *Service) GetObject(ctx context.Context, call *api.Call, bucket, key, version string) (io.ReadCloser, error) {
	r := &request{call: call, view: s.Store.View(), method: http.MethodGet, header: http.Header{}, query: url.Values{}, level: levelObject, bucket: bucket, key: key}
	if version != "" {
		r.query.Set("versionId", version)
	}
	r.op = s.routes[route{http.MethodGet, levelObject, ""}]
	if err := s.findBucket(r); err != nil {
		return nil, err
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if err := s.authorize(r, r.action(), r.resource()); err != nil {
		return nil, err
	}
	res, err := s.engine(ctx, http.MethodGet, enginePath(bucket, key), r.query, nil, nil, 0)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusOK {
		return res.Body, nil
	}
	defer res.Body.Close()
	e, err := readError(http.MethodGet, res)
	if err != nil {
		return nil, err
	}
	if e.Code == "NoSuchKey" {
		if err := s.mayKnow(r); err != nil {
			return nil, err
		}
	}
	return nil, e
}
