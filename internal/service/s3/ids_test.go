package s3_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// The engine's ids are parts of paths. One that leads elsewhere must reach nothing.
func TestAnUploadIDIsNoPath(t *testing.T) {
	r := newRegion(t)
	b, victim := r.bucket("objects"), r.bucket("victim")
	r.put(victim, "object", "kept")
	c := r.as("root")
	key := aws.String("k")
	for _, id := range []string{
		"../../..", "../../../../" + victim, "../../../../../..", ".", "..", "/", "a/../..", "../../../../" + victim + "/", "\x00", "%2e%2e",
		"00000000-0000-0000-0000-000000000000/../../../../../" + victim,
	} {
		for name, try := range map[string]func() error{
			"ListParts": func() error {
				_, err := c.ListParts(t.Context(), &client.ListPartsInput{Bucket: &b, Key: key, UploadId: &id})
				return err
			},
			"UploadPart": func() error {
				_, err := c.UploadPart(t.Context(), &client.UploadPartInput{Bucket: &b, Key: key, UploadId: &id, PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
				return err
			},
			"UploadPartCopy": func() error {
				_, err := c.UploadPartCopy(t.Context(), &client.UploadPartCopyInput{Bucket: &b, Key: key, UploadId: &id, PartNumber: aws.Int32(1), CopySource: aws.String(victim + "/object")})
				return err
			},
			"CompleteMultipartUpload": func() error {
				_, err := c.CompleteMultipartUpload(t.Context(), &client.CompleteMultipartUploadInput{Bucket: &b, Key: key, UploadId: &id,
					MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: aws.String("x")}}}})
				return err
			},
			"AbortMultipartUpload": func() error {
				_, err := c.AbortMultipartUpload(t.Context(), &client.AbortMultipartUploadInput{Bucket: &b, Key: key, UploadId: &id})
				return err
			},
		} {
			if got := code(try()); got != "NoSuchUpload" {
				t.Errorf("%s of %q: got %q, want NoSuchUpload", name, id, got)
			}
		}
	}
	for _, name := range []string{b, victim} {
		if _, err := c.ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: &name}); err != nil {
			t.Errorf("bucket %s: %v", name, err)
		}
	}
	if got, err := get(t.Context(), c, victim, "object"); err != nil || got != "kept" {
		t.Errorf("the other bucket's object: %q, %v", got, err)
	}
}

func TestAVersionIDIsNoPath(t *testing.T) {
	r := newRegion(t)
	b, victim := r.bucket("objects"), r.bucket("victim")
	r.put(b, "k", "own")
	r.put(victim, "object", "kept")
	c := r.as("root")
	if _, err := c.PutBucketVersioning(t.Context(), &client.PutBucketVersioningInput{Bucket: &b,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}); err != nil {
		t.Fatal(err)
	}
	key := aws.String("k")
	for _, id := range []string{"../../x", "..//../../../victim/object", "../../../../../etc//shadow", "nullnullnullnullnullnull/x", "01arz3ndektsv4rrffq69g5fav"} {
		for name, try := range map[string]func() error{
			"GetObject": func() error {
				_, err := c.GetObject(t.Context(), &client.GetObjectInput{Bucket: &b, Key: key, VersionId: &id})
				return err
			},
			"DeleteObject": func() error {
				_, err := c.DeleteObject(t.Context(), &client.DeleteObjectInput{Bucket: &b, Key: key, VersionId: &id})
				return err
			},
			"GetObjectTagging": func() error {
				_, err := c.GetObjectTagging(t.Context(), &client.GetObjectTaggingInput{Bucket: &b, Key: key, VersionId: &id})
				return err
			},
			"CopyObject": func() error {
				_, err := c.CopyObject(t.Context(), &client.CopyObjectInput{Bucket: &b, Key: aws.String("copy"), CopySource: aws.String(b + "/k?versionId=" + strings.ReplaceAll(id, "/", "%2F"))})
				return err
			},
		} {
			if got := code(try()); got != "InvalidArgument" {
				t.Errorf("%s of version %q: got %q, want InvalidArgument", name, id, got)
			}
		}
		out, err := c.DeleteObjects(t.Context(), &client.DeleteObjectsInput{Bucket: &b,
			Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: key, VersionId: &id}}}})
		if err != nil || len(out.Deleted) != 0 || len(out.Errors) != 1 || *out.Errors[0].Code != "InvalidArgument" {
			t.Errorf("DeleteObjects of version %q: %+v, %v", id, out, err)
		}
	}
	if got, err := get(t.Context(), c, victim, "object"); err != nil || got != "kept" {
		t.Errorf("the other bucket's object: %q, %v", got, err)
	}
}
