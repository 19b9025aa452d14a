package agree

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/network/balancer"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/dataplane/linux"
	"github.com/culvert-cloud/culvert/internal/network/dns"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// onTheInternet is the seat of somebody outside every VPC.
const onTheInternet = "internet"

// A world is a topology made real: seats to send from, and somebody who answers wherever somebody can.
type world struct {
	t        *testing.T
	driver   *linux.Driver
	topology *topology.Topology
	seats    map[string]*netns.NS // by interface id, or onTheInternet
	outside  netip.Addr           // address of the seat on the internet
	outside6 netip.Addr           // and its other one
	balancer *balancer.Balancer   // nil: there is nothing to balance
	open     []io.Closer
}

// enter applies the topology and fills the world with listeners. Close it before the next.
func enter(t *testing.T, d *linux.Driver, top *topology.Topology) *world {
	t.Helper()
	if err := d.Apply(context.Background(), top); err != nil {
		t.Fatalf("apply: %v", err)
	}
	w := &world{t: t, driver: d, topology: top, seats: map[string]*netns.NS{}}
	w.outsideSeat()
	for _, v := range top.VPCs {
		for _, e := range v.ENIs {
			if e.Type != resource.InterfaceTypeNATGateway && !w.relayed(v, e.ID) {
				w.sit(e)
			}
		}
		for _, e := range v.Endpoints {
			if e.Type == resource.EndpointTypeGateway {
				w.serve(dataplane.Place{GatewayEndpoint: e.ID}, string(e.ID))
			}
		}
		w.resolve(v)
	}
	for _, s := range top.Services {
		served := map[netip.Addr]bool{}
		for _, n := range s.Names {
			for _, a := range n.Addresses {
				if !served[a] {
					served[a] = true
					w.serve(dataplane.Place{Internet: a}, s.Service)
				}
			}
		}
	}
	w.balance()
	return w
}

// resolve answers for a VPC as the region does.
func (w *world) resolve(v *topology.VPC) {
	w.t.Helper()
	c, err := w.driver.ListenPacket(context.Background(), dataplane.Place{VPC: v.ID, Resolver: v.Resolver}, "udp", portDNS)
	w.must(err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- dns.Serve(ctx, dns.Config{VPC: v.ID, Topology: func() *topology.Topology { return w.topology }, Packet: c})
	}()
	w.open = append(w.open, closing(func() error {
		stop()
		return <-ended
	}))
}

// closing is something that ends by a call.
type closing func() error

func (c closing) Close() error { return c() }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) close() {
	for _, c := range w.open {
		c.Close()
	}
}

// hold takes a seat.
func (w *world) hold(name string, at dataplane.Seat) *netns.NS {
	w.t.Helper()
	a, err := w.driver.Attach(context.Background(), at)
	w.must(err)
	ns, err := netns.Hold(name, a.FD())
	w.must(err)
	w.seats[name] = ns
	w.open = append(w.open, a, ns)
	return ns
}

func (w *world) outsideSeat() {
	w.t.Helper()
	ns := w.hold(onTheInternet, dataplane.Seat{IPv6: true})
	own := func(to string) (a netip.Addr) {
		c, err := ns.Dial(context.Background(), "udp", to) // nothing is sent
		w.must(err)
		defer c.Close()
		return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	}
	w.outside, w.outside6 = own("34.210.0.1:1"), own("[2600:1f14::1]:1")
}

// sit fills an interface's namespace: it listens, and its system forwards, should the router let it.
func (w *world) sit(e *topology.ENI) {
	w.t.Helper()
	ns := w.hold(string(e.ID), dataplane.Seat{ENI: e.ID})
	w.must(ns.Sysctl("net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.eth0.send_redirects=0",
		"net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth0.rp_filter=0", "net.ipv6.conf.all.forwarding=1"))
	ports := []int{portHTTPS, portOther}
	if e.Type == resource.InterfaceTypeVPCEndpoint {
		ports = ports[:1] // no AWS service listens on the other
	}
	for _, port := range ports {
		l, err := ns.Listen("tcp4", fmt.Sprintf("0.0.0.0:%d", port))
		w.must(err)
		w.answer(l, string(e.ID))
		if len(e.IPv6) > 0 {
			l, err := ns.Listen("tcp6", fmt.Sprintf("[::]:%d", port))
			w.must(err)
			w.answer(l, string(e.ID))
		}
	}
	for _, a := range e.IPv6 {
		c, err := ns.ListenPacket("udp6", fmt.Sprintf("[%s]:%d", a, portUDP))
		w.must(err)
		w.answerPackets(c, string(e.ID))
	}
	for _, a := range e.Addresses { // one for each, so that answers come from the address that was asked
		c, err := ns.ListenPacket("udp4", fmt.Sprintf("%s:%d", a, portUDP))
		w.must(err)
		w.answerPackets(c, string(e.ID))
	}
}

func (w *world) serve(at dataplane.Place, who string) {
	w.t.Helper()
	l, err := w.driver.Listen(context.Background(), at, "tcp", portHTTPS)
	w.must(err)
	w.answer(l, who)
}

// answer tells every caller who answers, and which source it sees.
func (w *world) answer(l net.Listener, who string) {
	w.open = append(w.open, l)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintf(c, "%s %s\n", who, c.RemoteAddr())
			c.Close()
		}
	}()
}

func (w *world) answerPackets(c net.PacketConn, who string) {
	w.open = append(w.open, c)
	go func() {
		buf := make([]byte, 64)
		for {
			_, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(fmt.Appendf(nil, "%s %s\n", who, from), from)
		}
	}()
}
