package logs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// medium keeps the bytes of streams. A key is group/stream, both hashes. Calls for one key do not overlap, but
// for readers that were opened before.
type medium interface {
	// Keys calls f for every key there is.
	Keys(f func(key string) error) error
	// WriteAt writes at the end of what is valid, making the key if it is not there.
	WriteAt(key string, b []byte, offset int64) error
	// Replace writes a key anew, whole or not at all. Readers that were opened before go on with what was there.
	Replace(key string, content io.Reader) error
	// Open returns a reader of the first size bytes.
	Open(key string, size int64) (reader, error)
	// Remove removes a key, or all keys of a group.
	Remove(key string) error
}

type reader interface {
	io.ReaderAt
	io.Closer
}

const streamSuffix = ".events"

// directory keeps each stream in a file: <hash of the group>/<hash of the stream>.events.
type directory struct{ root *os.Root }

func openDirectory(dir string) (*directory, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of log events: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the directory of log events: %w", err)
	}
	return &directory{root}, nil
}

func (d *directory) Keys(f func(string) error) error {
	return fs.WalkDir(d.root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		key, ok := strings.CutSuffix(p, streamSuffix)
		if !ok || !e.Type().IsRegular() || strings.Count(p, "/") != 1 {
			return nil
		}
		return f(key)
	})
}

func (d *directory) WriteAt(key string, b []byte, offset int64) error {
	if err := d.root.Mkdir(path.Dir(key), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := d.root.OpenFile(key+streamSuffix, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(b, offset); err == nil {
		// What a write that was cut off left behind the new end must not be read as records.
		err = f.Truncate(offset + int64(len(b)))
	}
	return errors.Join(err, f.Close())
}

func (d *directory) Replace(key string, content io.Reader) error {
	const suffix = ".new"
	f, err := d.root.OpenFile(key+suffix, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, d.root.Remove(key+suffix))
	}
	return d.root.Rename(key+suffix, key+streamSuffix)
}

func (d *directory) Open(key string, size int64) (reader, error) {
	return d.root.Open(key + streamSuffix)
}

func (d *directory) Remove(key string) error {
	if !strings.Contains(key, "/") {
		return d.root.RemoveAll(key)
	}
	err := d.root.Remove(key + streamSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
