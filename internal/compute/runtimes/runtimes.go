// Package runtimes knows how to run each Lambda runtime on this machine: which program, with which arguments,
// mounts and settings.
//
// Functions with a bootstrap of their own (provided.*) need nothing. For Python and Node.js the package
// brings its own runtime clients, made for the machine's interpreters, and finds an AWS SDK for Python, which
// functions expect to be there. Interpreters are looked for when a function needs one, never earlier, and a
// missing one is an error of the invocation, never of the function's creation. Nothing is ever downloaded.
//
// What differs from AWS: with an interpreter of the distribution, functions can import the distribution's
// packages too; functions of Node.js have no AWS SDK but their own; container images and other
// languages are not there.
package runtimes

import (
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
)

//go:embed python nodejs
var clients embed.FS

// Where things are inside a sandbox.
const (
	TaskRoot   = "/var/task"
	RuntimeDir = "/var/runtime"
	LangDir    = "/var/lang"
	OptDir     = "/opt"
	sdkDir     = "/var/sdk/python"
)

// Request is what is to be run.
type Request struct {
	Runtime  string // AWS's name: python3.12
	CodeDir  string // unpacked, on the host
	OptDir   string // the layers, on the host; empty: none
	CABundle string // on the host; shown in place of bundles that libraries bring along
	MemoryMB int
}

// Plan is how to run it.
type Plan struct {
	Argv []string
	// Defaults are environment variables that a function's own settings replace.
	Defaults map[string]string
	Mounts   []sandbox.Mount
	// Version is for the log, as AWS prints it: python:3.12.v1.
	Version string
	// Framed: the runtime writes framed log records.
	Framed bool
	// Warnings are for the function's log: what is not as it would be on AWS.
	Warnings []string
}

// UnavailableError says that this machine cannot run a runtime.
type UnavailableError struct{ Runtime, Reason string }

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("The runtime %s cannot run on this machine: %s", e.Runtime, e.Reason)
}

// EntrypointError says that there is no program to run.
type EntrypointError struct{ Searched []string }

func (e *EntrypointError) Error() string {
	return fmt.Sprintf("Couldn't find valid bootstrap(s): [%s]", strings.Join(e.Searched, " "))
}

// Library plans. It remembers what it has found out about the machine.
type Library struct {
	log *slog.Logger
	dir string // the runtime clients, on disk

	mu      sync.Mutex
	pythons []interpreter        // guarded by mu; nil: not looked for yet
	sdks    []sdk                // guarded by mu; found with pythons
	nodes   []interpreter        // guarded by mu
	code    map[string]codeFacts // by directory; guarded by mu
	warm    map[string]bool      // interpreters the client was compiled for; guarded by mu
}

// New writes the runtime clients to a directory of its own below one that exists; empty: the system's temporary
// directory.
func New(log *slog.Logger, below string) (*Library, error) {
	dir, err := os.MkdirTemp(below, "culvert-runtimes-")
	if err != nil {
		return nil, fmt.Errorf("write runtime clients: %w", err)
	}
	l := &Library{log: log, dir: dir, code: map[string]codeFacts{}, warm: map[string]bool{}}
	if err := l.write(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("write runtime clients: %w", err)
	}
	return l, nil
}

// Close removes the directory.
func (l *Library) Close() error { return os.RemoveAll(l.dir) }

func (l *Library) write() error {
	// Whatever the umask: the function's user must be able to read.
	if err := os.Chmod(l.dir, 0o755); err != nil {
		return err
	}
	if err := makeDir(filepath.Join(l.dir, "empty")); err != nil {
		return err
	}
	return fs.WalkDir(clients, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		to := filepath.Join(l.dir, path)
		if e.IsDir() {
			return makeDir(to)
		}
		b, err := clients.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, b, 0o644); err != nil {
			return err
		}
		return os.Chmod(to, 0o644)
	})
}

func makeDir(path string) error {
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	return os.Chmod(path, 0o755)
}

// Plan plans. An *UnavailableError or *EntrypointError is the function's owner's to read.
func (l *Library) Plan(r Request) (*Plan, error) {
	facts, opt, err := l.facts(r)
	if err != nil {
		return nil, fmt.Errorf("look at the code: %w", err)
	}
	var p *Plan
	switch {
	case strings.HasPrefix(r.Runtime, "provided"):
		p, err = planProvided(r)
	case strings.HasPrefix(r.Runtime, "python"):
		p, err = l.planPython(r, facts)
	case strings.HasPrefix(r.Runtime, "nodejs"):
		p, err = l.planNode(r)
	default:
		err = &UnavailableError{r.Runtime, "only provided.*, python* and nodejs* are supported."}
	}
	if err != nil {
		return nil, err
	}
	p.Mounts = append(p.Mounts, sandbox.Mount{Source: r.CodeDir, Target: TaskRoot})
	p.showBundles(r, TaskRoot, facts)
	if r.OptDir != "" {
		p.Mounts = append(p.Mounts, sandbox.Mount{Source: r.OptDir, Target: OptDir})
		p.showBundles(r, OptDir, opt)
	}
	return p, nil
}

// facts looks at a function's code and at its layers.
func (l *Library) facts(r Request) (code, opt codeFacts, err error) {
	if code, err = l.factsOf(r.CodeDir); err != nil || r.OptDir == "" {
		return code, opt, err
	}
	opt, err = l.factsOf(r.OptDir)
	// An SDK may be in either of them, and so may what uses it.
	code.usesSDK = (code.usesSDK || opt.usesSDK) && !code.brought && !opt.brought
	return code, opt, err
}

// showBundles shows the region's certificates in place of those that libraries brought along.
func (p *Plan) showBundles(r Request, below string, facts codeFacts) {
	for _, bundle := range facts.bundles {
		p.Mounts = append(p.Mounts, sandbox.Mount{Source: r.CABundle, Target: filepath.Join(below, bundle)})
	}
}

func planProvided(r Request) (*Plan, error) {
	for _, place := range []struct{ source, target string }{{r.CodeDir, TaskRoot}, {r.OptDir, OptDir}} {
		if place.source == "" {
			continue
		}
		if info, err := os.Lstat(filepath.Join(place.source, "bootstrap")); err == nil && !info.IsDir() {
			return &Plan{Argv: []string{place.target + "/bootstrap"}, Version: r.Runtime + ".v1"}, nil
		}
	}
	return nil, &EntrypointError{Searched: []string{TaskRoot + "/bootstrap", "/opt/bootstrap"}}
}
