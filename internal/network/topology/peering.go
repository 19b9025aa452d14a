package topology

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Peering is a VPC's end of an active peering connection. The blocks of its two VPCs do not overlap.
type Peering struct {
	ID        resource.PeeringID
	PeerVPCID resource.VPCID
	PeerCIDRs []netip.Prefix // IPv4, then IPv6, in the peer's order
	// ResolvesPeer: public host names of the peer resolve to private addresses, for queries made in this VPC.
	ResolvesPeer bool
}

// PeerGroup is a security group of a peered VPC, as far as rules of this one need to know it.
type PeerGroup struct {
	ID      resource.SecurityGroupID
	VPCID   resource.VPCID
	Members []netip.Addr // ordered
}

// Contains reports whether an address lies in a block of the peer.
func (p *Peering) Contains(a netip.Addr) bool {
	return slices.ContainsFunc(p.PeerCIDRs, func(b netip.Prefix) bool { return b.Contains(a) })
}

// Peering finds an active peering connection, nil if there is none.
func (v *VPC) Peering(id resource.PeeringID) *Peering {
	return find(v.Peerings, func(p *Peering) bool { return p.ID == id })
}

// PeeringWith finds the active peering connection with a VPC, nil if there is none.
func (v *VPC) PeeringWith(id resource.VPCID) *Peering {
	for _, p := range v.Peerings {
		if p.PeerVPCID == id {
			return p
		}
	}
	return nil
}

// Members are the private and IPv6 addresses that a group in a rule stands for; false: nobody knows the group.
func (v *VPC) Members(id resource.SecurityGroupID) ([]netip.Addr, bool) {
	if g := v.SecurityGroup(id); g != nil {
		return g.Members, true
	}
	for _, g := range v.PeerGroups {
		if g.ID == id {
			return g.Members, true
		}
	}
	return nil, false
}

// addPeerings takes the active connections whose VPCs are both there. Blocks that overlap would make the
// connection lead back into its own VPC: such a one is left out, although the API lets none become active.
func (in *inputs) addPeerings(vpc *VPC) {
	for _, c := range in.peerings[vpc.ID] {
		own, other, _ := c.Side(vpc.ID)
		peer, ok := state.Get[*resource.VPC](in.reader, other.VPCID)
		if !ok || len(peer.CIDRs) == 0 || own.VPCID == other.VPCID || vpc.PeeringWith(other.VPCID) != nil {
			continue
		}
		p := &Peering{ID: c.ID, PeerVPCID: other.VPCID, PeerCIDRs: slices.Concat(blocks(peer.CIDRs), blocks(peer.IPv6CIDRs))}
		if slices.ContainsFunc(p.PeerCIDRs, vpc.overlaps) {
			continue
		}
		p.ResolvesPeer = other.AllowDNSResolution && vpc.DNSSupport && vpc.DNSHostnames && peer.EnableDNSSupport && peer.EnableDNSHostnames
		vpc.Peerings = append(vpc.Peerings, p)
	}
}

func (v *VPC) overlaps(b netip.Prefix) bool {
	return slices.ContainsFunc(slices.Concat(v.CIDRs, v.IPv6CIDRs), b.Overlaps)
}

// peeringsByVPC sorts the active connections by both of their VPCs.
func peeringsByVPC(r state.Reader) map[resource.VPCID][]*resource.VPCPeeringConnection {
	out := map[resource.VPCID][]*resource.VPCPeeringConnection{}
	for _, c := range state.Select(r, func(c *resource.VPCPeeringConnection) bool { return c.State == resource.PeeringActive }) {
		for _, side := range []resource.PeeringSide{c.Requester, c.Accepter} {
			out[side.VPCID] = append(out[side.VPCID], c)
		}
	}
	return out
}

// addPeerGroups resolves the groups of peered VPCs that rules name. It runs when all VPCs have their interfaces.
// Without an active connection, or without the group, there is none, and the rule allows nothing.
func (t *Topology) addPeerGroups(vpc *VPC) {
	seen := map[resource.SecurityGroupID]bool{}
	for _, g := range vpc.SecurityGroups {
		for _, r := range slices.Concat(g.Ingress, g.Egress) {
			if r.GroupID == "" || seen[r.GroupID] || vpc.SecurityGroup(r.GroupID) != nil {
				continue
			}
			seen[r.GroupID] = true
			for _, p := range vpc.Peerings {
				peer := t.VPC(p.PeerVPCID)
				if peer == nil {
					continue
				}
				if other := peer.SecurityGroup(r.GroupID); other != nil {
					vpc.PeerGroups = append(vpc.PeerGroups, &PeerGroup{ID: other.ID, VPCID: peer.ID, Members: other.Members})
				}
			}
		}
	}
	slices.SortFunc(vpc.PeerGroups, func(a, b *PeerGroup) int { return cmp.Compare(a.ID, b.ID) })
}
