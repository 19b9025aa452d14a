package netns

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/launch"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { os.Exit(launch.Tests(m.Run)) }

func mustNew(t *testing.T, setup ...func() error) *NS {
	t.Helper()
	n, err := New(t.Name(), setup...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// loopbackUp sets lo up in the namespace of the calling thread.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// identity is the namespace of the calling thread.
func identity(t *testing.T) string {
	t.Helper()
	s, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func identityIn(t *testing.T, n *NS) (s string) {
	t.Helper()
	if err := n.Do(func() error { s = identity(t); return nil }); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestANewNamespaceIsAnotherAndEmpty(t *testing.T) {
	n := mustNew(t)
	var names []string
	err := n.Do(func() error {
		links, err := net.Interfaces()
		for _, l := range links {
			names = append(names, l.Name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(names, " ") != "lo" {
		t.Errorf("got links %v, want lo alone", names)
	}
	if identityIn(t, n) == identity(t) {
		t.Error("the new namespace is the old one")
	}
}

func TestWorkInANamespaceNeverLeavesAThreadThere(t *testing.T) {
	n := mustNew(t)
	home := identity(t)
	for range 20 {
		if err := n.Do(func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	in := identityIn(t, n)
	for _, thread := range threads {
		// A thread that ends while we look is not in our way.
		if s, err := os.Readlink("/proc/self/task/" + thread.Name() + "/ns/net"); err == nil && s == in {
			time.Sleep(10 * time.Millisecond)
			if s, err := os.Readlink("/proc/self/task/" + thread.Name() + "/ns/net"); err == nil && s == in {
				t.Errorf("thread %s is still inside", thread.Name())
			}
		}
	}
	if identity(t) != home {
		t.Error("the caller was moved")
	}
}

func TestSetupRunsInsideAndItsErrorIsTheNamespaces(t *testing.T) {
	var inside string
	n := mustNew(t, func() error { inside = identity(t); return nil })
	if inside != identityIn(t, n) {
		t.Error("setup ran elsewhere")
	}
	want := errors.New("no")
	if _, err := New("x", func() error { return want }); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
}

func TestSettingsAreTheNamespacesOwn(t *testing.T) {
	a, b := mustNew(t, Settings("net.ipv4.ip_forward=0")), mustNew(t, Settings("net.ipv4.ip_forward=0"))
	if err := a.Sysctl("net.ipv4.ip_forward=1"); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[*NS]string{a: "1", b: "0"} {
		err := n.Do(func() error {
			got, err := os.ReadFile("/proc/sys/net/ipv4/ip_forward")
			if strings.TrimSpace(string(got)) != want {
				t.Errorf("got %q, want %s", got, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Sysctl("net.ipv4.no_such_thing=1"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "no_such_thing") {
		t.Errorf("got %v", err)
	}
}

func TestAListenerStaysInItsNamespace(t *testing.T) {
	a, b := mustNew(t, loopbackUp), mustNew(t, loopbackUp)
	l, err := a.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "hello")
			c.Close()
		}
	}()
	c, err := a.Dial(context.Background(), "tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := io.ReadAll(c); string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	if c, err := b.Dial(context.Background(), "tcp4", l.Addr().String()); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("from another namespace: got %v, %v", c, err)
	}
	if c, err := net.DialTimeout("tcp4", l.Addr().String(), time.Second); err == nil {
		c.Close()
		t.Error("the host reached into the namespace")
	}
}

func TestPacketsStayInTheirNamespace(t *testing.T) {
	n := mustNew(t, loopbackUp)
	server, err := n.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client, err := n.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.WriteTo([]byte("x"), server.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	server.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, from, err := server.ReadFrom(make([]byte, 1)); err != nil || from.String() != client.LocalAddr().String() {
		t.Errorf("got %v, %v", from, err)
	}
}

func TestNamesAreNotLookedUp(t *testing.T) {
	n := mustNew(t)
	if _, err := n.Dial(context.Background(), "tcp4", "localhost:80"); err == nil || !strings.Contains(err.Error(), "literal") {
		t.Errorf("dial: got %v", err)
	}
	if _, err := n.Listen("tcp4", "localhost:80"); err == nil || !strings.Contains(err.Error(), "literal") {
		t.Errorf("listen: got %v", err)
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	n := mustNew(t, loopbackUp)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := n.Dial(ctx, "tcp4", "127.0.0.1:9"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAClosedNamespaceRefusesWork(t *testing.T) {
	n := mustNew(t)
	for range 2 {
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ran := false
	if err := n.Do(func() error { ran = true; return nil }); !errors.Is(err, ErrClosed) || ran {
		t.Errorf("do: got %v, ran %t", err, ran)
	}
	if err := Spawn(n, func() error { ran = true; return nil }); !errors.Is(err, ErrClosed) || ran {
		t.Errorf("spawn: got %v, ran %t", err, ran)
	}
	if _, err := n.Dup(); !errors.Is(err, ErrClosed) {
		t.Errorf("dup: got %v", err)
	}
}

func TestANamespaceLivesUntilItsLastHold(t *testing.T) {
	n := mustNew(t, loopbackUp)
	before := identityIn(t, n)
	second, err := n.Dup()
	if err != nil {
		t.Fatal(err)
	}
	third, err := Hold("third", second.FD())
	if err != nil {
		t.Fatal(err)
	}
	n.Close()
	second.Close()
	if got := identityIn(t, third); got != before {
		t.Errorf("got %s, want %s", got, before)
	}
	third.Close()
}

func TestASpawnedProcessIsInsideAndOutlivesTheCall(t *testing.T) {
	n := mustNew(t)
	cmd := exec.Command("/bin/sh", "-c", "readlink /proc/self/ns/net; read line; exit 7")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := Spawn(n, cmd.Start); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 100)
	got, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	if want := identityIn(t, n); strings.TrimSpace(string(line[:got])) != want {
		t.Errorf("the process is in %s, want %s", line[:got], want)
	}
	// Other work must not end the thread that the process depends on.
	for range 10 {
		if err := n.Do(func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	in.Close()
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("got %v, want the process's own exit status", err)
	}
}

func TestSpawnReturnsTheErrorAndGoesHome(t *testing.T) {
	n := mustNew(t)
	want := errors.New("no")
	if err := Spawn(n, func() error { return want }); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
	m := mustNew(t)
	var got string
	if err := Spawn(m, func() error { got = identity(t); return nil }); err != nil || got != identityIn(t, m) {
		t.Errorf("the next job ran in %s (%v)", got, err)
	}
}
