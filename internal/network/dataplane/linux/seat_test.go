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

func TestSharedSeatsGoOutFromTheInterfaceAndTakeNothingIn(t *testing.T) {
	p := newPairing(t)
	p.client.GroupIDs, p.client.Type = []resource.SecurityGroupID{p.vpc.Open()}, resource.InterfaceTypeLambda
	p.servers.Ingress = []topology.Rule{Allow(-1, -1, -1, "10.0.1.10/32")}
	p.servers.Egress = []topology.Rule{Allow(-1, -1, -1, "0.0.0.0/0")}
	p.apply()
	at := dataplane.Place{VPC: p.vpc.ID, Resolver: addr("169.254.169.253")}
	p.servePackets(at, 53)
	one, two := p.sit(dataplane.Seat{ENI: p.client.ID, Shared: true}), p.sit(dataplane.Seat{ENI: p.client.ID, Shared: true})
	for _, seat := range []dataplane.Attachment{one, two} {
		l, err := seat.Listen("tcp", "0.0.0.0:9001")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go Echo(l)
	}
	p.check(
		check{"TCP", one, "tcp", "10.0.2.10:80", Connected},
		check{"TCP from the other", two, "tcp", "10.0.2.10:80", Connected},
		check{"UDP", one, "udp", "10.0.2.10:53", Connected},
		check{"ping", two, "icmp", "10.0.2.10", Connected},
		check{"its own runtime", one, "tcp", "169.254.100.1:9001", Connected},
		check{"the resolver", one, "udp", "169.254.169.253:53", Connected},
		check{"metadata", one, "tcp", "169.254.169.254:80", TimedOut},
		check{"no route", one, "tcp", "9.9.9.9:80", TimedOut},
		check{"the neighbour's seat", one, "tcp", "169.254.16.2:9001", TimedOut},
		check{"the interface itself", one, "tcp", "10.0.1.10:9001", TimedOut},
		check{"from outside to the interface", p.atServer, "tcp", "10.0.1.10:9001", TimedOut},
	)
	if got := p.sees(two, "10.0.2.10:80"); got != p.client.Address() {
		t.Errorf("the server sees %s, want the interface's address", got)
	}
}

func TestASeatsRulesAreItsInterfaces(t *testing.T) {
	p := newPairing(t)
	seat := p.sit(dataplane.Seat{ENI: p.client.ID, Shared: true})
	p.servers.Ingress = []topology.Rule{Allow(6, 80, 80, "sg-clients")}
	p.apply()
	p.check(check{"no egress", seat, "tcp", "10.0.2.10:80", TimedOut})
	p.clients.Egress = []topology.Rule{Allow(6, 80, 80, "sg-servers")}
	p.apply()
	p.check(check{"egress", seat, "tcp", "10.0.2.10:80", Connected})
}

func TestSeatsOnTheInternetSideReachPublicServicesOnly(t *testing.T) {
	w := newTwoTier(t)
	Associate(w.client, "44.0.0.1")
	RouteTo(w.private, "0.0.0.0/0", topology.TargetInternetGateway, "igw-a")
	w.apply()
	w.serve(dataplane.Place{Internet: addr(s3)}, 443)
	w.servePackets(dataplane.Place{Internet: addr("169.254.169.253")}, 53)
	one, two := w.sit(dataplane.Seat{}), w.sit(dataplane.Seat{Shared: true})
	l, err := two.Listen("tcp", "0.0.0.0:80")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go Echo(l)
	twoAddress := w.sees(two, s3+":443")
	w.check(
		check{"a service", one, "tcp", s3 + ":443", Connected},
		check{"the resolver", one, "udp", "169.254.169.253:53", Connected},
		check{"a closed port of the resolver", one, "udp", "169.254.169.253:54", TimedOut},
		check{"another seat", one, "tcp", netip.AddrPortFrom(twoAddress, 80).String(), TimedOut},
		check{"a seat from a VPC", w.attach(w.client), "tcp", netip.AddrPortFrom(twoAddress, 80).String(), TimedOut},
		check{"a private address", one, "tcp", "10.0.2.10:80", TimedOut},
		check{"nobody", one, "tcp", "8.8.8.8:443", TimedOut},
	)
}

func TestAClosedSeatLeavesTheOthersAlone(t *testing.T) {
	p := newPairing(t)
	open := []resource.SecurityGroupID{p.vpc.Open()}
	p.client.GroupIDs, p.server.GroupIDs = open, open
	p.apply()
	for range 3 {
		seat, err := p.d.Attach(context.Background(), dataplane.Seat{ENI: p.client.ID, Shared: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := seat.Close(); err != nil {
			t.Fatal(err)
		}
		if err := seat.Close(); err != nil {
			t.Errorf("closing twice: %v", err)
		}
	}
	seat := p.sit(dataplane.Seat{ENI: p.client.ID, Shared: true})
	p.check(check{"the next", seat, "tcp", "10.0.2.10:80", Connected})
}
