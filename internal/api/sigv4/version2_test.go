package sigv4

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// URLs as boto3 makes them at testTime, for ten minutes.
const (
	version2Path    = `https://s3.us-west-2.amazonaws.com/bkt/a%20b/%C3%BC%2Bc?versionId=null&response-content-disposition=attachment%3B%20filename%3D%22x%20y%22&AWSAccessKeyId=AKIDEXAMPLE&Signature=x20Kmn3Yfj9Mb23KMk76BFKgQ0Y%3D&Expires=1795489800`
	version2Virtual = `https://bkt.s3.us-west-2.amazonaws.com/key?AWSAccessKeyId=AKIDEXAMPLE&Signature=juCTa84LzVrMnMglK41PXBn1tUc%3D&Expires=1795489800`
	version2Session = `https://bkt.s3.us-west-2.amazonaws.com/key?AWSAccessKeyId=ASIAEXAMPLE&Signature=OVDQeTkq7s%2BoA1GuylP1E5jLVYQ%3D&content-type=text%2Fplain&x-amz-meta-a=b&x-amz-security-token=token%2Fwith%2Bodd%3Dcharacters&Expires=1795489800`
)

func verifyURL(t *testing.T, method, url string, now time.Time, change func(*http.Request)) (*Result, error) {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	change(r)
	return Verify(r, Options{
		Style: S3, Service: "s3", Regions: []string{"us-west-2"}, Keys: testKeys{}, Now: now,
		VirtualBucket: func(host string) string {
			bucket, _, _ := strings.Cut(strings.TrimSuffix(host, "s3.us-west-2.amazonaws.com"), ".")
			return bucket
		},
	})
}

func unchanged(*http.Request) {}

func TestURLsOfVersion2AreVerified(t *testing.T) {
	for _, c := range []struct{ method, url, key string }{
		{"GET", version2Path, testKey}, {"GET", version2Virtual, testKey}, {"PUT", version2Session, sessionKey},
		{"GET", version2Virtual + "&x-id=GetObject", testKey},
	} {
		got, err := verifyURL(t, c.method, c.url, testTime(), unchanged)
		if err != nil || got.AccessKeyID != c.key || !got.Presigned {
			t.Errorf("%s: got %+v, %v; want a presigned call by %s", c.url, got, err, c.key)
		}
	}
}

func TestURLsOfVersion2ThatWereChangedAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, method, url string
		now               time.Time
		change            func(*http.Request)
		want              string
	}{
		{"expired", "GET", version2Virtual, testTime().Add(601 * time.Second), unchanged, "Request has expired"},
		{"other method", "DELETE", version2Virtual, testTime(), unchanged, "does not match"},
		{"other key", "GET", strings.Replace(version2Virtual, "/key", "/kez", 1), testTime(), unchanged, "does not match"},
		{"other bucket", "GET", strings.Replace(version2Virtual, "//bkt", "//bkz", 1), testTime(), unchanged, "does not match"},
		{"bucket in the path taken for a key", "GET", strings.Replace(version2Path, "//s3", "//other.s3", 1), testTime(), unchanged, "does not match"},
		{"longer life", "GET", strings.Replace(version2Virtual, "Expires=1795489800", "Expires=1795489999", 1), testTime(), unchanged, "does not match"},
		{"other version", "GET", strings.Replace(version2Path, "versionId=null", "versionId=x", 1), testTime(), unchanged, "does not match"},
		{"what is signed if it is there", "GET", version2Virtual + "&acl", testTime(), unchanged, "does not match"},
		{"what it cannot sign", "GET", version2Virtual + "&attributes", testTime(), unchanged, "Please use AWS4-HMAC-SHA256"},
		{"a hidden name", "GET", version2Virtual + "&%61cl", testTime(), unchanged, "Please use AWS4-HMAC-SHA256"},
		{"a header", "PUT", version2Session, testTime(), func(r *http.Request) { r.Header.Set("X-Amz-Acl", "private") }, "does not match"},
		{"a header in the query", "PUT", version2Session + "&x-amz-acl=private", testTime(), unchanged, "does not match"},
		{"other type", "PUT", version2Session, testTime(), func(r *http.Request) { r.Header.Set("Content-Type", "text/html") }, "does not match"},
		{"no token", "PUT", strings.Replace(version2Session, "x-amz-security-token", "x-amz-nothing", 1), testTime(), unchanged, "token"},
		{"a line break", "GET", version2Virtual + "&content-type=a%0Ab", testTime(), unchanged, "line breaks"},
		{"no expiry", "GET", strings.Replace(version2Virtual, "Expires", "marker", 1), testTime(), unchanged, "requires the Signature"},
		{"no time", "GET", strings.Replace(version2Virtual, "Expires=", "Expires=x", 1), testTime(), unchanged, "seconds since epoch"},
		{"no signature", "GET", strings.Replace(version2Virtual, "Signature=", "Signature=x", 1), testTime(), unchanged, "does not match"},
	} {
		if _, err := verifyURL(t, c.method, c.url, c.now, c.change); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}
