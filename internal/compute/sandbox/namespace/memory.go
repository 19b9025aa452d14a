package namespace

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How often the watchdog looks, and what a function may have above its limit: PID 1 and the page tables are
// ours, not the function's.
const (
	watchInterval = 100 * time.Millisecond
	memorySlack   = 16 << 20
)

// memoryGuard is the watchdog of a sandbox's memory. It holds the limit by itself where there is no control
// group. Where there is one, the group's own limit includes what is in /tmp, so that it alone would either let
// a function have too much or end it for a large file.
type memoryGuard struct {
	limit    int64
	measure  func() int64
	exceeded func()

	mu      sync.Mutex
	quit    chan struct{} // guarded by mu; nil: not watching
	current int64         // guarded by mu
	peak    int64         // guarded by mu
	at      time.Time     // of current; guarded by mu
	over    bool          // guarded by mu
}

func (g *memoryGuard) start() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.quit != nil || g.measure == nil {
		return
	}
	g.quit = make(chan struct{})
	go g.watch(g.quit)
}

func (g *memoryGuard) stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.quit != nil {
		close(g.quit)
		g.quit = nil
	}
}

func (g *memoryGuard) watch(quit chan struct{}) {
	ticks := time.NewTicker(watchInterval)
	defer ticks.Stop()
	for {
		select {
		case <-quit:
			return
		case <-ticks.C:
		}
		if g.sample() > g.limit+memorySlack {
			g.mu.Lock()
			g.over = true
			g.mu.Unlock()
			g.exceeded()
		}
	}
}

func (g *memoryGuard) sample() int64 {
	n := g.measure()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.current, g.peak, g.at = n, max(g.peak, n), time.Now()
	return n
}

// usage looks again unless it did lately.
func (g *memoryGuard) usage() (current, peak int64) {
	g.mu.Lock()
	fresh := time.Since(g.at) < 5*time.Second
	g.mu.Unlock()
	if !fresh && g.measure != nil {
		g.sample()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.current, min(g.peak, g.limit)
}

func (g *memoryGuard) takeExceeded() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	over := g.over
	g.over = false
	return over
}

// familyMemory is the memory of a process's descendants, each page divided among those who share it.
func familyMemory(pid int) int64 {
	var total int64
	for _, child := range children(pid) {
		total += proportionalSize(child) + familyMemory(child)
	}
	return total
}

func children(pid int) []int {
	tasks, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	if err != nil {
		return nil // it has just ended
	}
	var pids []int
	for _, t := range tasks {
		b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + t.Name() + "/children")
		for _, f := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(f); err == nil {
				pids = append(pids, n)
			}
		}
	}
	return pids
}

func proportionalSize(pid int) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/smaps_rollup")
	if err != nil {
		return 0
	}
	return field(b, "Pss:") << 10
}

// field is the number after a word at the beginning of a line; 0 if there is none.
func field(b []byte, word string) int64 {
	for line := range bytes.Lines(b) {
		f := bytes.Fields(line)
		if len(f) >= 2 && string(f[0]) == word {
			n, _ := strconv.ParseInt(string(f[1]), 10, 64)
			return n
		}
	}
	return 0
}
