package s3_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

func TestAnObjectComesBackAsItWasPut(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("objects")
	c := r.as("root")
	keys := []string{"a", "dir/a b+c%&'()*~!@#$=;,?", "ünï/日本語", "plus+sign", "per%25cent", "public/%2e%2e/x", "a%2Fb", "q?x=y", "UPPER/lower", "trailing ", "..a/b..", ".hidden", "x/"}
	for _, key := range keys {
		body := "body of " + key
		if strings.HasSuffix(key, "/") {
			body = "" // a folder
		}
		put, err := c.PutObject(t.Context(), &client.PutObjectInput{
			Bucket: &b, Key: aws.String(key), Body: strings.NewReader(body), Metadata: map[string]string{"colour": "blue"},
			ContentType: aws.String("text/plain"), CacheControl: aws.String("no-store"), ServerSideEncryption: types.ServerSideEncryptionAes256,
		})
		if err != nil {
			t.Errorf("put %q: %v", key, err)
			continue
		}
		got, err := c.GetObject(t.Context(), &client.GetObjectInput{Bucket: &b, Key: aws.String(key), ChecksumMode: types.ChecksumModeEnabled})
		if err != nil {
			t.Errorf("get %q: %v", key, err)
			continue
		}
		data, err := io.ReadAll(got.Body)
		if err != nil || string(data) != body {
			t.Errorf("get %q: got %q, %v", key, data, err)
		}
		if *got.ETag != *put.ETag || got.Metadata["colour"] != "blue" ||
			got.ServerSideEncryption != "AES256" || put.ServerSideEncryption != "AES256" {
			t.Errorf("get %q: got %+v, put %+v", key, got, put)
		}
		if body == "" {
			continue // the engine keeps less of a folder
		}
		if *got.ContentType != "text/plain" || *got.CacheControl != "no-store" || got.ChecksumCRC32 == nil || *got.ChecksumCRC32 != *put.ChecksumCRC32 || got.ContentEncoding != nil {
			t.Errorf("get %q: got %+v, put %+v", key, got, put)
		}
	}
	list, err := c.ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: &b})
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, o := range list.Contents {
		listed = append(listed, *o.Key)
	}
	slices.Sort(keys)
	if diff := cmp.Diff(keys, listed); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

func TestLargeObjectsAndRanges(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("large")
	c := r.as("root")
	data := make([]byte, 12<<20)
	_, _ = rand.Read(data)
	if _, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: &b, Key: aws.String("k"), Body: bytes.NewReader(data)}); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		ranges   string
		from, to int
	}{{"", 0, len(data)}, {"bytes=0-9", 0, 10}, {"bytes=1000000-2000000", 1000000, 2000001}, {"bytes=-5", len(data) - 5, len(data)}} {
		in := &client.GetObjectInput{Bucket: &b, Key: aws.String("k")}
		if row.ranges != "" {
			in.Range = &row.ranges
		}
		out, err := c.GetObject(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(out.Body)
		if err != nil || !bytes.Equal(got, data[row.from:row.to]) {
			t.Errorf("range %q: got %d bytes, %v; want %d", row.ranges, len(got), err, row.to-row.from)
		}
	}
	_, err := c.GetObject(t.Context(), &client.GetObjectInput{Bucket: &b, Key: aws.String("k"), Range: aws.String("bytes=99999999-")})
	if code(err) != "InvalidRange" {
		t.Errorf("range after the end: got %v", err)
	}
}

func TestConditionalRequests(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("conditions")
	c := r.as("root")
	put, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: &b, Key: aws.String("k"), Body: strings.NewReader("1"), IfNoneMatch: aws.String("*")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.PutObject(t.Context(), &client.PutObjectInput{Bucket: &b, Key: aws.String("k"), Body: strings.NewReader("2"), IfNoneMatch: aws.String("*")})
	if code(err) != "PreconditionFailed" {
		t.Errorf("second creation: got %v", err)
	}
	_, err = c.GetObject(t.Context(), &client.GetObjectInput{Bucket: &b, Key: aws.String("k"), IfNoneMatch: put.ETag})
	if code(err) != "NotModified" {
		t.Errorf("unchanged: got %v", err)
	}
	_, err = c.GetObject(t.Context(), &client.GetObjectInput{Bucket: &b, Key: aws.String("k"), IfMatch: aws.String(`"x"`)})
	if code(err) != "PreconditionFailed" {
		t.Errorf("other etag: got %v", err)
	}
	if got, err := get(t.Context(), c, b, "k"); got != "1" || err != nil {
		t.Errorf("got %q, %v; want 1", got, err)
	}
}

func TestMultipartUpload(t *testing.T) {
	r := newRegion(t)
	b, key := r.bucket("multipart"), aws.String("big/one")
	c := r.as("root")
	up, err := c.CreateMultipartUpload(t.Context(), &client.CreateMultipartUploadInput{Bucket: &b, Key: key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
	if err != nil {
		t.Fatal(err)
	}
	var parts []types.CompletedPart
	var want []byte
	for n := int32(1); n <= 2; n++ {
		data := bytes.Repeat([]byte{byte(n)}, 5<<20)
		want = append(want, data...)
		part, err := c.UploadPart(t.Context(), &client.UploadPartInput{Bucket: &b, Key: key, UploadId: up.UploadId, PartNumber: &n, Body: bytes.NewReader(data), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(n), ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32})
	}
	uploads, err := c.ListMultipartUploads(t.Context(), &client.ListMultipartUploadsInput{Bucket: &b})
	if err != nil || len(uploads.Uploads) != 1 {
		t.Errorf("uploads: got %+v, %v; want one", uploads, err)
	}
	listed, err := c.ListParts(t.Context(), &client.ListPartsInput{Bucket: &b, Key: key, UploadId: up.UploadId})
	if err != nil || len(listed.Parts) != 2 {
		t.Errorf("parts: got %+v, %v; want two", listed, err)
	}
	done, err := c.CompleteMultipartUpload(t.Context(), &client.CompleteMultipartUploadInput{
		Bucket: &b, Key: key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(*done.ETag, `-2"`) {
		t.Errorf("etag: got %s, want one of two parts", *done.ETag)
	}
	if got, err := get(t.Context(), c, b, *key); err != nil || got != string(want) {
		t.Errorf("got %d bytes, %v; want %d", len(got), err, len(want))
	}
	again, err := c.CreateMultipartUpload(t.Context(), &client.CreateMultipartUploadInput{Bucket: &b, Key: aws.String("copy")})
	if err != nil {
		t.Fatal(err)
	}
	part, err := c.UploadPartCopy(t.Context(), &client.UploadPartCopyInput{
		Bucket: &b, Key: aws.String("copy"), UploadId: again.UploadId, PartNumber: aws.Int32(1), CopySource: aws.String(b + "/big/one"), CopySourceRange: aws.String("bytes=0-9"),
	})
	if err != nil || part.CopyPartResult == nil || part.CopyPartResult.ETag == nil {
		t.Errorf("copy a part: got %+v, %v", part, err)
	}
	_, err = c.AbortMultipartUpload(t.Context(), &client.AbortMultipartUploadInput{Bucket: &b, Key: key, UploadId: up.UploadId})
	if code(err) != "NoSuchUpload" {
		t.Errorf("abort after the end: got %v, want NoSuchUpload", err)
	}
}

func TestCopy(t *testing.T) {
	r := newRegion(t)
	from, to := r.bucket("copy-from"), r.bucket("copy-to")
	r.put(from, "dir/a b+ü", "content")
	c := r.as("root")
	if _, err := c.CopyObject(t.Context(), &client.CopyObjectInput{Bucket: &to, Key: aws.String("copy"), CopySource: aws.String(from + "/dir/a%20b%2B%C3%BC")}); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t.Context(), c, to, "copy"); got != "content" || err != nil {
		t.Errorf("got %q, %v; want content", got, err)
	}
	for source, want := range map[string]string{
		"nowhere-there/k": "NoSuchBucket", from + "/none": "NoSuchKey", from + "/x/../dir/a": "InvalidArgument", "nokey": "InvalidArgument",
	} {
		_, err := c.CopyObject(t.Context(), &client.CopyObjectInput{Bucket: &to, Key: aws.String("copy2"), CopySource: &source})
		if code(err) != want {
			t.Errorf("copy of %s: got %v, want %s", source, err, want)
		}
	}
}

func TestObjectTags(t *testing.T) {
	r := newRegion(t)
	b, key := r.bucket("tags"), aws.String("k")
	c := r.as("root")
	if _, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: &b, Key: key, Tagging: aws.String("a=1")}); err != nil {
		t.Fatal(err)
	}
	_, err := c.PutObjectTagging(t.Context(), &client.PutObjectTaggingInput{Bucket: &b, Key: key, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.GetObjectTagging(t.Context(), &client.GetObjectTaggingInput{Bucket: &b, Key: key})
	if err != nil || len(got.TagSet) != 1 || *got.TagSet[0].Key != "b" {
		t.Errorf("got %+v, %v; want b=2", got, err)
	}
	if _, err := c.DeleteObjectTagging(t.Context(), &client.DeleteObjectTaggingInput{Bucket: &b, Key: key}); err != nil {
		t.Error(err)
	}
}

func TestVersioning(t *testing.T) {
	r := newRegion(t)
	b, key := r.bucket("versioning"), aws.String("k")
	c := r.as("root")
	_, err := c.PutBucketVersioning(t.Context(), &client.PutBucketVersioningInput{Bucket: &b, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	if err != nil {
		t.Fatal(err)
	}
	first, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: &b, Key: key, Body: strings.NewReader("1")})
	if err != nil || first.VersionId == nil {
		t.Fatalf("got %+v, %v; want a version", first, err)
	}
	r.put(b, "k", "2")
	gone, err := c.DeleteObject(t.Context(), &client.DeleteObjectInput{Bucket: &b, Key: key})
	if err != nil || gone.DeleteMarker == nil || !*gone.DeleteMarker {
		t.Fatalf("got %+v, %v; want a delete marker", gone, err)
	}
	if _, err := get(t.Context(), c, b, "k"); code(err) != "NoSuchKey" {
		t.Errorf("deleted object: got %v", err)
	}
	old, err := c.GetObject(t.Context(), &client.GetObjectInput{Bucket: &b, Key: key, VersionId: first.VersionId})
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := io.ReadAll(old.Body); string(data) != "1" {
		t.Errorf("first version: got %q", data)
	}
	list, err := c.ListObjectVersions(t.Context(), &client.ListObjectVersionsInput{Bucket: &b})
	if err != nil || len(list.Versions) != 2 || len(list.DeleteMarkers) != 1 {
		t.Errorf("versions: got %+v, %v; want two and a delete marker", list, err)
	}
	if _, err := c.DeleteBucket(t.Context(), &client.DeleteBucketInput{Bucket: &b}); code(err) != "BucketNotEmpty" {
		t.Errorf("delete bucket with versions: got %v, want BucketNotEmpty", err)
	}
	var all []types.ObjectIdentifier
	for _, v := range list.Versions {
		all = append(all, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
	}
	for _, m := range list.DeleteMarkers {
		all = append(all, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
	}
	if _, err := c.DeleteObjects(t.Context(), &client.DeleteObjectsInput{Bucket: &b, Delete: &types.Delete{Objects: all}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DeleteBucket(t.Context(), &client.DeleteBucketInput{Bucket: &b}); err != nil {
		t.Errorf("delete empty bucket: %v", err)
	}
}

func TestDeleteObjectsAnswersForEachKey(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("deletes")
	for _, key := range []string{"mine/1", "mine/2", "theirs"} {
		r.put(b, key, "x")
	}
	r.allow("worker", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::deletes/mine/*"}}`)
	var objects []types.ObjectIdentifier
	for _, key := range []string{"mine/1", "theirs", "mine/../theirs", "mine/none"} {
		objects = append(objects, types.ObjectIdentifier{Key: &key})
	}
	out, err := r.as("worker").DeleteObjects(t.Context(), &client.DeleteObjectsInput{Bucket: &b, Delete: &types.Delete{Objects: objects}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range out.Deleted {
		got[*d.Key] = "deleted"
	}
	for _, e := range out.Errors {
		got[*e.Key] = *e.Code
	}
	want := map[string]string{"mine/1": "deleted", "mine/none": "deleted", "theirs": "AccessDenied", "mine/../theirs": "InvalidArgument"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	list, err := r.as("root").ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: &b})
	if err != nil || len(list.Contents) != 2 {
		t.Errorf("left: got %+v, %v; want mine/2 and theirs", list.Contents, err)
	}
}

func TestWhatIsNotSaidOfAnObject(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("defaults")
	if status, _, body := r.raw("PUT", "/defaults/k", "content"); status != 200 { // the Go client would say a type
		t.Fatal(body)
	}
	head, err := r.as("root").HeadObject(t.Context(), &client.HeadObjectInput{Bucket: &b, Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	if *head.ContentType != "binary/octet-stream" || *head.ContentLength != 7 || head.StorageClass != "" || head.ServerSideEncryption != "AES256" || head.VersionId != nil {
		t.Errorf("got %+v", head)
	}
	attributes, err := r.as("root").GetObjectAttributes(t.Context(), &client.GetObjectAttributesInput{Bucket: &b, Key: aws.String("k"), ObjectAttributes: []types.ObjectAttributes{
		types.ObjectAttributesEtag, types.ObjectAttributesObjectSize, types.ObjectAttributesStorageClass,
	}})
	if err != nil || *attributes.ObjectSize != 7 || attributes.StorageClass != "STANDARD" || !attributes.LastModified.Equal(*head.LastModified) || `"`+*attributes.ETag+`"` != *head.ETag {
		t.Errorf("attributes: got %+v, %v", attributes, err)
	}
}

func TestFoldersGoWithWhatIsInThem(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("folders")
	c := r.as("root")
	var all []types.ObjectIdentifier
	for _, key := range []string{"f/", "f/g/", "f/g/x", "f/y"} {
		body := key
		if strings.HasSuffix(key, "/") {
			body = ""
		}
		r.put(b, key, body)
		all = append(all, types.ObjectIdentifier{Key: &key})
	}
	out, err := c.DeleteObjects(t.Context(), &client.DeleteObjectsInput{Bucket: &b, Delete: &types.Delete{Objects: all}})
	if err != nil || len(out.Errors) > 0 || len(out.Deleted) != 4 {
		t.Errorf("got %+v, %v; want four deleted", out, err)
	}
	r.put(b, "h/x", "x")
	if _, err := c.DeleteObject(t.Context(), &client.DeleteObjectInput{Bucket: &b, Key: aws.String("h/")}); err != nil {
		t.Errorf("delete a folder that is no object: %v", err)
	}
	if got, err := get(t.Context(), c, b, "h/x"); got != "x" {
		t.Errorf("got %q, %v", got, err)
	}
}
