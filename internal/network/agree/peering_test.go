package agree

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// peerings joins VPCs, most of them, and leads some of their routes there. Of the VPCs with equal blocks one peer
// may have both.
func (g *generator) peerings(tx *state.Tx) {
	for i, a := range g.plots {
		for _, b := range g.plots[:i] {
			if a.cidr.Overlaps(b.cidr) {
				continue
			}
			a.peers, b.peers = append(a.peers, b), append(b.peers, a)
			if g.chance(85) {
				g.peering(tx, a, b)
			}
		}
	}
	for _, p := range g.plots {
		if len(p.peers) == 0 {
			continue
		}
		g.leadToPeers(tx, p)
		for _, group := range state.Select(tx, func(s *resource.SecurityGroup) bool { return s.VPCID == p.id && s.ID != p.groups[0] }) {
			c := *group
			for _, egress := range []bool{false, true} {
				if g.chance(60) {
					c.Rules = append(slices.Clone(c.Rules), g.peerRule(p, egress))
				}
			}
			tx.Put(&c)
		}
	}
}

func (g *generator) peering(tx *state.Tx, a, b *plot) {
	c := &resource.VPCPeeringConnection{
		ID: resource.PeeringID(g.id("pcx")), Requester: resource.PeeringSide{VPCID: a.id}, Accepter: resource.PeeringSide{VPCID: b.id},
		State: resource.PeeringActive,
	}
	if g.chance(12) {
		c.State = resource.PeeringPending
	}
	tx.Put(c)
}

// peerRule allows a group of a peer something.
func (g *generator) peerRule(p *plot, egress bool) resource.SecurityGroupRule {
	peer := pick(g, p.peers)
	r := g.rule(p, egress)
	r.CIDR, r.PrefixListID, r.GroupID, r.GroupVPCID = netip.Prefix{}, "", pick(g, peer.groups), peer.id
	if g.chance(60) {
		r.GroupID, r.Protocol, r.FromPort, r.ToPort = peer.groups[0], resource.AllProtocols, -1, -1
	}
	return r
}

// peerRoutes lead to whole peers, to parts of them, or, wrongly, everywhere.
func (g *generator) peerRoutes(p *plot) []resource.Route {
	var out []resource.Route
	add := func(cidr netip.Prefix, id resource.PeeringID) {
		if !slices.ContainsFunc(out, func(r resource.Route) bool { return r.DestinationCIDR == cidr }) {
			out = append(out, resource.Route{DestinationCIDR: cidr, Target: resource.RouteTarget{PeeringID: id}})
		}
	}
	for _, c := range state.List[*resource.VPCPeeringConnection](g.store.View()) {
		g.routeBy(p, c, add)
	}
	return out
}

func (g *generator) routeBy(p *plot, c *resource.VPCPeeringConnection, add func(netip.Prefix, resource.PeeringID)) {
	_, other, ok := c.Side(p.id)
	if !ok {
		return
	}
	at := slices.IndexFunc(p.peers, func(o *plot) bool { return o.id == other.VPCID })
	if peer := p.peers[at]; peer.cidr6.IsValid() && g.chance(75) {
		add(peer.cidr6, c.ID)
	}
	switch peer := p.peers[at]; {
	case g.chance(75):
		add(peer.cidr, c.ID)
	case g.chance(50):
		add(subnetOf(peer.cidr, 1+g.rng.IntN(3)), c.ID)
	}
	if g.chance(12) {
		add(netip.MustParsePrefix(pick(g, []string{"10.0.0.0/8", "52.0.0.0/8"})), c.ID)
	}
}

// leadToPeers gives the tables of a VPC routes to its peers.
func (g *generator) leadToPeers(tx *state.Tx, p *plot) {
	for _, t := range state.Select(tx, func(t *resource.RouteTable) bool { return t.VPCID == p.id }) {
		table := *t
		table.Routes = slices.Clone(t.Routes)
		for _, c := range state.List[*resource.VPCPeeringConnection](tx) {
			g.routeBy(p, c, func(cidr netip.Prefix, id resource.PeeringID) {
				table.Routes = slices.DeleteFunc(table.Routes, func(r resource.Route) bool { return r.DestinationCIDR == cidr })
				table.Routes = append(table.Routes, resource.Route{DestinationCIDR: cidr, Target: resource.RouteTarget{PeeringID: id}})
			})
		}
		tx.Put(&table)
	}
}

// togglePeering ends a connection, whose routes stay, or makes one where there is none, with or without routes.
func (g *generator) togglePeering(tx *state.Tx, p *plot) {
	if len(p.peers) == 0 {
		return
	}
	peer := pick(g, p.peers)
	for _, c := range state.List[*resource.VPCPeeringConnection](tx) {
		if _, other, ok := c.Side(p.id); !ok || other.VPCID != peer.id || !c.Alive() {
			continue
		}
		ended := *c
		ended.State = resource.PeeringDeleted
		if c.State == resource.PeeringPending {
			ended.State = resource.PeeringActive
		}
		tx.Put(&ended)
		return
	}
	g.peering(tx, p, peer)
	for _, side := range []*plot{p, peer} {
		if g.chance(80) {
			g.leadToPeers(tx, side)
		}
	}
}

// toPeer is an interface or the resolver of a VPC that is joined, or could be.
func (g *generator) toPeer(t *topology.Topology, vpc *topology.VPC, f *explain.Flow) {
	var others []*topology.VPC
	for _, v := range t.VPCs {
		if v.CIDRs[0] != vpc.CIDRs[0] && (vpc.PeeringWith(v.ID) != nil || g.chance(40)) {
			others = append(others, v)
		}
	}
	if len(others) == 0 {
		f.To = netip.MustParseAddr("10.9.9.9")
		return
	}
	other := pick(g, others)
	if g.chance(4) {
		f.To, f.Port, f.Protocol = other.Resolver, portDNS, udp
		return
	}
	e := pick(g, other.ENIs)
	f.To = pick(g, e.Addresses)
	if e.Type == resource.InterfaceTypeVPCEndpoint || e.Type == resource.InterfaceTypeLoadBalancer {
		f.Port = portHTTPS
		return
	}
	g.anyProtocol(f)
}
