package linux

import (
	"net/netip"
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
)

func TestInterfacesOfOneVPCReachEachOther(t *testing.T) {
	w := newWorld(t)
	v := w.VPC("a", "10.0.0.0/16")
	one, two := v.Subnet("one", "10.0.1.0/24"), v.Subnet("two", "10.0.2.0/24")
	client, near, far := v.ENI("client", one, "10.0.1.10"), v.ENI("near", one, "10.0.1.11"), v.ENI("far", two, "10.0.2.11")
	w.apply()
	w.serve(dataplane.Place{ENI: near.ID}, 80)
	w.serve(dataplane.Place{ENI: far.ID}, 80)
	w.servePackets(dataplane.Place{ENI: far.ID}, 53)
	c := w.attach(client)
	w.check(
		check{"same subnet", c, "tcp", "10.0.1.11:80", Connected},
		check{"other subnet", c, "tcp", "10.0.2.11:80", Connected},
		check{"closed port", c, "tcp", "10.0.2.11:81", Refused},
		check{"datagrams", c, "udp", "10.0.2.11:53", Connected},
		check{"ping", c, "icmp", "10.0.2.11", Connected},
		check{"unused address in the own subnet", c, "tcp", "10.0.1.99:80", TimedOut},
		check{"unused address in another subnet", c, "tcp", "10.0.2.99:80", TimedOut},
		check{"address in no subnet", c, "tcp", "10.0.9.9:80", TimedOut},
		check{"no route", c, "tcp", "54.1.2.3:80", TimedOut},
		check{"the router", c, "tcp", "10.0.1.1:80", TimedOut},
		check{"the router's ping", c, "icmp", "10.0.1.1", TimedOut},
		check{"metadata", c, "tcp", "169.254.169.254:80", TimedOut},
	)
	if got := w.sees(c, "10.0.2.11:80"); got != client.Address() {
		t.Errorf("the server sees %s, want %s", got, client.Address())
	}
}

func TestPublicAddressesAreTranslatedBothWays(t *testing.T) {
	w := newWorld(t)
	w.Service("s3", "s3.us-west-2.amazonaws.com", "52.218.0.10")
	v := w.VPC("a", "10.0.0.0/16")
	v.Attach("a")
	public := v.Subnet("public", "10.0.1.0/24")
	RouteTo(public, "0.0.0.0/0", topology.TargetInternetGateway, "igw-a")
	with, without := v.ENI("with", public, "10.0.1.10"), v.ENI("without", public, "10.0.1.11")
	Associate(with, "44.0.0.1")
	v2 := w.VPC("b", "10.0.0.0/16")
	v2.Attach("b")
	public2 := v2.Subnet("public2", "10.0.1.0/24")
	RouteTo(public2, "0.0.0.0/0", topology.TargetInternetGateway, "igw-b")
	stranger := v2.ENI("stranger", public2, "10.0.1.10")
	Associate(stranger, "44.0.0.2")
	w.apply()
	w.serve(dataplane.Place{Internet: netip.MustParseAddr("52.218.0.10")}, 443)
	w.serve(dataplane.Place{ENI: with.ID}, 80)
	outside := w.sit(dataplane.Seat{})
	a, b := w.attach(with), w.attach(without)
	w.check(
		check{"out", a, "tcp", "52.218.0.10:443", Connected},
		check{"out without a public address", b, "tcp", "52.218.0.10:443", TimedOut},
		check{"an address nobody has", a, "tcp", "52.218.0.99:443", TimedOut},
		check{"in", outside, "tcp", "44.0.0.1:80", Connected},
		check{"in by the private address", outside, "tcp", "10.0.1.10:80", TimedOut},
		check{"its own public address", a, "tcp", "44.0.0.1:80", Connected},
		check{"a neighbour's public address", b, "tcp", "44.0.0.1:80", TimedOut},
		check{"from outside to a service", outside, "tcp", "52.218.0.10:443", Connected},
		check{"from outside to nobody", outside, "tcp", "9.9.9.9:443", TimedOut},
	)
	if got := w.sees(a, "52.218.0.10:443"); got.String() != "44.0.0.1" {
		t.Errorf("the service sees %s, want the public address", got)
	}
	if got := w.sees(w.attach(stranger), "44.0.0.1:80"); got.String() != "44.0.0.2" {
		t.Errorf("the instance sees %s, want the other VPC's public address", got)
	}
	if got := w.sees(outside, "44.0.0.1:80"); !netip.MustParsePrefix("100.64.0.0/10").Contains(got) {
		t.Errorf("the instance sees %s, want an address of the internet", got)
	}
}
