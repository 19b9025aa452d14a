package flow

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
)

// TrafficOf attributes what passed: to the interface that sent it, and to the one that got it.
func TrafficOf(t *topology.Topology, f dataplane.Flow) []Traffic {
	if f.Network == nil {
		return nil
	}
	var out []Traffic
	if e := interfaceOf(f.Network, f.From.ENI); e != nil {
		sent := traffic(t, f.Network, e, f.To, f.Destination.Addr())
		sent.PacketsOut, sent.BytesOut = f.Packets, f.Bytes
		out = append(out, sent)
	}
	if e := interfaceOf(f.Network, f.To.ENI); e != nil {
		got := traffic(t, f.Network, e, f.From, f.Source.Addr())
		got.PacketsIn, got.BytesIn = f.Packets, f.Bytes
		out = append(out, got)
	}
	return out
}

// traffic describes the way between an interface and an address, by the link that is next on it.
func traffic(t *topology.Topology, v *topology.VPC, e *topology.ENI, next dataplane.Link, peer netip.Addr) Traffic {
	out := Traffic{VPC: v.ID, ENI: e.ID, Type: e.Type, Subnet: e.SubnetID, AZ: zoneOf(v, e), Via: "local"}
	other := interfaceOf(v, next.ENI)
	switch {
	case other != nil:
		out.CrossAZ = zoneOf(v, other) != out.AZ
		out.throughInterface(t, v, other, peer)
	case next.GatewayEndpoint != "":
		out.Via = "vpce:" + string(next.GatewayEndpoint)
		if p := v.Endpoint(next.GatewayEndpoint); p != nil {
			out.Service = p.Service
		}
	case next.InternetGateway != "":
		out.Via, out.Service = "igw:"+string(next.InternetGateway), publicService(t, v, peer)
		if id := answersEgressOnly(v, e, peer); id != "" {
			out.Via = "eigw:" + id
		}
	case next.EgressOnly != "":
		out.Via, out.Service = "eigw:"+string(next.EgressOnly), publicService(t, v, peer)
	case next.Peering != "":
		out.Via = "pcx:" + string(next.Peering)
		if p := v.Peering(next.Peering); p != nil {
			if far := t.VPC(p.PeerVPCID); far != nil {
				i := slices.IndexFunc(far.ENIs, func(e *topology.ENI) bool { return e.Has(peer) })
				out.CrossAZ = i >= 0 && zoneOf(far, far.ENIs[i]) != out.AZ
			}
		}
	}
	return out
}

// answersEgressOnly is the egress-only gateway by which an interface sends to an address. Where there is an internet
// gateway too, what comes back for it comes in there.
func answersEgressOnly(v *topology.VPC, e *topology.ENI, peer netip.Addr) string {
	if !peer.Is6() {
		return ""
	}
	if s := v.Subnet(e.SubnetID); s != nil {
		if r, ok := s.Route(peer); ok && r.Kind == topology.TargetEgressOnly {
			return r.TargetID
		}
	}
	return ""
}

// throughInterface finds out what the other interface is: a NAT gateway that passes on, an endpoint, or the peer.
func (out *Traffic) throughInterface(t *topology.Topology, v *topology.VPC, other *topology.ENI, peer netip.Addr) {
	for _, g := range v.NATGateways {
		if g.ENI == other.ID {
			out.Via, out.Service = "nat:"+string(g.ID), publicService(t, v, peer)
			return
		}
	}
	for _, p := range v.Endpoints {
		if slices.Contains(p.ENIs, other.ID) {
			out.Via, out.Service = "vpce:"+string(p.ID), p.Service
			return
		}
	}
}

func zoneOf(v *topology.VPC, e *topology.ENI) string {
	if s := v.Subnet(e.SubnetID); s != nil {
		return s.AZ
	}
	return ""
}
