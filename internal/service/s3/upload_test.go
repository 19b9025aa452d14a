package s3_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
)

// boto3 waits for "100 Continue" and then sends everything, without listening meanwhile.
func TestWhoWasToldToContinueHearsTheRefusal(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("patience")
	r.put(b, "key", "first")
	const size = 600_000
	c := r.dial()
	for range 3 { // on the same connection
		fmt.Fprintf(c, "PUT /%s/key HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nExpect: 100-continue\r\nIf-None-Match: *\r\n"+
			"Authorization: AWS4-HMAC-SHA256 Credential=root/x,Signature=x\r\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\n\r\n", b, size)
		in := bufio.NewReader(c)
		line, err := in.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
			t.Fatalf("got %q, %v; want 100 Continue", line, err)
		}
		time.Sleep(20 * time.Millisecond) // the engine has refused by now
		if _, err := c.Write([]byte(strings.Repeat("x", size))); err != nil {
			t.Fatalf("send the body: %v", err)
		}
		if _, err := in.ReadString('\n'); err != nil { // the empty line after 100
			t.Fatal(err)
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Discard(int(res.ContentLength)); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusPreconditionFailed {
			t.Errorf("got %d, want 412", res.StatusCode)
		}
	}
}

// Without waiting for a body that nobody wants.
func TestWhoWaitsToBeToldToContinueIsRefusedAtOnce(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("refusal")
	for name, door := range map[string]string{"whole pipeline": r.Listener.Addr().String(), "service": r.credulous.Listener.Addr().String()} {
		c := r.dialTo(door)
		fmt.Fprintf(c, "PUT /%s/key HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n", b) // by nobody
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 403") {
			t.Errorf("%s: got %q, %v; want 403", name, line, err)
		}
	}
}

// dial opens a connection to the credulous door.
func (r *region) dial() *tls.Conn {
	r.t.Helper()
	return r.dialTo(r.credulous.Listener.Addr().String())
}

func (r *region) dialTo(address string) *tls.Conn {
	r.t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	return c
}

func TestBodiesThatCannotBeReadAreTheCallersFault(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("nonsense")
	// Without a code: the engine may find out first that the length is missing.
	for _, c := range []struct{ name, framing, body, code string }{
		{"size that is no number", "Transfer-Encoding: chunked", "zz\r\nhello\r\n0\r\n\r\n", ""},
		{"negative size", "Transfer-Encoding: chunked", "-5\r\nhello\r\n0\r\n\r\n", ""},
		{"endless size line", "Transfer-Encoding: chunked", "5;" + strings.Repeat("x", 100_000) + "\r\nhello\r\n0\r\n\r\n", ""},
		{"more than an object may have", "Content-Length: 6442450944", "", "EntityTooLarge"},
		{"negative length", "X-Amz-Decoded-Content-Length: -5\r\nContent-Length: 5", "hello", "InvalidArgument"},
		{"trailer without chunks", "X-Amz-Trailer: x-amz-checksum-crc32\r\nContent-Length: 5", "hello", "InvalidRequest"},
	} {
		conn := r.dial()
		fmt.Fprintf(conn, "PUT /%s/key HTTP/1.1\r\nHost: x\r\n%s\r\nConnection: close\r\n"+
			"Authorization: AWS4-HMAC-SHA256 Credential=root/x,Signature=x\r\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\n\r\n%s", b, c.framing, c.body)
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 4") || !strings.Contains(string(answer), "<Code>"+c.code) {
			t.Errorf("%s: got %s, %v; want a refusal, %s", c.name, answer, err, c.code)
		}
	}
	out, err := r.as("root").ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: &b})
	if err != nil || len(out.Contents) != 0 {
		t.Errorf("objects: got %v, %v; want none", out, err)
	}
}

// Who closes only the sending side still listens: what was not stored must not look stored.
func TestAnUploadThatEndsEarlyIsNotAnsweredWithSuccess(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("half")
	conn := r.dial()
	fmt.Fprintf(conn, "PUT /%s/key HTTP/1.1\r\nHost: x\r\nContent-Length: 2147483648\r\n"+
		"Authorization: AWS4-HMAC-SHA256 Credential=root/x,Signature=x\r\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\n\r\nx", b)
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(conn) // an error is as good: the connection was cut
	if strings.HasPrefix(string(answer), "HTTP/1.1 2") {
		t.Errorf("got %s; want no success", answer)
	}
	if _, err := r.as("root").HeadObject(t.Context(), &client.HeadObjectInput{Bucket: &b, Key: aws.String("key")}); code(err) != "NotFound" {
		t.Errorf("object: got %v, want none", err)
	}
}

func TestAMissingObjectIsNamed(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("named")
	status, _, answer := r.raw("GET", "/"+b+"/a%20key", "")
	if status != 404 || !strings.Contains(answer, "<Key>a key</Key>") {
		t.Errorf("got %d %s; want the key", status, answer)
	}
}
