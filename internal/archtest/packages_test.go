package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pkg is one package of the module, without its tests.
type pkg struct {
	path    string // below the module
	imports []string
	doc     bool // has a package comment
}

// packages reads the whole module. It reads the files itself, so that the go command knows that the result
// depends on them and does not serve a stale one from its cache.
func packages(t *testing.T) []*pkg {
	t.Helper()
	const root = "../.."
	found := map[string]*pkg{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "tools" || name == "examples") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		if found[dir] == nil {
			found[dir] = &pkg{path: filepath.ToSlash(dir)}
		}
		return read(found[dir], path)
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []*pkg
	for _, p := range found {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.path, b.path) })
	return all
}

func read(p *pkg, path string) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	f, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return err
	}
	if f.Doc != nil {
		p.doc = true
	}
	if strings.HasSuffix(path, "_test.go") {
		return nil
	}
	for _, i := range f.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return err
		}
		p.imports = append(p.imports, imported)
	}
	return nil
}
