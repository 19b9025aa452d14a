package agree

import (
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// flows are random probes of a world, by seat.
func (g *generator) flows(w *world, count int) map[string][]explain.Flow {
	out := map[string][]explain.Flow{}
	for range count {
		if g.chance(12) {
			f := g.outsideFlow(w)
			if g.chance(50) {
				f = g.outsideFlow6(w)
			}
			out[onTheInternet] = append(out[onTheInternet], f)
			continue
		}
		from := g.source(w.topology)
		f := g.flow(w.topology, from)
		if len(from.IPv6) > 0 && g.chance(45) || g.chance(3) {
			f = g.flow6(w.topology, from)
		}
		out[string(from.ID)] = append(out[string(from.ID)], f)
	}
	return out
}

// source is an interface that something may sit behind. Endpoints and NAT gateways start no connections.
func (g *generator) source(t *topology.Topology) *topology.ENI {
	for {
		if e := pick(g, pick(g, t.VPCs).ENIs); e.Type == resource.InterfaceTypeInterface {
			return e
		}
	}
}

func (g *generator) outsideFlow(w *world) explain.Flow {
	f := explain.Flow{Source: w.outside, Protocol: tcp, Port: portHTTPS, SourcePort: g.sourcePort()}
	switch n := g.rng.IntN(100); {
	case n < 15:
		f.To = pick(g, pick(g, w.topology.Services).Names[0].Addresses)
	case n < 25:
		f.To = pick(g, pick(g, w.topology.VPCs).ENIs).Address()
	default:
		f.To = g.publicAddress(w.topology)
		g.anyProtocol(&f)
	}
	return f
}

// publicAddress is one that a VPC has or had, or nobody.
func (g *generator) publicAddress(t *topology.Topology) netip.Addr {
	var all []netip.Addr
	for _, v := range t.VPCs {
		for _, e := range v.ENIs {
			for _, a := range e.Public {
				all = append(all, a.Public)
			}
		}
	}
	if len(all) == 0 || g.chance(7) {
		return netip.MustParseAddr("34.210.200.1")
	}
	return pick(g, all)
}

func (g *generator) flow(t *topology.Topology, from *topology.ENI) explain.Flow {
	vpc := t.VPC(from.VPCID)
	f := explain.Flow{From: from.ID, Protocol: tcp, Port: pick(g, []uint16{portHTTPS, portHTTPS, portOther}), SourcePort: g.sourcePort()}
	switch n := g.rng.IntN(100); {
	case n < 23:
		g.toPeer(t, vpc, &f)
	case n < 45:
		g.toNeighbour(vpc, from, &f)
	case n < 68:
		f.To, f.Port = pick(g, service(t, pick(g, []string{"s3", "s3", "sts"}))), portHTTPS
	case n < 76:
		g.toEndpoint(vpc, &f)
	case n < 88:
		f.To = g.publicAddress(t)
		for _, p := range from.Public {
			if p.Public == f.To { // to oneself by way of the internet: nobody does
				f.To = netip.MustParseAddr("34.210.200.1")
			}
		}
		g.anyProtocol(&f)
	case n < 93:
		f.To, f.Port, f.Protocol = vpc.Resolver, portDNS, udp
	default:
		f.To, f.Port = g.nowhere(t, vpc, from), portHTTPS
	}
	return f
}

// toNeighbour is another interface of the VPC, often in the same subnet or behind a middlebox, by any protocol.
func (g *generator) toNeighbour(vpc *topology.VPC, from *topology.ENI, f *explain.Flow) {
	subnet := vpc.Subnet(from.SubnetID)
	var near, behind, all []*topology.ENI
	for _, e := range vpc.ENIs {
		if e == from || e.Type == resource.InterfaceTypeVPCEndpoint || e.Type == resource.InterfaceTypeLoadBalancer || e.Type == resource.InterfaceTypeNATGateway && g.chance(80) {
			continue
		}
		all = append(all, e)
		if r, _ := subnet.Route(e.Address()); e.SubnetID == from.SubnetID {
			near = append(near, e)
		} else if r.Kind == topology.TargetENI {
			behind = append(behind, e)
		}
	}
	switch {
	case len(behind) > 0 && g.chance(50):
		all = behind
	case len(near) > 0 && g.chance(40):
		all = near
	}
	if len(all) == 0 {
		f.To = netip.MustParseAddr("34.210.200.1")
		return
	}
	f.To = pick(g, pick(g, all).Addresses)
	g.anyProtocol(f)
}

// anyProtocol is for interfaces, which answer to all three.
func (g *generator) anyProtocol(f *explain.Flow) {
	switch g.rng.IntN(4) {
	case 0:
		f.Protocol, f.Port = udp, portUDP
	case 1:
		f.Protocol, f.Port, f.ICMPType = icmp, 0, 8
	}
}

func (g *generator) toEndpoint(vpc *topology.VPC, f *explain.Flow) {
	f.To, f.Port = netip.MustParseAddr("34.210.200.1"), portHTTPS
	for _, e := range vpc.Endpoints {
		for _, id := range e.ENIs {
			f.To = vpc.ENI(id).Address()
		}
	}
}

// nowhere is an address that should not answer: nobody's, another VPC's, or one of AWS's.
func (g *generator) nowhere(t *topology.Topology, vpc *topology.VPC, from *topology.ENI) netip.Addr {
	unused := vpc.Subnet(from.SubnetID).CIDR.Addr().As4()
	unused[3] = 3
	return pick(g, []netip.Addr{
		netip.MustParseAddr("198.51.100.9"), netip.MustParseAddr("100.64.9.9"), netip.MustParseAddr("169.254.169.254"),
		netip.MustParseAddr("192.168.7.7"), netip.AddrFrom4(unused), pick(g, pick(g, t.VPCs).ENIs).Address(),
	})
}

func service(t *topology.Topology, name string) []netip.Addr {
	for _, s := range t.Services {
		if s.Service == name {
			return s.Names[0].Addresses
		}
	}
	return nil
}

// sourcePort is one that was not used in this world before: connections that routers remember must not help.
func (g *generator) sourcePort() uint16 {
	for {
		p := uint16(1024 + g.rng.IntN(65536-1024))
		if !g.used[p] && p != portOther && p != portUDP {
			g.used[p] = true
			return p
		}
	}
}
