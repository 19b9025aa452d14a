package linux

import (
	"context"
	"net/netip"
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// s3 is a public address of the region that the tests use.
const s3 = "52.218.0.10"

// A twoTier is a VPC with a public and a private subnet and a NAT gateway between them and the internet.
type twoTier struct {
	*world
	vpc             *VPC
	public, private *topology.Subnet
	client          *topology.ENI // in the private subnet
}

func newTwoTier(t *testing.T) *twoTier {
	w := newWorld(t)
	w.Service("s3", "s3.us-west-2.amazonaws.com", s3)
	v := w.VPC("a", "10.0.0.0/16")
	v.Attach("a")
	tt := &twoTier{world: w, vpc: v, public: v.Subnet("public", "10.0.1.0/24"), private: v.Subnet("private", "10.0.2.0/24")}
	RouteTo(tt.public, "0.0.0.0/0", topology.TargetInternetGateway, "igw-a")
	tt.client = v.ENI("client", tt.private, "10.0.2.10")
	return tt
}

func TestANATGatewayLeadsOutButNotIn(t *testing.T) {
	w := newTwoTier(t)
	w.vpc.NATGateway("a", w.public, "10.0.1.5", "44.0.0.5")
	RouteTo(w.private, "0.0.0.0/0", topology.TargetNATGateway, "nat-a")
	w.apply()
	w.serve(dataplane.Place{Internet: netip.MustParseAddr(s3)}, 443)
	w.servePackets(dataplane.Place{Internet: netip.MustParseAddr(s3)}, 123)
	w.serve(dataplane.Place{ENI: w.client.ID}, 80)
	c, outside := w.attach(w.client), w.sit(dataplane.Seat{})
	w.check(
		check{"TCP", c, "tcp", s3 + ":443", Connected},
		check{"UDP", c, "udp", s3 + ":123", Connected},
		check{"ping", c, "icmp", s3, Connected},
		check{"the gateway itself", c, "tcp", "10.0.1.5:80", TimedOut},
		check{"the gateway's ping", c, "icmp", "10.0.1.5", TimedOut},
		check{"in by the gateway's public address", outside, "tcp", "44.0.0.5:80", TimedOut},
	)
	if got := w.sees(c, s3+":443"); got.String() != "44.0.0.5" {
		t.Errorf("the service sees %s, want the gateway's public address", got)
	}
	stats, err := w.d.Stats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	n := stats.NATGateways["nat-a"]
	if n.OutPackets == 0 || n.InPackets == 0 || n.OutBytes < 40*n.OutPackets {
		t.Errorf("the gateway counted %+v", n)
	}
	if i := stats.InternetGateways["igw-a"]; i.OutPackets == 0 || i.InPackets == 0 {
		t.Errorf("the internet gateway counted %+v", i)
	}
	if e := stats.ENIs[w.client.ID]; e.OutPackets == 0 || e.InPackets == 0 {
		t.Errorf("the client counted %+v", e)
	}
}

func TestAPrivateNATGatewayDoesNotReachTheInternet(t *testing.T) {
	w := newTwoTier(t)
	w.vpc.NATGateway("p", w.public, "10.0.1.5", "")
	RouteTo(w.private, "0.0.0.0/0", topology.TargetNATGateway, "nat-p")
	w.apply()
	w.serve(dataplane.Place{Internet: netip.MustParseAddr(s3)}, 443)
	w.check(check{"out", w.attach(w.client), "tcp", s3 + ":443", TimedOut})
}

func TestTheNetworkACLOfTheNATGatewaysSubnetApplies(t *testing.T) {
	w := newTwoTier(t)
	w.vpc.NATGateway("a", w.public, "10.0.1.5", "44.0.0.5")
	RouteTo(w.private, "0.0.0.0/0", topology.TargetNATGateway, "nat-a")
	w.vpc.ACL("strict",
		[]topology.Entry{Entry(100, true, -1, -1, -1, "10.0.0.0/16")}, // replies from outside may not come in
		[]topology.Entry{Entry(100, true, -1, -1, -1, "0.0.0.0/0")})
	w.public.NetworkACLID = "acl-strict"
	w.apply()
	w.serve(dataplane.Place{Internet: netip.MustParseAddr(s3)}, 443)
	c := w.attach(w.client)
	w.check(check{"without an entry for replies", c, "tcp", s3 + ":443", TimedOut})
	w.vpc.NetworkACLs[1].Ingress = append(w.vpc.NetworkACLs[1].Ingress, Entry(200, true, 6, 1024, 65535, "0.0.0.0/0"))
	w.apply()
	w.check(check{"with one", c, "tcp", s3 + ":443", Connected})
}

func TestAGatewayEndpointSeesThePrivateAddress(t *testing.T) {
	w := newTwoTier(t)
	l := w.vpc.PrefixList("s3", "52.218.0.0/17", "3.5.80.0/21")
	e := w.vpc.GatewayEndpoint("s3", l, w.private)
	other := w.vpc.ENI("other", w.public, "10.0.1.10")
	w.apply()
	w.serve(dataplane.Place{GatewayEndpoint: e.ID}, 443)
	c, o := w.attach(w.client), w.attach(other)
	w.check(
		check{"an address of the list", c, "tcp", s3 + ":443", Connected},
		check{"another", c, "tcp", "3.5.87.255:443", Connected},
		check{"one just outside", c, "tcp", "3.5.88.0:443", TimedOut},
		check{"from a subnet without the route", o, "tcp", "3.5.80.1:443", TimedOut},
	)
	if got := w.sees(c, s3+":443"); got != w.client.Address() {
		t.Errorf("the endpoint sees %s, want %s", got, w.client.Address())
	}
	stats, err := w.d.Stats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if s := stats.GatewayEndpoints[e.ID]; s.OutPackets == 0 || s.InPackets == 0 {
		t.Errorf("the endpoint counted %+v", s)
	}
}

func TestTheGroupOfAClientMustAllowTheEndpointsPrefixList(t *testing.T) {
	w := newTwoTier(t)
	l := w.vpc.PrefixList("s3", "52.218.0.0/17", "52.218.128.0/17", "52.218.0.0/24")
	e := w.vpc.GatewayEndpoint("s3", l, w.private)
	g := w.vpc.Group("client", nil, []topology.Rule{Allow(6, 443, 443, "pl-s3")})
	w.client.GroupIDs = []resource.SecurityGroupID{g.ID}
	w.apply()
	w.serve(dataplane.Place{GatewayEndpoint: e.ID}, 443)
	c := w.attach(w.client)
	w.check(check{"allowed by the list", c, "tcp", "52.218.200.1:443", Connected})
	g.Egress = []topology.Rule{Allow(6, 443, 443, "10.0.0.0/8")}
	w.apply()
	w.check(check{"not allowed", c, "tcp", "52.218.200.1:443", TimedOut})
}

func TestAGatewayEndpointComesAndGoesWithItsRoute(t *testing.T) {
	w := newTwoTier(t)
	w.vpc.NATGateway("a", w.public, "10.0.1.5", "44.0.0.5")
	RouteTo(w.private, "0.0.0.0/0", topology.TargetNATGateway, "nat-a")
	w.apply()
	w.serve(dataplane.Place{Internet: netip.MustParseAddr(s3)}, 443)
	c := w.attach(w.client)
	if got := w.sees(c, s3+":443"); got.String() != "44.0.0.5" {
		t.Errorf("before, the service sees %s", got)
	}
	e := w.vpc.GatewayEndpoint("s3", w.vpc.PrefixList("s3", "52.218.0.0/17"), w.private)
	w.apply()
	l := w.serve(dataplane.Place{GatewayEndpoint: e.ID}, 443)
	if got := w.sees(c, s3+":443"); got != w.client.Address() {
		t.Errorf("with the endpoint, the service sees %s", got)
	}
	w.vpc.Endpoints, w.vpc.PrefixLists = nil, nil
	DropRoute(w.private, "52.218.0.0/17")
	w.apply()
	if _, err := l.Accept(); err == nil {
		t.Error("the listener outlived its endpoint")
	}
	if got := w.sees(c, s3+":443"); got.String() != "44.0.0.5" {
		t.Errorf("after, the service sees %s", got)
	}
}

func TestDetachingTheInternetGatewayCutsTheInternetOff(t *testing.T) {
	w := newTwoTier(t)
	Associate(w.client, "44.0.0.1")
	RouteTo(w.private, "0.0.0.0/0", topology.TargetInternetGateway, "igw-a")
	w.apply()
	w.serve(dataplane.Place{Internet: netip.MustParseAddr(s3)}, 443)
	c := w.attach(w.client)
	for range 2 {
		open := w.connect(c, s3+":443")
		w.vpc.InternetGateway = ""
		w.apply()
		w.check(check{"detached", c, "tcp", s3 + ":443", TimedOut})
		if open.alive(patience) {
			t.Error("a connection outlived the gateway")
		}
		w.vpc.Attach("a")
		w.apply()
		w.check(check{"attached", c, "tcp", s3 + ":443", Connected})
	}
}

func TestMovingAPublicAddressCutsItsConnections(t *testing.T) {
	w := newTwoTier(t)
	other := w.vpc.ENI("other", w.public, "10.0.1.11")
	RouteTo(w.private, "0.0.0.0/0", topology.TargetInternetGateway, "igw-a")
	Associate(w.client, "44.0.0.1")
	w.apply()
	w.serve(dataplane.Place{Internet: netip.MustParseAddr(s3)}, 443)
	a, b := w.attach(w.client), w.attach(other)
	open := w.connect(a, s3+":443")
	w.client.Public = nil
	Associate(other, "44.0.0.1")
	w.apply()
	if open.alive(patience) {
		t.Error("a connection outlived its public address")
	}
	w.check(
		check{"the old owner", a, "tcp", s3 + ":443", TimedOut},
		check{"the new owner", b, "tcp", s3 + ":443", Connected},
	)
}
