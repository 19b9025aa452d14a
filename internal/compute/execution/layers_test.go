package execution

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// trees writes layers: path to content; "-> x" is a symbolic link.
func trees(t *testing.T, all ...map[string]string) *layers {
	t.Helper()
	dir := t.TempDir()
	for i, files := range all {
		for path, content := range files {
			to := filepath.Join(dir, string(rune('a'+i)), path)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				t.Fatal(err)
			}
			var err error
			if len(content) > 3 && content[:3] == "-> " {
				err = os.Symlink(content[3:], to)
			} else {
				err = os.WriteFile(to, []byte(content), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	code := func(key string) (string, error) { return filepath.Join(dir, key), nil }
	return &layers{code: code, dir: t.TempDir(), merged: map[string]*mergedLayers{}}
}

func TestALaterLayerGoesBeforeAnEarlierOne(t *testing.T) {
	l := trees(t, map[string]string{"x": "1", "both": "1", "d/one": "1"}, map[string]string{"both": "2", "d/two": "2"})
	f := &resource.Function{Layers: []resource.FunctionLayer{{CodeKey: "a"}, {CodeKey: "b"}}}
	dir, release, err := l.hold(f)
	if err != nil {
		t.Fatal(err)
	}
	again, releaseAgain, err := l.hold(f)
	if err != nil || again != dir {
		t.Fatalf("the second time got %s, %v", again, err)
	}
	for path, want := range map[string]string{"x": "1", "both": "2", "d/one": "1", "d/two": "2"} {
		if got, err := os.ReadFile(filepath.Join(dir, path)); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v", path, got, err)
		}
	}
	release()
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the directory is gone while it is used: %v", err)
	}
	releaseAgain()
	if _, err := os.Stat(dir); err == nil {
		t.Error("the directory is there although nobody uses it")
	}
}

func TestNoLayerWritesThroughALinkOfAnother(t *testing.T) {
	outside := t.TempDir()
	l := trees(t, map[string]string{"python": "-> " + outside, "file": "-> " + outside + "/f"}, map[string]string{"python/evil": "x", "file": "x"})
	dir, release, err := l.hold(&resource.Function{Layers: []resource.FunctionLayer{{CodeKey: "a"}, {CodeKey: "b"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if left, _ := os.ReadDir(outside); len(left) != 0 {
		t.Errorf("something was written outside: %v", left)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "python/evil")); err != nil || string(got) != "x" {
		t.Errorf("the second layer's file: %q, %v", got, err)
	}
}
