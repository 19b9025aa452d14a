package linux

import (
	"cmp"
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

// The internet is one namespace for all VPCs: the addresses of public services, a route back to every public
// address of a VPC, and nothing else. No link leads from it to the host.
type internet struct {
	ns    *netns.NS
	links *netlink.Handle
	nft   *nft
	seats seats

	wires  map[string]int          // this end of each internet gateway's wire: index
	last   int                     // number of the newest wire
	routes map[netip.Prefix]string // public address: wire

	mu       sync.Mutex
	services map[netip.Addr]bool // guarded by mu
}

func newInternet() (n *internet, err error) {
	n = &internet{wires: map[string]int{}, routes: map[netip.Prefix]string{}, services: map[netip.Addr]bool{}}
	n.ns, err = netns.New("internet", netns.Settings(
		"net.ipv4.ip_forward=1",
		// Strict for every link to come: whoever sends from an address must be where the address is.
		"net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=1",
		"net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.default.send_redirects=0",
		"net.ipv4.conf.all.arp_ignore=8", "net.ipv4.conf.all.accept_source_route=0",
		// Only the loopback, with the services' addresses, speaks IPv6 untold.
		"net.ipv6.conf.default.disable_ipv6=1",
		"net.ipv6.conf.all.forwarding=1", "net.ipv6.conf.default.addr_gen_mode=1"))
	if err != nil {
		return nil, err
	}
	n.nft = newNFT(n.ns)
	n.seats.init(n.ns, internetSeats())
	if n.links, err = openLinks(n.ns); err != nil {
		n.close()
		return nil, err
	}
	if err := errors.Join(n.nft.commit(difference("internet", nil, internetRules())), n.darkness()); err != nil {
		n.close()
		return nil, fmt.Errorf("make the internet: %w", err)
	}
	return n, nil
}

// internetRules let seats and VPCs reach public addresses of VPCs. Nobody is told that something is not there.
func internetRules() *ruleset {
	r := &ruleset{}
	c := &compiler{rules: r}
	icmp, icmp6 := protocol(unix.IPPROTO_ICMP), protocol(unix.IPPROTO_ICMPV6)
	c.chain("input", input(expr.VerdictAccept),
		makeRule(isIPv6(), goTo("input6")),
		makeRule(inputPrefix("w"), destinationIn(linkLocal), counter(), drop()))
	c.internet6()
	c.chain("forward", forward(0, expr.VerdictDrop),
		makeRule(isIPv6(), goTo("forward6")),
		makeRule(connectionState("established,related", stateEstablished|stateRelated), accept()),
		makeRule(connectionState("invalid", stateInvalid), drop()),
		makeRule(destinationIn(linkLocal), drop()),
		makeRule(inputPrefix("s"), outputPrefix("w"), accept()),
		makeRule(inputPrefix("w"), outputPrefix("w"), accept()))
	c.chain("output", output(expr.VerdictAccept),
		makeRule(icmp, icmpHeader(0, 3), icmpHeader(1, 4), accept()),
		makeRule(icmp, icmpHeader(0, 3), drop()),
		makeRule(icmp, icmpHeader(0, 11), drop()),
		makeRule(icmp6, icmpHeader(0, 1), drop()),
		makeRule(icmp6, icmpHeader(0, 3), drop()))
	return r
}

// internet6 is the same for IPv6. A router lets out its VPC's own addresses only; seats are held to theirs here. Between
// VPCs it looks at no connections: what nothing translates may go one way here and come back by a peering connection.
func (c *compiler) internet6() {
	seats := internetPool6
	c.chain("input6", nil,
		makeRule(inputPrefix("s"), sourceIn(seats), accept()),
		makeRule(inputPrefix("s"), counter(), drop()),
		makeRule(inputPrefix("w"), sourceIn(seats), counter(), drop()))
	c.chain("forward6", nil,
		makeRule(inputPrefix("w"), sourceIn(seats), counter(), drop()),
		makeRule(inputPrefix("w"), outputPrefix("w"), accept()),
		makeRule(inputPrefix("w"), outputPrefix("s"), connectionState("established,related", stateEstablished|stateRelated), accept()),
		makeRule(inputPrefix("s"), sourceIn(seats), outputPrefix("w"), accept()))
}

// darkness swallows what goes to addresses that nobody has, and puts the resolver of the internet side on lo.
func (n *internet) darkness() error {
	lo, err := n.links.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback: %w", err)
	}
	return errors.Join(
		n.links.LinkSetUp(lo),
		addAddress(n.links, lo, netip.PrefixFrom(linkLocalResolver, 32)),
		setRoute(n.links, unix.RT_TABLE_MAIN, everything(), hop{kind: hopBlackhole}, 0),
		setRoute(n.links, unix.RT_TABLE_MAIN, everything6(), hop{kind: hopBlackhole}, 0))
}

func (n *internet) nextWire() string {
	n.last++
	return fmt.Sprintf("w%d", n.last)
}

// adopt takes the end of a wire that a router made.
func (n *internet) adopt(name string) error {
	l, err := n.links.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find link %s: %w", name, err)
	}
	if err := setUpFarEnd(n.links, l); err != nil {
		return err
	}
	if err := addNeighbour(n.links, l.Attrs().Index, wireGateway, routerMAC); err != nil {
		return err
	}
	n.wires[name] = l.Attrs().Index
	return nil
}

// lost forgets a wire that is gone, and the routes that went with it.
func (n *internet) lost(name string) {
	delete(n.wires, name)
	maps.DeleteFunc(n.routes, func(_ netip.Prefix, wire string) bool { return wire == name })
}

// apply makes the services and the ways back match.
func (n *internet) apply(t *topology.Topology, routers map[resource.VPCID]*router) error {
	if err := n.setServices(serviceAddresses(t)); err != nil {
		return fmt.Errorf("apply the internet: %w", err)
	}
	want := map[netip.Prefix]string{}
	for _, v := range t.VPCs {
		r := routers[v.ID]
		if r == nil {
			continue
		}
		// The blocks of IPv6 are reached by the internet gateway if there is one, as answers are.
		if w := cmp.Or(r.wire, r.egressOnly); w != nil && w.ipv6 {
			for _, b := range v.IPv6CIDRs {
				want[b] = w.far
			}
		}
		if r.wire == nil {
			continue
		}
		for _, e := range v.ENIs {
			for _, a := range publicAddresses(v, e) {
				want[netip.PrefixFrom(a.Public, 32)] = r.wire.far
			}
		}
	}
	if err := n.setRoutes(want); err != nil {
		return fmt.Errorf("apply the internet: %w", err)
	}
	return nil
}

func serviceAddresses(t *topology.Topology) map[netip.Addr]bool {
	out := map[netip.Addr]bool{}
	for _, s := range t.Services {
		for _, name := range s.Names {
			for _, a := range name.Addresses {
				out[a] = true
			}
		}
	}
	return out
}

func (n *internet) setServices(want map[netip.Addr]bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if maps.Equal(n.services, want) {
		return nil
	}
	lo, err := n.links.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback: %w", err)
	}
	for _, a := range slices.SortedFunc(maps.Keys(want), netip.Addr.Compare) {
		if n.services[a] {
			continue
		}
		if err := addAddress(n.links, lo, netip.PrefixFrom(a, a.BitLen())); err != nil {
			return err
		}
		n.services[a] = true
	}
	for a := range n.services {
		if want[a] {
			continue
		}
		if err := deleteAddress(n.links, lo, netip.PrefixFrom(a, a.BitLen())); err != nil {
			return err
		}
		delete(n.services, a)
	}
	return nil
}

func (n *internet) setRoutes(want map[netip.Prefix]string) error {
	for to, wire := range want {
		if n.routes[to] == wire {
			continue
		}
		if err := setRoute(n.links, unix.RT_TABLE_MAIN, to, wireHop(wire, to.Addr().Is6()), n.wires[wire]); err != nil {
			return err
		}
		n.routes[to] = wire
	}
	for to, wire := range n.routes {
		if want[to] != "" {
			continue
		}
		if err := deleteRoute(n.links, unix.RT_TABLE_MAIN, to, wireHop(wire, to.Addr().Is6())); err != nil {
			return err
		}
		delete(n.routes, to)
	}
	return nil
}

// has reports whether the address is on the internet side's loopback.
func (n *internet) has(a netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return a == linkLocalResolver || n.services[a]
}

func (n *internet) close() {
	n.seats.close()
	if n.links != nil {
		n.links.Close()
	}
	n.nft.close()
	n.ns.Close()
}
