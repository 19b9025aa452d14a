package agree

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane/linux"
	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

var (
	seedFlag       = flag.Uint64("agree.seed", 0, "seed of the random networks; 0 takes the time")
	topologiesFlag = flag.Int("agree.topologies", 8, "number of random networks")
	statesFlag     = flag.Int("agree.states", 6, "number of states of each network")
	probesFlag     = flag.Int("agree.probes", 150, "number of probes in each state")
	namesFlag      = flag.Int("agree.names", 8, "number of calls by name in each state")
	balancedFlag   = flag.Int("agree.balanced", 25, "number of flows to load balancers in each state")
	pairsFlag      = flag.Int("agree.pairs", 0, "number of probes in all, in place of a number of networks")
)

// wellKnown seeds come first if none was asked for. In their networks every planted fault shows.
var wellKnown = []uint64{1001, 1003, 1010, 1026, 1035, 1004, 1028}

const (
	// patience is how long probes of a state wait, all at once. What surprises is tried again with more.
	patience     = 350 * time.Millisecond
	morePatience = 1500 * time.Millisecond
)

// evidence is one probe: what was asked in which topology, and what the kernel did.
type evidence struct {
	topology *topology.Topology
	flow     explain.Flow
	outcome  outcome
}

// disagrees says in what explain differs from the kernel; empty if in nothing.
func disagrees(t explain.Trace, o outcome) string {
	reached := t.Interface
	if t.Service != "" && t.Interface == "" {
		reached = t.Service
	}
	if t.Endpoint != "" && t.Interface == "" {
		reached = t.Endpoint
	}
	switch {
	case t.Reachable != o.answered:
		return fmt.Sprintf("explain says reachable %t, the kernel answered %t (%s)", t.Reachable, o.answered, o.failure)
	case !o.answered || o.who == "" || reached == "":
		return ""
	case o.who != reached:
		return fmt.Sprintf("explain says %s is reached, it was %s", reached, o.who)
	case o.seen != t.SourceSeen:
		return fmt.Sprintf("explain says the source is seen as %s, it was %s", t.SourceSeen, o.seen)
	}
	return ""
}

// record collects the evidence of all networks.
type record struct {
	mu    sync.Mutex
	found []evidence // guarded by mu
}

func (r *record) add(e evidence) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = append(r.found, e)
}

func TestExplainSaysWhatTheKernelDoes(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	t.Logf("random networks from -agree.seed %d", seed)
	r, networks, known := &record{}, *topologiesFlag, wellKnown
	if *pairsFlag > 0 { // a long run has better things to do than what every run does
		each := *statesFlag * (*probesFlag + *namesFlag + *balancedFlag)
		networks, known = (*pairsFlag+each-1)/each, nil
	}
	t.Run("networks", func(t *testing.T) {
		for i := range networks {
			seed := seed + uint64(i)
			if *seedFlag == 0 && i < len(known) {
				seed = known[i]
			}
			t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
				t.Parallel()
				compare(t, seed, r)
			})
		}
	})
	if t.Failed() {
		return
	}
	summarize(t, r.found)
	if *seedFlag == 0 && *pairsFlag == 0 {
		t.Run("faults", func(t *testing.T) { plantFaults(t, r.found) })
	}
}

// compare makes one network in all its states.
func compare(t *testing.T, seed uint64, r *record) {
	drops := &told{}
	d, err := linux.New(linux.Config{Dropped: drops.add, Skipped: drops.skipped})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	g := newGenerator(t, seed)
	did, compared := []string{"made"}, 0
	var first *explain.Flow // that they differed about, and the network then
	var then []state.Resource
	note := func(f explain.Flow) {
		if first == nil {
			first, then = &f, everything(g.store.View())
		}
	}
	defer func() {
		if first != nil {
			small := shrink(t, then, *first, explain.Explain)
			t.Logf("kept as %s", keep(t, *keepFlag, fmt.Sprintf("seed-%d", seed), contradiction(t, small, *first, explain.Explain), small, *first))
		}
	}()
	for n := range *statesFlag {
		w := enter(t, d, g.resolve())
		flows := g.flows(w, *probesFlag)
		found := w.probed(flows)
		names := g.nameFlows(w, *namesFlag)
		for _, list := range names {
			for _, f := range list {
				found = append(found, evidence{w.topology, f, w.call(f, g.sourcePort)})
			}
		}
		w.settle()
		found = append(found, w.probed(g.balancedFlows(w, *balancedFlag))...)
		for _, e := range found {
			if trace, what := differ(explain.Explain, e.topology, e.flow, e.outcome); what != "" {
				t.Errorf("state %d (%v), %s: %+v\n%s\n%s", n, did, what, e.flow, trace, neighbourhood(w.topology, e.flow))
				note(e.flow)
			}
			r.add(e)
		}
		compared += blame(t, w, slices.Concat(slices.Collect(maps.Values(flows))...), drops.take())
		w.close()
		did = g.mutate()
	}
	t.Logf("%d drops were told", compared)
	if compared == 0 {
		t.Error("the kernel told of no drop")
	}
}

// probed sends flows, and again those about which the two differ: the machine may be busy.
func (w *world) probed(flows map[string][]explain.Flow) []evidence {
	var out []evidence
	for seat, outcomes := range probeAll(w.seats, flows, patience) {
		for i, o := range outcomes {
			f := flows[seat][i]
			if _, what := differ(explain.Explain, w.topology, f, o); what != "" {
				o = probeAll(w.seats, map[string][]explain.Flow{seat: {f}}, morePatience)[seat][0]
			}
			out = append(out, evidence{w.topology, f, o})
		}
	}
	return out
}

// neighbourhood is what one needs to see of a network to judge a disagreement.
func neighbourhood(t *topology.Topology, f explain.Flow) string {
	text := ""
	for _, v := range t.VPCs {
		from := v.ENI(f.From)
		if f.From != "" && from == nil {
			continue
		}
		text += fmt.Sprintf("%s igw %q\n", v.ID, v.InternetGateway)
		for _, s := range v.Subnets {
			text += fmt.Sprintf("  %s %s %s %s %s", s.ID, s.CIDR, s.IPv6CIDR, s.NetworkACLID, s.RouteTableID)
			for _, r := range s.Routes {
				if r.Kind != topology.TargetGatewayEndpoint {
					text += fmt.Sprintf(" %s>%s%s", r.Destination, r.Kind, r.TargetID)
				}
			}
			text += "\n"
		}
		for _, e := range v.ENIs {
			text += fmt.Sprintf("  %+v\n", *e)
		}
		for _, e := range slices.Concat(v.Endpoints, v.Unaccepted) {
			text += fmt.Sprintf("  %s %s %v %v\n", e.ID, e.State, e.ENIs, e.LoadBalancers)
		}
		for _, n := range v.NATGateways {
			text += fmt.Sprintf("  %+v\n", *n)
		}
	}
	return text
}

// summarize shows that the probes were worth it: some got through, by each way there is, and some did not.
func summarize(t *testing.T, found []evidence) {
	answered := 0
	ways := map[string]int{}
	for _, e := range found {
		trace := explain.Explain(e.topology, e.flow)
		if e.outcome.answered {
			answered++
			ways[way(e.topology, trace)]++
		} else if e.flow.To.Is6() {
			ways["IPv6 "+trace.Code]++
		} else {
			ways[trace.Code]++
		}
	}
	t.Logf("%d probes, %d answered", len(found), answered)
	for _, name := range slices.Sorted(maps.Keys(ways)) {
		t.Logf("%6d %s", ways[name], name)
	}
	if len(found) >= enough && (answered < len(found)/20 || answered > len(found)*19/20) {
		t.Errorf("%d of %d probes were answered: the networks are too much alike to prove anything", answered, len(found))
	}
}

// way is how a flow got through.
func way(t *topology.Topology, trace explain.Trace) string {
	f := trace.Flow
	text := fmt.Sprintf("answered: protocol %d", f.Protocol)
	if f.To.Is6() {
		text = "IPv6 " + text
	}
	if f.From == "" {
		text += " from the internet"
	}
	vpc := t.VPC("")
	if e := t.ENIs[f.From]; e != nil {
		vpc = t.VPC(e.VPCID)
	}
	for _, h := range trace.Hops {
		switch {
		case h.Verdict == explain.Note:
		case h.Component.Kind == resource.KindLoadBalancer, h.Component.Kind == resource.KindNATGateway, h.Component.Kind == resource.KindInternetGateway, h.Component.Kind == resource.KindVPCEndpoint,
			h.Component.Kind == resource.KindVPCPeering, h.Component.Kind == resource.KindEgressOnlyGateway:
			text += " > " + string(h.Component.Kind)
		case h.Component.Kind == resource.KindNetworkInterface && h.Component.ID != trace.Interface:
			text += " > middlebox"
		}
	}
	if to := t.ENIs[resource.NetworkInterfaceID(trace.Interface)]; to != nil && vpc != nil && t.ENIs[f.From].SubnetID == to.SubnetID {
		text += " in its own subnet"
	}
	return text
}
