package linux

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// three are VPCs in a row, a - b - c, whose subnets have routes to their neighbours and, in vain, beyond.
type three struct {
	*world
	a, b, c          *VPC
	sa, sb, sc       *topology.Subnet
	ea, eb, ec       *topology.ENI
	ab, bc           resource.PeeringID
	fromA, fromB, fc dataplane.Attachment
}

func newThree(t *testing.T) *three {
	w := &three{world: newWorld(t)}
	w.a, w.b, w.c = w.VPC("a", "10.0.0.0/16"), w.VPC("b", "10.1.0.0/16"), w.VPC("c", "10.2.0.0/16")
	w.sa, w.sb, w.sc = w.a.Subnet("a", "10.0.1.0/24"), w.b.Subnet("b", "10.1.1.0/24"), w.c.Subnet("c", "10.2.1.0/24")
	w.ea, w.eb, w.ec = w.a.ENI("a", w.sa, "10.0.1.10"), w.b.ENI("b", w.sb, "10.1.1.10"), w.c.ENI("c", w.sc, "10.2.1.10")
	w.ab, w.bc = Peer("ab", w.a, w.b), Peer("bc", w.b, w.c)
	RouteTo(w.sa, "0.0.0.0/0", topology.TargetPeering, string(w.ab))
	RouteTo(w.sb, "10.0.0.0/16", topology.TargetPeering, string(w.ab))
	RouteTo(w.sb, "10.2.0.0/16", topology.TargetPeering, string(w.bc))
	RouteTo(w.sc, "0.0.0.0/0", topology.TargetPeering, string(w.bc))
	return w
}

func (w *three) start() {
	w.t.Helper()
	w.apply()
	for _, e := range []*topology.ENI{w.ea, w.eb, w.ec} {
		w.serve(dataplane.Place{ENI: e.ID}, 80)
	}
	w.fromA, w.fromB, w.fc = w.attach(w.ea), w.attach(w.eb), w.attach(w.ec)
}

func TestPeeringJoinsNeighboursAndNobodyElse(t *testing.T) {
	w := newThree(t)
	w.start()
	w.check(
		check{"a to b", w.fromA, "tcp", "10.1.1.10:80", Connected},
		check{"b to a", w.fromB, "tcp", "10.0.1.10:80", Connected},
		check{"b to c", w.fromB, "tcp", "10.2.1.10:80", Connected},
		check{"ping", w.fromA, "icmp", "10.1.1.10", Connected},
		check{"a to c, through b", w.fromA, "tcp", "10.2.1.10:80", TimedOut},
		check{"c to a, through b", w.fc, "tcp", "10.0.1.10:80", TimedOut},
		check{"nobody's address", w.fromA, "tcp", "10.1.1.99:80", TimedOut},
	)
	if got := w.sees(w.fromA, "10.1.1.10:80"); got != w.ea.Address() {
		t.Errorf("the peer sees %s, want %s", got, w.ea.Address())
	}
}

// Nothing of the far VPC but its interfaces is there for the peer, although it has all it takes.
func TestAPeerCannotUseTheFarGatewaysOrItsResolver(t *testing.T) {
	w := newThree(t)
	w.Service("s3", "s3.us-west-2.amazonaws.com", s3)
	w.b.Attach("b")
	Associate(w.eb, "44.0.0.9")
	public := w.b.Subnet("public", "10.1.2.0/24")
	RouteTo(public, "0.0.0.0/0", topology.TargetInternetGateway, "igw-b")
	w.b.NATGateway("n", public, "10.1.2.5", "44.0.0.5")
	RouteTo(w.sb, "0.0.0.0/0", topology.TargetNATGateway, "nat-n")
	endpoint := w.b.GatewayEndpoint("s3", w.b.PrefixList("s3", "52.218.0.0/17"), w.sb)
	w.start()
	w.serve(dataplane.Place{GatewayEndpoint: endpoint.ID}, 443)
	dns, err := w.d.ListenPacket(context.Background(), dataplane.Place{VPC: w.b.ID, Resolver: w.b.Resolver}, "udp", 53)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dns.Close() })
	heard := make(chan string, 64)
	go func() {
		for buf := make([]byte, 512); ; {
			n, from, err := dns.ReadFrom(buf)
			if err != nil {
				return
			}
			heard <- from.(*net.UDPAddr).IP.String()
			_, _ = dns.WriteTo(buf[:n], from)
		}
	}()
	w.check(
		check{"the owner's own endpoint", w.fromB, "tcp", s3 + ":443", Connected},
		check{"the peer's endpoint, NAT or internet gateway", w.fromA, "tcp", s3 + ":443", TimedOut},
		check{"the NAT gateway itself", w.fromA, "tcp", "10.1.2.5:443", TimedOut},
		check{"a public address of the peer", w.fromA, "tcp", "44.0.0.9:80", TimedOut},
		check{"the owner's resolver", w.fromB, "udp", "10.1.0.2:53", Connected},
		check{"the peer's resolver", w.fromA, "udp", "10.1.0.2:53", TimedOut},
		check{"the peer's interface", w.fromA, "tcp", "10.1.1.10:80", Connected},
	)
	for len(heard) > 0 {
		if from := <-heard; from != "10.1.1.10" {
			t.Errorf("the resolver heard a question of %s", from)
		}
	}
}

func TestNetworkACLsOfBothSubnetsApplyToPeeringTraffic(t *testing.T) {
	for name, on := range map[string]func(*three) (*VPC, *topology.Subnet){
		"near": func(w *three) (*VPC, *topology.Subnet) { return w.a, w.sa },
		"far":  func(w *three) (*VPC, *topology.Subnet) { return w.b, w.sb },
	} {
		t.Run(name, func(t *testing.T) {
			w := newThree(t)
			v, s := on(w)
			// Answers go to high ports, both on their way out of the far subnet and into the near one.
			all, low := []topology.Entry{Entry(100, true, -1, -1, -1, "0.0.0.0/0")}, []topology.Entry{Entry(100, true, 6, 1, 1023, "0.0.0.0/0")}
			if name == "near" {
				v.ACL("strict", low, all)
			} else {
				v.ACL("strict", all, low)
			}
			w.start()
			w.check(check{"with an open ACL", w.fromA, "tcp", "10.1.1.10:80", Connected})
			s.NetworkACLID = "acl-strict"
			w.apply()
			w.check(check{"with one that drops answers", w.fromA, "tcp", "10.1.1.10:80", TimedOut})
		})
	}
}

func TestRulesMayNameGroupsOfAPeer(t *testing.T) {
	w := newThree(t)
	w.b.Group("db", []topology.Rule{Allow(6, 80, 80, "sg-friends")}, nil)
	w.a.Group("friends", nil, []topology.Rule{Allow(-1, -1, -1, "0.0.0.0/0")})
	friend := w.a.ENI("friend", w.sa, "10.0.1.20", "sg-friends")
	w.eb.GroupIDs = []resource.SecurityGroupID{"sg-db"}
	w.start()
	f := w.attach(friend)
	w.check(
		check{"a member", f, "tcp", "10.1.1.10:80", Connected},
		check{"somebody else of the same VPC", w.fromA, "tcp", "10.1.1.10:80", TimedOut},
	)
	friend.GroupIDs = []resource.SecurityGroupID{w.a.Open()}
	w.apply()
	w.check(check{"a member no longer", f, "tcp", "10.1.1.10:80", TimedOut})
}

// An interface that may send from any address still cannot speak for somebody that the peer trusts.
func TestAPeeringTakesAddressesOfThePeerOnly(t *testing.T) {
	w := newThree(t)
	w.ea.SourceDestCheck = false
	w.b.Group("own", []topology.Rule{Allow(-1, -1, -1, "0.0.0.0/0")}, []topology.Rule{Allow(-1, -1, -1, "0.0.0.0/0")})
	w.start()
	packets, err := w.d.ListenPacket(context.Background(), dataplane.Place{ENI: w.eb.ID}, "udp", 9)
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	received := func(source string) bool {
		t.Helper()
		send(t, w.driverENI(w.ea.ID), source, "10.1.1.10:9")
		packets.SetReadDeadline(time.Now().Add(patience))
		_, from, err := packets.ReadFrom(make([]byte, 8))
		return err == nil && from.(*net.UDPAddr).IP.String() == source
	}
	for source, want := range map[string]bool{"10.0.1.10": true, "10.0.9.9": true, "10.1.1.77": false, "10.2.1.10": false, "8.8.8.8": false} {
		if got := received(source); got != want {
			t.Errorf("a packet from %s arrives: %t, want %t", source, got, want)
		}
	}
}

func (w *three) driverENI(id resource.NetworkInterfaceID) *eni {
	w.t.Helper()
	e, err := w.d.eni(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// send sends a datagram from an address that the interface does not have.
func send(t *testing.T, e *eni, source, to string) {
	t.Helper()
	err := withLinks(e.ns, func(h *netlink.Handle) error {
		lo, err := h.LinkByName("lo")
		if err != nil {
			return err
		}
		return addAddress(h, lo, prefix(source+"/32"))
	})
	if err == nil {
		err = e.ns.Do(func() error {
			d := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(source)}}
			c, err := d.Dial("udp4", to)
			if err != nil {
				return err
			}
			defer c.Close()
			_, err = c.Write([]byte("x"))
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestDeletingAPeeringCutsItsConnectionsForGood(t *testing.T) {
	w := newThree(t)
	w.start()
	over, other := w.connect(w.fromA, "10.1.1.10:80"), w.connect(w.fromB, "10.2.1.10:80")
	if !over.alive(time.Second) || !other.alive(time.Second) {
		t.Fatal("the connections do not work")
	}
	w.Unpeer(w.ab)
	w.apply()
	if over.alive(patience) {
		t.Error("a connection outlives its peering")
	}
	if !other.alive(time.Second) {
		t.Error("the other peering's connection was cut, too")
	}
	w.check(check{"a new one", w.fromA, "tcp", "10.1.1.10:80", TimedOut})
	again := Peer("again", w.a, w.b)
	RouteTo(w.sa, "0.0.0.0/0", topology.TargetPeering, string(again))
	RouteTo(w.sb, "10.0.0.0/16", topology.TargetPeering, string(again))
	w.apply()
	w.check(check{"a new one by a new peering", w.fromA, "tcp", "10.1.1.10:80", Connected})
	over.SetDeadline(time.Now().Add(2 * time.Second))
	if over.resumes() {
		t.Error("a connection that was cut came back with the next peering")
	}
}

// What was allowed to an address must not pass to its next owner, in the peer's memory neither.
func TestAConnectionDoesNotPassToTheNextOwnerOfAPeersAddress(t *testing.T) {
	w := newThree(t)
	w.start()
	c := w.connect(w.fromA, "10.1.1.10:80")
	if !c.alive(time.Second) {
		t.Fatal("the connection does not work")
	}
	flows := func() int {
		t.Helper()
		n := 0
		err := w.d.routers[w.b.ID].endFlows(counting{&n})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if flows() == 0 {
		t.Fatal("the far router knows no flow: the test would show nothing")
	}
	w.a.RemoveENI(w.ea)
	w.a.ENI("next", w.sa, "10.0.1.10")
	w.apply()
	if n := flows(); n > 0 {
		t.Errorf("the far router still knows %d flows of the old owner", n)
	}
}

// counting ends no flow.
type counting struct{ n *int }

func (c counting) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	if address(f.Forward.SrcIP) == addr("10.0.1.10") {
		*c.n++
	}
	return false
}

// A VPC that comes anew is joined anew; one that goes takes the link with it and leaves its peer in order.
func TestPeersComeAndGo(t *testing.T) {
	w := newThree(t)
	w.start()
	w.check(check{"before", w.fromB, "tcp", "10.2.1.10:80", Connected})
	w.Remove(w.c)
	w.Unpeer(w.bc)
	w.apply()
	if n := len(w.d.routers[w.b.ID].peerings); n != 1 {
		t.Errorf("the peer keeps %d links, want 1", n)
	}
	w.check(
		check{"the one that is gone", w.fromB, "tcp", "10.2.1.10:80", TimedOut},
		check{"the one that is left", w.fromB, "tcp", "10.0.1.10:80", Connected},
	)
	d := w.VPC("d", "10.2.0.0/16")
	sd := d.Subnet("d", "10.2.1.0/24")
	ed := d.ENI("d", sd, "10.2.1.10")
	bd := Peer("bd", w.b, d)
	RouteTo(w.sb, "10.2.0.0/16", topology.TargetPeering, string(bd))
	RouteTo(sd, "10.1.0.0/16", topology.TargetPeering, string(bd))
	w.apply()
	w.serve(dataplane.Place{ENI: ed.ID}, 80)
	w.check(check{"its successor", w.fromB, "tcp", "10.2.1.10:80", Connected})
}

// A router that was lost and made anew gets its links back, and its peer forgets the dead ones.
func TestALostRouterIsJoinedAgain(t *testing.T) {
	w := newThree(t)
	w.start()
	w.d.applying.Lock()
	w.d.removeRouter(w.d.routers[w.c.ID])
	w.d.applying.Unlock()
	w.check(check{"without the router", w.fromB, "tcp", "10.2.1.10:80", TimedOut})
	w.apply()
	w.serve(dataplane.Place{ENI: w.ec.ID}, 80)
	w.check(check{"with a new one", w.fromB, "tcp", "10.2.1.10:80", Connected})
}

// Without its link a peering connection shuts the VPC: it must not be half there.
func TestAPeeringWithoutALinkShutsTheVPC(t *testing.T) {
	w := newThree(t)
	w.c.Peerings = nil // the two ends disagree: there is nothing to join
	if err := w.d.Apply(context.Background(), w.Topology()); err == nil {
		t.Fatal("applied")
	}
	if w.d.routers[w.b.ID].open {
		t.Error("the VPC is open")
	}
	if !w.d.routers[w.a.ID].open || !w.d.routers[w.c.ID].open {
		t.Error("other VPCs are shut")
	}
}
