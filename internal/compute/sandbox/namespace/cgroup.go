package namespace

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
)

// controlGroups are the directories below this process's own groups where sandboxes get theirs. Each may be
// missing. With version 2 the controllers that were delegated are used; where the controllers are on version 1
// and version 2 is mounted without any, as on hybrid systems, memory is limited by version 1 and version 2
// freezes and kills, which it can without controllers. The freezer of version 1 is never used: SIGKILL does
// nothing to what it has frozen.
type controlGroups struct {
	v2          string   // the unified hierarchy
	controllers []string // enabled below v2
	v1Memory    string
	locks       []*os.File // held for life; tells other daemons that the directories are in use

	unusable atomic.Bool // the kernel would not let a process into a group of v2
}

// controlGroup is one sandbox's. A nil group does nothing, a missing part likewise.
type controlGroup struct {
	v2       string
	v2Dir    *os.File
	hasV2Mem bool
	v1Memory string
	kills    int64 // oom_kill counter when last looked at
}

const groupPrefix = "culvert-"

// findControlGroups finds what may be used. It never fails: not to have any is normal for an ordinary user.
func findControlGroups() *controlGroups {
	mounts := groupMounts()
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	g := &controlGroups{}
	name := groupPrefix + strings.ToLower(rand.Text()[:10])
	for line := range strings.Lines(string(own)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch kind := parts[1]; {
		case kind == "" && mounts["v2"] != "":
			g.v2 = g.claim(filepath.Join(mounts["v2"], parts[2]), name)
		case slices.Contains(strings.Split(kind, ","), "memory") && mounts["memory"] != "":
			g.v1Memory = g.claim(filepath.Join(mounts["memory"], parts[2]), name)
		}
	}
	if g.v2 != "" {
		g.delegate()
	}
	return g
}

// groupMounts are the mount points of the hierarchies: "v2" and version 1's controllers.
func groupMounts() map[string]string {
	found := map[string]string{}
	b, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(b)) {
		before, after, ok := strings.Cut(line, " - ")
		head, tail := strings.Fields(before), strings.Fields(after)
		if !ok || len(head) < 5 || len(tail) < 3 {
			continue
		}
		switch tail[0] {
		case "cgroup2":
			found["v2"] = head[4]
		case "cgroup":
			for _, o := range strings.Split(tail[2], ",") {
				found[o] = head[4]
			}
		}
	}
	return found
}

// claim makes our directory below a group, after removing what daemons that are gone have left there.
func (g *controlGroups) claim(parent, name string) string {
	old, _ := filepath.Glob(filepath.Join(parent, groupPrefix+"*"))
	for _, dir := range old {
		if lock, err := lockDir(dir); err == nil {
			removeGroups(dir)
			lock.Close()
		}
	}
	dir := filepath.Join(parent, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return ""
	}
	lock, err := lockDir(dir)
	if err != nil || unix.Access(filepath.Join(dir, "cgroup.procs"), unix.W_OK) != nil {
		_ = os.Remove(dir)
		return ""
	}
	g.locks = append(g.locks, lock)
	return dir
}

func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// removeGroups removes a directory and those in it, which are empty of processes or stay.
func removeGroups(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			_ = os.WriteFile(filepath.Join(dir, e.Name(), "cgroup.kill"), []byte("1"), 0)
			_ = syscall.Rmdir(filepath.Join(dir, e.Name()))
		}
	}
	_ = syscall.Rmdir(dir)
}

// delegate passes the controllers we have on to the sandboxes' groups.
func (g *controlGroups) delegate() {
	b, _ := os.ReadFile(filepath.Join(g.v2, "cgroup.controllers"))
	for _, c := range strings.Fields(string(b)) {
		if c != "memory" && c != "pids" {
			continue
		}
		if os.WriteFile(filepath.Join(g.v2, "cgroup.subtree_control"), []byte("+"+c), 0) == nil {
			g.controllers = append(g.controllers, c)
		}
	}
}

// String says for the log what was found.
func (g *controlGroups) String() string {
	if g == nil || g.v2 == "" && g.v1Memory == "" {
		return "none"
	}
	var parts []string
	if g.v2 != "" {
		parts = append(parts, "v2 "+strings.Join(append([]string{"freezer"}, g.controllers...), ","))
	}
	if g.v1Memory != "" {
		parts = append(parts, "v1 memory")
	}
	return strings.Join(parts, ", ")
}

func (g *controlGroups) close() error {
	if g == nil {
		return nil
	}
	for _, dir := range []string{g.v2, g.v1Memory} {
		if dir != "" {
			removeGroups(dir)
		}
	}
	for _, l := range g.locks {
		l.Close()
	}
	return nil
}

// create makes a sandbox's groups. What is in /tmp counts as memory of the group, so its limit includes the
// size of /tmp; the rest is the memory guard's work.
func (g *controlGroups) create(spec sandbox.Spec) (*controlGroup, error) {
	c := &controlGroup{}
	if g == nil {
		return c, nil
	}
	limit := strconv.FormatInt(spec.MemoryBytes+spec.TmpBytes+2*memorySlack, 10)
	if g.v2 != "" && !g.unusable.Load() {
		c.v2 = filepath.Join(g.v2, spec.ID)
		if err := os.Mkdir(c.v2, 0o755); err != nil {
			return nil, fmt.Errorf("make control group: %w", err)
		}
		var err error
		if c.v2Dir, err = os.Open(c.v2); err != nil {
			return nil, errors.Join(err, c.remove())
		}
		c.hasV2Mem = slices.Contains(g.controllers, "memory")
		if c.hasV2Mem {
			c.set(c.v2, "memory.max", limit)
			c.set(c.v2, "memory.swap.max", "0")
		}
		if slices.Contains(g.controllers, "pids") {
			c.set(c.v2, "pids.max", strconv.FormatUint(spec.Processes+16, 10))
		}
	}
	if g.v1Memory != "" {
		c.v1Memory = filepath.Join(g.v1Memory, spec.ID)
		if err := os.Mkdir(c.v1Memory, 0o755); err != nil {
			return nil, errors.Join(fmt.Errorf("make control group: %w", err), c.remove())
		}
		c.set(c.v1Memory, "memory.limit_in_bytes", limit)
		c.set(c.v1Memory, "memory.memsw.limit_in_bytes", limit) // only where swap is accounted
	}
	return c, nil
}

// set is best effort: the guard holds the limit in any case.
func (c *controlGroup) set(dir, name, value string) {
	_ = os.WriteFile(filepath.Join(dir, name), []byte(value), 0)
}

// enter makes the new process a member from its birth.
func (c *controlGroup) enter(attr *syscall.SysProcAttr) {
	if c.v2Dir != nil {
		attr.UseCgroupFD, attr.CgroupFD = true, int(c.v2Dir.Fd())
	}
}

// add makes it a member of version 1's group, which has no such way and takes milliseconds.
func (c *controlGroup) add(pid int) error {
	if c.v1Memory == "" {
		return nil
	}
	if err := os.WriteFile(filepath.Join(c.v1Memory, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
		return fmt.Errorf("enter control group: %w", err)
	}
	return nil
}

func (c *controlGroup) canFreeze() bool { return c.v2 != "" }

func (c *controlGroup) freeze(on bool) error {
	value := "0"
	if on {
		value = "1"
	}
	return os.WriteFile(filepath.Join(c.v2, "cgroup.freeze"), []byte(value), 0)
}

// kill ends what is in the group, frozen or not. Ending PID 1 does the same; this is faster.
func (c *controlGroup) kill() {
	if c != nil && c.v2 != "" {
		c.set(c.v2, "cgroup.kill", "1")
	}
}

// memory is what the processes use, without files they wrote.
func (c *controlGroup) memory(pid int) int64 {
	switch {
	case c.hasV2Mem:
		return c.read(c.v2, "memory.stat", "anon")
	case c.v1Memory != "":
		return c.read(c.v1Memory, "memory.stat", "total_rss")
	}
	return familyMemory(pid)
}

// peak is the kernel's own maximum; 0: it keeps none.
func (c *controlGroup) peak() int64 {
	dir, name := c.v1Memory, "memory.max_usage_in_bytes"
	if c.hasV2Mem {
		dir, name = c.v2, "memory.peak"
	}
	if dir == "" {
		return 0
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64)
	return n
}

// takeOutOfMemory reports whether the kernel killed for lack of memory since the last call.
func (c *controlGroup) takeOutOfMemory() bool {
	n := c.kills
	switch {
	case c.hasV2Mem:
		n = c.read(c.v2, "memory.events", "oom_kill")
	case c.v1Memory != "":
		n = c.read(c.v1Memory, "memory.oom_control", "oom_kill")
	}
	more := n > c.kills
	c.kills = n
	return more
}

func (c *controlGroup) read(dir, name, word string) int64 {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return 0
	}
	return field(b, word)
}

// remove removes the groups. A killed process leaves its group a moment after it was waited for.
func (c *controlGroup) remove() error {
	if c == nil {
		return nil
	}
	if c.v2Dir != nil {
		c.v2Dir.Close()
	}
	var errs []error
	for _, dir := range []string{c.v2, c.v1Memory} {
		if dir == "" {
			continue
		}
		err := syscall.Rmdir(dir)
		for wait := time.Millisecond; err == syscall.EBUSY && wait < time.Second; wait *= 2 {
			time.Sleep(wait)
			err = syscall.Rmdir(dir)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove control group %s: %w", dir, err))
		}
	}
	return errors.Join(errs...)
}
