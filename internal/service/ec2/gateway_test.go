package ec2

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAnInternetGatewayIsAttachedToOneVPC(t *testing.T) {
	w := newWorld(t)
	vpc, other := w.vpc("10.0.0.0/16"), w.vpc("10.0.0.0/16")
	g := w.gateway(vpc)
	got := see(w, w.describeInternetGateways, DescribeInternetGatewaysInput{Filters: filter("attachment.vpc-id", *vpc)}).InternetGateways
	want := []InternetGateway{{
		Attachments:       []InternetGatewayAttachment{{State: new("available"), VpcId: vpc}},
		InternetGatewayId: g, OwnerId: new("123456789012"), Tags: []Tag{},
	}}
	if d := diff(got, want); d != "" {
		t.Errorf("gateway differs (-got +want):\n%s", d)
	}
	refused(w, w.attachInternetGateway, AttachInternetGatewayInput{InternetGatewayId: g, VpcId: other}, "Resource.AlreadyAssociated")
	refused(w, w.attachInternetGateway, AttachInternetGatewayInput{InternetGatewayId: w.gateway(nil), VpcId: vpc}, "InvalidParameterValue")
	refused(w, w.detachInternetGateway, DetachInternetGatewayInput{InternetGatewayId: g, VpcId: other}, "Gateway.NotAttached")
	refused(w, w.deleteInternetGateway, DeleteInternetGatewayInput{InternetGatewayId: g}, "DependencyViolation")
	do(w, w.detachInternetGateway, DetachInternetGatewayInput{InternetGatewayId: g, VpcId: vpc})
	do(w, w.deleteInternetGateway, DeleteInternetGatewayInput{InternetGatewayId: g})
	notSeen(w, w.describeInternetGateways, DescribeInternetGatewaysInput{InternetGatewayIds: []string{*g}}, "InvalidInternetGatewayID.NotFound")
}

func TestAnInternetGatewayStaysWhilePublicAddressesAreMapped(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	g, address := w.gateway(vpc), w.address()
	a := do(w, w.associateAddress, AssociateAddressInput{AllocationId: address, NetworkInterfaceId: w.eni(w.subnet(vpc, "10.0.1.0/24", "a"))})
	refused(w, w.detachInternetGateway, DetachInternetGatewayInput{InternetGatewayId: g, VpcId: vpc}, "DependencyViolation")
	do(w, w.disassociateAddress, DisassociateAddressInput{AssociationId: a.AssociationId})
	do(w, w.detachInternetGateway, DetachInternetGatewayInput{InternetGatewayId: g, VpcId: vpc})
}

func TestElasticAddressesAreOfTheDocumentationRanges(t *testing.T) {
	w := newWorld(t)
	w.config.PublicAddresses = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/30"), netip.MustParsePrefix("198.51.100.0/31")}
	w.config.PublicAddresses = w.config.PublicAddresses[:1]
	one := do(w, w.allocateAddress, AllocateAddressInput{Domain: new("vpc")})
	two := do(w, w.allocateAddress, AllocateAddressInput{})
	if *one.PublicIp != "203.0.113.1" || *two.PublicIp != "203.0.113.2" || *one.PublicIpv4Pool != "amazon" || *one.NetworkBorderGroup != "us-west-2" {
		t.Errorf("allocated %+v and %+v", one, two)
	}
	refused(w, w.allocateAddress, AllocateAddressInput{}, "AddressLimitExceeded")
	do(w, w.releaseAddress, ReleaseAddressInput{AllocationId: one.AllocationId})
	refused(w, w.releaseAddress, ReleaseAddressInput{AllocationId: one.AllocationId}, "InvalidAllocationID.NotFound")
	refused(w, w.allocateAddress, AllocateAddressInput{Address: two.PublicIp}, "InvalidAddress.NotFound")
	refused(w, w.allocateAddress, AllocateAddressInput{Address: new("8.8.8.8")}, "InvalidAddress.NotFound")
	refused(w, w.allocateAddress, AllocateAddressInput{Domain: new("standard")}, "InvalidParameterValue")
	again := do(w, w.allocateAddress, AllocateAddressInput{Address: new("203.0.113.1")})
	if *again.PublicIp != "203.0.113.1" {
		t.Errorf("recovered %s", *again.PublicIp)
	}
	attributes := see(w, w.describeAddressesAttribute, DescribeAddressesAttributeInput{AllocationIds: []string{*again.AllocationId}, Attribute: new("domain-name")}).Addresses
	if len(attributes) != 1 || attributes[0].PtrRecord != nil {
		t.Errorf("attributes are %+v", attributes)
	}
}

func TestAnAddressIsAtOnePlaceAtATime(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	one, two, address := w.eni(subnet), w.eni(subnet), w.address()
	in := AssociateAddressInput{AllocationId: address, NetworkInterfaceId: one}
	refused(w, w.associateAddress, in, "Gateway.NotAttached")
	w.gateway(vpc)
	first := do(w, w.associateAddress, in)
	if again := do(w, w.associateAddress, in); *again.AssociationId != *first.AssociationId {
		t.Errorf("saying it again made %s, want %s", *again.AssociationId, *first.AssociationId)
	}
	refused(w, w.releaseAddress, ReleaseAddressInput{AllocationId: address}, "InvalidIPAddress.InUse")
	in.NetworkInterfaceId = two
	refused(w, w.associateAddress, in, "Resource.AlreadyAssociated")
	in.AllowReassociation = new(true)
	moved := do(w, w.associateAddress, in)
	eni := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{Filters: filter("association.association-id", *moved.AssociationId)}).NetworkInterfaces
	if len(eni) != 1 || *eni[0].NetworkInterfaceId != *two || *eni[0].Association.PublicIp != "203.0.113.1" {
		t.Errorf("the address is at %+v, want %s", eni, *two)
	}
	// Another address for the same private one takes its place.
	other := w.address()
	do(w, w.associateAddress, AssociateAddressInput{AllocationId: other, NetworkInterfaceId: two})
	do(w, w.releaseAddress, ReleaseAddressInput{AllocationId: address})
	refused(w, w.associateAddress, AssociateAddressInput{AllocationId: other, NetworkInterfaceId: two, PrivateIpAddress: new("10.0.1.99")}, "InvalidParameterValue")
	refused(w, w.associateAddress, AssociateAddressInput{AllocationId: other, InstanceId: nowhere("i")}, "InvalidInstanceID.NotFound")
	do(w, w.disassociateAddress, DisassociateAddressInput{PublicIp: new("203.0.113.2")})
	refused(w, w.disassociateAddress, DisassociateAddressInput{PublicIp: new("203.0.113.2")}, "InvalidAssociationID.NotFound")
	refused(w, w.disassociateAddress, DisassociateAddressInput{AssociationId: moved.AssociationId}, "InvalidAssociationID.NotFound")
}

func TestAPublicNATGatewayHasAnInterfaceAndAnAddress(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet, address := w.subnet(vpc, "10.0.1.0/24", "a"), w.address()
	w.gateway(vpc)
	in := CreateNatGatewayInput{SubnetId: subnet, AllocationId: address, ConnectivityType: new("public"), ClientToken: new("t-1")}
	id := do(w, w.createNATGateway, in).NatGateway.NatGatewayId
	if again := do(w, w.createNATGateway, in).NatGateway.NatGatewayId; *again != *id {
		t.Errorf("the token made %s and %s", *id, *again)
	}
	eni := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{}).NetworkInterfaces[0]
	got := see(w, w.describeNATGateways, DescribeNatGatewaysInput{Filter: filter("state", "available")}).NatGateways
	want := []NatGateway{{
		AvailabilityMode: new("zonal"), ConnectivityType: new("public"), CreateTime: &w.now, NatGatewayId: id, State: new("available"), SubnetId: subnet, VpcId: vpc, Tags: []Tag{},
		NatGatewayAddresses: []NatGatewayAddress{{
			AllocationId: address, IsPrimary: new(true), NetworkInterfaceId: eni.NetworkInterfaceId, PrivateIp: new("10.0.1.4"),
			PublicIp: new("203.0.113.1"), Status: new("succeeded"),
		}},
	}}
	if d := diff(got, want, cmpopts.IgnoreFields(NatGatewayAddress{}, "AssociationId")); d != "" {
		t.Errorf("NAT gateway differs (-got +want):\n%s", d)
	}
	if *eni.InterfaceType != "nat_gateway" || *eni.Description != "Interface for NAT Gateway "+*id || !*eni.RequesterManaged || *eni.SourceDestCheck || len(eni.Groups) != 0 {
		t.Errorf("its interface is %+v", eni)
	}
	refused(w, w.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: eni.NetworkInterfaceId}, "OperationNotPermitted")
	refused(w, w.modifyNetworkInterfaceAttribute, ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: eni.NetworkInterfaceId, SourceDestCheck: &AttributeBooleanValue{Value: new(true)}}, "OperationNotPermitted")
	refused(w, w.disassociateAddress, DisassociateAddressInput{AssociationId: got[0].NatGatewayAddresses[0].AssociationId}, "AuthFailure")
	refused(w, w.releaseAddress, ReleaseAddressInput{AllocationId: address}, "InvalidIPAddress.InUse")
	refused(w, w.deleteSubnet, DeleteSubnetInput{SubnetId: subnet}, "DependencyViolation")
}

func TestADeletedNATGatewayIsSeenForAnHour(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet, address := w.subnet(vpc, "10.0.1.0/24", "a"), w.address()
	w.gateway(vpc)
	id := do(w, w.createNATGateway, CreateNatGatewayInput{SubnetId: subnet, AllocationId: address}).NatGateway.NatGatewayId
	do(w, w.deleteNATGateway, DeleteNatGatewayInput{NatGatewayId: id})
	n := see(w, w.describeNATGateways, DescribeNatGatewaysInput{NatGatewayIds: []string{*id}}).NatGateways[0]
	if *n.State != "deleted" || n.DeleteTime == nil || !n.DeleteTime.Equal(w.now) {
		t.Errorf("the gateway is %+v", n)
	}
	if left := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{}).NetworkInterfaces; len(left) != 0 {
		t.Errorf("interfaces are left: %+v", left)
	}
	do(w, w.releaseAddress, ReleaseAddressInput{AllocationId: address})
	w.now = w.now.Add(61 * time.Minute)
	do(w, w.createNATGateway, CreateNatGatewayInput{SubnetId: subnet, ConnectivityType: new("private")})
	notSeen(w, w.describeNATGateways, DescribeNatGatewaysInput{NatGatewayIds: []string{*id}}, "NatGatewayNotFound")
}

func TestANATGatewayThatCannotWorkFailsAndSaysWhy(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet, address := w.subnet(vpc, "10.0.1.0/28", "a"), w.address()
	in := CreateNatGatewayInput{SubnetId: subnet, AllocationId: address}
	fails := func(code, message string) {
		t.Helper()
		n := do(w, w.createNATGateway, in).NatGateway
		if *n.State != "failed" || *n.FailureCode != code || *n.FailureMessage != message {
			t.Errorf("got %s %v: %v, want %s: %s", *n.State, value(n.FailureCode), value(n.FailureMessage), code, message)
		}
	}
	fails("Gateway.NotAttached", "Network "+*vpc+" has no Internet gateway attached")
	w.gateway(vpc)
	eni := w.eni(subnet)
	a := do(w, w.associateAddress, AssociateAddressInput{AllocationId: address, NetworkInterfaceId: eni})
	fails("Resource.AlreadyAssociated", "Elastic IP address "+*address+" is already associated")
	do(w, w.disassociateAddress, DisassociateAddressInput{AssociationId: a.AssociationId})
	for range 10 {
		w.eni(subnet)
	}
	fails("InsufficientFreeAddressesInSubnet", "Subnet has insufficient free addresses to create this NAT gateway")
	do(w, w.releaseAddress, ReleaseAddressInput{AllocationId: address}) // none of them took it
}

func TestBadNATGatewaysAreRefused(t *testing.T) {
	w := newWorld(t)
	subnet, address := w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a"), w.address()
	for want, ins := range map[string][]CreateNatGatewayInput{
		"MissingParameter":             {{AllocationId: address}, {SubnetId: subnet}},
		"InvalidSubnetID.NotFound":     {{SubnetId: nowhere("subnet"), AllocationId: address}},
		"InvalidAllocationID.NotFound": {{SubnetId: subnet, AllocationId: nowhere("eipalloc")}},
		"InvalidParameterCombination":  {{SubnetId: subnet, AllocationId: address, ConnectivityType: new("private")}},
		"InvalidParameterValue":        {{SubnetId: subnet, ConnectivityType: new("secret")}, {SubnetId: subnet, ConnectivityType: new("private"), PrivateIpAddress: new("10.9.9.9")}},
		"UnsupportedOperation":         {{SubnetId: subnet, AllocationId: address, AvailabilityMode: new("regional")}, {SubnetId: subnet, AllocationId: address, SecondaryPrivateIpAddressCount: new(int64(1))}},
	} {
		for _, in := range ins {
			refused(w, w.createNATGateway, in, want)
		}
	}
	refused(w, w.deleteNATGateway, DeleteNatGatewayInput{NatGatewayId: nowhere("nat")}, "NatGatewayNotFound")
	refused(w, w.deleteNATGateway, DeleteNatGatewayInput{NatGatewayId: new("gateway")}, "NatGatewayMalformed")
}
