// Package netns makes network namespaces and does things inside them.
//
// A namespace lives exactly as long as its [NS] is held open: there is no bind mount and no name, so nothing
// can be left behind by a process that dies. Work inside a namespace is done on throw-away threads that are
// never given back to the Go scheduler, because going back to the first namespace is impossible without
// root, and a thread in the wrong namespace is the worst bug this program could have. The package never
// touches links or rules; see network/dataplane/linux for that.
package netns

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// NS is a network namespace. It must be closed; a forgotten one is never collected, on purpose: a finalizer
// that closed it would take the interfaces inside with it, in the middle of use.
type NS struct {
	name string
	fd   int

	mu     sync.Mutex
	closed bool // guarded by mu
}

// New makes an empty network namespace. The name is for messages only.
func New(name string) (*NS, error) {
	type result struct {
		fd  int
		err error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- result{err: fmt.Errorf("create network namespace %s: unshare: %w", name, err)}
			return
		}
		fd, err := unix.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			err = fmt.Errorf("create network namespace %s: open: %w", name, err)
		}
		done <- result{fd, err}
	}()
	r := <-done
	if r.err != nil {
		return nil, r.err
	}
	return &NS{name: name, fd: r.fd}, nil
}

// Name is the name given to New.
func (n *NS) Name() string { return n.name }

// FD is the descriptor that keeps the namespace alive. It is valid until Close and must not be closed.
func (n *NS) FD() int { return n.fd }

// Close lets go of the namespace. The kernel removes it, with everything in it, once no process and no
// socket is left inside; that happens later and is not waited for. Closing twice is fine.
func (n *NS) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	n.closed = true
	return unix.Close(n.fd)
}

// Do runs f on a thread inside the namespace. f must not start goroutines that need the namespace: they run
// on other threads. Sockets that f opens stay in the namespace for life and may be used from anywhere.
func (n *NS) Do(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked
		if err := unix.Setns(n.fd, unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter network namespace %s: %w", n.name, err)
			return
		}
		done <- f()
	}()
	return <-done
}

// Sysctl writes settings of the form "net.ipv4.ip_forward=1" inside the namespace.
func (n *NS) Sysctl(settings ...string) error {
	return n.Do(func() error {
		for _, s := range settings {
			key, value, ok := strings.Cut(s, "=")
			if !ok {
				return fmt.Errorf("sysctl %q has no value", s)
			}
			if err := os.WriteFile("/proc/sys/"+strings.ReplaceAll(key, ".", "/"), []byte(value), 0o644); err != nil {
				return fmt.Errorf("sysctl %s in %s: %w", s, n.name, err)
			}
		}
		return nil
	})
}

// Listen opens a stream listener inside the namespace. The address must be a literal.
func (n *NS) Listen(network, address string) (l net.Listener, err error) {
	err = n.Do(func() error {
		l, err = (&net.ListenConfig{KeepAlive: -1}).Listen(context.Background(), network, address)
		return err
	})
	return l, err
}

// ListenPacket opens a packet socket inside the namespace. The address must be a literal.
func (n *NS) ListenPacket(network, address string) (c net.PacketConn, err error) {
	err = n.Do(func() error {
		c, err = net.ListenPacket(network, address)
		return err
	})
	return c, err
}

// Dial connects from inside the namespace. The address must be a literal of one family: name resolution and
// racing of families would run on other threads, outside.
func (n *NS) Dial(network, address string, timeout time.Duration) (c net.Conn, err error) {
	err = n.Do(func() error {
		d := net.Dialer{Timeout: timeout, KeepAlive: -1}
		c, err = d.Dial(network, address)
		return err
	})
	return c, err
}
