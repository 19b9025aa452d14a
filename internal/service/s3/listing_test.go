package s3_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

func TestListing(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("listing")
	c := r.as("root")
	for _, key := range []string{"a", "b/1", "b/2", "c/d/3", "e"} {
		r.put(b, key, "x")
	}
	v2, err := c.ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: &b, Delimiter: aws.String("/"), MaxKeys: aws.Int32(3)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for page := v2; ; {
		for _, o := range page.Contents {
			got = append(got, *o.Key)
		}
		for _, p := range page.CommonPrefixes {
			got = append(got, *p.Prefix)
		}
		if !*page.IsTruncated {
			break
		}
		page, err = c.ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: &b, Delimiter: aws.String("/"), MaxKeys: aws.Int32(3), ContinuationToken: page.NextContinuationToken})
		if err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"a", "b/", "c/", "e"}, got); diff != "" {
		t.Errorf("version 2, with delimiter (-want +got):\n%s", diff)
	}
	v1, err := c.ListObjects(t.Context(), &client.ListObjectsInput{Bucket: &b, Prefix: aws.String("b/")})
	if err != nil || len(v1.Contents) != 2 || *v1.Contents[0].Key != "b/1" || *v1.Contents[0].Size != 1 {
		t.Errorf("version 1, with prefix: got %+v, %v", v1, err)
	}
}

func TestNamesInListingsAreEncodedOnRequest(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("encoded")
	r.put(b, "d ir/a+b ü", "x")
	for _, o := range []types.EncodingType{"", types.EncodingTypeUrl} {
		want := map[bool]string{true: "d ir/a+b ü", false: "d%20ir/a%2Bb%20%C3%BC"}[o == ""]
		v2, err := r.as("root").ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: &b, EncodingType: o, Prefix: aws.String("d ir/")})
		if err != nil || len(v2.Contents) != 1 || *v2.Contents[0].Key != want || v2.EncodingType != o || *v2.KeyCount != 1 {
			t.Errorf("%q: got %+v, %v; want %s", o, v2, err, want)
		}
		v1, err := r.as("root").ListObjects(t.Context(), &client.ListObjectsInput{Bucket: &b, EncodingType: o, Delimiter: aws.String("/")})
		if want, _, _ := strings.Cut(want, "/"); err != nil || len(v1.CommonPrefixes) != 1 || *v1.CommonPrefixes[0].Prefix != want+"/" {
			t.Errorf("version 1, %q: got %+v, %v; want %s/", o, v1, err, want)
		}
		versions, err := r.as("root").ListObjectVersions(t.Context(), &client.ListObjectVersionsInput{Bucket: &b, EncodingType: o})
		if err != nil || len(versions.Versions) != 1 || *versions.Versions[0].Key != want {
			t.Errorf("versions, %q: got %+v, %v; want %s", o, versions, err, want)
		}
	}
	if status, _, _ := r.raw("GET", "/encoded?encoding-type=base64", ""); status != 400 {
		t.Errorf("other encoding: got %d, want 400", status)
	}
}
