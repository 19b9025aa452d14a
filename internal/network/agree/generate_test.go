package agree

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const region = "us-west-2"

// a generator makes random networks and changes them. The same seed makes the same ones.
type generator struct {
	t      *testing.T
	rng    *rand.Rand
	store  *state.Store
	number int        // of the last id
	public netip.Addr // the last public address given
	plots  []*plot
	used   map[uint16]bool // source ports
	other  *rand.Rand      // see aside
}

// a plot is what one VPC consists of, while it is made.
type plot struct {
	id        resource.VPCID
	cidr      netip.Prefix
	subnets   []*resource.Subnet
	acls      []resource.NetworkACLID
	groups    []resource.SecurityGroupID
	list      resource.PrefixListID
	gateway   resource.InternetGatewayID
	nat       resource.NATGatewayID
	boxes     []resource.NetworkInterfaceID // interfaces that a route may lead to
	addresses []netip.Addr

	cidr6      netip.Prefix // zero: no IPv6
	list6      resource.PrefixListID
	egressOnly resource.EgressOnlyGatewayID
	addresses6 []netip.Addr

	peers []*plot // whose blocks do not overlap

	balancers []resource.LoadBalancerARN
}

func newGenerator(t *testing.T, seed uint64) *generator {
	s, err := state.Open(state.Config{Region: region, Account: "000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	g := &generator{
		t: t, rng: rand.New(rand.NewPCG(seed, seed)), store: s, public: netip.MustParseAddr("34.210.0.0"),
		used: map[uint16]bool{}, other: otherChances(seed),
	}
	g.update(func(tx *state.Tx) {
		for _, cidr := range []string{"10.0.0.0/16", "10.1.0.0/16", "10.0.0.0/16", "10.2.0.0/16"}[:2+g.rng.IntN(3)] {
			g.vpc(tx, netip.MustParsePrefix(cidr))
		}
		g.peerings(tx)
		g.aside(func() { g.balancing(tx) })
	})
	return g
}

func (g *generator) update(f func(*state.Tx)) {
	if _, err := g.store.Update(func(tx *state.Tx) error { f(tx); return nil }); err != nil {
		g.t.Fatal(err)
	}
}

func (g *generator) resolve() *topology.Topology {
	return topology.Resolve(g.store.View(), topology.Options{})
}

func (g *generator) id(prefix string) string {
	g.number++
	return fmt.Sprintf("%s-%04d", prefix, g.number)
}

// chance is true so many times in a hundred.
func (g *generator) chance(percent int) bool { return g.rng.IntN(100) < percent }

func pick[T any](g *generator, from []T) T { return from[g.rng.IntN(len(from))] }

func (g *generator) nextPublic() netip.Addr {
	g.public = g.public.Next()
	return g.public
}

// subnetOf is the n-th /24 of a VPC.
func subnetOf(vpc netip.Prefix, n int) netip.Prefix {
	a := vpc.Addr().As4()
	a[2] = byte(n)
	return netip.PrefixFrom(netip.AddrFrom4(a), 24)
}

func (g *generator) vpc(tx *state.Tx, cidr netip.Prefix) {
	p := &plot{id: resource.VPCID(g.id("vpc")), cidr: cidr}
	g.plots = append(g.plots, p)
	tx.Put(&resource.VPC{
		ID: p.id, CIDRs: []resource.VPCCIDR{{Prefix: cidr}}, IPv6CIDRs: g.block6(p), EnableDNSSupport: true, EnableDNSHostnames: true,
	})
	p.list = resource.PrefixListID(g.id("pl"))
	tx.Put(&resource.PrefixList{ID: p.list, Name: "mixed", Entries: []resource.PrefixListEntry{
		{CIDR: subnetOf(cidr, 1+g.rng.IntN(3))}, {CIDR: netip.MustParsePrefix("52.218.128.0/17")}, {CIDR: netip.MustParsePrefix("34.210.0.0/29")},
	}})
	if g.chance(75) {
		p.gateway = resource.InternetGatewayID(g.id("igw"))
		tx.Put(&resource.InternetGateway{ID: p.gateway, VPCID: p.id})
	}
	g.gateways6(tx, p)
	for range 4 {
		p.groups = append(p.groups, resource.SecurityGroupID(g.id("sg")))
	}
	for i := range 3 {
		g.acl(tx, p, i > 0)
	}
	g.subnets(tx, p)
	g.interfaces(tx, p)
	g.natGateway(tx, p)
	g.endpoints(tx, p, g.tables(tx, p))
	for i, id := range p.groups {
		tx.Put(&resource.SecurityGroup{ID: id, VPCID: p.id, Name: string(id), Rules: g.rules(p, i == 0)})
	}
}

func (g *generator) subnets(tx *state.Tx, p *plot) {
	for i := range 3 {
		acl := p.acls[0]
		if g.chance(60) {
			acl = pick(g, p.acls)
		}
		s := &resource.Subnet{
			ID: resource.SubnetID(g.id("subnet")), VPCID: p.id, CIDR: subnetOf(p.cidr, i+1),
			AvailabilityZone: region + []string{"a", "a", "b"}[i], NetworkACLID: acl,
		}
		if p.cidr6.IsValid() && g.chance(90) {
			s.IPv6CIDR = subnetOf6(p.cidr6, i+1)
		}
		tx.Put(s)
		p.subnets = append(p.subnets, s)
	}
}

func (g *generator) interfaces(tx *state.Tx, p *plot) {
	for _, s := range p.subnets {
		for range 2 + g.rng.IntN(2) {
			e := g.eni(tx, p, s, resource.InterfaceTypeInterface)
			if g.chance(45) {
				g.middlebox(tx, p, e)
			}
			if g.chance(35) {
				tx.Put(&resource.Address{
					AllocationID: resource.AllocationID(g.id("eipalloc")), PublicIP: g.nextPublic(),
					NetworkInterfaceID: e.ID, PrivateIP: pick(g, e.PrivateIPs),
				})
			}
		}
	}
}

// eni makes an interface; one in six has a second address.
func (g *generator) eni(tx *state.Tx, p *plot, s *resource.Subnet, kind string) *resource.NetworkInterface {
	e := &resource.NetworkInterface{
		ID: resource.NetworkInterfaceID(g.id("eni")), VPCID: p.id, SubnetID: s.ID, InterfaceType: kind,
		SourceDestCheck: kind != resource.InterfaceTypeInterface || g.chance(90),
	}
	e.MAC = fmt.Sprintf("02:00:00:00:%02x:%02x", g.number>>8, g.number&255)
	count := 1
	if kind == resource.InterfaceTypeInterface && g.chance(16) {
		count = 2
	}
	for range count {
		e.PrivateIPs = append(e.PrivateIPs, g.freeAddress(p, s))
	}
	if kind == resource.InterfaceTypeInterface {
		e.IPv6Addresses = g.addresses6(p, s)
	}
	if kind != resource.InterfaceTypeNATGateway {
		e.GroupIDs = g.someGroups(p.groups)
	}
	tx.Put(e)
	return e
}

// middlebox makes an interface one that routes may lead to. Most may forward, and let most things pass: one that
// does neither shows little.
func (g *generator) middlebox(tx *state.Tx, p *plot, e *resource.NetworkInterface) {
	e.SourceDestCheck = g.chance(35)
	if g.chance(70) {
		e.GroupIDs = p.groups[:1]
	}
	tx.Put(e)
	p.boxes = append(p.boxes, e.ID)
}

func (g *generator) freeAddress(p *plot, s *resource.Subnet) netip.Addr {
	a := s.CIDR.Addr().As4()
	for {
		a[3] = byte(4 + g.rng.IntN(250))
		if ip := netip.AddrFrom4(a); !slices.Contains(p.addresses, ip) {
			p.addresses = append(p.addresses, ip)
			return ip
		}
	}
}

func (g *generator) someGroups(all []resource.SecurityGroupID) []resource.SecurityGroupID {
	if g.chance(35) {
		return []resource.SecurityGroupID{all[0]} // the open one
	}
	out := []resource.SecurityGroupID{pick(g, all)}
	if other := pick(g, all); g.chance(30) && other != out[0] {
		out = append(out, other)
	}
	return out
}

// natGateway puts one into the first subnet, whose table leads to the internet more often than not.
func (g *generator) natGateway(tx *state.Tx, p *plot) {
	if !g.chance(80) {
		return
	}
	e := g.eni(tx, p, p.subnets[0], resource.InterfaceTypeNATGateway)
	n := &resource.NATGateway{
		ID: resource.NATGatewayID(g.id("nat")), VPCID: p.id, SubnetID: p.subnets[0].ID, NetworkInterfaceID: e.ID,
		Public: g.chance(85), State: "available",
	}
	if n.Public {
		n.AllocationID = resource.AllocationID(g.id("eipalloc"))
		tx.Put(&resource.Address{AllocationID: n.AllocationID, PublicIP: g.nextPublic(), NetworkInterfaceID: e.ID})
	}
	tx.Put(n)
	p.nat = n.ID
}

// tables are a main one, a public and a private one.
func (g *generator) tables(tx *state.Tx, p *plot) []resource.RouteTableID {
	var out []resource.RouteTableID
	for i, percent := range [][2]int{{35, 30}, {90, 0}, {5, 75}} {
		t := &resource.RouteTable{ID: resource.RouteTableID(g.id("rtb")), VPCID: p.id}
		out = append(out, t.ID)
		switch {
		case p.gateway != "" && g.chance(percent[0]):
			t.Routes = append(t.Routes, routeTo("0.0.0.0/0", resource.RouteTarget{InternetGatewayID: p.gateway}))
		case p.nat != "" && g.chance(percent[1]):
			t.Routes = append(t.Routes, routeTo("0.0.0.0/0", resource.RouteTarget{NATGatewayID: p.nat}))
		case g.chance(20):
			t.Routes = append(t.Routes, routeTo("0.0.0.0/0", resource.RouteTarget{NetworkInterfaceID: "eni-gone"}))
		}
		t.Routes = append(t.Routes, g.specialRoutes(p)...)
		t.Routes = append(t.Routes, g.routes6(p, i == 1)...)
		switch i {
		case 0:
			t.Associations = []resource.RouteTableAssociation{{Main: true}}
		case 1:
			t.Associations = []resource.RouteTableAssociation{{SubnetID: p.subnets[0].ID}}
		case 2:
			t.Associations = []resource.RouteTableAssociation{{SubnetID: p.subnets[1].ID}}
		}
		tx.Put(t)
	}
	return out
}

func routeTo(cidr string, target resource.RouteTarget) resource.Route {
	return resource.Route{DestinationCIDR: netip.MustParsePrefix(cidr), Target: target}
}

// specialRoutes are those through a middlebox, and for a prefix list.
func (g *generator) specialRoutes(p *plot) []resource.Route {
	var out []resource.Route
	if len(p.boxes) > 0 && g.chance(45) {
		out = append(out, routeTo(pick(g, p.subnets).CIDR.String(), resource.RouteTarget{NetworkInterfaceID: pick(g, p.boxes)}))
	}
	if g.chance(15) {
		target := resource.RouteTarget{NetworkInterfaceID: "eni-gone"}
		if p.nat != "" && g.chance(50) {
			target = resource.RouteTarget{NATGatewayID: p.nat}
		} else if p.gateway != "" && g.chance(50) {
			target = resource.RouteTarget{InternetGatewayID: p.gateway}
		}
		out = append(out, resource.Route{DestinationPrefixListID: p.list, Target: target})
	}
	return append(out, g.peerRoutes(p)...)
}

func (g *generator) endpoints(tx *state.Tx, p *plot, tables []resource.RouteTableID) {
	if g.chance(70) {
		e := &resource.VPCEndpoint{
			ID: resource.VPCEndpointID(g.id("vpce")), VPCID: p.id, Type: resource.EndpointTypeGateway,
			ServiceName: "com.amazonaws." + region + ".s3", State: "available",
		}
		for _, t := range tables {
			if g.chance(50) {
				e.RouteTableIDs = append(e.RouteTableIDs, t)
			}
		}
		tx.Put(e)
	}
	if g.chance(70) {
		eni := g.eni(tx, p, pick(g, p.subnets), resource.InterfaceTypeVPCEndpoint)
		tx.Put(&resource.VPCEndpoint{
			ID: resource.VPCEndpointID(g.id("vpce")), VPCID: p.id, Type: resource.EndpointTypeInterface,
			ServiceName: "com.amazonaws." + region + ".sts", State: "available", DNSSuffix: "abcd1234",
			NetworkInterfaceIDs: []resource.NetworkInterfaceID{eni.ID}, PrivateDNSEnabled: g.number%3 > 0,
		})
	}
}
