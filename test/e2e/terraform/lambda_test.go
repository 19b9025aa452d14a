package terraform

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestWhatBelongsToAFunctionIsAppliedChangedAndDestroyed is the life of a published function with an alias, a layer,
// permissions, a URL, destinations and provisioned concurrency.
func TestWhatBelongsToAFunctionIsAppliedChangedAndDestroyed(t *testing.T) {
	w := newWorkshop(t)
	files := filepath.Join(w.dir, "files")
	if err := errors.Join(os.RemoveAll(files), os.CopyFS(files, os.DirFS("lambda"))); err != nil {
		t.Fatal(err)
	}
	w.terraform(0, w.initArguments...)
	changed := []string{"-var=memory=256", "-var=auth=AWS_IAM"}
	for _, variables := range [][]string{nil, changed} {
		w.terraform(0, append([]string{"apply", "-auto-approve"}, variables...)...)
		w.terraform(0, append([]string{"plan", "-detailed-exitcode"}, variables...)...) // 2: something to change
	}
	w.terraform(0, append([]string{"destroy", "-auto-approve"}, changed...)...)
	if got := w.left(); got != "" && got != "log-group" {
		t.Errorf("left after destroy: got %q, want the log group at most", got)
	}
}
