package linux

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// goneAddresses are the addresses whose connections must not outlive the change to p: private ones that leave
// their interface, so that the next owner does not inherit what was allowed to the last, and public ones that
// are no longer translated.
func (r *router) goneAddresses(p *plan) map[netip.Addr]bool {
	for to, via := range r.tables[localTable] {
		if p.tables[localTable][to] != via {
			r.gone[to.Addr()] = true
		}
	}
	if r.rules == nil {
		return r.gone
	}
	have, want := indexSets(r.rules)["private_of"], indexSets(p.rules)["private_of"]
	keep := elementTexts(want)
	for _, e := range have.elements {
		if public, ok := netip.AddrFromSlice(e.key); ok && !keep[e.text] {
			r.gone[public] = true
		}
	}
	return r.gone
}

// forget ends the tracked connections of addresses.
func (r *router) forget(addresses map[netip.Addr]bool) error {
	if len(addresses) == 0 {
		return nil
	}
	err := r.ns.Do(func() error {
		h, err := netlink.NewHandle(unix.NETLINK_NETFILTER)
		if err != nil {
			return err
		}
		defer h.Close()
		_, err = h.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, anyOf(addresses))
		return err
	})
	if err != nil {
		return fmt.Errorf("end connections of addresses that are gone: %w", err)
	}
	clear(r.gone)
	return nil
}

// anyOf matches flows with one of the addresses at either end, before or after translation.
type anyOf map[netip.Addr]bool

// MatchConntrackFlow is what the netlink library asks.
func (a anyOf) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	for _, ip := range [][]byte{f.Forward.SrcIP, f.Forward.DstIP, f.Reverse.SrcIP, f.Reverse.DstIP} {
		if addr, ok := netip.AddrFromSlice(ip); ok && a[addr.Unmap()] {
			return true
		}
	}
	return false
}
