package linux

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// answerFor puts an address on the loopback of a namespace.
func answerFor(t *testing.T, ns *netns.NS, block string) {
	t.Helper()
	err := withLinks(ns, func(h *netlink.Handle) error {
		lo, err := h.LinkByName("lo")
		if err != nil {
			return err
		}
		a, err := netlink.ParseAddr(block)
		if err != nil {
			return err
		}
		return h.AddrAdd(lo, a)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// hostNetwork is what must not change: links, addresses and routes of the namespace that this process is in.
func hostNetwork(t *testing.T) (links, addresses, routes, rules int) {
	t.Helper()
	l, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	a, err := netlink.AddrList(nil, unix.AF_UNSPEC)
	if err != nil {
		t.Fatal(err)
	}
	r, err := netlink.RouteListFiltered(unix.AF_INET, &netlink.Route{}, netlink.RT_FILTER_TABLE)
	if err != nil {
		t.Fatal(err)
	}
	u, err := netlink.RuleList(unix.AF_UNSPEC)
	if err != nil {
		t.Fatal(err)
	}
	return len(l), len(a), len(r), len(u)
}

// openFiles lists what this process has open that a data plane may have opened: namespaces and sockets.
func openFiles(t *testing.T) []string {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range all {
		to, err := os.Readlink("/proc/self/fd/" + f.Name())
		if err == nil && (strings.HasPrefix(to, "net:") || strings.HasPrefix(to, "socket:")) {
			out = append(out, to)
		}
	}
	return out
}

func TestTheHostIsNeverTouchedAndNothingIsLeft(t *testing.T) {
	l, a, r, u := hostNetwork(t)
	files := openFiles(t)
	t.Run("use everything", func(t *testing.T) {
		w := makeWorld(t)
		useEverything(w)
		if l2, a2, r2, u2 := hostNetwork(t); l2 != l || a2 != a || r2 != r || u2 != u {
			t.Errorf("the host's network changed while it was used: links %d to %d, addresses %d to %d, routes %d to %d, rules %d to %d", l, l2, a, a2, r, r2, u, u2)
		}
	})
	if l2, a2, r2, u2 := hostNetwork(t); l2 != l || a2 != a || r2 != r || u2 != u {
		t.Errorf("the host's network changed: links %d to %d, addresses %d to %d, routes %d to %d, rules %d to %d", l, l2, a, a2, r, r2, u, u2)
	}
	// Servers notice the end of their last connection a moment later.
	var now []string
	for range 100 {
		if now = openFiles(t); len(now) <= len(files) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%v are open, %v were before", now, files)
}

// useEverything makes one of each kind and sends something through it.
func useEverything(w *world) {
	w.Service("s3", "s3.us-west-2.amazonaws.com", s3)
	v := w.VPC("a", "10.0.0.0/16")
	v.Attach("a")
	public, private := v.Subnet("public", "10.0.1.0/24"), v.Subnet("private", "10.0.2.0/24")
	RouteTo(public, "0.0.0.0/0", topology.TargetInternetGateway, "igw-a")
	v.NATGateway("a", public, "10.0.1.5", "44.0.0.5")
	RouteTo(private, "0.0.0.0/0", topology.TargetNATGateway, "nat-a")
	e := v.GatewayEndpoint("s3", v.PrefixList("s3", "3.5.80.0/21"), private)
	client := v.ENI("client", private, "10.0.2.10")
	w.apply()
	w.serve(dataplane.Place{Internet: addr(s3)}, 443)
	w.serve(dataplane.Place{GatewayEndpoint: e.ID}, 443)
	w.servePackets(dataplane.Place{VPC: v.ID, Resolver: addr("10.0.0.2")}, 53)
	w.check(
		check{"interface", w.attach(client), "udp", "10.0.0.2:53", Connected},
		check{"seat", w.sit(dataplane.Seat{ENI: client.ID, Shared: true}), "tcp", s3 + ":443", Connected},
		check{"endpoint", w.attach(client), "tcp", "3.5.80.1:443", Connected},
		check{"internet seat", w.sit(dataplane.Seat{}), "tcp", s3 + ":443", Connected},
	)
}

func TestNothingEverAsksForAHardwareAddress(t *testing.T) {
	w := newWorld(t)
	useEverything(w)
	client := w.d.routers["vpc-a"].enis["eni-client"]
	w.check(check{"unused address", w.sit(dataplane.Seat{ENI: client.plan.id}), "tcp", "10.0.2.200:80", TimedOut})
	spaces := []*netns.NS{w.d.routers["vpc-a"].ns, w.d.internet.ns, client.ns, w.d.routers["vpc-a"].endpoints["vpce-s3"].ns}
	for _, ns := range spaces {
		err := withLinks(ns, func(h *netlink.Handle) error {
			all, err := h.NeighList(0, unix.AF_INET)
			for _, n := range all {
				if n.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) == 0 {
					t.Errorf("%s learned %v", ns.Name(), n)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
