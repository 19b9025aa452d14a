// Package program is what the executable does, by the name and the arguments it is started with.
//
// The same executable is the command line, the region, the first process of every sandbox, the object engine
// and the demo's function: one file to install, nothing to find at run time. What each face does is in its own
// package; the tests of whole regions use the same faces.
package program

import (
	"context"
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return CommandLine(ctx)
}

// CommandLine runs the command of the arguments.
func CommandLine(ctx context.Context) int {
	return cli.Main(ctx, cli.Config{Version: version, Up: up, Demo: runDemo, Preflight: preflight})
}
