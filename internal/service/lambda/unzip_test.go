package lambda

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// entry is one entry of a zip that a test makes.
type entry struct {
	name string
	mode fs.FileMode
	body string
}

func makeZip(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func testStore(t testing.TB) *CodeStore {
	t.Helper()
	s, err := openCodeStore(t.TempDir(), func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tree lists what is below a directory: mode, path, and the content or target.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir || isKey(strings.TrimSuffix(d.Name(), zipSuffix)) && !d.IsDir() { // packages as they came
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var content []byte
		switch {
		case d.Type().IsRegular():
			content, err = os.ReadFile(p)
		case d.Type() == fs.ModeSymlink:
			var target string
			target, err = os.Readlink(p)
			content = []byte(target)
			out = append(out, fmt.Sprintf("link %s %s", strings.TrimPrefix(p, dir+"/"), content))
			return err
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%v %s %s", info.Mode(), strings.TrimPrefix(p, dir+"/"), content)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPackagesAreUnpackedWithTheirModesButReadOnly(t *testing.T) {
	s := testStore(t)
	zipped := makeZip(t,
		entry{"./", fs.ModeDir | 0o700, ""},
		entry{"lib/", fs.ModeDir | 0o700, ""},
		entry{"lib/m.py", 0o644, "pass"},
		entry{"bootstrap", 0o4755 | fs.ModeSetuid, "#!"},
		entry{"secret", 0o600, "x"},
		entry{"bin/run", fs.ModeSymlink | 0o777, "../bootstrap"},
		entry{"dangling", fs.ModeSymlink | 0o777, "no/where"},
	)
	c, release, err := s.PutZip(zipped)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	want := []string{
		"drwxr-xr-x bin", "link bin/run ../bootstrap", "-r-xr-xr-x bootstrap #!", "link dangling no/where",
		"drwxr-xr-x lib", "-r--r--r-- lib/m.py pass", "-r-------- secret x",
	}
	if diff := cmp.Diff(tree(t, s.Path(c.Key)), want); diff != "" {
		t.Errorf("unpacked (-got +want):\n%s", diff)
	}
	if c.Size != int64(len(zipped)) || len(c.SHA256) != 44 {
		t.Errorf("got size %d and hash %s, want %d and 44 characters", c.Size, c.SHA256, len(zipped))
	}
}

func TestHostilePackagesAreRefusedAndLeaveNothing(t *testing.T) {
	good := makeZip(t, entry{"a", 0o644, strings.Repeat("abc", 1000)})
	encrypted := bytes.Clone(good)
	encrypted[bytes.Index(encrypted, []byte("PK\x01\x02"))+8] |= 1
	damaged := bytes.Clone(good)
	damaged[40] ^= 0xff
	for name, zipped := range map[string][]byte{
		"not a zip":          []byte("hello, this is not a zip"),
		"truncated":          good[:len(good)-30],
		"damaged":            damaged,
		"encrypted":          encrypted,
		"parent":             makeZip(t, entry{"../a", 0o644, "x"}),
		"parent inside":      makeZip(t, entry{"a/../../b", 0o644, "x"}),
		"harmless parent":    makeZip(t, entry{"a/../b", 0o644, "x"}),
		"absolute":           makeZip(t, entry{"/etc/passwd", 0o644, "x"}),
		"backslash":          makeZip(t, entry{`..\a`, 0o644, "x"}),
		"null":               makeZip(t, entry{"a\x00b", 0o644, "x"}),
		"long name":          makeZip(t, entry{strings.Repeat("a", 300), 0o644, "x"}),
		"no name":            makeZip(t, entry{"", 0o644, "x"}),
		"device":             makeZip(t, entry{"a", fs.ModeDevice | fs.ModeCharDevice | 0o644, ""}),
		"pipe":               makeZip(t, entry{"a", fs.ModeNamedPipe | 0o644, ""}),
		"socket":             makeZip(t, entry{"a", fs.ModeSocket | 0o644, ""}),
		"twice":              makeZip(t, entry{"a", 0o644, "x"}, entry{"a", 0o644, "y"}),
		"twice with dot":     makeZip(t, entry{"a", 0o644, "x"}, entry{"./a", 0o644, "y"}),
		"file and directory": makeZip(t, entry{"a", 0o644, "x"}, entry{"a/b", 0o644, "y"}),
		"directory and file": makeZip(t, entry{"a/b", 0o644, "x"}, entry{"a", 0o644, "y"}),
		"link to root":       makeZip(t, entry{"a", fs.ModeSymlink | 0o777, "/etc/passwd"}),
		"link out":           makeZip(t, entry{"d/a", fs.ModeSymlink | 0o777, "../../x"}),
		"link to itself":     makeZip(t, entry{"a", fs.ModeSymlink | 0o777, "a"}),
		"long link":          makeZip(t, entry{"a", fs.ModeSymlink | 0o777, strings.Repeat("b/", 3000)}),
		"chain of links": makeZip(t, entry{"deep/er/", fs.ModeDir | 0o755, ""}, entry{"deep/er/up", fs.ModeSymlink | 0o777, "../../top"},
			entry{"top/", fs.ModeDir | 0o755, ""}, entry{"deep/er/out", fs.ModeSymlink | 0o777, "up/../.."}),
		"file through link": makeZip(t, entry{"a", fs.ModeSymlink | 0o777, "b"}, entry{"b/", fs.ModeDir | 0o755, ""}, entry{"a/c", 0o644, "x"}),
		"link over file":    makeZip(t, entry{"a/c", 0o644, "x"}, entry{"a", fs.ModeSymlink | 0o777, "b"}),
	} {
		t.Run(name, func(t *testing.T) {
			s := testStore(t)
			if _, _, err := s.PutZip(zipped); !errors.Is(err, errBadZip) {
				t.Errorf("got %v, want %v", err, errBadZip)
			}
			if got := tree(t, s.dir); got != nil {
				t.Errorf("left %v", got)
			}
		})
	}
}

func TestBombsAreRefused(t *testing.T) {
	var zeros bytes.Buffer
	z := zip.NewWriter(&zeros)
	w, err := z.Create("zeros")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(w, zeroReader{}, maxUnzipped+1); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s := testStore(t)
	if _, _, err := s.PutZip(zeros.Bytes()); !errors.Is(err, errTooBig) {
		t.Errorf("declared size: got %v, want %v", err, errTooBig)
	}

	// The same bytes under a directory that declares little: only what really comes out counts.
	lying := bytes.Clone(zeros.Bytes())
	size := bytes.Index(lying, []byte("PK\x01\x02")) + 24
	copy(lying[size:], []byte{100, 0, 0, 0})
	if _, _, err := s.PutZip(lying); !errors.Is(err, errTooBig) && !errors.Is(err, errBadZip) {
		t.Errorf("false size: got %v, want %v or %v", err, errTooBig, errBadZip)
	}
	if got := tree(t, s.dir); got != nil {
		t.Errorf("left %v", got)
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestTooManyEntriesAreRefused(t *testing.T) {
	var entries []entry
	for i := range maxEntries + 1 {
		entries = append(entries, entry{fmt.Sprint(i), 0o644, ""})
	}
	if _, _, err := testStore(t).PutZip(makeZip(t, entries...)); !errors.Is(err, errBadZip) {
		t.Errorf("got %v, want %v", err, errBadZip)
	}
	// A directory that is too long is refused before it is read.
	entries = entries[:0]
	for i := range 1000 {
		entries = append(entries, entry{fmt.Sprint(i, strings.Repeat("n", 60000)), 0o644, ""})
	}
	_, _, err := testStore(t).PutZip(makeZip(t, entries...))
	if !errors.Is(err, errBadZip) || !strings.Contains(err.Error(), "directory is too long") {
		t.Errorf("got %v, want a directory that is too long", err)
	}
}

func TestEmptyPackagesAreRefused(t *testing.T) {
	for _, zipped := range [][]byte{nil, {}, makeZip(t)} {
		if _, _, err := testStore(t).PutZip(zipped); !errors.Is(err, errEmptyZip) {
			t.Errorf("got %v, want %v", err, errEmptyZip)
		}
	}
}

func TestStreamsAreLimitedAndGiveTheSameCode(t *testing.T) {
	zipped := makeZip(t, entry{"a", 0o644, "x"})
	s := testStore(t)
	if _, _, err := s.PutStream(bytes.NewReader(zipped), int64(len(zipped))-1); !errors.Is(err, errTooBig) {
		t.Errorf("got %v, want %v", err, errTooBig)
	}
	a, release, err := s.PutStream(bytes.NewReader(zipped), int64(len(zipped)))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	b, release, err := s.PutZip(zipped)
	if err != nil || a != b {
		t.Errorf("got %v and %v, error %v; want the same", a, b, err)
	}
	defer release()
	if got := len(tree(t, s.dir)); got != 2 {
		t.Errorf("the store holds %d things, want the package and its file", got)
	}
	broken := io.MultiReader(bytes.NewReader(zipped[:10]), errorReader{})
	if _, _, err := s.PutStream(broken, 1000); err == nil || errors.Is(err, errBadZip) {
		t.Errorf("a stream that breaks: got %v, want an error of this machine", err)
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestCodeStaysWhileItIsHeldOrNamed(t *testing.T) {
	named := map[string]bool{}
	dir := t.TempDir()
	s, err := openCodeStore(dir, func(key string) bool { return named[key] })
	if err != nil {
		t.Fatal(err)
	}
	c, release, err := s.PutZip(makeZip(t, entry{"a", 0o644, "x"}))
	if err != nil {
		t.Fatal(err)
	}
	again, ok := s.Hold(c.Key)
	release()
	release() // a second call has no effect
	if !ok || !s.Has(c.Key) {
		t.Fatal("the code went while it was held")
	}
	named[c.Key] = true
	again()
	s.Collect(c.Key)
	if !s.Has(c.Key) {
		t.Fatal("the code went while it was named")
	}
	for _, name := range []string{"work-123", "somebody's file"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s, err = openCodeStore(dir, func(key string) bool { return named[key] }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree(t, dir), []string{"drwxr-xr-x " + c.Key, "-r--r--r-- " + c.Key + "/a x", "-rw------- somebody's file"}); diff != "" {
		t.Errorf("after a restart (-got +want):\n%s", diff)
	}
	delete(named, c.Key)
	s.Collect(c.Key)
	if s.Has(c.Key) {
		t.Error("the code stayed though nobody holds or names it")
	}
	if _, ok := s.Hold(c.Key); ok {
		t.Error("code that is gone was held")
	}
	if _, ok := s.Hold("../" + filepath.Base(dir)); ok {
		t.Error("what is no key was held")
	}
}

func TestManyUploadsOfTheSamePackageShareIt(t *testing.T) {
	s := testStore(t)
	zipped := makeZip(t, entry{"a", 0o644, strings.Repeat("x", 100000)})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 10 {
				c, release, err := s.PutZip(zipped)
				if err != nil {
					t.Error(err)
					return
				}
				if info, err := os.Stat(filepath.Join(s.Path(c.Key), "a")); err != nil || info.Size() != 100000 {
					t.Errorf("held code is not whole: %v", err)
				}
				release()
			}
		})
	}
	wait.Wait()
	if got := tree(t, s.dir); got != nil {
		t.Errorf("left %v", got)
	}
}

func FuzzUnzip(f *testing.F) {
	f.Add(makeZip(f, entry{"a", 0o644, "x"}, entry{"d/", fs.ModeDir | 0o755, ""}, entry{"d/l", fs.ModeSymlink | 0o777, "../a"}))
	f.Add(makeZip(f, entry{"../a", 0o644, "x"}))
	f.Add(makeZip(f, entry{"a/b", fs.ModeSymlink | 0o777, "../../c"}))
	f.Fuzz(func(t *testing.T, zipped []byte) {
		dir := t.TempDir()
		inner := filepath.Join(dir, "outer", "inner")
		if err := os.MkdirAll(inner, 0o755); err != nil {
			t.Fatal(err)
		}
		_ = unzip(bytes.NewReader(zipped), int64(len(zipped)), inner)
		for d, want := range map[string]string{dir: "outer", filepath.Join(dir, "outer"): "inner"} {
			if entries, err := os.ReadDir(d); err != nil || len(entries) != 1 || entries[0].Name() != want {
				t.Fatalf("something was written outside: %v %v", entries, err)
			}
		}
	})
}
