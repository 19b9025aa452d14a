package terraform

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestWhoMayIsAppliedChangedAndDestroyed is the life of users, groups, roles and policies, and of a bucket with all
// that guards it.
func TestWhoMayIsAppliedChangedAndDestroyed(t *testing.T) {
	w := newWorkshop(t)
	files := filepath.Join(w.dir, "files")
	if err := errors.Join(os.RemoveAll(files), os.CopyFS(files, os.DirFS("iam"))); err != nil {
		t.Fatal(err)
	}
	w.terraform(0, w.initArguments...)
	changed := []string{"-var=team=web", "-var=hours=2"}
	for _, variables := range [][]string{nil, changed} {
		w.terraform(0, append([]string{"apply", "-auto-approve"}, variables...)...)
		w.terraform(0, append([]string{"plan", "-detailed-exitcode"}, variables...)...) // 2: something to change
	}
	w.terraform(0, append([]string{"destroy", "-auto-approve"}, changed...)...)
	if got := w.left(); got != "" {
		t.Errorf("left after destroy: got %q, want nothing", got)
	}
}
