package balancer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/dataplane/linux"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

func TestMain(m *testing.M) { os.Exit(launch.Tests(m.Run)) }

// rig is a VPC with a client, a target and a load balancer's interface, which lets everything in.
type rig struct {
	t        testing.TB
	driver   *linux.Driver
	balancer *Balancer
	topology *topology.Topology
	listener *topology.Listener
}

const (
	clientENI, targetENI, nodeENI = "eni-client", "eni-target", "eni-node"
	targetAddress, nodeAddress    = "10.0.1.20", "10.0.1.30"
)

func newRig(t testing.TB, idle time.Duration) *rig {
	t.Helper()
	driver, err := linux.New(linux.Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { driver.Close() })
	region := &dataplanetest.Region{}
	v := region.VPC("a", "10.0.0.0/16")
	s := v.Subnet("a", "10.0.1.0/24")
	v.ENI("client", s, "10.0.1.10")
	v.ENI("target", s, targetAddress)
	node := v.ENI("node", s, nodeAddress)
	node.Type, node.GroupIDs, node.Unfiltered = resource.InterfaceTypeLoadBalancer, nil, true
	r := &rig{t: t, driver: driver, topology: region.Topology()}
	r.listener = &topology.Listener{Port: 80, TargetGroup: "tg",
		Targets: []topology.Target{{Address: netip.MustParseAddr(targetAddress), Port: 8080, AZ: "us-west-2a"}},
		Check:   resource.HealthCheck{Interval: 50 * time.Millisecond, Timeout: 40 * time.Millisecond, Healthy: 2, Unhealthy: 2}}
	r.topology.LoadBalancers = []*topology.LoadBalancer{{ARN: "lb", Name: "lb", VPCID: v.ID,
		Nodes: []topology.Node{{AZ: "us-west-2a", ENI: nodeENI}}, Listeners: []*topology.Listener{r.listener}}}
	if err := driver.Apply(t.Context(), r.topology); err != nil {
		t.Fatal(err)
	}
	r.balancer = New(Config{Log: slog.New(slog.DiscardHandler), Network: driver, Idle: idle})
	t.Cleanup(func() { r.balancer.Close() })
	r.apply()
	return r
}

func (r *rig) apply() {
	r.t.Helper()
	if err := r.balancer.Apply(r.t.Context(), r.topology); err != nil {
		r.t.Fatal(err)
	}
}

// serve answers every connection to the target but those of the health checks, which say nothing.
func (r *rig) serve(handle func(*net.TCPConn)) net.Listener {
	r.t.Helper()
	seat := r.seat(targetENI)
	l, err := seat.Listen("tcp4", targetAddress+":8080")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c.(*net.TCPConn))
			}()
		}
	}()
	return l
}

func (r *rig) seat(eni resource.NetworkInterfaceID) dataplane.Attachment {
	r.t.Helper()
	seat, err := r.driver.Attach(r.t.Context(), dataplane.Seat{ENI: eni})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { seat.Close() })
	return seat
}

func (r *rig) dial(to string) *net.TCPConn {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Second)
	defer cancel()
	c, err := r.seat(clientENI).Dial(ctx, "tcp4", to)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

func (r *rig) until(want Health) {
	r.t.Helper()
	target := resource.Target{Address: netip.MustParseAddr(targetAddress), Port: 8080}
	for range 500 {
		if r.balancer.Health("tg", target) == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatalf("the target is %s, want %s", r.balancer.Health("tg", target), want)
}

func echo(c *net.TCPConn) { _, _ = io.Copy(c, c) }

func TestBytesAndEndsPassBothWays(t *testing.T) {
	r := newRig(t, 0)
	r.serve(func(c *net.TCPConn) { // answers once it has heard all
		said, _ := io.ReadAll(c)
		_, _ = c.Write(bytes.ToUpper(said))
	})
	r.until(Healthy)
	c := r.dial(nodeAddress + ":80")
	long := strings.Repeat("word ", 200_000)
	go func() {
		_, _ = io.WriteString(c, long)
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || string(got) != strings.ToUpper(long) {
		t.Errorf("got %d bytes, %v, want %d", len(got), err, len(long))
	}
}

func TestAResetIsPassedOn(t *testing.T) {
	r := newRig(t, 0)
	r.serve(func(c *net.TCPConn) {
		var one [1]byte
		if n, _ := c.Read(one[:]); n == 1 {
			_ = c.SetLinger(0)
		}
	})
	r.until(Healthy)
	c := r.dial(nodeAddress + ":80")
	_, _ = io.WriteString(c, "x")
	if _, err := io.ReadAll(c); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}

func TestAnIdleConnectionEndsAndABusyOneDoesNot(t *testing.T) {
	r := newRig(t, 400*time.Millisecond)
	r.serve(echo)
	r.until(Healthy)
	c := r.dial(nodeAddress + ":80")
	for range 8 { // twice as long as an idle one may last
		time.Sleep(100 * time.Millisecond)
		if _, err := io.WriteString(c, "x"); err != nil {
			t.Fatalf("while it is used: %v", err)
		}
		var one [1]byte
		if _, err := io.ReadFull(c, one[:]); err != nil {
			t.Fatalf("while it is used: %v", err)
		}
	}
	began := time.Now()
	if _, err := io.ReadAll(c); !errors.Is(err, unix.ECONNRESET) || time.Since(began) > 5*time.Second {
		t.Errorf("an idle connection: %v after %s, want a reset", err, time.Since(began))
	}
}

func TestConnectionsToATargetThatFailsEnd(t *testing.T) {
	r := newRig(t, 0)
	l := r.serve(echo)
	r.until(Healthy)
	c := r.dial(nodeAddress + ":80")
	if _, err := io.WriteString(c, "x"); err != nil {
		t.Fatal(err)
	}
	var one [1]byte
	if _, err := io.ReadFull(c, one[:]); err != nil {
		t.Fatal(err)
	}
	l.Close() // the connection that is there would go on
	if _, err := io.ReadAll(c); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
	r.until(Unhealthy)
}

func TestConnectionsToADeregisteredTargetGoOn(t *testing.T) {
	r := newRig(t, 0)
	r.serve(echo)
	r.until(Healthy)
	c := r.dial(nodeAddress + ":80")
	var one [1]byte
	for i := range 2 {
		if _, err := io.WriteString(c, "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, one[:]); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		r.listener.Targets = nil
		r.apply()
	}
	r.until(Unused)
}

func TestATargetIsToldOfItsClient(t *testing.T) {
	r := newRig(t, 0)
	r.listener.ProxyProtocol = true
	r.apply()
	r.serve(echo)
	r.until(Healthy)
	c := r.dial(nodeAddress + ":80")
	_ = c.CloseWrite()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	local := c.LocalAddr().(*net.TCPAddr)
	want := append([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x0a\x00\x01\x0a\x0a\x00\x01\x1e"), byte(local.Port>>8), byte(local.Port), 0, 80)
	if !bytes.Equal(got, want) {
		t.Errorf("header is\n%x, want\n%x", got, want)
	}
}

func TestAnEndpointIsNamedInTheHeader(t *testing.T) {
	got := proxyHeader(netip.MustParseAddrPort("10.0.0.1:2"), netip.MustParseAddrPort("10.0.0.3:4"), "vpce-08d2bf15fac5001c9")
	if !bytes.HasSuffix(got, append([]byte{0xea, 0, 23, 1}, "vpce-08d2bf15fac5001c9"...)) || got[15] != 12+3+23 {
		t.Errorf("header is %x", got)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	r := newRig(t, 0)
	r.serve(func(c *net.TCPConn) { var one [1]byte; _, _ = c.Read(one[:]) })
	r.until(Healthy)
	before := runtime.NumGoroutine()
	for range 50 {
		r.dial(nodeAddress + ":80")
	}
	for range 200 {
		if r.balancer.Connections() == 50 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if got := r.balancer.Connections(); got != 50 {
		t.Errorf("%d connections, want 50", got)
	}
	if err := r.balancer.Close(); err != nil {
		t.Fatal(err)
	}
	if got := r.balancer.Connections(); got != 0 {
		t.Errorf("%d connections are left", got)
	}
	for range 300 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func TestTooManyConnectionsAreTurnedAway(t *testing.T) {
	r := newRig(t, 0)
	r.balancer.limits.most = 2
	r.serve(echo)
	r.until(Healthy)
	var one [1]byte
	for range 2 {
		c := r.dial(nodeAddress + ":80")
		_, _ = io.WriteString(c, "x")
		if _, err := io.ReadFull(c, one[:]); err != nil {
			t.Fatal(err)
		}
	}
	c := r.dial(nodeAddress + ":80")
	if n, err := c.Read(one[:]); n != 0 || err == nil {
		t.Errorf("a third connection is carried: %d, %v", n, err)
	}
}

// BenchmarkThroughput compares a connection through a load balancer with one straight to its target.
func BenchmarkThroughput(b *testing.B) {
	for name, to := range map[string]string{"direct": targetAddress + ":8080", "balanced": nodeAddress + ":80"} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b, 0)
			r.serve(func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
			r.until(Healthy)
			c := r.dial(to)
			block := make([]byte, 1<<20)
			b.SetBytes(int64(len(block)))
			for b.Loop() {
				if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
					b.Fatal(err)
				}
				if _, err := c.Write(block); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
