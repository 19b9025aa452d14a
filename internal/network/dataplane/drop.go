package dataplane

import (
	"net/netip"
	"time"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// Stage is where on its way a packet was dropped.
type Stage string

// The stages that tell.
const (
	StageSource      Stage = "source-check"      // the interface may not send from that address
	StageGroups      Stage = "security-groups"   // no rule of the interface's groups allows it
	StageACL         Stage = "network-acl"       // an entry of the subnet's network ACL denies it
	StageDestination Stage = "destination-check" // the interface takes nothing for that address
	StageGateway     Stage = "internet-gateway"  // there is no public address to translate to
	StageRoute       Stage = "route-table"       // no route, a black hole, or an address that nobody has
)

// Drop is a packet that did not pass, and what decided that.
type Drop struct {
	VPC resource.VPCID
	// ENI is the interface whose rules decided; empty: something else than an interface sent the packet.
	ENI resource.NetworkInterfaceID
	// Sender is the interface that the packet came from; empty: something else.
	Sender resource.NetworkInterfaceID
	Stage  Stage
	Egress bool // the packet was leaving the interface
	// Of StageACL only. Entry is a number, * for the end of the list, or none where the ACL is not there.
	ACL   resource.NetworkACLID
	Entry string

	Time                time.Time
	Protocol            int
	Source, Destination netip.AddrPort // port 0 where the protocol has none
	ICMPType, ICMPCode  int
	TCPFlags            uint8
	Bytes               int
}
