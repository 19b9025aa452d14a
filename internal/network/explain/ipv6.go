package explain

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// internetClient6 is internetClient of IPv6 (RFC 3849).
var internetClient6 = netip.MustParseAddr("2001:db8::9")

// speaks finds the source of the family of an address, unless the flow names one.
func (c *explanation) speaks(to netip.Addr) bool {
	switch {
	case c.flow.Source.Is6() == to.Is6():
		return true
	case c.chosen:
		c.deny(cause{code: "NO_PATH", component: Component{KindInternet, "internet"}, packet: c.flow.packet(to)},
			"%s and %s are addresses of two families, and nothing translates between them", c.flow.Source, to)
		return false
	case c.eni == nil:
		c.flow.Source = internetClient6
		return true
	}
	if a := c.eni.Towards(to); a.IsValid() {
		c.flow.Source = a
		return true
	}
	c.deny(cause{code: "x:NO_IPV6_ADDRESS", component: interfaceComponent(c.eni.ID), vpc: c.vpc, eni: c.eni, packet: c.flow.packet(to)},
		"%s has no IPv6 address to send from to %s", c.eni.ID, to)
	return false
}

// usable are the addresses of an answer that the source would try: of IPv6 only with an address of its own, and then
// first.
func (c *explanation) usable(a topology.Answer) []netip.Addr {
	switch {
	case c.chosen && c.flow.Source.Is6():
		return a.IPv6
	case c.chosen || c.eni == nil || len(c.eni.IPv6) == 0:
		return a.Addresses
	}
	return slices.Concat(a.IPv6, a.Addresses)
}

// ofFamily says what addresses were looked for, where the name has others.
func (c *explanation) ofFamily(a topology.Answer) string {
	switch {
	case len(a.Addresses) > 0:
		return " of IPv6"
	case len(a.IPv6) > 0:
		return " of IPv4, and the sender has no IPv6 address"
	}
	return ""
}

// ownSource keeps a gateway from letting out what does not come from the VPC's own IPv6 addresses.
func (c *explanation) ownSource(at Component, vpc *topology.VPC, s *topology.Subnet, e *topology.ENI, p packet) bool {
	if vpc.Contains(p.src) {
		return true
	}
	c.deny(cause{code: "GATEWAY_REJECTS_SPOOFED_TRAFFIC", component: at, vpc: vpc, subnet: s, eni: e, packet: p},
		"%s lets out what comes from addresses of %s only, and %s is none", at, vpc.ID, p.src)
	return false
}

// egressOnly is the way out of a VPC by which nothing begins outside.
func (c *explanation) egressOnly(vpc *topology.VPC, s *topology.Subnet, e *topology.ENI, route topology.Route, p packet) (arrival, bool) {
	component := Component{resource.KindEgressOnlyGateway, route.TargetID}
	if !slices.Contains(vpc.EgressOnly, resource.EgressOnlyGatewayID(route.TargetID)) {
		c.deny(cause{code: "BAD_STATE_ROUTE", component: component, vpc: vpc, subnet: s, eni: e, packet: p, route: route}, "%s does not exist", route.TargetID)
		return arrival{}, false
	}
	if p.reply {
		c.deny(cause{code: egressOnlyCode, component: component, vpc: vpc, subnet: s, eni: e, packet: p, route: route},
			"%s carries only what begins in %s, and this is an answer to what came in by another way", route.TargetID, vpc.ID)
		return arrival{}, false
	}
	if !c.ownSource(component, vpc, s, e, p) {
		return arrival{}, false
	}
	c.note(Allow, component, "", "%s lets it out, and the answers in", route.TargetID)
	return c.internet(p)
}

const egressOnlyCode = "x:EIGW_EGRESS_ONLY"

// fromInternet6 is a packet for an IPv6 address of a VPC. It comes by the internet gateway if there is one, whatever
// the routes of the subnet say.
func (c *explanation) fromInternet6(v *topology.VPC, p packet) (arrival, bool) {
	to := v.Holder(p.dst)
	why := cause{component: Component{resource.KindVPC, string(v.ID)}, vpc: v, eni: to, packet: p}
	if to != nil {
		why.component = interfaceComponent(to.ID)
	}
	gateway := Component{resource.KindInternetGateway, string(v.InternetGateway)}
	switch {
	case v.InternetGateway != "":
	case len(v.EgressOnly) == 0:
		why.code = "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS"
		c.deny(why, "%s is an address of %s, but nothing leads there: it has no internet gateway", p.dst, v.ID)
		return arrival{}, false
	default:
		gateway = Component{resource.KindEgressOnlyGateway, string(v.EgressOnly[0])}
		if !p.reply {
			why.code, why.component = egressOnlyCode, gateway
			c.deny(why, "%s lets nobody on the internet begin a connection to %s", gateway, p.dst)
			return arrival{}, false
		}
	}
	if v.Contains(p.src) {
		why.code, why.component = "GATEWAY_REJECTS_SPOOFED_TRAFFIC", gateway
		c.deny(why, "%s takes nothing from the internet that says it comes from %s itself", gateway, v.ID)
		return arrival{}, false
	}
	c.note(Allow, gateway, "", "%s leads to %s", gateway, v.ID)
	if to == nil {
		why.code, why.component = "NO_POSSIBLE_DESTINATION", Component{resource.KindVPC, string(v.ID)}
		c.deny(why, "no interface in %s has the address %s", v.ID, p.dst)
		return arrival{}, false
	}
	return c.arrive(v, nil, to, p)
}
