package ec2

import (
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// subnetBlock is a /64 of some VPC's block, or of none.
func (r *random) subnetBlock() *string {
	blocks := []string{"2001:db8:ffff::/64", "", "nonsense"}
	for _, v := range state.List[*resource.VPC](r.store.View()) {
		for _, c := range v.IPv6CIDRs {
			block := c.Prefix.String()
			blocks = append(blocks, block, subnetOf(block, 0), subnetOf(block, 1), subnetOf(block, 2))
		}
	}
	return r.pick(blocks...)
}

func (r *random) subnetAssociation() *string {
	ids := []string{""}
	for _, s := range state.List[*resource.Subnet](r.store.View()) {
		ids = append(ids, s.IPv6AssociationID)
	}
	return r.pick(ids...)
}

// ipv6Address is the same few addresses of subnets' blocks again and again, and some that are none.
func (r *random) ipv6Address() *string {
	addresses := []string{"2001:db8:ffff::10", "10.0.0.9"}
	for _, s := range state.List[*resource.Subnet](r.store.View()) {
		if s.IPv6CIDR.IsValid() {
			addresses = append(addresses, host(s.IPv6CIDR, 1), host(s.IPv6CIDR, 0x10), host(s.IPv6CIDR, 0x11))
		}
	}
	return r.pick(addresses...)
}

func (r *random) ipv6Calls() map[string]func() {
	return map[string]func(){
		"ipv6 vpc": func() {
			send(r, r.createVPC, CreateVpcInput{CidrBlock: r.pick("10.0.0.0/16", "10.1.0.0/16"), AmazonProvidedIpv6CidrBlock: r.flip()})
		},
		"add ipv6 block": func() {
			send(r, r.associateVPCCIDRBlock, AssociateVpcCidrBlockInput{VpcId: id[*resource.VPC](r), AmazonProvidedIpv6CidrBlock: new(true)})
		},
		"ipv6 subnet": func() {
			send(r, r.createSubnet, CreateSubnetInput{VpcId: id[*resource.VPC](r), CidrBlock: r.pick("10.0.0.0/28", "10.0.0.32/28"), Ipv6CidrBlock: r.subnetBlock()})
		},
		"add subnet block": func() {
			send(r, r.associateSubnetCIDRBlock, AssociateSubnetCidrBlockInput{SubnetId: id[*resource.Subnet](r), Ipv6CidrBlock: r.subnetBlock()})
		},
		"drop subnet block": func() {
			send(r, r.disassociateSubnetCIDRBlock, DisassociateSubnetCidrBlockInput{AssociationId: r.subnetAssociation()})
		},
		"ipv6 to each": func() {
			send(r, r.modifySubnetAttribute, ModifySubnetAttributeInput{SubnetId: id[*resource.Subnet](r), AssignIpv6AddressOnCreation: &AttributeBooleanValue{Value: r.flip()}})
		},
		"ipv6 eni": func() {
			send(r, r.createNetworkInterface, CreateNetworkInterfaceInput{SubnetId: id[*resource.Subnet](r), Ipv6Addresses: []InstanceIpv6Address{{Ipv6Address: r.ipv6Address()}}})
		},
		"assign ipv6": func() {
			send(r, r.assignIPv6Addresses, AssignIpv6AddressesInput{NetworkInterfaceId: id[*resource.NetworkInterface](r), Ipv6Addresses: []string{*r.ipv6Address()}})
		},
		"assign some ipv6": func() {
			send(r, r.assignIPv6Addresses, AssignIpv6AddressesInput{NetworkInterfaceId: id[*resource.NetworkInterface](r), Ipv6AddressCount: new(int64(2))})
		},
		"unassign ipv6": func() {
			send(r, r.unassignIPv6Addresses, UnassignIpv6AddressesInput{NetworkInterfaceId: id[*resource.NetworkInterface](r), Ipv6Addresses: []string{*r.ipv6Address()}})
		},
		"egress-only gateway": func() {
			send(r, r.createEgressOnlyGateway, CreateEgressOnlyInternetGatewayInput{VpcId: id[*resource.VPC](r), ClientToken: r.token()})
		},
		"delete egress-only gateway": func() {
			x := id[*resource.EgressOnlyGateway](r)
			remove(r, r.deleteEgressOnlyGateway, x, DeleteEgressOnlyInternetGatewayInput{EgressOnlyInternetGatewayId: x})
		},
		"ipv6 route": func() {
			send(r, r.createRoute, CreateRouteInput{RouteTableId: id[*resource.RouteTable](r), DestinationIpv6CidrBlock: r.pick("::/0", "2001:db8:5::/48"), EgressOnlyInternetGatewayId: id[*resource.EgressOnlyGateway](r)})
		},
		"ipv6 route to anything": func() {
			send(r, r.createRoute, CreateRouteInput{RouteTableId: id[*resource.RouteTable](r), DestinationIpv6CidrBlock: r.pick("::/0", "2001:db8:5::/48"), GatewayId: id[*resource.InternetGateway](r), NatGatewayId: r.pick("", *id[*resource.NATGateway](r))})
		},
		"replace ipv6 route": func() {
			send(r, r.replaceRoute, ReplaceRouteInput{RouteTableId: id[*resource.RouteTable](r), DestinationIpv6CidrBlock: new("::/0"), NatGatewayId: id[*resource.NATGateway](r)})
		},
		"delete ipv6 route": func() {
			send(r, r.deleteRoute, DeleteRouteInput{RouteTableId: id[*resource.RouteTable](r), DestinationIpv6CidrBlock: new("::/0")})
		},
		"reserve ipv6": func() {
			send(r, r.createSubnetReservation, CreateSubnetCidrReservationInput{SubnetId: id[*resource.Subnet](r), Cidr: r.subnetBlock(), ReservationType: new("explicit")})
		},
		"ipv6 list": func() {
			send(r, r.createManagedPrefixList, CreateManagedPrefixListInput{AddressFamily: new("IPv6"), MaxEntries: new(int64(2)), PrefixListName: new("y")})
		},
	}
}
