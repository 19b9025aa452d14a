package s3

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/api"
)

// The example of the S3 API reference, "Signature Calculations for the Authorization Header: Transferring Payload
// in Multiple Chunks".
const (
	exampleSeed  = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
	exampleFirst = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"
	exampleLast  = "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"
	exampleEnd   = "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"
)

func exampleReader(body string, trailer bool) *chunkReader {
	key := []byte("AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	for _, part := range []string{"20130524", "us-east-1", "s3", "aws4_request"} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return &chunkReader{
		body: bufio.NewReader(strings.NewReader(body)), key: key, date: "20130524T000000Z",
		scope: "20130524/us-east-1/s3/aws4_request", previous: exampleSeed, trailer: trailer,
	}
}

func exampleBody() string {
	return "10000;chunk-signature=" + exampleFirst + "\r\n" + strings.Repeat("a", 65536) + "\r\n" +
		"400;chunk-signature=" + exampleLast + "\r\n" + strings.Repeat("a", 1024) + "\r\n" +
		"0;chunk-signature=" + exampleEnd + "\r\n\r\n"
}

func TestSignedChunksArePassedOnUnsigned(t *testing.T) {
	got, err := io.ReadAll(exampleReader(exampleBody(), false))
	if err != nil {
		t.Fatal(err)
	}
	want := "10000\r\n" + strings.Repeat("a", 65536) + "\r\n400\r\n" + strings.Repeat("a", 1024) + "\r\n0\r\n\r\n"
	if string(got) != want {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
}

func TestAChunkThatIsNotAsSignedEndsTheBody(t *testing.T) {
	body := exampleBody()
	for name, row := range map[string]struct{ body, code string }{
		"other byte":            {strings.Replace(body, "aaaa", "aaab", 1), "SignatureDoesNotMatch"},
		"other signature":       {strings.Replace(body, exampleLast, exampleFirst, 1), "SignatureDoesNotMatch"},
		"other end":             {strings.Replace(body, exampleEnd, exampleFirst, 1), "SignatureDoesNotMatch"},
		"chunk left out":        {body[strings.Index(body, "400;"):], "SignatureDoesNotMatch"},
		"end left out":          {body[:strings.Index(body, "0;chunk-signature="+exampleEnd)], "IncompleteBody"},
		"cut":                   {body[:1000], "IncompleteBody"},
		"no signature":          {"10000\r\n", "IncompleteBody"},
		"negative":              {"-1;chunk-signature=x\r\n", "IncompleteBody"},
		"head without an end":   {strings.Repeat("1", 100000), "IncompleteBody"},
		"longer than announced": {strings.Replace(body, "aaaa", "aaaaa", 1), "IncompleteBody"},
	} {
		got, err := io.ReadAll(exampleReader(row.body, false))
		e := api.AsError(err)
		if e == nil || e.Code != row.code {
			t.Errorf("%s: got %v, want %s", name, err, row.code)
		}
		if strings.HasSuffix(string(got), "0\r\n\r\n") {
			t.Errorf("%s: the end was passed on", name)
		}
	}
}

func TestASignedTrailerIsVerified(t *testing.T) {
	// No example is published: the chain is signed here.
	body := func(checksum, signature string) string {
		return "0;chunk-signature=" + signatureOf(t, "AWS4-HMAC-SHA256-PAYLOAD", exampleSeed, hashOf("")+"\n"+hashOf("")) +
			"\r\nx-amz-checksum-crc32:" + checksum + "\n\r\nx-amz-trailer-signature:" + signature + "\r\n\r\n"
	}
	end := signatureOf(t, "AWS4-HMAC-SHA256-PAYLOAD", exampleSeed, hashOf("")+"\n"+hashOf(""))
	good := signatureOf(t, "AWS4-HMAC-SHA256-TRAILER", end, hashOf("x-amz-checksum-crc32:AAAAAA==\n"))
	got, err := io.ReadAll(exampleReader(body("AAAAAA==", good), true))
	if want := "0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	for name, b := range map[string]string{
		"other checksum":  body("BBBBBB==", good),
		"other signature": body("AAAAAA==", end),
		"no signature":    strings.Replace(body("AAAAAA==", good), "x-amz-trailer-signature", "x", 1),
	} {
		got, err := io.ReadAll(exampleReader(b, true))
		if err == nil || len(got) > 0 {
			t.Errorf("%s: got %q, %v; want an error", name, got, err)
		}
	}
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// signatureOf signs one link of the example's chain.
func signatureOf(t *testing.T, algorithm, previous, rest string) string {
	t.Helper()
	c := exampleReader("", false)
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte(strings.Join([]string{algorithm, c.date, c.scope, previous, rest}, "\n")))
	return hex.EncodeToString(mac.Sum(nil))
}
