package linux

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
)

// patience is how long a packet that should vanish is waited for.
const patience = 250 * time.Millisecond

// A world is a driver with a region that tests change and apply.
type world struct {
	*dataplanetest.Region
	t *testing.T
	d *Driver
}

// newWorld is makeWorld for tests that mind nobody.
func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	return makeWorld(t)
}

func makeWorld(t *testing.T) *world {
	t.Helper()
	d, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{&dataplanetest.Region{}, t, d}
}

func (w *world) apply() {
	w.t.Helper()
	if err := w.d.Apply(context.Background(), w.Topology()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) attach(e *topology.ENI) dataplane.Attachment {
	w.t.Helper()
	return w.sit(dataplane.Seat{ENI: e.ID})
}

func (w *world) sit(s dataplane.Seat) dataplane.Attachment {
	w.t.Helper()
	a, err := w.d.Attach(context.Background(), s)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { a.Close() })
	return a
}

// serve answers TCP at the place.
func (w *world) serve(at dataplane.Place, port uint16) net.Listener {
	w.t.Helper()
	l, err := w.d.Listen(context.Background(), at, "tcp", port)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { l.Close() })
	go dataplanetest.Echo(l)
	return l
}

// servePackets answers UDP at the place.
func (w *world) servePackets(at dataplane.Place, port uint16) {
	w.t.Helper()
	c, err := w.d.ListenPacket(context.Background(), at, "udp", port)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	go dataplanetest.EchoPackets(c)
}

// A check is a probe and what it must come to.
type check struct {
	name    string
	from    dataplane.Attachment
	network string
	to      string
	want    dataplanetest.Outcome
}

// check makes all probes at once. One that timed out although it should not have gets a second, longer chance:
// the machine may be busy.
func (w *world) check(checks ...check) {
	w.t.Helper()
	var wait sync.WaitGroup
	got := make([]dataplanetest.Outcome, len(checks))
	for i, c := range checks {
		wait.Add(1)
		go func() {
			defer wait.Done()
			got[i] = dataplanetest.Probe(c.from, c.to, c.network, patience)
			if got[i] == dataplanetest.TimedOut && c.want != got[i] {
				got[i] = dataplanetest.Probe(c.from, c.to, c.network, 8*patience)
			}
		}()
	}
	wait.Wait()
	for i, c := range checks {
		if got[i] != c.want {
			w.t.Errorf("%s: %s to %s: got %q, want %q", c.name, c.network, c.to, got[i], c.want)
		}
	}
}

// sees connects and returns the address that the server says it sees.
func (w *world) sees(from dataplane.Attachment, to string) netip.Addr {
	w.t.Helper()
	c := w.connect(from, to)
	defer c.Close()
	return c.peer
}

// A stream is an open connection to an echo server.
type stream struct {
	net.Conn
	peer netip.Addr // as the server sees this end
}

func (w *world) connect(from dataplane.Attachment, to string) *stream {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	c, err := from.Dial(ctx, "tcp", to)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(3 * time.Second))
	line := make([]byte, 0, 64)
	for b := make([]byte, 1); ; {
		if _, err := c.Read(b); err != nil {
			w.t.Fatal(err)
		}
		if b[0] == '\n' {
			break
		}
		line = append(line, b[0])
	}
	peer, err := netip.ParseAddrPort(string(line))
	if err != nil {
		w.t.Fatal(err)
	}
	return &stream{c, peer.Addr()}
}

// alive sends one byte and wants it back.
func (s *stream) alive(timeout time.Duration) bool {
	s.SetDeadline(time.Now().Add(timeout))
	b := []byte{'x'}
	if _, err := s.Write(b); err != nil {
		return false
	}
	_, err := s.Read(b)
	return err == nil
}

// resumes reads the answer to what alive sent and what was lost on the way.
func (s *stream) resumes() bool {
	_, err := s.Read(make([]byte, 1))
	return err == nil
}

func farFuture() time.Time { return time.Now().Add(10 * time.Second) }

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }
