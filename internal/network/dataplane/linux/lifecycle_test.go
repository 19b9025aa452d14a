package linux

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"golang.org/x/sys/unix"
)

func TestVPCsWithEqualBlocksAreStrangers(t *testing.T) {
	w := newWorld(t)
	var clients, servers [2]*topology.ENI
	for i, name := range []string{"a", "b"} {
		v := w.VPC(name, "10.0.0.0/16")
		s := v.Subnet(name, "10.0.1.0/24")
		clients[i], servers[i] = v.ENI("client-"+name, s, "10.0.1.10"), v.ENI("server-"+name, s, "10.0.1.20")
	}
	w.apply()
	w.serve(dataplane.Place{ENI: servers[0].ID}, 80)
	w.serve(dataplane.Place{ENI: servers[1].ID}, 81)
	a, b := w.attach(clients[0]), w.attach(clients[1])
	w.check(
		check{"own", a, "tcp", "10.0.1.20:80", Connected},
		check{"not the other's", a, "tcp", "10.0.1.20:81", Refused},
		check{"own", b, "tcp", "10.0.1.20:81", Connected},
		check{"not the other's", b, "tcp", "10.0.1.20:80", Refused},
	)
}

func TestASpoofedSourceIsDropped(t *testing.T) {
	p := newPairing(t)
	open := []resource.SecurityGroupID{p.vpc.Open()}
	p.client.GroupIDs, p.server.GroupIDs = open, open
	victim := p.vpc.ENI("victim", p.vpc.Subnets[0], "10.0.1.66")
	p.apply()
	c, err := p.d.ListenPacket(context.Background(), dataplane.Place{ENI: p.server.ID}, "udp", 7)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	send := func(source string) error {
		ns, err := netns.Hold("spoofer", p.clientPlace.FD())
		if err != nil {
			t.Fatal(err)
		}
		defer ns.Close()
		return ns.Do(func() error { return sendFrom(source, "10.0.2.10", 7) })
	}
	heard := func() bool {
		c.SetReadDeadline(time.Now().Add(patience))
		_, _, err := c.ReadFrom(make([]byte, 100))
		return err == nil
	}
	if err := send(p.client.Address().String()); err != nil || !heard() {
		t.Fatalf("its own address did not pass (%v)", err)
	}
	if err := send(victim.Address().String()); err != nil || heard() {
		t.Errorf("another's address passed (%v)", err)
	}
	p.client.SourceDestCheck = false
	p.apply()
	if err := send(victim.Address().String()); err != nil || !heard() {
		t.Errorf("without the check another's address did not pass (%v)", err)
	}
}

// sendFrom sends a datagram with a source address that the sender need not have.
func sendFrom(source, to string, port int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_TRANSPARENT, 1); err != nil {
		return err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: addr(source).As4()}); err != nil {
		return err
	}
	return unix.Sendto(fd, []byte("x"), 0, &unix.SockaddrInet4{Port: port, Addr: addr(to).As4()})
}

func TestARouteToAnInterfaceNeedsItsCheckOff(t *testing.T) {
	p := newPairing(t)
	open := []resource.SecurityGroupID{p.vpc.Open()}
	p.client.GroupIDs, p.server.GroupIDs = open, open
	RouteTo(p.vpc.Subnets[0], "192.168.0.0/16", topology.TargetENI, string(p.server.ID))
	p.apply()
	ns, err := netns.Hold("appliance", p.atServer.FD())
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	answerFor(t, ns, "192.168.1.1/32")
	p.check(check{"check on", p.clientPlace, "icmp", "192.168.1.1", TimedOut})
	p.server.SourceDestCheck = false
	p.apply()
	p.check(check{"check off", p.clientPlace, "icmp", "192.168.1.1", Connected})
}

func TestApplyingTheSameTwiceChangesNothing(t *testing.T) {
	p := newPairing(t)
	open := []resource.SecurityGroupID{p.vpc.Open()}
	p.client.GroupIDs, p.server.GroupIDs = open, open
	p.apply()
	flow := p.connect(p.clientPlace, "10.0.2.10:80")
	before := p.d.routers[p.vpc.ID].nft.sequence
	p.apply()
	if after := p.d.routers[p.vpc.ID].nft.sequence; after != before {
		t.Errorf("nftables got %d messages", after-before)
	}
	if !flow.alive(4 * patience) {
		t.Error("an open connection was cut")
	}
}

func TestAVPCThatCannotBeMadeIsShutUntilItCan(t *testing.T) {
	p := newPairing(t)
	open := []resource.SecurityGroupID{p.vpc.Open()}
	p.client.GroupIDs, p.server.GroupIDs = open, open
	other := p.VPC("b", "10.0.0.0/16")
	s := other.Subnet("b", "10.0.1.0/24")
	x, y := other.ENI("x", s, "10.0.1.10"), other.ENI("y", s, "10.0.1.11")
	p.apply()
	p.serve(dataplane.Place{ENI: y.ID}, 80)
	flow := p.connect(p.clientPlace, "10.0.2.10:80")

	bad := p.vpc.ENI("bad", p.vpc.Subnets[0], "10.0.1.77")
	bad.MAC = "not an address"
	err := p.d.Apply(context.Background(), p.Topology())
	if err == nil || !strings.Contains(err.Error(), "eni-bad") || !strings.Contains(err.Error(), "vpc-a") {
		t.Fatalf("the error does not name what it is about: %v", err)
	}
	p.check(
		p.to("new connections", "tcp", "80", TimedOut),
		check{"the other VPC", p.attach(x), "tcp", "10.0.1.11:80", Connected},
	)
	if flow.alive(patience) {
		t.Error("an open connection went on")
	}
	p.vpc.RemoveENI(bad)
	p.apply()
	p.check(p.to("after it was mended", "tcp", "80", Connected))
}

func TestARefusedTransactionShutsTheVPC(t *testing.T) {
	p := newPairing(t)
	p.clients.Egress = []topology.Rule{Allow(6, 80, 80, "10.0.2.0/24")}
	p.servers.Ingress = []topology.Rule{Allow(6, 80, 80, "10.0.1.0/24")}
	p.apply()
	p.check(p.to("before", "tcp", "80", Connected))
	// Something in the kernel is not as recorded: deleting it is refused.
	r := p.d.routers[p.vpc.ID]
	phantom := *r.rules
	phantom.sets = append([]*set{{name: "phantom", key: []dataType{typeAddress}}}, phantom.sets...)
	r.rules = &phantom
	err := p.d.Apply(context.Background(), p.Topology())
	if !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), "phantom") {
		t.Fatalf("got %v", err)
	}
	p.check(p.to("shut", "tcp", "80", TimedOut))
}

func TestRemovedInterfacesAndVPCsTakeTheirListenersAlong(t *testing.T) {
	p := newPairing(t)
	gone := p.serve(dataplane.Place{ENI: p.server.ID}, 8080)
	p.vpc.RemoveENI(p.server)
	p.apply()
	if _, err := gone.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want the listener closed", err)
	}
	if _, err := p.d.Listen(context.Background(), dataplane.Place{ENI: p.server.ID}, "tcp", 80); err == nil {
		t.Error("a removed interface can be listened at")
	}
	p.check(p.to("the removed interface", "tcp", "80", TimedOut))
	p.Remove(p.vpc)
	p.apply()
	if _, err := p.d.Attach(context.Background(), dataplane.Seat{ENI: p.client.ID}); err == nil {
		t.Error("an interface of a removed VPC can be attached to")
	}
}

func TestTheNextOwnerOfAnAddressInheritsNothing(t *testing.T) {
	p := newPairing(t)
	open := []resource.SecurityGroupID{p.vpc.Open()}
	p.client.GroupIDs, p.server.GroupIDs = open, open
	p.apply()
	flow := p.connect(p.clientPlace, "10.0.2.10:80")
	p.vpc.RemoveENI(p.server)
	next := p.vpc.ENI("next", p.vpc.Subnets[1], "10.0.2.10", "sg-servers") // allows nothing
	p.apply()
	p.serve(dataplane.Place{ENI: next.ID}, 80)
	// Were the flow still tracked, the new owner would answer it with a reset.
	flow.SetDeadline(time.Now().Add(patience))
	flow.Write([]byte("x"))
	if _, err := flow.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want silence", err)
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	p := newPairing(t)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := p.clientPlace.Dial(ctx, "tcp", "10.0.2.10:80"); err == nil || time.Since(start) > 2*time.Second {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
	if _, err := p.clientPlace.Dial(ctx, "tcp", "example.org:80"); err == nil || !strings.Contains(err.Error(), "literal") {
		t.Errorf("a name was dialled: %v", err)
	}
}

func TestEverythingMayBeCalledAtOnce(t *testing.T) {
	p := newPairing(t)
	var wait sync.WaitGroup
	topologies := make([]*topology.Topology, 6)
	for i := range topologies {
		p.servers.Ingress = []topology.Rule{Allow(6, i, 80, "0.0.0.0/0")}
		p.vpc.ENI(fmt.Sprint("extra-", i), p.vpc.Subnets[0], fmt.Sprintf("10.0.1.%d", 100+i))
		topologies[i] = p.Topology()
	}
	for _, topo := range topologies {
		wait.Go(func() {
			if err := p.d.Apply(context.Background(), topo); err != nil {
				t.Error(err)
			}
		})
		wait.Go(func() {
			for _, s := range []dataplane.Seat{{ENI: p.client.ID, Shared: true}, {ENI: p.client.ID}, {}} {
				a, err := p.d.Attach(context.Background(), s)
				if err != nil {
					t.Error(err)
					continue
				}
				a.Close()
			}
			l, err := p.d.Listen(context.Background(), dataplane.Place{ENI: p.client.ID}, "tcp", 0)
			if err != nil {
				t.Error(err)
				return
			}
			l.Close()
			if _, err := p.d.Stats(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

func TestProcessesSitWhereTheyWereStarted(t *testing.T) {
	p := newPairing(t)
	seat := p.sit(dataplane.Seat{ENI: p.client.ID, Shared: true})
	var out strings.Builder
	cmd := exec.Command("/bin/cat", "/proc/self/net/route")
	cmd.Stdout = &out
	if err := seat.Spawn(cmd.Start); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "eth0") {
		t.Errorf("the process does not see the seat's routes:\n%s", out.String())
	}
}

func TestRulesTooLongForOneMessageAreLoadedBehindTheGuard(t *testing.T) {
	p := newPairing(t)
	open := []resource.SecurityGroupID{p.vpc.Open()}
	p.client.GroupIDs, p.server.GroupIDs = open, open
	p.d.routers[p.vpc.ID].nft.limit = 8192 // as if the system allowed no more
	for i := range 200 {
		p.clients.Egress = append(p.clients.Egress, Allow(6, 1+i, 2+i, "10.0.0.0/8"))
	}
	p.apply()
	p.check(p.to("after the load", "tcp", "80", Connected))
	if r := p.d.routers[p.vpc.ID]; !r.open || r.rules == nil {
		t.Errorf("open is %t, rules known is %t", r.open, r.rules != nil)
	}
}

func TestAVPCThatCannotEvenBeShutIsTakenApart(t *testing.T) {
	p := newPairing(t)
	open := []resource.SecurityGroupID{p.vpc.Open()}
	p.client.GroupIDs, p.server.GroupIDs = open, open
	p.apply()
	flow := p.connect(p.clientPlace, "10.0.2.10:80")

	closed, err := netns.New("closed")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	r := p.d.routers[p.vpc.ID]
	r.nft.close()
	r.nft.ns = closed // no rule can be changed any more
	p.clients.Egress = []topology.Rule{Allow(6, 80, 80, "0.0.0.0/0")}
	if err := p.d.Apply(context.Background(), p.Topology()); !errors.Is(err, netns.ErrClosed) {
		t.Fatalf("got %v", err)
	}
	if flow.alive(patience) {
		t.Error("an open connection went on")
	}
	p.apply()
	p.serve(dataplane.Place{ENI: p.server.ID}, 80)
	p.check(check{"made anew", p.attach(p.client), "tcp", "10.0.2.10:80", Connected})
}
