package ec2

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// question is what an analysis is to find out.
type question struct {
	path     *resource.NetworkInsightsPath
	from, to insightsEndpoint
	through  []string // ids of components that the path must lead through
}

func newQuestion(r state.Reader, t *topology.Topology, p *resource.NetworkInsightsPath, through []string) *question {
	q := &question{path: p, from: insightsEndOf(r, t, p.Source), through: through}
	if p.Destination != "" {
		q.to = insightsEndOf(r, t, p.Destination)
	}
	return q
}

// try looks for a path. One packet that gets there and is as the filters want it will do. Where none is, the trace is
// of the first that was tried.
func (q *question) try(t *topology.Topology) (trace explain.Trace, unlike []string, found bool) {
	f := q.flow(t)
	for i, port := range q.ports(t) {
		for k, source := range q.sourcePorts(t) {
			f.Port, f.SourcePort = uint16(port), uint16(source)
			one := explain.Explain(t, f)
			if one.Reachable {
				differs := q.unlike(one)
				if len(differs) == 0 {
					return one, nil, true
				}
				if unlike == nil {
					trace, unlike = one, differs
				}
			} else if i == 0 && k == 0 {
				trace = one
			}
		}
	}
	return trace, unlike, false
}

// span is the ports that several ranges have in common; false: none.
func span(all ...resource.PortSpan) (resource.PortSpan, bool) {
	out := resource.PortSpan{From: 1, To: 65535}
	for _, s := range all {
		if s != (resource.PortSpan{}) {
			out.From, out.To = max(out.From, s.From), min(out.To, s.To)
		}
	}
	return out, out.From <= out.To
}

// ports are the destination ports to try: where it changes whether a packet passes, a rule or an entry begins or ends.
func (q *question) ports(t *topology.Topology) []int {
	if q.path.Port != 0 {
		return []int{q.path.Port}
	}
	within, ok := span(q.path.AtSource.DestinationPorts, q.path.AtDestination.DestinationPorts)
	if !ok {
		within, _ = span(q.path.AtSource.DestinationPorts)
	}
	return edges(t, within, 443, 80)
}

// sourcePorts are those to try; 0: any that a client takes.
func (q *question) sourcePorts(t *topology.Topology) []int {
	at := q.path.AtSource.SourcePorts
	if at == (resource.PortSpan{}) && q.path.AtDestination.SourcePorts == (resource.PortSpan{}) {
		return []int{0}
	}
	within, _ := span(at)
	return edges(t, within, q.path.AtDestination.SourcePorts.From)
}

// edges are ports of a range at which a rule or an entry begins, or has just ended, and those that are preferred.
func edges(t *topology.Topology, within resource.PortSpan, preferred ...int) []int {
	candidates := append(preferred, within.From)
	for _, v := range t.VPCs {
		for _, g := range v.SecurityGroups {
			for _, r := range slices.Concat(g.Ingress, g.Egress) {
				candidates = append(candidates, r.FromPort)
			}
		}
		for _, n := range v.NetworkACLs {
			for _, e := range slices.Concat(n.Ingress, n.Egress) {
				candidates = append(candidates, e.FromPort, e.ToPort+1)
			}
		}
	}
	var out []int
	for _, p := range candidates {
		if within.From <= p && p <= within.To && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// unlike are the filters, and the ends, that a packet which got somewhere does not fit.
func (q *question) unlike(trace explain.Trace) []string {
	var out []string
	at, arrived := q.path.AtDestination, trace.Arrived
	if slices.ContainsFunc(trace.Hops, func(h explain.Hop) bool { return h.Component.Kind == resource.KindNATGateway }) {
		arrived.SourcePorts = [2]uint16{1024, 65535} // which of them AWS chooses nobody knows
	}
	if at.SourceAddress.IsValid() && arrived.Source != at.SourceAddress {
		out = append(out, "FILTER_AT_DESTINATION_SOURCE_ADDRESS")
	}
	if at.DestinationAddress.IsValid() && arrived.Destination != at.DestinationAddress {
		out = append(out, "FILTER_AT_DESTINATION_DESTINATION_ADDRESS")
	}
	if apart(at.SourcePorts, arrived.SourcePorts) {
		out = append(out, "FILTER_AT_DESTINATION_SOURCE_PORT_RANGE")
	}
	if apart(at.DestinationPorts, arrived.DestinationPorts) {
		out = append(out, "FILTER_AT_DESTINATION_DESTINATION_PORT_RANGE")
	}
	switch {
	case q.to.eni != nil && q.to.endpoint == nil && trace.Interface != string(q.to.eni.ID), q.to.endpoint != nil && trace.Endpoint != q.to.id,
		q.to.gateway != nil && !leadsThrough(trace, q.to.id):
		out = append(out, "NO_PATH")
	}
	for _, id := range q.through {
		if !leadsThrough(trace, id) {
			out = append(out, "COMPONENT_FILTER_RESTRICTION")
		}
	}
	return out
}

func apart(s resource.PortSpan, ports [2]uint16) bool {
	return s != (resource.PortSpan{}) && (s.To < int(ports[0]) || int(ports[1]) < s.From)
}

func leadsThrough(trace explain.Trace, id string) bool {
	return slices.ContainsFunc(trace.Hops, func(h explain.Hop) bool { return h.Component.ID == id })
}

// restrictions are the filters without which, one at a time, there would be a path.
func (q *question) restrictions(t *topology.Topology) []string {
	var out []string
	filtered := q.path.AtSource != (resource.InsightsFilter{}) || q.path.AtDestination != (resource.InsightsFilter{})
	for _, r := range []struct {
		code string
		lift func(*resource.NetworkInsightsPath) bool // reports whether there was such a filter
	}{
		{"FILTER_AT_SOURCE_SOURCE_ADDRESS", func(p *resource.NetworkInsightsPath) bool { return liftAddress(&p.AtSource.SourceAddress) }},
		{"FILTER_AT_SOURCE_DESTINATION_ADDRESS", func(p *resource.NetworkInsightsPath) bool { return liftAddress(&p.AtSource.DestinationAddress) }},
		{"FILTER_AT_SOURCE_SOURCE_PORT_RANGE", func(p *resource.NetworkInsightsPath) bool { return liftPorts(&p.AtSource.SourcePorts) }},
		{"FILTER_AT_SOURCE_DESTINATION_PORT_RANGE", func(p *resource.NetworkInsightsPath) bool { return liftPorts(&p.AtSource.DestinationPorts) }},
		{"FILTER_AT_SOURCE_PROTOCOL", func(p *resource.NetworkInsightsPath) bool {
			p.Protocol = map[string]string{"tcp": "udp", "udp": "tcp"}[p.Protocol]
			return filtered
		}},
		{"FILTER_AT_DESTINATION_SOURCE_ADDRESS", func(p *resource.NetworkInsightsPath) bool { return liftAddress(&p.AtDestination.SourceAddress) }},
		{"FILTER_AT_DESTINATION_DESTINATION_ADDRESS", func(p *resource.NetworkInsightsPath) bool { return liftAddress(&p.AtDestination.DestinationAddress) }},
		{"FILTER_AT_DESTINATION_SOURCE_PORT_RANGE", func(p *resource.NetworkInsightsPath) bool { return liftPorts(&p.AtDestination.SourcePorts) }},
		{"FILTER_AT_DESTINATION_DESTINATION_PORT_RANGE", func(p *resource.NetworkInsightsPath) bool { return liftPorts(&p.AtDestination.DestinationPorts) }},
	} {
		wider, path := *q, *q.path
		wider.path = &path
		if !r.lift(&path) {
			continue
		}
		if _, _, found := wider.try(t); found {
			out = append(out, r.code)
		}
	}
	return out
}

func liftAddress(a *netip.Addr) bool {
	was := a.IsValid()
	*a = netip.Addr{}
	return was
}

func liftPorts(s *resource.PortSpan) bool {
	was := *s != resource.PortSpan{}
	*s = resource.PortSpan{}
	return was
}

// translations say what a NAT gateway on the way does to packets, which is why they do not fit a filter.
func (q *question) translations(trace explain.Trace, restrictions []string) []explain.Hop {
	codes := map[string]string{
		"FILTER_AT_DESTINATION_SOURCE_ADDRESS":      "NGW_SOURCE_ADDRESS_REASSIGN",
		"FILTER_AT_DESTINATION_DESTINATION_ADDRESS": "NGW_DEST_ADDRESS_PRESERVATION",
		"FILTER_AT_SOURCE_DESTINATION_ADDRESS":      "NGW_DEST_ADDRESS_PRESERVATION",
		"FILTER_AT_DESTINATION_SOURCE_PORT_RANGE":   "REMAP_EPHEMERAL_PORT",
	}
	var out []explain.Hop
	for _, h := range trace.Hops {
		if h.Component.Kind != resource.KindNATGateway {
			continue
		}
		for _, r := range restrictions {
			if code := codes[r]; code != "" && !slices.ContainsFunc(out, func(o explain.Hop) bool { return o.Code == code }) {
				out = append(out, explain.Hop{Component: h.Component, Code: code, Packet: h.Packet})
			}
		}
	}
	return out
}
