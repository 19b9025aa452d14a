package terraform

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/operator"
)

// example is the life of one of the examples: as it is, and with one variable changed.
type example struct {
	name      string
	change    string // a variable, name=value
	left      string // kinds that stay after destroy
	see       func(w *workshop) string
	as, after string // what is to be seen, before and after the change
}

func examples() []example {
	read := func(function string) func(*workshop) string {
		return func(w *workshop) string { return w.invoke(function, `{}`) }
	}
	return []example{
		{"private-s3", "endpoint=false", "log-group", read("private-s3-reader"), "read through the network", "timed out"},
		{"gateway-endpoint", "endpoint=false", "log-group", read("gateway-endpoint-reader"), "read through the network", "timed out"},
		{"nat", "nat=false", "log-group", read("nat-reader"), "read through the network", "timed out"},
		{"interface-endpoints", `services=["logs"]`, "log-group", func(w *workshop) string { return w.invoke("interface-endpoints-caller", `{"do":"whoami"}`) },
			"assumed-role", "timed out"},
		{"peering", "routes=false", "log-group", func(w *workshop) string {
			return w.invoke("peering-caller", `{"do":"fetch","url":"`+w.output("url")+`"}`)
		}, "hello from the other VPC", "timed out"},
		{"three-tier", "data_port=5433", "instance", func(w *workshop) string { return w.lastLine(w.output("app")) }, "from the data tier: rows", "from the data tier: nothing"},
	}
}

// TestTheExamplesDoWhatTheySay applies each example, changes it, and destroys it. After each step nothing is left to
// change, and what it shows is what its README says.
func TestTheExamplesDoWhatTheySay(t *testing.T) {
	w := newWorkshop(t)
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("SKIPPED: there is no python3 to pack the functions with")
	}
	all := filepath.Join(w.dir, "examples")
	if err := copyExamples(all); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("make", "-C", all).CombinedOutput(); err != nil {
		t.Fatalf("build the functions: %v\n%s", err, out)
	}
	for _, e := range examples() {
		t.Run(e.name, func(t *testing.T) {
			w := *w
			w.t, w.files = t, filepath.Join(all, e.name)
			w.live(e)
		})
	}
}

// copyExamples copies the examples as they are in the repository: a state that somebody else has left beside them is
// about other resources.
func copyExamples(to string) error {
	return errors.Join(os.CopyFS(to, os.DirFS("../../../examples")), filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); strings.HasPrefix(name, ".terraform") || strings.HasPrefix(name, "terraform.tfstate") {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
			if d.IsDir() {
				return fs.SkipDir
			}
		}
		return nil
	}))
}

func (w *workshop) live(e example) {
	w.terraform(0, w.initArguments...)
	for _, stage := range []struct {
		variables []string
		want      string
	}{{nil, e.as}, {[]string{"-var=" + e.change}, e.after}} {
		w.terraform(0, append([]string{"apply", "-auto-approve"}, stage.variables...)...)
		w.terraform(0, append([]string{"plan", "-detailed-exitcode"}, stage.variables...)...) // 2: something to change
		got := ""
		for range 10 { // a server may still be starting
			if got = e.see(w); strings.Contains(got, stage.want) {
				break
			}
			time.Sleep(time.Second)
		}
		if !strings.Contains(got, stage.want) {
			w.t.Errorf("%v: got %q, want %q", stage.variables, got, stage.want)
		}
	}
	w.terraform(0, "destroy", "-auto-approve", "-var="+e.change)
	for kind := range strings.FieldsSeq(w.left()) {
		if kind != "log-group" && kind != e.left { // nobody declared the groups that functions write to
			w.t.Errorf("left after destroy: %s", kind)
		}
	}
}

func (w *workshop) invoke(function, event string) string {
	w.t.Helper()
	c := &operator.Client{Endpoint: w.url, Region: "us-west-2"}
	answer, err := c.Invoke(w.t.Context(), function, []byte(event))
	if err != nil {
		return err.Error()
	}
	return answer.Payload
}

func (w *workshop) output(name string) string {
	w.t.Helper()
	c := exec.Command("terraform", "output", "-raw", name)
	c.Dir = w.files
	out, err := c.Output()
	if err != nil {
		w.t.Fatalf("terraform output %s: %v", name, err)
	}
	return string(out)
}

// lastLine is what an instance wrote last.
func (w *workshop) lastLine(id string) string {
	w.t.Helper()
	c := &operator.Client{Endpoint: w.url, Region: "us-west-2"}
	body, err := c.QueryRaw(w.t.Context(), "ec2", "GetConsoleOutput", "InstanceId", id)
	if err != nil {
		w.t.Fatal(err)
	}
	var answer struct {
		Output string `xml:"output"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		w.t.Fatal(err)
	}
	written, err := base64.StdEncoding.DecodeString(answer.Output)
	if err != nil {
		w.t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(written)), "\n")
	return lines[len(lines)-1]
}
