package objects_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/objects"
)

func TestMain(m *testing.M) {
	if objects.IsChild() {
		objects.ChildMain()
	}
	os.Exit(launch.Tests(m.Run))
}

func TestObjectsSurviveTheEndOfTheEngine(t *testing.T) {
	dir := tempDir(t)
	e := start(t, dir)
	do(t, e, "PUT", "/bucket", "", 200)
	do(t, e, "PUT", "/bucket/a%20key", "first", 200)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = start(t, dir)
	if got := do(t, e, "GET", "/bucket/a%20key", "", 200); got != "first" {
		t.Errorf("after a restart: got %q, want %q", got, "first")
	}
}

func TestACrashedChildIsStartedAgain(t *testing.T) {
	e := start(t, tempDir(t))
	do(t, e, "PUT", "/bucket", "", 200)
	do(t, e, "PUT", "/bucket/key", "kept", 200)
	for range 2 {
		pid, ok := e.Running()
		if !ok {
			t.Fatal("not running")
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		waitFor(t, func() bool { now, _ := e.Running(); return now != pid })
		// Not running yet, perhaps; a request waits for it.
		if got := do(t, e, "GET", "/bucket/key", "", 200); got != "kept" {
			t.Errorf("after a crash: got %q, want %q", got, "kept")
		}
	}
}

func TestARequestInTheMomentOfACrashIsAnswered(t *testing.T) {
	e := start(t, tempDir(t))
	do(t, e, "PUT", "/bucket", "", 200)
	do(t, e, "PUT", "/bucket/key", "kept", 200)
	for range 3 {
		pid, ok := e.Running()
		if !ok {
			t.Fatal("not running")
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if got := do(t, e, "GET", "/bucket/key", "", 200); got != "kept" {
			t.Errorf("got %q, want %q", got, "kept")
		}
		waitFor(t, func() bool { now, ok := e.Running(); return ok && now != pid })
	}
}

func TestTheChildHasNoNetworkAndNoPower(t *testing.T) {
	e := start(t, tempDir(t))
	pid, _ := e.Running()
	links, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", pid))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(links), ":"); n != 1 || !strings.Contains(string(links), "lo:") {
		t.Errorf("links of the child: got\n%s\nwant lo only", links)
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil || bytes.Contains(environ, []byte("PATH")) {
		t.Errorf("environment of the child: got %q, %v; want nothing of ours", environ, err)
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, thread.Name()))
		if err != nil {
			continue // ended meanwhile
		}
		if !bytes.Contains(status, []byte("NoNewPrivs:\t1")) || !bytes.Contains(status, []byte("CapEff:\t000000000000000a")) {
			t.Errorf("thread %s: got\n%s\nwant no new privileges and two capabilities", thread.Name(), status)
		}
	}
}

func TestOnlyTheEnginesOwnKeyOpensIt(t *testing.T) {
	dir := tempDir(t)
	e := start(t, dir)
	do(t, e, "PUT", "/bucket", "", 200)
	info, err := os.Stat(dir + "/run/objects.sock")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: got %v, %v; want mode 0600", info, err)
	}
	// Who gets to the socket nevertheless, but has another key.
	stranger := start(t, tempDir(t)).Transport()
	own := dir + "/run/objects.sock"
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://x/bucket", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := objects.Redial(stranger, own).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("another key: got %d, want 403", res.StatusCode)
	}
}

func TestADirectoryThatIsNotAbsoluteIsRefused(t *testing.T) {
	if _, err := objects.Start(t.Context(), objects.Config{Dir: "relative"}); err == nil {
		t.Error("got no error")
	}
}

func TestAnEngineThatCannotStartSaysSo(t *testing.T) {
	dir := tempDir(t)
	if err := os.WriteFile(dir+"/objects", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := objects.Start(t.Context(), objects.Config{Dir: dir, Region: "us-west-2", Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want an error with the directory", err)
	}
}

func start(t *testing.T, dir string) *objects.Engine {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	e, err := objects.Start(context.Background(), objects.Config{Dir: dir, Region: "us-west-2", Owner: "owner", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func do(t *testing.T, e *objects.Engine, method, path, body string, want int) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://x"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := e.Transport().RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != want {
		t.Fatalf("%s %s: got %d %s, want %d", method, path, res.StatusCode, got, want)
	}
	return string(got)
}

func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "objects")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited too long")
		}
	}
}
