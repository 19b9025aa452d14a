package lambda

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
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
	"github.com/culvert-cloud/culvert/internal/state"
)

// The limits of packages; see "Lambda quotas".
const (
	maxZipped   = 52428800  // uploaded with the call
	maxUnzipped = 262144000 // also bounds a zip that comes from S3
)

// Code is a package that the store holds.
type Code struct {
	Key    string // names it in the store
	SHA256 string // of the zip, base64, as AWS prints it
	Size   int64  // of the zip
}

// CodeStore keeps unpacked packages in a directory, each under the hash of its zip, so that functions with the
// same package share it. A package appears there whole or not at all. It stays while somebody holds it or the
// state names it.
type CodeStore struct {
	dir  string
	used func(key string) bool

	mu   sync.Mutex
	held map[string]int // guarded by mu
}

// OpenCodeStore opens a store, making the directory if need be, and removes what is left of interrupted work and
// every package that no function names.
func OpenCodeStore(dir string, st *state.Store) (*CodeStore, error) {
	return openCodeStore(dir, func(key string) bool {
		v := st.View()
		return len(functionsOfCode.Find(v, key)) > 0 || len(versionsOfCode.Find(v, key)) > 0 || len(layersOfCode.Find(v, key)) > 0
	})
}

// What names a package: a function by its code and its layers, a published version likewise, a layer's version.
var (
	functionsOfCode = state.Index[*resource.Function]{Name: "code", Of: codeOf}
	versionsOfCode  = state.Index[*resource.FunctionVersion]{Name: "code", Of: func(v *resource.FunctionVersion) []string { return codeOf(&v.Function) }}
	layersOfCode    = state.Index[*resource.LayerVersion]{Name: "code", Of: func(l *resource.LayerVersion) []string { return []string{l.CodeKey} }}
)

func codeOf(f *resource.Function) []string {
	keys := []string{f.CodeKey}
	for _, l := range f.Layers {
		keys = append(keys, l.CodeKey)
	}
	return keys
}

func openCodeStore(dir string, used func(key string) bool) (*CodeStore, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the code store: %w", err)
	}
	s := &CodeStore{dir: dir, used: used, held: map[string]int{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the code store: %w", err)
	}
	for _, e := range entries {
		key := strings.TrimSuffix(e.Name(), zipSuffix)
		ours := isKey(key) && !used(key) || strings.HasPrefix(e.Name(), workPrefix)
		if !ours {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return nil, fmt.Errorf("remove unused code: %w", err)
		}
	}
	return s, nil
}

const (
	workPrefix = "work-"
	zipSuffix  = ".zip" // of a package as it came, beside its directory
)

func isKey(name string) bool {
	return len(name) == 2*sha256.Size && strings.Trim(name, "0123456789abcdef") == ""
}

// Path is the directory of a package, which becomes a function's /var/task.
func (s *CodeStore) Path(key string) string { return filepath.Join(s.dir, key) }

// Has reports whether a package is there.
func (s *CodeStore) Has(key string) bool {
	info, err := os.Stat(s.Path(key))
	return isKey(key) && err == nil && info.IsDir()
}

// Hold keeps a package from being removed until the function it returns is called; false if it is gone.
func (s *CodeStore) Hold(key string) (release func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.Has(key) {
		return nil, false
	}
	s.held[key]++
	return sync.OnceFunc(func() { s.release(key) }), true
}

// holdAll holds several packages, or none.
func (s *CodeStore) holdAll(keys []string) (release func(), ok bool) {
	if len(keys) == 1 {
		return s.Hold(keys[0])
	}
	var held []func()
	release = func() {
		for _, r := range held {
			r()
		}
	}
	for _, k := range keys {
		r, ok := s.Hold(k)
		if !ok {
			release()
			return nil, false
		}
		held = append(held, r)
	}
	return release, true
}

func (s *CodeStore) release(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[key]--; s.held[key] == 0 {
		delete(s.held, key)
		s.collectLocked(key)
	}
}

// Collect removes a package unless somebody holds it or the state names it.
func (s *CodeStore) Collect(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collectLocked(key)
}

// collectLocked leaves what it cannot remove to the next start: by then it has a name that is nobody's.
func (s *CodeStore) collectLocked(key string) {
	if !isKey(key) || s.held[key] > 0 || s.used(key) {
		return
	}
	trash, err := os.MkdirTemp(s.dir, workPrefix)
	if err != nil {
		return
	}
	_ = os.Rename(s.Path(key), filepath.Join(trash, key))
	_ = os.Remove(s.Path(key) + zipSuffix)
	_ = os.RemoveAll(trash)
}

// PutZip unpacks a zip that is in memory. The caller holds the package until it calls release.
func (s *CodeStore) PutZip(zipped []byte) (c Code, release func(), err error) {
	if len(zipped) == 0 {
		return Code{}, nil, errEmptyZip
	}
	sum := sha256.Sum256(zipped)
	return s.put(newCode(sum[:], int64(len(zipped))), bytes.NewReader(zipped))
}

// PutStream unpacks a zip that comes as a stream, of at most limit bytes. The caller holds the package until it
// calls release.
func (s *CodeStore) PutStream(r io.Reader, limit int64) (c Code, release func(), err error) {
	f, err := os.CreateTemp(s.dir, workPrefix)
	if err != nil {
		return Code{}, nil, fmt.Errorf("spool a package: %w", err)
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(r, limit+1))
	if err != nil {
		return Code{}, nil, fmt.Errorf("spool a package: %w", err)
	}
	if n > limit {
		return Code{}, nil, errTooBig
	}
	return s.put(newCode(sum.Sum(nil), n), io.NewSectionReader(f, 0, n))
}

func newCode(sum []byte, size int64) Code {
	return Code{Key: hex.EncodeToString(sum), SHA256: base64.StdEncoding.EncodeToString(sum), Size: size}
}

func (s *CodeStore) put(c Code, zipped sizedReaderAt) (Code, func(), error) {
	if release, ok := s.Hold(c.Key); ok {
		return c, release, nil
	}
	work, err := os.MkdirTemp(s.dir, workPrefix)
	if err != nil {
		return Code{}, nil, fmt.Errorf("unpack a package: %w", err)
	}
	defer os.RemoveAll(work)
	tree := filepath.Join(work, c.Key)
	if err := os.Mkdir(tree, 0o755); err != nil {
		return Code{}, nil, fmt.Errorf("unpack a package: %w", err)
	}
	if err := unzip(zipped, zipped.Size(), tree); err != nil {
		return Code{}, nil, err
	}
	if err := keep(zipped, tree+zipSuffix); err != nil {
		return Code{}, nil, fmt.Errorf("keep a package: %w", err)
	}
	return s.publish(c, tree)
}

// keep writes a package as it came: GetFunction gives it back.
func keep(zipped sizedReaderAt, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, io.NewSectionReader(zipped, 0, zipped.Size()))
	return errors.Join(err, f.Close())
}

type sizedReaderAt interface {
	io.ReaderAt
	Size() int64
}

// publish gives an unpacked package its name and holds it. Somebody else may have been faster.
func (s *CodeStore) publish(c Code, tree string) (Code, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.Rename(tree+zipSuffix, s.Path(c.Key)+zipSuffix); err != nil {
		return Code{}, nil, fmt.Errorf("publish a package: %w", err)
	}
	err := os.Rename(tree, s.Path(c.Key))
	if err != nil && !errors.Is(err, fs.ErrExist) && !s.Has(c.Key) {
		return Code{}, nil, fmt.Errorf("publish a package: %w", err)
	}
	s.held[c.Key]++
	return c, sync.OnceFunc(func() { s.release(c.Key) }), nil
}
