package linux

import (
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/vishvananda/netlink"
)

// ipv6Region has everything of IPv6: both kinds of gateways, a peer, groups, lists, every form of a rule and entry.
func ipv6Region(r *Region) {
	v := r.VPC("a", "10.0.0.0/16")
	v.SpeakIPv6("2600:1f14:1:100::/56")
	v.Attach("a")
	egressOnly := v.EgressOnly("a")
	public := v.Subnet6("public", "10.0.1.0/24", "2600:1f14:1:101::/64")
	private := v.Subnet6("private", "10.0.2.0/24", "2600:1f14:1:102::/64")
	RouteTo(public, "::/0", topology.TargetInternetGateway, "igw-a")
	RouteTo(private, "::/0", topology.TargetEgressOnly, egressOnly)
	RouteTo(private, "2600:1f14:1:101::/64", topology.TargetENI, "eni-box")
	RouteTo(private, "64:ff9b::/96", topology.TargetNATGateway, "nat-a")
	private.Routes = append(private.Routes, topology.Route{Destination: prefix("2001:db8:9::/48"), Kind: topology.TargetENI, TargetID: "eni-gone", Blackhole: true})
	v.PrefixList("x", "2001:db8:8::/48", "2001:db8:9::/48", "2001:db8:8:7::/64", "2001:db8:ffff::/48", "ffff:ffff::/32")
	v.Group("web", []topology.Rule{
		Allow(6, 443, 443, "::/0"), Allow(6, 80, 90, "2600:1f14:1:100::/56"), Allow(17, 53, 53, "sg-web"), Allow(58, 128, -1, "2600:1f14:1:101::/64"),
		Allow(58, -1, -1, "2600:1f14:1:101::a/128"), Allow(6, 22, 22, "10.0.0.0/8"), Allow(6, 1, 2, "pl-x"),
	}, []topology.Rule{Allow(resource.AllProtocols, -1, -1, "::/0"), Allow(6, 443, 443, "pl-x")})
	v.ACL("web", []topology.Entry{
		Entry(90, false, 6, 22, 22, "::/0"), Entry(95, true, 58, 128, -1, "::/0"), Entry(100, true, resource.AllProtocols, -1, -1, "0.0.0.0/0"),
		Entry(101, true, 6, 1024, 65535, "2600:1f14:1:100::/57"),
	}, []topology.Entry{Entry(101, true, resource.AllProtocols, -1, -1, "::/0")})
	private.NetworkACLID = "acl-web"
	v.ENI6("web", private, "10.0.2.10", "2600:1f14:1:102::a", "sg-web")
	v.ENI("old", private, "10.0.2.11", "sg-web")
	v.ENI6("box", public, "10.0.1.10", "2600:1f14:1:101::a").SourceDestCheck = false
	peer := r.VPC("b", "10.1.0.0/16")
	peer.SpeakIPv6("2600:1f14:1:200::/56")
	peer.Subnet6("far", "10.1.1.0/24", "2600:1f14:1:201::/64")
	RouteTo(private, "2600:1f14:1:200::/56", topology.TargetPeering, string(Peer("ab", v, peer)))
}

const (
	web6, web6b, db6 = "2600:1f14:1:101::a", "2600:1f14:1:101::b", "2600:1f14:1:102::a"
	service6         = "2600:1fa0:4000::5"
)

// ipv6World is a public and a private subnet with a way out each, and a service on the internet.
type ipv6World struct {
	*world
	vpc             *VPC
	public, private *topology.Subnet
	web, web2, db   *topology.ENI
}

func newIPv6World(t *testing.T) *ipv6World {
	t.Helper()
	w := &ipv6World{world: newWorld(t)}
	w.Service("s3", "s3.dualstack.us-west-2.amazonaws.com", "52.218.0.5", service6)
	w.vpc = w.VPC("a", "10.0.0.0/16")
	w.vpc.SpeakIPv6("2600:1f14:1:100::/56")
	w.vpc.Attach("a")
	w.public = w.vpc.Subnet6("public", "10.0.1.0/24", "2600:1f14:1:101::/64")
	w.private = w.vpc.Subnet6("private", "10.0.2.0/24", "2600:1f14:1:102::/64")
	RouteTo(w.public, "::/0", topology.TargetInternetGateway, "igw-a")
	RouteTo(w.private, "::/0", topology.TargetEgressOnly, w.vpc.EgressOnly("a"))
	w.web = w.vpc.ENI6("web", w.public, "10.0.1.10", web6)
	w.web2 = w.vpc.ENI6("web2", w.public, "10.0.1.11", web6b)
	w.db = w.vpc.ENI6("db", w.private, "10.0.2.10", db6)
	return w
}

// open applies the world, and lets every interface answer on ports 80 and 81, at its IPv6 address.
func (w *ipv6World) open() (web, web2, db, outside dataplane.Attachment) {
	w.t.Helper()
	w.apply()
	web, web2, db, outside = w.attach(w.web), w.attach(w.web2), w.attach(w.db), w.sit(dataplane.Seat{IPv6: true})
	for a, seat := range map[string]dataplane.Attachment{web6: web, web6b: web2, db6: db} {
		for _, port := range []string{"80", "81"} {
			l, err := seat.Listen("tcp", "["+a+"]:"+port)
			if err != nil {
				w.t.Fatal(err)
			}
			w.t.Cleanup(func() { l.Close() })
			go Echo(l)
		}
		c, err := seat.ListenPacket("udp", "["+a+"]:53")
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { c.Close() })
		go EchoPackets(c)
	}
	w.serve(dataplane.Place{Internet: addr(service6)}, 443)
	return web, web2, db, outside
}

func to6(a, port string) string { return "[" + a + "]:" + port }

func TestIPv6ReachesWhatItsRoutesLeadTo(t *testing.T) {
	w := newIPv6World(t)
	web, web2, db, outside := w.open()
	w.check(
		check{"in one subnet", web, "tcp", to6(web6b, "80"), Connected},
		check{"from subnet to subnet", web, "tcp", to6(db6, "80"), Connected},
		check{"datagrams", db, "udp", to6(web6, "53"), Connected},
		check{"pings", db, "icmp", web6, Connected},
		check{"out by the internet gateway", web, "tcp", to6(service6, "443"), Connected},
		check{"out by the egress-only gateway", db, "tcp", to6(service6, "443"), Connected},
		check{"in by the internet gateway", outside, "tcp", to6(web6, "80"), Connected},
		check{"in where answers would leave by the egress-only gateway", outside, "tcp", to6(db6, "80"), TimedOut},
		check{"the service, from outside", outside, "tcp", to6(service6, "443"), Connected},
		check{"an address of the subnet that nobody has", web2, "tcp", to6("2600:1f14:1:101::99", "80"), TimedOut},
		check{"an address that nobody has", db, "tcp", to6("2001:db8:77::1", "80"), TimedOut},
		check{"IPv4 as ever", web, "tcp", "10.0.2.10:80", Refused},
	)
	if seen := w.sees(db, to6(service6, "443")); seen != addr(db6) {
		t.Errorf("the service sees %s, want %s: nothing translates IPv6", seen, db6)
	}
	w.vpc.InternetGateway = ""
	DropRoute(w.public, "::/0")
	w.apply()
	w.check(
		check{"out by the egress-only gateway alone", db, "tcp", to6(service6, "443"), Connected},
		check{"in by the egress-only gateway", outside, "tcp", to6(db6, "80"), TimedOut},
		check{"in, datagrams", outside, "udp", to6(db6, "53"), TimedOut},
		check{"out without a gateway", web, "tcp", to6(service6, "443"), TimedOut},
	)
	w.vpc.VPC.EgressOnly = nil
	DropRoute(w.private, "::/0")
	w.apply()
	w.check(check{"out when the gateway is gone", db, "tcp", to6(service6, "443"), TimedOut},
		check{"inside still", web, "tcp", to6(db6, "80"), Connected})
}

func TestSecurityGroupsFilterIPv6(t *testing.T) {
	w := newIPv6World(t)
	w.vpc.PrefixList("six", "2600:1f14:1:101::a/128")
	w.vpc.Group("db", []topology.Rule{Allow(6, 80, 80, "sg-web"), Allow(6, 81, 81, "0.0.0.0/0"), Allow(17, 53, 53, "pl-six")}, nil)
	w.vpc.Group("web", nil, []topology.Rule{Allow(resource.AllProtocols, -1, -1, "2600:1f14:1:100::/56")})
	w.db.GroupIDs, w.web.GroupIDs = []resource.SecurityGroupID{"sg-db"}, []resource.SecurityGroupID{"sg-web"}
	web, web2, db, _ := w.open()
	w.check(
		check{"a member of the group", web, "tcp", to6(db6, "80"), Connected},
		check{"no member of the group", web2, "tcp", to6(db6, "80"), TimedOut},
		check{"a rule for IPv4 allows no IPv6", web, "tcp", to6(db6, "81"), TimedOut},
		check{"on the prefix list", web, "udp", to6(db6, "53"), Connected},
		check{"not on the prefix list", web2, "udp", to6(db6, "53"), TimedOut},
		check{"no egress rule, but answers pass", db, "tcp", to6(web6b, "80"), TimedOut},
		check{"out of the egress rule's block", web, "tcp", to6(service6, "443"), TimedOut},
	)
	s := w.connect(web, to6(db6, "80"))
	w.vpc.SecurityGroup("sg-db").Ingress = nil
	w.apply()
	if !s.alive(3 * patience) {
		t.Error("a tracked connection ended with its rule")
	}
	w.check(check{"a new one without the rule", web, "tcp", to6(db6, "80"), TimedOut})
}

func TestUntrackedIPv6ConnectionsEndWithTheirRule(t *testing.T) {
	w := newIPv6World(t)
	open := w.vpc.SecurityGroups[0]
	w.vpc.Group("any", []topology.Rule{Allow(6, 80, 80, "::/0")}, open.Egress)
	w.db.GroupIDs = []resource.SecurityGroupID{"sg-any"}
	web, _, db, _ := w.open()
	s, tracked := w.connect(web, to6(db6, "80")), w.connect(db, to6(service6, "443"))
	w.vpc.SecurityGroup("sg-any").Ingress, w.vpc.SecurityGroup("sg-any").Egress = nil, nil
	w.apply()
	if s.alive(patience) {
		t.Error("an untracked connection outlived its rule")
	}
	if !tracked.alive(3 * patience) {
		t.Error("a connection by the egress-only gateway, which is always tracked, ended with its rule")
	}
}

func TestNetworkACLsFilterIPv6BothWaysByTheirOwnEntries(t *testing.T) {
	w := newIPv6World(t)
	all := Entry(100, true, resource.AllProtocols, -1, -1, "0.0.0.0/0")
	w.vpc.ACL("db", []topology.Entry{Entry(90, false, 6, 81, 81, "::/0"), all, Entry(101, true, resource.AllProtocols, -1, -1, "::/0")},
		[]topology.Entry{all, Entry(101, true, resource.AllProtocols, -1, -1, "2600:1f14:1:100::/56")})
	w.private.NetworkACLID = "acl-db"
	web, _, db, _ := w.open()
	w.check(
		check{"allowed by entry 101", web, "tcp", to6(db6, "80"), Connected},
		check{"denied by entry 90", web, "tcp", to6(db6, "81"), TimedOut},
		check{"no egress entry", db, "tcp", to6(service6, "443"), TimedOut},
		check{"in one subnet nobody asks", web, "tcp", to6(web6b, "81"), Connected},
	)
	w.vpc.NetworkACL("acl-db").Egress = []topology.Entry{all}
	w.apply()
	w.check(check{"answers need an entry of IPv6", web, "tcp", to6(db6, "80"), TimedOut})
}

func TestIPv6SourcesAreChecked(t *testing.T) {
	w := newIPv6World(t)
	w.vpc.Group("in", []topology.Rule{Allow(resource.AllProtocols, -1, -1, "::/0")}, nil)
	web, _, _, _ := w.open()
	forge := func(a string) {
		t.Helper()
		e, err := w.d.eni(w.web.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := withLinks(e.ns, func(h *netlink.Handle) error {
			l, err := h.LinkByName("eth0")
			if err != nil {
				return err
			}
			return addAddress(h, l, prefix(a))
		}); err != nil {
			t.Fatal(err)
		}
	}
	w.check(check{"from its own address", web, "tcp", to6(db6, "80"), Connected})
	forge("2600:1f14:1:101::b/128") // the other's, and now the preferred one
	w.check(check{"from another's address", web, "tcp", to6(db6, "80"), TimedOut})
	w.web.SourceDestCheck = false
	w.apply()
	w.check(check{"from an address of nobody's to the internet, unchecked", web, "tcp", to6(service6, "443"), TimedOut})
}

func TestNeighbourDiscoveryBetweenInterfaceAndRouterWorks(t *testing.T) {
	w := newIPv6World(t)
	w.vpc.Group("none", nil, nil)
	w.web.GroupIDs = []resource.SecurityGroupID{"sg-none"} // users' rules do not come near it
	w.open()
	e, err := w.d.eni(w.web.ID)
	if err != nil {
		t.Fatal(err)
	}
	state := func() (s int) {
		if err := withLinks(e.ns, func(h *netlink.Handle) error {
			l, err := h.LinkByName("eth0")
			if err != nil {
				return err
			}
			all, err := h.NeighList(l.Attrs().Index, netlink.FAMILY_V6)
			for _, n := range all {
				if n.IP.String() == "fe80::1" {
					s = n.State
				}
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if got := state(); got != netlink.NUD_PERMANENT {
		t.Fatalf("the router's neighbour entry is %#x, want a permanent one", got)
	}
	if err := withLinks(e.ns, func(h *netlink.Handle) error {
		l, err := h.LinkByName("eth0")
		if err != nil {
			return err
		}
		return h.NeighDel(&netlink.Neigh{LinkIndex: l.Attrs().Index, IP: routerAddress6.AsSlice(), State: netlink.NUD_PERMANENT})
	}); err != nil {
		t.Fatal(err)
	}
	seat := w.attach(w.web)
	Probe(seat, to6(db6, "80"), "tcp", patience) // makes the system ask who the router is
	if got := state(); got&(netlink.NUD_REACHABLE|netlink.NUD_STALE|netlink.NUD_DELAY|netlink.NUD_PROBE) == 0 {
		t.Errorf("asked for the router, the entry is %#x: it did not answer", got)
	}
}

func TestAnInterfaceWithoutIPv6AddressHasNoIPv6(t *testing.T) {
	w := newIPv6World(t)
	web, _, _, _ := w.open()
	off := func() bool {
		t.Helper()
		_, err := web.Listen("tcp", to6(web6, "90"))
		return err != nil
	}
	if off() {
		t.Fatal("with an address nothing can listen there")
	}
	w.web.IPv6 = nil
	w.apply()
	if !off() {
		t.Error("without an address something can listen there")
	}
	if got := Probe(web, to6(db6, "80"), "tcp", patience); got == Connected {
		t.Error("without an address it reaches others")
	}
	w.web.IPv6 = append(w.web.IPv6, addr("2600:1f14:1:101::c"), addr(web6))
	w.apply()
	w.check(check{"with two", web, "tcp", to6(db6, "80"), Connected})
	if seen := w.sees(web, to6(db6, "80")); seen != addr("2600:1f14:1:101::c") {
		t.Errorf("seen as %s, want its first address", seen)
	}
	w.check(check{"at the second", w.attach(w.web2), "tcp", to6(web6, "80"), Connected})
}

func TestPeersReachEachOtherByIPv6(t *testing.T) {
	w := newIPv6World(t)
	far := w.VPC("b", "10.1.0.0/16")
	far.SpeakIPv6("2600:1f14:1:200::/56")
	s := far.Subnet6("far", "10.1.1.0/24", "2600:1f14:1:201::/64")
	e := far.ENI6("far", s, "10.1.1.10", "2600:1f14:1:201::a")
	id := Peer("ab", w.vpc, far)
	RouteTo(w.private, "2600:1f14:1:200::/56", topology.TargetPeering, string(id))
	RouteTo(s, "2600:1f14:1:100::/56", topology.TargetPeering, string(id))
	RouteTo(s, "::/0", topology.TargetPeering, string(id))
	web, _, db, _ := w.open()
	other := w.attach(e)
	w.check(
		check{"from there", other, "tcp", to6(db6, "80"), Connected},
		check{"from here without a route back", web, "tcp", to6("2600:1f14:1:201::a", "80"), TimedOut},
		check{"out of the peer's gateway", other, "tcp", to6(service6, "443"), TimedOut},
		check{"back", db, "tcp", to6("2600:1f14:1:201::a", "80"), Refused},
	)
	w.Unpeer(id)
	w.apply()
	w.check(check{"when it is gone", other, "tcp", to6(db6, "80"), TimedOut})
}

func TestIPv6PassesAMiddlebox(t *testing.T) {
	w := newIPv6World(t)
	RouteTo(w.private, "2600:1f14:1:101::/64", topology.TargetENI, "eni-web2")
	RouteTo(w.private, "::/0", topology.TargetENI, "eni-web2")
	_, _, db, outside := w.open()
	w.check(check{"checked", db, "tcp", to6(web6, "80"), TimedOut})
	w.web2.SourceDestCheck = false
	w.apply()
	w.check(check{"that does not forward", db, "tcp", to6(web6, "80"), TimedOut})
	e, err := w.d.eni(w.web2.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.ns.Sysctl("net.ipv6.conf.all.forwarding=1"); err != nil {
		t.Fatal(err)
	}
	w.check(
		check{"that forwards", db, "tcp", to6(web6, "80"), Connected},
		check{"and to the internet", db, "tcp", to6(service6, "443"), Connected},
		check{"and answers to the internet", outside, "tcp", to6(db6, "80"), Connected},
		check{"and echoes", outside, "icmp", db6, Connected})
}

func TestSharedSeatsSpeakIPv6WithTheirInterface(t *testing.T) {
	w := newIPv6World(t)
	w.vpc.Group("fn", nil, []topology.Rule{Allow(resource.AllProtocols, -1, -1, "::/0")})
	fn := w.vpc.ENI6("fn", w.private, "10.0.2.20", "2600:1f14:1:102::f", "sg-fn")
	fn.Type = resource.InterfaceTypeLambda
	old := w.vpc.ENI("old", w.private, "10.0.2.21")
	old.Type = resource.InterfaceTypeLambda
	_, web2, _, outside := w.open()
	one, two, none := w.sit(dataplane.Seat{ENI: fn.ID, Shared: true}), w.sit(dataplane.Seat{ENI: fn.ID, Shared: true}), w.sit(dataplane.Seat{ENI: old.ID, Shared: true})
	w.check(
		check{"out", one, "tcp", to6(service6, "443"), Connected},
		check{"out, the other", two, "udp", to6(web6, "53"), Connected},
		check{"in", web2, "tcp", to6("2600:1f14:1:102::f", "80"), TimedOut},
		check{"in from outside", outside, "tcp", to6("2600:1f14:1:102::f", "80"), TimedOut},
	)
	for _, seat := range []dataplane.Attachment{one, two} {
		if seen := w.sees(seat, to6(web6, "80")); seen != addr("2600:1f14:1:102::f") {
			t.Errorf("seen as %s, want the interface's address", seen)
		}
	}
	if got := Probe(none, to6(web6, "80"), "tcp", patience); got == Connected || got == TimedOut {
		t.Errorf("a seat of an interface without an IPv6 address: %s, want that it has none", got)
	}
	if got := Probe(one, to6("2001:db8:2::2", "80"), "tcp", patience); got != TimedOut {
		t.Errorf("from seat to seat: %s", got)
	}
}
