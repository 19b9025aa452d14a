package ec2

import (
	"net/netip"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// ipv6 gives a VPC an IPv6 block and returns it.
func (w *world) ipv6(vpc *string) string {
	w.t.Helper()
	return *do(w, w.associateVPCCIDRBlock, AssociateVpcCidrBlockInput{VpcId: vpc, AmazonProvidedIpv6CidrBlock: new(true)}).Ipv6CidrBlockAssociation.Ipv6CidrBlock
}

// subnetIPv6 gives a subnet a block and returns the association.
func (w *world) subnetIPv6(subnet *string, block string) *string {
	w.t.Helper()
	return do(w, w.associateSubnetCIDRBlock, AssociateSubnetCidrBlockInput{SubnetId: subnet, Ipv6CidrBlock: &block}).Ipv6CidrBlockAssociation.AssociationId
}

func (w *world) egressOnly(vpc *string) *string {
	w.t.Helper()
	return do(w, w.createEgressOnlyGateway, CreateEgressOnlyInternetGatewayInput{VpcId: vpc}).EgressOnlyInternetGateway.EgressOnlyInternetGatewayId
}

// subnetOf is the n-th /64 of a VPC's block.
func subnetOf(block string, n int) string {
	a := netip.MustParsePrefix(block).Addr().As16()
	a[7] = byte(n)
	return netip.PrefixFrom(netip.AddrFrom16(a), 64).String()
}

func egressOf(w *world, group *string) []IpPermission {
	return see(w, w.describeSecurityGroups, DescribeSecurityGroupsInput{GroupIds: []string{*group}}).SecurityGroups[0].IpPermissionsEgress
}

func openBoth() []IpPermission {
	return []IpPermission{{IpProtocol: new("-1"), IpRanges: []IpRange{{CidrIp: new("0.0.0.0/0")}}, Ipv6Ranges: []Ipv6Range{{CidrIpv6: new("::/0")}}}}
}

func TestAVPCMadeWithIPv6HasABlockThatNoOtherHas(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{}
	for range 3 {
		made := do(w, w.createVPC, CreateVpcInput{CidrBlock: new("10.0.0.0/16"), AmazonProvidedIpv6CidrBlock: new(true), Ipv6CidrBlockNetworkBorderGroup: new("us-west-2")}).Vpc
		got := made.Ipv6CidrBlockAssociationSet
		if len(got) != 1 {
			t.Fatalf("%d IPv6 blocks, want 1", len(got))
		}
		block := *got[0].Ipv6CidrBlock
		if p := netip.MustParsePrefix(block); p.Bits() != 56 || !amazonIPv6().Contains(p.Addr()) || seen[block] {
			t.Errorf("block is %s; seen before: %v", block, seen)
		}
		seen[block] = true
		want := VpcIpv6CidrBlockAssociation{
			AssociationId: got[0].AssociationId, Ipv6CidrBlock: &block, Ipv6CidrBlockState: &VpcCidrBlockState{State: new("associating")},
			Ipv6Pool: new("Amazon"), NetworkBorderGroup: new("us-west-2"),
		}
		if d := diff(got[0], want); d != "" {
			t.Errorf("association differs (-got +want):\n%s", d)
		}
		want.Ipv6CidrBlockState.State = new("associated")
		found := see(w, w.describeVPCs, DescribeVpcsInput{Filters: filter("ipv6-cidr-block-association.ipv6-cidr-block", block)}).Vpcs
		if len(found) != 1 || diff(found[0].Ipv6CidrBlockAssociationSet, []VpcIpv6CidrBlockAssociation{want}) != "" {
			t.Errorf("described as %+v, want %+v", found, want)
		}
	}
}

func TestABlockThatWasGivenBackCanBeHadAgain(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	first := w.ipv6(vpc)
	if second := w.ipv6(vpc); second == first {
		t.Errorf("two blocks are %s", second)
	}
	do(w, w.disassociateVPCCIDRBlock, DisassociateVpcCidrBlockInput{AssociationId: new(state.List[*resource.VPC](w.store.View())[0].IPv6CIDRs[0].AssociationID)})
	if got := w.ipv6(w.vpc("10.0.0.0/16")); got != first {
		t.Errorf("the next block is %s, want %s", got, first)
	}
}

func TestABlockIsNotTakenOfWhatARouteIsFor(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	do(w, w.createRoute, CreateRouteInput{RouteTableId: w.routeTable(vpc), DestinationIpv6CidrBlock: new("2001:db8:1000:7::/64"), GatewayId: w.gateway(vpc)})
	if got := w.ipv6(vpc); got != "2001:db8:1000:100::/56" {
		t.Errorf("block is %s, want the first without a route", got)
	}
}

func TestAnIPv6BlockOpensWhatIsAsAWSMadeIt(t *testing.T) {
	for name, give := range map[string]func(w *world) *string{
		"at birth": func(w *world) *string {
			return do(w, w.createVPC, CreateVpcInput{CidrBlock: new("10.0.0.0/16"), AmazonProvidedIpv6CidrBlock: new(true)}).Vpc.VpcId
		},
		"later": func(w *world) *string { vpc := w.vpc("10.0.0.0/16"); w.ipv6(vpc); return vpc },
	} {
		w := newWorld(t)
		vpc := give(w)
		byVPC := filter("vpc-id", *vpc)
		group := see(w, w.describeSecurityGroups, DescribeSecurityGroupsInput{Filters: byVPC}).SecurityGroups[0].GroupId
		for _, g := range []*string{group, w.group(vpc, "web")} {
			if d := diff(egressOf(w, g), openBoth()); d != "" {
				t.Errorf("%s: egress differs (-got +want):\n%s", name, d)
			}
		}
		four := func(egress bool, number int64, action string) NetworkAclEntry {
			return NetworkAclEntry{CidrBlock: new("0.0.0.0/0"), Egress: &egress, Protocol: new("-1"), RuleAction: &action, RuleNumber: &number}
		}
		six := func(egress bool, number int64, action string) NetworkAclEntry {
			return NetworkAclEntry{Ipv6CidrBlock: new("::/0"), Egress: &egress, Protocol: new("-1"), RuleAction: &action, RuleNumber: &number}
		}
		var entries, closed []NetworkAclEntry
		for _, egress := range []bool{true, false} {
			entries = append(entries, four(egress, 100, "allow"), six(egress, 101, "allow"), four(egress, 32767, "deny"), six(egress, 32768, "deny"))
			closed = append(closed, four(egress, 32767, "deny"), six(egress, 32768, "deny"))
		}
		if d := diff(see(w, w.describeNetworkACLs, DescribeNetworkAclsInput{Filters: byVPC}).NetworkAcls[0].Entries, entries); d != "" {
			t.Errorf("%s: entries of the default ACL differ (-got +want):\n%s", name, d)
		}
		if d := diff(do(w, w.createNetworkACL, CreateNetworkAclInput{VpcId: vpc}).NetworkAcl.Entries, closed); d != "" {
			t.Errorf("%s: entries of a new ACL differ (-got +want):\n%s", name, d)
		}
		block := see(w, w.describeVPCs, DescribeVpcsInput{}).Vpcs[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock
		local := []Route{
			{DestinationCidrBlock: new("10.0.0.0/16"), GatewayId: new("local"), Origin: new("CreateRouteTable"), State: new("active")},
			{DestinationIpv6CidrBlock: block, GatewayId: new("local"), Origin: new("CreateRouteTable"), State: new("active")},
		}
		if d := diff(see(w, w.describeRouteTables, DescribeRouteTablesInput{}).RouteTables[0].Routes, local); d != "" {
			t.Errorf("%s: routes differ (-got +want):\n%s", name, d)
		}
	}
}

func TestAnIPv6BlockDoesNotOpenWhatSomebodyHasChanged(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	group := w.group(vpc, "web")
	narrow := []IpPermission{{IpProtocol: new("tcp"), FromPort: new(int64(443)), ToPort: new(int64(443)), IpRanges: []IpRange{{CidrIp: new("0.0.0.0/0")}}}}
	do(w, w.authorizeSecurityGroupEgress, AuthorizeSecurityGroupEgressInput{GroupId: group, IpPermissions: narrow})
	acl := see(w, w.describeNetworkACLs, DescribeNetworkAclsInput{}).NetworkAcls[0].NetworkAclId
	do(w, w.createNetworkACLEntry, CreateNetworkAclEntryInput{NetworkAclId: acl, RuleNumber: new(int64(7)), Egress: new(true), Protocol: new("-1"), RuleAction: new("deny"), CidrBlock: new("192.0.2.0/24")})
	w.ipv6(vpc)
	for _, p := range egressOf(w, group) {
		if len(p.Ipv6Ranges) > 0 {
			t.Errorf("a group that somebody changed got %+v", p)
		}
	}
	in, out := 0, 0
	for _, e := range see(w, w.describeNetworkACLs, DescribeNetworkAclsInput{}).NetworkAcls[0].Entries {
		switch {
		case *e.RuleNumber == 101 && *e.Egress:
			out++
		case *e.RuleNumber == 101:
			in++
		}
	}
	if in != 1 || out != 0 {
		t.Errorf("entry 101: %d in, %d out; want it in the direction alone that nobody changed", in, out)
	}
}

func TestBadIPv6BlocksOfVPCsAreRefused(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	on := new(true)
	for want, ins := range map[string][]AssociateVpcCidrBlockInput{
		"UnsupportedOperation":        {{VpcId: vpc, Ipv6Pool: new("ipv6pool-ec2-1")}, {VpcId: vpc, Ipv6CidrBlock: new("2001:db8::/56")}, {VpcId: vpc, Ipv6IpamPoolId: new("ipam-pool-1")}, {VpcId: vpc, Ipv6NetmaskLength: new(int64(56))}},
		"InvalidParameterValue":       {{VpcId: vpc, AmazonProvidedIpv6CidrBlock: on, Ipv6CidrBlockNetworkBorderGroup: new("us-west-2-lax-1")}},
		"InvalidParameterCombination": {{VpcId: vpc, AmazonProvidedIpv6CidrBlock: on, CidrBlock: new("10.1.0.0/16")}},
		"InvalidVpcID.NotFound":       {{VpcId: nowhere("vpc"), AmazonProvidedIpv6CidrBlock: on}},
	} {
		for _, in := range ins {
			refused(w, w.associateVPCCIDRBlock, in, want)
		}
	}
	block := w.ipv6(vpc)
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	association := w.subnetIPv6(subnet, subnetOf(block, 1))
	drop := DisassociateVpcCidrBlockInput{AssociationId: see(w, w.describeVPCs, DescribeVpcsInput{}).Vpcs[0].Ipv6CidrBlockAssociationSet[0].AssociationId}
	refused(w, w.disassociateVPCCIDRBlock, drop, "InvalidCidrBlock.InUse")
	do(w, w.disassociateSubnetCIDRBlock, DisassociateSubnetCidrBlockInput{AssociationId: association})
	if got := do(w, w.disassociateVPCCIDRBlock, drop).Ipv6CidrBlockAssociation; *got.Ipv6CidrBlockState.State != "disassociating" || *got.Ipv6CidrBlock != block {
		t.Errorf("answer is %+v", got)
	}
	refused(w, w.disassociateVPCCIDRBlock, drop, "InvalidVpcCidrBlockAssociationIdError.NotFound")
	if got := see(w, w.describeVPCs, DescribeVpcsInput{}).Vpcs[0].Ipv6CidrBlockAssociationSet; len(got) != 0 {
		t.Errorf("blocks left: %+v", got)
	}
}
