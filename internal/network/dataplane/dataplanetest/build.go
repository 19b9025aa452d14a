// Package dataplanetest helps to test data planes: it builds topologies by hand, and finds out with real
// packets who reaches whom.
//
// It never decides what should be reachable; that is for the test, or for network/explain. Ids are made from
// the names given: VPC "a" is vpc-a, its group "web" is sg-web. Names must be unique in a region.
package dataplanetest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// A Region is a topology in the making. Change it and take another [Region.Topology] as often as you like: each
// is a value of its own.
type Region struct {
	Services []*topology.PublicService
	vpcs     []*VPC
	revision uint64
}

// A VPC is one in the making. Its fields may be changed directly.
type VPC struct {
	topology.VPC
	region *Region
}

// Service adds a public service that has the addresses under the name.
func (r *Region) Service(service, name string, addresses ...string) *topology.PublicService {
	s := &topology.PublicService{Service: service, Names: []topology.Name{{Pattern: name, Addresses: addrs(addresses)}}}
	r.Services = append(r.Services, s)
	return s
}

// VPC adds a VPC with one block. It has a group "sg-<name>-open" that allows everything, and a network ACL
// "acl-<name>" that does.
func (r *Region) VPC(name, cidr string) *VPC {
	p := netip.MustParsePrefix(cidr)
	v := &VPC{region: r, VPC: topology.VPC{
		ID: resource.VPCID("vpc-" + name), CIDRs: []netip.Prefix{p}, DNSSupport: true, DNSHostnames: true,
		DomainName: "us-west-2.compute.internal", Resolver: p.Masked().Addr().Next().Next(),
	}}
	r.vpcs = append(r.vpcs, v)
	v.Group(name+"-open", []topology.Rule{Allow(resource.AllProtocols, -1, -1, "0.0.0.0/0")}, []topology.Rule{Allow(resource.AllProtocols, -1, -1, "0.0.0.0/0")})
	v.ACL(name, []topology.Entry{Entry(100, true, resource.AllProtocols, -1, -1, "0.0.0.0/0")}, []topology.Entry{Entry(100, true, resource.AllProtocols, -1, -1, "0.0.0.0/0")})
	return v
}

// Remove takes a VPC out of the region.
func (r *Region) Remove(v *VPC) {
	r.vpcs = slices.DeleteFunc(r.vpcs, func(o *VPC) bool { return o == v })
}

// Attach gives the VPC an internet gateway, igw-<name>.
func (v *VPC) Attach(name string) {
	v.InternetGateway = resource.InternetGatewayID("igw-" + name)
}

// Open is the id of the group that allows everything.
func (v *VPC) Open() resource.SecurityGroupID { return v.SecurityGroups[0].ID }

// Subnet adds a subnet with the local route and the VPC's first network ACL.
func (v *VPC) Subnet(name, cidr string) *topology.Subnet {
	s := &topology.Subnet{ID: resource.SubnetID("subnet-" + name), CIDR: netip.MustParsePrefix(cidr), AZ: "us-west-2a",
		RouteTableID: resource.RouteTableID("rtb-" + name), NetworkACLID: v.NetworkACLs[0].ID}
	for _, c := range slices.Concat(v.CIDRs, v.IPv6CIDRs) {
		s.Routes = append(s.Routes, topology.Route{Destination: c, Kind: topology.TargetLocal})
	}
	v.Subnets = append(v.Subnets, s)
	return s
}

// RouteTo gives the subnet a route. It replaces one with the same destination.
func RouteTo(s *topology.Subnet, destination string, kind topology.TargetKind, target string) {
	DropRoute(s, destination)
	s.Routes = append(slices.Clone(s.Routes), topology.Route{Destination: netip.MustParsePrefix(destination), Kind: kind, TargetID: target})
}

// DropRoute takes a route from the subnet.
func DropRoute(s *topology.Subnet, destination string) {
	p := netip.MustParsePrefix(destination)
	s.Routes = slices.DeleteFunc(slices.Clone(s.Routes), func(r topology.Route) bool { return r.Destination == p })
}

// Group adds a security group.
func (v *VPC) Group(name string, ingress, egress []topology.Rule) *topology.SecurityGroup {
	g := &topology.SecurityGroup{ID: resource.SecurityGroupID("sg-" + name), Name: name, Ingress: ingress, Egress: egress}
	v.SecurityGroups = append(v.SecurityGroups, g)
	return g
}

// ACL adds a network ACL.
func (v *VPC) ACL(name string, ingress, egress []topology.Entry) *topology.NetworkACL {
	a := &topology.NetworkACL{ID: resource.NetworkACLID("acl-" + name), Ingress: ingress, Egress: egress}
	v.NetworkACLs = append(v.NetworkACLs, a)
	return a
}

// PrefixList adds a prefix list.
func (v *VPC) PrefixList(name string, blocks ...string) *topology.PrefixList {
	l := &topology.PrefixList{ID: resource.PrefixListID("pl-" + name), Name: name, Prefixes: prefixes(blocks)}
	v.PrefixLists = append(v.PrefixLists, l)
	return l
}

// ENI adds an interface. Without groups it gets the open one.
func (v *VPC) ENI(name string, s *topology.Subnet, address string, groups ...resource.SecurityGroupID) *topology.ENI {
	if len(groups) == 0 {
		groups = []resource.SecurityGroupID{v.Open()}
	}
	a := netip.MustParseAddr(address)
	b := a.As4()
	e := &topology.ENI{ID: resource.NetworkInterfaceID("eni-" + name), VPCID: v.ID, SubnetID: s.ID,
		Type: resource.InterfaceTypeInterface, Addresses: []netip.Addr{a}, GroupIDs: groups, SourceDestCheck: true,
		MAC: fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3])}
	v.ENIs = append(v.ENIs, e)
	return e
}

// RemoveENI takes an interface out of the VPC.
func (v *VPC) RemoveENI(e *topology.ENI) {
	v.ENIs = slices.DeleteFunc(v.ENIs, func(o *topology.ENI) bool { return o == e })
}

// Associate gives the interface's primary address a public one.
func Associate(e *topology.ENI, public string) {
	e.Public = []topology.PublicAddress{{Private: e.Address(), Public: netip.MustParseAddr(public)}}
}

// NATGateway adds one with an interface in the subnet; public may be empty for a private one.
func (v *VPC) NATGateway(name string, s *topology.Subnet, address, public string) *topology.NATGateway {
	e := v.ENI(name, s, address)
	e.Type, e.GroupIDs = resource.InterfaceTypeNATGateway, nil
	if public != "" {
		Associate(e, public)
	}
	n := &topology.NATGateway{ID: resource.NATGatewayID("nat-" + name), SubnetID: s.ID, ENI: e.ID, Public: public != ""}
	v.NATGateways = append(v.NATGateways, n)
	return n
}

// GatewayEndpoint adds one that owns a prefix list, with routes in the subnets.
func (v *VPC) GatewayEndpoint(name string, l *topology.PrefixList, subnets ...*topology.Subnet) *topology.Endpoint {
	e := &topology.Endpoint{ID: resource.VPCEndpointID("vpce-" + name), VPCID: v.ID, Type: resource.EndpointTypeGateway,
		ServiceName: "com.amazonaws.us-west-2.s3", Service: "s3", PrefixListID: l.ID, Prefixes: l.Prefixes}
	v.Endpoints = append(v.Endpoints, e)
	for _, s := range subnets {
		for _, p := range l.Prefixes {
			s.Routes = append(slices.Clone(s.Routes), topology.Route{Destination: p, PrefixListID: l.ID, Kind: topology.TargetGatewayEndpoint, TargetID: string(e.ID)})
		}
	}
	return e
}

// Peer joins two VPCs by an active peering connection, pcx-<name>. Routes to it are for the caller to make.
func Peer(name string, a, b *VPC) resource.PeeringID {
	id := resource.PeeringID("pcx-" + name)
	a.Peerings = append(a.Peerings, &topology.Peering{ID: id, PeerVPCID: b.ID, PeerCIDRs: slices.Concat(b.CIDRs, b.IPv6CIDRs)})
	b.Peerings = append(b.Peerings, &topology.Peering{ID: id, PeerVPCID: a.ID, PeerCIDRs: slices.Concat(a.CIDRs, a.IPv6CIDRs)})
	return id
}

// Unpeer takes a peering connection from both of its VPCs. Routes to it stay, as they do in AWS.
func (r *Region) Unpeer(id resource.PeeringID) {
	for _, v := range r.vpcs {
		v.Peerings = slices.DeleteFunc(slices.Clone(v.Peerings), func(p *topology.Peering) bool { return p.ID == id })
	}
}

// Allow is a rule. The peer is a block, a group (sg-...) or a prefix list (pl-...).
func Allow(protocol, from, to int, peer string) topology.Rule {
	r := topology.Rule{ID: resource.SecurityGroupRuleID(fmt.Sprintf("sgr-%d-%d-%d-%s", protocol, from, to, peer)), Protocol: protocol, FromPort: from, ToPort: to}
	switch {
	case strings.HasPrefix(peer, "sg-"):
		r.GroupID = resource.SecurityGroupID(peer)
	case strings.HasPrefix(peer, "pl-"):
		r.PrefixListID = resource.PrefixListID(peer)
	default:
		r.CIDR = netip.MustParsePrefix(peer)
	}
	return r
}

// Entry is an entry of a network ACL. For ICMP (1) and ICMPv6 (58) the ports are type and code.
func Entry(number int, allow bool, protocol, from, to int, cidr string) topology.Entry {
	e := topology.Entry{Number: number, Allow: allow, Protocol: protocol, CIDR: netip.MustParsePrefix(cidr)}
	if protocol == 1 || protocol == 58 {
		e.ICMPType, e.ICMPCode = from, to
	} else {
		e.FromPort, e.ToPort = from, to
	}
	return e
}

// Topology is the region as it is now. Nothing in it changes when the region does.
func (r *Region) Topology() *topology.Topology {
	r.revision++
	t := &topology.Topology{Revision: r.revision, Region: "us-west-2", ENIs: map[resource.NetworkInterfaceID]*topology.ENI{}}
	t.Services = clones(r.Services)
	for _, v := range r.vpcs {
		c := v.VPC
		c.Subnets, c.ENIs, c.SecurityGroups = clones(c.Subnets), clones(c.ENIs), clones(c.SecurityGroups)
		c.NetworkACLs, c.PrefixLists = clones(c.NetworkACLs), clones(c.PrefixLists)
		c.NATGateways, c.Endpoints = clones(c.NATGateways), clones(c.Endpoints)
		sortByID(&c)
		for _, g := range c.SecurityGroups {
			g.Members = members(&c, g.ID)
		}
		for _, e := range c.ENIs {
			t.ENIs[e.ID] = e
		}
		c.Peerings = clones(c.Peerings)
		t.VPCs = append(t.VPCs, &c)
	}
	for _, v := range t.VPCs {
		v.PeerGroups = nil
		for _, p := range v.Peerings {
			for _, g := range t.VPC(p.PeerVPCID).SecurityGroups {
				v.PeerGroups = append(v.PeerGroups, &topology.PeerGroup{ID: g.ID, VPCID: p.PeerVPCID, Members: g.Members})
			}
		}
	}
	slices.SortFunc(t.VPCs, func(a, b *topology.VPC) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return t
}

func sortByID(v *topology.VPC) {
	slices.SortFunc(v.Subnets, func(a, b *topology.Subnet) int { return strings.Compare(string(a.ID), string(b.ID)) })
	slices.SortFunc(v.ENIs, func(a, b *topology.ENI) int { return strings.Compare(string(a.ID), string(b.ID)) })
	slices.SortFunc(v.SecurityGroups, func(a, b *topology.SecurityGroup) int { return strings.Compare(string(a.ID), string(b.ID)) })
	slices.SortFunc(v.NetworkACLs, func(a, b *topology.NetworkACL) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for _, s := range v.Subnets {
		s.Routes = slices.Clone(s.Routes)
		slices.SortStableFunc(s.Routes, compareRoutes)
	}
}

func compareRoutes(a, b topology.Route) int {
	if local := topology.TargetLocal; (a.Kind == local) != (b.Kind == local) {
		if a.Kind == local {
			return -1
		}
		return 1
	}
	return a.Destination.Compare(b.Destination)
}

func members(v *topology.VPC, id resource.SecurityGroupID) []netip.Addr {
	var out []netip.Addr
	for _, e := range v.ENIs {
		if slices.Contains(e.GroupIDs, id) {
			out = append(out, e.All()...)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}

func clones[T any](in []*T) []*T {
	out := make([]*T, len(in))
	for i, p := range in {
		c := *p
		out[i] = &c
	}
	return out
}

func addrs(in []string) (out []netip.Addr) {
	for _, s := range in {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func prefixes(in []string) (out []netip.Prefix) {
	for _, s := range in {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// First is the VPC that was added first.
func (r *Region) First() *VPC { return r.vpcs[0] }
