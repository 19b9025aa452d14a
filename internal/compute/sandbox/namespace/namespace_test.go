package namespace

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/netns"
)

func TestMain(m *testing.M) { os.Exit(launch.Tests(m.Run)) }

// place is an empty network.
type place struct{ ns *netns.NS }

func (p place) Spawn(f func() error) error { return netns.Spawn(p.ns, f) }

func newPlace(t testing.TB) place {
	t.Helper()
	ns, err := netns.New(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ns.Close() })
	return place{ns}
}

func newDriver(t testing.TB) *Driver {
	t.Helper()
	d, err := New(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func spec(id string) sandbox.Spec {
	return sandbox.Spec{ID: id, Hostname: "sandbox", TmpBytes: 64 << 20, MemoryBytes: 128 << 20, OpenFiles: 1024, Processes: 256}
}

func start(t testing.TB, d *Driver, s sandbox.Spec) *Sandbox {
	t.Helper()
	box, err := d.Start(context.Background(), s, newPlace(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	return box.(*Sandbox)
}

// shell runs a script and returns what it printed and how it ended.
func shell(t testing.TB, s *Sandbox, script string) (string, sandbox.Exit) {
	t.Helper()
	c := sandbox.Command{Argv: []string{"/bin/sh", "-c", script + "\necho; echo '<end>'"}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: "/tmp"}
	if err := s.Run(c); err != nil {
		t.Fatal(err)
	}
	lines, _ := s.Output()
	_ = lines.SetReadDeadline(time.Now().Add(20 * time.Second))
	var out strings.Builder
	for r := bufio.NewReader(lines); ; {
		line, err := r.ReadString('\n')
		if line == "<end>\n" {
			break
		}
		out.WriteString(line)
		if err != nil && err != io.EOF {
			t.Fatalf("read output: %v; so far:\n%s", err, out.String())
		}
	}
	return strings.TrimSpace(out.String()), exit(t, s)
}

func exit(t testing.TB, s *Sandbox) sandbox.Exit {
	t.Helper()
	select {
	case x, ok := <-s.Exits():
		if !ok {
			t.Fatal("the sandbox is gone")
		}
		return x
	case <-time.After(20 * time.Second):
		t.Fatal("the process did not end")
	}
	return sandbox.Exit{}
}

func TestAProgramRunsAsTheFunctionsUser(t *testing.T) {
	s := start(t, newDriver(t), spec("user"))
	got, x := shell(t, s, "id -u; id -g; pwd; cat /proc/self/status | grep -E '^(Cap|NoNew|Seccomp)'; ls /; cat /proc/self/cgroup; ls -l /proc/self/fd; mount; cat /proc/meminfo")
	t.Logf("%s\n%+v", got, x)
}
