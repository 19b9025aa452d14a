package linux

import (
	"fmt"
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// noteGone notes the addresses whose connections must not outlive the change to p: private ones that leave
// their interface, so that the next owner does not inherit what was allowed to the last, and public ones that
// are no longer translated.
func (r *router) noteGone(p *plan) {
	for to, via := range r.tables[localTable] {
		if p.tables[localTable][to] != via {
			r.gone[to.Addr()] = true
		}
	}
	if r.rules == nil {
		return
	}
	have, want := indexSets(r.rules)["private_of"], indexSets(p.rules)["private_of"]
	keep := elementTexts(want)
	for _, e := range have.elements {
		if public, ok := netip.AddrFromSlice(e.key); ok && !keep[e.text] {
			r.gone[public] = true
		}
	}
}

// forget ends the tracked connections of addresses that are gone, and those that lost a rule without which
// they cannot be.
func (r *router) forget(v *topology.VPC) error {
	if len(r.gone) > 0 {
		if err := r.endFlows(anyOf(r.gone)); err != nil {
			return fmt.Errorf("end connections of addresses that are gone: %w", err)
		}
		clear(r.gone)
	}
	if gone := lostPeers(r.applied, v); len(gone) > 0 {
		if err := r.endFlows(gone); err != nil {
			return fmt.Errorf("end connections of peers that are gone: %w", err)
		}
	}
	if lost := newRevocation(r.applied, v); lost != nil {
		if err := r.endFlows(lost); err != nil {
			return fmt.Errorf("end connections that lost their rule: %w", err)
		}
	}
	r.applied = v
	return nil
}

// endFlows forgets the matching connections. That no packet in the middle of a stream starts one anew keeps
// them ended.
func (r *router) endFlows(which netlink.CustomConntrackFilter) error {
	return r.ns.Do(func() error {
		h, err := netlink.NewHandle(unix.NETLINK_NETFILTER)
		if err != nil {
			return err
		}
		defer h.Close()
		_, err = h.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, which)
		if err == nil && r.nowhere6 != 0 {
			_, err = h.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET6, which)
		}
		return err
	})
}

// anyOf matches flows with one of the addresses at either end, before or after translation.
type anyOf map[netip.Addr]bool

// MatchConntrackFlow is what the netlink library asks.
func (a anyOf) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	for _, ip := range [][]byte{f.Forward.SrcIP, f.Forward.DstIP, f.Reverse.SrcIP, f.Reverse.DstIP} {
		if a[address(ip)] {
			return true
		}
	}
	return false
}
