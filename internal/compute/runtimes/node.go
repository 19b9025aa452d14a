package runtimes

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
)

// findNodes finds Node.js. Its name tells no version, so it is asked.
func findNodes() []interpreter {
	var candidates []string
	for _, pattern := range []string{
		homeDir() + "/.nvm/versions/node/*/bin/node",
		homeDir() + "/.local/share/fnm/node-versions/*/installation/bin/node",
		"/opt/node*/bin/node",
	} {
		found, _ := filepath.Glob(pattern)
		candidates = append(candidates, found...)
	}
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/local/bin", "/usr/bin") {
		candidates = append(candidates, filepath.Join(dir, "node"))
	}
	var found []interpreter
	for _, c := range candidates {
		real, err := filepath.EvalSymlinks(c)
		if err != nil || !executable(real) || slices.ContainsFunc(found, func(x interpreter) bool { return x.path == real }) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		out, err := exec.CommandContext(ctx, real, "--version").Output()
		cancel()
		if v, ok := parseVersion(strings.TrimPrefix(strings.TrimSpace(string(out)), "v")); err == nil && ok {
			found = append(found, interpreter{version: v, path: real, prefix: prefixOf(real)})
		}
	}
	slices.SortFunc(found, func(a, b interpreter) int { return a.version.major - b.version.major })
	return found
}

// planNode chooses the version asked for, else the nearest newer, else the newest there is: unlike Python's,
// Node's versions are close to each other.
func (l *Library) planNode(r Request) (*Plan, error) {
	var want int
	if _, err := fmt.Sscanf(r.Runtime, "nodejs%d", &want); err != nil {
		return nil, &UnavailableError{r.Runtime, "the version is not a number."}
	}
	l.mu.Lock()
	if l.nodes == nil {
		l.nodes = findNodes()
	}
	nodes := l.nodes
	l.mu.Unlock()
	if len(nodes) == 0 {
		return nil, &UnavailableError{r.Runtime, "there is no Node.js. Install one."}
	}
	chosen := nodes[len(nodes)-1]
	for _, n := range nodes {
		if n.version.major >= want {
			chosen = n
			break
		}
	}
	p := &Plan{
		Version: fmt.Sprintf("nodejs:%d.v1", want),
		Framed:  true,
		// Node sizes its heap by the machine.
		Argv: []string{chosen.path, fmt.Sprintf("--max-old-space-size=%d", r.MemoryMB*9/10), RuntimeDir + "/bootstrap.mjs"},
		Defaults: map[string]string{
			"NODE_PATH":           fmt.Sprintf("/opt/nodejs/node%d/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task", want),
			"NODE_EXTRA_CA_CERTS": "/etc/pki/tls/certs/ca-bundle.crt",
		},
		Mounts: []sandbox.Mount{{Source: filepath.Join(l.dir, "nodejs"), Target: RuntimeDir}},
	}
	if chosen.version.major != want {
		p.Warnings = append(p.Warnings, fmt.Sprintf("Node.js %d is used in place of %d, which this machine does not have.", chosen.version.major, want))
	}
	if chosen.prefix != "" {
		p.Argv[0] = filepath.Join(LangDir, "bin", filepath.Base(chosen.path))
		p.Mounts = append(p.Mounts, sandbox.Mount{Source: chosen.prefix, Target: LangDir})
	}
	return p, nil
}
