package explain

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

func natGatewayOf(vpc *topology.VPC, e *topology.ENI) *topology.NATGateway {
	for _, n := range vpc.NATGateways {
		if n.ENI == e.ID {
			return n
		}
	}
	return nil
}

// natGateway sends a packet on under its own address, or an answer back to whom it belongs.
func (c *explanation) natGateway(vpc *topology.VPC, n *topology.NATGateway, e *topology.ENI, p packet) (arrival, bool) {
	component := Component{resource.KindNATGateway, string(n.ID)}
	original, known := c.translated[e.ID]
	switch {
	case p.reply && known && p.dst == e.Address():
		c.note(Allow, component, "", "%s sends the answer on to %s", n.ID, original.src)
		p.dst, p.dport = original.src, original.sport
		return c.leave(vpc, e, p)
	case p.reply || slices.Contains(e.Addresses, p.dst):
		c.deny(cause{code: "NGW_SOURCE_ADDRESS_REASSIGN", component: component, packet: p},
			"%s knows no connection that this packet belongs to; it starts none towards the VPC", n.ID)
		return arrival{}, false
	case !p.hasPorts() && p.protocol != ICMP:
		c.deny(cause{code: "PROTOCOL_RESTRICTION", component: component, packet: p}, "%s carries TCP, UDP and ICMP only", n.ID)
		return arrival{}, false
	}
	c.translated[e.ID] = p
	inbound := p
	p.src = e.Address()
	if p.hasPorts() && p.sport.first != p.sport.last {
		p.sport = natPorts
	}
	c.current = p
	c.note(Allow, component, "", "%s replaces the source %s by its own %s", n.ID, inbound.src, e.Address())
	return c.leave(vpc, e, p)
}

// gatewayEndpoint is the end of a prefix-list route.
func (c *explanation) gatewayEndpoint(vpc *topology.VPC, route topology.Route, p packet) (arrival, bool) {
	endpoint := vpc.Endpoint(resource.VPCEndpointID(route.TargetID))
	if endpoint == nil {
		c.deny(cause{code: "BAD_STATE_ROUTE", component: Component{resource.KindVPCEndpoint, route.TargetID}, vpc: vpc, packet: p, route: route},
			"%s does not exist", route.TargetID)
		return arrival{}, false
	}
	return arrival{vpc: vpc, endpoint: endpoint, packet: p}, true
}

// publicAddress is the translation that is in force for a private address. A private NAT gateway has none.
func publicAddress(vpc *topology.VPC, private netip.Addr) (netip.Addr, bool) {
	if vpc.InternetGateway == "" {
		return netip.Addr{}, false
	}
	for _, e := range vpc.ENIs {
		if n := natGatewayOf(vpc, e); n != nil && !n.Public {
			continue
		}
		for _, a := range e.Public {
			if a.Private == private {
				return a.Public, true
			}
		}
	}
	return netip.Addr{}, false
}

// internetGateway is the way out of a VPC. It needs a public address and public destinations.
func (c *explanation) internetGateway(vpc *topology.VPC, s *topology.Subnet, e *topology.ENI, p packet) (arrival, bool) {
	component := Component{resource.KindInternetGateway, string(vpc.InternetGateway)}
	if p.src.Is6() {
		if vpc.InternetGateway == "" {
			c.deny(cause{code: "BAD_STATE_ROUTE", component: tableComponent(s), vpc: vpc, subnet: s, eni: e, packet: p}, "%s has no internet gateway", vpc.ID)
			return arrival{}, false
		}
		if !c.ownSource(component, vpc, s, e, p) {
			return arrival{}, false
		}
		c.note(Allow, component, "", "%s lets it out as it is: nothing translates IPv6", vpc.InternetGateway)
		return c.internet(p)
	}
	why := cause{component: component, vpc: vpc, subnet: s, eni: e, packet: p}
	public, ok := publicAddress(vpc, p.src)
	switch {
	case !ok:
		why.code = "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS"
		c.deny(why, "%s has no public address, so %s drops what it sends to %s", p.src, vpc.InternetGateway, p.dst)
		return arrival{}, false
	case p.reply: // to whoever was let in; seats outside every VPC have shared addresses
	case p.dst.IsPrivate():
		why.code = "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS"
	case sharedAddresses.Contains(p.dst):
		why.code = "IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS"
	}
	if why.code != "" {
		c.deny(why, "%s lets no packets out to %s, which is not a public address", vpc.InternetGateway, p.dst)
		return arrival{}, false
	}
	inbound := p.src
	p.src = public
	c.current = p
	c.note(Allow, component, "", "%s replaces the source %s by the public %s", vpc.InternetGateway, inbound, public)
	return c.internet(p)
}

var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")

// internet is what lies between the VPCs: public services, other VPCs' public addresses, and nothing else.
func (c *explanation) internet(p packet) (arrival, bool) {
	c.passes++
	if p.reply && c.eni == nil && p.dst == c.flow.Source {
		return arrival{client: true, packet: p}, true
	}
	if c.flow.Internet && !p.reply && p.dst == internetClient {
		return arrival{client: true, packet: p}, true
	}
	for _, s := range c.topology.Services {
		for _, n := range s.Names {
			if slices.Contains(n.Addresses, p.dst) {
				return arrival{service: s.Service, packet: p}, true
			}
		}
	}
	for _, v := range c.topology.VPCs {
		if p.dst.Is6() && v.Contains(p.dst) {
			return c.fromInternet6(v, p)
		}
		for _, e := range v.ENIs {
			for _, a := range e.Public {
				if a.Public == p.dst {
					return c.fromInternet(v, e, a, p)
				}
			}
		}
	}
	why := cause{code: "NO_POSSIBLE_DESTINATION", component: Component{KindInternet, "internet"}, packet: p}
	switch {
	case c.eni == nil && p.dst.IsPrivate() && !p.reply:
		why.code = "x:FUNCTION_NOT_IN_VPC"
		c.deny(why, "%s is a private address: it can be reached from inside its VPC only", p.dst)
	default:
		c.deny(why, "nobody on the region's closed internet has the address %s", p.dst)
	}
	return arrival{}, false
}

// fromInternet is a packet for a public address of a VPC.
func (c *explanation) fromInternet(v *topology.VPC, e *topology.ENI, a topology.PublicAddress, p packet) (arrival, bool) {
	if _, ok := publicAddress(v, a.Private); !ok {
		c.deny(cause{code: "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", component: interfaceComponent(e.ID), vpc: v, eni: e, packet: p},
			"%s belongs to %s, but nothing leads there: %s has no internet gateway", p.dst, e.ID, v.ID)
		return arrival{}, false
	}
	public := p.dst
	p.dst = a.Private
	c.current = p
	c.note(Allow, Component{resource.KindInternetGateway, string(v.InternetGateway)}, "",
		"%s replaces the destination %s by the private %s", v.InternetGateway, public, a.Private)
	return c.arrive(v, nil, e, p)
}

// enter is an answer that comes back from a gateway endpoint.
func (c *explanation) enter(vpc *topology.VPC, p packet) (arrival, bool) {
	to := vpc.Holder(p.dst)
	if to == nil {
		c.deny(cause{code: "NO_POSSIBLE_DESTINATION", component: Component{resource.KindVPC, string(vpc.ID)}, packet: p},
			"no interface in %s has the address %s", vpc.ID, p.dst)
		return arrival{}, false
	}
	return c.arrive(vpc, nil, to, p)
}
