package s3_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// boto3 waits for "100 Continue" and then sends everything, without listening meanwhile.
func TestWhoWasToldToContinueHearsTheRefusal(t *testing.T) {
	r := newRegion(t)
	b := r.bucket("patience")
	r.put(b, "key", "first")
	const size = 600_000
	c, err := tls.Dial("tcp", r.credulous.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
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
