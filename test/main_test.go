package test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/program"
)

// probeFunction is the environment variable with the path of the compiled test function.
const probeFunction = "CULVERT_TEST_FUNCTION"

func TestMain(m *testing.M) {
	if program.Face() {
		return
	}
	commands := map[string]func(){"culvert": culvert}
	if _, isCommand := commands[filepath.Base(os.Args[0])]; isCommand {
		testscript.Main(m, commands) // runs the command and ends
	}
	flag.Parse()
	if !launch.Inside() {
		directory, err := buildProbeFunction()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer os.RemoveAll(directory) // reached only if the tests cannot run here
	}
	os.Exit(launch.Tests(func() int {
		testscript.Main(m, commands)
		return 0
	}))
}

// buildProbeFunction compiles the function that scripts deploy, where the Go tool still sees the world.
func buildProbeFunction() (string, error) {
	if os.Getenv(probeFunction) != "" {
		return "", nil
	}
	directory, err := os.MkdirTemp("", "culvert-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(directory, "bootstrap")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./probefn")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return directory, fmt.Errorf("build the test function: %w\n%s", err, out)
	}
	return directory, os.Setenv(probeFunction, path)
}

func culvert() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(program.CommandLine(ctx))
}
