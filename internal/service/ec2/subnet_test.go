package ec2

import (
	"testing"
)

func TestASubnetIsDescribedWithWhatTerraformReads(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	id := w.subnet(vpc, "10.0.1.7/24", "b")
	got := see(w, w.describeSubnets, DescribeSubnetsInput{SubnetIds: []string{*id}}).Subnets
	want := []Subnet{{
		AssignIpv6AddressOnCreation: new(false), AvailabilityZone: new("us-west-2b"), AvailabilityZoneId: new("usw2-az2"),
		AvailableIpAddressCount: new(int64(251)), CidrBlock: new("10.0.1.0/24"), DefaultForAz: new(false), EnableDns64: new(false),
		Ipv6Native: new(false), MapCustomerOwnedIpOnLaunch: new(false), MapPublicIpOnLaunch: new(false), OwnerId: new("123456789012"),
		PrivateDnsNameOptionsOnLaunch: &PrivateDnsNameOptionsOnLaunch{
			EnableResourceNameDnsAAAARecord: new(false), EnableResourceNameDnsARecord: new(false), HostnameType: new("ip-name"),
		},
		State: new("available"), SubnetArn: new("arn:aws:ec2:us-west-2:123456789012:subnet/" + *id), SubnetId: id,
		Tags: []Tag{}, VpcId: vpc,
	}}
	if d := diff(got, want); d != "" {
		t.Errorf("subnet differs (-got +want):\n%s", d)
	}
}

func TestBadSubnetsAreRefused(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	w.subnet(vpc, "10.0.1.0/24", "a")
	for want, ins := range map[string][]CreateSubnetInput{
		"InvalidVpcID.NotFound":  {{VpcId: nowhere("vpc"), CidrBlock: new("10.0.2.0/24")}},
		"InvalidVpcID.Malformed": {{VpcId: new("vpc"), CidrBlock: new("10.0.2.0/24")}},
		"MissingParameter":       {{CidrBlock: new("10.0.2.0/24")}, {VpcId: vpc}},
		"InvalidSubnet.Range":    {{VpcId: vpc, CidrBlock: new("10.1.0.0/24")}, {VpcId: vpc, CidrBlock: new("10.0.0.0/29")}, {VpcId: vpc, CidrBlock: new("10.0.0.0/15")}},
		"InvalidSubnet.Conflict": {{VpcId: vpc, CidrBlock: new("10.0.1.128/25")}, {VpcId: vpc, CidrBlock: new("10.0.0.0/20")}},
		"InvalidParameterValue":  {{VpcId: vpc, CidrBlock: new("ten")}, {VpcId: vpc, CidrBlock: new("10.0.2.0/24"), AvailabilityZone: new("us-west-2z")}, {VpcId: vpc, CidrBlock: new("10.0.2.0/24"), AvailabilityZoneId: new("use1-az1")}},
		"UnsupportedOperation":   {{VpcId: vpc, CidrBlock: new("10.0.2.0/24"), Ipv6IpamPoolId: new("ipam-pool-1")}, {VpcId: vpc, Ipv6Native: new(true)}},
	} {
		for _, in := range ins {
			refused(w, w.createSubnet, in, want)
		}
	}
}

func TestASubnetCanBePutByZoneIDAndInTheFirstZoneByDefault(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	byID := do(w, w.createSubnet, CreateSubnetInput{VpcId: vpc, CidrBlock: new("10.0.1.0/24"), AvailabilityZoneId: new("usw2-az4")}).Subnet
	byDefault := do(w, w.createSubnet, CreateSubnetInput{VpcId: vpc, CidrBlock: new("10.0.2.0/24")}).Subnet
	if *byID.AvailabilityZone != "us-west-2d" || *byDefault.AvailabilityZone != "us-west-2a" {
		t.Errorf("zones are %s and %s, want us-west-2d and us-west-2a", *byID.AvailabilityZone, *byDefault.AvailabilityZone)
	}
}

func TestASubnetWithAnInterfaceIsNotDeleted(t *testing.T) {
	w := newWorld(t)
	subnet := w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")
	eni := w.eni(subnet)
	if n := *see(w, w.describeSubnets, DescribeSubnetsInput{}).Subnets[0].AvailableIpAddressCount; n != 250 {
		t.Errorf("%d addresses are free, want 250", n)
	}
	refused(w, w.deleteSubnet, DeleteSubnetInput{SubnetId: subnet}, "DependencyViolation")
	do(w, w.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: eni})
	do(w, w.deleteSubnet, DeleteSubnetInput{SubnetId: subnet})
	notSeen(w, w.describeSubnets, DescribeSubnetsInput{SubnetIds: []string{*subnet}}, "InvalidSubnetID.NotFound")
}

func TestADeletedSubnetLeavesNoAssociation(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet, table := w.subnet(vpc, "10.0.1.0/24", "a"), w.routeTable(vpc)
	do(w, w.associateRouteTable, AssociateRouteTableInput{RouteTableId: table, SubnetId: subnet})
	do(w, w.deleteSubnet, DeleteSubnetInput{SubnetId: subnet})
	do(w, w.deleteRouteTable, DeleteRouteTableInput{RouteTableId: table})
	do(w, w.deleteVPC, DeleteVpcInput{VpcId: vpc})
}

func TestSubnetAttributesThatWouldDoNothingAreRefused(t *testing.T) {
	w := newWorld(t)
	id := w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")
	on := &AttributeBooleanValue{Value: new(true)}
	off := &AttributeBooleanValue{Value: new(false)}
	do(w, w.modifySubnetAttribute, ModifySubnetAttributeInput{SubnetId: id, MapPublicIpOnLaunch: on})
	do(w, w.modifySubnetAttribute, ModifySubnetAttributeInput{SubnetId: id, AssignIpv6AddressOnCreation: off})
	do(w, w.modifySubnetAttribute, ModifySubnetAttributeInput{SubnetId: id, PrivateDnsHostnameTypeOnLaunch: new("resource-name")})
	if s := see(w, w.describeSubnets, DescribeSubnetsInput{}).Subnets[0]; !*s.MapPublicIpOnLaunch || *s.PrivateDnsNameOptionsOnLaunch.HostnameType != "resource-name" {
		t.Errorf("the attributes did not change: %+v", s)
	}
	for want, ins := range map[string][]ModifySubnetAttributeInput{
		"UnsupportedOperation":        {{SubnetId: id, EnableDns64: on}, {SubnetId: id, MapCustomerOwnedIpOnLaunch: on}, {SubnetId: id, EnableLniAtDeviceIndex: new(int64(1))}},
		"InvalidParameterCombination": {{SubnetId: id}, {SubnetId: id, MapPublicIpOnLaunch: on, EnableDns64: off}},
		"InvalidParameterValue":       {{SubnetId: id, PrivateDnsHostnameTypeOnLaunch: new("nickname")}},
		"InvalidSubnetID.NotFound":    {{SubnetId: nowhere("subnet"), MapPublicIpOnLaunch: on}},
	} {
		for _, in := range ins {
			refused(w, w.modifySubnetAttribute, in, want)
		}
	}
}
