package s3_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestChecksumsAreVerified(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("checksums")
	c := r.as("root")
	for _, a := range []types.ChecksumAlgorithm{types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmSha1, types.ChecksumAlgorithmSha256, types.ChecksumAlgorithmCrc64nvme} {
		out, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: &b, Key: aws.String(string(a)), Body: strings.NewReader("123456789"), ChecksumAlgorithm: a})
		if err != nil {
			t.Errorf("%s: %v", a, err)
		}
		if a == types.ChecksumAlgorithmCrc32c && *out.ChecksumCRC32C != "4waSgw==" {
			t.Errorf("%s: got %v", a, *out.ChecksumCRC32C)
		}
	}
	status, _, body := r.raw("PUT", "/"+b+"/wrong", "data", "X-Amz-Checksum-Crc32", "AAAAAA==")
	if status != 400 || !strings.Contains(body, "<Code>BadDigest</Code>") {
		t.Errorf("wrong checksum: got %d %s", status, body)
	}
	status, _, body = r.raw("PUT", "/"+b+"/wrong", "data", "X-Amz-Content-Sha256", strings.Repeat("0", 64))
	if status != 400 || !strings.Contains(body, "<Code>XAmzContentSHA256Mismatch</Code>") {
		t.Errorf("wrong payload hash: got %d %s", status, body)
	}
	if _, err := get(t.Context(), c, b, "wrong"); code(err) != "NoSuchKey" {
		t.Errorf("object with a wrong checksum: got %v, want none", err)
	}
}

// Older clients and AWS's Java SDK sign each chunk; the Go client never does, so the chunks are signed here.
func TestSignedChunksAreVerifiedAndStored(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("chunks")
	const content = "chunk content"
	put := func(key, sent string) (int, string) {
		in, err := http.NewRequest("PUT", r.URL+"/"+b+"/"+key, nil)
		if err != nil {
			t.Fatal(err)
		}
		in.Header.Set("Content-Encoding", "aws-chunked")
		in.Header.Set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
		in.Header.Set("X-Amz-Decoded-Content-Length", strconv.Itoa(len(content)))
		now := time.Now().UTC()
		signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
		err = signer.SignHTTP(t.Context(), aws.Credentials{AccessKeyID: "root", SecretAccessKey: secret}, in, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "s3", regionName, now)
		if err != nil {
			t.Fatal(err)
		}
		key1 := []byte("AWS4" + secret)
		scope := now.Format("20060102") + "/" + regionName + "/s3/aws4_request"
		for part := range strings.SplitSeq(scope, "/") {
			key1 = hmacOf(key1, part)
		}
		_, previous, _ := strings.Cut(in.Header.Get("Authorization"), "Signature=")
		var body strings.Builder
		for _, chunk := range []string{content, ""} {
			text := strings.Join([]string{"AWS4-HMAC-SHA256-PAYLOAD", in.Header.Get("X-Amz-Date"), scope, previous, hexHash(""), hexHash(chunk)}, "\n")
			previous = hex.EncodeToString(hmacOf(key1, text))
			if chunk != "" {
				chunk = sent
			}
			fmt.Fprintf(&body, "%x;chunk-signature=%s\r\n%s\r\n", len(chunk), previous, chunk)
		}
		in.Body, in.ContentLength = io.NopCloser(strings.NewReader(body.String())), int64(body.Len())
		res, err := r.Client().Do(in)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		answer, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(answer)
	}
	if status, answer := put("good", content); status != 200 {
		t.Errorf("as signed: got %d %s", status, answer)
	}
	got, err := r.as("root").GetObject(t.Context(), &client.GetObjectInput{Bucket: &b, Key: aws.String("good")})
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := io.ReadAll(got.Body); string(data) != content || got.ContentEncoding != nil {
		t.Errorf("as signed: got %q, coding %v", data, got.ContentEncoding)
	}
	if status, answer := put("bad", "Chunk content"); status != 403 || !strings.Contains(answer, "<Code>SignatureDoesNotMatch</Code>") {
		t.Errorf("not as signed: got %d %s", status, answer)
	}
	if _, err := get(t.Context(), r.as("root"), b, "bad"); code(err) != "NoSuchKey" {
		t.Errorf("not as signed: got %v, want nothing stored", err)
	}
}

func hmacOf(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func hexHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestPresignedURLs(t *testing.T) {
	r := newRegion(t)
	b, key := r.bucket("presigned"), aws.String("k e+y")
	p := client.NewPresignClient(r.as("root"))
	put, err := p.PresignPutObject(t.Context(), &client.PutObjectInput{Bucket: &b, Key: key, Metadata: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	send := func(method, url, body string, h http.Header) (*http.Response, string) {
		in, err := http.NewRequest(method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		in.Header = h
		res, err := r.Client().Do(in)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		got, _ := io.ReadAll(res.Body)
		return res, string(got)
	}
	if res, body := send("PUT", put.URL, "presigned content", put.SignedHeader); res.StatusCode != 200 {
		t.Fatalf("put: got %d %s", res.StatusCode, body)
	}
	g, err := p.PresignGetObject(t.Context(), &client.GetObjectInput{Bucket: &b, Key: key, ResponseContentType: aws.String("text/x")})
	if err != nil {
		t.Fatal(err)
	}
	res, body := send("GET", g.URL, "", nil)
	if body != "presigned content" || res.Header.Get("Content-Type") != "text/x" || res.Header.Get("X-Amz-Meta-A") != "b" {
		t.Errorf("get: got %d %q %v", res.StatusCode, body, res.Header)
	}
}

// What boto3 sends over HTTPS: chunks without signatures in a body without a length, and the checksum at the end.
func TestUnsignedChunksWithATrailer(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("trailer")
	put := func(key, checksum string) (int, string) {
		body := "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + checksum + "\r\n\r\n"
		in, err := http.NewRequest("PUT", r.credulous.URL+"/"+b+"/"+key, io.MultiReader(strings.NewReader(body))) // of unknown length
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Authorization": "AWS4-HMAC-SHA256 Credential=root/x", "X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
			"X-Amz-Trailer": "x-amz-checksum-crc32", "X-Amz-Decoded-Content-Length": "5", "Content-Encoding": "gzip, aws-chunked", "Expect": "100-continue",
		} {
			in.Header.Set(name, value)
		}
		res, err := r.credulous.Client().Do(in)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		answer, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(answer)
	}
	if status, answer := put("good", "NhCmhg=="); status != 200 {
		t.Errorf("got %d %s", status, answer)
	}
	got, err := r.as("root").GetObject(t.Context(), &client.GetObjectInput{Bucket: &b, Key: aws.String("good"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := io.ReadAll(got.Body); string(data) != "hello" || *got.ContentEncoding != "gzip" || *got.ChecksumCRC32 != "NhCmhg==" {
		t.Errorf("got %q, coding %v, checksum %v", data, *got.ContentEncoding, *got.ChecksumCRC32)
	}
	if status, answer := put("bad", "AAAAAA=="); status != 400 || !strings.Contains(answer, "<Code>BadDigest</Code>") {
		t.Errorf("other checksum: got %d %s", status, answer)
	}
}

func TestNothingIsSaidTwice(t *testing.T) {
	r := newRegion(t)
	r.bucket("twice")
	for _, query := range []string{"list-type=2&prefix=a&prefix=b", "prefix=a&prefix=b", "versions&versions"} {
		if status, _, body := r.raw("GET", "/twice?"+query, ""); status != 400 {
			t.Errorf("?%s: got %d %s, want 400", query, status, body)
		}
	}
	in, err := http.NewRequest("PUT", r.credulous.URL+"/twice/k", nil)
	if err != nil {
		t.Fatal(err)
	}
	in.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=root/x")
	in.Header["X-Amz-Tagging"] = []string{"a=1", "b=2"}
	res, err := r.credulous.Client().Do(in)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 400 {
		t.Errorf("header: got %d, want 400", res.StatusCode)
	}
	if status, _, _ := r.raw("GET", "/twice/k?versionId=", ""); status != 400 {
		t.Errorf("empty version: got %d, want 400", status)
	}
}

func TestWhatFollowsTheLastChunkIsNoRequest(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("smuggled")
	r.put(b, "k", "content")
	for range 20 {
		body := "5\r\nhello\r\n0\r\n\r\nGET /smuggled/none HTTP/1.1\r\nHost: objects\r\n\r\n"
		status, _, answer := r.raw("PUT", "/smuggled/chunked", body, "X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length", "5")
		if status != 200 && status != 400 {
			t.Errorf("put: got %d %s", status, answer)
		}
		if got, err := get(t.Context(), r.as("root"), b, "k"); got != "content" {
			t.Fatalf("next request: got %q, %v", got, err)
		}
	}
}
