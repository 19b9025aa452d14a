package agree

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const icmpv6 = 58

// everywhere6 and nobody6 are all addresses, and one that nobody has.
var (
	everywhere6 = netip.MustParsePrefix("::/0")
	nobody6     = netip.MustParseAddr("2600:1f14:ff:ff::1")
	servicesOf6 = netip.MustParsePrefix("2600:1fa0::/32")
)

// subnetOf6 is the n-th /64 of a VPC.
func subnetOf6(vpc netip.Prefix, n int) netip.Prefix {
	a := vpc.Addr().As16()
	a[7] = byte(n)
	return netip.PrefixFrom(netip.AddrFrom16(a), 64)
}

// block6 gives most VPCs a block. No two of them overlap, whatever their IPv4 blocks do.
func (g *generator) block6(p *plot) []resource.VPCCIDR {
	if !g.chance(80) {
		return nil
	}
	a := netip.MustParseAddr("2600:1f14::").As16()
	a[6] = byte(len(g.plots))
	p.cidr6 = netip.PrefixFrom(netip.AddrFrom16(a), 56)
	return []resource.VPCCIDR{{Prefix: p.cidr6}}
}

// gateways6 makes an egress-only gateway and a prefix list.
func (g *generator) gateways6(tx *state.Tx, p *plot) {
	if !p.cidr6.IsValid() {
		return
	}
	p.list6 = resource.PrefixListID(g.id("pl"))
	tx.Put(&resource.PrefixList{ID: p.list6, Name: "six", Entries: g.entries6(p)})
	if g.chance(75) {
		p.egressOnly = resource.EgressOnlyGatewayID(g.id("eigw"))
		tx.Put(&resource.EgressOnlyGateway{ID: p.egressOnly, VPCID: p.id})
	}
}

func (g *generator) entries6(p *plot) []resource.PrefixListEntry {
	return []resource.PrefixListEntry{{CIDR: subnetOf6(p.cidr6, 1+g.rng.IntN(3))}, {CIDR: servicesOf6}, {CIDR: g.nonZero6(p)}}
}

// nonZero6 is a block, but not all addresses.
func (g *generator) nonZero6(p *plot) netip.Prefix {
	if b := g.blockOf6(p.cidr6); b.Bits() > 0 {
		return b
	}
	return netip.PrefixFrom(nobody6, 64)
}

// addresses6 are those of an interface, if its subnet has a block.
func (g *generator) addresses6(p *plot, s *resource.Subnet) []netip.Addr {
	if !s.IPv6CIDR.IsValid() || !g.chance(85) {
		return nil
	}
	var out []netip.Addr
	for range 1 + g.rng.IntN(7)/6 {
		a := s.IPv6CIDR.Addr().As16()
		a[14], a[15] = byte(g.number>>8), byte(g.number)
		a[13] = byte(len(out))
		out = append(out, netip.AddrFrom16(a))
	}
	p.addresses6 = append(p.addresses6, out...)
	return out
}

// blockOf6 is one that has to do with what probes go to.
func (g *generator) blockOf6(vpc netip.Prefix) netip.Prefix {
	switch n := g.rng.IntN(20); {
	case n < 9 || !vpc.IsValid():
		return everywhere6
	case n < 12:
		return vpc
	case n < 16:
		return subnetOf6(vpc, 1+g.rng.IntN(3))
	case n < 18:
		return servicesOf6
	case n < 19:
		return netip.MustParsePrefix("2600:1f14::/32")
	default:
		return netip.MustParsePrefix("2001:db8::/32")
	}
}

// entry6 is an entry of IPv6. Its number is not one of an entry of IPv4.
func (g *generator) entry6(p *plot, egress bool, number int) resource.NetworkACLEntry {
	e := g.entry(p.cidr, egress, 1000+number)
	e.CIDR = g.blockOf6(p.cidr6)
	if e.Protocol == icmp {
		e.Protocol = icmpv6
		r := pick(g, [][2]int{{-1, -1}, {128, -1}, {129, -1}, {128, 0}, {129, 0}, {1, -1}})
		e.ICMPType, e.ICMPCode = r[0], r[1]
	}
	return e
}

// rule6 turns a rule into one of IPv6.
func (g *generator) rule6(p *plot, r resource.SecurityGroupRule) resource.SecurityGroupRule {
	if r.Protocol == icmp {
		kind := pick(g, [][2]int{{-1, -1}, {128, -1}, {128, 0}, {129, -1}})
		r.Protocol, r.FromPort, r.ToPort = icmpv6, kind[0], kind[1]
	}
	switch {
	case r.GroupID != "":
	case r.PrefixListID != "":
		r.PrefixListID = p.list6
	case r.CIDR.Bits() == 32 && len(p.addresses6) > 0:
		r.CIDR = netip.PrefixFrom(pick(g, p.addresses6), 128)
	default:
		r.CIDR = g.blockOf6(p.cidr6)
	}
	return r
}

// routes6 lead out by either gateway, or wrongly, through a middlebox, too, and for a prefix list.
func (g *generator) routes6(p *plot, public bool) []resource.Route {
	if !p.cidr6.IsValid() {
		return nil
	}
	var out []resource.Route
	switch n := g.rng.IntN(100); {
	case p.gateway != "" && (public && n < 80 || n < 15):
		out = append(out, routeTo("::/0", resource.RouteTarget{InternetGatewayID: p.gateway}))
	case p.egressOnly != "" && n < 75:
		out = append(out, routeTo("::/0", resource.RouteTarget{EgressOnlyID: p.egressOnly}))
	case len(p.boxes) > 0 && n < 88:
		out = append(out, routeTo("::/0", resource.RouteTarget{NetworkInterfaceID: pick(g, p.boxes)}))
	case n < 94:
		out = append(out, routeTo("::/0", resource.RouteTarget{EgressOnlyID: "eigw-gone"}))
	}
	if len(p.boxes) > 0 && g.chance(45) {
		out = append(out, routeTo(subnetOf6(p.cidr6, 1+g.rng.IntN(3)).String(), resource.RouteTarget{NetworkInterfaceID: pick(g, p.boxes)}))
	}
	if p.gateway != "" && g.chance(10) {
		out = append(out, resource.Route{DestinationPrefixListID: p.list6, Target: resource.RouteTarget{InternetGatewayID: p.gateway}})
	}
	return out
}

func (g *generator) changeRoutes6(tx *state.Tx, p *plot) {
	if t, ok := one(g, tx, func(t *resource.RouteTable) bool { return t.VPCID == p.id }); ok {
		t.Routes = slices.DeleteFunc(slices.Clone(t.Routes), func(r resource.Route) bool {
			return r.DestinationPrefixListID == p.list6 || r.DestinationCIDR.IsValid() && r.DestinationCIDR.Addr().Is6() && r.Target.PeeringID == ""
		})
		t.Routes = append(t.Routes, g.routes6(p, g.chance(50))...)
		tx.Put(t)
	}
}

func (g *generator) toggleEgressOnly(tx *state.Tx, p *plot) {
	if p.egressOnly == "" {
		return
	}
	e := &resource.EgressOnlyGateway{ID: p.egressOnly, VPCID: p.id}
	if _, there := state.Get[*resource.EgressOnlyGateway](tx, p.egressOnly); there && g.chance(50) {
		tx.Delete(e)
		return
	}
	tx.Put(e)
}

// changeAddresses6 gives an interface other IPv6 addresses, or none.
func (g *generator) changeAddresses6(tx *state.Tx, p *plot) {
	e, ok := one(g, tx, func(e *resource.NetworkInterface) bool {
		return e.VPCID == p.id && e.InterfaceType == resource.InterfaceTypeInterface
	})
	if !ok {
		return
	}
	g.number++
	at := slices.IndexFunc(p.subnets, func(s *resource.Subnet) bool { return s.ID == e.SubnetID })
	e.IPv6Addresses = g.addresses6(p, p.subnets[at])
	tx.Put(e)
}

// outsideFlow6 comes from the internet.
func (g *generator) outsideFlow6(w *world) explain.Flow {
	f := explain.Flow{Source: w.outside6, Protocol: tcp, Port: portHTTPS, SourcePort: g.sourcePort(), To: nobody6}
	if all := speaking(w.topology.VPCs...); len(all) > 0 && g.chance(90) {
		f.To = pick(g, pick(g, all).IPv6)
		g.anyProtocol6(&f)
	} else if g.chance(50) {
		f.To = service6(w.topology)
	}
	return f
}

// flow6 comes from an interface, which has an address or not.
func (g *generator) flow6(t *topology.Topology, from *topology.ENI) explain.Flow {
	vpc := t.VPC(from.VPCID)
	f := explain.Flow{From: from.ID, Protocol: tcp, Port: pick(g, []uint16{portHTTPS, portHTTPS, portOther}), SourcePort: g.sourcePort(), To: nobody6}
	to := func(all []*topology.ENI) {
		all = slices.DeleteFunc(all, func(e *topology.ENI) bool { return e.ID == from.ID })
		if len(all) > 0 {
			f.To = pick(g, pick(g, all).IPv6)
			g.anyProtocol6(&f)
		}
	}
	switch n := g.rng.IntN(100); {
	case n < 40:
		to(speaking(vpc))
	case n < 58:
		var peers []*topology.VPC
		for _, p := range vpc.Peerings {
			peers = append(peers, t.VPC(p.PeerVPCID))
		}
		to(speaking(peers...))
	case n < 68:
		to(speaking(t.VPCs...))
	case n < 90:
		f.To, f.Port = service6(t), portHTTPS
	case n < 95:
		if s := vpc.Subnet(from.SubnetID); s.IPv6CIDR.IsValid() {
			f.To = s.IPv6CIDR.Addr().Next() // nobody's in the same subnet
		}
	default:
		f.To = pick(g, []netip.Addr{nobody6, netip.MustParseAddr("2001:db8:5::5"), netip.MustParseAddr("fd00:ec2::254")})
	}
	return f
}

// speaking are the interfaces with IPv6 addresses that answer.
func speaking(vpcs ...*topology.VPC) []*topology.ENI {
	var out []*topology.ENI
	for _, v := range vpcs {
		for _, e := range v.ENIs {
			if len(e.IPv6) > 0 && e.Type == resource.InterfaceTypeInterface {
				out = append(out, e)
			}
		}
	}
	return out
}

func (g *generator) anyProtocol6(f *explain.Flow) {
	g.anyProtocol(f)
	if f.Protocol == icmp {
		f.Protocol, f.ICMPType = icmpv6, 128
	}
}

// service6 is an address of the one service that has such.
func service6(t *topology.Topology) netip.Addr {
	return topology.Lookup(t, "", "s3.dualstack."+t.Region+".amazonaws.com").IPv6[0]
}
