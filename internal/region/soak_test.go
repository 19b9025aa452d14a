package region_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/region"
)

var soak = flag.Int("region.soak", 10, "cycles of TestNothingIsKeptOfWhatIsDeleted")

// held is what a process has of what may leak.
type held struct {
	goroutines, threads, heapKB int
	files                       map[string]int // by kind
}

func measure(t *testing.T) held {
	t.Helper()
	runtime.GC()
	debug.FreeOSMemory()
	h := held{goroutines: runtime.NumGoroutine(), files: map[string]int{}}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	h.threads = len(tasks)
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if to, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil {
			kind, _, _ := strings.Cut(to, ":[")
			h.files[kind]++
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.heapKB = int(m.HeapAlloc >> 10)
	return h
}

func (h held) String() string {
	return fmt.Sprintf("%d goroutines, %d threads, %d KB, files %v", h.goroutines, h.threads, h.heapKB, h.files)
}

func (h held) fileCount() (n int) {
	for _, c := range h.files {
		n += c
	}
	return n
}

// TestNothingIsKeptOfWhatIsDeleted makes, uses and deletes networks, and counts afterwards.
func TestNothingIsKeptOfWhatIsDeleted(t *testing.T) {
	_, c := open(t, region.Config{})
	code := packed(t, bootstrap)
	if err := makeRole(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	run := func(n int) {
		for range n {
			if err := cycle(t.Context(), c, "soak", code); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(3) // what is made once is made
	base := settled(t, held{})
	start := time.Now()
	run(*soak)
	t.Logf("%d cycles, each %v", *soak, time.Since(start)/time.Duration(*soak))
	now := settled(t, base)
	t.Logf("before: %v\nafter:  %v", base, now)
	if now.goroutines > base.goroutines || now.fileCount() > base.fileCount() || now.threads > base.threads+8 {
		t.Errorf("before: %v\nafter:  %v", base, now)
	}
	if now.heapKB > base.heapKB+8<<10+20**soak {
		t.Errorf("%d KB are in use, %d KB were", now.heapKB, base.heapKB)
	}
}

// settled measures once it is no more than before, or does not become less.
func settled(t *testing.T, before held) held {
	t.Helper()
	last := measure(t)
	for range 30 {
		if last.goroutines <= before.goroutines && last.fileCount() <= before.fileCount() {
			break
		}
		time.Sleep(100 * time.Millisecond)
		last = measure(t)
	}
	return last
}
