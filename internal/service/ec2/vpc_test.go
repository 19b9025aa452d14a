package ec2

import (
	"testing"
)

func TestANewVPCHasExactlyOneOfEachDefaultObject(t *testing.T) {
	w := newWorld(t)
	w.vpc("10.0.0.0/16") // another VPC's objects do not count
	vpc := w.vpc("10.0.0.0/16")
	byVPC := Filter{Name: new("vpc-id"), Values: []string{*vpc}}

	tables := see(w, w.describeRouteTables, DescribeRouteTablesInput{Filters: []Filter{byVPC, {Name: new("association.main"), Values: []string{"true"}}}}).RouteTables
	if len(tables) != 1 {
		t.Fatalf("%d main route tables, want 1", len(tables))
	}
	local := []Route{{DestinationCidrBlock: new("10.0.0.0/16"), GatewayId: new("local"), Origin: new("CreateRouteTable"), State: new("active")}}
	if d := diff(tables[0].Routes, local); d != "" {
		t.Errorf("routes differ (-got +want):\n%s", d)
	}

	acls := see(w, w.describeNetworkACLs, DescribeNetworkAclsInput{Filters: []Filter{byVPC, {Name: new("default"), Values: []string{"true"}}}}).NetworkAcls
	if len(acls) != 1 {
		t.Fatalf("%d default network ACLs, want 1", len(acls))
	}
	entry := func(egress bool, number int64, action string) NetworkAclEntry {
		return NetworkAclEntry{CidrBlock: new("0.0.0.0/0"), Egress: &egress, Protocol: new("-1"), RuleAction: &action, RuleNumber: &number}
	}
	entries := []NetworkAclEntry{entry(true, 100, "allow"), entry(true, 32767, "deny"), entry(false, 100, "allow"), entry(false, 32767, "deny")}
	if d := diff(acls[0].Entries, entries); d != "" {
		t.Errorf("entries differ (-got +want):\n%s", d)
	}

	groups := see(w, w.describeSecurityGroups, DescribeSecurityGroupsInput{Filters: []Filter{byVPC, {Name: new("group-name"), Values: []string{"default"}}}}).SecurityGroups
	if len(groups) != 1 {
		t.Fatalf("%d default groups, want 1", len(groups))
	}
	self := []IpPermission{{IpProtocol: new("-1"), UserIdGroupPairs: []UserIdGroupPair{{GroupId: groups[0].GroupId, UserId: new("123456789012")}}}}
	if d := diff(groups[0].IpPermissions, self); d != "" {
		t.Errorf("ingress differs (-got +want):\n%s", d)
	}
	out := []IpPermission{{IpProtocol: new("-1"), IpRanges: []IpRange{{CidrIp: new("0.0.0.0/0")}}}}
	if d := diff(groups[0].IpPermissionsEgress, out); d != "" {
		t.Errorf("egress differs (-got +want):\n%s", d)
	}
}

func TestAVPCIsDescribedWithWhatTerraformReads(t *testing.T) {
	w := newWorld(t)
	created := do(w, w.createVPC, CreateVpcInput{
		AmazonProvidedIpv6CidrBlock: new(false), CidrBlock: new("10.1.2.3/16"), InstanceTenancy: new("default"),
		TagSpecifications: []TagSpecification{{ResourceType: new("vpc"), Tags: []Tag{{Key: new("Name"), Value: new("demo")}}}},
	}).Vpc
	if *created.State != "pending" {
		t.Errorf("created in state %s, want pending", *created.State)
	}
	got := see(w, w.describeVPCs, DescribeVpcsInput{VpcIds: []string{*created.VpcId}}).Vpcs
	options := see(w, w.describeDHCPOptions, DescribeDhcpOptionsInput{}).DhcpOptions
	want := []Vpc{{
		CidrBlock: new("10.1.0.0/16"), // the host bits are cleared
		CidrBlockAssociationSet: []VpcCidrBlockAssociation{{
			AssociationId: created.CidrBlockAssociationSet[0].AssociationId, CidrBlock: new("10.1.0.0/16"),
			CidrBlockState: &VpcCidrBlockState{State: new("associated")},
		}},
		DhcpOptionsId: options[0].DhcpOptionsId, InstanceTenancy: new("default"), IsDefault: new(false),
		OwnerId: new("123456789012"), State: new("available"), VpcId: created.VpcId,
		Tags: []Tag{{Key: new("Name"), Value: new("demo")}},
	}}
	if d := diff(got, want); d != "" {
		t.Errorf("VPC differs (-got +want):\n%s", d)
	}
}

func TestBadVPCsAreRefused(t *testing.T) {
	w := newWorld(t)
	for want, ins := range map[string][]CreateVpcInput{
		"MissingParameter":      {{}},
		"InvalidParameterValue": {{CidrBlock: new("10.0.0.0")}, {CidrBlock: new("fd00::/56")}, {CidrBlock: new("10.0.0.0/16"), InstanceTenancy: new("shared")}},
		"InvalidVpc.Range":      {{CidrBlock: new("10.0.0.0/15")}, {CidrBlock: new("10.0.0.0/29")}, {CidrBlock: new("127.0.0.0/16")}, {CidrBlock: new("169.254.0.0/20")}, {CidrBlock: new("224.0.0.0/16")}},
		"UnsupportedOperation": {
			{CidrBlock: new("10.0.0.0/16"), Ipv6Pool: new("ipv6pool-ec2-1"), Ipv6CidrBlock: new("2001:db8::/56")},
			{CidrBlock: new("10.0.0.0/16"), InstanceTenancy: new("dedicated")},
			{Ipv4IpamPoolId: new("ipam-pool-1")},
		},
	} {
		for _, in := range ins {
			refused(w, w.createVPC, in, want)
		}
	}
	tag := []TagSpecification{{ResourceType: new("subnet")}}
	refused(w, w.createVPC, CreateVpcInput{CidrBlock: new("10.0.0.0/16"), TagSpecifications: tag}, "InvalidParameterValue")
}

func TestAVPCWithSomethingInItIsNotDeleted(t *testing.T) {
	w := newWorld(t)
	for name, fill := range map[string]func(vpc *string){
		"subnet":           func(vpc *string) { w.subnet(vpc, "10.0.1.0/24", "a") },
		"route table":      func(vpc *string) { w.routeTable(vpc) },
		"group":            func(vpc *string) { w.group(vpc, "web") },
		"internet gateway": func(vpc *string) { w.gateway(vpc) },
		"network ACL":      func(vpc *string) { do(w, w.createNetworkACL, CreateNetworkAclInput{VpcId: vpc}) },
		"endpoint": func(vpc *string) {
			do(w, w.createVPCEndpoint, CreateVpcEndpointInput{VpcId: vpc, ServiceName: new("com.amazonaws.us-west-2.s3")})
		},
	} {
		vpc := w.vpc("10.0.0.0/16")
		fill(vpc)
		t.Log(name)
		refused(w, w.deleteVPC, DeleteVpcInput{VpcId: vpc}, "DependencyViolation")
	}
}

func TestDeletingAVPCTakesItsDefaultObjectsWithIt(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	do(w, w.deleteVPC, DeleteVpcInput{VpcId: vpc})
	refused(w, w.deleteVPC, DeleteVpcInput{VpcId: vpc}, "InvalidVpcID.NotFound")
	notSeen(w, w.describeVPCs, DescribeVpcsInput{VpcIds: []string{*vpc}}, "InvalidVpcID.NotFound")
	left := len(see(w, w.describeRouteTables, DescribeRouteTablesInput{}).RouteTables) +
		len(see(w, w.describeNetworkACLs, DescribeNetworkAclsInput{}).NetworkAcls) +
		len(see(w, w.describeSecurityGroups, DescribeSecurityGroupsInput{}).SecurityGroups)
	if left != 0 {
		t.Errorf("%d default objects are left, want none", left)
	}
}

func TestVPCAttributesChangeOneAtATime(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	on, off := &AttributeBooleanValue{Value: new(true)}, &AttributeBooleanValue{Value: new(false)}
	read := func(attribute string) bool {
		out := see(w, w.describeVPCAttribute, DescribeVpcAttributeInput{VpcId: vpc, Attribute: &attribute})
		for _, v := range []*AttributeBooleanValue{out.EnableDnsSupport, out.EnableDnsHostnames, out.EnableNetworkAddressUsageMetrics} {
			if v != nil {
				return *v.Value
			}
		}
		t.Fatalf("no value for %s", attribute)
		return false
	}
	if !read("enableDnsSupport") || read("enableDnsHostnames") || read("enableNetworkAddressUsageMetrics") {
		t.Error("the defaults are not true, false, false")
	}
	do(w, w.modifyVPCAttribute, ModifyVpcAttributeInput{VpcId: vpc, EnableDnsHostnames: on})
	do(w, w.modifyVPCAttribute, ModifyVpcAttributeInput{VpcId: vpc, EnableDnsSupport: off})
	if read("enableDnsSupport") || !read("enableDnsHostnames") {
		t.Error("the changes were not made")
	}
	refused(w, w.modifyVPCAttribute, ModifyVpcAttributeInput{VpcId: vpc, EnableDnsHostnames: on, EnableDnsSupport: on}, "InvalidParameterCombination")
	refused(w, w.modifyVPCAttribute, ModifyVpcAttributeInput{VpcId: vpc}, "InvalidParameterCombination")
	notSeen(w, w.describeVPCAttribute, DescribeVpcAttributeInput{VpcId: vpc, Attribute: new("color")}, "InvalidParameterValue")
	notSeen(w, w.describeVPCAttribute, DescribeVpcAttributeInput{VpcId: nowhere("vpc"), Attribute: new("enableDnsSupport")}, "InvalidVpcID.NotFound")
}

func TestAVPCGrowsByBlocksThatFit(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	add := func(cidr string) AssociateVpcCidrBlockInput {
		return AssociateVpcCidrBlockInput{VpcId: vpc, CidrBlock: &cidr}
	}
	for _, bad := range []string{"10.0.1.0/24", "10.0.0.0/16", "172.16.0.0/16", "192.168.0.0/16", "198.19.0.0/16", "10.1.0.0/29"} {
		refused(w, w.associateVPCCIDRBlock, add(bad), "InvalidVpc.Range")
	}
	added := do(w, w.associateVPCCIDRBlock, add("10.1.0.0/16")).CidrBlockAssociation
	subnet := w.subnet(vpc, "10.1.5.0/24", "a")
	routes := see(w, w.describeRouteTables, DescribeRouteTablesInput{}).RouteTables[0].Routes
	if len(routes) != 2 || *routes[1].DestinationCidrBlock != "10.1.0.0/16" {
		t.Errorf("the new block has no local route: %+v", routes)
	}
	gone := DisassociateVpcCidrBlockInput{AssociationId: added.AssociationId}
	refused(w, w.disassociateVPCCIDRBlock, gone, "InvalidCidrBlock.InUse")
	do(w, w.deleteSubnet, DeleteSubnetInput{SubnetId: subnet})
	do(w, w.disassociateVPCCIDRBlock, gone)
	refused(w, w.disassociateVPCCIDRBlock, gone, "InvalidVpcCidrBlockAssociationIdError.NotFound")
	primary := see(w, w.describeVPCs, DescribeVpcsInput{}).Vpcs[0].CidrBlockAssociationSet[0].AssociationId
	refused(w, w.disassociateVPCCIDRBlock, DisassociateVpcCidrBlockInput{AssociationId: primary}, "OperationNotPermitted")
	for _, cidr := range []string{"10.1.0.0/16", "10.2.0.0/16", "100.64.0.0/16", "10.4.0.0/16"} {
		do(w, w.associateVPCCIDRBlock, add(cidr))
	}
	refused(w, w.associateVPCCIDRBlock, add("10.5.0.0/16"), "CidrLimitExceeded")
}

func TestABlockThatWouldCoverARouteIsRefused(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	table := w.routeTable(vpc)
	do(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("10.7.0.0/24"), GatewayId: w.gateway(vpc)})
	refused(w, w.associateVPCCIDRBlock, AssociateVpcCidrBlockInput{VpcId: vpc, CidrBlock: new("10.7.0.0/16")}, "InvalidVpc.Range")
}
