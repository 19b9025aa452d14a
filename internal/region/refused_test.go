package region_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/operator"
)

// try starts the program, uses it and ends it once it is ready, and returns what it said. A shell prepares first.
func try(t *testing.T, preparation string, use func(*operator.Client), arguments ...string) (said string, ready bool) {
	t.Helper()
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", append([]string{"-c", preparation + `exec "$0" "$@"`, self, "up", "--listen", "127.0.0.1:0"}, arguments...)...)
	cmd.Env = append(launch.Environ(), asProgram+"=1")
	out := watched{found: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-out.found:
		use(&operator.Client{Endpoint: out.url, Region: "us-west-2"})
		_ = cmd.Process.Signal(os.Interrupt)
		ready = true
	case <-time.After(30 * time.Second):
		t.Errorf("it neither starts nor ends")
	}
	time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	<-ended
	if strings.Contains(out.said.String(), "goroutine ") {
		t.Errorf("it panicked: %s", out.said.String())
	}
	return out.said.String(), ready
}

// watched notes when a region says that it is ready.
type watched struct {
	said  strings.Builder
	url   string
	found chan struct{}
}

func (w *watched) Write(p []byte) (int, error) {
	w.said.Write(p)
	if _, after, ok := strings.Cut(w.said.String(), "culvert: ready on "); ok && w.url == "" {
		w.url = strings.TrimSpace(after)
		close(w.found)
	}
	return len(p), nil
}

func TestTooFewFilesAreSaidSo(t *testing.T) {
	said, ready := try(t, "ulimit -n 30; ", nil, "--ephemeral")
	if ready || !strings.Contains(said, "too many open files") || !strings.Contains(said, "ulimit -Hn") {
		t.Errorf("it said %q", said)
	}
}

// keep makes a region's directory with one of everything. The state's log begins anew in between if commits is
// more than a few thousand.
func keep(t *testing.T, commits int) (data string, kept set) {
	t.Helper()
	data, listen := t.TempDir(), address(t)
	cmd := up(t, "--data", data, "--listen", listen)
	c := &chaotic{t: t, code: packed(t, bootstrap), client: &operator.Client{Endpoint: "http://" + listen, Region: "us-west-2"}}
	c.fill()
	if err := c.kept.reach(t.Context(), c.client); err != nil {
		t.Fatal(err)
	}
	for i := range commits {
		if err := c.client.Query(t.Context(), "ec2", "CreateTags", nil, "ResourceId.1", c.kept.VPC, "Tag.1.Key", "count", "Tag.1.Value", fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return data, c.kept
}

var damages = map[string]func(content []byte) []byte{
	"empty": func([]byte) []byte { return []byte{} },
	"half":  func(b []byte) []byte { return b[:len(b)/2] },
	"garbage": func(b []byte) []byte {
		for i := range b {
			b[i] ^= 0x55
		}
		return b
	},
	"gone": func([]byte) []byte { return nil },
}

// TestDamageIsSaidOrMended damages each file of a region. It must then say which file, or have everything.
func TestDamageIsSaidOrMended(t *testing.T) {
	original, kept := keep(t, 3000*(*rounds-1))
	err := filepath.WalkDir(original, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		file, err := filepath.Rel(original, path)
		if err != nil || strings.HasPrefix(file, "objects") || strings.HasPrefix(file, "code") || strings.HasPrefix(file, "logs") {
			return err // content, which nothing else depends on
		}
		for name, damage := range damages {
			t.Run(file+" "+name, func(t *testing.T) { tryDamaged(t, original, file, damage, kept) })
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func tryDamaged(t *testing.T, original, file string, damage func([]byte) []byte, kept set) {
	data := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(data, os.DirFS(original)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(data, file)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b := damage(content); b == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	said, ready := try(t, "", func(c *operator.Client) {
		if err := kept.reach(t.Context(), c); err != nil {
			t.Errorf("it started, and: %v", err)
		}
	}, "--data", data)
	if !ready && !strings.Contains(said, data) {
		t.Errorf("it does not name the file: %s", said)
	}
	t.Logf("%.400s", said)
}

// TestALostStateIsNotTakenForAnEmptyOne removes all of the state.
func TestALostStateIsNotTakenForAnEmptyOne(t *testing.T) {
	data, _ := keep(t, 0)
	if err := os.RemoveAll(filepath.Join(data, "state")); err != nil {
		t.Fatal(err)
	}
	if said, ready := try(t, "", func(*operator.Client) {}, "--data", data); ready || !strings.Contains(said, "is lost") {
		t.Errorf("it said %q", said)
	}
}
