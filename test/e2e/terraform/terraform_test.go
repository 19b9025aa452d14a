package terraform

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/operator"
)

// TestUnchangedFilesAreAppliedPlannedAndDestroyed is the life of a small network: without an endpoint and with one
// that has no private DNS the function waits in vain; with private DNS it reads its note.
func TestUnchangedFilesAreAppliedPlannedAndDestroyed(t *testing.T) {
	w := newWorkshop(t)
	w.terraform(0, w.initArguments...)
	for _, stage := range []struct{ endpoint, want string }{
		{"none", "timed out"},
		{"public", "timed out"},
		{"private", "what the function reads"},
	} {
		choice := "-var=endpoint=" + stage.endpoint
		w.terraform(0, "apply", "-auto-approve", choice)
		w.terraform(0, "plan", "-detailed-exitcode", choice) // 2: something to change
		if got := w.read(); got != stage.want {
			t.Errorf("endpoint %s: got %q, want %q", stage.endpoint, got, stage.want)
		}
	}
	w.terraform(0, "destroy", "-auto-approve", "-var=endpoint=private")
	if got := w.left(); got != "log-group" {
		t.Errorf("left after destroy: got %q, want the log group only, which nobody declared", got)
	}
}

// workshop is a directory with the files, and a region.
type workshop struct {
	t                       *testing.T
	dir, culvert, url, code string
	files                   string // the directory that Terraform runs in
	initArguments           []string
}

func newWorkshop(t *testing.T) *workshop {
	w := &workshop{t: t, initArguments: []string{"init"}}
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("SKIPPED: there is no terraform on the path")
	}
	switch plugins := os.Getenv("TF_PLUGIN_DIR"); {
	case plugins != "":
		w.initArguments = append(w.initArguments, "-plugin-dir="+plugins)
	case os.Getenv("TF_FROM_REGISTRY") == "":
		t.Skip("SKIPPED: set TF_PLUGIN_DIR to a directory with the AWS provider (see terraform init -plugin-dir), or TF_FROM_REGISTRY=1 to download it")
	}
	w.dir = t.TempDir()
	w.files = filepath.Join(w.dir, "files")
	w.culvert, w.code = filepath.Join(w.dir, "culvert"), filepath.Join(w.dir, "function.zip")
	w.build(w.culvert, "../../../cmd/culvert")
	bootstrap := filepath.Join(w.dir, "bootstrap")
	w.build(bootstrap, "../../probefn")
	if err := errors.Join(pack(bootstrap, w.code), os.CopyFS(filepath.Join(w.dir, "files"), os.DirFS("files"))); err != nil {
		t.Fatal(err)
	}
	w.startRegion()
	return w
}

func (w *workshop) build(to, from string) {
	w.t.Helper()
	c := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", to, from)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		w.t.Fatalf("build %s: %v\n%s", from, err, out)
	}
}

// pack makes the function's zip file.
func pack(bootstrap, to string) error {
	program, err := os.ReadFile(bootstrap)
	if err != nil {
		return err
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	z := zip.NewWriter(f)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	h.SetMode(0o755)
	entry, err := z.CreateHeader(h)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	_, err = entry.Write(program)
	return errors.Join(err, z.Close(), f.Close())
}

// startRegion starts a region at a free port and ends it with the test.
func (w *workshop) startRegion() {
	w.t.Helper()
	c := exec.Command(w.culvert, "up", "--ephemeral", "--listen", "127.0.0.1:0")
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := errors.Join(c.Process.Signal(syscall.SIGTERM), c.Wait()); err != nil {
			w.t.Errorf("end the region: %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "ready on "); ok {
			w.url = url
			go func() { _, _ = io.Copy(io.Discard, out) }() // or it could not write any more
			return
		}
	}
	w.t.Fatal("the region did not start")
}

// terraform runs Terraform as a user would, through culvert exec.
func (w *workshop) terraform(want int, arguments ...string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, w.culvert, append([]string{"exec", "--", "terraform"}, arguments...)...)
	c.Dir = w.files
	c.Env = append(os.Environ(), "CULVERT_ENDPOINT="+w.url, "TF_VAR_zip="+w.code, "TF_IN_AUTOMATION=1", "TF_CLI_ARGS=-no-color", "CHECKPOINT_DISABLE=1")
	began := time.Now()
	out, err := c.CombinedOutput()
	w.t.Logf("terraform %s: %s", strings.Join(arguments, " "), time.Since(began).Round(time.Second/10))
	if got := c.ProcessState.ExitCode(); got != want {
		w.t.Fatalf("terraform %s: got exit status %d, %v, want %d\n%s", strings.Join(arguments, " "), got, err, want, out)
	}
}

// read lets the function read its note and returns what came of it.
func (w *workshop) read() string {
	w.t.Helper()
	c := &operator.Client{Endpoint: w.url, Region: "us-west-2"}
	answer, err := c.Invoke(w.t.Context(), "reader", []byte(`{"get":"notes-for-the-reader/note.txt","timeout":2000}`))
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Trim(answer.Payload, `"`)
}

// left names the kinds of resources that the region still has.
func (w *workshop) left() string {
	w.t.Helper()
	var s struct {
		Resources map[string]int `json:"resources"`
	}
	c := &operator.Client{Endpoint: w.url, Region: "us-west-2"}
	if err := c.Inspect(w.t.Context(), "status", nil, &s); err != nil {
		w.t.Fatal(err)
	}
	var kinds []string
	for kind, n := range s.Resources {
		if n > 0 {
			kinds = append(kinds, kind)
		}
	}
	return strings.Join(kinds, " ")
}
