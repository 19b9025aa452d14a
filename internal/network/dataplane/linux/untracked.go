package linux

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/vishvananda/netlink"
)

// A revocation finds the connections that a change of security group rules ends at once.
//
// Connections survive the removal of their rule, with one exception: AWS does not track TCP and UDP flows that
// a rule for 0.0.0.0/0 or ::/0 allows while a rule of the other direction allows all addresses and all ports. Such a
// flow ends with its rule (EC2 guide, "Untracked connections"). Here every flow is tracked, so those that AWS
// would not have tracked are found and dropped from the table.
type revocation struct {
	changed map[netip.Addr]change // interfaces that had untracked flows and lost rules
	now     *topology.VPC
}

// A change is an interface's rules before and after.
type change struct{ before, after ruleLists }

// ruleLists are the rules of all groups of an interface.
type ruleLists struct{ in, out []topology.Rule }

// newRevocation compares two states of a VPC. It is nil if nothing can be affected.
func newRevocation(before, now *topology.VPC) *revocation {
	if before == nil {
		return nil
	}
	old := map[resource.NetworkInterfaceID]*topology.ENI{}
	for _, e := range before.ENIs {
		old[e.ID] = e
	}
	r := &revocation{changed: map[netip.Addr]change{}, now: now}
	for _, e := range now.ENIs {
		// Connections to interface endpoints are always tracked.
		if old[e.ID] == nil || e.Type == resource.InterfaceTypeVPCEndpoint {
			continue
		}
		c := change{rulesOf(before, old[e.ID]), rulesOf(now, e)}
		if !c.before.anyUntracked() || slices.Equal(c.before.in, c.after.in) && slices.Equal(c.before.out, c.after.out) {
			continue
		}
		for _, a := range e.All() {
			r.changed[a] = c
		}
	}
	if len(r.changed) == 0 {
		return nil
	}
	return r
}

func rulesOf(v *topology.VPC, e *topology.ENI) (all ruleLists) {
	for _, id := range e.GroupIDs {
		if g := v.SecurityGroup(id); g != nil {
			all.in, all.out = append(all.in, g.Ingress...), append(all.out, g.Egress...)
		}
	}
	return all
}

// MatchConntrackFlow reports whether the flow is to end. Either end may have lost it.
func (r *revocation) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	source, destination := address(f.Forward.SrcIP), address(f.Forward.DstIP)
	// The reply's source is who was reached in the end, behind any translation.
	reached := address(f.Reverse.SrcIP)
	protocol := int(f.Forward.Protocol)
	if c, ok := r.changed[source]; ok && !r.translatedByGateway(source, destination) &&
		untracked(c.before.out, c.before.in, source, protocol, f.Forward.DstPort) && !r.allows(c.after.out, protocol, destination, f.Forward.DstPort) {
		return true
	}
	c, ok := r.changed[reached]
	return ok && untracked(c.before.in, c.before.out, source, protocol, f.Reverse.SrcPort) && !r.allows(c.after.in, protocol, source, f.Reverse.SrcPort)
}

// translatedByGateway reports whether a flow leaves through a NAT gateway, which is always tracked: it leaves the
// VPC, and its source has no public address. So is what leaves through an egress-only gateway.
func (r *revocation) translatedByGateway(source, destination netip.Addr) bool {
	if r.now.Contains(destination) {
		return false
	}
	if source.Is6() {
		return r.leavesEgressOnly(source, destination)
	}
	for _, p := range r.now.Peerings {
		if p.Contains(destination) {
			return false
		}
	}
	for _, e := range r.now.ENIs {
		for _, p := range e.Public {
			if p.Private == source {
				return false
			}
		}
	}
	return true
}

func (r *revocation) leavesEgressOnly(source, destination netip.Addr) bool {
	e := r.now.Holder(source)
	if e == nil {
		return false
	}
	s := r.now.Subnet(e.SubnetID)
	if s == nil {
		return false
	}
	route, found := s.Route(destination)
	return found && route.Kind == topology.TargetEgressOnly
}

// anyUntracked reports whether some flow of the interface may be untracked.
func (l ruleLists) anyUntracked() bool {
	any := func(r topology.Rule) bool { return r.CIDR.IsValid() && r.CIDR.Bits() == 0 }
	return slices.ContainsFunc(l.in, any) && slices.ContainsFunc(l.out, any)
}

// untracked reports whether AWS would not track a flow that one direction's rules allow.
func untracked(rules, opposite []topology.Rule, of netip.Addr, protocol int, port uint16) bool {
	return slices.ContainsFunc(rules, func(r topology.Rule) bool { return fromAnywhere(r, of) && covers(r, protocol, port) }) &&
		slices.ContainsFunc(opposite, func(r topology.Rule) bool {
			return fromAnywhere(r, of) && covers(r, protocol, 0) && covers(r, protocol, 65535)
		})
}

// allows evaluates rules for one peer.
func (r *revocation) allows(rules []topology.Rule, protocol int, peer netip.Addr, port uint16) bool {
	return slices.ContainsFunc(rules, func(u topology.Rule) bool {
		if !covers(u, protocol, port) {
			return false
		}
		switch {
		case u.GroupID != "":
			members, _ := r.now.Members(u.GroupID)
			return slices.Contains(members, peer)
		case u.PrefixListID != "":
			l := r.now.PrefixList(u.PrefixListID)
			return l != nil && slices.ContainsFunc(l.Prefixes, func(p netip.Prefix) bool { return p.Contains(peer) })
		}
		return u.CIDR.Contains(peer)
	})
}

// fromAnywhere reports whether a rule is for all addresses of one's family.
func fromAnywhere(r topology.Rule, of netip.Addr) bool {
	return r.CIDR.IsValid() && r.CIDR.Addr().Is6() == of.Is6() && r.CIDR.Bits() == 0
}

// covers matches protocol and port. Only TCP and UDP flows can be untracked.
func covers(r topology.Rule, protocol int, port uint16) bool {
	const tcp, udp = 6, 17
	if protocol != tcp && protocol != udp || r.Protocol != resource.AllProtocols && r.Protocol != protocol {
		return false
	}
	return r.Protocol == resource.AllProtocols || r.FromPort < 0 || r.FromPort <= int(port) && int(port) <= r.ToPort
}

func address(ip []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}
