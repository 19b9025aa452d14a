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

// A wire joins a router with the internet's namespace: an internet gateway, or all egress-only ones.
type wire struct {
	igw   resource.InternetGatewayID // empty for egress-only ones
	ipv6  bool                       // it speaks it
	index int                        // of the router's end
	far   string                     // name of the other end
}

// A gatewayWire joins a router with the namespace of a gateway endpoint.
type gatewayWire struct {
	plan  endpointPlan
	ns    *netns.NS
	index int // of the router's end
}

// addWires makes the wires that are missing and returns their indexes.
func (r *router) addWires(p *plan, net *internet) (fresh []int, err error) {
	if r.wire != nil && r.wire.igw != p.igw {
		if err := r.removeWire(igwLink, &r.wire, net); err != nil {
			return nil, err
		}
	}
	if p.igw != "" && r.wire == nil {
		if r.wire, err = r.addWire(igwLink, p.igw, net); err != nil {
			return nil, fmt.Errorf("attach %s: %w", p.igw, err)
		}
		fresh = append(fresh, r.wire.index)
	}
	if len(p.eigws) > 0 && r.egressOnly == nil {
		if r.egressOnly, err = r.addWire(egressOnlyLink, "", net); err != nil {
			return nil, fmt.Errorf("attach %s: %w", p.eigws, err)
		}
		fresh = append(fresh, r.egressOnly.index)
	}
	for _, ep := range p.endpoints {
		w := r.endpoints[ep.id]
		if w == nil {
			if w, err = r.addGatewayEndpoint(ep); err != nil {
				return nil, fmt.Errorf("make %s: %w", ep.id, err)
			}
			fresh = append(fresh, w.index)
			r.mu.Lock()
			r.endpoints[ep.id] = w
			r.mu.Unlock()
		}
		if err := w.own(ep.prefixes); err != nil {
			return nil, fmt.Errorf("give prefixes to %s: %w", ep.id, err)
		}
	}
	return fresh, nil
}

func (r *router) addWire(link string, igw resource.InternetGatewayID, net *internet) (*wire, error) {
	w := &wire{igw: igw, far: net.nextWire()}
	if err := deleteLink(r.links, link); err != nil {
		return nil, err
	}
	index, err := addPair(r.links, pair{name: link, mac: routerMAC, mtu: internetMTU, peer: net.ns, peerEnd: w.far, peerMAC: wireMAC})
	if err != nil {
		return nil, err
	}
	w.index = index
	if err := errors.Join(addNeighbour(r.links, index, wireGateway, wireMAC), net.adopt(w.far)); err != nil {
		return nil, errors.Join(err, deleteLink(r.links, link))
	}
	return w, nil
}

func (r *router) removeWire(link string, w **wire, net *internet) error {
	if err := deleteLink(r.links, link); err != nil {
		return fmt.Errorf("detach %s: %w", link, err)
	}
	net.lost((*w).far)
	*w = nil
	r.forgetRoutes(link)
	return nil
}

// addGatewayEndpoint makes a namespace whose one way out leads back to the router.
func (r *router) addGatewayEndpoint(p endpointPlan) (w *gatewayWire, err error) {
	w = &gatewayWire{plan: endpointPlan{id: p.id, name: p.name}}
	w.ns, err = netns.New(string(p.id), netns.Settings(
		"net.ipv4.ip_forward=0",
		"net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
		"net.ipv4.icmp_echo_ignore_all=1", "net.ipv6.conf.default.disable_ipv6=1"))
	if err != nil {
		return nil, err
	}
	w.index, err = addPair(r.links, pair{name: p.name, mac: routerMAC, mtu: vpcMTU, peer: w.ns, peerEnd: "eth0", peerMAC: wireMAC})
	if err == nil {
		err = addNeighbour(r.links, w.index, wireGateway, wireMAC)
	}
	if err == nil {
		err = withLinks(w.ns, end{link: "eth0", gateway: wireGateway, gatewayMAC: routerMAC}.setUp)
	}
	if err != nil {
		w.ns.Close()
		return nil, errors.Join(err, deleteLink(r.links, p.name))
	}
	return w, nil
}

// own makes every address of the prefixes local, so that one listener for all addresses answers for them.
func (w *gatewayWire) own(want []netip.Prefix) error {
	have := w.plan.prefixes
	if slices.Equal(have, want) {
		return nil
	}
	return withLinks(w.ns, func(h *netlink.Handle) error {
		lo, err := h.LinkByName("lo")
		if err != nil {
			return fmt.Errorf("find loopback: %w", err)
		}
		for _, p := range want {
			if err := h.RouteReplace(localRoute(p, lo)); err != nil {
				return fmt.Errorf("own %s: %w", p, err)
			}
		}
		for _, p := range have {
			if slices.Contains(want, p) {
				continue
			}
			if err := h.RouteDel(localRoute(p, lo)); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("disown %s: %w", p, err)
			}
		}
		w.plan.prefixes = want
		return nil
	})
}

func localRoute(p netip.Prefix, lo netlink.Link) *netlink.Route {
	return &netlink.Route{LinkIndex: lo.Attrs().Index, Dst: ipNet(p), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST}
}

func (r *router) removeWires(p *plan, net *internet) error {
	if r.wire != nil && p.igw == "" {
		if err := r.removeWire(igwLink, &r.wire, net); err != nil {
			return err
		}
	}
	if r.egressOnly != nil && len(p.eigws) == 0 {
		if err := r.removeWire(egressOnlyLink, &r.egressOnly, net); err != nil {
			return err
		}
	}
	for id, w := range r.endpoints {
		if slices.ContainsFunc(p.endpoints, func(e endpointPlan) bool { return e.id == id }) {
			continue
		}
		if err := deleteLink(r.links, w.plan.name); err != nil {
			return fmt.Errorf("remove %s: %w", id, err)
		}
		r.forgetRoutes(w.plan.name)
		r.mu.Lock()
		delete(r.endpoints, id)
		r.mu.Unlock()
		w.ns.Close()
	}
	return nil
}

// forgetRoutes drops from the record the routes that a removed link took with it.
func (r *router) forgetRoutes(link string) {
	for _, t := range r.tables {
		for to, via := range t {
			if via.link == link {
				delete(t, to)
			}
		}
	}
}

// linkIndexes are the router's ends by name.
func (r *router) linkIndexes() map[string]int {
	out := map[string]int{nowhereLink: 1} // the first of every namespace
	for _, e := range r.enis {
		out[e.plan.name] = e.index
	}
	for _, w := range r.endpoints {
		out[w.plan.name] = w.index
	}
	for _, w := range r.peerings {
		out[w.name] = w.index
	}
	if r.wire != nil {
		out[igwLink] = r.wire.index
	}
	if r.egressOnly != nil {
		out[egressOnlyLink] = r.egressOnly.index
	}
	out[nowhereLink6] = r.nowhere6
	return out
}

// endpoint finds a gateway endpoint, nil if there is none.
func (r *router) endpoint(id resource.VPCEndpointID) *gatewayWire {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.endpoints[id]
}
