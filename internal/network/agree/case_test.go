package agree

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
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

var saveFlag = flag.Bool("agree.save", false, "shrink the first disagreement and write it into testdata, where it is tried again by every run")

// A recorded case is one flow in one network: what explain and the kernel once differed about.
type recorded struct {
	Found     string // seed and state
	Flow      explain.Flow
	Resources []entry
}

// entry is state.Entry as people read it.
type entry struct {
	Kind  resource.Kind
	Key   string
	Value json.RawMessage
}

// A ledger is a journal that can be written down.
type ledger map[string]entry

func (l ledger) Load(f func(state.Entry) error) (uint64, error) {
	for _, e := range l {
		if err := f(state.Entry{Kind: e.Kind, Key: e.Key, Value: e.Value}); err != nil {
			return 0, err
		}
	}
	return 1, nil
}

func (l ledger) Append(_ uint64, entries []state.Entry) error {
	for _, e := range entries {
		id := string(e.Kind) + " " + e.Key
		if l[id] = (entry{e.Kind, e.Key, e.Value}); len(e.Value) == 0 {
			delete(l, id)
		}
	}
	return nil
}

func (l ledger) entries() []entry {
	var out []entry
	for _, e := range l {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b entry) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key)) })
	return out
}

// resolve is the network of a case.
func (c recorded) resolve() (*topology.Topology, error) {
	l := ledger{}
	for _, e := range c.Resources {
		l[string(e.Kind)+" "+e.Key] = e
	}
	s, err := state.Open(state.Config{Region: region, Account: "000000000000", Journal: l})
	if err != nil {
		return nil, err
	}
	return topology.Resolve(s.View(), topology.Options{}), nil
}

// shrink leaves out of a case what it fails without: whole resources first, then rules, entries and routes. It ends
// at the deadline with what it has.
func (c recorded) shrink(fails func(recorded) bool, deadline time.Time) recorded {
	for changed := true; changed && time.Now().Before(deadline); {
		changed = false
		for i := len(c.Resources) - 1; i >= 0 && time.Now().Before(deadline); i-- {
			smaller := c
			smaller.Resources = slices.Delete(slices.Clone(c.Resources), i, i+1)
			if fails(smaller) {
				c, changed = smaller, true
				continue
			}
			for _, v := range shorter(c.Resources[i].Value) {
				smaller.Resources = slices.Clone(c.Resources)
				smaller.Resources[i].Value = v
				if fails(smaller) {
					c, changed = smaller, true
					i++ // once more the same one
					break
				}
			}
		}
	}
	return c
}

// shorter are a resource's forms with one element less in one of its lists.
func shorter(value json.RawMessage) []json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(value, &fields) != nil {
		return nil
	}
	var out []json.RawMessage
	for _, name := range []string{"Rules", "Entries", "Routes", "Associations", "GroupIDs"} {
		var list []json.RawMessage
		if json.Unmarshal(fields[name], &list) != nil {
			continue
		}
		for i := range list {
			less := map[string]any{}
			for k, v := range fields {
				less[k] = v
			}
			less[name] = slices.Delete(slices.Clone(list), i, i+1)
			if b, err := json.Marshal(less); err == nil {
				out = append(out, b)
			}
		}
	}
	return out
}

// retry makes a case's network, sends its packet, and says in what explain differs; empty if in nothing.
func (c recorded) retry(t *testing.T, d *linux.Driver, port uint16) string {
	top, err := c.resolve()
	if err != nil || c.Flow.From != "" && top.ENIs[c.Flow.From] == nil {
		return "" // not a network any more
	}
	w := enter(t, d, top)
	defer w.close()
	f, seat := c.Flow, string(c.Flow.From)
	f.SourcePort = port
	if f.From == "" {
		seat, f.Source = onTheInternet, w.outside
		if f.To.Is6() {
			f.Source = w.outside6
		}
	}
	if w.seats[seat] == nil {
		return ""
	}
	trace, what := explain.Explain(top, f), ""
	for _, wait := range []time.Duration{patience, morePatience} {
		o := probeAll(w.seats, map[string][]explain.Flow{seat: {f}}, wait)[seat][0]
		if what = disagrees(trace, o); what == "" {
			return ""
		}
	}
	return what
}

// save shrinks a disagreement and writes it down. In a fresh kernel it may not show: then it is written as it is.
func (c recorded) save(t *testing.T) {
	d, err := linux.New(linux.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	port := max(c.Flow.SourcePort, 20000) - 10000
	fails := func(s recorded) bool { port++; return s.retry(t, d, port) != "" }
	if fails(c) {
		c = c.shrink(fails, time.Now().Add(3*time.Minute))
	} else {
		t.Log("the disagreement does not show in a fresh network: it has to do with what was before")
	}
	file := filepath.Join("testdata", strings.ReplaceAll(c.Found, " ", "-")+".json")
	if err := c.write(file); err != nil {
		t.Fatal(err)
	}
	t.Logf("written to %s, with %d resources", file, len(c.Resources))
}

func (c recorded) write(file string) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

func readCase(file string) (c recorded, err error) {
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	return c, err
}

func TestWhatOnceDisagreedAgrees(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			c, err := readCase(file)
			if err != nil {
				t.Fatal(err)
			}
			d, err := linux.New(linux.Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if what := c.retry(t, d, uint16(30000+i)); what != "" {
				t.Errorf("%+v: %s", c.Flow, what)
			}
		})
	}
}

// A mistake in the reading of ACLs stands for a disagreement with the kernel.
func TestACaseIsShrunkToWhatItIsAbout(t *testing.T) {
	g := newGenerator(t, 1001)
	c := recorded{Found: "seed 1001 state 0", Resources: g.ledger.entries()}
	fails := func(s recorded) bool {
		top, err := s.resolve()
		return err == nil && explain.Explain(top, s.Flow).Reachable != explain.Explain(faulty(top, faults[0].make), s.Flow).Reachable
	}
	top, err := c.resolve()
	if err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		from := g.source(top)
		if c.Flow = g.flow(top, from); fails(c) {
			break
		}
	}
	before := len(c.Resources)
	small := c.shrink(fails, time.Now().Add(time.Minute))
	if !fails(small) || len(small.Resources) > before/4 {
		t.Errorf("of %d resources %d are left, and it fails %t", before, len(small.Resources), fails(small))
	}
	file := filepath.Join(t.TempDir(), "case.json")
	if err := small.write(file); err != nil {
		t.Fatal(err)
	}
	if again, err := readCase(file); err != nil || !fails(again) || fmt.Sprint(again.Flow) != fmt.Sprint(small.Flow) {
		t.Errorf("read back: %v, fails %t, flow %+v", err, fails(again), again.Flow)
	}
}
