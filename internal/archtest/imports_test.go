package archtest

import (
	"path"
	"strings"
	"testing"
)

const module = "github.com/culvert-cloud/culvert/"

// allowed lists, for every package (a pattern of path.Match), what it may import of ours. A package that no
// row matches fails the test; the first row that matches counts.
var allowed = []struct {
	pkg  string
	may  []string
	note string
}{
	{"internal/archtest", nil, ""},
	{"internal/resource", nil, "nouns know nobody"},
	{"internal/api", nil, ""},
	{"internal/reconcile", nil, ""},
	{"internal/calls", []string{"internal/api", "internal/api/policy"}, "what was called; knows no service"},
	{"internal/netns", nil, "the kernel's namespaces, and nothing of AWS"},
	{"internal/launch", nil, ""},
	{"internal/objects", nil, "the object engine's child; knows no service"},
	{"internal/api/wire", []string{"internal/api"}, ""},
	{"internal/api/sigv4", []string{"internal/api"}, ""},
	{"internal/api/policy", []string{"internal/api"}, ""},
	{"internal/api/server", []string{"internal/api", "internal/api/*", "internal/service", "internal/state"}, "never service/*"},
	{"internal/state", []string{"internal/resource"}, ""},
	{"internal/state/etcd", []string{"internal/resource", "internal/state"}, ""},
	{"internal/network/topology", []string{"internal/resource", "internal/state"}, ""},
	{"internal/network/explain", []string{"internal/resource", "internal/network/topology", "internal/api/policy"}, "pure"},
	{"internal/network/dns", []string{"internal/resource", "internal/network/topology"}, ""},
	{"internal/network/dataplane", []string{"internal/resource", "internal/network/topology"}, ""},
	{"internal/network/dataplane/*", []string{"internal/resource", "internal/network/topology", "internal/network/dataplane", "internal/network/explain", "internal/netns"}, ""},
	{"internal/network/flow", []string{"internal/resource", "internal/network/topology", "internal/network/explain", "internal/network/dataplane"}, "pure memory"},
	{"internal/network/flowlog", []string{"internal/api/policy", "internal/resource", "internal/network/topology", "internal/network/flow"}, "pure"},
	{"internal/network/endpoint", []string{"internal/api", "internal/resource", "internal/network/topology", "internal/network/dataplane", "internal/network/dns"}, ""},
	{"internal/network/balancer", []string{"internal/resource", "internal/network/topology", "internal/network/dataplane", "internal/network/dataplane/linux", "internal/launch"}, "the data plane by its contract; linux and launch in tests only"},
	{"internal/network/agree", []string{"internal/resource", "internal/state", "internal/network/*", "internal/network/dataplane/*"}, "test only"},
	{"internal/compute/*", []string{"internal/api", "internal/resource", "internal/network/dataplane", "internal/compute/*", "internal/netns", "internal/launch"}, ""},
	{"internal/compute/sandbox/*", []string{"internal/resource", "internal/network/dataplane", "internal/compute/*", "internal/compute/sandbox/*/*", "internal/netns", "internal/launch"}, ""},
	{"internal/compute/sandbox/*/pid1", nil, "initializes before all others, so it must need none"},
	{"internal/service", []string{"internal/api", "internal/resource", "internal/state"}, ""},
	{"internal/service/servicetest", []string{"internal/api", "internal/api/*", "internal/service", "internal/state"}, ""},
	{"internal/service/vpcnet", []string{"internal/api", "internal/resource", "internal/state", "internal/service"}, "what several services do with interfaces"},
	{"internal/service/ec2", []string{"internal/api", "internal/api/*", "internal/resource", "internal/state", "internal/service", "internal/service/vpcnet", "internal/network/topology", "internal/network/explain", "internal/network/flowlog"}, "never another service"},
	{"internal/service/*", []string{"internal/api", "internal/api/wire", "internal/api/policy", "internal/resource", "internal/state", "internal/service", "internal/service/vpcnet"}, "never another service, never machinery"},
	{"internal/view/cli", []string{"internal/view/stream"}, "speaks HTTP to inspect"},
	{"internal/view/stream", nil, ""},
	{"internal/view/cost", nil, "pure"},
	{"internal/view/suggest", []string{"internal/api/policy", "internal/calls"}, "pure"},
	{"internal/view/*", []string{"internal/api", "internal/api/policy", "internal/calls", "internal/resource", "internal/state", "internal/reconcile", "internal/network/topology", "internal/network/explain", "internal/network/flow", "internal/view/*"}, "views only read"},
	{"internal/operator", nil, "a client like any other"},
	{"internal/demo", []string{"internal/operator", "internal/view/cost"}, "a client like any other"},
	{"internal/program", []string{"internal/*", "internal/*/*", "internal/*/*/*"}, "the faces of the executable"},
	{"internal/region", []string{"internal/*", "internal/*/*", "internal/*/*/*"}, "the only package that assembles"},
	{"test", nil, ""},
	{"test/e2e/terraform", []string{"internal/operator"}, "looks from outside"},
	{"test/performance", nil, "looks from outside"},
	{"test/probefn", nil, "a guest: knows nothing of the region"},
	{"cmd/culvert", []string{"internal/program"}, ""},
}

func TestEveryImportIsAllowed(t *testing.T) {
	for _, p := range packages(t) {
		pkg := p.path
		row := -1
		for i, r := range allowed {
			if ok, _ := path.Match(r.pkg, pkg); ok {
				row = i
				break
			}
		}
		if row < 0 {
			t.Errorf("%s is in no row of the dependency rule: add one", pkg)
			continue
		}
		for _, imported := range p.imports {
			target, ours := strings.CutPrefix(imported, module)
			if !ours || matches(allowed[row].may, target) {
				continue
			}
			t.Errorf("%s must not import %s (%s)", pkg, target, allowed[row].note)
		}
	}
}

func TestOnlyTheProgramImportsTheRegion(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.imports {
			if imported == module+"internal/region" && p.path != "internal/program" {
				t.Errorf("%s imports the region", p.path)
			}
		}
	}
}

func matches(patterns []string, pkg string) bool {
	for _, pattern := range patterns {
		if ok, _ := path.Match(pattern, pkg); ok {
			return true
		}
	}
	return false
}
