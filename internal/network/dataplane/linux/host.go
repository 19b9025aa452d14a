package linux

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A further interface of an instance is a link in the namespace of its first one, its host: eth1, eth2, ... by device
// index. To the router nothing is different: its own link, its groups, its subnet. In the namespace, what is sent from
// one of its addresses goes out of its link, as Amazon Linux has it, so that answers leave where the question came in:
//
//	rule 10001  from <its addresses>  table 10001
//	table 10001 default via its own router's end
//	table main  default via the same, behind those of the links before it
const furtherTable = 10000

// far is the name of the link in the namespace.
func (p eniPlan) far() string { return fmt.Sprintf("eth%d", p.device) }

// table is the routing table, the priority of the rules that lead there, and the metric of the way by it; 0: the main one.
func (p eniPlan) table() int {
	if p.host == "" {
		return 0
	}
	return furtherTable + p.device
}

// hostOf gives a hold on the namespace of an interface's host, which is there before.
func (r *router) hostOf(p eniPlan) (*netns.NS, error) {
	host := r.eni(p.host)
	if host == nil {
		return nil, fmt.Errorf("its host %s is not in the network", p.host)
	}
	return host.ns.Dup()
}

// hostsFirst orders interfaces so that each comes after its host.
func hostsFirst(all []eniPlan) []eniPlan {
	further := func(p eniPlan) bool { return p.host != "" }
	return slices.Concat(slices.DeleteFunc(slices.Clone(all), further), slices.DeleteFunc(slices.Clone(all), func(p eniPlan) bool { return !further(p) }))
}

// removeReplaced removes the links that cannot become what is wanted: their names, and the devices of their hosts, are
// used again. Until they are made anew nothing passes by them.
func (r *router) removeReplaced(p *plan) error {
	wanted := map[resource.NetworkInterfaceID]eniPlan{}
	for _, ep := range p.enis {
		wanted[ep.id] = ep
	}
	stays := func(e *eni) bool {
		ep, ok := wanted[e.plan.id]
		return ok && e.plan.sameLink(ep)
	}
	r.mu.Lock()
	var gone []*eni
	for _, e := range r.enis {
		_, ok := wanted[e.plan.id]
		switch host := r.enis[e.plan.host]; {
		case e.plan.host == "" && !ok: // with its namespace, when nobody knows it any more
		case stays(e) && (e.plan.host == "" || host != nil && stays(host)):
		default:
			gone = append(gone, e)
		}
	}
	r.mu.Unlock()
	for _, e := range gone {
		if err := errors.Join(deleteLink(r.links, e.plan.name), e.leaveHost()); err != nil {
			return fmt.Errorf("replace %s: %w", e.plan.id, err)
		}
		r.removeENI(e)
	}
	return nil
}

// steer leads what is sent from some addresses out of the link of a further interface, and forgets those it had that are not
// among them.
func (e *eni) steer(want, had []netip.Addr) error {
	if e.plan.host == "" {
		return nil
	}
	return withLinks(e.ns, func(h *netlink.Handle) error {
		for _, a := range want {
			if err := h.RuleAdd(e.sourceRule(a)); err != nil && !errors.Is(err, unix.EEXIST) {
				return fmt.Errorf("add routing rule for %s: %w", a, err)
			}
		}
		for _, a := range had {
			if slices.Contains(want, a) {
				continue
			}
			if err := h.RuleDel(e.sourceRule(a)); err != nil && !errors.Is(err, unix.ENOENT) {
				return fmt.Errorf("delete routing rule for %s: %w", a, err)
			}
		}
		return nil
	})
}

func (e *eni) sourceRule(a netip.Addr) *netlink.Rule {
	rule := netlink.NewRule()
	rule.Priority, rule.Table, rule.Src, rule.Family = e.plan.table(), e.plan.table(), ipNet(netip.PrefixFrom(a, a.BitLen())), unix.AF_INET
	if a.Is6() {
		rule.Family = unix.AF_INET6
	}
	return rule
}

// leaveHost takes from the namespace of its host what does not go with the link.
func (e *eni) leaveHost() error {
	return e.steer(nil, slices.Concat(e.plan.addresses, e.ipv6))
}

// setDefault makes the way out by a link: the only one of the main table, or that of a further interface.
func setDefault(h *netlink.Handle, table int, to netip.Prefix, via hop, link int) error {
	if table == 0 {
		return setRoute(h, unix.RT_TABLE_MAIN, to, via, link)
	}
	if err := setRoute(h, table, to, via, link); err != nil {
		return err
	}
	behind := route(unix.RT_TABLE_MAIN, to, via, link)
	behind.Priority = table
	if err := h.RouteReplace(behind); err != nil {
		return fmt.Errorf("set route %s %s: %w", to, via, err)
	}
	return nil
}
