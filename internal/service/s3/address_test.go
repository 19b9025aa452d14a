package s3

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
)

func TestBucketAndKeyAreFoundInEveryFormOfAddress(t *testing.T) {
	bucket := func(b string) address { return address{level: levelBucket, bucket: b} }
	object := func(b, k string) address { return address{level: levelObject, bucket: b, key: k} }
	control := func(path string) address { return address{level: levelControl, path: path} }
	for _, row := range []struct {
		host, path string
		want       address
	}{
		{"s3.us-west-2.amazonaws.com", "/", address{}},
		{"s3.us-west-2.amazonaws.com", "", address{}},
		{"s3.us-west-2.amazonaws.com", "/b", bucket("b")},
		{"s3.us-west-2.amazonaws.com", "/b/", bucket("b")},
		{"s3.us-west-2.amazonaws.com:443", "/a.b/k/l", object("a.b", "k/l")},
		{"my-bucket.s3.us-west-2.amazonaws.com", "/k", object("my-bucket", "k")},
		{"my-bucket.s3.us-west-2.amazonaws.com", "/", bucket("my-bucket")},
		{"a.b.s3.us-west-2.amazonaws.com", "/k", object("a.b", "k")},
		{"x.s3.s3.us-west-2.amazonaws.com", "/k", object("x.s3", "k")},
		{"my-bucket.s3.amazonaws.com", "/k", object("my-bucket", "k")},
		{"s3.amazonaws.com", "/b/k", object("b", "k")},
		{"S3-US-WEST-2.amazonaws.com.", "/b/k", object("b", "k")},
		{"my-bucket.s3.dualstack.us-west-2.amazonaws.com", "/k", object("my-bucket", "k")},
		{"s3.dualstack.us-west-2.amazonaws.com", "/b/k", object("b", "k")},
		{"bucket.vpce-0123-abcdefgh.s3.us-west-2.vpce.amazonaws.com", "/b/k", object("b", "k")},
		{"bucket.vpce-0123-abcdefgh-us-west-2a.s3.us-west-2.vpce.amazonaws.com", "/b/k", object("b", "k")},
		{"my.bucket.bucket.vpce-0123-abcdefgh.s3.us-west-2.vpce.amazonaws.com", "/k", object("my.bucket", "k")},
		{"vpce-0123-abcdefgh.s3.us-west-2.vpce.amazonaws.com", "/b/k", object("b", "k")},
		{"control.vpce-0123-abcdefgh.s3.us-west-2.vpce.amazonaws.com", "/v20180820/tags/x", control("tags/x")},
		{"123456789012.s3-control.us-west-2.amazonaws.com", "/v20180820/tags/arn:aws:s3:::b", control("tags/arn:aws:s3:::b")},
		{"127.0.0.1:4566", "/b/k", object("b", "k")},
		{"[::1]:4566", "/b/k", object("b", "k")},
		{"localhost:4566", "/b/k", object("b", "k")},
		{"my-bucket.localhost:4566", "/k", object("my-bucket", "k")},
		{"my-bucket.aws.test", "/k", object("my-bucket", "k")},
		{"123456789012.127.0.0.1:4566", "/v20180820/tags/x", control("tags/x")},
		{"123456789012.aws.test", "/v20180820/tags/x", control("tags/x")},
		{"build-host", "/b/k", object("b", "k")},
	} {
		got, err := parseAddress(row.host, row.path, "us-west-2")
		if err != nil {
			t.Errorf("%s %s: %v", row.host, row.path, err)
		} else if diff := cmp.Diff(row.want, got, cmp.AllowUnexported(address{})); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", row.host, row.path, diff)
		}
	}
}

func TestAddressesThatAreNotServed(t *testing.T) {
	for _, row := range []struct{ host, path, code string }{
		{"s3.eu-west-1.amazonaws.com", "/b", "PermanentRedirect"},
		{"b.s3.eu-west-1.amazonaws.com", "/k", "PermanentRedirect"},
		{"bucket.vpce-0123-abcdefgh.s3.eu-west-1.vpce.amazonaws.com", "/b", "PermanentRedirect"},
		{"b.s3-website-us-west-2.amazonaws.com", "/", "NotImplemented"},
		{"ap-123456789012.s3-accesspoint.us-west-2.amazonaws.com", "/k", "NotImplemented"},
		{"accesspoint.vpce-0123-abcdefgh.s3.us-west-2.vpce.amazonaws.com", "/k", "NotImplemented"},
		{"s3-control.us-west-2.amazonaws.com", "/b", "NotImplemented"},
		{"s3.us-west-2.amazonaws.com", "//k", "InvalidBucketName"},
	} {
		_, err := parseAddress(row.host, row.path, "us-west-2")
		if e := api.AsError(err); e == nil || e.Code != row.code {
			t.Errorf("%s %s: got %v, want %s", row.host, row.path, err, row.code)
		}
	}
}

func TestKeysThatWouldNameAnotherObjectAreRefused(t *testing.T) {
	for _, key := range []string{
		"..", ".", "a/../b", "../b", "a/..", "a/.", "./a", "a//b", "/a", "a//", "/", "//", ".sgwtmp/multipart/x", "a/.sgwtmp", "a\x00b", "a\xffb",
		strings.Repeat("k", 1025),
	} {
		if err := checkKey(key); err == nil {
			t.Errorf("%q: got no error", key)
		}
	}
	for _, key := range []string{"a", "a/b", "a/", "...", "a/..b", ".a", "a.", "a/.b/..c", "ü", " ", strings.Repeat("k", 1024)} {
		if err := checkKey(key); err != nil {
			t.Errorf("%q: got %v", key, err)
		}
	}
}

func TestBucketNames(t *testing.T) {
	for _, name := range []string{"abc", "a.b-c", "0ab", strings.Repeat("a", 63)} {
		if !validBucketName(name) {
			t.Errorf("%q: got invalid", name)
		}
	}
	for _, name := range []string{"", "ab", "Abc", "-ab", "ab-", "a..b", "192.168.0.1", "a_b", "xn--abc", "abc-s3alias", "abc--x-s3", strings.Repeat("a", 64), "a/b"} {
		if validBucketName(name) {
			t.Errorf("%q: got valid", name)
		}
	}
}
