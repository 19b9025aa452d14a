package test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/culvert-cloud/culvert/internal/operator"
)

// The small verbs: files, variables and waiting.

// big writes a JSON string of so many bytes into a file.
func big(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: big FILE SIZE")
	}
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), fmt.Appendf(nil, "%q", strings.Repeat("x", size-2)), 0o644))
}

func trimStar(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		ts.Setenv(name, strings.TrimPrefix(ts.Getenv(name), "*"))
	}
}

func substitute(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	for _, name := range args[1:] {
		text = strings.ReplaceAll(text, "$"+name, ts.Getenv(name))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

func setFromStdout(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	client := &operator.Client{Endpoint: args[0]}
	for range 200 {
		var status struct{ Version string }
		if client.Inspect(context.Background(), "status", nil, &status) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("nothing answers on %s after 10 s", args[0])
}

var vpcID = regexp.MustCompile(`vpc-[0-9a-f]{17}`)

func compareIDs(ts *testscript.TestScript, neg bool, args []string) {
	a, b := vpcID.FindAllString(ts.ReadFile(args[0]), -1), vpcID.FindAllString(ts.ReadFile(args[1]), -1)
	if slices.Equal(a, b) == neg {
		ts.Fatalf("%v and %v", a, b)
	}
}

// condition answers the conditions of scripts: [aws], [python-boto3].
func condition(name string) (bool, error) {
	switch name {
	case "aws":
		return works("aws", "--version"), nil
	case "python-boto3":
		return works("python3", "-c", "import boto3"), nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

func works(program string, args ...string) bool { return exec.Command(program, args...).Run() == nil }

// testLog writes the region's log into the script's.
func testLog(ts *testscript.TestScript) *slog.Logger {
	return slog.New(slog.NewTextHandler(logWriter{ts}, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// logged looks for a line in the region's log.
func logged(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: logged PATTERN")
	}
	pattern := regexp.MustCompile(args[0])
	r := of(ts)
	r.logMu.Lock()
	defer r.logMu.Unlock()
	if pattern.Match(r.log.Bytes()) == neg {
		ts.Fatalf("%s: %v; the log:\n%s", pattern, neg, r.log.Bytes())
	}
}

type logWriter struct{ ts *testscript.TestScript }

func (w logWriter) Write(b []byte) (int, error) {
	w.ts.Logf("%s", bytes.TrimSpace(b))
	r := of(w.ts)
	r.logMu.Lock()
	defer r.logMu.Unlock()
	r.log.Write(b)
	return len(b), nil
}
