package agree

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/balancer"
	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// balance carries connections as the region does.
func (w *world) balance() {
	w.t.Helper()
	if len(w.topology.LoadBalancers) == 0 {
		return
	}
	b := balancer.New(balancer.Config{Log: slog.New(slog.DiscardHandler), Network: w.driver})
	w.must(b.Apply(context.Background(), w.topology))
	w.balancer = b
	w.open = append(w.open, b)
}

// settle waits until each target was tried: until then a load balancer may take one that cannot be reached.
func (w *world) settle() {
	known := func() bool {
		for _, lb := range w.topology.LoadBalancers {
			for _, l := range lb.Listeners {
				for _, t := range l.Targets {
					if w.balancer.Health(l.TargetGroup, resource.Target{Address: t.Address, Port: int(t.Port)}) == balancer.Initial {
						return false
					}
				}
			}
		}
		return true
	}
	for end := time.Now().Add(2 * checkTimeout); w.balancer != nil && !known() && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
}

// relayed reports whether an interface is a load balancer's, or an endpoint's that leads to one or will: nobody listens
// there but the balancer.
func (w *world) relayed(v *topology.VPC, id resource.NetworkInterfaceID) bool {
	return v.ENI(id).Type == resource.InterfaceTypeLoadBalancer ||
		slices.ContainsFunc(slices.Concat(v.Endpoints, v.Unaccepted), func(e *topology.Endpoint) bool {
			return slices.Contains(e.ENIs, id) && strings.HasPrefix(e.ServiceName, ownServices)
		})
}

const ownServices = "com.amazonaws.vpce."

// throughBalancer reports whether a flow meets load balancing.
func throughBalancer(t explain.Trace) bool {
	return t.Code == "x:VPCE_NOT_ACCEPTED" || t.Code == "VPCE_SERVICE_NOT_INSTALLED_IN_AZ" ||
		slices.ContainsFunc(t.Hops, func(h explain.Hop) bool { return h.Component.Kind == resource.KindLoadBalancer })
}

// differ says in what a judge and the kernel differ about a flow; empty: in nothing. Of several targets a load balancer
// may take any that the judge would let it.
func differ(says judge, t *topology.Topology, f explain.Flow, o outcome) (explain.Trace, string) {
	trace := says(t, f)
	what := disagrees(trace, o)
	if what == "" || !o.answered || !throughBalancer(trace) {
		return trace, what
	}
	only := says(withTarget(t, o.who), f)
	if slices.ContainsFunc(slices.Concat(only.Hops, only.Return), func(h explain.Hop) bool { return strings.Contains(h.Text, someFail) }) {
		return trace, "" // nobody chooses the port that a load balancer sends from
	}
	if disagrees(only, o) == "" {
		return only, ""
	}
	return trace, what
}

// someFail is how explain says that a verdict holds for some ports only.
const someFail = "connections that happen to use one of those ports fail"

// withTarget is a topology in which load balancers have no other targets than an interface.
func withTarget(t *topology.Topology, who string) *topology.Topology {
	c := *t
	e := t.ENIs[resource.NetworkInterfaceID(who)]
	c.LoadBalancers = copyBalancers(t.LoadBalancers)
	eachListener(&c, func(l *topology.Listener) {
		l.Targets = slices.DeleteFunc(l.Targets, func(t topology.Target) bool { return e == nil || !e.Has(t.Address) })
	})
	return &c
}

func copyBalancers(all []*topology.LoadBalancer) []*topology.LoadBalancer {
	return copies(all, func(b *topology.LoadBalancer) {
		b.Nodes = slices.Clone(b.Nodes)
		b.Listeners = copies(b.Listeners, func(l *topology.Listener) { l.Targets = slices.Clone(l.Targets) })
	})
}

func eachListener(t *topology.Topology, change func(*topology.Listener)) {
	for _, b := range t.LoadBalancers {
		for _, l := range b.Listeners {
			change(l)
		}
	}
}

// relayFaults are mistakes about load balancers and endpoint services. Only flows that meet them may show these.
var relayFaults = []fault{
	{name: "endpoints need no acceptance", make: func(v *topology.VPC) {
		v.Endpoints = slices.Concat(v.Endpoints, copies(v.Unaccepted, func(e *topology.Endpoint) { e.State = "" }))
		v.Unaccepted = nil
	}},
	{name: "endpoints that were accepted are not", make: func(v *topology.VPC) {
		own := func(e *topology.Endpoint) bool { return len(e.LoadBalancers) > 0 }
		v.Unaccepted = slices.DeleteFunc(slices.Clone(v.Endpoints), func(e *topology.Endpoint) bool { return !own(e) })
		v.Endpoints = slices.DeleteFunc(slices.Clone(v.Endpoints), own)
	}},
	{name: "all load balancers balance across zones", whole: func(t *topology.Topology) {
		eachListener(t, func(l *topology.Listener) { l.CrossZone = true })
	}},
	{name: "no load balancer balances across zones", whole: func(t *topology.Topology) {
		eachListener(t, func(l *topology.Listener) { l.CrossZone = false })
	}},
	{name: "load balancers are in every zone", whole: func(t *topology.Topology) {
		for _, b := range t.LoadBalancers {
			for _, zone := range []string{region + "a", region + "b"} {
				if _, ok := b.Node(zone); !ok && len(b.Nodes) > 0 {
					b.Nodes = append(b.Nodes, topology.Node{AZ: zone, ENI: b.Nodes[0].ENI})
				}
			}
		}
	}},
	{name: "who comes by an endpoint passes the groups of load balancers", whole: func(t *topology.Topology) {
		for _, b := range t.LoadBalancers {
			b.TrustsPrivateLink = true
		}
	}},
	{name: "who comes by an endpoint never passes unasked", whole: func(t *topology.Topology) {
		for _, b := range t.LoadBalancers {
			b.TrustsPrivateLink = false
		}
	}},
	{name: "load balancers have no groups", make: func(v *topology.VPC) {
		for _, e := range v.ENIs {
			e.Unfiltered = e.Unfiltered || e.Type == resource.InterfaceTypeLoadBalancer
		}
	}},
	{name: "load balancers without groups let nobody in", make: func(v *topology.VPC) {
		for _, e := range v.ENIs {
			e.Unfiltered = false
		}
	}},
	{name: "targets do not ask their groups", whole: func(t *topology.Topology) {
		eachListener(t, func(l *topology.Listener) {
			for _, target := range l.Targets {
				for _, e := range t.ENIs {
					e.Unfiltered = e.Unfiltered || e.Has(target.Address)
				}
			}
		})
	}},
	{name: "the groups of endpoints to services are not asked", whole: func(t *topology.Topology) {
		for _, v := range t.VPCs {
			for _, e := range v.Endpoints {
				for _, id := range e.ENIs {
					t.ENIs[id].Unfiltered = t.ENIs[id].Unfiltered || len(e.LoadBalancers) > 0
				}
			}
		}
	}},
	{name: "listeners lead to the targets of others", whole: func(t *topology.Topology) {
		for _, b := range t.LoadBalancers {
			if n := len(b.Listeners); n > 1 {
				b.Listeners[0].Targets, b.Listeners[n-1].Targets = b.Listeners[n-1].Targets, b.Listeners[0].Targets
			}
		}
	}},
	{name: "every listener takes the first one's port", whole: func(t *topology.Topology) {
		for _, b := range t.LoadBalancers {
			b.Listeners = b.Listeners[:min(1, len(b.Listeners))]
		}
	}},
	{name: "targets are asked at the port of the listener", whole: func(t *topology.Topology) {
		eachListener(t, func(l *topology.Listener) {
			for i := range l.Targets {
				l.Targets[i].Port = l.Port
			}
		})
	}},
	{name: "only the first load balancer of a service counts", make: func(v *topology.VPC) {
		v.Endpoints = copies(v.Endpoints, func(e *topology.Endpoint) { e.LoadBalancers = e.LoadBalancers[:min(1, len(e.LoadBalancers))] })
	}},
}

// balancedFlows go to load balancers, straight or by endpoints, from the same VPC or from a peer. They are TCP: what
// else is sent there the two are not compared about. A way by a load balancer is long, and few are open: those are
// preferred, for they show more.
func (g *generator) balancedFlows(w *world, count int) map[string][]explain.Flow {
	out := map[string][]explain.Flow{}
	g.aside(func() {
		for range count {
			f, ok := g.balancedFlow(w)
			for tries := 0; ok && tries < 8 && !explain.Explain(w.topology, f).Reachable; tries++ {
				f, ok = g.balancedFlow(w)
			}
			if ok {
				out[string(f.From)] = append(out[string(f.From)], f)
			}
		}
	})
	return out
}

func (g *generator) balancedFlow(w *world) (explain.Flow, bool) {
	vpc := pick(g, w.topology.VPCs)
	var to []*topology.ENI
	endpoints := g.chance(55)
	for _, e := range vpc.ENIs {
		if w.relayed(vpc, e.ID) && (!endpoints || e.Type == resource.InterfaceTypeVPCEndpoint) {
			to = append(to, e)
		}
	}
	from := vpc
	if len(vpc.Peerings) > 0 && g.chance(20) {
		from = w.topology.VPC(pick(g, vpc.Peerings).PeerVPCID)
	}
	sources := slices.DeleteFunc(slices.Clone(from.ENIs), func(e *topology.ENI) bool { return e.Type != resource.InterfaceTypeInterface })
	if len(to) == 0 || len(sources) == 0 {
		return explain.Flow{}, false
	}
	return explain.Flow{From: pick(g, sources).ID, To: pick(g, to).Address(), Protocol: tcp, Port: pick(g, listenerPorts), SourcePort: g.sourcePort()}, true
}

// relayedEvidence is that of flows that meet load balancing.
func relayedEvidence(found []evidence) []evidence {
	return slices.DeleteFunc(slices.Clone(found), func(e evidence) bool { return !throughBalancer(explain.Explain(e.topology, e.flow)) })
}

func (o outcome) String() string {
	return fmt.Sprintf("answered %t by %q, which saw %s; %s", o.answered, o.who, o.seen, o.failure)
}
