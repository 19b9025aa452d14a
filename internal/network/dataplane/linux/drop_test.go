package linux

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// heard is what a driver told of drops.
type heard struct {
	mu    sync.Mutex
	drops []dataplane.Drop // guarded by mu
}

func (h *heard) tell(d dataplane.Drop) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drops = append(h.drops, d)
}

// of waits for a drop at a destination port.
func (h *heard) of(t *testing.T, port uint16) dataplane.Drop {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		h.mu.Lock()
		for _, d := range h.drops {
			if d.Destination.Port() == port {
				h.mu.Unlock()
				return d
			}
		}
		h.mu.Unlock()
	}
	t.Fatalf("no drop was told for port %d", port)
	return dataplane.Drop{}
}

func TestEveryDropIsToldWithWhatDecided(t *testing.T) {
	t.Parallel()
	h := &heard{}
	d, err := New(Config{Dropped: h.tell, Skipped: func(resource.VPCID) {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	w := &world{&Region{}, t, d}
	v := w.VPC("a", "10.0.0.0/16")
	one, two := v.Subnet("one", "10.0.1.0/24"), v.Subnet("two", "10.0.2.0/24")
	clients := v.Group("clients", nil, []topology.Rule{Allow(6, 1000, 2000, "0.0.0.0/0")})
	v.Group("servers", []topology.Rule{Allow(6, 1000, 1900, "0.0.0.0/0")}, nil)
	client := v.ENI("client", one, "10.0.1.10", "sg-clients")
	v.ENI("server", two, "10.0.2.10", "sg-servers")
	out := v.ACL("out", []topology.Entry{Entry(100, true, 6, 1, 65535, "0.0.0.0/0")},
		[]topology.Entry{Entry(90, false, 6, 1001, 1001, "0.0.0.0/0"), Entry(100, true, 6, 1002, 65535, "0.0.0.0/0")})
	v.Subnets[0].NetworkACLID = out.ID
	in := v.ACL("in", []topology.Entry{Entry(50, false, 6, 1002, 1002, "0.0.0.0/0"), Entry(60, true, 6, 1003, 65535, "0.0.0.0/0")}, nil)
	v.Subnets[1].NetworkACLID = in.ID
	w.apply()
	_ = clients
	place := w.attach(client)
	for _, row := range []struct {
		port  string
		stage dataplane.Stage
		out   bool
		eni   string
		acl   string
		entry string
	}{
		{"900", dataplane.StageGroups, true, "client", "", ""},
		{"1000", dataplane.StageACL, true, "client", string(out.ID), "*"},
		{"1001", dataplane.StageACL, true, "client", string(out.ID), "90"},
		{"1002", dataplane.StageACL, false, "server", string(in.ID), "50"},
		{"1950", dataplane.StageGroups, false, "server", "", ""},
	} {
		Probe(place, "10.0.2.10:"+row.port, "tcp", patience)
		var port uint16
		for _, c := range row.port {
			port = port*10 + uint16(c-'0')
		}
		got := h.of(t, port)
		if got.Stage != row.stage || got.Egress != row.out || string(got.ENI) != "eni-"+row.eni || string(got.ACL) != row.acl || got.Entry != row.entry {
			t.Errorf("port %s: told %+v, want %+v", row.port, got, row)
		}
		if got.Protocol != 6 || got.Source.Addr() != addr("10.0.1.10") || got.Destination.Addr() != addr("10.0.2.10") || got.Bytes < 40 {
			t.Errorf("port %s: the packet was read as %+v", row.port, got)
		}
	}
}

// Without a way a packet is dropped after the groups and the ACL had their say, as on AWS.
func TestAPacketWithoutAWayIsTold(t *testing.T) {
	t.Parallel()
	h := &heard{}
	d, err := New(Config{Dropped: h.tell, Skipped: func(resource.VPCID) {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	w := &world{&Region{}, t, d}
	v := w.VPC("a", "10.0.0.0/16")
	one := v.Subnet("one", "10.0.1.0/24")
	one.Routes = append(one.Routes, topology.Route{Destination: prefix("192.168.0.0/16"), Kind: topology.TargetNATGateway, TargetID: "nat-gone", Blackhole: true})
	v.Group("clients", nil, []topology.Rule{Allow(6, 1000, 2000, "0.0.0.0/0")})
	client := v.ENI("client", one, "10.0.1.10", "sg-clients")
	w.apply()
	place := w.attach(client)
	for to, want := range map[string]dataplane.Stage{
		"52.1.2.3:1000": dataplane.StageRoute, "192.168.1.1:1001": dataplane.StageRoute, "10.0.9.9:1002": dataplane.StageRoute,
		"10.0.1.99:1003": dataplane.StageRoute, "52.1.2.3:443": dataplane.StageGroups,
	} {
		if got := Probe(place, to, "tcp", patience); got != TimedOut {
			t.Errorf("%s: got %q", to, got)
		}
		if got := h.of(t, netip.MustParseAddrPort(to).Port()); got.Stage != want || got.ENI != client.ID {
			t.Errorf("%s: told %+v, want %s", to, got, want)
		}
	}
}
