package resource

import (
	"net/netip"
	"time"
)

// InternetGateway joins one VPC to the internet, translating between private and public addresses 1:1.
type InternetGateway struct {
	ID    InternetGatewayID
	VPCID VPCID // empty while detached
	Tags  Tags
}

func (*InternetGateway) Kind() Kind    { return KindInternetGateway }
func (g *InternetGateway) Key() string { return string(g.ID) }

// EgressOnlyGateway lets a VPC's IPv6 addresses start connections to the internet and lets nobody start any to them.
type EgressOnlyGateway struct {
	ID    EgressOnlyGatewayID
	VPCID VPCID // always attached
	Tags  Tags
}

func (*EgressOnlyGateway) Kind() Kind    { return KindEgressOnlyGateway }
func (g *EgressOnlyGateway) Key() string { return string(g.ID) }

// Address is an Elastic IP address.
type Address struct {
	AllocationID       AllocationID
	PublicIP           netip.Addr
	AssociationID      string // eipassoc-; empty while not associated
	NetworkInterfaceID NetworkInterfaceID
	PrivateIP          netip.Addr // which address of that interface
	Tags               Tags
	// AutoAssigned addresses come and go with a running instance. They are no Elastic IP addresses: nobody can
	// describe, move or release them, and their AllocationID is no such id.
	AutoAssigned bool
}

func (*Address) Kind() Kind    { return KindAddress }
func (a *Address) Key() string { return string(a.AllocationID) }

// NATGateway translates private addresses to its own; public ones reach the internet through an Address.
type NATGateway struct {
	ID                 NATGatewayID
	VPCID              VPCID
	SubnetID           SubnetID
	Public             bool
	NetworkInterfaceID NetworkInterfaceID
	AllocationID       AllocationID // public only
	State              string       // pending, failed, available, deleting, deleted
	FailureCode        string
	FailureMessage     string
	CreateTime         time.Time
	DeleteTime         time.Time // zero until deleted
	Tags               Tags
}

func (*NATGateway) Kind() Kind    { return KindNATGateway }
func (n *NATGateway) Key() string { return string(n.ID) }

// The interface types, as on the wire.
const (
	InterfaceTypeInterface   = "interface"
	InterfaceTypeNATGateway  = "nat_gateway"
	InterfaceTypeVPCEndpoint = "vpc_endpoint"
	InterfaceTypeLambda      = "lambda"
)

// NetworkInterface is an ENI.
type NetworkInterface struct {
	ID               NetworkInterfaceID
	VPCID            VPCID
	SubnetID         SubnetID
	AvailabilityZone string
	Description      string
	InterfaceType    string
	PrivateIPs       []netip.Addr // IPv4; the first is the primary
	IPv6Addresses    []netip.Addr // global ones, in the subnet's IPv6 block; may be empty
	MAC              string       // 02:xx:...
	GroupIDs         []SecurityGroupID
	SourceDestCheck  bool
	RequesterManaged bool
	RequesterID      string
	Attachment       *Attachment // nil while available
	Tags             Tags
}

func (*NetworkInterface) Kind() Kind    { return KindNetworkInterface }
func (n *NetworkInterface) Key() string { return string(n.ID) }

// PrimaryIP is the interface's primary private address.
func (n *NetworkInterface) PrimaryIP() netip.Addr { return n.PrivateIPs[0] }

// Attachment says what holds an interface.
type Attachment struct {
	ID                  string     // eni-attach- or ela-attach-
	InstanceOwnerID     string     // amazon-aws for services
	InstanceID          InstanceID // empty for services
	DeviceIndex         int
	AttachTime          time.Time
	DeleteOnTermination bool
}
