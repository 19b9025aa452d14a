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
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// NS is a network namespace. It must be closed; a forgotten one is never collected, on purpose: a finalizer
// that closed it would take the interfaces inside with it, in the middle of use.
type NS struct {
	name string
	fd   int

	mu     sync.RWMutex
	closed bool // guarded by mu; held for reading while fd is handed to the kernel
}

// ErrClosed is returned for work in a namespace that was closed.
var ErrClosed = errors.New("network namespace is closed")

// New makes an empty network namespace. The name is for messages only. Each of setup then runs inside, on the
// same thread; if one fails there is no namespace.
func New(name string, setup ...func() error) (*NS, error) {
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
			done <- result{err: fmt.Errorf("create network namespace %s: open: %w", name, err)}
			return
		}
		for _, f := range setup {
			if err := f(); err != nil {
				unix.Close(fd)
				done <- result{err: fmt.Errorf("set up network namespace %s: %w", name, err)}
				return
			}
		}
		done <- result{fd: fd}
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

// Dup gives a second, independent hold on the namespace: it lives until both are closed.
func (n *NS) Dup() (*NS, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.closed {
		return nil, fmt.Errorf("hold network namespace %s: %w", n.name, ErrClosed)
	}
	fd, err := unix.FcntlInt(uintptr(n.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("hold network namespace %s: %w", n.name, err)
	}
	return &NS{name: n.name, fd: fd}, nil
}

// Hold is Dup for a namespace that is known by a descriptor only. The descriptor stays the caller's.
func Hold(name string, fd int) (*NS, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("hold network namespace %s: %w", name, err)
	}
	return &NS{name: name, fd: dup}, nil
}

// enter moves the calling thread into the namespace. The lock keeps the descriptor from being closed, and its
// number from being given to another namespace, in between.
func (n *NS) enter() error {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.closed {
		return fmt.Errorf("enter network namespace %s: %w", n.name, ErrClosed)
	}
	if err := unix.Setns(n.fd, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network namespace %s: %w", n.name, err)
	}
	return nil
}

// Do runs f on a thread inside the namespace. f must not start goroutines that need the namespace: they run
// on other threads. Sockets that f opens stay in the namespace for life and may be used from anywhere.
func (n *NS) Do(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked
		if err := n.enter(); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

// Sysctl writes settings of the form "net.ipv4.ip_forward=1" inside the namespace.
func (n *NS) Sysctl(settings ...string) error {
	if err := n.Do(Settings(settings...)); err != nil {
		return fmt.Errorf("in %s: %w", n.name, err)
	}
	return nil
}

// Settings gives a function that writes settings in the namespace of the thread that calls it, for [New] and
// [NS.Do].
func Settings(settings ...string) func() error {
	return func() error {
		for _, s := range settings {
			key, value, ok := strings.Cut(s, "=")
			if !ok {
				return fmt.Errorf("sysctl %q has no value", s)
			}
			if err := os.WriteFile("/proc/sys/"+strings.ReplaceAll(key, ".", "/"), []byte(value), 0o644); err != nil {
				return fmt.Errorf("sysctl %s: %w", s, err)
			}
		}
		return nil
	}
}

// Listen opens a stream listener inside the namespace. The address must be a literal.
func (n *NS) Listen(network, address string) (l net.Listener, err error) {
	if err := literal(address); err != nil {
		return nil, err
	}
	err = n.Do(func() error {
		lc := net.ListenConfig{KeepAlive: -1}
		lc.SetMultipathTCP(false)
		l, err = lc.Listen(context.Background(), network, address)
		return err
	})
	return l, err
}

// ListenPacket opens a packet socket inside the namespace. The address must be a literal.
func (n *NS) ListenPacket(network, address string) (c net.PacketConn, err error) {
	if err := literal(address); err != nil {
		return nil, err
	}
	err = n.Do(func() error {
		c, err = net.ListenPacket(network, address)
		return err
	})
	return c, err
}

// Dial connects from inside the namespace until the context ends. The address must be a literal of one
// family: name resolution and racing of families would run on other threads, outside.
func (n *NS) Dial(ctx context.Context, network, address string) (c net.Conn, err error) {
	if err := literal(address); err != nil {
		return nil, err
	}
	err = n.Do(func() error {
		c, err = (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, address)
		return err
	})
	return c, err
}

// literal refuses addresses that would have to be looked up.
func literal(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" {
		return fmt.Errorf("address %q is not a literal: %w", address, err)
	}
	return nil
}
