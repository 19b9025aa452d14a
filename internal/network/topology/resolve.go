package topology

import (
	"cmp"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Options are choices of the operator that AWS does not offer.
type Options struct {
	// AssumePrivateDNS lets every interface endpoint answer for its service's own names.
	AssumePrivateDNS bool
}

// Resolve makes the network of a state. It is pure and total: what a resource refers to and is not there is
// left out or, for a route, a blackhole.
func Resolve(r state.Reader, o Options) *Topology {
	t := &Topology{
		Revision:         r.Revision(),
		Region:           r.Region(),
		Services:         Catalog(r.Region()),
		ENIs:             map[resource.NetworkInterfaceID]*ENI{},
		AssumePrivateDNS: o.AssumePrivateDNS,
	}
	in := gather(r)
	for _, v := range state.List[*resource.VPC](r) {
		if len(v.CIDRs) == 0 {
			continue
		}
		vpc := in.resolveVPC(v, o)
		for _, e := range vpc.ENIs {
			t.ENIs[e.ID] = e
		}
		t.VPCs = append(t.VPCs, vpc)
	}
	for _, vpc := range t.VPCs {
		t.addPeerGroups(vpc)
	}
	t.addLoadBalancers(r)
	return t
}

// inputs is the state, read once and sorted by VPC where that saves going over it again.
type inputs struct {
	reader       state.Reader
	subnets      map[resource.VPCID][]*resource.Subnet
	tables       map[resource.VPCID][]*resource.RouteTable
	groups       map[resource.VPCID][]*resource.SecurityGroup
	acls         map[resource.VPCID][]*resource.NetworkACL
	interfaces   map[resource.VPCID][]*resource.NetworkInterface
	natGateways  map[resource.VPCID][]*resource.NATGateway
	endpoints    map[resource.VPCID][]*resource.VPCEndpoint
	peerings     map[resource.VPCID][]*resource.VPCPeeringConnection
	gateways     map[resource.VPCID]resource.InternetGatewayID
	egressOnly   map[resource.VPCID][]resource.EgressOnlyGatewayID
	addresses    map[resource.NetworkInterfaceID][]*resource.Address
	awsLists     map[string]*resource.PrefixList // by name: com.amazonaws.us-west-2.s3
	awsListsByID map[resource.PrefixListID]*resource.PrefixList
	shadowed     map[resource.RouteTableID][]Route // routes that never apply
}

func gather(r state.Reader) *inputs {
	in := &inputs{
		reader:       r,
		subnets:      byVPC(r, func(s *resource.Subnet) resource.VPCID { return s.VPCID }),
		tables:       byVPC(r, func(t *resource.RouteTable) resource.VPCID { return t.VPCID }),
		groups:       byVPC(r, func(g *resource.SecurityGroup) resource.VPCID { return g.VPCID }),
		acls:         byVPC(r, func(n *resource.NetworkACL) resource.VPCID { return n.VPCID }),
		interfaces:   byVPC(r, func(n *resource.NetworkInterface) resource.VPCID { return n.VPCID }),
		natGateways:  byVPC(r, func(n *resource.NATGateway) resource.VPCID { return n.VPCID }),
		endpoints:    byVPC(r, func(e *resource.VPCEndpoint) resource.VPCID { return e.VPCID }),
		peerings:     peeringsByVPC(r),
		gateways:     map[resource.VPCID]resource.InternetGatewayID{},
		egressOnly:   map[resource.VPCID][]resource.EgressOnlyGatewayID{},
		addresses:    map[resource.NetworkInterfaceID][]*resource.Address{},
		awsLists:     map[string]*resource.PrefixList{},
		shadowed:     map[resource.RouteTableID][]Route{},
		awsListsByID: map[resource.PrefixListID]*resource.PrefixList{},
	}
	for _, g := range state.List[*resource.InternetGateway](r) {
		if g.VPCID != "" && in.gateways[g.VPCID] == "" {
			in.gateways[g.VPCID] = g.ID
		}
	}
	for _, g := range state.List[*resource.EgressOnlyGateway](r) {
		in.egressOnly[g.VPCID] = append(in.egressOnly[g.VPCID], g.ID)
	}
	for _, a := range state.List[*resource.Address](r) {
		if id := in.holder(a); id != "" && a.PublicIP.Is4() {
			in.addresses[id] = append(in.addresses[id], a)
		}
	}
	// The lists in the state come second: they are newer than those this program was made with.
	lists := AWSPrefixLists(r.Region())
	lists = append(lists, state.Select(r, func(p *resource.PrefixList) bool { return p.AWSManaged })...)
	for _, p := range lists {
		in.awsLists[p.Name] = p
		in.awsListsByID[p.ID] = p
	}
	return in
}

func byVPC[T state.Resource](r state.Reader, vpc func(T) resource.VPCID) map[resource.VPCID][]T {
	out := map[resource.VPCID][]T{}
	for _, v := range state.List[T](r) {
		out[vpc(v)] = append(out[vpc(v)], v)
	}
	return out
}

// holder is the interface that an Elastic IP address is associated with. That of a NAT gateway is also known
// from the gateway.
func (in *inputs) holder(a *resource.Address) resource.NetworkInterfaceID {
	if a.NetworkInterfaceID != "" {
		return a.NetworkInterfaceID
	}
	for _, gateways := range in.natGateways {
		for _, n := range gateways {
			if n.Public && n.AllocationID == a.AllocationID && n.State == stateAvailable {
				return n.NetworkInterfaceID
			}
		}
	}
	return ""
}

// stateAvailable is the wire form of the state in which NAT gateways and endpoints are in service.
const stateAvailable = "available"

// resolveVPC puts one VPC together. The order matters: routes need the interfaces, gateways and endpoints.
func (in *inputs) resolveVPC(v *resource.VPC, o Options) *VPC {
	vpc := &VPC{
		ID:              v.ID,
		DNSSupport:      v.EnableDNSSupport,
		DNSHostnames:    v.EnableDNSHostnames,
		DomainName:      domainName(in.reader.Region()),
		Resolver:        v.CIDR().Masked().Addr().Next().Next(),
		InternetGateway: in.gateways[v.ID],
		EgressOnly:      slices.Sorted(slices.Values(in.egressOnly[v.ID])),
		CIDRs:           blocks(v.CIDRs),
		IPv6CIDRs:       blocks(v.IPv6CIDRs),
	}
	if d, ok := state.Get[*resource.DHCPOptions](in.reader, v.DHCPOptionsID); ok {
		vpc.SearchDomain = strings.Join(d.Options["domain-name"], " ")
	}
	used := prefixListUse{}
	in.addPeerings(vpc)
	in.addENIs(vpc)
	in.addSecurityGroups(vpc, used)
	in.addNetworkACLs(vpc)
	in.addNATGateways(vpc)
	in.addEndpoints(vpc, o)
	in.addSubnets(vpc, used)
	in.addPrefixLists(vpc, used)
	return vpc
}

// domainName is the zone of private host names. It differs in the oldest region.
func domainName(region string) string {
	if region == "us-east-1" {
		return "ec2.internal"
	}
	return region + ".compute.internal"
}

func (in *inputs) addENIs(vpc *VPC) {
	for _, n := range in.interfaces[vpc.ID] {
		subnet, ok := state.Get[*resource.Subnet](in.reader, n.SubnetID)
		if !ok || subnet.VPCID != vpc.ID || len(n.PrivateIPs) == 0 {
			continue
		}
		vpc.ENIs = append(vpc.ENIs, &ENI{
			ID:              n.ID,
			VPCID:           vpc.ID,
			SubnetID:        n.SubnetID,
			Type:            n.InterfaceType,
			Addresses:       slices.Clone(n.PrivateIPs),
			IPv6:            ipv6Of(n, subnet),
			MAC:             n.MAC,
			GroupIDs:        in.groupsOf(n),
			SourceDestCheck: n.SourceDestCheck,
			Public:          in.publicAddresses(n),
			Description:     n.Description,
			Unfiltered:      n.InterfaceType == resource.InterfaceTypeLoadBalancer && len(n.GroupIDs) == 0,
			ResourceName:    resourceName(n, subnet),
		})
	}
	in.addHosts(vpc)
}

// groupsOf leaves out groups that are gone. An interface that is left without any passes nothing.
func (in *inputs) groupsOf(n *resource.NetworkInterface) []resource.SecurityGroupID {
	if n.InterfaceType == resource.InterfaceTypeNATGateway {
		return nil
	}
	var out []resource.SecurityGroupID
	for _, id := range n.GroupIDs {
		if g, ok := state.Get[*resource.SecurityGroup](in.reader, id); ok && g.VPCID == n.VPCID {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// publicAddresses are the associations, whether or not an internet gateway is there to honour them: see
// VPC.InternetGateway for that.
func (in *inputs) publicAddresses(n *resource.NetworkInterface) []PublicAddress {
	var out []PublicAddress
	for _, a := range in.addresses[n.ID] {
		private := a.PrivateIP
		if !private.IsValid() {
			private = n.PrimaryIP()
		}
		taken := slices.ContainsFunc(out, func(p PublicAddress) bool { return p.Private == private })
		if slices.Contains(n.PrivateIPs, private) && !taken {
			out = append(out, PublicAddress{Private: private, Public: a.PublicIP})
		}
	}
	slices.SortFunc(out, func(a, b PublicAddress) int { return a.Private.Compare(b.Private) })
	return out
}

func (in *inputs) addNATGateways(vpc *VPC) {
	for _, n := range in.natGateways[vpc.ID] {
		if n.State != stateAvailable || !vpc.has(n.NetworkInterfaceID) {
			continue
		}
		vpc.NATGateways = append(vpc.NATGateways, &NATGateway{
			ID: n.ID, SubnetID: n.SubnetID, ENI: n.NetworkInterfaceID, Public: n.Public,
		})
	}
}

// has reports whether an interface is in the VPC.
func (v *VPC) has(id resource.NetworkInterfaceID) bool {
	return v.ENI(id) != nil
}

// ENI finds an interface, nil if there is none.
func (v *VPC) ENI(id resource.NetworkInterfaceID) *ENI {
	i, found := slices.BinarySearchFunc(v.ENIs, id, func(e *ENI, id resource.NetworkInterfaceID) int {
		return cmp.Compare(e.ID, id)
	})
	if !found {
		return nil
	}
	return v.ENIs[i]
}
