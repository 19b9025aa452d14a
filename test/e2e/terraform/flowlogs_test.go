package terraform

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestFlowLogsAreAppliedChangedAndDestroyed is the life of flow logs to a log group and to a bucket. Nothing of one can
// be changed but its tags: the provider makes it anew.
func TestFlowLogsAreAppliedChangedAndDestroyed(t *testing.T) {
	w := newWorkshop(t)
	files := filepath.Join(w.dir, "files")
	if err := errors.Join(os.RemoveAll(files), os.CopyFS(files, os.DirFS("flowlogs"))); err != nil {
		t.Fatal(err)
	}
	w.terraform(0, w.initArguments...)
	for _, variable := range []string{"-var=interval=600", "-var=interval=60"} {
		w.terraform(0, "apply", "-auto-approve", variable)
		w.terraform(0, "plan", "-detailed-exitcode", variable) // 2: something to change
	}
	w.terraform(0, "destroy", "-auto-approve")
	if got := w.left(); got != "" {
		t.Errorf("left after destroy: got %q, want nothing", got)
	}
}
