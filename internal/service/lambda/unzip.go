package lambda

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// Packages come from strangers, so whatever a sound zip of a function does not need is refused, not repaired.
// Nothing is written but below the directory given: all paths go through an os.Root, and symbolic links are made
// last, so that nothing is ever written through one.

const (
	maxEntries = 100_000
	// maxDirectory bounds the zip's directory, which is read into memory before its entries can be counted.
	maxDirectory = 48 << 20
	maxLink      = 4096
)

var (
	errTooBig   = errors.New("the package is too big")
	errEmptyZip = errors.New("the package is empty")
	errBadZip   = errors.New("the package is not a zip that can be unpacked")
)

func badZip(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errBadZip, fmt.Sprintf(format, args...))
}

// unzip unpacks a zip into an empty directory. Its errors are the three above, or the machine's own.
func unzip(r io.ReaderAt, size int64, dir string) error {
	limited := &limitedReaderAt{r: r, left: maxDirectory}
	z, err := zip.NewReader(limited, size)
	if err != nil {
		return badZip("%v", err)
	}
	limited.left = -1
	if len(z.File) == 0 {
		return errEmptyZip
	}
	if err := checkEntries(z.File); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack a package: %w", err)
	}
	defer root.Close()
	return unpack(root, z.File)
}

// limitedReaderAt fails after so many bytes; never if left is negative.
type limitedReaderAt struct {
	r    io.ReaderAt
	left int64
}

func (l *limitedReaderAt) ReadAt(p []byte, offset int64) (int, error) {
	if l.left >= 0 {
		if l.left < int64(len(p)) {
			return 0, errors.New("its directory is too long")
		}
		l.left -= int64(len(p))
	}
	return l.r.ReadAt(p, offset)
}

// checkEntries refuses what can be told before anything is written.
func checkEntries(files []*zip.File) error {
	if len(files) > maxEntries {
		return badZip("it has more than %d entries", maxEntries)
	}
	seen := map[string]bool{}
	var total uint64
	for _, f := range files {
		name := entryName(f)
		switch {
		case !filepath.IsLocal(name) || strings.ContainsAny(name, "\\\x00") || path.Clean(name) != name:
			return badZip("the path %q is not allowed", f.Name)
		case f.Flags&1 != 0:
			return badZip("%q is encrypted", f.Name)
		case seen[name] && !f.Mode().IsDir():
			return badZip("%q is there twice", f.Name)
		}
		switch f.Mode().Type() {
		case 0, fs.ModeDir, fs.ModeSymlink:
		default:
			return badZip("%q is neither a file nor a directory nor a link", f.Name)
		}
		seen[name] = true
		if total += f.UncompressedSize64; f.UncompressedSize64 > maxUnzipped || total > maxUnzipped {
			return errTooBig
		}
	}
	return nil
}

// entryName is an entry's path without the slash that marks a directory, and without the ./ some programs write.
func entryName(f *zip.File) string {
	if f.Name == "./" {
		return "."
	}
	return strings.TrimSuffix(strings.TrimPrefix(f.Name, "./"), "/")
}

func unpack(root *os.Root, files []*zip.File) error {
	left := int64(maxUnzipped)
	buffer := make([]byte, 256<<10)
	var links []*zip.File
	for _, f := range files {
		var err error
		switch {
		case f.Mode().IsDir():
			err = root.MkdirAll(entryName(f), 0o755)
		case f.Mode().Type() == fs.ModeSymlink:
			links = append(links, f)
		default:
			err = unpackFile(root, f, &left, buffer)
		}
		if err != nil {
			return writeError(f, err)
		}
	}
	for _, f := range links {
		if err := unpackLink(root, f); err != nil {
			return writeError(f, err)
		}
	}
	return checkLinks(root, links)
}

// unpackFile counts what really comes out: an entry may hold more than it declares.
func unpackFile(root *os.Root, f *zip.File, left *int64, buffer []byte) error {
	if err := root.MkdirAll(path.Dir(entryName(f)), 0o755); err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return badZip("%q: %v", f.Name, err)
	}
	defer r.Close()
	w, err := root.OpenFile(entryName(f), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer w.Close()
	source := &markedReader{r: io.LimitReader(r, *left+1)}
	n, err := io.CopyBuffer(struct{ io.Writer }{w}, source, buffer)
	if *left -= n; *left < 0 {
		return errTooBig
	}
	if source.err != nil {
		return badZip("%q: %v", f.Name, source.err)
	}
	if err != nil {
		return err
	}
	// Set-id bits go, and so does write permission: functions may share the package.
	if err := w.Chmod(f.Mode().Perm() &^ 0o222); err != nil {
		return err
	}
	return w.Close()
}

// markedReader remembers an error of reading, to tell it from one of writing.
type markedReader struct {
	r   io.Reader
	err error
}

func (m *markedReader) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

func unpackLink(root *os.Root, f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return badZip("%q: %v", f.Name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxLink+1))
	if err != nil {
		return badZip("%q: %v", f.Name, err)
	}
	target, name := string(b), entryName(f)
	if len(target) > maxLink || path.IsAbs(target) || strings.Contains(target, "\x00") ||
		!filepath.IsLocal(path.Join(path.Dir(name), target)) {
		return badZip("the link %q leads out of the package", f.Name)
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	return root.Symlink(target, name)
}

// checkLinks follows every link, now that all are there: a chain of links may lead out though none of them does.
func checkLinks(root *os.Root, links []*zip.File) error {
	for _, f := range links {
		_, err := root.Stat(entryName(f))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return badZip("the link %q leads out of the package: %v", f.Name, err)
		}
	}
	return nil
}

// writeError tells what is wrong with the package, such as a file where a directory should be, from what is
// wrong with this machine, such as a full disk.
func writeError(f *zip.File, err error) error {
	if errors.Is(err, errBadZip) || errors.Is(err, errTooBig) {
		return err
	}
	for _, e := range []error{
		fs.ErrExist, syscall.ENOTDIR, syscall.EISDIR, syscall.ENAMETOOLONG, syscall.EINVAL, syscall.ELOOP, syscall.EILSEQ,
	} {
		if errors.Is(err, e) {
			return badZip("%q: %v", f.Name, err)
		}
	}
	return fmt.Errorf("unpack %q: %w", f.Name, err)
}
