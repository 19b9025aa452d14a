package agree

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane/linux"
	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

var (
	keepFlag  = flag.String("agree.keep", "testdata/kept", "where networks are kept in which explain and the kernel differ")
	plantFlag = flag.Bool("agree.plant", false, "keep the networks of planted mistakes anew, too")
)

// kept is one flow in one network, as a file. It was made small: nothing can be taken from it without the two agreeing
// again.
type kept struct {
	From      string // which random network it comes from
	What      string // in what the two differed
	Flow      explain.Flow
	Resources []keptResource
}

type keptResource struct {
	Kind resource.Kind
	Body json.RawMessage
}

// kinds are those that a network here consists of.
var kinds = []func() state.Resource{
	func() state.Resource { return new(resource.VPC) }, func() state.Resource { return new(resource.Subnet) },
	func() state.Resource { return new(resource.RouteTable) }, func() state.Resource { return new(resource.SecurityGroup) },
	func() state.Resource { return new(resource.NetworkACL) }, func() state.Resource { return new(resource.NetworkInterface) },
	func() state.Resource { return new(resource.NATGateway) }, func() state.Resource { return new(resource.Address) },
	func() state.Resource { return new(resource.InternetGateway) }, func() state.Resource { return new(resource.VPCEndpoint) },
	func() state.Resource { return new(resource.EgressOnlyGateway) }, func() state.Resource { return new(resource.PrefixList) }, func() state.Resource { return new(resource.VPCPeeringConnection) },
	func() state.Resource { return new(resource.LoadBalancer) }, func() state.Resource { return new(resource.TargetGroup) },
	func() state.Resource { return new(resource.Listener) }, func() state.Resource { return new(resource.EndpointService) },
}

func list[P state.Resource](r state.Reader) []state.Resource {
	var out []state.Resource
	for _, p := range state.List[P](r) {
		out = append(out, p)
	}
	return out
}

// everything is all that a network consists of.
func everything(r state.Reader) []state.Resource {
	return slices.Concat(list[*resource.VPC](r), list[*resource.Subnet](r), list[*resource.RouteTable](r), list[*resource.SecurityGroup](r),
		list[*resource.NetworkACL](r), list[*resource.NetworkInterface](r), list[*resource.NATGateway](r), list[*resource.Address](r),
		list[*resource.InternetGateway](r), list[*resource.EgressOnlyGateway](r), list[*resource.VPCEndpoint](r), list[*resource.PrefixList](r), list[*resource.VPCPeeringConnection](r),
		list[*resource.LoadBalancer](r), list[*resource.TargetGroup](r), list[*resource.Listener](r), list[*resource.EndpointService](r))
}

func networkOf(t *testing.T, all []state.Resource) *topology.Topology {
	t.Helper()
	s, err := state.Open(state.Config{Region: region, Account: "000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(func(tx *state.Tx) error {
		for _, r := range all {
			tx.Put(r)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return topology.Resolve(s.View(), topology.Options{})
}

// judge says what becomes of a flow; package explain, or one with a mistake.
type judge func(*topology.Topology, explain.Flow) explain.Trace

// contradiction makes a network and says in what a judge and the kernel differ about a flow; empty: in nothing.
func contradiction(t *testing.T, all []state.Resource, f explain.Flow, says judge) string {
	t.Helper()
	top := networkOf(t, all)
	if f.From != "" && (top.ENIs[f.From] == nil || top.VPC(top.ENIs[f.From].VPCID) == nil) {
		return ""
	}
	d, err := linux.New(linux.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	w := enter(t, d, top)
	defer w.close()
	seat := string(f.From)
	if f.From == "" {
		seat, f.Source = onTheInternet, w.outside
		if f.To.Is6() {
			f.Source = w.outside6
		}
	}
	probe := func(wait time.Duration) outcome {
		if f.Name != "" {
			return w.call(f, func() uint16 { return f.SourcePort + 1 })
		}
		return probeAll(w.seats, map[string][]explain.Flow{seat: {f}}, wait)[seat][0]
	}
	if throughBalancer(says(top, f)) {
		w.settle()
	}
	if _, what := differ(says, top, f, probe(patience)); what == "" {
		return ""
	}
	_, what := differ(says, top, f, probe(morePatience))
	return what
}

// maxShrinks bounds how often a network is made to find a smaller one.
const maxShrinks = 150

// shrink takes away what a contradiction does not need: resources in halves and then one by one, and then rules,
// entries and routes.
func shrink(t *testing.T, all []state.Resource, f explain.Flow, says judge) []state.Resource {
	t.Helper()
	left := maxShrinks
	relayed := func(all []state.Resource) bool { return throughBalancer(says(networkOf(t, all), f)) }
	balanced := relayed(all) // without a load balancer nobody listens at its interfaces
	still := func(fewer []state.Resource) bool {
		left--
		return left >= 0 && relayed(fewer) == balanced && contradiction(t, fewer, f, says) != ""
	}
	for size := len(all) / 2; size > 0; size /= 2 {
		for at := 0; at < len(all); {
			fewer := slices.Delete(slices.Clone(all), at, min(at+size, len(all)))
			if still(fewer) {
				all = fewer
			} else {
				at += size
			}
		}
	}
	for i := range all {
		for part := 0; ; {
			c, ok := without(all[i], part)
			if !ok {
				break
			}
			fewer := slices.Clone(all)
			fewer[i] = c
			if still(fewer) {
				all = fewer
			} else {
				part++
			}
		}
	}
	return all
}

// without is a copy of a resource that lacks one of its rules, entries or routes.
func without(r state.Resource, part int) (state.Resource, bool) {
	switch r := r.(type) {
	case *resource.SecurityGroup:
		c := *r
		if part >= len(r.Rules) {
			return nil, false
		}
		c.Rules = slices.Delete(slices.Clone(r.Rules), part, part+1)
		return &c, true
	case *resource.NetworkACL:
		c := *r
		if part >= len(r.Entries) {
			return nil, false
		}
		c.Entries = slices.Delete(slices.Clone(r.Entries), part, part+1)
		return &c, true
	case *resource.TargetGroup:
		c := *r
		if part >= len(r.Targets) {
			return nil, false
		}
		c.Targets = slices.Delete(slices.Clone(r.Targets), part, part+1)
		return &c, true
	case *resource.RouteTable:
		c := *r
		if part >= len(r.Routes) {
			return nil, false
		}
		c.Routes = slices.Delete(slices.Clone(r.Routes), part, part+1)
		return &c, true
	}
	return nil, false
}

// keep writes a case into a directory and returns the file's name.
func keep(t *testing.T, dir, name, what string, all []state.Resource, f explain.Flow) string {
	t.Helper()
	k := kept{From: name, What: what, Flow: f}
	for _, r := range all {
		body, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		k.Resources = append(k.Resources, keptResource{r.Kind(), body})
	}
	text, err := json.MarshalIndent(k, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name+".json")
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func readKept(t *testing.T, file string) ([]state.Resource, explain.Flow) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var all []state.Resource
	for _, r := range k.Resources {
		i := slices.IndexFunc(kinds, func(empty func() state.Resource) bool { return empty().Kind() == r.Kind })
		if i < 0 {
			t.Fatalf("%s: a %s is unknown", file, r.Kind)
		}
		one := kinds[i]()
		if err := json.Unmarshal(r.Body, one); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, one)
	}
	return all, k.Flow
}

// TestNetworksThatOnceDifferedAgree replays what was kept.
func TestNetworksThatOnceDifferedAgree(t *testing.T) {
	files, err := filepath.Glob("testdata/kept/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			all, f := readKept(t, file)
			if what := contradiction(t, all, f, explain.Explain); what != "" {
				t.Errorf("%s: %+v\n%s", what, f, explain.Explain(networkOf(t, all), f))
			}
		})
	}
}

// TestADisagreementIsShrunkAndKept plants mistakes and looks at what is kept of them: little, that still shows the
// mistake, and that nothing is wrong with. With -agree.plant the files are made anew.
func TestADisagreementIsShrunkAndKept(t *testing.T) {
	dir := t.TempDir()
	if *plantFlag {
		dir = *keepFlag
	}
	for _, name := range []string{"network ACLs are read backwards", "ACLs filter inside a subnet", "of the routes that match the shortest wins"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(faults, func(f fault) bool { return f.name == name })
			says := func(top *topology.Topology, f explain.Flow) explain.Trace {
				return explain.Explain(faulty(top, faults[i]), f)
			}
			all, f := shown(t, says)
			small := shrink(t, all, f, says)
			t.Logf("%d resources of %d are left", len(small), len(all))
			if len(small)*3 > len(all) {
				t.Errorf("%d resources of %d are left", len(small), len(all))
			}
			file := keep(t, dir, strings.ReplaceAll(name, " ", "-"), name, small, f)
			again, g := readKept(t, file)
			if contradiction(t, again, g, says) == "" {
				t.Error("what was kept does not show the mistake")
			}
			if what := contradiction(t, again, g, explain.Explain); what != "" {
				t.Errorf("without the mistake: %s", what)
			}
		})
	}
}

// shown finds a network in which a mistake makes explain deny what passes.
func shown(t *testing.T, says judge) ([]state.Resource, explain.Flow) {
	t.Helper()
	for _, seed := range wellKnown {
		g := newGenerator(t, seed)
		top := g.resolve()
		for _, flows := range g.flows(&world{topology: top}, 400) {
			for _, f := range flows {
				if f.From != "" && explain.Explain(top, f).Reachable && !says(top, f).Reachable {
					return everything(g.store.View()), f
				}
			}
		}
	}
	t.Fatal("no network shows it")
	return nil, explain.Flow{}
}
