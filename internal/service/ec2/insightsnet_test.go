package ec2

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// What breaks the network of insightsNet, and how it is asked about.

// asked is a path from one interface to the other, changed.
func (n insightsNet) asked(change func(*CreateNetworkInsightsPathInput)) *string {
	n.t.Helper()
	in := CreateNetworkInsightsPathInput{Source: n.from, Destination: n.to, Protocol: new("tcp")}
	change(&in)
	return do(n.world, n.createNetworkInsightsPath, in).NetworkInsightsPath.NetworkInsightsPathId
}

func (n insightsNet) atSource(f PathRequestFilter) *string {
	return n.asked(func(in *CreateNetworkInsightsPathInput) { in.FilterAtSource = &f })
}

func (n insightsNet) atDestination(f PathRequestFilter) *string {
	return n.asked(func(in *CreateNetworkInsightsPathInput) { in.FilterAtDestination = &f })
}

func requestPorts(from, to int64) *RequestFilterPortRange {
	return &RequestFilterPortRange{FromPort: &from, ToPort: &to}
}

// fromGateway is a path from the VPC's internet gateway to the other interface, which has a public address.
func (n insightsNet) fromGateway(public bool, change func(*CreateNetworkInsightsPathInput)) *string {
	n.t.Helper()
	gateway := n.gateway(n.vpc)
	far := n.routeTable(n.vpc)
	do(n.world, n.associateRouteTable, AssociateRouteTableInput{RouteTableId: far, SubnetId: n.far})
	do(n.world, n.createRoute, CreateRouteInput{RouteTableId: far, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: gateway})
	if public {
		do(n.world, n.associateAddress, AssociateAddressInput{AllocationId: n.address(), NetworkInterfaceId: n.to})
	}
	return n.asked(func(in *CreateNetworkInsightsPathInput) {
		in.Source = gateway
		change(in)
	})
}

// natGateway leads the first subnet to the internet, by a NAT gateway in a third.
func (n insightsNet) natGateway() *string {
	n.t.Helper()
	gateway, public := n.gateway(n.vpc), n.subnet(n.vpc, "10.0.9.0/24", "a")
	table := n.routeTable(n.vpc)
	do(n.world, n.associateRouteTable, AssociateRouteTableInput{RouteTableId: table, SubnetId: public})
	do(n.world, n.createRoute, CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: gateway})
	nat := do(n.world, n.createNATGateway, CreateNatGatewayInput{SubnetId: public, AllocationId: n.address()}).NatGateway.NatGatewayId
	n.change(func(tx *state.Tx) {
		g, _ := state.Get[*resource.NATGateway](tx, *nat)
		c := *g
		c.State = "available"
		tx.Put(&c)
	})
	n.route(CreateRouteInput{DestinationCidrBlock: new("0.0.0.0/0"), NatGatewayId: nat})
	return nat
}

const someSTS = "54.240.249.80" // a public address of STS

// byNAT is a path to a public service through a NAT gateway.
func (n insightsNet) byNAT(change func(*CreateNetworkInsightsPathInput)) *string {
	n.t.Helper()
	n.natGateway()
	return n.asked(func(in *CreateNetworkInsightsPathInput) {
		in.Destination, in.DestinationIp = nil, new(someSTS)
		change(in)
	})
}

// toS3 is a path to a gateway endpoint.
func (n insightsNet) toS3(protocol string) *string {
	n.t.Helper()
	return n.asked(func(in *CreateNetworkInsightsPathInput) { in.Destination, in.Protocol = n.s3Endpoint(), &protocol })
}

func (n insightsNet) s3Endpoint() *string {
	n.t.Helper()
	return do(n.world, n.createVPCEndpoint, CreateVpcEndpointInput{
		VpcId: n.vpc, ServiceName: new("com.amazonaws.us-west-2.s3"), RouteTableIds: []string{*n.table},
	}).VpcEndpoint.VpcEndpointId
}

// admitGroup lets the source's group into the destination, and nobody else; a NAT gateway may stand between.
func (n insightsNet) admitGroup(nat bool) *string {
	n.t.Helper()
	n.revokeAll(n.toGroup, false)
	do(n.world, n.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: n.toGroup, IpPermissions: []IpPermission{
		{IpProtocol: new("-1"), UserIdGroupPairs: []UserIdGroupPair{{GroupId: n.fromGroup}}},
	}})
	if !nat {
		return n.insightsPath(n.from, n.to, 22)
	}
	// Through NAT to the public address of the other: it arrives from the NAT gateway's.
	n.natGateway()
	do(n.world, n.associateAddress, AssociateAddressInput{AllocationId: n.address(), NetworkInterfaceId: n.to})
	public := see(n.world, n.describeNetworkInterfaces, DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*n.to}}).NetworkInterfaces[0].Association.PublicIp
	return n.asked(func(in *CreateNetworkInsightsPathInput) {
		in.DestinationIp, in.DestinationPort = public, new(int64(22))
	})
}

// fromInstance is a path from an instance, which may be stopped.
func (n insightsNet) fromInstance(stopped bool) *string {
	n.t.Helper()
	instance := n.start(RunInstancesInput{InstanceType: new("t3.micro"), SubnetId: n.near}).InstanceId
	if stopped {
		do(n.world, n.stopInstances, StopInstancesInput{InstanceIds: []string{*instance}})
	}
	return n.insightsPath(instance, n.to, 22)
}

// blackhole leads a block to an interface that is gone.
func (n insightsNet) blackhole(block string) {
	n.t.Helper()
	gone := n.eni(n.near)
	n.route(CreateRouteInput{DestinationCidrBlock: &block, NetworkInterfaceId: gone})
	do(n.world, n.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: gone})
}

// twoRoutes lead to the same block: one by its name to somebody gone, and one by a list to a NAT gateway.
func (n insightsNet) twoRoutes(listed string) *string {
	n.t.Helper()
	nat := n.natGateway()
	n.blackhole("54.240.249.0/24")
	n.change(func(tx *state.Tx) {
		tx.Put(&resource.PrefixList{ID: "pl-0123456789abcdef0", Name: "sts", Entries: []resource.PrefixListEntry{{CIDR: netip.MustParsePrefix(listed)}}})
		t, _ := state.Get[*resource.RouteTable](tx, *n.table)
		c := *t
		c.Routes = append(slices.Clone(t.Routes), resource.Route{DestinationPrefixListID: "pl-0123456789abcdef0", Target: resource.RouteTarget{NATGatewayID: resource.NATGatewayID(*nat)}})
		tx.Put(&c)
	})
	return n.toAddress(someSTS)
}

// sourcePortsBehindNAT asks for a path that arrives from some ports.
func (n insightsNet) sourcePortsBehindNAT(from, to int64) *string {
	return n.byNAT(func(in *CreateNetworkInsightsPathInput) {
		in.DestinationIp = nil
		in.FilterAtSource = &PathRequestFilter{DestinationAddress: new(someSTS)}
		in.FilterAtDestination = &PathRequestFilter{SourcePortRange: requestPorts(from, to)}
	})
}

// farNAT leads to the internet by a peering connection. Beyond it may be a NAT gateway.
func (n insightsNet) farNAT(there bool) *string {
	n.t.Helper()
	other := n.vpcOf("10.1.0.0/16")
	if there {
		subnet := n.subnet(other, "10.1.1.0/24", "a")
		n.gateway(other)
		nat := do(n.world, n.createNATGateway, CreateNatGatewayInput{SubnetId: subnet, AllocationId: n.address()}).NatGateway.NatGatewayId
		n.change(func(tx *state.Tx) {
			g, _ := state.Get[*resource.NATGateway](tx, *nat)
			c := *g
			c.State = "available"
			tx.Put(&c)
		})
	}
	n.route(CreateRouteInput{DestinationCidrBlock: new("0.0.0.0/0"), VpcPeeringConnectionId: n.activePeer(n.vpc, other)})
	return n.toAddress(someSTS)
}

// udpOnly lets in UDP, and asks for a path of a protocol.
func (n insightsNet) udpOnly(protocol string) *string {
	n.t.Helper()
	n.revokeAll(n.toGroup, false)
	n.allow(n.toGroup, "udp", 53, 53)
	return n.asked(func(in *CreateNetworkInsightsPathInput) {
		in.Protocol, in.FilterAtSource = &protocol, &PathRequestFilter{DestinationPortRange: requestPorts(53, 53)}
	})
}

// bothPorts asks for ranges at both ends, of source or destination ports.
func (n insightsNet) bothPorts(source bool, a, b, c, d int64) *string {
	return n.asked(func(in *CreateNetworkInsightsPathInput) {
		if source {
			in.FilterAtSource, in.FilterAtDestination = &PathRequestFilter{SourcePortRange: requestPorts(a, b)}, &PathRequestFilter{SourcePortRange: requestPorts(c, d)}
			return
		}
		in.FilterAtSource, in.FilterAtDestination = &PathRequestFilter{DestinationPortRange: requestPorts(a, b)}, &PathRequestFilter{DestinationPortRange: requestPorts(c, d)}
	})
}
