package execution

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// layers makes what functions see at /opt: one layer as it is, several merged in their order, of which a later one
// goes before an earlier one. A merged directory exists while an environment uses it.
type layers struct {
	code func(key string) (dir string, err error)
	dir  string // for merged directories; made when it is first needed

	mu     sync.Mutex
	merged map[string]*mergedLayers // by their keys; guarded by mu
}

type mergedLayers struct {
	dir   string
	users int
}

// hold returns the directory of a function's layers, empty if it has none, and keeps it until release is called.
func (l *layers) hold(f *resource.Function) (dir string, release func(), err error) {
	switch len(f.Layers) {
	case 0:
		return "", func() {}, nil
	case 1:
		dir, err := l.code(f.Layers[0].CodeKey)
		return dir, func() {}, err
	}
	var keys []string
	for _, layer := range f.Layers {
		keys = append(keys, layer.CodeKey)
	}
	key := strings.Join(keys, "+")
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.merged[key]
	if m == nil {
		m = &mergedLayers{}
		if m.dir, err = l.merge(keys); err != nil {
			return "", nil, fmt.Errorf("merge the layers of %s: %w", f.Name, err)
		}
		l.merged[key] = m
	}
	m.users++
	return m.dir, sync.OnceFunc(func() { l.release(key) }), nil
}

func (l *layers) release(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.merged[key]
	if m.users--; m.users == 0 {
		delete(l.merged, key)
		_ = os.RemoveAll(m.dir)
	}
}

func (l *layers) merge(keys []string) (string, error) {
	sum := sha256.Sum256([]byte(strings.Join(keys, "+")))
	to, err := os.MkdirTemp(l.dir, "culvert-layers-"+hex.EncodeToString(sum[:8])+"-")
	if err != nil {
		return "", err
	}
	err = os.Chmod(to, 0o755)
	for _, k := range keys {
		if err != nil {
			break
		}
		var from string
		if from, err = l.code(k); err == nil {
			err = lay(from, to)
		}
	}
	if err != nil {
		_ = os.RemoveAll(to)
		return "", err
	}
	return to, nil
}

// lay puts one tree over another. The trees are strangers', so no symbolic link is ever followed: where one stands
// in the way of a directory, it makes room. Files are shared with the source, which never changes.
func lay(from, to string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil || rel == "." {
			return err
		}
		target := filepath.Join(to, rel)
		there, err := os.Lstat(target)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && there.IsDir() && e.IsDir() {
			return nil
		}
		if err == nil {
			if err := os.RemoveAll(target); err != nil {
				return err
			}
		}
		return put(path, target, e.Type())
	})
}

func put(from, to string, kind fs.FileMode) error {
	switch kind {
	case fs.ModeDir:
		if err := os.Mkdir(to, 0o755); err != nil {
			return err
		}
		return os.Chmod(to, 0o755) // whatever the umask
	case fs.ModeSymlink:
		link, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(link, to)
	}
	if os.Link(from, to) == nil {
		return nil
	}
	return copyFile(from, to) // on another file system, for one
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(info.Mode().Perm()), out.Close())
}
