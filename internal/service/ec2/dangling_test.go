package ec2

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// dangling collects what is wrong in a state: references to what is not there, and things that exclude each
// other. Routes may lead to what is gone: AWS calls them black holes.
type dangling struct {
	v     *state.View
	found []string
}

func findDangling(v *state.View) []string {
	d := &dangling{v: v}
	for _, vpc := range state.List[*resource.VPC](v) {
		d.vpc(vpc)
	}
	for _, s := range state.List[*resource.Subnet](v) {
		d.subnet(s)
	}
	for _, t := range state.List[*resource.RouteTable](v) {
		d.table(t)
	}
	for _, g := range state.List[*resource.SecurityGroup](v) {
		d.group(g)
	}
	for _, n := range state.List[*resource.NetworkInterface](v) {
		d.eni(n)
	}
	for _, a := range state.List[*resource.Address](v) {
		d.address(a)
	}
	for _, n := range state.List[*resource.NATGateway](v) {
		d.nat(n)
	}
	for _, e := range state.List[*resource.VPCEndpoint](v) {
		d.endpoint(e)
	}
	for _, g := range state.List[*resource.EgressOnlyGateway](v) {
		d.check(has[*resource.VPC](v, g.VPCID), "%s: %s", g.ID, g.VPCID)
		d.check(count(v, func(o *resource.EgressOnlyGateway) bool { return o.VPCID == g.VPCID }) == 1, "%s: not the only one of %s", g.ID, g.VPCID)
	}
	for _, s := range state.List[*resource.SubnetReservation](v) {
		subnet, ok := state.Get[*resource.Subnet](v, s.SubnetID)
		d.check(ok && (within(s.CIDR, subnet.CIDR) || subnet.IPv6CIDR.IsValid() && within(s.CIDR, subnet.IPv6CIDR)), "%s: %s of %s", s.ID, s.CIDR, s.SubnetID)
	}
	for _, p := range state.List[*resource.VPCPeeringConnection](v) {
		d.peering(p)
	}
	for _, f := range state.List[*resource.FlowLog](v) {
		d.check(has[*resource.VPC](v, f.ResourceID) || has[*resource.Subnet](v, f.ResourceID) || has[*resource.NetworkInterface](v, f.ResourceID), "%s: of %s", f.ID, f.ResourceID)
	}
	for _, i := range state.List[*resource.Idempotency](v) {
		d.check(has[*resource.RouteTable](v, i.ResourceID) || has[*resource.VPCEndpoint](v, i.ResourceID) || has[*resource.NATGateway](v, i.ResourceID) ||
			has[*resource.NetworkInterface](v, i.ResourceID) || has[*resource.NetworkACL](v, i.ResourceID) || has[*resource.EgressOnlyGateway](v, i.ResourceID) ||
			has[*resource.FlowLog](v, i.ResourceID), "token %s made %s", i.Key(), i.ResourceID)
	}
	return d.found
}

func has[T state.Resource, K ~string](r state.Reader, key K) bool {
	_, ok := state.Get[T](r, key)
	return ok
}

func (d *dangling) check(ok bool, format string, args ...any) {
	if !ok {
		d.found = append(d.found, fmt.Sprintf(format, args...))
	}
}

func count[T state.Resource](r state.Reader, is func(T) bool) int { return len(state.Select(r, is)) }

func (d *dangling) vpc(v *resource.VPC) {
	d.check(count(d.v, func(t *resource.RouteTable) bool { return t.VPCID == v.ID && t.Main() }) == 1, "%s: not one main route table", v.ID)
	d.check(count(d.v, func(n *resource.NetworkACL) bool { return n.VPCID == v.ID && n.IsDefault }) == 1, "%s: not one default network ACL", v.ID)
	d.check(count(d.v, func(g *resource.SecurityGroup) bool { return g.VPCID == v.ID && g.Name == vpcnet.DefaultGroupName }) == 1, "%s: not one default group", v.ID)
	d.check(count(d.v, func(g *resource.InternetGateway) bool { return g.VPCID == v.ID }) <= 1, "%s: two internet gateways", v.ID)
	d.check(has[*resource.DHCPOptions](d.v, v.DHCPOptionsID), "%s: DHCP options %s", v.ID, v.DHCPOptionsID)
	for _, c := range v.IPv6CIDRs {
		d.check(c.Prefix.Bits() == 56 && amazonIPv6().Contains(c.Prefix.Addr()), "%s: IPv6 block %s", v.ID, c.Prefix)
		holders := 0
		for _, o := range state.List[*resource.VPC](d.v) {
			for _, other := range o.IPv6CIDRs {
				if other.Prefix.Overlaps(c.Prefix) {
					holders++
				}
			}
		}
		d.check(holders == 1, "%s: IPv6 block %s is held %d times", v.ID, c.Prefix, holders)
	}
}

func (d *dangling) peering(p *resource.VPCPeeringConnection) {
	if !p.Alive() {
		return
	}
	a, okA := state.Get[*resource.VPC](d.v, p.Requester.VPCID)
	b, okB := state.Get[*resource.VPC](d.v, p.Accepter.VPCID)
	d.check(okA && okB && !overlap(a, b), "%s: joins %s and %s", p.ID, p.Requester.VPCID, p.Accepter.VPCID)
	d.check(count(d.v, func(o *resource.VPCPeeringConnection) bool {
		return o.Alive() && joins(o, p.Requester.VPCID) && joins(o, p.Accepter.VPCID)
	}) == 1, "%s: not the only one", p.ID)
}

func (d *dangling) subnet(s *resource.Subnet) {
	v, ok := state.Get[*resource.VPC](d.v, s.VPCID)
	d.check(ok && inVPC(v, s.CIDR), "%s: %s of %s", s.ID, s.CIDR, s.VPCID)
	acl, ok := state.Get[*resource.NetworkACL](d.v, s.NetworkACLID)
	d.check(ok && acl.VPCID == s.VPCID, "%s: network ACL %s", s.ID, s.NetworkACLID)
	d.check(count(d.v, func(o *resource.Subnet) bool { return o.VPCID == s.VPCID && o.CIDR.Overlaps(s.CIDR) }) == 1, "%s: overlaps", s.ID)
	d.check(s.IPv6CIDR.IsValid() == (s.IPv6AssociationID != ""), "%s: half an IPv6 block", s.ID)
	d.check(s.IPv6CIDR.IsValid() || !s.AssignIPv6AddressOnCreation, "%s: gives out what it has not", s.ID)
	if s.IPv6CIDR.IsValid() {
		d.check(s.IPv6CIDR.Bits() == 64 && slices.ContainsFunc(v.IPv6CIDRs, func(c resource.VPCCIDR) bool { return within(s.IPv6CIDR, c.Prefix) }), "%s: %s of %s", s.ID, s.IPv6CIDR, s.VPCID)
		d.check(count(d.v, func(o *resource.Subnet) bool { return o.IPv6CIDR.IsValid() && o.IPv6CIDR.Overlaps(s.IPv6CIDR) }) == 1, "%s: %s overlaps", s.ID, s.IPv6CIDR)
	}
	tables := 0
	for _, t := range state.List[*resource.RouteTable](d.v) {
		for _, a := range t.Associations {
			if a.SubnetID == s.ID {
				tables++
			}
		}
	}
	d.check(tables <= 1, "%s: %d route tables", s.ID, tables)
}

func (d *dangling) table(t *resource.RouteTable) {
	d.check(has[*resource.VPC](d.v, t.VPCID), "%s: %s", t.ID, t.VPCID)
	for _, a := range t.Associations {
		s, ok := state.Get[*resource.Subnet](d.v, a.SubnetID)
		d.check(a.Main || ok && s.VPCID == t.VPCID, "%s: association with %s", t.ID, a.SubnetID)
	}
	seen := map[destination]bool{}
	for _, r := range t.Routes {
		d.check(!seen[destinationOf(r)], "%s: %s twice", t.ID, destinationOf(r))
		seen[destinationOf(r)] = true
		d.check(checkFamily(destinationOf(r), destinationOf(r).six(d.v), r.Target) == nil, "%s: %s leads to %+v", t.ID, destinationOf(r), r.Target)
		d.check(r.DestinationPrefixListID == "" || has[*resource.PrefixList](d.v, r.DestinationPrefixListID), "%s: %s", t.ID, r.DestinationPrefixListID)
	}
	services := map[string]bool{}
	for _, e := range state.Select(d.v, func(e *resource.VPCEndpoint) bool { return slices.Contains(e.RouteTableIDs, t.ID) }) {
		d.check(!services[e.ServiceName], "%s: two endpoints for %s", t.ID, e.ServiceName)
		services[e.ServiceName] = true
	}
}

func (d *dangling) group(g *resource.SecurityGroup) {
	d.check(has[*resource.VPC](d.v, g.VPCID), "%s: %s", g.ID, g.VPCID)
	for i, r := range g.Rules {
		if r.GroupID != "" {
			other, ok := state.Get[*resource.SecurityGroup](d.v, r.GroupID)
			if r.GroupVPCID == "" {
				d.check(ok && other.VPCID == g.VPCID, "%s: rule names %s", g.ID, r.GroupID)
			} else { // of a peered VPC: it may be gone
				d.check(r.GroupVPCID != g.VPCID && (!ok || other.VPCID == r.GroupVPCID), "%s: rule names %s of %s", g.ID, r.GroupID, r.GroupVPCID)
			}
		}
		d.check(!slices.ContainsFunc(g.Rules[:i], func(o resource.SecurityGroupRule) bool { return sameRule(o, r) }), "%s: a rule twice", g.ID)
	}
}

func (d *dangling) groups(of string, vpc resource.VPCID, ids []resource.SecurityGroupID) {
	for _, id := range ids {
		g, ok := state.Get[*resource.SecurityGroup](d.v, id)
		d.check(ok && g.VPCID == vpc, "%s: group %s", of, id)
	}
}

func (d *dangling) eni(n *resource.NetworkInterface) {
	s, ok := state.Get[*resource.Subnet](d.v, n.SubnetID)
	d.check(ok && s.VPCID == n.VPCID && s.AvailabilityZone == n.AvailabilityZone, "%s: subnet %s", n.ID, n.SubnetID)
	for _, a := range n.PrivateIPs {
		d.check(ok && s.CIDR.Contains(a), "%s: address %s", n.ID, a)
		d.check(count(d.v, func(o *resource.NetworkInterface) bool {
			return o.SubnetID == n.SubnetID && slices.Contains(o.PrivateIPs, a)
		}) == 1, "%s: address %s twice", n.ID, a)
	}
	for _, a := range n.IPv6Addresses {
		d.check(ok && s.IPv6CIDR.IsValid() && s.IPv6CIDR.Contains(a), "%s: address %s", n.ID, a)
		d.check(count(d.v, func(o *resource.NetworkInterface) bool { return slices.Contains(o.IPv6Addresses, a) }) == 1, "%s: address %s twice", n.ID, a)
	}
	d.groups(string(n.ID), n.VPCID, n.GroupIDs)
	d.attachment(n)
	switch n.InterfaceType {
	case resource.InterfaceTypeVPCEndpoint:
		d.check(count(d.v, func(e *resource.VPCEndpoint) bool { return slices.Contains(e.NetworkInterfaceIDs, n.ID) }) == 1, "%s: no endpoint", n.ID)
	case resource.InterfaceTypeNATGateway:
		d.check(count(d.v, func(g *resource.NATGateway) bool { return g.NetworkInterfaceID == n.ID }) == 1, "%s: no NAT gateway", n.ID)
	}
}

func (d *dangling) address(a *resource.Address) {
	if a.AssociationID == "" {
		d.check(a.NetworkInterfaceID == "" && a.PrivateIP == netip.Addr{}, "%s: half an association", a.AllocationID)
		return
	}
	n, ok := state.Get[*resource.NetworkInterface](d.v, a.NetworkInterfaceID)
	d.check(ok && slices.Contains(n.PrivateIPs, a.PrivateIP), "%s: at %s", a.AllocationID, a.NetworkInterfaceID)
	if ok {
		_, attached := gatewayOf(d.v, n.VPCID)
		d.check(attached, "%s: %s has no internet gateway", a.AllocationID, n.VPCID)
	}
	d.check(count(d.v, func(o *resource.Address) bool {
		return o.NetworkInterfaceID == a.NetworkInterfaceID && o.PrivateIP == a.PrivateIP
	}) == 1, "%s: shares a private address", a.AllocationID)
}

func (d *dangling) nat(n *resource.NATGateway) {
	d.check(has[*resource.Subnet](d.v, n.SubnetID) && has[*resource.VPC](d.v, n.VPCID), "%s: subnet %s", n.ID, n.SubnetID)
	inService := n.State == stateAvailable
	d.check(has[*resource.NetworkInterface](d.v, n.NetworkInterfaceID) == inService, "%s %s: interface %q", n.ID, n.State, n.NetworkInterfaceID)
	a, ok := state.Get[*resource.Address](d.v, n.AllocationID)
	d.check((inService && n.Public) == ok, "%s %s: address %q", n.ID, n.State, n.AllocationID)
	d.check(!ok || a.NetworkInterfaceID == n.NetworkInterfaceID, "%s: its address is elsewhere", n.ID)
}

func (d *dangling) endpoint(e *resource.VPCEndpoint) {
	d.check(has[*resource.VPC](d.v, e.VPCID), "%s: %s", e.ID, e.VPCID)
	d.check(len(e.SubnetIDs) == len(e.NetworkInterfaceIDs), "%s: %d subnets, %d interfaces", e.ID, len(e.SubnetIDs), len(e.NetworkInterfaceIDs))
	zones := map[string]bool{}
	for i, id := range e.NetworkInterfaceIDs {
		n, ok := state.Get[*resource.NetworkInterface](d.v, id)
		d.check(ok && n.SubnetID == e.SubnetIDs[i] && slices.Equal(n.GroupIDs, e.GroupIDs), "%s: interface %s", e.ID, id)
		d.check(ok && !zones[n.AvailabilityZone], "%s: two interfaces in a zone", e.ID)
		if ok {
			zones[n.AvailabilityZone] = true
		}
	}
	d.groups(string(e.ID), e.VPCID, e.GroupIDs)
	for _, id := range e.RouteTableIDs {
		t, ok := state.Get[*resource.RouteTable](d.v, id)
		d.check(ok && t.VPCID == e.VPCID, "%s: route table %s", e.ID, id)
	}
	if e.PrivateDNSOnlyForInboundResolver {
		d.check(len(gatewayEndpoints(d.v, e.VPCID, e.ServiceName)) > 0, "%s: no gateway endpoint beside it", e.ID)
	}
}
