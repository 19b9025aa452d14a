package terraform

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/culvert-cloud/culvert/internal/operator"
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
	for i, variables := range [][]string{nil, changed} {
		w.terraform(0, append([]string{"apply", "-auto-approve"}, variables...)...)
		if got, want := w.visit("main", "live") == http.StatusForbidden, i == 1; got != want {
			t.Errorf("with %v the URL is forbidden: got %v, want %v", variables, got, want)
		}
		w.terraform(0, append([]string{"plan", "-detailed-exitcode"}, variables...)...) // 2: something to change
	}
	w.terraform(0, append([]string{"destroy", "-auto-approve"}, changed...)...)
	if got := w.left(); got != "" && got != "log-group" {
		t.Errorf("left after destroy: got %q, want the log group at most", got)
	}
}

// visit sends a request to a function's URL at the region's door, and returns the status of the answer.
func (w *workshop) visit(function, alias string) int {
	w.t.Helper()
	c := &operator.Client{Endpoint: w.url, Region: "us-west-2"}
	body, err := c.JSON(w.t.Context(), "lambda", "GET", "/2021-10-31/functions/"+function+"/url?Qualifier="+alias, nil)
	var config struct{ FunctionUrl string }
	if err = errors.Join(err, json.Unmarshal(body, &config)); err != nil {
		w.t.Fatal(err)
	}
	address, err := url.Parse(config.FunctionUrl)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), "GET", w.url, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Host = address.Host
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}
