package ec2

import (
	"testing"
)

func TestAnEgressOnlyGatewayBelongsToItsVPC(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	in := CreateEgressOnlyInternetGatewayInput{VpcId: vpc, ClientToken: new("once"), TagSpecifications: []TagSpecification{
		{ResourceType: new("egress-only-internet-gateway"), Tags: []Tag{{Key: new("Name"), Value: new("out")}}},
	}}
	made := do(w, w.createEgressOnlyGateway, in)
	again := do(w, w.createEgressOnlyGateway, in)
	want := EgressOnlyInternetGateway{
		Attachments:                 []InternetGatewayAttachment{{State: new("attached"), VpcId: vpc}},
		EgressOnlyInternetGatewayId: made.EgressOnlyInternetGateway.EgressOnlyInternetGatewayId,
		Tags:                        []Tag{{Key: new("Name"), Value: new("out")}},
	}
	for _, got := range []EgressOnlyInternetGateway{*made.EgressOnlyInternetGateway, *again.EgressOnlyInternetGateway} {
		if d := diff(got, want); d != "" {
			t.Errorf("gateway differs (-got +want):\n%s", d)
		}
	}
	if *again.ClientToken != "once" {
		t.Errorf("token is %v", again.ClientToken)
	}
	id := want.EgressOnlyInternetGatewayId
	byTag := see(w, w.describeEgressOnlyGateways, DescribeEgressOnlyInternetGatewaysInput{Filters: filter("tag:Name", "out")})
	if d := diff(byTag.EgressOnlyInternetGateways, []EgressOnlyInternetGateway{want}); d != "" {
		t.Errorf("listing differs (-got +want):\n%s", d)
	}
	refused(w, w.createEgressOnlyGateway, CreateEgressOnlyInternetGatewayInput{VpcId: vpc}, "InvalidParameterValue")
	refused(w, w.createEgressOnlyGateway, CreateEgressOnlyInternetGatewayInput{VpcId: nowhere("vpc")}, "InvalidVpcID.NotFound")
	refused(w, w.createEgressOnlyGateway, CreateEgressOnlyInternetGatewayInput{}, "MissingParameter")
	refused(w, w.deleteVPC, DeleteVpcInput{VpcId: vpc}, "DependencyViolation")
	do(w, w.deleteEgressOnlyGateway, DeleteEgressOnlyInternetGatewayInput{EgressOnlyInternetGatewayId: id})
	_, err := try(w, w.deleteEgressOnlyGateway, DeleteEgressOnlyInternetGatewayInput{EgressOnlyInternetGatewayId: id})
	if text := "InvalidGatewayID.NotFound: The gateway ID '" + *id + "' does not exist"; err == nil || err.Error() != text {
		t.Errorf("got %v, want %s", err, text)
	}
	if left := see(w, w.describeEgressOnlyGateways, DescribeEgressOnlyInternetGatewaysInput{EgressOnlyInternetGatewayIds: []string{*id}}); len(left.EgressOnlyInternetGateways) != 0 {
		t.Errorf("left: %+v", left.EgressOnlyInternetGateways)
	}
	notSeen(w, w.describeEgressOnlyGateways, DescribeEgressOnlyInternetGatewaysInput{EgressOnlyInternetGatewayIds: []string{"igw-0123456789abcdef0"}}, "InvalidEgressOnlyInternetGatewayId.Malformed")
	do(w, w.deleteVPC, DeleteVpcInput{VpcId: vpc})
}

// dualNetwork is a VPC with IPv6, a route table, and what routes may lead to.
type dualNetwork struct {
	vpc, block, table, gateway, egressOnly, nat, eni, peering *string
}

func newDualNetwork(w *world) dualNetwork {
	n := dualNetwork{vpc: w.vpc("10.0.0.0/16")}
	n.block = new(w.ipv6(n.vpc))
	n.table, n.gateway, n.egressOnly = w.routeTable(n.vpc), w.gateway(n.vpc), w.egressOnly(n.vpc)
	subnet := w.subnet(n.vpc, "10.0.1.0/24", "a")
	w.subnetIPv6(subnet, subnetOf(*n.block, 1))
	n.eni = w.eni(subnet)
	n.nat = do(w, w.createNATGateway, CreateNatGatewayInput{SubnetId: subnet, ConnectivityType: new("private")}).NatGateway.NatGatewayId
	n.peering = w.activePeer(n.vpc, w.vpc("10.9.0.0/16"))
	return n
}

func TestIPv6RoutesLeadWhereAWSLetsThem(t *testing.T) {
	w := newWorld(t)
	n := newDualNetwork(w)
	for _, in := range []CreateRouteInput{
		{DestinationIpv6CidrBlock: new("::/0"), EgressOnlyInternetGatewayId: n.egressOnly},
		{DestinationIpv6CidrBlock: new("2001:db8:1::/48"), GatewayId: n.gateway},
		{DestinationIpv6CidrBlock: new("2001:db8:2:0:0:0:0:1/48"), NetworkInterfaceId: n.eni},
		{DestinationIpv6CidrBlock: new("2001:db8:3::/48"), VpcPeeringConnectionId: n.peering},
		{DestinationIpv6CidrBlock: new(subnetOf(*n.block, 1)), NetworkInterfaceId: n.eni}, // a whole subnet through an appliance
	} {
		in.RouteTableId = n.table
		do(w, w.createRoute, in)
	}
	route := func(block string, to Route) Route {
		to.DestinationIpv6CidrBlock, to.Origin, to.State = &block, new("CreateRoute"), new("active")
		return to
	}
	want := []Route{
		{DestinationCidrBlock: new("10.0.0.0/16"), GatewayId: new("local"), Origin: new("CreateRouteTable"), State: new("active")},
		{DestinationIpv6CidrBlock: n.block, GatewayId: new("local"), Origin: new("CreateRouteTable"), State: new("active")},
		route("::/0", Route{EgressOnlyInternetGatewayId: n.egressOnly}), route("2001:db8:1::/48", Route{GatewayId: n.gateway}),
		route("2001:db8:2::/48", Route{NetworkInterfaceId: n.eni}), route("2001:db8:3::/48", Route{VpcPeeringConnectionId: n.peering}),
		route(subnetOf(*n.block, 1), Route{NetworkInterfaceId: n.eni}),
	}
	routes := func() []Route {
		return see(w, w.describeRouteTables, DescribeRouteTablesInput{RouteTableIds: []string{*n.table}}).RouteTables[0].Routes
	}
	if d := diff(routes(), want); d != "" {
		t.Errorf("routes differ (-got +want):\n%s", d)
	}
	for name, v := range map[string]string{"route.destination-ipv6-cidr-block": "2001:db8:3::/48", "route.egress-only-internet-gateway-id": *n.egressOnly} {
		if found := see(w, w.describeRouteTables, DescribeRouteTablesInput{Filters: filter(name, v)}).RouteTables; len(found) != 1 {
			t.Errorf("%s finds %d tables, want 1", name, len(found))
		}
	}
	do(w, w.replaceRoute, ReplaceRouteInput{RouteTableId: n.table, DestinationIpv6CidrBlock: new("::/0"), GatewayId: n.gateway})
	do(w, w.replaceRoute, ReplaceRouteInput{RouteTableId: n.table, DestinationIpv6CidrBlock: new("2001:db8:1::/48"), EgressOnlyInternetGatewayId: n.egressOnly})
	do(w, w.deleteEgressOnlyGateway, DeleteEgressOnlyInternetGatewayInput{EgressOnlyInternetGatewayId: n.egressOnly})
	if got := routes(); *got[2].GatewayId != *n.gateway || *got[3].State != "blackhole" {
		t.Errorf("after the changes: %+v", got[2:4])
	}
	do(w, w.deleteRoute, DeleteRouteInput{RouteTableId: n.table, DestinationIpv6CidrBlock: new("2001:db8:1::/48")})
	if got := routes(); len(got) != len(want)-1 {
		t.Errorf("%d routes after a deletion, want %d", len(got), len(want)-1)
	}
}

func TestBadIPv6RoutesAreRefused(t *testing.T) {
	w := newWorld(t)
	n := newDualNetwork(w)
	other := w.egressOnly(w.vpc("10.0.0.0/16"))
	list := do(w, w.createManagedPrefixList, CreateManagedPrefixListInput{AddressFamily: new("IPv6"), MaxEntries: new(int64(2)), PrefixListName: new("six")}).PrefixList.PrefixListId
	six := new("2001:db8:1::/48")
	do(w, w.createRoute, CreateRouteInput{RouteTableId: n.table, DestinationIpv6CidrBlock: new("::/0"), GatewayId: n.gateway})
	for want, ins := range map[string][]CreateRouteInput{
		"InvalidParameterValue": {
			{DestinationIpv6CidrBlock: new("0.0.0.0/0"), GatewayId: n.gateway}, {DestinationIpv6CidrBlock: new("nonsense"), GatewayId: n.gateway},
			{DestinationCidrBlock: new("0.0.0.0/0"), EgressOnlyInternetGatewayId: n.egressOnly},
			{DestinationIpv6CidrBlock: six, EgressOnlyInternetGatewayId: other}, // of another VPC
			{DestinationIpv6CidrBlock: six, NatGatewayId: n.nat}, {DestinationPrefixListId: list, NatGatewayId: n.nat},
			{DestinationIpv6CidrBlock: new("fd00:ec2::/32"), GatewayId: n.gateway},
			{DestinationIpv6CidrBlock: n.block, EgressOnlyInternetGatewayId: n.egressOnly}, {DestinationIpv6CidrBlock: new(subnetOf(*n.block, 1)), GatewayId: n.gateway},
		},
		"UnsupportedOperation": {{DestinationIpv6CidrBlock: new("64:ff9b::/96"), NatGatewayId: n.nat}},
		"InvalidParameterCombination": {
			{DestinationIpv6CidrBlock: six, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: n.gateway}, {DestinationIpv6CidrBlock: six},
			{DestinationIpv6CidrBlock: six, GatewayId: n.gateway, EgressOnlyInternetGatewayId: n.egressOnly},
		},
		"InvalidGatewayID.NotFound": {{DestinationIpv6CidrBlock: six, EgressOnlyInternetGatewayId: nowhere("eigw")}},
		"RouteAlreadyExists":        {{DestinationIpv6CidrBlock: new("::/0"), EgressOnlyInternetGatewayId: n.egressOnly}},
	} {
		for _, in := range ins {
			in.RouteTableId = n.table
			refused(w, w.createRoute, in, want)
		}
	}
	do(w, w.createRoute, CreateRouteInput{RouteTableId: n.table, DestinationPrefixListId: list, EgressOnlyInternetGatewayId: n.egressOnly})
	_, err := try(w, w.deleteRoute, DeleteRouteInput{RouteTableId: n.table, DestinationIpv6CidrBlock: six})
	if want := "InvalidRoute.NotFound: no route with destination-ipv6-cidr-block 2001:db8:1::/48 in route table " + *n.table; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	refused(w, w.deleteRoute, DeleteRouteInput{RouteTableId: n.table, DestinationIpv6CidrBlock: n.block}, "InvalidParameterValue")
}
