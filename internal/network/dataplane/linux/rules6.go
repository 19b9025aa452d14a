package linux

import (
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// speaksIPv6 reports whether a VPC has anything of IPv6. The router of one that has not drops every such packet, and
// no link of it speaks it.
func speaksIPv6(v *topology.VPC) bool { return len(v.IPv6CIDRs) > 0 }

// aside leads IPv6 out of a base chain into one of its own, whose end is the base chain's policy: rules that look at
// addresses read only packets of their own family. Without IPv6 there is nothing to lead.
func (c *compiler) aside(base string) []rule {
	if !c.ipv6 {
		return nil
	}
	return []rule{makeRule(isIPv6(), goTo(base+"6"))}
}

// astray lets IPv6 pass a base chain that translates: it has nothing for it.
func (c *compiler) astray() []rule {
	if !c.ipv6 {
		return nil
	}
	return []rule{makeRule(isIPv6(), accept())}
}

// chains6 is the way of an IPv6 packet: the same stages as in baseChains, and at the gateways no translation.
func (c *compiler) chains6() {
	if !c.ipv6 {
		return
	}
	c.sourceCheck6()
	c.chain("groups_egress6", nil, append(c.noStartFromOutside(),
		makeRule(inputVerdict("groups_out6")),
		makeRule(inputIn("no_groups"), accept()))...)
	c.chain("acl_egress6", nil,
		makeRule(outputName(nowhereLink6), jump("nobody6")),
		makeRule(groupVerdict("iifgroup", expr.MetaKeyIIFGROUP, "acl_out6")))
	c.chain("acl_ingress6", nil, makeRule(groupVerdict("oifgroup", expr.MetaKeyOIFGROUP, "acl_in6")))
	c.chain("destination_check6", nil, append(append([]rule{
		makeRule(ownDestination6(), accept()),
		makeRule(outputIn("any_address"), accept())},
		c.eachPeerBlock(outputName, destinationIn, true)...),
		makeRule(tell(string(dataplane.StageDestination), "in")))...)
	c.chain("groups_ingress6", nil,
		makeRule(outputVerdict("groups_in6")),
		makeRule(outputIn("no_groups"), accept()))
	c.gateways6()
	c.nobody6()
	icmp := protocol(unix.IPPROTO_ICMPV6)
	// Neighbour discovery between an interface and the router: no rule of a user's comes near it.
	// It is for the interface's own addresses only, so that nobody fills the router's table of neighbours.
	c.chain("input6", nil,
		makeRule(ownSource6(), icmp, icmpHeader(0, neighbourSolicitation), accept()),
		makeRule(ownSource6(), icmp, icmpHeader(0, neighbourAdvertisement), accept()))
	c.chain("output6", nil,
		makeRule(icmp, icmpHeader(0, neighbourSolicitation), accept()),
		makeRule(icmp, icmpHeader(0, neighbourAdvertisement), accept()),
		makeRule(icmp, icmpHeader(0, packetTooBig), accept()))
}

// The types of ICMPv6 that the network itself needs.
const (
	packetTooBig           = 2
	neighbourSolicitation  = 135
	neighbourAdvertisement = 136
)

var (
	linkLocal6 = netip.MustParsePrefix("fe80::/10")
	multicast6 = netip.MustParsePrefix("ff00::/8")
)

// sourceCheck6: an interface sends from its own addresses. Multicast goes nowhere, and is not worth telling; only a
// neighbour solicitation may be one. Link-local addresses are nobody's, whatever the interface may send from.
func (c *compiler) sourceCheck6() {
	solicitation := []part{protocol(unix.IPPROTO_ICMPV6), icmpHeader(0, neighbourSolicitation)}
	rules := []rule{
		makeRule(append([]part{ownSource6(), destinationIn(multicast6)}, append(solicitation, accept())...)...),
		makeRule(destinationIn(multicast6), counter(), drop()),
		makeRule(sourceIn(multicast6), counter(), drop()),
		makeRule(sourceIn(linkLocal6), counter(), drop()),
		makeRule(ownSource6(), accept()),
	}
	for _, link := range c.gatewayLinks() {
		for _, b := range c.vpc.IPv6CIDRs { // nobody on the internet has these
			rules = append(rules, makeRule(inputName(link), sourceIn(b), tell(string(gatewayStage(link)), "in"), counter(), drop()))
		}
	}
	rules = append(rules, makeRule(inputIn("any_address"), accept()), makeRule(inputName("lo"), accept()))
	rules = append(rules, c.eachPeerBlock(inputName, sourceIn, true)...)
	c.chain("source_check6", nil, append(rules, makeRule(tell(string(dataplane.StageSource), "out"), counter(), drop()))...)
}

// gatewayLinks are the wires to the internet.
func (c *compiler) gatewayLinks() []string {
	var out []string
	if c.vpc.InternetGateway != "" {
		out = append(out, igwLink)
	}
	if len(c.vpc.EgressOnly) > 0 {
		out = append(out, egressOnlyLink)
	}
	return out
}

func gatewayStage(link string) dataplane.Stage {
	if link == egressOnlyLink {
		return dataplane.StageEgressOnly
	}
	return dataplane.StageGateway
}

// noStartFromOutside is the one thing that makes a gateway egress-only: nothing begins there.
func (c *compiler) noStartFromOutside() []rule {
	if len(c.vpc.EgressOnly) == 0 {
		return nil
	}
	return []rule{makeRule(inputName(egressOnlyLink), tell(string(dataplane.StageEgressOnly), "in"), counter(), drop())}
}

// gateways6 let out what comes from the VPC's own addresses. An egress-only gateway carries no answers: what they
// answer came in by another way.
func (c *compiler) gateways6() {
	var rules []rule
	for _, link := range c.gatewayLinks() {
		rules = append(rules, makeRule(outputName(link), goTo(link+"_out6")))
		stage, out := gatewayStage(link), []rule(nil)
		if link == egressOnlyLink {
			out = append(out, makeRule(connectionDirection(1), tell(string(stage), "out"), counter(), drop()))
		}
		for _, b := range c.vpc.IPv6CIDRs {
			out = append(out, makeRule(sourceIn(b), accept()))
		}
		c.chain(link+"_out6", nil, append(out, makeRule(tell(string(stage), "out"), counter(), drop()))...)
	}
	c.chain("igw6", nil, append(rules, makeRule(accept()))...)
}

// nobody6 is nobody for IPv6.
func (c *compiler) nobody6() {
	var rules []rule
	for _, s := range c.vpc.Subnets {
		if s.IPv6CIDR.IsValid() {
			rules = append(rules, makeRule(inputGroup(c.numbers.subnets[s.ID]), destinationIn(s.IPv6CIDR), accept()))
		}
	}
	c.chain("nobody6", nil, rules...)
}

// interfaceSets6 are interfaceSets of the interfaces that speak IPv6. The others are in no map: nothing passes.
func (c *compiler) interfaceSets6() {
	if !c.ipv6 {
		return
	}
	own := c.set("own_address6", dataType{}, typeInterface, typeAddress6)
	out, in := c.set("groups_out6", typeVerdict, typeInterface), c.set("groups_in6", typeVerdict, typeInterface)
	for _, e := range c.vpc.ENIs {
		if len(e.IPv6) == 0 {
			continue
		}
		name := c.numbers.enis[e.ID]
		for _, a := range e.IPv6 {
			own.elements = append(own.elements, element{text: name + " . " + a.String(), key: append(interfaceKey(name), addressKey(a)...)})
		}
		if len(e.GroupIDs) == 0 {
			continue
		}
		combination := combinationName(e.GroupIDs)
		out.addVerdict(name, interfaceKey(name), expr.VerdictGoto, combination+"_out6")
		in.addVerdict(name, interfaceKey(name), expr.VerdictGoto, combination+"_in6")
	}
}
