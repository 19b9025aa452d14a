package runtimes

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
)

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func TestTheRuleForPython(t *testing.T) {
	var pythons []interpreter
	for _, minor := range []int{9, 10, 11, 12} {
		pythons = append(pythons, interpreter{version: version{3, minor}, path: "/p"})
	}
	modern := sdk{dir: "modern", release: []int{1, 43, 11}, requires: version{3, 10}, owner: version{3, 11}}
	old := sdk{dir: "old", release: []int{1, 26, 27}, requires: version{3, 7}, owner: version{3, 12}}
	for _, c := range []struct {
		name    string
		want    int
		pythons []interpreter
		sdks    []sdk
		uses    bool
		version string // empty: none
		sdk     string
		warning string
	}{
		{"exact, and the newest SDK it can use", 11, pythons, []sdk{old, modern}, true, "3.11", "modern", ""},
		{"exact, and an older SDK", 9, pythons, []sdk{old, modern}, true, "3.9", "old", ""},
		{"exact with another's SDK", 12, pythons, []sdk{modern}, true, "3.12", "modern", ""},
		{"no SDK for it, but the function needs none", 9, pythons, []sdk{modern}, false, "3.9", "", ""},
		{"no SDK for it, so the nearest that has one", 9, pythons, []sdk{modern}, true, "3.11", "modern",
			"Python 3.11 is used in place of 3.9, for which this machine has no boto3."},
		{"no SDK at all", 9, pythons, nil, true, "3.9", "", "The function uses boto3, and this machine has none for Python 3.9."},
		{"the nearest newer", 8, pythons, []sdk{old}, true, "3.9", "old", "Python 3.9 is used in place of 3.8, which this machine does not have."},
		{"never an older", 13, pythons, []sdk{old}, true, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			i, k, warnings := choosePython(version{3, c.want}, c.pythons, c.sdks, c.uses)
			if (i == nil) != (c.version == "") || i != nil && i.version.String() != c.version {
				t.Errorf("interpreter %+v, want %s", i, c.version)
			}
			if (k == nil) != (c.sdk == "") || k != nil && k.dir != c.sdk {
				t.Errorf("SDK %+v, want %s", k, c.sdk)
			}
			got := strings.Join(warnings, " ")
			if (got == "") != (c.warning == "") || !strings.HasPrefix(got, c.warning) {
				t.Errorf("warning %q, want %q", got, c.warning)
			}
		})
	}
}

func TestAnSDKTellsWhichPythonItNeeds(t *testing.T) {
	dir := t.TempDir()
	for _, p := range []string{"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3"} {
		write(t, filepath.Join(dir, p, "__init__.py"), "", 0o644)
	}
	if _, ok := sdkAt(dir); ok {
		t.Error("an SDK without metadata was taken")
	}
	write(t, filepath.Join(dir, "boto3-1.43.11.dist-info", "METADATA"), "Name: boto3\nVersion: 1.43.11\nRequires-Python: >=3.9\n\nVersion: 9\n", 0o644)
	write(t, filepath.Join(dir, "botocore-1.43.11.dist-info", "METADATA"), "Version: 1.43.11\nRequires-Python: !=3.11.0,>=3.10\n", 0o644)
	s, ok := sdkAt(dir)
	if !ok || s.requires != (version{3, 10}) || !cmp.Equal(s.release, []int{1, 43, 11}) {
		t.Errorf("%+v %v", s, ok)
	}
	write(t, filepath.Join(dir, "botocore", "cacert.pem"), "theirs", 0o644)
	var targets []string
	for _, m := range s.mounts("/bundle") {
		if strings.HasSuffix(m.Target, ".pem") && m.Source != "/bundle" {
			t.Errorf("mount %+v", m)
		}
		targets = append(targets, strings.TrimPrefix(m.Target, sdkDir+"/"))
	}
	if d := cmp.Diff([]string{"boto3", "botocore", "botocore/cacert.pem", "s3transfer", "jmespath", "dateutil", "urllib3"}, targets); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestBundlesInTheCodeAreFoundAndLinksAreNotFollowed(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "certifi", "cacert.pem"), "x", 0o644)
	write(t, filepath.Join(dir, "vendor", "botocore", "cacert.pem"), "x", 0o644)
	write(t, filepath.Join(dir, "own", "cacert.pem"), "x", 0o644)
	for link, target := range map[string]string{"evil": "/etc", "requests": dir + "/certifi"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "a", "certifi"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "a", "certifi", "cacert.pem")); err != nil {
		t.Fatal(err)
	}
	f, err := look(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"certifi/cacert.pem", "vendor/botocore/cacert.pem"}, f.bundles); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestCodeThatBringsItsSDKNeedsNone(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.py"), "import boto3\n", 0o644)
	if f, _ := look(dir); !f.usesSDK {
		t.Error("the import was not seen")
	}
	write(t, filepath.Join(dir, "botocore", "__init__.py"), "", 0o644)
	if f, _ := look(dir); f.usesSDK {
		t.Error("its own SDK was not seen")
	}
}

func TestAScriptIsNoInterpreter(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "bin", "python3.9"), "#!/bin/sh\n", 0o755)
	write(t, filepath.Join(dir, "bin", "python3.10"), "\x7fELF...", 0o755)
	write(t, filepath.Join(dir, "bin", "python3.10-config"), "\x7fELF...", 0o755)
	write(t, filepath.Join(dir, "bin", "python3.5"), "\x7fELF...", 0o755)
	for name, want := range map[string]bool{"python3.9": false, "python3.10": true, "python3.10-config": false, "python3.5": false} {
		i, ok := pythonAt(filepath.Join(dir, "bin", name))
		if ok != want || ok && (i.version != version{3, 10} || i.prefix != dir) {
			t.Errorf("%s: %v %+v", name, ok, i)
		}
	}
}

func TestThePlanOfAFunctionWithABootstrapIsItsCode(t *testing.T) {
	l, err := New(slog.New(slog.DiscardHandler), "")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "bootstrap"), "x", 0o755)
	p, err := l.Plan(Request{Runtime: "provided.al2023", CodeDir: dir, CABundle: "/bundle"})
	if err != nil {
		t.Fatal(err)
	}
	want := &Plan{Argv: []string{"/var/task/bootstrap"}, Version: "provided.al2023.v1", Mounts: []sandbox.Mount{{Source: dir, Target: "/var/task"}}}
	if d := cmp.Diff(want, p); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestTheClientsAreReadableForEverybody(t *testing.T) {
	old := syscall.Umask(0o077)
	l, err := New(slog.New(slog.DiscardHandler), "")
	syscall.Umask(old)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = filepath.WalkDir(l.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode()&0o004 == 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
