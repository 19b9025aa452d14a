package ec2

import "testing"

func TestAReservedAddressIsHandedOutOnlyIfAskedFor(t *testing.T) {
	w := newWorld(t)
	subnet := w.subnet(w.vpc("10.0.0.0/16"), "10.0.0.0/27", "a")
	reserve := func(cidr, kind string) CreateSubnetCidrReservationInput {
		return CreateSubnetCidrReservationInput{SubnetId: subnet, Cidr: &cidr, ReservationType: &kind}
	}
	made := do(w, w.createSubnetReservation, reserve("10.0.0.0/28", "explicit")).SubnetCidrReservation
	next := func() string {
		t.Helper()
		return *do(w, w.createNetworkInterface, CreateNetworkInterfaceInput{SubnetId: subnet}).NetworkInterface.PrivateIpAddress
	}
	if got := next(); got != "10.0.0.16" {
		t.Errorf("got %s, want the first that is not reserved", got)
	}
	if got := *do(w, w.createNetworkInterface, CreateNetworkInterfaceInput{SubnetId: subnet, PrivateIpAddress: new("10.0.0.9")}).NetworkInterface.PrivateIpAddress; got != "10.0.0.9" {
		t.Errorf("got %s, want what was asked for", got)
	}
	for want, ins := range map[string][]CreateSubnetCidrReservationInput{
		"UnsupportedOperation":                  {reserve("10.0.0.16/28", "prefix")},
		"InvalidParameterValue":                 {reserve("10.0.1.0/28", "explicit"), reserve("10.0.0.0/26", "explicit"), reserve("10.0.0.16/28", "other"), reserve("x", "explicit")},
		"InvalidSubnetCidrReservation.Conflict": {reserve("10.0.0.8/29", "explicit")},
		"MissingParameter":                      {{SubnetId: subnet, Cidr: new("10.0.0.16/28")}, {}},
		"InvalidSubnetID.NotFound":              {{SubnetId: nowhere("subnet"), Cidr: new("10.0.0.16/28"), ReservationType: new("explicit")}},
	} {
		for _, in := range ins {
			refused(w, w.createSubnetReservation, in, want)
		}
	}
	got := see(w, w.getSubnetReservations, GetSubnetCidrReservationsInput{SubnetId: subnet}).SubnetIpv4CidrReservations
	if len(got) != 1 || *got[0].Cidr != "10.0.0.0/28" || *got[0].SubnetCidrReservationId != *made.SubnetCidrReservationId {
		t.Errorf("got %+v", got)
	}
	do(w, w.deleteSubnetReservation, DeleteSubnetCidrReservationInput{SubnetCidrReservationId: made.SubnetCidrReservationId})
	refused(w, w.deleteSubnetReservation, DeleteSubnetCidrReservationInput{SubnetCidrReservationId: made.SubnetCidrReservationId}, "InvalidSubnetCidrReservationID.NotFound")
	if got := next(); got != "10.0.0.4" {
		t.Errorf("got %s, want the lowest", got)
	}
}

func TestReservedIPv6AddressesAreForWhoAsksForThem(t *testing.T) {
	w := newWorld(t)
	subnet, block := w.dualSubnet()
	reserve := func(cidr string) CreateSubnetCidrReservationInput {
		return CreateSubnetCidrReservationInput{SubnetId: subnet, Cidr: &cidr, ReservationType: new("explicit")}
	}
	four := w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")
	refused(w, w.createSubnetReservation, reserve("2001:db8:ffff::/80"), "InvalidParameterValue")
	refused(w, w.createSubnetReservation, CreateSubnetCidrReservationInput{SubnetId: four, Cidr: new(block.String()), ReservationType: new("explicit")}, "InvalidParameterValue")
	made := do(w, w.createSubnetReservation, reserve(block.String())).SubnetCidrReservation
	refused(w, w.createSubnetReservation, reserve(block.Addr().String()+"/80"), "InvalidSubnetCidrReservation.Conflict")
	do(w, w.createSubnetReservation, reserve("10.0.1.128/28"))
	got := see(w, w.getSubnetReservations, GetSubnetCidrReservationsInput{SubnetId: subnet})
	if len(got.SubnetIpv6CidrReservations) != 1 || *got.SubnetIpv6CidrReservations[0].Cidr != block.String() || len(got.SubnetIpv4CidrReservations) != 1 {
		t.Errorf("reservations are %+v", got)
	}
	eni := w.eni(subnet)
	refused(w, w.assignIPv6Addresses, AssignIpv6AddressesInput{NetworkInterfaceId: eni, Ipv6AddressCount: new(int64(1))}, "InsufficientFreeAddressesInSubnet")
	do(w, w.assignIPv6Addresses, AssignIpv6AddressesInput{NetworkInterfaceId: eni, Ipv6Addresses: []string{host(block, 0x10)}})
	do(w, w.unassignIPv6Addresses, UnassignIpv6AddressesInput{NetworkInterfaceId: eni, Ipv6Addresses: []string{host(block, 0x10)}})
	association := see(w, w.describeSubnets, DescribeSubnetsInput{SubnetIds: []string{*subnet}}).Subnets[0].Ipv6CidrBlockAssociationSet[0].AssociationId
	refused(w, w.disassociateSubnetCIDRBlock, DisassociateSubnetCidrBlockInput{AssociationId: association}, "InvalidCidrBlock.InUse")
	do(w, w.deleteSubnetReservation, DeleteSubnetCidrReservationInput{SubnetCidrReservationId: made.SubnetCidrReservationId})
	do(w, w.assignIPv6Addresses, AssignIpv6AddressesInput{NetworkInterfaceId: eni, Ipv6AddressCount: new(int64(1))})
}
