package objects_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The engine takes an upload's id for a part of a path. The front lets no such id through; this asks the engine
// itself, which must not be able to do harm either.
func TestTheEngineReachesNoOtherFiles(t *testing.T) {
	if _, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION); e != 0 {
		t.Skip("this kernel has no Landlock: ", e)
	}
	if cgo {
		t.Skip("a program built with cgo cannot fence all its threads")
	}
	e := start(t, tempDir(t))
	do(t, e, "PUT", "/bucket", "", 200)
	outside := tempDir(t)
	kept := filepath.Join(outside, "kept")
	if err := os.WriteFile(kept, []byte("kept"), 0o644); err != nil {
		t.Fatal(err)
	}
	id := url.QueryEscape(strings.Repeat("../", 20) + outside[1:])
	for _, r := range []struct{ method, query string }{{"GET", "uploadId=" + id}, {"PUT", "partNumber=1&uploadId=" + id}, {"DELETE", "uploadId=" + id}} {
		request, err := http.NewRequest(r.method, "http://objects/bucket/key?"+r.query, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if r.method != "PUT" {
			request.Body, request.ContentLength = nil, 0
		}
		response, err := e.Transport().RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode < 300 && r.method != "DELETE" || strings.Contains(string(body), "<Part>") {
			t.Errorf("%s: %s %s", r.method, response.Status, body)
		}
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside there is %v, %v; want only what was there", entries, err)
	}
}
