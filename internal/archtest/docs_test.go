package archtest

import (
	"os"
	"path"
	"strings"
	"testing"
)

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if !p.doc {
			t.Errorf("%s has no package comment", p.path)
		}
	}
}

func TestEveryDirectDependencyHasAReason(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	reasons, err := os.ReadFile("../../docs/rationale.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(mod), "\n") {
		fields := strings.Fields(line)
		if len(fields) != 2 || !strings.Contains(fields[0], "/") || fields[0] == "module" {
			continue // indirect ones have a comment
		}
		name := strings.TrimPrefix(fields[0], "github.com/")
		for _, tail := range []string{"/v3", "/server", "/client", "/service/s3"} {
			name = strings.TrimSuffix(name, tail)
		}
		if !strings.Contains(string(reasons), path.Base(name)) {
			t.Errorf("%s has no line in docs/rationale.md", fields[0])
		}
	}
}
