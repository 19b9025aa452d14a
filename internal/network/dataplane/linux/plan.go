package linux

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// A plan is everything the kernel is to have for one VPC. It is a pure function of the VPC and its numbers.
type plan struct {
	vpc       resource.VPCID
	resolvers []netip.Addr // the router's own addresses
	enis      []eniPlan    // ordered by id
	igw       resource.InternetGatewayID
	ipv6      bool                           // the VPC speaks it, too
	eigws     []resource.EgressOnlyGatewayID // one wire serves all
	endpoints []endpointPlan                 // gateway endpoints, ordered by id
	peerings  []peeringPlan                  // ordered by id
	tables    map[uint32]table
	rules     *ruleset
	public    []netip.Addr // addresses that the internet routes to this VPC, ordered
}

// An eniPlan is one interface and its namespace.
type eniPlan struct {
	id         resource.NetworkInterfaceID
	name       string // of the router's end
	mac        string
	group      uint32
	subnet     netip.Prefix
	addresses  []netip.Addr
	ipv6       []netip.Addr
	kind       string                      // resource.InterfaceType...
	natGateway resource.NATGatewayID       // empty for others
	host       resource.NetworkInterfaceID // in whose namespace it is; empty: in its own
	device     int                         // number of its link there, eth0 but with a host
}

// An endpointPlan is one gateway endpoint: a namespace that owns whole prefixes.
type endpointPlan struct {
	id       resource.VPCEndpointID
	name     string // of the router's end of the wire
	prefixes []netip.Prefix
}

// A peeringPlan is this VPC's end of the wire to another one.
type peeringPlan struct {
	id   resource.PeeringID
	name string
	peer resource.VPCID
}

// A table is one kernel routing table.
type table map[netip.Prefix]hop

// A hop is where a route leads.
type hop struct {
	kind    hopKind
	link    string     // hopLink, hopVia: the router's end
	gateway netip.Addr // hopVia: next hop, on the link
}

type hopKind string

const (
	hopBlackhole hopKind = "blackhole" // dropped without a word
	hopThrow     hopKind = "throw"     // not decided here: the local table is next
	hopLink      hopKind = "link"      // the destination is right behind the link
	hopVia       hopKind = "via"
)

const (
	igwLink = "igw0"
	// The loopback leads to nobody: the rules let nothing out there.
	nowhereLink = "lo"
	// Every interface's address, in every VPC: what AWS calls the local route.
	localTable = 100
	// Routing table and packet mark of the subnet with device group n are firstTable+n.
	firstTable = 1000
)

// Link-local addresses, of which AWS answers a few in every VPC; none is ever routed.
var (
	linkLocal         = netip.MustParsePrefix("169.254.0.0/16")
	linkLocalResolver = netip.MustParseAddr("169.254.169.253")
	wireGateway       = netip.MustParseAddr("169.254.1.1") // next hop on every wire; no one answers to it
)

// makePlan plans one VPC.
func makePlan(v *topology.VPC, n *numbers) (*plan, error) {
	p := &plan{vpc: v.ID, igw: v.InternetGateway, tables: map[uint32]table{localTable: {everything(): nowhere()}}}
	if !v.Resolver.Is4() {
		return nil, fmt.Errorf("plan %s: its resolver's address %s is not an IPv4 address", v.ID, v.Resolver)
	}
	if speaksIPv6(v) {
		p.ipv6, p.eigws = true, v.EgressOnly
		p.tables[localTable][everything6()] = nowhereFor(true)
	}
	p.resolvers = []netip.Addr{v.Resolver, linkLocalResolver}
	nat := map[resource.NetworkInterfaceID]*topology.NATGateway{}
	for _, g := range v.NATGateways {
		nat[g.ENI] = g
	}
	for _, e := range v.ENIs {
		if err := p.addENI(v, e, nat[e.ID], n); err != nil {
			return nil, err
		}
	}
	for _, e := range v.Endpoints {
		if e.Type == resource.EndpointTypeGateway {
			p.endpoints = append(p.endpoints, endpointPlan{e.ID, n.endpoints[e.ID], e.Prefixes})
		}
	}
	for _, c := range v.Peerings {
		p.peerings = append(p.peerings, peeringPlan{c.ID, n.peerings[c.ID], c.PeerVPCID})
	}
	for _, s := range v.Subnets {
		p.tables[firstTable+n.subnets[s.ID]] = p.subnetTable(v, s, n)
	}
	p.rules = planRules(v, n)
	return p, nil
}

func (p *plan) addENI(v *topology.VPC, e *topology.ENI, nat *topology.NATGateway, n *numbers) error {
	subnet := v.Subnet(e.SubnetID)
	if subnet == nil {
		return fmt.Errorf("plan %s: it is in subnet %s, which is not in %s", e.ID, e.SubnetID, v.ID)
	}
	if len(e.Addresses) == 0 {
		return fmt.Errorf("plan %s: it has no address", e.ID)
	}
	ep := eniPlan{id: e.ID, name: n.enis[e.ID], kind: e.Type, mac: e.MAC, group: n.subnets[e.SubnetID], subnet: subnet.CIDR, addresses: e.Addresses}
	if p.ipv6 {
		ep.ipv6 = e.IPv6
	}
	if nat != nil {
		ep.natGateway = nat.ID
	}
	if host := v.ENI(e.Host); host != nil && host.Host == "" && e.Device > 0 {
		ep.host, ep.device = e.Host, e.Device
	}
	p.enis = append(p.enis, ep)
	for _, a := range e.Addresses {
		if !subnet.CIDR.Contains(a) || !a.Is4() {
			return fmt.Errorf("plan %s: address %s is not in subnet %s (%s)", e.ID, a, subnet.ID, subnet.CIDR)
		}
		p.tables[localTable][netip.PrefixFrom(a, 32)] = hop{kind: hopLink, link: ep.name}
	}
	for _, a := range ep.ipv6 {
		if !a.Is6() || !subnet.IPv6CIDR.Contains(a) {
			return fmt.Errorf("plan %s: address %s is not in subnet %s (%s)", e.ID, a, subnet.ID, subnet.IPv6CIDR)
		}
		p.tables[localTable][netip.PrefixFrom(a, 128)] = hop{kind: hopLink, link: ep.name}
	}
	for _, a := range publicAddresses(v, e) {
		p.public = append(p.public, a.Public)
	}
	slices.SortFunc(p.public, netip.Addr.Compare)
	return nil
}

// publicAddresses are the translations that are in force: there must be an internet gateway, and a private
// NAT gateway has none.
func publicAddresses(v *topology.VPC, e *topology.ENI) []topology.PublicAddress {
	if v.InternetGateway == "" {
		return nil
	}
	for _, g := range v.NATGateways {
		if g.ENI == e.ID && !g.Public {
			return nil
		}
	}
	return e.Public
}

// subnetTable is the subnet's route table as the kernel gets it.
func (p *plan) subnetTable(v *topology.VPC, s *topology.Subnet, n *numbers) table {
	t := table{}
	for _, r := range s.Routes {
		if r.Destination.Addr().Is6() && !p.ipv6 || s.Covers(r.Destination) {
			continue
		}
		// "A static route is preferred to a prefix list's" (VPC guide, route priority).
		if _, taken := t[r.Destination]; taken && r.PrefixListID != "" {
			continue
		}
		t[r.Destination] = routeHop(v, r, n)
	}
	// Link-local addresses are answered in the subnet or not at all, and packets within the subnet do not
	// look at its routes, however long these are.
	t[linkLocal] = hop{kind: hopBlackhole}
	t[s.CIDR.Masked()] = hop{kind: hopThrow}
	if p.ipv6 {
		t[linkLocal6] = hop{kind: hopBlackhole}
		if s.IPv6CIDR.IsValid() {
			t[s.IPv6CIDR.Masked()] = hop{kind: hopThrow}
		}
	}
	return t
}

// routeHop translates a route's target. A target that is not there is a black hole.
func routeHop(v *topology.VPC, r topology.Route, n *numbers) hop {
	ipv6 := r.Destination.Addr().Is6()
	if r.Blackhole {
		return nowhereFor(ipv6)
	}
	switch r.Kind {
	case topology.TargetLocal:
		return hop{kind: hopThrow}
	case topology.TargetInternetGateway:
		if v.InternetGateway != "" && r.TargetID == string(v.InternetGateway) {
			return wireHop(igwLink, ipv6)
		}
	case topology.TargetEgressOnly:
		if ipv6 && slices.Contains(v.EgressOnly, resource.EgressOnlyGatewayID(r.TargetID)) {
			return wireHop(egressOnlyLink, true)
		}
	case topology.TargetNATGateway:
		if g := v.NATGateway(resource.NATGatewayID(r.TargetID)); g != nil && !ipv6 {
			return interfaceHop(v, g.ENI, n, false)
		}
	case topology.TargetENI:
		return interfaceHop(v, resource.NetworkInterfaceID(r.TargetID), n, ipv6)
	case topology.TargetGatewayEndpoint:
		if name := n.endpoints[resource.VPCEndpointID(r.TargetID)]; name != "" && !ipv6 {
			return wireHop(name, false)
		}
	case topology.TargetPeering:
		if name := n.peerings[resource.PeeringID(r.TargetID)]; name != "" {
			return wireHop(name, ipv6)
		}
	}
	return nowhereFor(ipv6)
}

// nowhere is where packets go that have no way. It is a link, not a black hole of the kernel's, so that they still
// come by the rules of their interface and subnet, which on AWS are asked first, and can be told as dropped.
func nowhere() hop { return hop{kind: hopLink, link: nowhereLink} }

func interfaceHop(v *topology.VPC, id resource.NetworkInterfaceID, n *numbers, ipv6 bool) hop {
	e := v.ENI(id)
	switch {
	case e == nil || ipv6 && len(e.IPv6) == 0:
		return nowhereFor(ipv6)
	case ipv6:
		return hop{hopVia, n.enis[id], farEnd6}
	}
	return hop{hopVia, n.enis[id], e.Address()}
}

// String is the plan as a person would want to read it.
func (p *plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "vpc %s\nresolvers %v\n", p.vpc, p.resolvers)
	if p.igw != "" {
		fmt.Fprintf(&b, "wire %s to the internet: %s, public addresses %v\n", igwLink, p.igw, p.public)
	}
	if len(p.eigws) > 0 {
		fmt.Fprintf(&b, "wire %s to the internet, outwards: %v\n", egressOnlyLink, p.eigws)
	}
	for _, e := range p.endpoints {
		fmt.Fprintf(&b, "wire %s to gateway endpoint %s: owns %v\n", e.name, e.id, e.prefixes)
	}
	for _, c := range p.peerings {
		fmt.Fprintf(&b, "wire %s to %s: %s\n", c.name, c.peer, c.id)
	}
	for _, e := range p.enis {
		fmt.Fprintf(&b, "link %s to %s %s: %v mac %s in %s group %d", e.name, e.kind, e.id, e.addresses, e.mac, e.subnet, e.group)
		if len(e.ipv6) > 0 {
			fmt.Fprintf(&b, " and %v", e.ipv6)
		}
		if e.natGateway != "" {
			fmt.Fprintf(&b, " is %s", e.natGateway)
		}
		if e.host != "" {
			fmt.Fprintf(&b, " is %s of %s", e.far(), e.host)
		}
		b.WriteString("\n")
	}
	for _, id := range slices.Sorted(maps.Keys(p.tables)) {
		fmt.Fprintf(&b, "table %d\n%s", id, p.tables[id])
	}
	return b.String() + p.rules.String()
}

func (t table) String() string {
	var b strings.Builder
	for _, d := range slices.SortedFunc(maps.Keys(t), netip.Prefix.Compare) {
		fmt.Fprintf(&b, "\t%s %s\n", d, t[d])
	}
	return b.String()
}

func (h hop) String() string {
	switch h.kind {
	case hopLink:
		return "dev " + h.link
	case hopVia:
		return "via " + h.gateway.String() + " dev " + h.link
	}
	return string(h.kind)
}
