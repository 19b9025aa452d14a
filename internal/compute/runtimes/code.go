package runtimes

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// How much of a function's code is looked at. Beyond that the worse is assumed.
const (
	maxScannedFiles = 20000
	maxScannedBytes = 32 << 20
)

// codeFacts is what a look at a function's code tells.
type codeFacts struct {
	// bundles are CA bundles that libraries brought along, below the code.
	bundles []string
	// usesSDK: some Python file mentions it, and it is not in the code itself.
	usesSDK bool
	brought bool // it is in the code itself
}

// isBundle recognises the CA bundles of Python's HTTP libraries.
func isBundle(path string) bool {
	dir, file := filepath.Split(path)
	parent := filepath.Base(dir)
	return file == "cacert.pem" && (parent == "certifi" || parent == "botocore" || parent == "requests")
}

// bringsSDK recognises where Python looks for packages, in code and in layers.
func bringsSDK(rel string) bool {
	inLayer, _ := filepath.Match("python/lib/python3.*/site-packages/botocore", rel)
	return rel == "botocore" || rel == "python/botocore" || inLayer
}

// factsOf looks once at each directory; a directory of the code store never changes.
func (l *Library) factsOf(dir string) (codeFacts, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f, ok := l.code[dir]; ok {
		return f, nil
	}
	f, err := look(dir)
	if err == nil {
		l.code[dir] = f
	}
	return f, err
}

// look never follows a symbolic link: the code is a customer's.
func look(dir string) (codeFacts, error) {
	var f codeFacts
	files, scanned := 0, 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if files++; files > maxScannedFiles {
			return fs.SkipAll
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			f.brought = f.brought || bringsSDK(rel)
		case !e.Type().IsRegular():
		case isBundle(rel):
			f.bundles = append(f.bundles, rel)
		case strings.HasSuffix(rel, ".py") && !f.usesSDK && scanned < maxScannedBytes:
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			scanned += len(b)
			f.usesSDK = bytes.Contains(b, []byte("boto3")) || bytes.Contains(b, []byte("botocore"))
		}
		return nil
	})
	f.usesSDK = f.usesSDK && !f.brought
	return f, err
}
