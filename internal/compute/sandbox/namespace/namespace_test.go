package namespace

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/netns"
)

// TestMain is also the main of the program that tries to get out, and of a daemon to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == probeArg {
		probe()
		os.Exit(0)
	}
	if len(os.Args) == 2 && os.Args[1] == daemonArg {
		daemon()
	}
	os.Exit(launch.Tests(m.Run))
}

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
	c := sandbox.Command{Argv: []string{"/bin/sh", "-c", "(" + script + "); code=$?; echo; echo '<end>'; exit $code"}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: "/tmp"}
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

func TestWhatARuntimeLeavesBehindIsGoneBeforeItsEndIsTold(t *testing.T) {
	s := start(t, newDriver(t), spec("orphans"))
	if _, x := shell(t, s, "for i in 1 2 3; do (setsid sleep 1000 &) ; done; sleep 0.05; exit 7"); x.Code != 7 {
		t.Errorf("ended as %+v, want code 7", x)
	}
	if left := children(s.cmd.Process.Pid); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if out, _ := shell(t, s, "echo again"); out != "again" {
		t.Errorf("afterwards: %q", out)
	}
}

func TestKillSparesTheSandboxAndItsFiles(t *testing.T) {
	s := start(t, newDriver(t), spec("kill"))
	run := sandbox.Command{Argv: []string{"/bin/sh", "-c", "echo kept > /tmp/x; while :; do :; done"}, Dir: "/"}
	if err := s.Run(run); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if x := exit(t, s); x.Signal != "killed" {
		t.Errorf("ended as %+v", x)
	}
	if out, _ := shell(t, s, "cat /tmp/x"); out != "kept" {
		t.Errorf("/tmp/x: %q", out)
	}
}

func TestAProgramThatCannotBeStartedSaysWhy(t *testing.T) {
	s := start(t, newDriver(t), spec("missing"))
	if err := s.Run(sandbox.Command{Argv: []string{"/nothere"}, Dir: "/"}); err != nil {
		t.Fatal(err)
	}
	if x := exit(t, s); x.Err == nil || x.Err.Error() != "no such file or directory" {
		t.Errorf("ended as %+v", x)
	}
}

func TestProcessesAreBounded(t *testing.T) {
	sp := spec("bomb")
	sp.Processes = 40
	s := start(t, newDriver(t), sp)
	script := "i=0; while [ $i -lt 100 ]; do sleep 1000 & i=$((i+1)); done 2>/dev/null; echo unreachable"
	if err := s.Run(sandbox.Command{Argv: []string{"/bin/sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: "/"}); err != nil {
		t.Fatal(err)
	}
	if x := exit(t, s); x.Code == 0 { // the shell ends when it cannot fork
		t.Errorf("ended as %+v", x)
	}
}

func TestFilesInTmpAreBounded(t *testing.T) {
	s := start(t, newDriver(t), spec("tmp"))
	out, _ := shell(t, s, "head -c 70000000 /dev/zero > /tmp/big 2>/dev/null; stat -c %s /tmp/big")
	if out != "67108864" {
		t.Errorf("a file in /tmp of 64 MB grew to %s", out)
	}
}

func TestNothingLeaks(t *testing.T) {
	d := newDriver(t)
	cycle := func(i int) {
		s := start(t, d, spec("cycle-"+strconv.Itoa(i)))
		if out, _ := shell(t, s, "echo x"); out != "x" {
			t.Fatalf("%q", out)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		cycle(i)
	}
	files, routines := count(t), runtime.NumGoroutine()
	for i := range 25 {
		cycle(100 + i)
	}
	// Each cycle keeps its network namespace until the test's end.
	if got := count(t); got > files+25+2 {
		t.Errorf("%d descriptors, before %d", got, files)
	}
	if got := runtime.NumGoroutine(); got > routines+2 {
		t.Errorf("%d goroutines, before %d", got, routines)
	}
	for _, dir := range []string{d.groups.v2, d.groups.v1Memory} {
		if left, _ := filepath.Glob(dir + "/*/cgroup.procs"); dir != "" && len(left) != 0 {
			t.Errorf("control groups left: %v", left)
		}
	}
}

func TestWithoutControlGroupsSandboxesWorkAndFreeze(t *testing.T) {
	d := newDriver(t)
	d.groups = nil
	s := start(t, d, spec("none"))
	run := sandbox.Command{Argv: []string{"/bin/sh", "-c", "while :; do echo x; sleep 0.01; done"}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: "/"}
	if err := s.Run(run); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if err := s.Freeze(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	lines, _ := s.Output()
	written := func() int {
		_ = lines.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		b, _ := io.ReadAll(lines)
		return len(b)
	}
	if written() == 0 {
		t.Error("nothing was written before")
	}
	if n := written(); n != 0 {
		t.Errorf("%d bytes were written while frozen", n)
	}
	if err := s.Thaw(); err != nil {
		t.Fatal(err)
	}
	if written() == 0 {
		t.Error("nothing was written afterwards")
	}
	if u := s.Usage(); u.Peak == 0 {
		t.Error("no memory was measured")
	}
}

func TestAControlGroupThatRefusesIsDoneWithout(t *testing.T) {
	d := newDriver(t)
	if d.groups == nil || d.groups.v2 == "" {
		t.Skip("no version 2 control groups here")
	}
	// A group with a controller of its own and processes takes no children; a directory that is none at all
	// serves as well.
	real := d.groups.v2
	d.groups.v2 = t.TempDir()
	s := start(t, d, spec("refused"))
	d.groups.v2 = real
	if out, _ := shell(t, s, "echo works"); out != "works" {
		t.Errorf("%q", out)
	}
}

func count(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func BenchmarkStart(b *testing.B) {
	d := newDriver(b)
	at := newPlace(b)
	for b.Loop() {
		s, err := d.Start(context.Background(), spec("bench"), at)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		s.Close()
		b.StartTimer()
	}
}
