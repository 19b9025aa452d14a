package linux

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/vishvananda/netlink"
)

// A peerWire is one end of the link between two routers: a peering connection.
//
// What comes in by it has no subnet, and so no mark: the router knows no way for it but to its own interfaces. That
// alone keeps peering from being transitive, and from reaching the VPC's gateways.
type peerWire struct {
	name  string
	index int
	far   *router

	farMAC net.HardwareAddr
	ipv6   bool // this end speaks it
}

// connectPeers makes the links that are missing. Both routers have to be there; whose link is not, is shut by
// checkPeerings.
func (d *Driver) connectPeers(ctx context.Context, t *topology.Topology) error {
	var errs []error
	for _, v := range t.VPCs {
		for _, p := range v.Peerings {
			near, far := d.routers[v.ID], d.routers[p.PeerVPCID]
			peer := t.VPC(p.PeerVPCID)
			if near == nil || far == nil || near == far || peer == nil || peer.Peering(p.ID) == nil || near.peerings[p.ID] != nil {
				continue
			}
			near.numbers.assign(v)
			far.numbers.assign(peer)
			if err := near.connect(ctx, p.ID, far); err != nil {
				errs = append(errs, fmt.Errorf("connect %s: %w", p.ID, err))
			}
		}
	}
	return errors.Join(errs...)
}

// connect makes a link that no rule and no route knows yet.
func (r *router) connect(ctx context.Context, id resource.PeeringID, far *router) (err error) {
	near := &peerWire{name: r.numbers.peerings[id], far: far, farMAC: wireMAC}
	remote := &peerWire{name: far.numbers.peerings[id], far: r, farMAC: routerMAC}
	if err := errors.Join(deleteLink(r.links, near.name), deleteLink(far.links, remote.name)); err != nil {
		return err
	}
	near.index, err = addPair(r.links, pair{name: near.name, mac: routerMAC, mtu: vpcMTU, peer: far.ns, peerEnd: remote.name, peerMAC: wireMAC})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, deleteLink(r.links, near.name))
		}
	}()
	l, err := far.links.LinkByName(remote.name)
	if err != nil {
		return fmt.Errorf("find link %s: %w", remote.name, err)
	}
	remote.index = l.Attrs().Index
	if err := setUpFarEnd(far.links, l); err != nil {
		return err
	}
	err = errors.Join(
		addNeighbour(r.links, near.index, wireGateway, wireMAC), addNeighbour(far.links, remote.index, wireGateway, routerMAC),
		waitUp(ctx, r.links, near.index), waitUp(ctx, far.links, remote.index))
	if err != nil {
		return err
	}
	r.peerings[id], far.peerings[id] = near, remote
	return nil
}

// checkPeerings refuses a plan whose links are not there.
func (r *router) checkPeerings(p *plan) error {
	for _, c := range p.peerings {
		if w := r.peerings[c.id]; w == nil || w.name != c.name || w.far.vpc != c.peer {
			return fmt.Errorf("%s has no link to %s", c.id, c.peer)
		}
	}
	return nil
}

// disconnectPeers removes the links that are not wanted any more, after the rules and routes of both ends have
// forgotten them.
func (d *Driver) disconnectPeers(t *topology.Topology) error {
	var errs []error
	for _, r := range d.routers {
		v := t.VPC(r.vpc)
		for _, id := range slices.Sorted(maps.Keys(r.peerings)) {
			if v == nil || v.Peering(id) == nil {
				errs = append(errs, r.disconnect(id))
			}
		}
	}
	return errors.Join(errs...)
}

// disconnect removes a link, both ends.
func (r *router) disconnect(id resource.PeeringID) error {
	near := r.peerings[id]
	if err := deleteLink(r.links, near.name); err != nil {
		return fmt.Errorf("disconnect %s: %w", id, err)
	}
	r.forgetRoutes(near.name)
	delete(r.peerings, id)
	if remote := near.far.peerings[id]; remote != nil {
		near.far.forgetRoutes(remote.name)
		delete(near.far.peerings, id)
	}
	return nil
}

// noteGoneAtPeers lets the peers of a VPC, too, end the connections of addresses that leave their interface: the
// next owner of an address must not inherit what was allowed to the last.
func (d *Driver) noteGoneAtPeers(t *topology.Topology) {
	for id, r := range d.routers {
		if r.applied == nil || len(r.applied.Peerings) == 0 {
			continue
		}
		for _, a := range goneAddresses(r.applied, t.VPC(id)) {
			for _, p := range r.applied.Peerings {
				if peer := d.routers[p.PeerVPCID]; peer != nil {
					peer.gone[a] = true
				}
			}
		}
	}
}

// goneAddresses are those that an interface had and has no longer.
func goneAddresses(before, now *topology.VPC) []netip.Addr {
	var out []netip.Addr
	for _, e := range before.ENIs {
		var keeps []netip.Addr
		if now != nil {
			if same := now.ENI(e.ID); same != nil {
				keeps = same.All()
			}
		}
		for _, a := range e.All() {
			if !slices.Contains(keeps, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// inBlocks matches flows with an end in one of the blocks.
type inBlocks []netip.Prefix

// MatchConntrackFlow is what the netlink library asks.
func (b inBlocks) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	for _, ip := range [][]byte{f.Forward.SrcIP, f.Forward.DstIP, f.Reverse.SrcIP, f.Reverse.DstIP} {
		if slices.ContainsFunc([]netip.Prefix(b), func(p netip.Prefix) bool { return p.Contains(address(ip)) }) {
			return true
		}
	}
	return false
}

// lostPeers are the blocks that peering connections no longer lead to: their flows end, and stay so should the
// VPCs be joined again.
func lostPeers(before, now *topology.VPC) inBlocks {
	if before == nil {
		return nil
	}
	var out inBlocks
	for _, p := range before.Peerings {
		var left []netip.Prefix
		if same := now.Peering(p.ID); same != nil {
			left = same.PeerCIDRs
		}
		for _, b := range p.PeerCIDRs {
			if !slices.Contains(left, b) {
				out = append(out, b)
			}
		}
	}
	return out
}

// peerSources ends a base chain: by a peering connection come addresses of the peer only.
func (c *compiler) peerSources(chain string) {
	rules := c.eachPeerBlock(inputName, sourceIn, false)
	c.extend(chain, append(rules, makeRule(tell(string(dataplane.StageSource), "out"), counter(), drop()))...)
}

// peerDestinations ends a base chain: a peering connection takes packets for the peer's addresses only, whatever a
// route says. That they come from this VPC's addresses is for the peer to check, in peerSources.
func (c *compiler) peerDestinations(chain string) {
	c.extend(chain, c.eachPeerBlock(outputName, destinationIn, false)...)
}

func (c *compiler) eachPeerBlock(link func(string) part, block func(netip.Prefix) part, ipv6 bool) []rule {
	var out []rule
	for _, p := range c.vpc.Peerings {
		for _, b := range p.PeerCIDRs {
			if b.Addr().Is6() == ipv6 {
				out = append(out, makeRule(link(c.numbers.peerings[p.ID]), block(b), accept()))
			}
		}
	}
	return out
}

// extend adds rules to a chain that is there.
func (c *compiler) extend(name string, rules ...rule) {
	for _, ch := range c.rules.chains {
		if ch.name == name {
			ch.rules = append(ch.rules, rules...)
		}
	}
}
