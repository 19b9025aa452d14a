package linux

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/vishvananda/netlink"
)

func benchDriver(b *testing.B) *Driver {
	d, err := New(Config{Flows: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { d.Close() })
	return d
}

func mustApply(b *testing.B, d *Driver, t *topology.Topology) {
	b.Helper()
	if err := d.Apply(context.Background(), t); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCreateInterface applies one more interface each time.
func BenchmarkCreateInterface(b *testing.B) {
	d := benchDriver(b)
	r := &Region{}
	v := r.VPC("a", "10.0.0.0/16")
	s := v.Subnet("a", "10.0.0.0/16")
	mustApply(b, d, r.Topology())
	for i := 0; b.Loop(); i++ {
		v.ENI(fmt.Sprint(i), s, fmt.Sprintf("10.0.%d.%d", 1+i/250, 1+i%250))
		mustApply(b, d, r.Topology())
	}
}

// BenchmarkRemoveInterface removes one of many each time.
func BenchmarkRemoveInterface(b *testing.B) {
	d := benchDriver(b)
	r := &Region{}
	v := r.VPC("a", "10.0.0.0/16")
	s := v.Subnet("a", "10.0.0.0/16")
	for i := range 200 {
		v.ENI(fmt.Sprint(i), s, fmt.Sprintf("10.0.%d.%d", 1+i/250, 1+i%250))
	}
	mustApply(b, d, r.Topology())
	n := 0
	start := time.Now()
	for b.Loop() {
		if len(v.ENIs) > 0 {
			v.RemoveENI(v.ENIs[0])
			mustApply(b, d, r.Topology())
			n++
		}
		if n == 200 {
			break
		}
	}
	b.ReportMetric(float64(time.Since(start).Microseconds())/float64(n), "us/removal")
}

// BenchmarkChangeRule changes one rule of a group that 200 interfaces carry.
func BenchmarkChangeRule(b *testing.B) {
	d := benchDriver(b)
	r := &Region{}
	v := r.VPC("a", "10.0.0.0/16")
	s := v.Subnet("a", "10.0.0.0/16")
	g := v.Group("g", nil, nil)
	for i := range 200 {
		v.ENI(fmt.Sprint(i), s, fmt.Sprintf("10.0.%d.%d", 1+i/250, 1+i%250), g.ID)
	}
	mustApply(b, d, r.Topology())
	for i := 0; b.Loop(); i++ {
		g.Ingress = []topology.Rule{Allow(6, 1, 1+i%60000, "10.0.0.0/8")}
		mustApply(b, d, r.Topology())
	}
}

// BenchmarkShareSeat attaches and closes one shared seat each time.
func BenchmarkShareSeat(b *testing.B) {
	d := benchDriver(b)
	r := &Region{}
	v := r.VPC("a", "10.0.0.0/16")
	e := v.ENI("a", v.Subnet("a", "10.0.1.0/24"), "10.0.1.10")
	mustApply(b, d, r.Topology())
	for b.Loop() {
		a, err := d.Attach(context.Background(), dataplane.Seat{ENI: e.ID, Shared: true})
		if err != nil {
			b.Fatal(err)
		}
		if err := a.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// A path is a client and a server with a way between them.
type path struct {
	client, server *netns.NS
	address        string // of the server
}

// plainPath is one pair of links and nothing else: what the kernel costs anyway.
func plainPath(b *testing.B) path {
	client, err := netns.New("plain client")
	if err != nil {
		b.Fatal(err)
	}
	server, err := netns.New("plain server")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close(); server.Close() })
	err = withLinks(client, func(h *netlink.Handle) error {
		index, err := addPair(h, pair{name: "eth0", mac: routerMAC, mtu: vpcMTU, peer: server, peerEnd: "eth0", peerMAC: wireMAC})
		if err != nil {
			return err
		}
		l, err := h.LinkByIndex(index)
		if err != nil {
			return err
		}
		return h.AddrAdd(l, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix("10.0.0.1/24"))})
	})
	if err != nil {
		b.Fatal(err)
	}
	err = withLinks(server, func(h *netlink.Handle) error {
		l, err := h.LinkByName("eth0")
		if err != nil {
			return err
		}
		if err := h.LinkSetUp(l); err != nil {
			return err
		}
		if err := h.AddrAdd(l, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix("10.0.0.2/24"))}); err != nil {
			return err
		}
		return waitUp(context.Background(), h, l.Attrs().Index)
	})
	if err != nil {
		b.Fatal(err)
	}
	return path{client, server, "10.0.0.2"}
}

// routedPath crosses a router with sixty rules in each group, between two subnets.
func routedPath(b *testing.B) path { return routedBy(b, benchDriver(b)) }

func routedBy(b *testing.B, d *Driver) path {
	r := &Region{}
	v := r.VPC("a", "10.0.0.0/16")
	var rules []topology.Rule
	for i := range 60 {
		rules = append(rules, Allow(6, 100+i, 100+i, "10.0.0.0/8"))
	}
	rules = append(rules, Allow(resource.AllProtocols, -1, -1, "10.0.0.0/8"))
	g := v.Group("g", rules, rules)
	v.ENI("client", v.Subnet("one", "10.0.1.0/24"), "10.0.1.10", g.ID)
	v.ENI("server", v.Subnet("two", "10.0.2.0/24"), "10.0.2.10", g.ID)
	mustApply(b, d, r.Topology())
	return path{d.routers[v.ID].enis["eni-client"].ns, d.routers[v.ID].enis["eni-server"].ns, "10.0.2.10"}
}

// connects measures n connections, one after the other.
func (p path) connects(b *testing.B, n int) time.Duration {
	l, err := p.server.Listen("tcp4", p.address+":0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	var total time.Duration
	err = p.client.Do(func() error {
		for range n {
			start := time.Now()
			c, err := net.DialTimeout("tcp4", l.Addr().String(), time.Second)
			if err != nil {
				return err
			}
			total += time.Since(start)
			c.(*net.TCPConn).SetLinger(0) // no port is left waiting
			c.Close()
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return total
}

// transfer measures how long one stream needs for n bytes.
func (p path) transfer(b *testing.B, n int64) time.Duration {
	l, err := p.server.Listen("tcp4", p.address+":0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	done := make(chan int64, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			done <- 0
			return
		}
		defer c.Close()
		got, _ := io.CopyBuffer(struct{ io.Writer }{io.Discard}, c, make([]byte, 1<<18))
		done <- got
	}()
	c, err := p.client.Dial(context.Background(), "tcp4", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	buf := make([]byte, 1<<18)
	for sent := int64(0); sent < n; sent += int64(len(buf)) {
		if _, err := c.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	c.Close()
	<-done
	return time.Since(start)
}

// BenchmarkConnect compares a routed connection with one over a plain pair of links. The two take turns, so
// that a busy machine disturbs both alike.
func BenchmarkConnect(b *testing.B) {
	plain, routed := plainPath(b), routedPath(b)
	var p, r time.Duration
	n := 0
	for b.Loop() {
		p += plain.connects(b, 100)
		r += routed.connects(b, 100)
		n += 100
	}
	b.ReportMetric(float64(p.Microseconds())/float64(n), "us/plain")
	b.ReportMetric(float64(r.Microseconds())/float64(n), "us/routed")
	b.ReportMetric(float64(r)/float64(p), "ratio")
}

// BenchmarkThroughput compares one stream over both.
func BenchmarkThroughput(b *testing.B) {
	plain, routed := plainPath(b), routedPath(b)
	const size = 256 << 20
	var p, r time.Duration
	n := 0
	for b.Loop() {
		p += plain.transfer(b, size)
		r += routed.transfer(b, size)
		n++
	}
	b.ReportMetric(8*size*float64(n)/p.Seconds()/1e9, "Gbit/s-plain")
	b.ReportMetric(8*size*float64(n)/r.Seconds()/1e9, "Gbit/s-routed")
	b.ReportMetric(p.Seconds()/r.Seconds(), "ratio")
}

// BenchmarkFlows asks what passed in a hundred quiet VPCs, as is done each second.
func BenchmarkFlows(b *testing.B) {
	d := benchDriver(b)
	r := &Region{}
	for i := range 100 {
		v := r.VPC(fmt.Sprint(i), "10.0.0.0/16")
		v.ENI(fmt.Sprint(i), v.Subnet(fmt.Sprint(i), "10.0.0.0/16"), "10.0.1.1")
	}
	mustApply(b, d, r.Topology())
	for b.Loop() {
		if _, _, err := d.Flows(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCountingThroughput compares a stream that is counted with one that is not. The two take turns, and the
// fastest of each counts: a busy machine makes streams slower, never faster.
func BenchmarkCountingThroughput(b *testing.B) {
	silent, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { silent.Close() })
	counted, uncounted := routedPath(b), routedBy(b, silent)
	const size = 256 << 20
	with, without := time.Hour, time.Hour
	for b.Loop() {
		with, without = min(with, counted.transfer(b, size)), min(without, uncounted.transfer(b, size))
	}
	b.ReportMetric(8*size/with.Seconds()/1e9, "Gbit/s-counted")
	b.ReportMetric(8*size/without.Seconds()/1e9, "Gbit/s-uncounted")
	b.ReportMetric(without.Seconds()/with.Seconds(), "ratio")
}
