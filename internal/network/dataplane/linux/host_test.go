package linux

import (
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/vishvananda/netlink"
)

// hostWorld is an instance with a first interface in one subnet, two that may be further ones, and somebody who asks.
type hostWorld struct {
	*world
	vpc                       *VPC
	front, back               *topology.Subnet
	first, second, third, ask *topology.ENI
}

const second6, ask6 = "2600:1f14:1:102::b", "2600:1f14:1:101::c"

func newHostWorld(t *testing.T) *hostWorld {
	t.Helper()
	w := &hostWorld{world: newWorld(t)}
	w.vpc = w.VPC("a", "10.0.0.0/16")
	w.vpc.SpeakIPv6("2600:1f14:1:100::/56")
	w.front = w.vpc.Subnet6("front", "10.0.1.0/24", "2600:1f14:1:101::/64")
	w.back = w.vpc.Subnet6("back", "10.0.2.0/24", "2600:1f14:1:102::/64")
	w.vpc.Group("web", []topology.Rule{Allow(6, 80, 80, "0.0.0.0/0")}, nil)
	w.vpc.Group("admin", []topology.Rule{Allow(6, 81, 81, "0.0.0.0/0"), Allow(6, 81, 81, "::/0")},
		[]topology.Rule{Allow(resource.AllProtocols, -1, -1, "0.0.0.0/0"), Allow(resource.AllProtocols, -1, -1, "::/0")})
	w.first = w.vpc.ENI("first", w.front, "10.0.1.10", "sg-web")
	w.second = w.vpc.ENI6("second", w.back, "10.0.2.11", second6, "sg-admin")
	w.third = w.vpc.ENI("third", w.back, "10.0.2.12", "sg-admin")
	w.ask = w.vpc.ENI6("ask", w.front, "10.0.1.100", ask6)
	w.hold(w.second, 1)
	return w
}

// hold makes an interface a further one of the first.
func (w *hostWorld) hold(e *topology.ENI, device int) { e.Host, e.Device = w.first.ID, device }

// answer listens at all addresses of a place, of both families.
func (w *hostWorld) answer(seat dataplane.Attachment) {
	w.t.Helper()
	for _, address := range []string{"0.0.0.0:80", "0.0.0.0:81", "[::]:81"} {
		l, err := seat.Listen("tcp", address)
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { l.Close() })
		go Echo(l)
	}
}

func TestEachInterfaceOfAnInstanceAnswersForItselfByItsOwnGroups(t *testing.T) {
	w := newHostWorld(t)
	w.apply()
	box, ask := w.attach(w.first), w.attach(w.ask)
	w.answer(box)
	open := w.serve(dataplane.Place{ENI: w.ask.ID}, 80)
	defer open.Close()
	w.check(
		check{"the first, what its group allows", ask, "tcp", "10.0.1.10:80", Connected},
		check{"the first, what the group of the second allows", ask, "tcp", "10.0.1.10:81", TimedOut},
		check{"the second, what its group allows", ask, "tcp", "10.0.2.11:81", Connected},
		check{"the second, what the group of the first allows", ask, "tcp", "10.0.2.11:80", TimedOut},
		check{"the second, IPv6", ask, "tcp", to6(second6, "81"), Connected},
		check{"out of the first, whose group lets nothing out", box, "tcp", "10.0.1.100:80", TimedOut},
		check{"out by IPv6, which the second alone has", box, "tcp", to6(ask6, "80"), Refused},
	)
	if first, second := w.attach(w.first), w.attach(w.second); !sameNamespace(t, first, second) {
		t.Error("the two interfaces are in two namespaces")
	}
}

func sameNamespace(t *testing.T, a, b dataplane.Attachment) bool {
	t.Helper()
	links := func(at dataplane.Attachment) (out []string) {
		err := withLinks(at.(place).ns, func(h *netlink.Handle) error {
			all, err := h.LinkList()
			for _, l := range all {
				out = append(out, l.Attrs().Name+l.Attrs().HardwareAddr.String())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	x, y := links(a), links(b)
	return len(x) == 3 && len(y) == 3 && x[1] == y[1] && x[2] == y[2]
}

func TestInterfacesComeToARunningInstanceAndLeaveIt(t *testing.T) {
	w := newHostWorld(t)
	w.second.Host, w.second.Device = "", 0
	w.apply()
	box, ask := w.attach(w.first), w.attach(w.ask)
	w.answer(box)
	reached := func(when string, second, third Outcome) {
		t.Helper()
		w.apply()
		w.apply() // again is fine
		w.check(
			check{when + ", the first", ask, "tcp", "10.0.1.10:80", Connected},
			check{when + ", the second", ask, "tcp", "10.0.2.11:81", second},
			check{when + ", the third", ask, "tcp", "10.0.2.12:81", third},
		)
	}
	reached("alone", Refused, Refused) // each has a namespace in which nobody listens
	w.hold(w.second, 1)
	reached("with the second", Connected, Refused)
	w.hold(w.third, 2)
	reached("with both", Connected, Connected)
	w.hold(w.second, 2)
	w.hold(w.third, 1)
	reached("with both, the other way round", Connected, Connected)
	w.second.Host, w.second.Device = "", 0
	w.hold(w.third, 2)
	reached("with the third where the second was", Refused, Connected)
	w.third.Addresses = append(w.third.Addresses, addr("10.0.2.13"))
	w.apply()
	w.check(check{"a secondary address", ask, "tcp", "10.0.2.13:81", Connected})
	w.third.Host, w.third.Device = "", 0
	reached("alone again", Refused, Refused)
	if n := furtherRules(t, box); n != 0 {
		t.Errorf("%d rules are left of interfaces that are gone", n)
	}
}

// furtherRules counts the rules that lead to tables of further interfaces.
func furtherRules(t *testing.T, at dataplane.Attachment) (n int) {
	t.Helper()
	err := withLinks(at.(place).ns, func(h *netlink.Handle) error {
		all, err := h.RuleList(netlink.FAMILY_ALL)
		for _, r := range all {
			if r.Table > furtherTable && r.Table < furtherTable+100 {
				n++
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAFurtherInterfaceOutlivesItsHost(t *testing.T) {
	w := newHostWorld(t)
	w.apply()
	ask := w.attach(w.ask)
	w.vpc.RemoveENI(w.first)
	w.second.Host, w.second.Device = "", 0
	w.apply()
	alone := w.attach(w.second)
	w.answer(alone)
	w.check(check{"the second, by itself", ask, "tcp", "10.0.2.11:81", Connected},
		check{"the second, IPv6", ask, "tcp", to6(second6, "81"), Connected},
		check{"out by the second", alone, "tcp", "10.0.1.100:80", Refused})
}
