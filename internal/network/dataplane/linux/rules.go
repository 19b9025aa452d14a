package linux

import (
	"fmt"
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// vpcTable is the name of the table in every router.
const vpcTable = "vpc"

// planRules compiles a VPC's filters and translations.
func planRules(v *topology.VPC, n *numbers) *ruleset {
	r := &ruleset{}
	c := &compiler{vpc: v, numbers: n, rules: r, ipv6: speaksIPv6(v)}
	c.baseChains()
	c.chains6()
	c.interfaceSets()
	c.interfaceSets6()
	c.subnetSets()
	c.translations()
	for _, g := range v.SecurityGroups {
		c.securityGroup(g)
	}
	for _, g := range v.PeerGroups {
		c.members(g.ID, g.Members)
	}
	for _, a := range v.NetworkACLs {
		c.networkACL(a)
	}
	for _, l := range v.PrefixLists {
		c.prefixList(l)
	}
	r.sort()
	return r
}

// A compiler collects the parts of one ruleset.
type compiler struct {
	vpc     *topology.VPC
	numbers *numbers
	rules   *ruleset
	ipv6    bool // the VPC speaks it, too
}

// A family is one of the two that rules are compiled for.
type family struct {
	ipv6                          bool
	suffix                        string // of the names of its chains and sets
	address                       dataType
	sourceInSet, destinationInSet func(string) part
}

func (c *compiler) families() []family {
	out := []family{{false, "", typeAddress, sourceInSet, destinationInSet}}
	if c.ipv6 {
		out = append(out, family{true, "6", typeAddress6, sourceInSet6, destinationInSet6})
	}
	return out
}

// has reports whether a block is of the family.
func (f family) has(p netip.Prefix) bool { return p.IsValid() && p.Addr().Is6() == f.ipv6 }

// baseChains are the way of a packet. Accepting in one of them only means to go on with the next, so each
// stage stands for itself, in AWS's order. Whatever no stage knows is dropped.
func (c *compiler) baseChains() {
	established := connectionState("established,related", stateEstablished|stateRelated)
	ownSource := part{"iifname . ip saddr @own_address", []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: register32}, loadSource(register32 + 4),
		&expr.Lookup{SourceRegister: register32, SetName: "own_address"}}}
	ownDestination := part{"oifname . ip daddr @own_address", []expr.Any{
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: register32}, loadDestination(register32 + 4),
		&expr.Lookup{SourceRegister: register32, SetName: "own_address"}}}
	sameSubnet := part{"iifgroup . oifgroup @same_subnet", []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFGROUP, Register: register32}, &expr.Meta{Key: expr.MetaKeyOIFGROUP, Register: register32 + 1},
		&expr.Lookup{SourceRegister: register32, SetName: "same_subnet"}}}

	c.chain("source_check", prerouting("filter", -300), append(c.aside("source_check"),
		makeRule(notIPv4(), counter(), drop()),
		makeRule(ownSource, accept()),
		makeRule(inputIn("any_address"), accept()),
		makeRule(inputName("lo"), accept()))...)
	c.peerSources("source_check")
	c.chain("choose_table", prerouting("filter", -150), makeRule(markByGroup("table_of")))
	c.chain("igw_in", prerouting("nat", -100), append(c.astray(),
		makeRule(inputName(igwLink), translateByMap("dnat ip to ip daddr map @private_of", loadDestination(register), "private_of", expr.NATTypeDestNAT)))...)

	c.chain("groups_egress", forward(10, expr.VerdictDrop),
		makeRule(established, accept()),
		makeRule(connectionState("invalid", stateInvalid), counter(), drop()))
	c.extend("groups_egress", append(c.aside("groups_egress"),
		makeRule(inputVerdict("groups_out")),
		makeRule(inputIn("no_groups"), accept()))...)
	c.chain("acl_egress", forward(20, expr.VerdictAccept), makeRule(sameSubnet, accept()))
	c.extend("acl_egress", append(c.aside("acl_egress"),
		makeRule(outputName(nowhereLink), jump("nobody")),
		makeRule(groupVerdict("iifgroup", expr.MetaKeyIIFGROUP, "acl_out")))...)
	c.nobody()
	c.chain("nowhere", forward(25, expr.VerdictAccept),
		makeRule(outputName(nowhereLink), tell(string(dataplane.StageRoute), "out"), counter(), drop()))
	if c.ipv6 {
		c.extend("nowhere", makeRule(outputName(nowhereLink6), tell(string(dataplane.StageRoute), "out"), counter(), drop()))
	}
	c.chain("acl_ingress", forward(30, expr.VerdictAccept), makeRule(sameSubnet, accept()))
	c.extend("acl_ingress", append(c.aside("acl_ingress"),
		makeRule(groupVerdict("oifgroup", expr.MetaKeyOIFGROUP, "acl_in")))...)
	c.chain("destination_check", forward(35, expr.VerdictDrop), append(c.aside("destination_check"),
		makeRule(ownDestination, accept()),
		makeRule(outputIn("any_address"), accept()))...)
	c.peerDestinations("destination_check")
	c.extend("destination_check", makeRule(tell(string(dataplane.StageDestination), "in")))
	c.chain("groups_ingress", forward(40, expr.VerdictDrop), makeRule(established, accept()))
	c.extend("groups_ingress", append(c.aside("groups_ingress"),
		makeRule(outputVerdict("groups_in")),
		makeRule(outputIn("no_groups"), accept()))...)
	c.chain("igw", forward(50, expr.VerdictAccept), append(c.aside("igw"),
		makeRule(outputName(igwLink), connectionState("new", stateNew), sourceNotInSet("public_of"), tell(string(dataplane.StageGateway), "out"), counter(), drop()),
		makeRule(inputName(igwLink), notTranslated(), counter(), drop()))...)

	c.chain("igw_out", postrouting("nat", 100), append(c.astray(),
		makeRule(outputName(igwLink), translateByMap("snat ip to ip saddr map @public_of", loadSource(register), "public_of", expr.NATTypeSourceNAT)))...)
	c.routerChains()
}

// nobody lets packets for addresses of their own subnet that nobody has pass the ACL, as it does not see those that
// somebody has.
func (c *compiler) nobody() {
	var rules []rule
	for _, s := range c.vpc.Subnets {
		if s.CIDR.Addr().Is4() {
			rules = append(rules, makeRule(inputGroup(c.numbers.subnets[s.ID]), destinationIn(s.CIDR), accept()))
		}
	}
	c.chain("nobody", nil, rules...)
}

// routerChains guard the router itself: it answers to DNS and is silent otherwise. Security groups and
// network ACLs do not apply to the resolver (VPC guide, "Amazon DNS").
func (c *compiler) routerChains() {
	in := append([]rule{makeRule(inputIn("no_groups"), counter(), drop())}, c.aside("input")...)
	for _, a := range []netip.Addr{c.vpc.Resolver, linkLocalResolver} {
		for _, p := range []int{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
			in = append(in, makeRule(destinationIn(netip.PrefixFrom(a, 32)), protocol(p), destinationPorts(53, 53), accept()))
		}
	}
	c.chain("input", input(expr.VerdictDrop), in...)
	// Not "related": an ICMP error about a flow is related to it, and the router sends none but this one.
	c.chain("output", output(expr.VerdictDrop), makeRule(connectionState("established", stateEstablished), accept()))
	c.extend("output", append(c.aside("output"), makeRule(protocol(unix.IPPROTO_ICMP), icmpHeader(0, 3), icmpHeader(1, 4), accept()))...)
}

// interfaceSets say what each link may send and which groups it carries.
func (c *compiler) interfaceSets() {
	own := c.set("own_address", dataType{}, typeInterface, typeAddress)
	anyAddress := c.set("any_address", dataType{}, typeInterface)
	none := c.set("no_groups", dataType{}, typeInterface)
	out, in := c.set("groups_out", typeVerdict, typeInterface), c.set("groups_in", typeVerdict, typeInterface)
	gateways := map[resource.NetworkInterfaceID]bool{}
	for _, g := range c.vpc.NATGateways {
		gateways[g.ENI] = true
	}
	combinations := map[string]bool{}
	for _, e := range c.vpc.ENIs {
		name := c.numbers.enis[e.ID]
		for _, a := range e.Addresses {
			own.elements = append(own.elements, element{text: name + " . " + a.String(), key: append(interfaceKey(name), addressKey(a)...)})
		}
		switch {
		case gateways[e.ID]:
			anyAddress.addInterface(name)
			none.addInterface(name)
			continue
		case !e.SourceDestCheck:
			anyAddress.addInterface(name)
		}
		if e.Unfiltered {
			none.addInterface(name)
			continue
		}
		if len(e.GroupIDs) == 0 {
			continue // in no map: nothing passes
		}
		combination := combinationName(e.GroupIDs)
		if !combinations[combination] {
			combinations[combination] = true
			c.combination(combination, e.GroupIDs)
		}
		out.addVerdict(name, interfaceKey(name), expr.VerdictGoto, combination+"_out")
		in.addVerdict(name, interfaceKey(name), expr.VerdictGoto, combination+"_in")
	}
	for _, wire := range c.wires() {
		anyAddress.addInterface(wire)
		none.addInterface(wire)
	}
	for _, p := range c.vpc.Peerings {
		none.addInterface(c.numbers.peerings[p.ID])
	}
}

// wires are the links that are not interfaces of the VPC.
func (c *compiler) wires() []string {
	var out []string
	if c.vpc.InternetGateway != "" {
		out = append(out, igwLink)
	}
	if c.ipv6 && len(c.vpc.EgressOnly) > 0 {
		out = append(out, egressOnlyLink)
	}
	for _, e := range c.vpc.Endpoints {
		if name := c.numbers.endpoints[e.ID]; name != "" {
			out = append(out, name)
		}
	}
	return out
}

// subnetSets have one element for each subnet, not for each interface: links carry their subnet as device group.
func (c *compiler) subnetSets() {
	same := c.set("same_subnet", dataType{}, typeGroup, typeGroup)
	tables := c.set("table_of", typeMark, typeGroup)
	sets := map[string][2]*set{}
	for _, f := range c.families() {
		sets[f.suffix] = [2]*set{c.set("acl_out"+f.suffix, typeVerdict, typeGroup), c.set("acl_in"+f.suffix, typeVerdict, typeGroup)}
	}
	for _, s := range c.vpc.Subnets {
		n := c.numbers.subnets[s.ID]
		same.elements = append(same.elements, element{text: fmt.Sprintf("%d . %d", n, n), key: append(number(n), number(n)...)})
		tables.elements = append(tables.elements, element{text: fmt.Sprintf("%d : %d", n, firstTable+n), key: number(n), value: number(firstTable + n)})
		acl := chainName(string(s.NetworkACLID))
		if c.vpc.NetworkACL(s.NetworkACLID) == nil {
			acl = "acl_missing" // no ACL, no way
			c.missingACL()
		}
		for _, f := range c.families() {
			sets[f.suffix][0].addVerdict(fmt.Sprint(n), number(n), expr.VerdictJump, acl+"_out"+f.suffix)
			sets[f.suffix][1].addVerdict(fmt.Sprint(n), number(n), expr.VerdictJump, acl+"_in"+f.suffix)
		}
	}
}

// translations are the internet gateway's: one address for one.
func (c *compiler) translations() {
	public, private := c.set("public_of", typeAddress, typeAddress), c.set("private_of", typeAddress, typeAddress)
	for _, e := range c.vpc.ENIs {
		for _, a := range publicAddresses(c.vpc, e) {
			public.elements = append(public.elements, element{text: a.Private.String() + " : " + a.Public.String(), key: addressKey(a.Private), value: addressKey(a.Public)})
			private.elements = append(private.elements, element{text: a.Public.String() + " : " + a.Private.String(), key: addressKey(a.Public), value: addressKey(a.Private)})
		}
	}
}

func (c *compiler) chain(name string, base *hook, rules ...rule) {
	c.rules.chains = append(c.rules.chains, &chain{name, base, rules})
}

func (c *compiler) set(name string, value dataType, key ...dataType) *set {
	s := &set{name: name, key: key, value: value}
	c.rules.sets = append(c.rules.sets, s)
	return s
}

func (s *set) addInterface(name string) {
	s.elements = append(s.elements, element{text: name, key: interfaceKey(name)})
}

func (s *set) addVerdict(text string, key []byte, kind expr.VerdictKind, chain string) {
	verb := "goto"
	if kind == expr.VerdictJump {
		verb = "jump"
	}
	s.elements = append(s.elements, element{text: text + " : " + verb + " " + chain, key: key, verdict: kind, chain: chain})
}
