package linux

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// How IPv6 is spoken. A link has it switched off until somebody at it has an address; then nothing configures itself:
// no address is made up, none is tried out on the neighbours, and no router is believed.
//
//	ENI: <address>/128, default via fe80::1        router's end: fe80::1, <address> is right behind the link
//	wire, peer: no address                         next hop fe80::2, whom a permanent neighbour gives its MAC
//
// One address for each interface, and no block on a link, means that nothing ever asks for a neighbour.
const (
	egressOnlyLink = "eigw0"
	// The loopback refuses with an answer what IPv6 routes lead to it, so there is a link that ends nowhere.
	nowhereLink6 = "nowhere0"
	nowhereEnd6  = "nowhere1"
)

var (
	routerAddress6 = netip.MustParseAddr("fe80::1") // at the router's end of every interface
	farEnd6        = netip.MustParseAddr("fe80::2") // next hop on every link of a router; nobody has it
)

func everything6() netip.Prefix { return netip.PrefixFrom(netip.IPv6Unspecified(), 0) }

// nowhereFor is nowhere for a family.
func nowhereFor(ipv6 bool) hop {
	if ipv6 {
		return hop{kind: hopLink, link: nowhereLink6}
	}
	return nowhere()
}

// wireHop leads out of a wire.
func wireHop(link string, ipv6 bool) hop {
	if ipv6 {
		return hop{hopVia, link, farEnd6}
	}
	return hop{hopVia, link, wireGateway}
}

// speak lets a link have IPv6, or not. It runs in the link's namespace.
func speak(link string, on bool) func() error {
	if !on {
		return netns.Settings("net.ipv6.conf." + link + ".disable_ipv6=1")
	}
	conf := "net.ipv6.conf." + link
	return netns.Settings(conf+".addr_gen_mode=1", conf+".accept_ra=0", conf+".accept_dad=0", conf+".disable_ipv6=0")
}

// speakAt is speak for this end of a link whose other end has the hardware address.
func speakAt(ns *netns.NS, links *netlink.Handle, link string, index int, far net.HardwareAddr) error {
	if err := ns.Do(speak(link, true)); err != nil {
		return fmt.Errorf("let %s speak IPv6: %w", link, err)
	}
	return addNeighbour(links, index, farEnd6, far)
}

// speakFar sets up the far end of an interface's or a seat's link.
func speakFar(ns *netns.NS, link string, table int) error {
	return ns.Do(func() error {
		if err := speak(link, true)(); err != nil {
			return err
		}
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("open route socket in %s: %w", ns.Name(), err)
		}
		defer h.Close()
		l, err := h.LinkByName(link)
		if err != nil {
			return fmt.Errorf("find link %s: %w", link, err)
		}
		if err := addNeighbour(h, l.Attrs().Index, routerAddress6, routerMAC); err != nil {
			return err
		}
		return setDefault(h, table, everything6(), hop{hopVia, link, routerAddress6}, l.Attrs().Index)
	})
}

// setIPv6 changes the IPv6 addresses of an interface. With the first it begins to speak, with the last it ends.
func (r *router) setIPv6(e *eni, want []netip.Addr) error {
	if slices.Equal(e.ipv6, want) {
		return nil
	}
	mac, err := net.ParseMAC(e.plan.mac)
	if err != nil {
		return fmt.Errorf("read hardware address: %w", err)
	}
	if len(want) == 0 {
		err = errors.Join(r.ns.Do(speak(e.plan.name, false)), e.ns.Do(speak(e.plan.far(), false)), e.steer(nil, e.ipv6))
		r.forgetRoutes(e.plan.name) // they went with it; those of IPv4 are set again
		e.ipv6 = nil
		e.six.Store(false)
		return err
	}
	if len(e.ipv6) == 0 {
		err := errors.Join(speakAt(r.ns, r.links, e.plan.name, e.index, mac), speakFar(e.ns, e.plan.far(), e.plan.table()))
		if err == nil {
			err = r.addRouterAddress(e.plan.name)
		}
		if err != nil {
			return fmt.Errorf("let %s speak IPv6: %w", e.plan.id, err)
		}
	}
	for _, a := range want {
		if err := addNeighbour(r.links, e.index, a, mac); err != nil {
			return err
		}
	}
	err = withLinks(e.ns, func(h *netlink.Handle) error { return e.moveIPv6(h, want) })
	if err == nil {
		err = e.steer(want, e.ipv6)
	}
	if err != nil {
		return fmt.Errorf("set IPv6 addresses of %s: %w", e.plan.id, err)
	}
	e.ipv6 = want
	e.six.Store(true)
	return nil
}

// speaksIPv6 reports whether the interface has an IPv6 address. It may be asked at any time.
func (e *eni) speaksIPv6() bool { return e.six.Load() }

func (r *router) addRouterAddress(link string) error {
	l, err := r.links.LinkByName(link)
	if err != nil {
		return fmt.Errorf("find link %s: %w", link, err)
	}
	return addAddress(r.links, l, netip.PrefixFrom(routerAddress6, 64))
}

func (e *eni) moveIPv6(h *netlink.Handle, want []netip.Addr) error {
	l, err := h.LinkByName(e.plan.far())
	if err != nil {
		return fmt.Errorf("find link %s: %w", e.plan.far(), err)
	}
	for _, a := range e.ipv6 {
		if slices.Contains(want, a) {
			continue
		}
		if err := deleteAddress(h, l, netip.PrefixFrom(a, 128)); err != nil {
			return err
		}
	}
	for _, a := range slices.Backward(want) { // the kernel prefers the one that was added last
		if err := addAddress(h, l, netip.PrefixFrom(a, 128)); err != nil {
			return err
		}
	}
	return nil
}

// speakWires lets the links to gateways and peers speak IPv6, once the VPC does, and makes the way to nowhere.
func (r *router) speakWires(p *plan, internet *internet) error {
	if !p.ipv6 {
		return nil
	}
	if err := r.needNowhere6(); err != nil {
		return err
	}
	for link, w := range map[string]*wire{igwLink: r.wire, egressOnlyLink: r.egressOnly} {
		if w == nil || w.ipv6 {
			continue
		}
		if err := errors.Join(speakAt(r.ns, r.links, link, w.index, wireMAC), internet.speak(w.far)); err != nil {
			return err
		}
		w.ipv6 = true
	}
	for _, w := range r.peerings {
		if w.ipv6 {
			continue
		}
		if err := speakAt(r.ns, r.links, w.name, w.index, w.farMAC); err != nil {
			return err
		}
		w.ipv6 = true
	}
	return nil
}

func (r *router) needNowhere6() error {
	if r.nowhere6 != 0 {
		return nil
	}
	if err := deleteLink(r.links, nowhereLink6); err != nil {
		return err
	}
	index, err := addPair(r.links, pair{name: nowhereLink6, mac: routerMAC, mtu: vpcMTU, peer: r.ns, peerEnd: nowhereEnd6, peerMAC: wireMAC})
	if err != nil {
		return err
	}
	if err := r.ns.Do(speak(nowhereLink6, true)); err != nil {
		return err
	}
	r.nowhere6 = index
	return nil
}

// speak lets this end of a wire speak IPv6.
func (n *internet) speak(wire string) error {
	return speakAt(n.ns, n.links, wire, n.wires[wire], routerMAC)
}
