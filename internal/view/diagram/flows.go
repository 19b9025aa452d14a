package diagram

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// flows draws what reaches which service, and what would lead there if anything used it.
func (p *Picture) flows(in Input) {
	shown := shownServices(in)
	for _, g := range p.groups {
		if g.vpc != nil {
			p.links(in.Topology, g.vpc)
			p.borderLinks(g.vpc)
		}
	}
	p.balancerLinks(in.Topology)
	ways := map[way][]string{}
	for _, c := range slices.Clone(p.Cards) {
		if !works(c) {
			continue
		}
		for _, service := range shown {
			w := way{resource.NetworkInterfaceID(c.ENI), service}
			keys, known := ways[w]
			if !known {
				keys = p.reached(in, w)
				ways[w] = keys
			}
			p.connect(c.Key, keys, StateFlow)
		}
	}
}

// way is a question to explain.
type way struct {
	from    resource.NetworkInterfaceID
	service string
}

// shownServices are those with something to reach: an endpoint, or a bucket.
func shownServices(in Input) []string {
	var shown []string
	for _, s := range in.Topology.Services {
		wanted := s.Service == "s3" && len(in.Buckets) > 0
		for _, v := range in.Topology.VPCs {
			wanted = wanted || slices.ContainsFunc(v.Endpoints, func(e *topology.Endpoint) bool { return e.Service == s.Service })
		}
		if wanted {
			shown = append(shown, s.Service)
		}
	}
	return shown
}

// reached are the cards between an interface and a service, the service included; none if it is not reached.
func (p *Picture) reached(in Input, w way) []string {
	t := in.Topology
	trace := explain.Explain(t, explain.Flow{From: w.from, Name: ServiceHost(w.service, t.Region), Port: 443})
	if !trace.Reachable || trace.Service != w.service {
		return nil
	}
	p.nearest(t, &trace, w.from)
	var keys []string
	for _, h := range trace.Hops {
		for _, key := range p.cardsAt(in, trace, h, w.from) {
			keys = appendNew(keys, key)
		}
	}
	return appendNew(keys, serviceKey(w.service))
}

// nearest puts an endpoint's interface in the zone of the sender in the place of the one explained: a client may
// pick any of them, and one is drawn for all. The others are in use too.
func (p *Picture) nearest(t *topology.Topology, trace *explain.Trace, from resource.NetworkInterfaceID) {
	if trace.Endpoint == "" || trace.Interface == "" {
		return
	}
	own := zoneOf(t, from)
	for _, c := range p.Cards {
		if c.ID != trace.Endpoint {
			continue
		}
		p.connect(c.Key, []string{serviceKey(trace.Service)}, StateFlow)
		if own != "" && zoneOf(t, resource.NetworkInterfaceID(c.ENI)) == own {
			trace.Interface = c.ENI
		}
	}
}

func zoneOf(t *topology.Topology, eni resource.NetworkInterfaceID) string {
	e := t.ENIs[eni]
	if e == nil {
		return ""
	}
	if s := t.VPC(e.VPCID).Subnet(e.SubnetID); s != nil {
		return s.AZ
	}
	return ""
}

// ServiceHost is the name that an SDK uses for a service.
func ServiceHost(service, region string) string {
	if service == "iam" {
		return "iam.amazonaws.com"
	}
	return service + "." + region + ".amazonaws.com"
}

// cardsAt are the cards that a walk from an interface comes by at a hop: none, one, or both ends of a peering
// connection.
func (p *Picture) cardsAt(in Input, trace explain.Trace, h explain.Hop, from resource.NetworkInterfaceID) []string {
	at := h.Component
	if h.Verdict == explain.Note || at.ID == string(from) {
		return nil
	}
	if e := in.Topology.ENIs[from]; e != nil && at.Kind == resource.KindVPCPeering { // not transitive: it begins where the flow does
		near := resource.PeeringID(at.ID)
		if c := in.Topology.VPC(e.VPCID).Peering(near); c != nil {
			return []string{peeringKey(near, e.VPCID), peeringKey(near, c.PeerVPCID)}
		}
	}
	if far := p.byKey[trace.Endpoint+"@"+trace.Interface]; at.ID == trace.Endpoint && far != nil {
		return []string{far.Key} // one of the endpoint's interfaces
	}
	if key := p.cardOf(at); key != "" {
		return []string{key}
	}
	return nil
}

// cardOf is the card of a component that has one: a security group or a route table has none.
func (p *Picture) cardOf(c explain.Component) string {
	switch c.Kind {
	case explain.KindService:
		return serviceKey(c.ID)
	case explain.KindInternet:
		return "internet"
	case resource.KindNATGateway, resource.KindInternetGateway, resource.KindEgressOnlyGateway, resource.KindVPCEndpoint,
		resource.KindNetworkInterface, resource.KindLoadBalancer:
	default:
		return ""
	}
	if p.byKey[c.ID] != nil {
		return c.ID
	}
	for _, card := range p.Cards { // an endpoint, or an interface, that has a card under another name
		if c.ID == card.ENI && card.Kind != KindFunction || c.ID == card.ID && card.Kind != KindInstance {
			return card.Key
		}
	}
	return ""
}

func appendNew(keys []string, key string) []string {
	if len(keys) > 0 && keys[len(keys)-1] == key {
		return keys
	}
	return append(keys, key)
}

// links are the ways that are there whether or not anything uses them.
func (p *Picture) links(t *topology.Topology, v *topology.VPC) {
	for _, e := range v.Endpoints {
		for _, c := range p.Cards {
			if c.ID == string(e.ID) {
				p.connect(c.Key, []string{serviceKey(e.Service)}, StateLink)
			}
		}
	}
	for _, n := range v.NATGateways {
		if s := v.Subnet(n.SubnetID); s != nil && n.Public && isPublic(s) && p.byKey[string(n.ID)] != nil {
			p.connect(string(n.ID), []string{string(v.InternetGateway)}, StateLink)
		}
	}
}

// connect draws edges along cards. An edge that is there already keeps its place and takes the stronger state.
func (p *Picture) connect(from string, keys []string, state string) {
	for _, to := range keys {
		if p.byKey[from] == nil || p.byKey[to] == nil || from == to {
			return
		}
		if p.byKey[from].Kind == KindPeering && p.joined(to, from) { // one line for both ways: it points as it is used
			e := p.edge(to, from)
			e.From, e.To = from, to
		}
		p.edge(from, to).strengthen(state)
		from = to
	}
}

func (p *Picture) edge(from, to string) *Edge {
	for _, e := range p.Edges {
		if e.From == from && e.To == to {
			return e
		}
	}
	e := &Edge{From: from, To: to}
	p.Edges = append(p.Edges, e)
	return e
}

func (e *Edge) strengthen(state string) {
	order := []string{"", StateLink, StateFlow, StatePath, StateBlocked}
	if slices.Index(order, state) > slices.Index(order, e.State) {
		e.State = state
	}
}

// dropUnused takes away the services that no edge leads to.
func (p *Picture) dropUnused() {
	used := map[string]bool{}
	for _, e := range p.Edges {
		used[e.To] = true
	}
	unused := func(c *Card) bool {
		return c.place.group < 0 && !used[c.Key] && !c.onPath && !(p.hasBuckets && c.Key == serviceKey("s3"))
	}
	p.services = slices.DeleteFunc(p.services, unused)
	p.Cards = slices.DeleteFunc(p.Cards, unused)
}
