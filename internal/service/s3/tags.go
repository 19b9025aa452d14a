package s3

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

type tagXML struct {
	Key, Value string
}

type taggingXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Tagging"`
	TagSet  []tagXML `xml:"TagSet>Tag"`
}

// taggingIn is a taggingXML of any name space.
type taggingIn struct {
	TagSet *struct {
		Tag []tagXML
	}
}

func invalidTag(message string, args ...any) *api.Error {
	return api.Errorf("InvalidTag", message, args...)
}

// parseTags checks the tags of a bucket.
func parseTags(in []tagXML) (resource.Tags, error) {
	if len(in) > 50 {
		return nil, api.Errorf("BadRequest", "Bucket tag count cannot be greater than 50")
	}
	tags := resource.Tags{}
	for _, t := range in {
		switch {
		case t.Key == "" || utf8.RuneCountInString(t.Key) > 128:
			return nil, invalidTag("The TagKey you have provided is invalid").With("TagKey", t.Key)
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return nil, invalidTag("System tags cannot be added/updated by requester").With("TagKey", t.Key)
		case utf8.RuneCountInString(t.Value) > 256:
			return nil, invalidTag("The TagValue you have provided is invalid").With("TagKey", t.Key).With("TagValue", t.Value)
		}
		if _, ok := tags[t.Key]; ok {
			return nil, invalidTag("Cannot provide multiple Tags with the same key").With("TagKey", t.Key)
		}
		tags[t.Key] = t.Value
	}
	return tags, nil
}

func tagList(tags resource.Tags) []tagXML {
	out := []tagXML{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, tagXML{k, tags[k]})
	}
	return out
}

func (s *Service) getTagging(w http.ResponseWriter, r *request) error {
	if len(r.config.Tags) == 0 {
		return notFound("NoSuchTagSet", "The TagSet does not exist").With("BucketName", r.bucket)
	}
	return writeXML(w, taggingXML{TagSet: tagList(r.config.Tags)})
}

func (s *Service) putTagging(w http.ResponseWriter, r *request) error {
	var in taggingIn
	if err := r.readXML("Tagging", &in); err != nil {
		return err
	}
	if in.TagSet == nil {
		return malformedXML()
	}
	tags, err := parseTags(in.TagSet.Tag)
	if err != nil {
		return err
	}
	if err := s.change(r, func(b *resource.Bucket) { b.Tags = tags }); err != nil {
		return err
	}
	return noContent(w)
}

func (s *Service) deleteTagging(w http.ResponseWriter, r *request) error {
	if err := s.change(r, func(b *resource.Bucket) { b.Tags = nil }); err != nil {
		return err
	}
	return noContent(w)
}

// taggedBucket finds the bucket that an S3 Control path names: tags/{arn}. The ARN is decoded once already; some
// clients escape it twice.
func (s *Service) taggedBucket(r *request, action string) error {
	arn, ok := strings.CutPrefix(r.path, "tags/")
	if !ok {
		return notImplemented("This S3 Control operation is not implemented.")
	}
	if decoded, err := url.PathUnescape(arn); err == nil {
		arn = decoded
	}
	name, ok := strings.CutPrefix(arn, bucketARN(""))
	if !ok || !validBucketName(name) {
		return notImplemented("Only buckets can be tagged here.")
	}
	if account := r.header.Get("X-Amz-Account-Id"); account != "" && account != r.view.Account() {
		return accessDenied()
	}
	r.bucket = name
	if err := s.findBucket(r); err != nil {
		return err
	}
	return s.authorize(r, action, bucketARN(name))
}

type listTagsXML struct {
	XMLName xml.Name `xml:"http://awss3control.amazonaws.com/doc/2018-08-20/ ListTagsForResourceResult"`
	Tags    []tagXML `xml:"Tags>Tag"`
}

func (s *Service) listTagsForResource(w http.ResponseWriter, r *request) error {
	if err := s.taggedBucket(r, "s3:ListTagsForResource"); err != nil {
		return err
	}
	return writeXML(w, listTagsXML{Tags: tagList(r.config.Tags)})
}

func (s *Service) tagResource(w http.ResponseWriter, r *request) error {
	if err := s.taggedBucket(r, "s3:TagResource"); err != nil {
		return err
	}
	var in struct {
		Tags []tagXML `xml:"Tags>Tag"`
	}
	if err := r.readXML("TagResourceRequest", &in); err != nil {
		return err
	}
	added, err := parseTags(in.Tags)
	if err != nil {
		return err
	}
	err = s.tryChange(r, func(b *resource.Bucket) error {
		merged := resource.Tags{}
		maps.Copy(merged, b.Tags)
		maps.Copy(merged, added)
		b.Tags, err = parseTags(tagList(merged)) // there may be too many by now
		return err
	})
	if err != nil {
		return err
	}
	return noContent(w)
}

func (s *Service) untagResource(w http.ResponseWriter, r *request) error {
	if err := s.taggedBucket(r, "s3:UntagResource"); err != nil {
		return err
	}
	err := s.change(r, func(b *resource.Bucket) {
		tags := maps.Clone(b.Tags)
		for _, key := range r.query["tagKeys"] {
			delete(tags, key)
		}
		b.Tags = tags
	})
	if err != nil {
		return err
	}
	return noContent(w)
}
