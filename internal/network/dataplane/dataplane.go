// Package dataplane is the contract between the topology and whatever makes it real.
//
// The one implementation is dataplane/linux. A driver is given whole topologies, never differences, and makes
// the network match; being given the same one twice is fine. Until a topology has been applied, what it would
// allow does not pass: a driver fails closed.
package dataplane

import (
	"context"
	"net"
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Driver makes a topology real.
type Driver interface {
	// Apply makes the network match. On error everything that could not be made is closed, not open.
	Apply(context.Context, *topology.Topology) error
	// Attach makes a place for a process behind an interface of the applied topology.
	Attach(context.Context, Seat) (Attachment, error)
	// Listen opens a listener inside the network of the applied topology. It stays open until it is closed or
	// its place is removed.
	Listen(ctx context.Context, at Place, network string, port uint16) (net.Listener, error)
	// ListenPacket is Listen for datagrams.
	ListenPacket(ctx context.Context, at Place, network string, port uint16) (net.PacketConn, error)
	// Stats counts what crossed the gateways since they were made.
	Stats(context.Context) (Stats, error)
	// Close removes everything. Attachments and listeners are gone afterwards.
	Close() error
}

// Seat says where a process is to sit.
type Seat struct {
	// ENI is the interface. Empty: on the internet side, as a function that is not in a VPC.
	ENI resource.NetworkInterfaceID
	// Shared seats are the way of Lambda: any number of processes, each with a namespace of its own, share the
	// interface's address by translation and cannot be reached from outside. The namespace has 169.254.100.1
	// on its loopback. Seats on the internet side are always shared. Otherwise the process sits in the
	// interface's own namespace and may listen there; of a further interface of an instance, that is its first one's.
	Shared bool
	// IPv6 gives a seat on the internet side an IPv6 address, too. A function that is in no VPC has none. Shared seats of an
	// interface have one if the interface has.
	IPv6 bool
	// Metadata makes a place of an instance's: 169.254.169.254 is on its loopback, what is sent to port 80 there arrives
	// at MetadataListener and never leaves, and ports below 1024 need no privilege. Not for shared seats.
	Metadata bool
}

// MetadataListener is where the metadata service of an instance listens. On port 80 itself it would keep the instance
// from listening there on all its addresses.
const MetadataListener = "169.254.169.254:1"

// Attachment is a place for a process.
type Attachment interface {
	// FD is a network namespace; valid until Close.
	FD() int
	// Spawn runs f, which starts a process, in the namespace, on a thread that outlives the process.
	Spawn(f func() error) error
	// Listen opens a listener in the namespace. The address is a literal.
	Listen(network, address string) (net.Listener, error)
	// Dial connects from the namespace. The address is a literal.
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	// ListenPacket opens a datagram socket in the namespace.
	ListenPacket(network, address string) (net.PacketConn, error)
	// Close lets go of the place.
	Close() error
}

// Place is where something listens inside the network. Exactly one of the groups below is set.
type Place struct {
	// An interface endpoint's (or any other) interface: connections to its addresses.
	ENI resource.NetworkInterfaceID
	// A gateway endpoint: connections to any address of its prefix list, through it.
	GatewayEndpoint resource.VPCEndpointID
	// The resolver of a VPC, at one of its two addresses.
	VPC      resource.VPCID
	Resolver netip.Addr
	// A public service address on the internet.
	Internet netip.Addr
}

// Stats are counters of packets and bytes.
type Stats struct {
	InternetGateways map[resource.InternetGatewayID]Counters
	NATGateways      map[resource.NATGatewayID]Counters
	GatewayEndpoints map[resource.VPCEndpointID]Counters
	ENIs             map[resource.NetworkInterfaceID]Counters
}

// Counters count IP packets and their bytes, in both directions as seen from the VPC's side; of an interface, as seen by who sits behind it.
type Counters struct {
	OutPackets, OutBytes uint64 // from the VPC, or sent by the interface
	InPackets, InBytes   uint64 // towards the VPC, or got by the interface
}
