package region

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatIsSecretIsForNobodyElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "region")
	d, err := openDirectory(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	if _, err := d.key("session-key"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.sub("authority"); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestADirectoryThatEverybodyMayWriteToIsRefused(t *testing.T) {
	path := t.TempDir()
	if err := os.Chmod(path, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if _, err := openDirectory(path); err == nil || !strings.Contains(err.Error(), "everybody") {
		t.Errorf("got %v", err)
	}
}
