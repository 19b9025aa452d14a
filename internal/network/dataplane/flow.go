package dataplane

import (
	"net/netip"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Flow is what passed the router of a VPC in one direction, since it was last told of: packets that came in by one
// link, went out by another, and have addresses and ports in common. Addresses are those inside the VPC: behind the
// translation of an internet gateway.
type Flow struct {
	VPC     resource.VPCID
	Network *topology.VPC // in which it passed
	From    Link
	To      Link

	Protocol            int
	Source, Destination netip.AddrPort // port 0 but for TCP and UDP
	Packets, Bytes      uint64         // of IP, headers included
	TCPFlags            uint8          // of all packets, ORed, as in the header: FIN 1, SYN 2, RST 4, ACK 16. ACK is set where it came with SYN only
	First, Last         time.Time      // First is no later, and as early as the flow was looked for before
}

// Link is a link of a router. One field is set; none of a link that nothing is known of.
type Link struct {
	ENI             resource.NetworkInterfaceID
	InternetGateway resource.InternetGatewayID
	EgressOnly      resource.EgressOnlyGatewayID // the first of a VPC's: they share a link
	GatewayEndpoint resource.VPCEndpointID
	Peering         resource.PeeringID
}
