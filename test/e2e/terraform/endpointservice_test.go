package terraform

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestAnEndpointServiceIsAppliedChangedAndDestroyed is the life of a service behind a network load balancer, and of
// an endpoint of it that is accepted, in two VPCs with the same addresses. The provider itself waits a minute for
// each change of a load balancer.
func TestAnEndpointServiceIsAppliedChangedAndDestroyed(t *testing.T) {
	lives(t, "endpointservice", "-var=interval=15", "-var=cross=true")
}

// lives applies the files of a folder, changes them by variables and destroys them: each plan after an apply is empty,
// and nothing is left.
func lives(t *testing.T, folder string, changed ...string) {
	t.Helper()
	w := newWorkshop(t)
	files := filepath.Join(w.dir, "files")
	if err := errors.Join(os.RemoveAll(files), os.CopyFS(files, os.DirFS(folder))); err != nil {
		t.Fatal(err)
	}
	w.terraform(0, w.initArguments...)
	for _, variables := range [][]string{nil, changed} {
		w.terraform(0, append([]string{"apply", "-auto-approve"}, variables...)...)
		w.terraform(0, append([]string{"plan", "-detailed-exitcode"}, variables...)...) // 2: something to change
	}
	w.terraform(0, append([]string{"destroy", "-auto-approve"}, changed...)...)
	if got := w.left(); got != "" {
		t.Errorf("left after destroy: got %q, want nothing", got)
	}
}
