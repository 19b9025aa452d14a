package launch

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lineFD is the child's end of the line to its parent.
const lineFD = 3

// A watch is what the parent knows of its child. A line, a pair of sockets, runs between them. The child says on
// it that it hears signals; before that the kernel would throw them away, because it protects a PID 1 without
// handlers. And the line breaks when the parent dies, even in the moment before the kernel was told to end the
// child with it.
type watch struct {
	ours, theirs *os.File
	signals      chan os.Signal
	killed       atomic.Int32 // the signal because of which the child was killed
}

func newWatch() (*watch, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make the line to the region's process: %w", err)
	}
	w := &watch{
		ours: os.NewFile(uintptr(pair[0]), "line to the child"), theirs: os.NewFile(uintptr(pair[1]), "line to the parent"),
		signals: make(chan os.Signal, 8),
	}
	// Before the child is there: nothing that is asked of the parent may be lost.
	signal.Notify(w.signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	return w, nil
}

// forward passes signals on. A child that does not hear yet has nothing to put in order and is killed; so is one
// that was asked before: who asks twice wants it now. Ctrl-C reaches the child from the terminal too; a second
// copy of a signal does no harm there.
func (w *watch) forward(ctx context.Context, child *os.Process) {
	hears := make(chan struct{})
	go func() {
		if _, err := io.ReadFull(w.ours, make([]byte, 1)); err == nil {
			close(hears)
		}
	}()
	asked := false
	for s := range w.all(ctx) {
		select {
		case <-hears:
		default:
			asked = true
		}
		if asked {
			w.killed.CompareAndSwap(0, int32(s))
			_ = child.Kill()
			continue
		}
		_ = child.Signal(s)
		asked = s != syscall.SIGQUIT
	}
}

// sameSignal is how far apart the end of the context and the signal that ended it can be seen.
const sameSignal = 100 * time.Millisecond

// all are the signals so far and to come. Who handled them before may have ended the context in place of one.
func (w *watch) all(ctx context.Context) iter.Seq[syscall.Signal] {
	return func(yield func(syscall.Signal) bool) {
		var first os.Signal = syscall.SIGTERM
		select {
		case first = <-w.signals:
		case <-ctx.Done():
			select {
			case first = <-w.signals:
			case <-time.After(sameSignal):
			}
		}
		for s := first; yield(s.(syscall.Signal)); s = <-w.signals {
		}
	}
}

// status is the exit status for a child's end, as a shell would have it.
func (w *watch) status(exit *exec.ExitError) int {
	if s := w.killed.Load(); s != 0 {
		return 128 + int(s)
	}
	if exit.ExitCode() >= 0 {
		return exit.ExitCode()
	}
	return 128 + int(exit.Sys().(syscall.WaitStatus).Signal())
}

// report tells the parent that this process hears signals, and makes it end with its parent.
func report() error {
	unix.CloseOnExec(lineFD)
	line := os.NewFile(lineFD, "line to the parent")
	if _, err := line.Write([]byte{1}); err != nil {
		return fmt.Errorf("report to the first process: %w", err)
	}
	go func() {
		// The parent never writes, so this ends when it is gone.
		_, _ = io.Copy(io.Discard, line)
		os.Exit(1)
	}()
	return nil
}

// moreFiles raises the limit of open files as far as an ordinary user may: a region has some for every
// interface. Where that is refused, what is missing says so when it is missed.
func moreFiles() {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil && limit.Cur < limit.Max {
		limit.Cur = limit.Max
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	}
}
