package namespace

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/netns"
)

const daemonArg = "be-a-daemon"

// daemon makes two sandboxes, one of them frozen, prints the ids of their processes, and waits to be killed.
func daemon() {
	d, err := New(slog.New(slog.DiscardHandler))
	if err != nil {
		fail(err)
	}
	ns, err := netns.New("daemon")
	if err != nil {
		fail(err)
	}
	var pids []string
	for _, id := range []string{"running", "frozen"} {
		box, err := d.Start(context.Background(), spec(id), place{ns})
		if err != nil {
			fail(err)
		}
		if err := box.Run(sandbox.Command{Argv: []string{"/bin/sleep", "1000"}, Dir: "/"}); err != nil {
			fail(err)
		}
		s := box.(*Sandbox)
		for len(children(s.cmd.Process.Pid)) == 0 {
			time.Sleep(time.Millisecond)
		}
		if id == "frozen" {
			if err := s.Freeze(); err != nil {
				fail(err)
			}
		}
		pids = append(pids, strconv.Itoa(s.cmd.Process.Pid), strconv.Itoa(children(s.cmd.Process.Pid)[0]))
	}
	fmt.Println(strings.Join(pids, " "))
	time.Sleep(time.Hour)
}

func fail(err error) {
	fmt.Println("error:", err)
	os.Exit(1)
}

func TestNothingOutlivesTheDaemon(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", daemonArg)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.HasPrefix(line, "error") {
		t.Fatalf("%v: %s", err, line)
	}
	time.Sleep(50 * time.Millisecond) // until the frozen one is
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	pids := strings.Fields(line)
	if len(pids) != 4 {
		t.Fatalf("pids %v", pids)
	}
	for _, pid := range pids {
		for deadline := time.Now().Add(5 * time.Second); alive(pid); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("process %s of %v is left", pid, pids)
				break
			}
		}
	}
	// The next daemon clears what the kernel does not.
	d := newDriver(t)
	for _, dir := range []string{d.groups.v2, d.groups.v1Memory} {
		if dir == "" {
			continue
		}
		if stale, _ := filepath.Glob(filepath.Dir(dir) + "/" + groupPrefix + "*/running"); len(stale) != 0 {
			t.Errorf("control groups left: %v", stale)
		}
	}
}

// alive is false for a process that waits to be reaped: as PID 1 the test inherits those, and does not.
func alive(pid string) bool {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(after, "Z")
}
