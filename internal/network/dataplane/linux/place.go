package linux

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/netns"
)

// A place is a hold on a namespace in which a process may sit: the common part of both kinds of attachment.
type place struct{ ns *netns.NS }

// FD is the namespace's descriptor, valid until Close.
func (p place) FD() int { return p.ns.FD() }

// Spawn runs f, which starts a process, in the namespace.
func (p place) Spawn(f func() error) error { return netns.Spawn(p.ns, f) }

// Listen opens a listener in the namespace.
func (p place) Listen(network, address string) (net.Listener, error) {
	n, err := oneFamily(network, address)
	if err != nil {
		return nil, err
	}
	return p.ns.Listen(n, address)
}

// ListenPacket opens a datagram socket in the namespace.
func (p place) ListenPacket(network, address string) (net.PacketConn, error) {
	n, err := oneFamily(network, address)
	if err != nil {
		return nil, err
	}
	return p.ns.ListenPacket(n, address)
}

// Dial connects from the namespace until the context ends.
func (p place) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	n, err := oneFamily(network, address)
	if err != nil {
		return nil, err
	}
	return p.ns.Dial(ctx, n, address)
}

// Close lets go of the namespace.
func (p place) Close() error { return p.ns.Close() }

// oneFamily narrows a network to the family of the address, which is a literal; one without host means IPv4.
func oneFamily(network, address string) (string, error) {
	family := "4"
	if host, err := netip.ParseAddrPort(address); err == nil && host.Addr().Is6() {
		family = "6"
	}
	switch network {
	case "tcp", "udp":
		return network + family, nil
	case "tcp4", "udp4", "tcp6", "udp6":
		return network, nil
	case "ip4:icmp", "ip6:ipv6-icmp":
		return network, nil
	}
	return "", fmt.Errorf("network %q is neither tcp nor udp", network)
}
