package s3_test

import (
	"context"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/state"
)

func TestBucketsComeAndGo(t *testing.T) {
	r := newRegion(t)
	c := r.as("root")
	for _, name := range []string{"one", "two", "three"} {
		r.bucket(name)
	}
	list, err := c.ListBuckets(t.Context(), &client.ListBucketsInput{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, b := range list.Buckets {
		names = append(names, *b.Name)
	}
	if diff := cmp.Diff([]string{"one", "three", "two"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	page, err := c.ListBuckets(t.Context(), &client.ListBucketsInput{MaxBuckets: aws.Int32(2)})
	if err != nil || len(page.Buckets) != 2 || page.ContinuationToken == nil {
		t.Fatalf("first page: got %+v, %v", page, err)
	}
	page, err = c.ListBuckets(t.Context(), &client.ListBucketsInput{MaxBuckets: aws.Int32(2), ContinuationToken: page.ContinuationToken})
	if err != nil || len(page.Buckets) != 1 || *page.Buckets[0].Name != "two" || page.ContinuationToken != nil {
		t.Errorf("second page: got %+v, %v", page, err)
	}

	head, err := c.HeadBucket(t.Context(), &client.HeadBucketInput{Bucket: aws.String("one")})
	if err != nil || *head.BucketRegion != regionName || *head.BucketArn != "arn:aws:s3:::one" {
		t.Errorf("head: got %+v, %v", head, err)
	}
	r.put("one", "k", "x")
	if _, err := c.DeleteBucket(t.Context(), &client.DeleteBucketInput{Bucket: aws.String("one")}); code(err) != "BucketNotEmpty" {
		t.Errorf("delete with an object: got %v", err)
	}
	if _, err := c.DeleteObject(t.Context(), &client.DeleteObjectInput{Bucket: aws.String("one"), Key: aws.String("k")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DeleteBucket(t.Context(), &client.DeleteBucketInput{Bucket: aws.String("one")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.HeadBucket(t.Context(), &client.HeadBucketInput{Bucket: aws.String("one")}); code(err) != "NotFound" {
		t.Errorf("head after deletion: got %v", err)
	}
	r.bucket("one")
	if _, err := c.DeleteObject(t.Context(), &client.DeleteObjectInput{Bucket: aws.String("one"), Key: aws.String("none")}); err != nil {
		t.Errorf("delete what is not there: %v", err)
	}
}

func TestCreateBucketRefuses(t *testing.T) {
	r := newRegion(t)
	r.bucket("taken")
	here := &types.CreateBucketConfiguration{LocationConstraint: regionName}
	for _, row := range []struct {
		in   client.CreateBucketInput
		want string
	}{
		{client.CreateBucketInput{Bucket: aws.String("taken"), CreateBucketConfiguration: here}, "BucketAlreadyOwnedByYou"},
		{client.CreateBucketInput{Bucket: aws.String("Upper"), CreateBucketConfiguration: here}, "InvalidBucketName"},
		{client.CreateBucketInput{Bucket: aws.String("nowhere")}, "IllegalLocationConstraintException"},
		{client.CreateBucketInput{Bucket: aws.String("elsewhere"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}}, "IllegalLocationConstraintException"},
		{client.CreateBucketInput{Bucket: aws.String("public"), CreateBucketConfiguration: here, ACL: "public-read"}, "InvalidBucketAclWithObjectOwnership"},
		{client.CreateBucketInput{Bucket: aws.String("locked"), CreateBucketConfiguration: here, ObjectLockEnabledForBucket: aws.Bool(true)}, "NotImplemented"},
		{client.CreateBucketInput{Bucket: aws.String("writer"), CreateBucketConfiguration: here, ObjectOwnership: "Nobody"}, "InvalidArgument"},
		{client.CreateBucketInput{Bucket: aws.String("writer"), CreateBucketConfiguration: here, ObjectOwnership: "ObjectWriter", ACL: "public-read"}, "InvalidBucketAclWithBlockPublicAccessError"},
	} {
		if _, err := r.as("root").CreateBucket(t.Context(), &row.in); code(err) != row.want {
			t.Errorf("%s: got %v, want %s", *row.in.Bucket, err, row.want)
		}
	}
	if status, _, body := r.raw("PUT", "/malformed", "<CreateBucketConfiguration>"); status != 400 || !strings.Contains(body, "<Code>MalformedXML</Code>") {
		t.Errorf("malformed: got %d %s", status, body)
	}
	if status, _, body := r.raw("PUT", "/taken?analytics&id=1", "<x/>"); status != 501 {
		t.Errorf("unknown subresource: got %d %s", status, body)
	}
}

func TestTagsOfABucketByEveryWay(t *testing.T) {
	r := newRegion(t)
	c := r.as("root")
	_, err := c.CreateBucket(t.Context(), &client.CreateBucketInput{Bucket: aws.String("tagged"), ACL: types.BucketCannedACLPrivate, CreateBucketConfiguration: &types.CreateBucketConfiguration{
		LocationConstraint: regionName, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	tags := func() map[string]string {
		t.Helper()
		out, err := c.GetBucketTagging(t.Context(), &client.GetBucketTaggingInput{Bucket: aws.String("tagged")})
		if code(err) == "NoSuchTagSet" {
			return nil
		} else if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, tag := range out.TagSet {
			got[*tag.Key] = *tag.Value
		}
		return got
	}
	want := func(w map[string]string) {
		t.Helper()
		if diff := cmp.Diff(w, tags()); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
	}
	want(map[string]string{"a": "1"})
	const path = "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Atagged"
	control := []string{"Host", account + ".s3-control.us-west-2.amazonaws.com", "X-Amz-Account-Id", account}
	if status, _, body := r.raw("POST", path, `<TagResourceRequest xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><Tags><Tag><Key>b</Key><Value>2</Value></Tag></Tags></TagResourceRequest>`, control...); status != 204 {
		t.Errorf("TagResource: got %d %s", status, body)
	}
	want(map[string]string{"a": "1", "b": "2"})
	if status, _, body := r.raw("GET", path, "", control...); status != 200 || !strings.Contains(body, "<Tags><Tag><Key>a</Key><Value>1</Value></Tag><Tag>") {
		t.Errorf("ListTagsForResource: got %d %s", status, body)
	}
	if status, _, body := r.raw("DELETE", path+"?tagKeys=a", "", control...); status != 204 {
		t.Errorf("UntagResource: got %d %s", status, body)
	}
	want(map[string]string{"b": "2"})
	_, err = c.PutBucketTagging(t.Context(), &client.PutBucketTaggingInput{Bucket: aws.String("tagged"), Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("1")}}}})
	if code(err) != "InvalidTag" {
		t.Errorf("system tag: got %v", err)
	}
	if _, err := c.DeleteBucketTagging(t.Context(), &client.DeleteBucketTaggingInput{Bucket: aws.String("tagged")}); err != nil {
		t.Error(err)
	}
	want(nil)
	if status, _, _ := r.raw("GET", "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Anone-such", "", control...); status != 404 {
		t.Errorf("tags of no bucket: got %d", status)
	}
}

func TestRealHostNames(t *testing.T) {
	r := newRegion(t)
	c := r.as("root", r.realNames)
	if _, err := c.CreateBucket(t.Context(), &client.CreateBucketInput{Bucket: aws.String("real"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: regionName}}); err != nil {
		t.Fatal(err)
	}
	const key = "dir/ü +%&"
	if _, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: aws.String("real"), Key: aws.String(key), Body: strings.NewReader("virtual")}); err != nil {
		t.Fatal(err)
	}
	endpoint := func(o *client.Options) {
		o.BaseEndpoint, o.UsePathStyle = aws.String("https://bucket.vpce-0123456789abcdef0-abcdefgh.s3.us-west-2.vpce.amazonaws.com"), true
	}
	dualstack := func(o *client.Options) { o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled }
	for name, c := range map[string]*client.Client{"virtual": c, "path": r.as("root"), "endpoint": r.as("root", r.realNames, endpoint), "dualstack": r.as("root", r.realNames, dualstack)} {
		if got, err := get(t.Context(), c, "real", key); got != "virtual" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestBucketsAndObjectsSurviveRestartAndCrash(t *testing.T) {
	dir := tempDir(t)
	store, err := state.Open(state.Config{Region: regionName, Account: account})
	if err != nil {
		t.Fatal(err)
	}
	r := newRegionIn(t, store, dir)
	b := r.bucket("durable")
	r.put(b, "k", "kept")
	r.Close()
	_ = r.engine.Close()

	r = newRegionIn(t, store, dir)
	if got, err := get(t.Context(), r.as("root"), b, "k"); got != "kept" {
		t.Errorf("after a restart: got %q, %v", got, err)
	}
	pid, _ := r.engine.Running()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	retrying := r.as("root", func(o *client.Options) { o.RetryMaxAttempts = 5 })
	if got, err := get(context.Background(), retrying, b, "k"); got != "kept" {
		t.Errorf("after a crash: got %q, %v", got, err)
	}
}
