package linux

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A router is one VPC: a namespace that every packet between two interfaces crosses. What it records is what
// the kernel has; the difference to a plan is what is done. Only Apply changes it.
type router struct {
	vpc     resource.VPCID
	numbers *numbers
	ns      *netns.NS
	links   *netlink.Handle
	nft     *nft

	open     bool     // the guard lets packets be forwarded
	silent   bool     // the kernel cannot tell what it drops
	drops    *dropLog // nil: nobody watches
	passing  *passing // nil: nothing is counted
	rules    *ruleset // nil: not known
	tables   map[uint32]table
	marks    map[uint32]bool // tables that a mark leads to
	applied  *topology.VPC   // whose rules are in force; nil before the first
	wire     *wire           // nil: no internet gateway
	peerings map[resource.PeeringID]*peerWire
	gone     map[netip.Addr]bool // addresses whose connections are still to be ended

	mu        sync.Mutex
	enis      map[resource.NetworkInterfaceID]*eni    // guarded by mu
	endpoints map[resource.VPCEndpointID]*gatewayWire // guarded by mu
	resolvers []netip.Addr                            // guarded by mu
}

// guardTable stands before everything else and is closed whenever the rest is not known to be right.
const guardTable = "guard"

func newRouter(id resource.VPCID) (r *router, err error) {
	r = &router{
		vpc: id, numbers: newNumbers(), tables: map[uint32]table{}, marks: map[uint32]bool{}, gone: map[netip.Addr]bool{},
		peerings: map[resource.PeeringID]*peerWire{},
		enis:     map[resource.NetworkInterfaceID]*eni{}, endpoints: map[resource.VPCEndpointID]*gatewayWire{},
	}
	// A new namespace copies the host's settings for IPv4, so all that matter are set.
	r.ns, err = netns.New("router of "+string(id), netns.Settings(
		"net.ipv4.ip_forward=1",
		"net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
		"net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.default.send_redirects=0",
		"net.ipv4.conf.all.accept_redirects=0", "net.ipv4.conf.default.accept_redirects=0",
		"net.ipv4.conf.all.proxy_arp=0", "net.ipv4.conf.default.proxy_arp=0",
		// No answer to ARP, and so no neighbour that a workload could make up.
		"net.ipv4.conf.all.arp_ignore=8", "net.ipv4.conf.all.accept_source_route=0",
		"net.ipv6.conf.all.forwarding=0",
		"net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"))
	if err != nil {
		return nil, err
	}
	r.nft = newNFT(r.ns)
	if r.links, err = openLinks(r.ns); err != nil {
		r.close()
		return nil, err
	}
	if err := errors.Join(r.guard(expr.VerdictDrop), r.trackStrictly(), r.ruleOfLast()); err != nil {
		r.close()
		return nil, fmt.Errorf("make the router of %s: %w", id, err)
	}
	r.tryTelling()
	return r, nil
}

// guard opens or closes the router for everything. Its rule makes the kernel load connection tracking, which
// the settings of trackStrictly need.
func (r *router) guard(policy expr.VerdictKind) error {
	b := &batch{table: guardTable}
	c := &chain{name: "guard", base: forward(-10, policy), rules: []rule{
		makeRule(connectionState("invalid", stateInvalid), counter(), drop())}}
	b.addTable()
	b.addChain(c)
	b.flushChain(c.name)
	b.addRules(c)
	if err := r.nft.commit(b); err != nil {
		return fmt.Errorf("set guard of %s: %w", r.vpc, err)
	}
	r.open = policy == expr.VerdictAccept
	return nil
}

// trackStrictly keeps packets in the middle of a stream from starting a connection anew: a connection that was
// cut must stay cut.
func (r *router) trackStrictly() error {
	return r.ns.Sysctl(
		"net.netfilter.nf_conntrack_tcp_loose=0",
		"net.netfilter.nf_conntrack_tcp_be_liberal=1",
		"net.netfilter.nf_conntrack_udp_timeout_stream=180")
}

// ruleOfLast makes the router know only its own tables: local addresses, then the subnet's table by mark, then
// the interfaces of the VPC, then silence. A missing route would make the kernel answer.
func (r *router) ruleOfLast() error {
	for priority, table := range map[int]int{32766: unix.RT_TABLE_MAIN, 32767: unix.RT_TABLE_DEFAULT} {
		rule := netlink.NewRule()
		rule.Priority, rule.Table, rule.Family = priority, table, unix.AF_INET
		if err := r.links.RuleDel(rule); err != nil {
			return fmt.Errorf("delete routing rule %d: %w", priority, err)
		}
	}
	local := netlink.NewRule()
	local.Priority, local.Table, local.Family = 1000, localTable, unix.AF_INET
	last := netlink.NewRule()
	last.Priority, last.Family, last.Type = 32000, unix.AF_INET, unix.FR_ACT_BLACKHOLE
	for _, rule := range []*netlink.Rule{local, last} {
		if err := r.links.RuleAdd(rule); err != nil {
			return fmt.Errorf("add routing rule %d: %w", rule.Priority, err)
		}
	}
	lo, err := r.links.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback: %w", err)
	}
	return r.links.LinkSetUp(lo)
}

// apply makes the VPC match. If it cannot, the VPC is shut, and stays so until an apply succeeds.
func (r *router) apply(ctx context.Context, v *topology.VPC, net *internet) error {
	err := r.change(ctx, v, net)
	if err == nil && !r.open {
		err = r.guard(expr.VerdictAccept)
	}
	if err == nil {
		return nil
	}
	err = fmt.Errorf("apply %s: %w", r.vpc, err)
	if r.open {
		return errors.Join(err, r.guard(expr.VerdictDrop))
	}
	return err
}

// change goes in an order in which nothing is ever more open than before or after: links that no rule knows,
// rules, routes to the links, and last the links that no rule knows any more.
func (r *router) change(ctx context.Context, v *topology.VPC, net *internet) error {
	r.numbers.assign(v)
	p, err := makePlan(v, r.numbers)
	if err != nil {
		return err
	}
	if r.silent {
		p.rules.untold()
	}
	if err := r.setResolvers(p.resolvers); err != nil {
		return err
	}
	if err := r.addLinks(ctx, p, net); err != nil {
		return err
	}
	r.passing.settle(v)
	r.passing.learn(r, v)
	r.noteGone(p)
	if err := r.setRules(p.rules); err != nil {
		return err
	}
	if err := r.setTables(p.tables); err != nil {
		return err
	}
	if err := r.removeLinks(p, net); err != nil {
		return err
	}
	return r.forget(v)
}

// setResolvers gives the router the addresses that DNS queries go to.
func (r *router) setResolvers(want []netip.Addr) error {
	if slices.Equal(r.resolvers, want) {
		return nil
	}
	lo, err := r.links.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback: %w", err)
	}
	for _, a := range want {
		if err := addAddress(r.links, lo, netip.PrefixFrom(a, 32)); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resolvers = want
	return nil
}

// setRules commits the difference in one transaction. A set of rules too long for one, which happens only with
// hundreds of interfaces at once, is loaded in pieces behind the closed guard.
func (r *router) setRules(want *ruleset) error {
	if !sameKind(r.rules, want) {
		r.rules = nil
	}
	b := difference(vpcTable, r.rules, want)
	have := r.rules
	r.rules = nil
	err := r.nft.commit(b)
	if errors.Is(err, errTooLong) {
		err = r.loadInPieces(b)
	} else if err != nil && !errors.Is(err, errUnknown) {
		r.rules = have // a refused transaction changes nothing
	}
	if err != nil {
		return err
	}
	r.rules = want
	return nil
}

func (r *router) loadInPieces(b *batch) error {
	if err := r.guard(expr.VerdictDrop); err != nil {
		return err
	}
	for _, piece := range b.pieces(r.nft.limit - 4096) {
		if err := r.nft.commit(piece); err != nil {
			return err
		}
	}
	return nil
}

// setTables replaces routes one by one; each is atomic in itself.
func (r *router) setTables(want map[uint32]table) error {
	index := r.linkIndexes()
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if err := r.setTable(id, want[id], index); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(r.tables)) {
		if want[id] != nil {
			continue
		}
		if err := r.setTable(id, nil, index); err != nil {
			return err
		}
		if err := r.unmark(id); err != nil {
			return err
		}
		delete(r.tables, id)
	}
	return nil
}

func (r *router) setTable(id uint32, want table, index map[string]int) error {
	if r.tables[id] == nil {
		r.tables[id] = table{}
	}
	have := r.tables[id]
	for to, via := range want {
		if have[to] == via {
			continue
		}
		if err := setRoute(r.links, int(id), to, via, index[via.link]); err != nil {
			return err
		}
		have[to] = via
	}
	for to, via := range have {
		if _, wanted := want[to]; wanted {
			continue
		}
		if err := deleteRoute(r.links, int(id), to, via); err != nil {
			return err
		}
		delete(have, to)
	}
	return r.mark(id)
}

// mark leads packets with the subnet's mark to its table, once the table is filled.
func (r *router) mark(id uint32) error {
	if id == localTable || r.marks[id] {
		return nil
	}
	if err := r.links.RuleAdd(markRule(id)); err != nil {
		return fmt.Errorf("add routing rule for table %d: %w", id, err)
	}
	r.marks[id] = true
	return nil
}

func (r *router) unmark(id uint32) error {
	if !r.marks[id] {
		return nil
	}
	if err := r.links.RuleDel(markRule(id)); err != nil {
		return fmt.Errorf("delete routing rule for table %d: %w", id, err)
	}
	delete(r.marks, id)
	return nil
}

func markRule(id uint32) *netlink.Rule {
	rule := netlink.NewRule()
	rule.Priority, rule.Table, rule.Mark, rule.Family = 100, int(id), id, unix.AF_INET
	return rule
}

// close removes the VPC with everything in it. The kernel does that later, so forwarding is stopped first; if
// that is refused there is nothing left to try.
func (r *router) close() {
	_ = r.ns.Sysctl("net.ipv4.ip_forward=0")
	r.drops.close() // before mu, which its reader takes
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.enis {
		e.close()
	}
	for _, w := range r.endpoints {
		w.ns.Close()
	}
	if r.links != nil {
		r.links.Close()
	}
	r.nft.close()
	r.ns.Close()
}
