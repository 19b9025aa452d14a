package explain

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// peering is the way into another VPC. It ends there: only the far VPC's own interfaces can be reached, none of
// its gateways, and nothing that it is joined with.
func (c *explanation) peering(vpc *topology.VPC, s *topology.Subnet, e *topology.ENI, route topology.Route, p packet) (arrival, bool) {
	component := Component{resource.KindVPCPeering, route.TargetID}
	why := cause{code: "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR", component: component, vpc: vpc, subnet: s, eni: e, packet: p, route: route}
	join := vpc.Peering(resource.PeeringID(route.TargetID))
	var far *topology.VPC
	if join != nil {
		far = c.topology.VPC(join.PeerVPCID)
	}
	switch {
	case far == nil:
		why.code = "BAD_STATE_ROUTE"
		c.deny(why, "%s does not exist, or is not active", route.TargetID)
		return arrival{}, false
	case !vpc.Contains(p.src):
		c.deny(why, "%s carries packets of %s's own addresses only, and %s is none: peering is not transitive", join.ID, vpc.ID, p.src)
		return arrival{}, false
	case !far.Contains(p.dst):
		c.deny(why, "%s leads to the addresses of %s and to nothing behind it (no gateway, no endpoint route, no third VPC), and %s is not one of them",
			join.ID, far.ID, p.dst)
		return arrival{}, false
	}
	c.note(Allow, component, "", "%s joins %s with %s", join.ID, vpc.ID, far.ID)
	to := far.Holder(p.dst)
	if to == nil {
		c.deny(cause{code: "NO_POSSIBLE_DESTINATION", component: Component{resource.KindVPC, string(far.ID)}, packet: p},
			"%s", nobody(far, p.dst))
		return arrival{}, false
	}
	return c.arrive(far, nil, to, p)
}

func nobody(far *topology.VPC, a netip.Addr) string {
	if a == far.Resolver {
		return fmt.Sprintf("%s is the resolver of %s, which answers inside %s only", a, far.ID, far.ID)
	}
	return fmt.Sprintf("no interface in %s has the address %s", far.ID, a)
}

// holder finds the interface that an address belongs to, as far as a VPC can see.
func (c *explanation) holder(vpc *topology.VPC, a netip.Addr) *topology.ENI {
	if vpc.Contains(a) {
		return vpc.Holder(a)
	}
	for _, p := range vpc.Peerings {
		if far := c.topology.VPC(p.PeerVPCID); far != nil && far.Contains(a) {
			return far.Holder(a)
		}
	}
	return nil
}

// knows reports whether an address is of a VPC or of one that it is joined with.
func knows(vpc *topology.VPC, a netip.Addr) bool {
	return vpc.Contains(a) || slices.ContainsFunc(vpc.Peerings, func(p *topology.Peering) bool { return p.Contains(a) })
}

// strangers are the VPCs that have an interface with a private address, if none of them is joined with the one
// asking. Of several with equal blocks nobody can say which is meant.
func (c *explanation) strangers(vpc *topology.VPC, a netip.Addr) []*topology.VPC {
	if knows(vpc, a) {
		return nil
	}
	var out []*topology.VPC
	for _, v := range c.topology.VPCs {
		if v.Holder(a) != nil {
			out = append(out, v)
		}
	}
	return out
}

func (c *explanation) disconnected(vpc *topology.VPC, s *topology.Subnet, e *topology.ENI, p packet) {
	other := c.strangers(vpc, p.dst)[0]
	c.deny(cause{code: "DISCONNECTED_VPCS", component: tableComponent(s), vpc: vpc, subnet: s, eni: e, packet: p},
		"%s is an address of %s, and nothing joins %s with that VPC: %s has no route to it, and no error comes back",
		p.dst, other.ID, vpc.ID, tableComponent(s))
}

// joinVPCs makes a peering connection, if the blocks allow it.
func (c *explanation) joinVPCs(why cause) []option {
	other := c.strangers(why.vpc, why.packet.dst)[0]
	if slices.ContainsFunc(why.vpc.CIDRs, func(a netip.Prefix) bool { return slices.ContainsFunc(other.CIDRs, a.Overlaps) }) {
		return advice(Remedy{Text: fmt.Sprintf("%s and %s have blocks that overlap, so no peering connection can join them", why.vpc.ID, other.ID)})
	}
	return do(JoinVPCs{VPC: why.vpc.ID, Peer: other.ID})
}

// routeToPeer leads to a VPC that is joined already: there, or the way back, which is a route of its own.
func routeToPeer(why cause) []option {
	if why.vpc == nil || why.subnet == nil || why.subnet.RouteTableID == "" || why.code == "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS" {
		return nil
	}
	e := SetRoute{VPC: why.vpc.ID, Table: why.subnet.RouteTableID, Kind: topology.TargetPeering, note: ": each side of a peering connection needs a route of its own"}
	for _, p := range why.vpc.Peerings {
		for _, b := range p.PeerCIDRs {
			if !b.Contains(why.packet.dst) {
				continue
			}
			e.Destination, e.Target = b, string(p.ID)
			// A longer route that leads astray is to lead there instead.
			if r := why.route; r.Destination.IsValid() && r.Destination.Bits() >= b.Bits() {
				e.Destination, e.Replace = r.Destination, r.PrefixListID == ""
			}
			return do(e)
		}
	}
	return nil
}

// notByGateway is for a private address of another VPC that a route for everything leads to an internet gateway.
func (c *explanation) notByGateway(why cause) []option {
	if c.eni == nil || why.packet.reply {
		return nil
	}
	why.vpc, why.subnet, why.eni, why.packet, why.route = c.vpc, c.vpc.Subnet(c.eni.SubnetID), c.eni, c.flow.packet(c.trace.To), topology.Route{}
	if out := routeToPeer(why); len(out) > 0 || len(c.strangers(c.vpc, why.packet.dst)) == 0 {
		return out
	}
	return c.joinVPCs(why)
}

// aroundPeering is for what peering does not carry: a way of the VPC's own.
func (c *explanation) aroundPeering(why cause) []option {
	if !why.vpc.Contains(why.packet.src) {
		return nil
	}
	var out []option
	if service := serviceAt(c.topology, why.packet.dst); service != "" && why.packet.dst.Is4() {
		out = c.endpointRemedies(why, service)
	}
	for _, v := range c.strangers(why.vpc, why.packet.dst) {
		out = append(out, advice(Remedy{
			Text: fmt.Sprintf("join %s and %s by a peering connection of their own", why.vpc.ID, v.ID),
			CLI:  fmt.Sprintf("aws ec2 create-vpc-peering-connection --vpc-id %s --peer-vpc-id %s", why.vpc.ID, v.ID),
		})...)
	}
	if why.packet.dst.IsPrivate() {
		return out
	}
	return append(out, advice(Remedy{Text: fmt.Sprintf("give %s a way to the internet of its own: its peer's gateways are not for it", why.vpc.ID)})...)
}
