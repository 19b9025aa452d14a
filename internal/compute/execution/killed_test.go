package execution

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// firstProcesses are the sandboxes' of this process.
func firstProcesses(t *testing.T) (found []int) {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		b, _ := os.ReadFile(p)
		if name, _, _ := bytes.Cut(b, []byte{0}); string(name) == "culvert-init" {
			pid, _ := strconv.Atoi(strings.Split(p, "/")[2])
			found = append(found, pid)
		}
	}
	return found
}

func TestASandboxThatDiedIdleIsReplacedUnnoticed(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	for i := range 3 {
		text := fmt.Sprint("call ", i)
		if r := f.call(t, fn, fmt.Sprintf(`{"Do":"echo","Text":%q}`, text)); string(r.Payload) != strconv.Quote(text) || r.FunctionError != "" || !r.Cold {
			t.Fatalf("call %d: %+v", i, r)
		}
		pids := firstProcesses(t)
		if len(pids) != 1 {
			t.Fatalf("first processes of sandboxes: %v, want one", pids)
		}
		_ = syscall.Kill(pids[0], syscall.SIGKILL)
		for syscall.Kill(pids[0], 0) == nil {
			time.Sleep(time.Millisecond)
		}
	}
}
