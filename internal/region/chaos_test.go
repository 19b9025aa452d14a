package region_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/operator"
	"github.com/vishvananda/netlink"
)

var (
	rounds = flag.Int("region.chaos", 1, "rounds of each case of the chaos tests")
	seed   = flag.Uint64("region.seed", 1, "of the moments of the chaos tests")
)

// A chaotic region runs as a process of its own, with a storm of calls against it.
type chaotic struct {
	t            *testing.T
	data, listen string
	temporary    string // its TMPDIR
	client       *operator.Client
	code         string
	kept         set // made before the storm
	links        int
}

func newChaotic(t *testing.T) *chaotic {
	t.Helper()
	c := &chaotic{t: t, data: t.TempDir(), listen: address(t), temporary: t.TempDir(), code: packed(t, bootstrap), links: hostLinks(t)}
	t.Setenv("TMPDIR", c.temporary)
	c.client = &operator.Client{Endpoint: "http://" + c.listen, Region: "us-west-2"}
	return c
}

func hostLinks(t *testing.T) int {
	t.Helper()
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	return len(links)
}

// fill makes what must survive.
func (c *chaotic) fill() {
	c.t.Helper()
	err := makeRole(c.t.Context(), c.client)
	if err == nil {
		err = makeBucket(c.t.Context(), c.client)
	}
	if err == nil {
		c.kept, err = makeSet(c.t.Context(), c.client, "kept", c.code)
	}
	if err == nil {
		err = object(c.t.Context(), c.client, "kept")
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// verify uses what was made before the storm.
func (c *chaotic) verify() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	if err := c.kept.reach(ctx, c.client); err != nil {
		c.t.Errorf("after the storm: %v", err)
	}
	if _, _, err := c.client.Do(ctx, operator.Request{Service: "s3", Method: "GET", Path: "/chaos/kept"}); err != nil {
		c.t.Errorf("after the storm: %v", err)
	}
	if err := cycle(ctx, c.client, fmt.Sprint("after", rand.Int32()), c.code); err != nil {
		c.t.Errorf("after the storm: %v", err)
	}
}

// nothingLeft waits for the end of processes and looks for what else could be there.
func (c *chaotic) nothingLeft(family []int) {
	c.t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for _, pid := range family {
		for syscall.Kill(pid, 0) == nil && !zombie(pid) {
			if time.Now().After(deadline) {
				c.t.Fatalf("process %d (%s) outlived the region", pid, command(pid))
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	if left, _ := os.ReadDir(c.temporary); len(left) > 0 {
		c.t.Errorf("left in the temporary directory: %v", left)
	}
	if n := hostLinks(c.t); n != c.links {
		c.t.Errorf("%d links on the host, %d before", n, c.links)
	}
}

func command(pid int) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(b))
}

// named finds the descendants with a command's name, as its first argument says.
func named(t *testing.T, pid int, name string) (found []int) {
	t.Helper()
	for _, d := range descendants(t, pid) {
		b, _ := os.ReadFile("/proc/" + strconv.Itoa(d) + "/cmdline")
		if first, _, _ := strings.Cut(string(b), "\x00"); first == name {
			found = append(found, d)
		}
	}
	return found
}

// TestARegionThatIsKilledInAStormIsThereAgain kills the first or the second process of a region, without warning,
// while calls are under way.
func TestARegionThatIsKilledInAStormIsThereAgain(t *testing.T) {
	for _, victim := range []string{"outer process", "PID 1"} {
		t.Run(victim, func(t *testing.T) {
			random := rand.New(rand.NewPCG(*seed, 1))
			c := newChaotic(t)
			for round := range *rounds + 1 {
				cmd := up(t, "--data", c.data, "--listen", c.listen)
				if round == 0 {
					c.fill()
				} else {
					c.verify()
				}
				var s storm
				ctx, stop := context.WithCancel(t.Context())
				s.run(ctx, c.client, c.code)
				time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
				family := descendants(t, cmd.Process.Pid)
				pid := cmd.Process.Pid
				if victim == "PID 1" {
					pid = children(t, pid)[0]
				}
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				_ = cmd.Wait()
				stop()
				c.nothingLeft(family)
				t.Logf("round %d: %d cycles, %d objects, %d processes", round, s.cycles.Load(), s.objects.Load(), len(family))
			}
			up(t, "--data", c.data, "--listen", c.listen)
			c.verify()
			if n := entries(t, c.data, "runtimes"); n > 1 {
				t.Errorf("%d directories of runtimes after %d kills", n, *rounds+1)
			}
		})
	}
}

func entries(t *testing.T, path ...string) int {
	t.Helper()
	e, err := os.ReadDir(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return len(e)
}

// TestARegionGoesOnWithoutOneOfItsProcesses kills what a region has below it.
func TestARegionGoesOnWithoutOneOfItsProcesses(t *testing.T) {
	for _, victim := range []string{"culvert-objects", "culvert-init"} {
		t.Run(victim, func(t *testing.T) {
			random := rand.New(rand.NewPCG(*seed, 2))
			c := newChaotic(t)
			cmd := up(t, "--data", c.data, "--listen", c.listen)
			c.fill()
			s := storm{failed: make(chan error, 1000)}
			ctx, stop := context.WithCancel(t.Context())
			s.run(ctx, c.client, c.code)
			for range *rounds {
				time.Sleep(time.Duration(random.IntN(500)) * time.Millisecond)
				found := named(t, cmd.Process.Pid, victim)
				if len(found) == 0 {
					continue
				}
				pid := found[random.IntN(len(found))]
				_ = syscall.Kill(pid, syscall.SIGKILL)
				for syscall.Kill(pid, 0) == nil {
					time.Sleep(time.Millisecond)
				}
				c.verify()
			}
			stop()
			s.under.Wait() // a call that is given up can take the connection of another with it
			for len(s.failed) > 0 {
				t.Logf("in the storm: %v", <-s.failed)
			}
			c.verify()
			family := descendants(t, cmd.Process.Pid)
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("a region that is asked to end: %v", err)
			}
			c.nothingLeft(family)
		})
	}
}

// TestASignalEndsARegionAtAnyMoment sends signals at moments from the first millisecond on.
func TestASignalEndsARegionAtAnyMoment(t *testing.T) {
	random := rand.New(rand.NewPCG(*seed, 3))
	for i := range 10 * *rounds {
		c := &chaotic{t: t, temporary: t.TempDir(), links: hostLinks(t)}
		t.Setenv("TMPDIR", c.temporary)
		var said bytes.Buffer
		cmd := exec.Command("/proc/self/exe", "up", "--quota", "vpcs=500", "--ephemeral", "--listen", "127.0.0.1:0")
		cmd.Env = append(launch.Environ(), asProgram+"=1")
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		delay := 20*time.Millisecond + time.Duration(random.IntN(200))*time.Millisecond
		time.Sleep(delay)
		family, begin := descendants(t, cmd.Process.Pid), time.Now()
		asked := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}[i%2]
		_ = cmd.Process.Signal(asked)
		watchdog := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		watchdog.Stop()
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("signal after %v: ended after %v", delay, took)
		}
		// Before its runtime runs, a process can only die of a signal; on a busy machine that takes a while.
		died := cmd.ProcessState.Sys().(syscall.WaitStatus)
		killed := died.Signaled() && died.Signal() == asked
		if status := cmd.ProcessState.ExitCode(); status != 0 && status != 128+int(asked) && !killed {
			t.Errorf("signal after %v: exit status %v", delay, cmd.ProcessState)
		}
		for line := range strings.Lines(said.String()) {
			if !strings.HasPrefix(line, "culvert: ready on ") && line != "culvert: interrupted\n" {
				t.Errorf("signal after %v: it said %s", delay, line)
			}
		}
		c.nothingLeft(family)
	}
}
