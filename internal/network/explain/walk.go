package explain

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// maxPasses is how often a packet may go through a router. The kernel's limit is its TTL; no sensible network
// needs more than a few.
const maxPasses = 16

// arrival is where a packet ended.
type arrival struct {
	eni      *topology.ENI      // an interface of vpc
	vpc      *topology.VPC      //
	endpoint *topology.Endpoint // a gateway endpoint of vpc
	service  string             // a public service on the internet
	client   bool               // somebody on the internet
	router   bool               // the resolver of vpc, or the sender itself: no way back to walk
	packet   packet             // as it arrived
}

// walk goes there and back. What was denied on the way there does not keep it from going back: the whole list
// of what is to be repaired is worth more than its first line.
func (c *explanation) walk() {
	c.hops, c.translated = &c.trace.Hops, map[resource.NetworkInterfaceID]packet{}
	there, ok := c.send(c.flow.packet(c.trace.To))
	if !ok {
		return
	}
	c.trace.SourceSeen, c.trace.Arrived = there.packet.src, there.packet.header()
	c.reached(there)
	answer, answered := there.packet.answer()
	if there.router || !answered {
		return
	}
	c.hops, c.passes = &c.trace.Return, 0
	back, ok := c.sendBack(there, answer)
	if ok && !c.isOrigin(back) {
		at := Component{KindInternet, "internet"}
		if c.eni != nil {
			at = interfaceComponent(c.eni.ID)
		}
		c.deny(cause{code: "NO_PATH", component: at, packet: answer},
			"the answer does not come back to where the flow began")
	}
}

func (c *explanation) send(p packet) (arrival, bool) {
	if c.eni == nil {
		return c.internet(p)
	}
	return c.leave(c.vpc, c.eni, p)
}

func (c *explanation) sendBack(from arrival, p packet) (arrival, bool) {
	switch {
	case from.eni != nil:
		return c.leave(from.vpc, from.eni, p)
	case from.endpoint != nil:
		return c.enter(from.vpc, p)
	default:
		return c.internet(p)
	}
}

func (c *explanation) isOrigin(a arrival) bool {
	if c.eni == nil {
		return a.client
	}
	return a.eni == c.eni
}

// reached says what is at the end.
func (c *explanation) reached(a arrival) {
	switch {
	case a.eni != nil:
		c.trace.Interface = string(a.eni.ID)
		c.listener(a.eni, a.vpc, a.packet)
	case a.endpoint != nil:
		c.trace.Endpoint, c.trace.Service = string(a.endpoint.ID), a.endpoint.Service
		component := Component{resource.KindVPCEndpoint, string(a.endpoint.ID)}
		if a.packet.protocol != TCP {
			c.deny(cause{code: "VPCE_GATEWAY_PROTOCOL_RESTRICTION", component: component, packet: a.packet},
				"%s carries TCP only", a.endpoint.ID)
			return
		}
		c.serviceListens(component, a.endpoint.Service, a.packet)
	case a.client:
		c.note(Allow, Component{KindInternet, "internet"}, "", "the internet is reached; in this region it is closed, and only AWS's services are there")
	case a.service != "":
		c.trace.Service = a.service
		c.serviceListens(Component{KindService, a.service}, a.service, a.packet)
	}
}

// listener knows only of interface endpoints what listens on an interface.
func (c *explanation) listener(e *topology.ENI, vpc *topology.VPC, p packet) {
	if c.balanced(vpc, e, p) {
		return
	}
	for _, endpoint := range vpc.Endpoints {
		if slices.Contains(endpoint.ENIs, e.ID) {
			c.trace.Endpoint, c.trace.Service = string(endpoint.ID), endpoint.Service
			c.zones(vpc, endpoint, e)
			c.serviceListens(Component{resource.KindVPCEndpoint, string(endpoint.ID)}, endpoint.Service, p)
			return
		}
	}
	c.note(Allow, interfaceComponent(e.ID), "", "%s is an address of %s", p.dst, e.ID)
}

func (c *explanation) serviceListens(at Component, service string, p packet) {
	if p.protocol != TCP || p.dport.first != 443 && p.dport.first != 80 {
		c.deny(cause{code: "PROTOCOL_RESTRICTION", component: at, packet: p},
			"%s does not answer to %s, only to TCP 443 and 80", service, p.what())
		return
	}
	c.note(Allow, at, "", "%s listens on %s", service, p.what())
}

// leave is a packet that an interface sends into its VPC.
func (c *explanation) leave(vpc *topology.VPC, e *topology.ENI, p packet) (arrival, bool) {
	c.current = p
	c.passes++
	if c.passes > maxPasses {
		c.deny(cause{code: "NO_PATH", component: interfaceComponent(e.ID), packet: p}, "the routes lead in a circle at %s", e.ID)
		return arrival{}, false
	}
	nat := natGatewayOf(vpc, e)
	if nat == nil && e.SourceDestCheck && !e.Has(p.src) {
		c.deny(cause{code: "ENI_SOURCE_DEST_CHECK_RESTRICTION", component: interfaceComponent(e.ID), eni: e, packet: p},
			"%s may not send from %s: its source/destination check is on and that is not one of its addresses", e.ID, p.src)
		return arrival{}, false
	}
	if e.Has(p.dst) {
		return arrival{eni: e, vpc: vpc, packet: p, router: true}, true
	}
	if to := vpc.Holder(p.dst); to != nil && to.SameMachine(e) {
		c.note(Allow, interfaceComponent(e.ID), "", "%s is another interface of the same instance: the packet does not leave it", to.ID)
		return arrival{eni: to, vpc: vpc, packet: p, router: true}, true
	}
	if linkLocal.Contains(p.dst) || p.dst == vpc.Resolver || p.dst.Is6() && (p.dst.IsLinkLocalUnicast() || p.dst.IsMulticast()) {
		return c.resolver(vpc, p)
	}
	c.groups(vpc, e, egress, p)
	return c.follow(vpc, e, p)
}

var (
	linkLocal         = netip.MustParsePrefix("169.254.0.0/16")
	linkLocalResolver = netip.MustParseAddr("169.254.169.253")
)

// resolver: neither groups nor network ACLs apply to Amazon's DNS (VPC guide, "Amazon DNS server").
func (c *explanation) resolver(vpc *topology.VPC, p packet) (arrival, bool) {
	component := Component{KindResolver, string(vpc.ID)}
	if p.hasPorts() && p.dport.first == 53 && (p.dst == vpc.Resolver || p.dst == linkLocalResolver) {
		c.note(Allow, component, "", "%s is the resolver of %s; security groups and network ACLs do not apply to it", p.dst, vpc.ID)
		return arrival{vpc: vpc, router: true, packet: p}, true
	}
	c.deny(cause{code: "NO_POSSIBLE_DESTINATION", component: component, packet: p}, "%s does not answer to %s", p.dst, p.what())
	return arrival{}, false
}

// follow goes where the route leads. Inside a subnet there is no route to follow.
func (c *explanation) follow(vpc *topology.VPC, e *topology.ENI, p packet) (arrival, bool) {
	subnet := vpc.Subnet(e.SubnetID)
	if subnet == nil {
		c.deny(cause{code: "UNASSOCIATED_COMPONENT", component: interfaceComponent(e.ID)}, "%s is in no subnet", e.ID)
		return arrival{}, false
	}
	if subnet.Contains(p.dst) {
		return c.local(vpc, subnet, p)
	}
	route, found := subnet.Route(p.dst)
	if found && !route.Blackhole {
		switch route.Kind {
		case topology.TargetLocal:
			return c.local(vpc, subnet, p)
		case topology.TargetENI, topology.TargetNATGateway:
			return c.through(vpc, subnet, route, p)
		}
	}
	c.acl(vpc, subnet, egress, p)
	table := tableComponent(subnet)
	switch {
	case !found && c.strangers(vpc, p.dst) != nil:
		c.disconnected(vpc, subnet, e, p)
	case !found:
		where := ""
		if n := natGatewayOf(vpc, e); n != nil {
			where = fmt.Sprintf("%s sits in %s, but ", n.ID, subnet.ID)
		}
		c.deny(cause{code: "NO_ROUTE_TO_DESTINATION", component: table, vpc: vpc, subnet: subnet, eni: e, packet: p},
			"%s%s of %s has no route to %s: the packet goes nowhere and no error comes back", where, table, subnet.ID, c.whose(vpc, p.dst))
	case route.Blackhole:
		c.deny(cause{code: "BAD_STATE_ROUTE", component: table, vpc: vpc, subnet: subnet, eni: e, packet: p, route: route},
			"the route for %s in %s is a blackhole: %s is gone or not available", destination(route), table, route.TargetID)
	case route.Kind == topology.TargetGatewayEndpoint:
		c.note(Allow, table, destination(route), "%s sends %s to %s", table, destination(route), route.TargetID)
		return c.gatewayEndpoint(vpc, route, p)
	case route.Kind == topology.TargetInternetGateway:
		c.note(Allow, table, destination(route), "%s sends %s to %s", table, destination(route), route.TargetID)
		return c.internetGateway(vpc, subnet, e, p)
	case route.Kind == topology.TargetEgressOnly:
		c.note(Allow, table, destination(route), "%s sends %s to %s", table, destination(route), route.TargetID)
		return c.egressOnly(vpc, subnet, e, route, p)
	case route.Kind == topology.TargetPeering:
		c.note(Allow, table, destination(route), "%s sends %s to %s", table, destination(route), route.TargetID)
		return c.peering(vpc, subnet, e, route, p)
	default:
		c.deny(cause{code: "UNSUPPORTED_COMPONENT", component: table, packet: p}, "a route to %s is not known", route.Kind)
	}
	return arrival{}, false
}

// local is the way to an interface of the VPC itself.
func (c *explanation) local(vpc *topology.VPC, from *topology.Subnet, p packet) (arrival, bool) {
	to := vpc.Holder(p.dst)
	if to == nil {
		if !from.Contains(p.dst) {
			c.acl(vpc, from, egress, p)
		}
		c.deny(cause{code: "NO_POSSIBLE_DESTINATION", component: Component{resource.KindVPC, string(vpc.ID)}, packet: p},
			"no interface in %s has the address %s", vpc.ID, p.dst)
		return arrival{}, false
	}
	if to.SubnetID != from.ID {
		c.acl(vpc, from, egress, p)
		c.note(Allow, tableComponent(from), "local", "%s is in %s (local route)", p.dst, vpc.ID)
	}
	return c.arrive(vpc, from, to, p)
}

// through is the way to an interface that is to send the packet on: a NAT gateway or a middlebox.
func (c *explanation) through(vpc *topology.VPC, from *topology.Subnet, route topology.Route, p packet) (arrival, bool) {
	id := resource.NetworkInterfaceID(route.TargetID)
	if route.Kind == topology.TargetNATGateway {
		id = ""
		if n := vpc.NATGateway(resource.NATGatewayID(route.TargetID)); n != nil {
			id = n.ENI
		}
	}
	to := vpc.ENI(id)
	if to == nil || to.SubnetID != from.ID {
		c.acl(vpc, from, egress, p)
	}
	if to == nil {
		c.deny(cause{code: "BAD_STATE_ROUTE", component: tableComponent(from), vpc: vpc, subnet: from, packet: p, route: route},
			"the target %s of the route for %s does not exist", route.TargetID, destination(route))
		return arrival{}, false
	}
	c.note(Allow, tableComponent(from), destination(route), "%s sends %s to %s", tableComponent(from), destination(route), route.TargetID)
	return c.arrive(vpc, from, to, p)
}

// arrive is a packet that is handed to an interface. from is nil if it comes from a gateway.
func (c *explanation) arrive(vpc *topology.VPC, from *topology.Subnet, e *topology.ENI, p packet) (arrival, bool) {
	c.current = p
	subnet := vpc.Subnet(e.SubnetID)
	if subnet == nil {
		c.deny(cause{code: "UNASSOCIATED_COMPONENT", component: interfaceComponent(e.ID), vpc: vpc, eni: e}, "%s is in no subnet", e.ID)
		return arrival{}, false
	}
	if from == nil || from.ID != subnet.ID {
		c.acl(vpc, subnet, ingress, p)
	}
	if nat := natGatewayOf(vpc, e); nat != nil {
		return c.natGateway(vpc, nat, e, p)
	}
	own := e.Has(p.dst)
	if !own && e.SourceDestCheck {
		c.deny(cause{code: "ENI_SOURCE_DEST_CHECK_RESTRICTION", component: interfaceComponent(e.ID), eni: e, packet: p},
			"%s takes no packets for %s: its source/destination check is on and that is not one of its addresses", e.ID, p.dst)
		return arrival{}, false
	}
	c.groups(vpc, e, ingress, p)
	if own {
		return arrival{eni: e, vpc: vpc, packet: p}, true
	}
	c.note(Allow, interfaceComponent(e.ID), "", "%s forwards what is not for itself, if its system does so", e.ID)
	return c.leave(vpc, e, p)
}

// groups asks the security groups of an interface. Replies belong to a connection that they know.
func (c *explanation) groups(vpc *topology.VPC, e *topology.ENI, d direction, p packet) {
	if p.reply || e.Unfiltered || natGatewayOf(vpc, e) != nil {
		return
	}
	why := cause{component: groupComponent(e), vpc: vpc, eni: e, direction: d, packet: p}
	if group, rule, ok := allowingRule(vpc, e, d, p); ok {
		c.note(Allow, Component{resource.KindSecurityGroup, string(group.ID)}, string(rule.ID),
			"%s of %s allows %s %s %s (%s)", rule.ID, group.ID, p.what(), towards(d), d.peer(p), ruleText(rule))
		return
	}
	why.code = "ENI_SG_RULES_MISMATCH"
	if countRules(vpc, e, d) == 0 {
		why.code = "SG_HAS_NO_RULES"
		c.deny(why, "%s of %s %s no %s rule at all, so %s %s %s is dropped", groupNames(e), e.ID, has(e), d, p.what(), towards(d), c.whose(vpc, d.peer(p)))
		return
	}
	c.deny(why, "no %s rule of %s, which %s carries, allows %s %s %s; there %s", d, groupNames(e), e.ID, p.what(), towards(d),
		c.whose(vpc, d.peer(p)), listRules(vpc, e, d))
}

func countRules(vpc *topology.VPC, e *topology.ENI, d direction) int {
	n := 0
	for _, id := range e.GroupIDs {
		if g := vpc.SecurityGroup(id); g != nil {
			n += len(groupRules(g, d))
		}
	}
	return n
}

// acl asks a subnet's network ACL.
func (c *explanation) acl(vpc *topology.VPC, s *topology.Subnet, d direction, p packet) {
	component := Component{resource.KindNetworkACL, string(s.NetworkACLID)}
	decision := decide(vpc.NetworkACL(s.NetworkACLID), d, p)
	rule := fmt.Sprintf("%s %s", d, decision.entry)
	if decision.allowed {
		c.note(Allow, component, rule, "entry %s of %s allows %s %s %s", rule, s.NetworkACLID, p.what(), towards(d), d.peer(p))
		return
	}
	why := cause{code: "SUBNET_ACL_RESTRICTION", component: component, rule: rule, vpc: vpc, subnet: s, direction: d, packet: p, acl: decision}
	blocked := p
	if p.hasPorts() {
		blocked.dport = decision.denied
	}
	text := fmt.Sprintf("%s of %s denies %s %s %s: %s", s.NetworkACLID, s.ID, blocked.what(), towards(d), c.whose(vpc, d.peer(p)), entryText(d, decision))
	if decision.partly {
		text += "; connections that happen to use one of those ports fail"
	}
	if p.reply {
		why.code = "x:NACL_BLOCKS_RETURN"
		text += "; answers are dropped, because a network ACL, unlike a security group, does not know connections"
	}
	c.deny(why, "%s", text)
}
