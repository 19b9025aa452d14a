package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
)

// A Plan is a set of edits that opens a way, and what they are for.
type Plan struct {
	// Edits together let the flow pass, and none can be left out. Empty: it passes already, or nothing that is known
	// here would help.
	Edits []Edit
	// Blockers are all denials, those too that only show when others are lifted.
	Blockers []Hop
	// Details say of what did not serve why it did not: each route that leads elsewhere, for one.
	Details []Hop
	// Trace is the flow's with the edits made.
	Trace Trace
}

// Fix is what the edits are for people. Terraform blocks in it have names that differ.
func (p Plan) Fix() []Remedy {
	var out []Remedy
	used := map[string]int{}
	for _, e := range p.Edits {
		r := e.Remedy()
		first, rest, _ := strings.Cut(r.Terraform, "\n")
		if !strings.HasPrefix(first, "resource ") {
			out = append(out, r)
			continue
		}
		used[first]++
		if n := used[first]; n > 1 {
			r.Terraform = strings.TrimSuffix(first, "\" {") + fmt.Sprintf("_%d\" {\n", n) + rest
		}
		out = append(out, r)
	}
	return out
}

// Mend finds the smallest set of edits that lets a flow pass, by trying them on the topology. Among sets of the
// same size it takes what is advised first.
func Mend(t *topology.Topology, f Flow) Plan {
	s := &search{topology: t, flow: f, left: maxTries}
	s.try([]Edit{}, nil)
	if s.best == nil {
		return Plan{Blockers: hopsOf(s.seen), Details: s.details(s.seen)}
	}
	edits := inOrder(s.withoutIdle(s.best))
	return Plan{Edits: edits, Blockers: hopsOf(s.why), Details: s.details(s.why), Trace: Explain(tried(t, edits...), f)}
}

const (
	// maxTries is how many sets are tried: a question must be answered at once, and ways that need much are not
	// worth advising.
	maxTries = 150
	maxEdits = 10
)

// search looks for sets of edits, depth first.
type search struct {
	topology *topology.Topology
	flow     Flow
	left     int
	best     []Edit
	why      []cause // denials on the way to best
	seen     []cause // denials on the longest way
}

func (s *search) try(edits []Edit, met []cause) {
	if s.left == 0 || len(edits) > maxEdits || s.best != nil && len(edits) >= len(s.best) {
		return
	}
	s.left--
	c := examine(tried(s.topology, edits...), s.flow)
	if len(c.causes) == 0 {
		s.best, s.why = edits, met
		return
	}
	met = withNew(met, c.allCauses())
	if len(met) > len(s.seen) {
		s.seen = met
	}
	for _, o := range c.firstOptions() {
		if !slices.Contains(edits, o) {
			s.try(append(slices.Clone(edits), o), met)
		}
	}
}

// firstOptions are the edits that lift the first denial, which must be lifted, or that lead the flow elsewhere.
func (c *explanation) firstOptions() []Edit {
	causes := []cause{c.causes[0]}
	if c.misled() {
		causes = []cause{*c.advice, c.causes[0]}
	}
	var out []Edit
	for _, why := range causes {
		for _, o := range c.remedies(why) {
			if o.edit != nil {
				out = append(out, o.edit)
			}
		}
	}
	return out
}

// withoutIdle leaves out what is not needed: an edit may have opened a way that a later one made needless.
func (s *search) withoutIdle(edits []Edit) []Edit {
	for i := 0; i < len(edits); {
		fewer := slices.Delete(slices.Clone(edits), i, i+1)
		if len(examine(tried(s.topology, fewer...), s.flow).causes) == 0 {
			edits = fewer
		} else {
			i++
		}
	}
	return edits
}

// withNew adds denials that were not met yet.
func withNew(met, more []cause) []cause {
	out := slices.Clone(met)
	for _, why := range more {
		if !why.ofPlan() && !slices.ContainsFunc(out, why.same) {
			out = append(out, why)
		}
	}
	return out
}

// ofPlan reports whether what denies is a thing that the plan itself makes, which nobody needs to know.
func (why cause) ofPlan() bool { return isMade(why.component.ID) || isMade(why.route.TargetID) }

// same reports whether two denials are one, seen with different edits made.
func (why cause) same(o cause) bool {
	return why.code == o.code && why.component == o.component && why.rule == o.rule && why.direction == o.direction &&
		why.packet.reply == o.packet.reply && why.packet.src == o.packet.src && why.packet.dst == o.packet.dst
}

func hopsOf(causes []cause) []Hop {
	var out []Hop
	for _, why := range causes {
		out = append(out, why.hop())
	}
	return out
}
