package runtimes

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
)

// version is major.minor.
type version struct{ major, minor int }

func (v version) String() string { return fmt.Sprintf("%d.%d", v.major, v.minor) }

func (v version) less(w version) bool {
	return v.major < w.major || v.major == w.major && v.minor < w.minor
}

func parseVersion(s string) (version, bool) {
	major, rest, ok := strings.Cut(s, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	return version{a, b}, ok && err1 == nil && err2 == nil
}

// interpreter is a program on this machine that runs a language.
type interpreter struct {
	version version
	path    string // without symbolic links
	prefix  string // what to show at /var/lang; empty: it is below /usr, which is there anyway
}

// oldestPython is what our client needs.
var oldestPython = version{3, 6}

// findPythons finds interpreters, one for each version, sorted. It runs none of them.
func findPythons() []interpreter {
	var candidates []string
	for _, pattern := range []string{
		pyenvRoot() + "/versions/*/bin/python3.*",
		"/opt/python*/bin/python3.*",
		"/opt/python/*/bin/python3.*",
		homeDir() + "/.local/share/uv/python/*/bin/python3.*",
	} {
		found, _ := filepath.Glob(pattern)
		candidates = append(candidates, found...)
	}
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/local/bin", "/usr/bin") {
		found, _ := filepath.Glob(filepath.Join(dir, "python3*"))
		candidates = append(candidates, found...)
	}
	var found []interpreter
	for _, c := range candidates {
		i, ok := pythonAt(c)
		if ok && !slices.ContainsFunc(found, func(x interpreter) bool { return x.version == i.version }) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b interpreter) int { return a.version.minor - b.version.minor })
	return found
}

func homeDir() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return "/nonexistent"
	}
	return home
}

func pyenvRoot() string {
	if root := os.Getenv("PYENV_ROOT"); root != "" {
		return root
	}
	return homeDir() + "/.pyenv"
}

// pythonAt looks at a file. The real name tells the version; version managers put scripts of the same names on
// the path, which are no interpreters.
func pythonAt(path string) (interpreter, bool) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return interpreter{}, false
	}
	v, ok := parseVersion(strings.TrimPrefix(filepath.Base(real), "python"))
	if !ok || v.major != 3 || v.less(oldestPython) || !executable(real) {
		return interpreter{}, false
	}
	if !strings.HasSuffix(real, "python"+v.String()) { // python3.11-config and the like
		return interpreter{}, false
	}
	return interpreter{version: v, path: real, prefix: prefixOf(real)}, true
}

// prefixOf is the installation that a program in its bin directory belongs to.
func prefixOf(program string) string {
	prefix := filepath.Dir(filepath.Dir(program))
	if prefix == "/usr" || strings.HasPrefix(prefix, "/usr/") || prefix == "/" {
		return ""
	}
	return prefix
}

// executable reports whether we may run the file and it is a program, not a script.
func executable(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var magic [4]byte
	_, err = f.Read(magic[:])
	return err == nil && string(magic[:]) == "\x7fELF"
}

// planPython chooses an interpreter and an SDK.
func (l *Library) planPython(r Request, facts codeFacts) (*Plan, error) {
	want, ok := parseVersion(strings.TrimPrefix(r.Runtime, "python"))
	if !ok {
		return nil, &UnavailableError{r.Runtime, "the version is not a number."}
	}
	pythons, sdks := l.findPython()
	chosen, kit, warnings := choosePython(want, pythons, sdks, facts.usesSDK)
	if chosen == nil {
		return nil, &UnavailableError{r.Runtime, "there is no Python " + want.String() + " or newer. Install one, for example with pyenv."}
	}
	l.compile(*chosen)
	p := &Plan{
		Version:  fmt.Sprintf("python:%s.v1", want),
		Framed:   true,
		Warnings: warnings,
		Argv:     []string{chosen.path, "-u", RuntimeDir + "/bootstrap.py"},
		Defaults: map[string]string{"PYTHONPATH": RuntimeDir},
		Mounts:   []sandbox.Mount{{Source: filepath.Join(l.dir, "python"), Target: RuntimeDir}},
	}
	if !want.less(version{3, 13}) {
		p.Defaults["LC_CTYPE"] = "C.UTF-8"
	}
	if chosen.prefix != "" {
		p.Argv[0] = filepath.Join(LangDir, "bin", filepath.Base(chosen.path))
		p.Mounts = append(p.Mounts, sandbox.Mount{Source: chosen.prefix, Target: LangDir})
		p.Mounts = append(p.Mounts, l.hiddenSitePackages(*chosen)...)
	}
	if kit != nil {
		p.Mounts = append(p.Mounts, kit.mounts(r.CABundle)...)
	}
	return p, nil
}

// hiddenSitePackages covers what was installed for other purposes; on AWS it is not there.
func (l *Library) hiddenSitePackages(i interpreter) []sandbox.Mount {
	dir := filepath.Join("lib", "python"+i.version.String(), "site-packages")
	if _, err := os.Stat(filepath.Join(i.prefix, dir)); err != nil {
		return nil
	}
	return []sandbox.Mount{{Source: filepath.Join(l.dir, "empty"), Target: filepath.Join(LangDir, dir)}}
}

func (l *Library) findPython() ([]interpreter, []sdk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pythons == nil {
		l.pythons = findPythons()
		l.sdks = findSDKs(l.pythons)
		for _, p := range l.pythons {
			l.log.Debug("interpreter", "version", p.version.String(), "path", p.path)
		}
	}
	return l.pythons, l.sdks
}

// choosePython is the rule. The version asked for is best and any newer one better than none, because Python
// seldom breaks old programs. But a managed runtime always has the SDK: for a function that uses it, a newer
// interpreter with one is closer to what it expects than the exact one without.
func choosePython(want version, pythons []interpreter, sdks []sdk, usesSDK bool) (*interpreter, *sdk, []string) {
	var usable []*interpreter
	for i := range pythons {
		if !pythons[i].version.less(want) {
			usable = append(usable, &pythons[i])
		}
	}
	if len(usable) == 0 {
		return nil, nil, nil
	}
	chosen, kit := usable[0], newestSDK(sdks, usable[0].version)
	if usesSDK && kit == nil {
		if i, k := nearestWithSDK(usable, sdks); i != nil {
			chosen, kit = i, k
		}
	}
	var warnings []string
	switch {
	case chosen != usable[0]:
		warnings = append(warnings, fmt.Sprintf("Python %s is used in place of %s, for which this machine has no boto3. To get one: python%s -m pip install boto3", chosen.version, want, usable[0].version))
	case chosen.version != want:
		warnings = append(warnings, fmt.Sprintf("Python %s is used in place of %s, which this machine does not have.", chosen.version, want))
	}
	if usesSDK && kit == nil {
		warnings = append(warnings, fmt.Sprintf("The function uses boto3, and this machine has none for Python %s. To get one: python%s -m pip install boto3", chosen.version, chosen.version))
	}
	return chosen, kit, warnings
}

// nearestWithSDK prefers an interpreter that has an SDK of its own: the two are known to fit, and its modules
// are compiled.
func nearestWithSDK(usable []*interpreter, sdks []sdk) (*interpreter, *sdk) {
	for _, i := range usable {
		for k := range sdks {
			if sdks[k].owner == i.version {
				return i, &sdks[k]
			}
		}
	}
	for _, i := range usable {
		if k := newestSDK(sdks, i.version); k != nil {
			return i, k
		}
	}
	return nil, nil
}

// compile has the interpreter cache our client, once: compiling it takes longer than running it. It is not
// worth an error.
func (l *Library) compile(i interpreter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.warm[i.path] {
		return
	}
	l.warm[i.path] = true
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, i.path, "-I", "-S", "-m", "py_compile", filepath.Join(l.dir, "python", "lambda_runtime.py"))
	cmd.Env = []string{"LANG=C.UTF-8"}
	if out, err := cmd.CombinedOutput(); err != nil {
		l.log.Debug("runtime client not compiled", "interpreter", i.path, "err", err, "output", string(out))
		return
	}
	// Whatever the umask: see write.
	cache := filepath.Join(l.dir, "python", "__pycache__")
	_ = os.Chmod(cache, 0o755)
	files, _ := filepath.Glob(cache + "/*.pyc")
	for _, f := range files {
		_ = os.Chmod(f, 0o644)
	}
}
