package linux

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/vishvananda/netlink"
)

// An eni is an interface in a namespace of its own, or in that of its host (see host.go): eth0 or a later one there, a
// nameless end in the router.
type eni struct {
	plan    eniPlan    // only for Apply: secondary addresses may change
	address netip.Addr // primary
	ipv6    []netip.Addr
	six     atomic.Bool // it has such, for who asks while Apply runs
	ns      *netns.NS
	index   int // of the router's end
	seats   seats
	nat     *nft // of NAT gateways
}

// addENI makes an interface that no rule and no route knows yet. What was made of one that fails is removed.
func (r *router) addENI(p eniPlan) (e *eni, err error) {
	e = &eni{plan: p, address: p.addresses[0]}
	// No forwarding: a packet for somebody else is not passed on, whatever the host does.
	settings := []string{"net.ipv4.ip_forward=0", "net.ipv6.conf.default.disable_ipv6=1"}
	if p.kind == resource.InterfaceTypeVPCEndpoint {
		settings = append(settings, "net.ipv4.icmp_echo_ignore_all=1") // an endpoint does not answer a ping
	}
	if p.host == "" {
		e.ns, err = netns.New(string(p.id), netns.Settings(settings...))
	} else {
		e.ns, err = r.hostOf(p)
	}
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", p.id, err)
	}
	e.seats.init(e.ns, interfaceSeats(p))
	if err := r.connectENI(e); err != nil {
		err = errors.Join(err, deleteLink(r.links, p.name), e.leaveHost())
		e.close()
		return nil, fmt.Errorf("make %s: %w", p.id, err)
	}
	return e, nil
}

func (r *router) connectENI(e *eni) (err error) {
	mac, err := net.ParseMAC(e.plan.mac)
	if err != nil {
		return fmt.Errorf("read hardware address: %w", err)
	}
	e.index, err = addPair(r.links, pair{name: e.plan.name, mac: routerMAC, group: e.plan.group, mtu: vpcMTU,
		peer: e.ns, peerEnd: e.plan.far(), peerMAC: mac})
	if err != nil {
		return err
	}
	for _, a := range e.plan.addresses {
		if err := addNeighbour(r.links, e.index, a, mac); err != nil {
			return err
		}
	}
	far := end{link: e.plan.far(), gateway: e.plan.subnet.Masked().Addr().Next(), gatewayMAC: routerMAC, table: e.plan.table()}
	for _, a := range e.plan.addresses {
		far.addresses = append(far.addresses, netip.PrefixFrom(a, e.plan.subnet.Bits()))
	}
	if err := withLinks(e.ns, far.setUp); err != nil {
		return err
	}
	if err := e.steer(e.plan.addresses, nil); err != nil {
		return err
	}
	if e.plan.natGateway != "" {
		return e.becomeNATGateway()
	}
	return r.setIPv6(e, e.plan.ipv6)
}

// setAddresses changes the addresses of an interface that stays.
func (r *router) setAddresses(e *eni, want []netip.Addr) error {
	if slices.Equal(e.plan.addresses, want) {
		return nil
	}
	mac, err := net.ParseMAC(e.plan.mac)
	if err != nil {
		return fmt.Errorf("read hardware address: %w", err)
	}
	for _, a := range want {
		if err := addNeighbour(r.links, e.index, a, mac); err != nil {
			return err
		}
	}
	err = withLinks(e.ns, func(h *netlink.Handle) error {
		l, err := h.LinkByName(e.plan.far())
		if err != nil {
			return fmt.Errorf("find link %s: %w", e.plan.far(), err)
		}
		return e.moveAddresses(h, l, want)
	})
	if err == nil {
		err = e.steer(want, e.plan.addresses)
	}
	if err != nil {
		return fmt.Errorf("set addresses of %s: %w", e.plan.id, err)
	}
	e.plan.addresses = want
	return nil
}

func (e *eni) moveAddresses(h *netlink.Handle, l netlink.Link, want []netip.Addr) error {
	for _, a := range want {
		if err := addAddress(h, l, netip.PrefixFrom(a, e.plan.subnet.Bits())); err != nil {
			return err
		}
	}
	for _, a := range e.plan.addresses {
		if slices.Contains(want, a) {
			continue
		}
		if err := deleteAddress(h, l, netip.PrefixFrom(a, e.plan.subnet.Bits())); err != nil {
			return err
		}
	}
	return nil
}

// sameLink reports whether an interface can be changed into the other, or must be made anew.
func (p eniPlan) sameLink(o eniPlan) bool {
	return p.name == o.name && p.mac == o.mac && p.kind == o.kind && p.group == o.group && p.subnet == o.subnet &&
		p.natGateway == o.natGateway && p.addresses[0] == o.addresses[0] && p.host == o.host && p.device == o.device
}

// addLinks makes what is missing, then waits for all of it at once.
func (r *router) addLinks(ctx context.Context, p *plan, net *internet) error {
	var fresh []int
	if err := r.removeReplaced(p); err != nil {
		return err
	}
	for _, ep := range hostsFirst(p.enis) {
		if e := r.eni(ep.id); e != nil {
			if err := errors.Join(r.setAddresses(e, ep.addresses), r.setIPv6(e, ep.ipv6)); err != nil {
				return err
			}
			continue
		}
		e, err := r.addENI(ep)
		if err != nil {
			return err
		}
		fresh = append(fresh, e.index)
		r.mu.Lock()
		r.enis[ep.id] = e
		r.mu.Unlock()
	}
	if err := r.checkPeerings(p); err != nil {
		return err
	}
	wires, err := r.addWires(p, net)
	if err != nil {
		return err
	}
	if err := r.speakWires(p, net); err != nil {
		return err
	}
	for _, index := range append(fresh, wires...) {
		if err := waitUp(ctx, r.links, index); err != nil {
			return err
		}
	}
	return nil
}

// removeLinks removes what is not wanted any more, after rules and routes have forgotten it.
func (r *router) removeLinks(p *plan, net *internet) error {
	wanted := map[string]bool{}
	for _, e := range p.enis {
		wanted[string(e.id)] = true
	}
	r.mu.Lock()
	var gone []*eni
	for id, e := range r.enis {
		if !wanted[string(id)] {
			gone = append(gone, e)
		}
	}
	r.mu.Unlock()
	for _, e := range gone {
		r.removeENI(e)
	}
	return r.removeWires(p, net)
}

// removeENI closes the namespace; the kernel removes the link with it, later. If somebody still sits in the
// namespace the link lives until they leave, but no rule knows it and no route leads to it. (Deleting it here
// would wait tens of milliseconds for the kernel.)
func (r *router) removeENI(e *eni) {
	r.mu.Lock()
	delete(r.enis, e.plan.id)
	r.mu.Unlock()
	r.forgetRoutes(e.plan.name)
	e.close()
}

func (e *eni) close() {
	e.seats.close()
	if e.nat != nil {
		e.nat.close()
	}
	e.ns.Close()
}
