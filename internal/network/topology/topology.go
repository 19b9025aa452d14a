// Package topology is the network of a region as one immutable value.
//
// [Resolve] makes it from the desired state: every interface with its addresses and groups, every subnet with
// its effective routes and network ACL, every endpoint, gateway and name. Everything else reads it: the kernel
// driver, explain, DNS, diagrams, cost. It holds AWS's nouns only, no kernel numbers, and nothing in it refers
// to the state it came from. All slices are ordered, so that equal states give equal values.
//
// [Lookup] is what a resolver answers about a name; [Catalog] is what listens on the internet.
//
// # Review notes
//
//   - Resolve is total. A reference to something that is gone must end in less traffic, never in more: a rule is
//     left out, a route becomes a blackhole and still wins over shorter ones, an interface without groups passes
//     nothing.
//   - A new kind of resource that changes the network needs a case here, in explain and in the driver's plan. The
//     test that compares explain with the kernel (network/agree) must then generate it.
//   - No map order may reach a slice: the driver compares topologies, and people compare golden files.
//   - DNS is decided in Lookup only. The server (network/dns) and explain both ask it, so they cannot differ.
//   - Private DNS is on by AWS's rules or by the operator's option, and then PrivateDNSReason says so.
package topology

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// Topology is the resolved network at one revision.
type Topology struct {
	Revision uint64
	Region   string
	VPCs     []*VPC                               // ordered by id
	Services []*PublicService                     // what listens on the internet, ordered by name
	ENIs     map[resource.NetworkInterfaceID]*ENI // of all VPCs

	LoadBalancers []*LoadBalancer // of all VPCs, ordered by ARN

	// AssumePrivateDNS makes every interface endpoint behave as if private DNS were on. AWS does not.
	AssumePrivateDNS bool
}

// VPC is one isolated network. CIDRs of different VPCs may be equal.
type VPC struct {
	ID              resource.VPCID
	CIDRs           []netip.Prefix // IPv4; the first is the primary
	IPv6CIDRs       []netip.Prefix // may be empty
	DNSSupport      bool
	DNSHostnames    bool
	DomainName      string                         // us-west-2.compute.internal
	SearchDomain    string                         // what the DHCP options tell workloads to complete names with; empty: nothing
	Resolver        netip.Addr                     // primary CIDR + 2
	InternetGateway resource.InternetGatewayID     // empty: none attached
	EgressOnly      []resource.EgressOnlyGatewayID // ordered
	Subnets         []*Subnet                      // ordered by id
	ENIs            []*ENI                         // ordered by id
	SecurityGroups  []*SecurityGroup               // all of the VPC, ordered by id
	NetworkACLs     []*NetworkACL                  // all of the VPC, ordered by id
	PrefixLists     []*PrefixList                  // those that rules or routes of the VPC use, ordered by id
	NATGateways     []*NATGateway                  // available ones, ordered by id
	Endpoints       []*Endpoint                    // available ones, ordered by id
	Unaccepted      []*Endpoint                    // that wait for their service's acceptance or were rejected, ordered by id; nothing leads there
	Peerings        []*Peering                     // active ones, ordered by id
	PeerGroups      []*PeerGroup                   // groups of peered VPCs that rules of the VPC name, ordered by id
}

// Subnet is a range of addresses with one route table and one network ACL.
type Subnet struct {
	ID           resource.SubnetID
	CIDR         netip.Prefix
	IPv6CIDR     netip.Prefix // the zero value: none
	AZ           string
	RouteTableID resource.RouteTableID
	NetworkACLID resource.NetworkACLID
	// Routes are the effective ones, local routes first, then ordered by destination. None leads into the subnet
	// itself: packets inside a subnet do not look at its routes.
	Routes []Route
	// Shadowed are routes of the table that never apply, because another with the same destination wins.
	Shadowed []Route
}

// The kinds of route targets.
type TargetKind string

// A route leads to one of these.
const (
	TargetLocal           TargetKind = "local"
	TargetInternetGateway TargetKind = "internet-gateway"
	TargetEgressOnly      TargetKind = "egress-only-internet-gateway"
	TargetNATGateway      TargetKind = "nat-gateway"
	TargetENI             TargetKind = "network-interface"
	TargetGatewayEndpoint TargetKind = "gateway-endpoint"
	TargetPeering         TargetKind = "vpc-peering-connection"
)

// Route is one destination block of a subnet's table. A prefix-list route is one Route for each block.
type Route struct {
	Destination  netip.Prefix
	PrefixListID resource.PrefixListID // empty for CIDR routes
	Kind         TargetKind
	TargetID     string // id of the target; empty for local
	Blackhole    bool   // the target is gone or not usable: matching packets are dropped
}

// ENI is a network interface.
type ENI struct {
	ID        resource.NetworkInterfaceID
	VPCID     resource.VPCID
	SubnetID  resource.SubnetID
	Type      string       // resource.InterfaceType...
	Addresses []netip.Addr // private IPv4; the first is the primary
	IPv6      []netip.Addr // global addresses, the same inside the VPC and on the internet; may be empty
	MAC       string
	GroupIDs  []resource.SecurityGroupID // ordered. Empty only for NAT gateways, which have no groups, and where Unfiltered

	// Unfiltered interfaces have no groups and pass everything: those of load balancers that were made without.
	Unfiltered bool

	SourceDestCheck bool
	Public          []PublicAddress // ordered by private address
	Description     string
	ResourceName    ResourceName // of an instance's first interface, where its subnet wants one

	// Host is the first interface of the instance that this is a further one of: both are links of one machine. Empty for
	// all others.
	Host   resource.NetworkInterfaceID
	Device int // where Host is set: the device index, from 1
}

// ResourceName is a host name made of an instance's id.
type ResourceName struct {
	Label   string // i-0123456789abcdef0; empty: none
	A, AAAA bool   // which records it has
}

// Address is the primary private address.
func (e *ENI) Address() netip.Addr { return e.Addresses[0] }

// PublicAddress is the internet gateway's 1:1 translation of one private address.
type PublicAddress struct {
	Private netip.Addr
	Public  netip.Addr
}

// SecurityGroup is a stateful set of allow rules.
type SecurityGroup struct {
	ID      resource.SecurityGroupID
	Name    string
	Ingress []Rule       // ordered by rule id
	Egress  []Rule       // ordered by rule id
	Members []netip.Addr // private and IPv6 addresses of all interfaces that carry the group, ordered
}

// Rule allows traffic from (ingress) or to (egress) one peer.
type Rule struct {
	ID       resource.SecurityGroupRuleID
	Protocol int // IANA number or resource.AllProtocols
	FromPort int // TCP, UDP: first port. ICMP: type, -1 any
	ToPort   int // TCP, UDP: last port. ICMP: code, -1 any
	// Exactly one of:
	CIDR         netip.Prefix
	GroupID      resource.SecurityGroupID
	PrefixListID resource.PrefixListID
}

// NetworkACL is a stateless, ordered list. What no entry matches is denied.
type NetworkACL struct {
	ID      resource.NetworkACLID
	Default bool    // new subnets get it
	Ingress []Entry // ordered by number
	Egress  []Entry // ordered by number
}

// Entry is one entry of a network ACL.
type Entry struct {
	Number   int
	Allow    bool
	Protocol int
	CIDR     netip.Prefix
	FromPort int // TCP, UDP only
	ToPort   int
	ICMPType int // ICMP only; -1 any
	ICMPCode int
}

// PrefixList is a named set of blocks.
type PrefixList struct {
	ID       resource.PrefixListID
	Name     string
	Prefixes []netip.Prefix // ordered
}

// NATGateway translates to the primary address of its interface.
type NATGateway struct {
	ID       resource.NATGatewayID
	SubnetID resource.SubnetID
	ENI      resource.NetworkInterfaceID
	Public   bool // a private one drops what would go to an internet gateway
}

// Endpoint is a VPC endpoint in service.
type Endpoint struct {
	ID          resource.VPCEndpointID
	VPCID       resource.VPCID
	Type        string // resource.EndpointType...
	ServiceName string // com.amazonaws.us-west-2.s3
	Service     string // s3: Service of Services
	// Interface endpoints:
	ENIs []resource.NetworkInterfaceID // ordered by id
	// PrivateDNS: the service's own names resolve to the interfaces, for queries made in the VPC.
	PrivateDNS bool
	// PrivateDNSReason says in a few words why PrivateDNS is off ("private_dns_enabled is false"); empty if on.
	PrivateDNSReason string
	Names            []Name // the endpoint's own names, and the private ones if PrivateDNS
	// State is set of unaccepted ones only.
	State string
	// LoadBalancers are what an endpoint of an endpoint service leads to. Empty: to a service of AWS.
	LoadBalancers []resource.LoadBalancerARN
	// Gateway endpoints:
	PrefixListID  resource.PrefixListID
	Prefixes      []netip.Prefix
	RouteTableIDs []resource.RouteTableID
}

// Name maps a DNS name to addresses. A pattern "*.x" stands for every name below x, but not for x itself.
type Name struct {
	Pattern   string       // lower case, no final dot
	Addresses []netip.Addr // of both families
}

// PublicService is an AWS service's public face.
type PublicService struct {
	Service string // s3, ec2, lambda, sts, iam, logs
	Names   []Name // public names and addresses
	// ReachableOnly: packets get there, and every call is refused, because the region does not have the service.
	ReachableOnly bool
}

// VPC finds a VPC, nil if there is none.
func (t *Topology) VPC(id resource.VPCID) *VPC {
	return find(t.VPCs, func(v *VPC) bool { return v.ID == id })
}

// Subnet finds a subnet, nil if there is none.
func (v *VPC) Subnet(id resource.SubnetID) *Subnet {
	return find(v.Subnets, func(s *Subnet) bool { return s.ID == id })
}

// SecurityGroup finds a group, nil if there is none.
func (v *VPC) SecurityGroup(id resource.SecurityGroupID) *SecurityGroup {
	return find(v.SecurityGroups, func(g *SecurityGroup) bool { return g.ID == id })
}

// NetworkACL finds an ACL, nil if there is none.
func (v *VPC) NetworkACL(id resource.NetworkACLID) *NetworkACL {
	return find(v.NetworkACLs, func(n *NetworkACL) bool { return n.ID == id })
}

// PrefixList finds a prefix list, nil if there is none.
func (v *VPC) PrefixList(id resource.PrefixListID) *PrefixList {
	return find(v.PrefixLists, func(p *PrefixList) bool { return p.ID == id })
}

// Endpoint finds an endpoint, nil if there is none.
func (v *VPC) Endpoint(id resource.VPCEndpointID) *Endpoint {
	return find(v.Endpoints, func(e *Endpoint) bool { return e.ID == id })
}

// NATGateway finds a NAT gateway, nil if there is none.
func (v *VPC) NATGateway(id resource.NATGatewayID) *NATGateway {
	return find(v.NATGateways, func(n *NATGateway) bool { return n.ID == id })
}

// find returns the first that matches, nil if none does.
func find[T any](all []*T, matches func(*T) bool) *T {
	if i := slices.IndexFunc(all, matches); i >= 0 {
		return all[i]
	}
	return nil
}
