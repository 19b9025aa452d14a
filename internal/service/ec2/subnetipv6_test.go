package ec2

import (
	"testing"
)

func TestASubnetTakesA64OfItsVPC(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	block := w.ipv6(vpc)
	made := do(w, w.createSubnet, CreateSubnetInput{VpcId: vpc, CidrBlock: new("10.0.1.0/24"), Ipv6CidrBlock: new(subnetOf(block, 1))}).Subnet
	want := []SubnetIpv6CidrBlockAssociation{{
		AssociationId: made.Ipv6CidrBlockAssociationSet[0].AssociationId, Ipv6CidrBlock: new(subnetOf(block, 1)),
		Ipv6CidrBlockState: &SubnetCidrBlockState{State: new("associating")},
	}}
	if d := diff(made.Ipv6CidrBlockAssociationSet, want); d != "" {
		t.Errorf("association differs (-got +want):\n%s", d)
	}
	want[0].Ipv6CidrBlockState.State = new("associated")
	found := see(w, w.describeSubnets, DescribeSubnetsInput{Filters: filter("ipv6-cidr-block-association.ipv6-cidr-block", subnetOf(block, 1))}).Subnets
	if len(found) != 1 || diff(found[0].Ipv6CidrBlockAssociationSet, want) != "" {
		t.Errorf("described as %+v, want %+v", found, want)
	}
}

func TestBadIPv6BlocksOfSubnetsAreRefused(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	four := w.subnet(w.vpc("10.0.0.0/16"), "10.0.0.0/24", "a") // its VPC has no IPv6
	block := w.ipv6(vpc)
	a, b := w.subnet(vpc, "10.0.1.0/24", "a"), w.subnet(vpc, "10.0.2.0/24", "b")
	w.subnetIPv6(a, subnetOf(block, 1))
	for want, ins := range map[string][]AssociateSubnetCidrBlockInput{
		"MissingParameter":         {{SubnetId: b}, {Ipv6CidrBlock: new(subnetOf(block, 2))}},
		"InvalidParameterValue":    {{SubnetId: b, Ipv6CidrBlock: new("10.0.0.0/24")}, {SubnetId: b, Ipv6CidrBlock: new("2001:db8::")}},
		"InvalidSubnet.Range":      {{SubnetId: b, Ipv6CidrBlock: new("2001:db8:ffff::/64")}, {SubnetId: b, Ipv6CidrBlock: new(subnetOf(block, 2)[:len(subnetOf(block, 2))-2] + "65")}, {SubnetId: b, Ipv6CidrBlock: new("::/0")}, {SubnetId: four, Ipv6CidrBlock: new(subnetOf(block, 2))}},
		"InvalidSubnet.Conflict":   {{SubnetId: b, Ipv6CidrBlock: new(subnetOf(block, 1))}},
		"CidrLimitExceeded":        {{SubnetId: a, Ipv6CidrBlock: new(subnetOf(block, 2))}},
		"UnsupportedOperation":     {{SubnetId: b, Ipv6CidrBlock: &block}, {SubnetId: b, Ipv6IpamPoolId: new("ipam-pool-1")}},
		"InvalidSubnetID.NotFound": {{SubnetId: nowhere("subnet"), Ipv6CidrBlock: new(subnetOf(block, 2))}},
	} {
		for _, in := range ins {
			refused(w, w.associateSubnetCIDRBlock, in, want)
		}
	}
	refused(w, w.createSubnet, CreateSubnetInput{VpcId: vpc, CidrBlock: new("10.0.3.0/24"), Ipv6CidrBlock: new(subnetOf(block, 1))}, "InvalidSubnet.Conflict")
	refused(w, w.createSubnet, CreateSubnetInput{VpcId: vpc, Ipv6Native: new(true), Ipv6CidrBlock: new(subnetOf(block, 2))}, "UnsupportedOperation")
}

func TestASubnetsIPv6BlockStaysWhileItIsUsed(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	block := w.ipv6(vpc)
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	drop := DisassociateSubnetCidrBlockInput{AssociationId: w.subnetIPv6(subnet, subnetOf(block, 1))}
	assign := func(on bool) ModifySubnetAttributeInput {
		return ModifySubnetAttributeInput{SubnetId: subnet, AssignIpv6AddressOnCreation: &AttributeBooleanValue{Value: &on}}
	}
	do(w, w.modifySubnetAttribute, assign(true))
	_, err := try(w, w.disassociateSubnetCIDRBlock, drop)
	if want := "InvalidCidrBlock.InUse: The subnet IPv6 CIDR block with association ID " + *drop.AssociationId + " may not be disassociated, because its subnet has assign-ipv6-address-on-creation set to true."; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	eni := w.eni(subnet)
	do(w, w.modifySubnetAttribute, assign(false))
	refused(w, w.disassociateSubnetCIDRBlock, drop, "InvalidCidrBlock.InUse")
	do(w, w.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: eni})
	do(w, w.disassociateSubnetCIDRBlock, drop)
	refused(w, w.disassociateSubnetCIDRBlock, drop, "InvalidSubnetCidrBlockAssociationID.NotFound")
	refused(w, w.disassociateSubnetCIDRBlock, DisassociateSubnetCidrBlockInput{}, "MissingParameter")
	_, err = try(w, w.modifySubnetAttribute, assign(true))
	if want := "InvalidParameterValue: Invalid value 'true' for assign-ipv6-address-on-creation. Cannot set assign-ipv6-address-on-creation to true unless the subnet (" + *subnet + ") has an IPv6 CIDR block associated with it."; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
