package s3

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
)

const maxPolicy = 20 << 10

func noPolicy(bucket string) error {
	return notFound("NoSuchBucketPolicy", "The bucket policy does not exist").With("BucketName", bucket)
}

func (s *Service) getPolicy(w http.ResponseWriter, r *request) error {
	if r.config.Policy == "" {
		return noPolicy(r.bucket)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", itoa(len(r.config.Policy)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(r.config.Policy)) // nobody left to tell
	return nil
}

func (s *Service) putPolicy(w http.ResponseWriter, r *request) error {
	body, err := r.readBody()
	if err != nil {
		return err
	}
	document, err := parsePolicy(r.bucket, body)
	if err != nil {
		return err
	}
	if document.Public() && blockOf(r.config).BlockPublicPolicy {
		e := accessDenied()
		if arn := r.call.Caller.ARN; arn != "" {
			e.Message = fmt.Sprintf("User: %s is not authorized to perform: s3:PutBucketPolicy on resource: %q because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
				arn, bucketARN(r.bucket))
		}
		return e
	}
	if err := s.change(r, func(b *resource.Bucket) { b.Policy = string(body) }); err != nil {
		return err
	}
	return noContent(w)
}

func malformedPolicy(message string) *api.Error { return api.Errorf("MalformedPolicy", "%s", message) }

// parsePolicy checks a policy for a bucket.
func parsePolicy(bucket string, text []byte) (*policy.Document, error) {
	if len(text) == 0 {
		return nil, api.Errorf("MissingRequestBodyError", "Request Body is empty")
	}
	if len(text) > maxPolicy {
		return nil, malformedPolicy("Policy exceeds the maximum allowed document size.")
	}
	if text[0] != '{' || !json.Valid(text) {
		return nil, malformedPolicy("Policies must be valid JSON and the first byte must be '{'")
	}
	document, err := policy.Parse("bucket policy of "+bucket, policy.Resource, text)
	var flaw *policy.Error
	if errors.As(err, &flaw) {
		return nil, malformedPolicy(flaw.Message).With("Detail", flaw.Detail)
	} else if err != nil {
		return nil, fmt.Errorf("parse policy of bucket %s: %w", bucket, err)
	}
	for _, s := range document.Statements {
		if err := checkStatement(bucket, s); err != nil {
			return nil, err
		}
	}
	return document, nil
}

// checkStatement refuses what S3 refuses and the language allows: resources of others, and actions of others.
func checkStatement(bucket string, s policy.Statement) error {
	for _, arn := range append(append([]string(nil), s.Resources...), s.NotResources...) {
		rest, ok := strings.CutPrefix(arn, bucketARN(bucket))
		if !ok || rest != "" && rest[0] != '/' && rest[0] != '*' {
			return malformedPolicy("Policy has invalid resource").With("Detail", arn)
		}
	}
	for _, action := range append(append([]string(nil), s.Actions...), s.NotActions...) {
		if lower := strings.ToLower(action); lower != "*" && !strings.HasPrefix(lower, "s3:") {
			return malformedPolicy("Policy has invalid action").With("Detail", action)
		}
	}
	return nil
}

func (s *Service) deletePolicy(w http.ResponseWriter, r *request) error {
	if err := s.change(r, func(b *resource.Bucket) { b.Policy = "" }); err != nil {
		return err
	}
	return noContent(w)
}

func (s *Service) getPolicyStatus(w http.ResponseWriter, r *request) error {
	document, err := s.policies.of(r.config)
	if err != nil {
		return err
	}
	if document == nil {
		return noPolicy(r.bucket)
	}
	return writeDocument(w, withNamespace(fmt.Sprintf("<PolicyStatus><IsPublic>%t</IsPublic></PolicyStatus>", document.Public())))
}

// publicAccessBlock is S3's guard against publishing by accident.
type publicAccessBlock struct {
	BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
}

// blockOf reads a bucket's public access block; none blocks nothing.
func blockOf(b *resource.Bucket) publicAccessBlock {
	var out publicAccessBlock
	if text := b.Subresources["publicAccessBlock"]; text != "" && parseXML([]byte(text), "PublicAccessBlockConfiguration", &out) != nil {
		return publicAccessBlock{true, true, true, true} // it was checked when it was put; whatever this is, it blocks
	}
	return out
}

func acceptPublicAccessBlock(body []byte) (string, error) {
	var in publicAccessBlock
	if err := parseXML(body, "PublicAccessBlockConfiguration", &in); err != nil {
		return "", err
	}
	return in.xml(), nil
}

func (b publicAccessBlock) xml() string {
	return fmt.Sprintf("<PublicAccessBlockConfiguration><BlockPublicAcls>%t</BlockPublicAcls><IgnorePublicAcls>%t</IgnorePublicAcls>"+
		"<BlockPublicPolicy>%t</BlockPublicPolicy><RestrictPublicBuckets>%t</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
		b.BlockPublicAcls, b.IgnorePublicAcls, b.BlockPublicPolicy, b.RestrictPublicBuckets)
}
