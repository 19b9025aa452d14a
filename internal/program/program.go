// Package program is what the executable does, by the name and the arguments it is started with.
//
// The same executable is the command line, the region, the first process of every sandbox, the object engine
// and the demo's function: one file to install, nothing to find at run time. What each face does is in its own
// package; the tests of whole regions use the same faces.
package program

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/culvert-cloud/culvert/internal/demo"
	"github.com/culvert-cloud/culvert/internal/objects"
	"github.com/culvert-cloud/culvert/internal/view/cli"
)

// version is set by the linker in releases.
var version = "0.1.0-dev"

// Face runs the face that this process was started for, if it is not the command line, and reports whether it
// did. The first process of a sandbox never comes here: package pid1 takes it before any main.
func Face() bool {
	switch {
	case objects.IsChild():
		objects.ChildMain()
	case demo.IsBootstrap():
		demo.Bootstrap()
	default:
		return false
	}
	return true
}

// Main runs the program and returns its exit status.
func Main() int {
	if Face() {
		return 0
	}
	ctx := untilSignal()
	status := CommandLine(ctx)
	var s signalled
	if status != cli.ExitOK && errors.As(context.Cause(ctx), &s) {
		return 128 + int(s.signal)
	}
	return status
}

// signalled is why a context ended.
type signalled struct{ signal syscall.Signal }

func (s signalled) Error() string { return s.signal.String() }

// untilSignal makes a context that ends with the first signal that asks for the end.
func untilSignal() context.Context {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		s, _ := (<-signals).(syscall.Signal)
		cancel(signalled{s})
	}()
	return ctx
}

// CommandLine runs the command of the arguments.
func CommandLine(ctx context.Context) int {
	return cli.Main(ctx, cli.Config{Version: version, Up: up, Demo: runDemo, Preflight: preflight})
}
