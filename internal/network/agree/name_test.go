package agree

import (
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/miekg/dns"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// nameFlows are calls by name: of services that have an endpoint somewhere, of others, and of endpoints themselves.
func (g *generator) nameFlows(w *world, count int) map[string][]explain.Flow {
	out := map[string][]explain.Flow{}
	for range count {
		from := g.source(w.topology)
		f := explain.Flow{From: from.ID, Protocol: tcp, Port: portHTTPS, SourcePort: g.sourcePort()}
		f.Name = pick(g, []string{"sts." + region + ".amazonaws.com", "sts." + region + ".amazonaws.com", "sts.amazonaws.com", "logs." + region + ".amazonaws.com"})
		for _, e := range pick(g, w.topology.VPCs).Endpoints {
			if e.Type == resource.EndpointTypeInterface && len(e.LoadBalancers) == 0 && g.chance(20) {
				f.Name = slices.MinFunc(e.Names, func(a, b topology.Name) int { return len(b.Pattern) - len(a.Pattern) }).Pattern
			}
		}
		out[string(from.ID)] = append(out[string(from.ID)], f)
	}
	return out
}

// call asks the resolver of a flow's VPC for its name, and then sends to every address that it said. A client may take
// any, so all must answer.
func (w *world) call(f explain.Flow, sourcePort func() uint16) outcome {
	addresses, err := w.ask(f)
	if err != nil {
		return outcome{failure: err.Error()}
	}
	if len(addresses) == 0 {
		return outcome{failure: "the name has no address"}
	}
	var all []explain.Flow
	for i, a := range addresses {
		one := f
		one.Name, one.To = "", a
		if i > 0 {
			one.SourcePort = sourcePort()
		}
		all = append(all, one)
	}
	seat := string(f.From)
	outcomes := probeAll(w.seats, map[string][]explain.Flow{seat: all}, patience)[seat]
	if i := slices.IndexFunc(outcomes, func(o outcome) bool { return !o.answered }); i >= 0 {
		return outcomes[i]
	}
	return outcomes[0]
}

// ask sends a question from a flow's seat.
func (w *world) ask(f explain.Flow) (addresses []netip.Addr, err error) {
	resolver := w.topology.VPC(w.topology.ENIs[f.From].VPCID).Resolver
	failed := w.seats[string(f.From)].Do(func() error {
		m := new(dns.Msg).SetQuestion(dns.Fqdn(f.Name), dns.TypeA)
		var answer *dns.Msg
		answer, _, err = (&dns.Client{Timeout: morePatience}).Exchange(m, net.JoinHostPort(resolver.String(), strconv.Itoa(portDNS)))
		if err != nil {
			return nil
		}
		for _, r := range answer.Answer {
			if a, ok := r.(*dns.A); ok {
				if ip, ok := netip.AddrFromSlice(a.A); ok {
					addresses = append(addresses, ip.Unmap())
				}
			}
		}
		return nil
	})
	if failed != nil {
		return nil, failed
	}
	return addresses, err
}

// query is a question that every resolver has an answer to.
func query() []byte {
	b, err := new(dns.Msg).SetQuestion("sts.amazonaws.com.", dns.TypeA).Pack()
	if err != nil {
		panic(err)
	}
	return b
}

// leakPrivateDNS lets the private names of every VPC be in force in all the others.
func leakPrivateDNS(t *topology.Topology) {
	var all []*topology.Endpoint
	for _, v := range t.VPCs {
		for _, e := range v.Endpoints {
			if e.PrivateDNS {
				all = append(all, e)
			}
		}
	}
	for _, v := range t.VPCs {
		if !slices.ContainsFunc(v.Endpoints, func(e *topology.Endpoint) bool { return e.PrivateDNS }) {
			v.Endpoints = slices.Concat(v.Endpoints, all)
		}
	}
}
