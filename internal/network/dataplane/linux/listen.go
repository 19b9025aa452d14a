package linux

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
)

// A listener is an open socket at a place, closed when the place goes.
type listener struct {
	io.Closer
	ns *netns.NS
}

// Listen opens a listener inside the network.
func (d *Driver) Listen(_ context.Context, at dataplane.Place, network string, port uint16) (net.Listener, error) {
	ns, address, err := d.find(at)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	address = net.JoinHostPort(address, strconv.Itoa(int(port)))
	if network, err = oneFamily(network, address); err != nil {
		return nil, err
	}
	l, err := ns.Listen(network, address)
	if err != nil {
		return nil, fmt.Errorf("listen in %s: %w", ns.Name(), err)
	}
	tracked := &listener{l, ns}
	if err := d.track(at, tracked); err != nil {
		return nil, err
	}
	return &streamListener{l, func() { d.untrack(at, tracked) }}, nil
}

// ListenPacket is Listen for datagrams.
func (d *Driver) ListenPacket(_ context.Context, at dataplane.Place, network string, port uint16) (net.PacketConn, error) {
	ns, address, err := d.find(at)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	address = net.JoinHostPort(address, strconv.Itoa(int(port)))
	if network, err = oneFamily(network, address); err != nil {
		return nil, err
	}
	c, err := ns.ListenPacket(network, address)
	if err != nil {
		return nil, fmt.Errorf("listen in %s: %w", ns.Name(), err)
	}
	tracked := &listener{c, ns}
	if err := d.track(at, tracked); err != nil {
		return nil, err
	}
	return &packetListener{c, func() { d.untrack(at, tracked) }}, nil
}

// find gives the namespace of a place and the address to listen at; empty for all.
func (d *Driver) find(at dataplane.Place) (*netns.NS, string, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.findLocked(at)
}

func (d *Driver) findLocked(at dataplane.Place) (*netns.NS, string, error) {
	switch {
	case d.closed:
		return nil, "", errDriverClosed
	case at.ENI != "":
		if r := d.routers[d.homes[at.ENI]]; r != nil {
			if e := r.eni(at.ENI); e != nil {
				return e.ns, e.address.String(), nil
			}
		}
		return nil, "", fmt.Errorf("interface %s is not in the network", at.ENI)
	case at.GatewayEndpoint != "":
		if r := d.routers[d.gateways[at.GatewayEndpoint]]; r != nil {
			if w := r.endpoint(at.GatewayEndpoint); w != nil {
				return w.ns, "0.0.0.0", nil
			}
		}
		return nil, "", fmt.Errorf("gateway endpoint %s is not in the network", at.GatewayEndpoint)
	case at.VPC != "":
		r := d.routers[at.VPC]
		if r == nil || !at.Resolver.Is4() || !r.answers(at.Resolver) {
			return nil, "", fmt.Errorf("resolver %s of %s is not in the network", at.Resolver, at.VPC)
		}
		return r.ns, at.Resolver.String(), nil
	case at.Internet.IsValid():
		if !d.internet.has(at.Internet) {
			return nil, "", fmt.Errorf("address %s is not on the internet", at.Internet)
		}
		return d.internet.ns, at.Internet.String(), nil
	}
	return nil, "", fmt.Errorf("a place without a name")
}

// track keeps the listener with its place, unless the place went while the socket was opened.
func (d *Driver) track(at dataplane.Place, l *listener) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	ns, _, err := d.findLocked(at)
	if err == nil && ns != l.ns {
		err = fmt.Errorf("its place was replaced")
	}
	if err != nil {
		l.Close()
		return fmt.Errorf("listen: %w", err)
	}
	if d.listeners[at] == nil {
		d.listeners[at] = map[*listener]struct{}{}
	}
	d.listeners[at][l] = struct{}{}
	return nil
}

func (d *Driver) untrack(at dataplane.Place, l *listener) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.listeners[at], l)
	if len(d.listeners[at]) == 0 {
		delete(d.listeners, at)
	}
}

// closeLostLocked closes the listeners whose place is gone.
func (d *Driver) closeLostLocked() {
	for at, all := range d.listeners {
		ns, _, err := d.findLocked(at)
		for l := range all {
			if err != nil || l.ns != ns {
				l.Close()
				delete(all, l)
			}
		}
		if len(all) == 0 {
			delete(d.listeners, at)
		}
	}
}

// streamListener tells the driver when it is closed.
type streamListener struct {
	net.Listener
	closed func()
}

// Close stops listening.
func (l *streamListener) Close() error {
	l.closed()
	return l.Listener.Close()
}

// packetListener tells the driver when it is closed.
type packetListener struct {
	net.PacketConn
	closed func()
}

// Close closes the socket.
func (c *packetListener) Close() error {
	c.closed()
	return c.PacketConn.Close()
}

// answers reports whether the address is one of the router's resolvers.
func (r *router) answers(a netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, own := range r.resolvers {
		if own == a {
			return true
		}
	}
	return false
}
