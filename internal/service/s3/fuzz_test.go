package s3

import (
	"io"
	"net/url"
	"path"
	"strings"
	"testing"
)

// What is authorised is what the engine gets: it decodes the path once and then cleans it.
func FuzzTheEngineSeesTheKeyThatWasChecked(f *testing.F) {
	for _, key := range []string{"a", "a/b/", "a/../b", "%2e%2e/x", "a%2Fb", "ü +", "a//b", "\\..\\x", "..", "a/.sgwtmp"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if key == "" || checkKey(key) != nil {
			return
		}
		escaped := enginePath("bucket", key)
		got, err := url.PathUnescape(escaped)
		if err != nil || got != "/bucket/"+key {
			t.Fatalf("%q: the engine decodes %q, %v", key, got, err)
		}
		if cleaned := path.Clean(got); cleaned != strings.TrimSuffix(got, "/") {
			t.Fatalf("%q: the engine would take %q", key, cleaned)
		}
		if u, err := url.Parse("http://objects" + escaped + "?x"); err != nil || u.EscapedPath() != escaped {
			t.Fatalf("%q: sent as %v, %v", key, u, err)
		}
		const version = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
		if from, err := parseSource(source{"bucket", key, version}.header()); err != nil || from.key != key || from.version != version {
			t.Fatalf("%q: a copy is made of %+v, %v", key, from, err)
		}
	})
}

func FuzzAddress(f *testing.F) {
	f.Add("b.s3.us-west-2.amazonaws.com:443", "/k")
	f.Add("bucket.vpce-1.s3.us-west-2.vpce.amazonaws.com", "/b/k")
	f.Add("123456789012.aws.test", "/v20180820/tags/x")
	f.Fuzz(func(t *testing.T, host, path string) {
		a, err := parseAddress(host, path, "us-west-2")
		if err != nil {
			return
		}
		if (a.level == levelBucket || a.level == levelObject) != (a.bucket != "") || (a.level == levelObject) != (a.key != "") {
			t.Errorf("%q %q: got %+v", host, path, a)
		}
	})
}

func FuzzSignedChunks(f *testing.F) {
	f.Add(exampleBody(), false)
	f.Add("4;chunk-signature="+exampleFirst+"\r\naaaa\r\n0;chunk-signature="+exampleEnd+"\r\n\r\n", false)
	f.Add("0;chunk-signature=x\r\nx-amz-trailer-signature:y\r\n", true)
	f.Fuzz(func(t *testing.T, body string, trailer bool) {
		got, err := io.ReadAll(exampleReader(body, trailer))
		if strings.HasSuffix(string(got), "0\r\n\r\n") && err == nil && !strings.HasPrefix(body, exampleBody()[:1000]) {
			t.Errorf("a body that nobody signed was passed on: %q", body)
		}
	})
}
