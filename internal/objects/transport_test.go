package objects_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// The engine answers an upload in chunks before it has read the last frame around them.
func TestUploadsInChunksAreNotLostToTheEnginesHaste(t *testing.T) {
	e := start(t, tempDir(t))
	do(t, e, "PUT", "/bucket", "", 200)
	const chunked = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 40 {
				status, err := putChunks(t, e.Transport(), chunked)
				if err != nil || status != http.StatusOK {
					t.Errorf("got %d, %v; want 200", status, err)
					return
				}
			}
		})
	}
	all.Wait()
	if got := do(t, e, "GET", "/bucket/key", "", 200); got != "hello" {
		t.Errorf("got %q, want hello", got)
	}
}

// What the engine refuses it refuses at once, whatever is still to come.
func TestARefusalIsHeardWhileTheBodyIsBeingSent(t *testing.T) {
	e := start(t, tempDir(t))
	do(t, e, "PUT", "/bucket", "", 200)
	do(t, e, "PUT", "/bucket/key", "first", 200)
	for range 20 {
		r, err := http.NewRequestWithContext(t.Context(), "PUT", "http://x/bucket/key", strings.NewReader(strings.Repeat("x", 4<<20)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("If-None-Match", "*")
		res, err := e.Transport().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusPreconditionFailed {
			t.Fatalf("got %d, want 412", res.StatusCode)
		}
	}
}

func putChunks(t *testing.T, rt http.RoundTripper, body string) (int, error) {
	r, err := http.NewRequestWithContext(t.Context(), "PUT", "http://x/bucket/key", io.NopCloser(strings.NewReader(body)))
	if err != nil {
		return 0, err
	}
	r.ContentLength = -1
	r.Header.Set("Content-Encoding", "aws-chunked")
	r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
	r.Header.Set("X-Amz-Decoded-Content-Length", "5")
	r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
	res, err := rt.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}
