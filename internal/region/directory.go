package region

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// directory is where a region keeps its bytes.
type directory struct {
	path   string
	lock   *os.File
	remove bool // at the end
}

// openDirectory makes or takes the directory of a region that stays. Only one process may have it.
func openDirectory(path string) (*directory, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	if err := os.MkdirAll(absolute, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	// Its keys are only as safe as it is: who may write here could put others in their place.
	if info, err := os.Stat(absolute); err == nil && info.Mode().Perm()&0o002 != 0 {
		return nil, fmt.Errorf("open data directory: everybody on this machine may write to %s: choose another with --data, or chmod o-w it", absolute)
	}
	lock, err := os.OpenFile(filepath.Join(absolute, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("the data directory %s is in use by another region: stop it (culvert down) or choose another --data", absolute)
		}
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	return &directory{path: absolute, lock: lock}, nil
}

// memoryDirectory makes a directory in memory. It is mounted where only this process sees it, so that it is
// gone with the process, however that ends. Where there is no place to mount, it is an ordinary temporary
// directory, removed at the end.
func memoryDirectory() (*directory, error) {
	path, err := os.MkdirTemp(memory(), "culvert-")
	if err != nil {
		return nil, fmt.Errorf("make temporary directory: %w", err)
	}
	return &directory{path: path, remove: true}, nil
}

// memory mounts a file system in memory, once: a second mount would hide the first. It returns its place, empty
// if there is none.
var memory = sync.OnceValue(func() string {
	for _, place := range []string{"/mnt", "/media", "/srv"} {
		info, err := os.Lstat(place)
		if err == nil && info.IsDir() && unix.Mount("culvert", place, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0700") == nil {
			return place
		}
	}
	return ""
})

// sub makes a directory below.
func (d *directory) sub(name string) (string, error) {
	path := filepath.Join(d.path, name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", fmt.Errorf("make data directory: %w", err)
	}
	return path, nil
}

// fresh makes an empty directory below, without what a region that was killed has left in it.
func (d *directory) fresh(name string) (string, error) {
	if err := os.RemoveAll(filepath.Join(d.path, name)); err != nil {
		return "", fmt.Errorf("empty data directory: %w", err)
	}
	return d.sub(name)
}

// has reports whether there is something of that name.
func (d *directory) has(name string) bool {
	_, err := os.Lstat(filepath.Join(d.path, name))
	return err == nil
}

// key reads a secret key of 32 bytes, or makes it.
func (d *directory) key(name string) ([]byte, error) {
	path := filepath.Join(d.path, name)
	key, err := os.ReadFile(path)
	if err == nil && len(key) == 32 {
		return key, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if err == nil {
		return nil, fmt.Errorf("the key in %s is damaged: it has %d bytes, not 32; remove it to make a new one (sessions under the old one end)", path, len(key))
	}
	key = make([]byte, 32)
	_, _ = rand.Read(key) // never fails: see crypto/rand
	return slices.Clone(key), writeAtomically(path, key)
}

func writeAtomically(path string, content []byte) error {
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func (d *directory) close() error {
	if d.lock != nil {
		return d.lock.Close()
	}
	if d.remove {
		return os.RemoveAll(d.path)
	}
	return nil
}
