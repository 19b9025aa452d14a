package linux

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// seats are the namespaces that share one uplink: an interface's, or the internet. Each has a wire to the
// uplink's namespace and an address of the pool; nobody can connect to one.
type seats struct {
	parent *netns.NS
	kind   seatKind

	mu     sync.Mutex
	links  *netlink.Handle     // nil until the first seat; guarded by mu
	last   uint32              // number of the newest seat; guarded by mu
	taken  map[netip.Addr]bool // guarded by mu
	closed bool                // guarded by mu
}

// A seatKind is what differs between the two uplinks.
type seatKind struct {
	pool     netip.Prefix
	pool6    netip.Prefix // used where the uplink speaks IPv6
	rules    *ruleset     // nil: the uplink's namespace has its own
	settings []string     // of the uplink's namespace
}

// executionAddress is the address of Lambda's execution environments, on the loopback of every seat.
func executionAddress() netip.Addr { return netip.AddrFrom4([4]byte{169, 254, 100, 1}) }

// seatTable is the table that interfaces with seats have.
const seatTable = "seats"

// interfaceSeats go out from the interface's own address. An interface of Lambda's takes no connections at all.
func interfaceSeats(p eniPlan) seatKind {
	own := p.addresses[0]
	pool := netip.PrefixFrom(netip.AddrFrom4([4]byte{169, 254, 16, 0}), 20)
	r := &ruleset{}
	c := &compiler{rules: r}
	resolver := netip.PrefixFrom(linkLocalResolver, 32)
	c.chain("input", input(expr.VerdictAccept), makeRule(inputPrefix("s"), counter(), drop()))
	if p.kind == resource.InterfaceTypeLambda {
		c.chain("no_input", input(expr.VerdictAccept), makeRule(inputName("eth0"), connectionState("new", stateNew), counter(), drop()))
	}
	pool6 := netip.MustParsePrefix("2001:db8:2::/64") // nobody has these, either (RFC 3849)
	c.chain("forward6", nil, makeRule(inputPrefix("s"), sourceIn(pool6), outputName("eth0"), accept()))
	c.chain("translate6", nil, makeRule(outputName("eth0"), sourceIn(pool6), masquerade()))
	c.chain("forward", forward(0, expr.VerdictDrop),
		makeRule(connectionState("established,related", stateEstablished|stateRelated), accept()),
		makeRule(connectionState("invalid", stateInvalid), drop()),
		makeRule(isIPv6(), goTo("forward6")),
		makeRule(inputPrefix("s"), outputName("eth0"), destinationIn(resolver), accept()),
		makeRule(destinationIn(linkLocal), drop()), // no metadata of an instance that is none
		makeRule(inputPrefix("s"), outputName("eth0"), accept()))
	c.chain("translate", postrouting("nat", 100),
		makeRule(isIPv6(), goTo("translate6")),
		makeRule(outputName("eth0"), sourceIn(pool), protocol(unix.IPPROTO_TCP), translateSource(own, true)),
		makeRule(outputName("eth0"), sourceIn(pool), protocol(unix.IPPROTO_UDP), translateSource(own, true)),
		makeRule(outputName("eth0"), sourceIn(pool), translateSource(own, false)))
	return seatKind{pool: pool, pool6: pool6, rules: r, settings: []string{
		"net.ipv6.conf.all.forwarding=1", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=1"}}
}

// internetSeats have addresses of their own that public services see. No VPC and no service has such
// (RFC 6598).
func internetSeats() seatKind {
	return seatKind{pool: netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 16), pool6: internetPool6}
}

func (s *seats) init(parent *netns.NS, kind seatKind) {
	s.parent, s.kind, s.taken = parent, kind, map[netip.Addr]bool{}
}

// prepareLocked makes the uplink's namespace pass packets of seats on.
func (s *seats) prepareLocked() error {
	if s.closed {
		return fmt.Errorf("seat at %s: %w", s.parent.Name(), netns.ErrClosed)
	}
	if s.links != nil {
		return nil
	}
	if s.kind.rules != nil {
		n := newNFT(s.parent)
		defer n.close()
		if err := n.commit(difference(seatTable, nil, s.kind.rules)); err != nil {
			return err
		}
	}
	if err := s.parent.Sysctl(s.kind.settings...); err != nil {
		return err
	}
	links, err := openLinks(s.parent)
	s.links = links
	return err
}

// A seat is one namespace at an uplink.
type seat struct {
	place
	seats   *seats
	link    string // the uplink's end
	address netip.Addr
	ipv6    netip.Addr // zero: none
}

func (s *seats) attach(ctx context.Context, ipv6 bool) (*seat, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.prepareLocked(); err != nil {
		return nil, err
	}
	a, err := s.addressLocked()
	if err != nil {
		return nil, err
	}
	t := &seat{seats: s, link: fmt.Sprintf("s%d", s.last), address: a}
	if ipv6 { // of seats at an interface: if that has an address
		t.ipv6 = s.kind.ipv6Of(s.last)
	}
	ns, err := netns.New(t.link+" of "+s.parent.Name(), netns.Settings(
		"net.ipv4.ip_forward=0", "net.ipv6.conf.default.disable_ipv6=1"))
	if err != nil {
		return nil, err
	}
	t.place = place{ns}
	if err := s.connectLocked(ctx, t); err != nil {
		ns.Close()
		return nil, fmt.Errorf("seat at %s: %w", s.parent.Name(), errors.Join(err, deleteLink(s.links, t.link)))
	}
	s.taken[a] = true
	return t, nil
}

func (s *seats) connectLocked(ctx context.Context, t *seat) error {
	mac := net.HardwareAddr{0x0e, 1, 0, 0, 0, 1}
	index, err := addPair(s.links, pair{name: t.link, mac: routerMAC, mtu: vpcMTU, peer: t.ns, peerEnd: "eth0", peerMAC: mac})
	if err != nil {
		return err
	}
	far := end{link: "eth0", addresses: []netip.Prefix{netip.PrefixFrom(t.address, 32)},
		loopback: []netip.Addr{executionAddress()}, gateway: wireGateway, gatewayMAC: routerMAC}
	if err := withLinks(t.ns, far.setUp); err != nil {
		return err
	}
	if err := addNeighbour(s.links, index, t.address, mac); err != nil {
		return err
	}
	if err := setRoute(s.links, unix.RT_TABLE_MAIN, netip.PrefixFrom(t.address, 32), hop{kind: hopLink, link: t.link}, index); err != nil {
		return err
	}
	if t.ipv6.IsValid() {
		if err := s.speakLocked(t, index, mac); err != nil {
			return err
		}
	}
	return waitUp(ctx, s.links, index)
}

// speakLocked gives a seat its IPv6 address.
func (s *seats) speakLocked(t *seat, index int, mac net.HardwareAddr) error {
	if err := errors.Join(speakAt(s.parent, s.links, t.link, index, mac), speakFar(t.ns, "eth0", 0)); err != nil {
		return err
	}
	own := netip.PrefixFrom(t.ipv6, 128)
	err := withLinks(t.ns, func(h *netlink.Handle) error {
		l, err := h.LinkByName("eth0")
		if err != nil {
			return fmt.Errorf("find link eth0: %w", err)
		}
		return addAddress(h, l, own)
	})
	return errors.Join(err, addNeighbour(s.links, index, t.ipv6, mac),
		setRoute(s.links, unix.RT_TABLE_MAIN, own, hop{kind: hopLink, link: t.link}, index))
}

// internetPool6 has the IPv6 addresses of seats on the internet side (RFC 3849).
var internetPool6 = netip.MustParsePrefix("2001:db8:1::/64")

// ipv6Of is the address of a seat by number.
func (k seatKind) ipv6Of(number uint32) netip.Addr {
	a := k.pool6.Addr().As16()
	binary.BigEndian.PutUint32(a[12:], number)
	return netip.AddrFrom16(a)
}

// addressLocked takes the next free address of the pool, in turn, so that one is not used again at once.
func (s *seats) addressLocked() (netip.Addr, error) {
	size := uint32(1) << (32 - s.kind.pool.Bits())
	base := s.kind.pool.Addr().As4()
	for range size {
		s.last++
		n := s.last % size
		a := netip.AddrFrom4([4]byte{base[0], base[1], base[2] + byte(n>>8), byte(n)})
		if low := byte(n); low != 0 && low != 255 && !s.taken[a] {
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("seat at %s: all %d are taken", s.parent.Name(), size)
}

// Close lets go of the seat's namespace. The kernel removes it, and its wire, once no process is left inside.
func (t *seat) Close() error {
	t.seats.mu.Lock()
	defer t.seats.mu.Unlock()
	delete(t.seats.taken, t.address)
	return t.ns.Close()
}

// close ends the making of seats. Their wires go with the uplink's namespace.
func (s *seats) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.links != nil {
		s.links.Close()
		s.links = nil
	}
}
