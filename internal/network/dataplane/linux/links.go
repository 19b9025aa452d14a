package linux

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The sizes of packets: AWS's within a VPC, and across an internet gateway.
const (
	vpcMTU      = 9001
	internetMTU = 1500
)

// Segments of one stream travel together up to this many bytes. More than the usual 64 KiB makes up for the
// second hop: a routed stream is then faster than a plain one over an ordinary pair. Kernels before 6.3 do
// not know the setting and ignore it.
const segmentsTogether = 180_000

// Hardware addresses of the ends that no interface of the VPC has. That they are fixed lets every neighbour
// be permanent: no ARP is ever sent, and the neighbour table, whose limit is one for the whole machine, stays
// out of it.
var (
	routerMAC = net.HardwareAddr{0x0e, 0, 0, 0, 0, 1}
	wireMAC   = net.HardwareAddr{0x0e, 0, 0, 0, 0, 2}
)

// A pair is two ends of a link between two namespaces.
type pair struct {
	name    string // this end
	mac     net.HardwareAddr
	group   uint32
	mtu     int
	peer    *netns.NS
	peerEnd string
	peerMAC net.HardwareAddr
}

// openLinks gives access to the links and routes of a namespace from anywhere.
func openLinks(ns *netns.NS) (h *netlink.Handle, err error) {
	err = ns.Do(func() error {
		h, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open route socket in %s: %w", ns.Name(), err)
	}
	return h, nil
}

// withLinks is openLinks for one use.
func withLinks(ns *netns.NS, f func(*netlink.Handle) error) error {
	return ns.Do(func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("open route socket in %s: %w", ns.Name(), err)
		}
		defer h.Close()
		return f(h)
	})
}

// addPair makes the link, this end up, and returns this end's index. One queue is enough; the default is one
// for each possible processor, on both ends.
func addPair(h *netlink.Handle, p pair) (int, error) {
	a := netlink.NewLinkAttrs()
	a.Name, a.MTU, a.Group, a.HardwareAddr, a.TxQLen, a.Flags = p.name, p.mtu, p.group, p.mac, 0, net.FlagUp
	a.NumTxQueues, a.NumRxQueues, a.GSOIPv4MaxSize = 1, 1, segmentsTogether
	v := &netlink.Veth{LinkAttrs: a, PeerName: p.peerEnd, PeerNamespace: netlink.NsFd(p.peer.FD()),
		PeerHardwareAddr: p.peerMAC, PeerMTU: uint32(p.mtu), PeerNumTxQueues: 1, PeerNumRxQueues: 1}
	if err := h.LinkAdd(v); err != nil {
		return 0, fmt.Errorf("add link %s: %w", p.name, err)
	}
	if v.Index != 0 {
		return v.Index, nil
	}
	l, err := h.LinkByName(p.name)
	if err != nil {
		return 0, fmt.Errorf("find link %s: %w", p.name, err)
	}
	return l.Attrs().Index, nil
}

// deleteLink removes a link by name, both ends, before it returns. That it is gone already is fine.
func deleteLink(h *netlink.Handle, name string) error {
	l, err := h.LinkByName(name)
	if err == nil {
		err = h.LinkDel(l)
	}
	var notFound netlink.LinkNotFoundError
	if err != nil && !errors.As(err, &notFound) && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("delete link %s: %w", name, err)
	}
	return nil
}

// An end is how the far end of a pair is set up: addresses without a connected route, so that every packet
// goes to the gateway, which needs no address resolution.
type end struct {
	link       string
	addresses  []netip.Prefix
	loopback   []netip.Addr
	gateway    netip.Addr
	gatewayMAC net.HardwareAddr
	table      int // of what goes out from its addresses; 0: the main one
}

func (e end) setUp(h *netlink.Handle) error {
	lo, err := h.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback: %w", err)
	}
	if err := h.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set loopback up: %w", err)
	}
	for _, a := range e.loopback {
		if err := addAddress(h, lo, netip.PrefixFrom(a, 32)); err != nil {
			return err
		}
	}
	l, err := h.LinkByName(e.link)
	if err != nil {
		return fmt.Errorf("find link %s: %w", e.link, err)
	}
	if err := setUpFarEnd(h, l); err != nil {
		return err
	}
	for _, a := range e.addresses {
		if err := addAddress(h, l, a); err != nil {
			return err
		}
	}
	if err := addNeighbour(h, l.Attrs().Index, e.gateway, e.gatewayMAC); err != nil {
		return err
	}
	return setDefault(h, e.table, everything(), hop{hopVia, e.link, e.gateway}, l.Attrs().Index)
}

// setUpFarEnd does to the far end what addPair cannot.
func setUpFarEnd(h *netlink.Handle, l netlink.Link) error {
	if err := h.LinkSetGSOIPv4MaxSize(l, segmentsTogether); err != nil {
		return fmt.Errorf("set segment size of %s: %w", l.Attrs().Name, err)
	}
	if err := h.LinkSetUp(l); err != nil {
		return fmt.Errorf("set link %s up: %w", l.Attrs().Name, err)
	}
	return nil
}

func everything() netip.Prefix { return netip.PrefixFrom(netip.IPv4Unspecified(), 0) }

func addAddress(h *netlink.Handle, l netlink.Link, p netip.Prefix) error {
	flags := unix.IFA_F_NOPREFIXROUTE
	if p.Addr().Is6() {
		flags |= unix.IFA_F_NODAD
	}
	err := h.AddrAdd(l, &netlink.Addr{IPNet: ipNet(p), Flags: flags})
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add address %s to %s: %w", p, l.Attrs().Name, err)
	}
	return nil
}

func deleteAddress(h *netlink.Handle, l netlink.Link, p netip.Prefix) error {
	err := h.AddrDel(l, &netlink.Addr{IPNet: ipNet(p)})
	if err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
		return fmt.Errorf("delete address %s from %s: %w", p, l.Attrs().Name, err)
	}
	return nil
}

func addNeighbour(h *netlink.Handle, link int, a netip.Addr, mac net.HardwareAddr) error {
	err := h.NeighSet(&netlink.Neigh{LinkIndex: link, State: netlink.NUD_PERMANENT, IP: a.AsSlice(), HardwareAddr: mac})
	if err != nil {
		return fmt.Errorf("add neighbour %s: %w", a, err)
	}
	return nil
}

// setRoute adds or replaces a route.
func setRoute(h *netlink.Handle, table int, to netip.Prefix, via hop, link int) error {
	if err := h.RouteReplace(route(table, to, via, link)); err != nil {
		return fmt.Errorf("set route %s %s in table %d: %w", to, via, table, err)
	}
	return nil
}

func deleteRoute(h *netlink.Handle, table int, to netip.Prefix, via hop) error {
	r := route(table, to, via, 0)
	r.Gw, r.Flags, r.Scope = nil, 0, netlink.SCOPE_NOWHERE
	if err := h.RouteDel(r); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("delete route %s from table %d: %w", to, table, err)
	}
	return nil
}

func route(table int, to netip.Prefix, via hop, link int) *netlink.Route {
	r := &netlink.Route{Table: table, Dst: ipNet(to)}
	switch via.kind {
	case hopBlackhole:
		r.Type = unix.RTN_BLACKHOLE
	case hopThrow:
		r.Type = unix.RTN_THROW
	case hopLink:
		r.LinkIndex, r.Scope = link, netlink.SCOPE_LINK
	case hopVia:
		r.LinkIndex, r.Gw, r.Flags = link, via.gateway.AsSlice(), int(netlink.FLAG_ONLINK)
	}
	return r
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// waitUp waits until the link carries packets in both directions. The end that was opened first gets its queue
// from a kernel worker, later, and until then swallows what is sent: the first packet would be repeated only
// after a second.
func waitUp(ctx context.Context, h *netlink.Handle, link int) error {
	deadline := time.Now().Add(5 * time.Second)
	for {
		l, err := h.LinkByIndex(link)
		if err != nil {
			return fmt.Errorf("wait for link %d: %w", link, err)
		}
		if l.Attrs().OperState == netlink.OperUp {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("wait for link %s: %w", l.Attrs().Name, err)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("wait for link %s: it is still %s", l.Attrs().Name, l.Attrs().OperState)
		}
		time.Sleep(100 * time.Microsecond)
	}
}
