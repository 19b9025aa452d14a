package ec2

import (
	"slices"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func TestADefaultVPCComesWithAllItsParts(t *testing.T) {
	w := newWorld(t)
	v := do(w, w.createDefaultVPC, CreateDefaultVpcInput{}).Vpc
	if *v.CidrBlock != "172.31.0.0/16" || !*v.IsDefault {
		t.Errorf("got %+v", v)
	}
	refused(w, w.createDefaultVPC, CreateDefaultVpcInput{}, "DefaultVpcAlreadyExists")
	var got []string
	for _, s := range see(w, w.describeSubnets, DescribeSubnetsInput{Filters: filter("default-for-az", "true")}).Subnets {
		got = append(got, *s.AvailabilityZone+" "+*s.CidrBlock)
		if !*s.MapPublicIpOnLaunch || *s.VpcId != *v.VpcId {
			t.Errorf("subnet %+v", s)
		}
	}
	want := []string{"us-west-2a 172.31.0.0/20", "us-west-2b 172.31.16.0/20", "us-west-2c 172.31.32.0/20", "us-west-2d 172.31.48.0/20"}
	if d := diff(slices.Sorted(slices.Values(got)), want); d != "" {
		t.Errorf("subnets differ (-got +want):\n%s", d)
	}
	tables := see(w, w.describeRouteTables, DescribeRouteTablesInput{Filters: filter("vpc-id", *v.VpcId)}).RouteTables
	gateways := see(w, w.describeInternetGateways, DescribeInternetGatewaysInput{Filters: filter("attachment.vpc-id", *v.VpcId)}).InternetGateways
	if len(tables) != 1 || len(gateways) != 1 || len(tables[0].Routes) != 2 || *tables[0].Routes[1].GatewayId != *gateways[0].InternetGatewayId {
		t.Errorf("tables %+v, gateways %+v", tables, gateways)
	}
	if a := see(w, w.describeVPCAttribute, DescribeVpcAttributeInput{VpcId: v.VpcId, Attribute: new("enableDnsHostnames")}); !*a.EnableDnsHostnames.Value {
		t.Error("DNS host names are off")
	}
	if found := findDangling(w.store.View()); len(found) > 0 {
		t.Errorf("dangling: %v", found)
	}
}

func TestADefaultSubnetIsMadeOnceForAZone(t *testing.T) {
	w := newWorld(t)
	in := func(zone string) CreateDefaultSubnetInput { return CreateDefaultSubnetInput{AvailabilityZone: &zone} }
	refused(w, w.createDefaultSubnet, in("us-west-2b"), "DefaultVpcDoesNotExist")
	vpc := do(w, w.createDefaultVPC, CreateDefaultVpcInput{}).Vpc.VpcId
	refused(w, w.createDefaultSubnet, in("us-west-2b"), "DefaultSubnetAlreadyExistsInAvailabilityZone")
	refused(w, w.createDefaultSubnet, in("us-west-2x"), "InvalidParameterValue")
	refused(w, w.createDefaultSubnet, CreateDefaultSubnetInput{}, "MissingParameter")
	refused(w, w.createDefaultSubnet, CreateDefaultSubnetInput{AvailabilityZone: new("us-west-2b"), Ipv6Native: new(true)}, "UnsupportedOperation")

	old := see(w, w.describeSubnets, DescribeSubnetsInput{Filters: filter("availability-zone", "us-west-2b")}).Subnets[0]
	do(w, w.deleteSubnet, DeleteSubnetInput{SubnetId: old.SubnetId})
	w.subnet(vpc, "172.31.16.0/24", "a") // its place is taken
	made := do(w, w.createDefaultSubnet, CreateDefaultSubnetInput{AvailabilityZoneId: new("usw2-az2")}).Subnet
	if *made.CidrBlock != "172.31.64.0/20" || *made.AvailabilityZone != "us-west-2b" || !*made.DefaultForAz {
		t.Errorf("got %+v", made)
	}
}

func TestACallWithoutVPCMeansTheDefaultOne(t *testing.T) {
	w := newWorld(t)
	in := CreateSecurityGroupInput{GroupName: new("web"), Description: new("d")}
	refused(w, w.createSecurityGroup, in, "VPCIdNotSpecified")
	notSeen(w, w.describeSecurityGroups, DescribeSecurityGroupsInput{GroupNames: []string{"default"}}, "InvalidGroup.NotFound")
	vpc := do(w, w.createDefaultVPC, CreateDefaultVpcInput{}).Vpc.VpcId
	id := do(w, w.createSecurityGroup, in).GroupId
	got := see(w, w.describeSecurityGroups, DescribeSecurityGroupsInput{GroupNames: []string{"web"}}).SecurityGroups
	if len(got) != 1 || *got[0].GroupId != *id || *got[0].VpcId != *vpc {
		t.Errorf("got %+v", got)
	}
	do(w, w.deleteSecurityGroup, DeleteSecurityGroupInput{GroupName: new("web")})
	attributes := see(w, w.describeAccountAttributes, DescribeAccountAttributesInput{AttributeNames: []string{"default-vpc"}}).AccountAttributes
	if *attributes[0].AttributeValues[0].AttributeValue != *vpc {
		t.Errorf("attributes are %+v", attributes)
	}
}

func TestADefaultVPCCanBeTakenApartAndMadeAnew(t *testing.T) {
	w := newWorld(t)
	vpc := do(w, w.createDefaultVPC, CreateDefaultVpcInput{}).Vpc.VpcId
	refused(w, w.deleteVPC, DeleteVpcInput{VpcId: vpc}, "DependencyViolation")
	for _, s := range state.List[*resource.Subnet](w.store.View()) {
		do(w, w.deleteSubnet, DeleteSubnetInput{SubnetId: new(string(s.ID))})
	}
	gateway := new(string(state.List[*resource.InternetGateway](w.store.View())[0].ID))
	do(w, w.detachInternetGateway, DetachInternetGatewayInput{InternetGatewayId: gateway, VpcId: vpc})
	do(w, w.deleteInternetGateway, DeleteInternetGatewayInput{InternetGatewayId: gateway})
	do(w, w.deleteVPC, DeleteVpcInput{VpcId: vpc})
	if left := count(w.store.View(), func(*resource.RouteTable) bool { return true }); left != 0 {
		t.Errorf("%d route tables are left", left)
	}
	do(w, w.createDefaultVPC, CreateDefaultVpcInput{})
}
