package ec2

import (
	"testing"
)

func TestARouteTableIsMadeOnceForAToken(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	in := CreateRouteTableInput{VpcId: vpc, ClientToken: new("terraform-1")}
	one, two := do(w, w.createRouteTable, in), do(w, w.createRouteTable, in)
	if *one.RouteTable.RouteTableId != *two.RouteTable.RouteTableId || *two.ClientToken != "terraform-1" {
		t.Errorf("the second call answered %s, want %s", *two.RouteTable.RouteTableId, *one.RouteTable.RouteTableId)
	}
	in.TagSpecifications = []TagSpecification{{ResourceType: new("route-table"), Tags: []Tag{{Key: new("a"), Value: new("b")}}}}
	refused(w, w.createRouteTable, in, "IdempotentParameterMismatch")
	do(w, w.deleteRouteTable, DeleteRouteTableInput{RouteTableId: one.RouteTable.RouteTableId})
	if again := do(w, w.createRouteTable, in); *again.RouteTable.RouteTableId == *one.RouteTable.RouteTableId {
		t.Error("the token of a deleted table still answers with it")
	}
	if _, err := try(w, w.createRouteTable, CreateRouteTableInput{VpcId: nowhere("vpc")}); code(err) != "InvalidVpcID.NotFound" {
		t.Error(err)
	}
}

func TestASubnetHasOneRouteTable(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet, one, two := w.subnet(vpc, "10.0.1.0/24", "a"), w.routeTable(vpc), w.routeTable(vpc)
	a := do(w, w.associateRouteTable, AssociateRouteTableInput{RouteTableId: one, SubnetId: subnet})
	same := do(w, w.associateRouteTable, AssociateRouteTableInput{RouteTableId: one, SubnetId: subnet})
	if *a.AssociationId != *same.AssociationId || *a.AssociationState.State != "associated" {
		t.Errorf("saying it again made %s, want %s", *same.AssociationId, *a.AssociationId)
	}
	refused(w, w.associateRouteTable, AssociateRouteTableInput{RouteTableId: two, SubnetId: subnet}, "Resource.AlreadyAssociated")
	refused(w, w.deleteRouteTable, DeleteRouteTableInput{RouteTableId: one}, "DependencyViolation")

	byAssociation := DescribeRouteTablesInput{Filters: filter("association.route-table-association-id", *a.AssociationId)}
	found := see(w, w.describeRouteTables, byAssociation).RouteTables
	if len(found) != 1 || *found[0].RouteTableId != *one {
		t.Fatalf("found %+v by association", found)
	}
	do(w, w.disassociateRouteTable, DisassociateRouteTableInput{AssociationId: a.AssociationId})
	if found := see(w, w.describeRouteTables, byAssociation).RouteTables; len(found) != 0 {
		t.Errorf("after disassociating, found %+v, want an empty list", found)
	}
	refused(w, w.disassociateRouteTable, DisassociateRouteTableInput{AssociationId: a.AssociationId}, "InvalidAssociationID.NotFound")
	do(w, w.deleteRouteTable, DeleteRouteTableInput{RouteTableId: one})
	notSeen(w, w.describeRouteTables, DescribeRouteTablesInput{RouteTableIds: []string{*one}}, "InvalidRouteTableID.NotFound")
}

func TestAssociatingAcrossVPCsIsRefused(t *testing.T) {
	w := newWorld(t)
	here, there := w.vpc("10.0.0.0/16"), w.vpc("10.0.0.0/16")
	table := w.routeTable(here)
	refused(w, w.associateRouteTable, AssociateRouteTableInput{RouteTableId: table, SubnetId: w.subnet(there, "10.0.1.0/24", "a")}, "InvalidParameterValue")
	refused(w, w.associateRouteTable, AssociateRouteTableInput{RouteTableId: table, GatewayId: w.gateway(here)}, "UnsupportedOperation")
	refused(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: w.gateway(there)}, "InvalidParameterValue")
}

func TestTheMainTableCanBeReplacedButNotTakenAway(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	main := see(w, w.describeRouteTables, DescribeRouteTablesInput{}).RouteTables[0]
	refused(w, w.deleteRouteTable, DeleteRouteTableInput{RouteTableId: main.RouteTableId}, "DependencyViolation")
	association := main.Associations[0].RouteTableAssociationId
	refused(w, w.disassociateRouteTable, DisassociateRouteTableInput{AssociationId: association}, "InvalidParameterValue")
	table := w.routeTable(vpc)
	moved := do(w, w.replaceRouteTableAssociation, ReplaceRouteTableAssociationInput{AssociationId: association, RouteTableId: table})
	found := see(w, w.describeRouteTables, DescribeRouteTablesInput{Filters: filter("association.main", "true")}).RouteTables
	if len(found) != 1 || *found[0].RouteTableId != *table || *found[0].Associations[0].RouteTableAssociationId != *moved.NewAssociationId {
		t.Errorf("the main table is %+v, want %s", found, *table)
	}
	do(w, w.deleteRouteTable, DeleteRouteTableInput{RouteTableId: main.RouteTableId})
}

func TestRoutesShowTheirTargetsAndTurnBlackWhenThoseGo(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet, table, gateway := w.subnet(vpc, "10.0.1.0/24", "a"), w.routeTable(vpc), w.gateway(vpc)
	nat := do(w, w.createNATGateway, CreateNatGatewayInput{SubnetId: subnet, ConnectivityType: new("private")}).NatGateway.NatGatewayId
	eni := w.eni(subnet)
	do(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: gateway})
	do(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("172.16.9.9/16"), NatGatewayId: nat})
	do(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("192.168.0.0/16"), NetworkInterfaceId: eni})

	routes := func() []Route {
		return see(w, w.describeRouteTables, DescribeRouteTablesInput{RouteTableIds: []string{*table}}).RouteTables[0].Routes[1:]
	}
	want := func(state string) []Route {
		return []Route{
			{DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: gateway, Origin: new("CreateRoute"), State: &state},
			{DestinationCidrBlock: new("172.16.0.0/16"), NatGatewayId: nat, Origin: new("CreateRoute"), State: &state},
			{DestinationCidrBlock: new("192.168.0.0/16"), NetworkInterfaceId: eni, Origin: new("CreateRoute"), State: &state},
		}
	}
	if d := diff(routes(), want("active")); d != "" {
		t.Errorf("routes differ (-got +want):\n%s", d)
	}
	do(w, w.detachInternetGateway, DetachInternetGatewayInput{InternetGatewayId: gateway, VpcId: vpc})
	do(w, w.deleteInternetGateway, DeleteInternetGatewayInput{InternetGatewayId: gateway})
	do(w, w.deleteNATGateway, DeleteNatGatewayInput{NatGatewayId: nat})
	do(w, w.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: eni})
	if d := diff(routes(), want("blackhole")); d != "" {
		t.Errorf("routes differ after their targets went (-got +want):\n%s", d)
	}
}

func TestBadRoutesAreRefused(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	table, gateway := w.routeTable(vpc), w.gateway(vpc)
	all := new("0.0.0.0/0")
	do(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationCidrBlock: all, GatewayId: gateway})
	block := new("172.16.0.0/16")
	for want, ins := range map[string][]CreateRouteInput{
		"RouteAlreadyExists":            {{RouteTableId: table, DestinationCidrBlock: all, GatewayId: gateway}},
		"InvalidRouteTableID.NotFound":  {{RouteTableId: nowhere("rtb"), DestinationCidrBlock: block, GatewayId: gateway}},
		"InvalidRouteTableId.Malformed": {{RouteTableId: new("table"), DestinationCidrBlock: block, GatewayId: gateway}},
		"InvalidGatewayID.NotFound":     {{RouteTableId: table, DestinationCidrBlock: block, GatewayId: nowhere("igw")}},
		"InvalidNatGatewayID.NotFound":  {{RouteTableId: table, DestinationCidrBlock: block, NatGatewayId: nowhere("nat")}},
		"InvalidNetworkInterfaceID.NotFound": {
			{RouteTableId: table, DestinationCidrBlock: block, NetworkInterfaceId: nowhere("eni")},
		},
		"InvalidPrefixListID.NotFound": {{RouteTableId: table, DestinationPrefixListId: nowhere("pl"), GatewayId: gateway}},
		"MissingParameter":             {{RouteTableId: table, GatewayId: gateway}},
		"InvalidParameterCombination": {
			{RouteTableId: table, DestinationCidrBlock: block},
			{RouteTableId: table, DestinationCidrBlock: block, GatewayId: gateway, NatGatewayId: nowhere("nat")},
		},
		"InvalidParameterValue": {
			{RouteTableId: table, DestinationCidrBlock: new("10.0.0.0/16"), GatewayId: gateway},
			{RouteTableId: table, DestinationCidrBlock: new("10.0.9.0/24"), GatewayId: gateway},
			{RouteTableId: table, DestinationCidrBlock: new("169.254.168.0/24"), GatewayId: gateway},
			{RouteTableId: table, DestinationCidrBlock: block, GatewayId: new("local")},
			{RouteTableId: table, DestinationCidrBlock: block, GatewayId: nowhere("vpce")},
			{RouteTableId: table, DestinationCidrBlock: block, VpcEndpointId: nowhere("vpce")},
		},
		"UnsupportedOperation": {
			{RouteTableId: table, DestinationCidrBlock: new("0.0.0.0/0"), TransitGatewayId: new("tgw-1")},
			{RouteTableId: table, DestinationCidrBlock: block, InstanceId: nowhere("i")},
			{RouteTableId: table, DestinationCidrBlock: block, TransitGatewayId: nowhere("tgw")},
			{RouteTableId: table, DestinationCidrBlock: block, GatewayId: nowhere("vgw")},
		},
	} {
		for _, in := range ins {
			refused(w, w.createRoute, in, want)
		}
	}
}

func TestASubnetsTrafficCanBeLedThroughAnInterface(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	w.subnet(vpc, "10.0.2.0/24", "b")
	table, eni := w.routeTable(vpc), w.eni(w.subnet(vpc, "10.0.1.0/24", "a"))
	do(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("10.0.2.0/24"), NetworkInterfaceId: eni})
	refused(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("10.0.2.0/25"), NetworkInterfaceId: eni}, "InvalidParameterValue")
}

func TestRoutesAreReplacedAndDeleted(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	table, gateway, eni := w.routeTable(vpc), w.gateway(vpc), w.eni(w.subnet(vpc, "10.0.1.0/24", "a"))
	all := new("0.0.0.0/0")
	refused(w, w.replaceRoute, ReplaceRouteInput{RouteTableId: table, DestinationCidrBlock: all, GatewayId: gateway}, "InvalidRoute.NotFound")
	do(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationCidrBlock: all, GatewayId: gateway})
	do(w, w.replaceRoute, ReplaceRouteInput{RouteTableId: table, DestinationCidrBlock: all, NetworkInterfaceId: eni})
	got := see(w, w.describeRouteTables, DescribeRouteTablesInput{RouteTableIds: []string{*table}}).RouteTables[0].Routes[1]
	if got.GatewayId != nil || *got.NetworkInterfaceId != *eni {
		t.Errorf("the route leads to %+v, want the interface", got)
	}
	local := new("10.0.0.0/16")
	refused(w, w.replaceRoute, ReplaceRouteInput{RouteTableId: table, DestinationCidrBlock: local, NetworkInterfaceId: eni}, "UnsupportedOperation")
	refused(w, w.deleteRoute, DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: local}, "InvalidParameterValue")
	do(w, w.deleteRoute, DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: all})
	refused(w, w.deleteRoute, DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: all}, "InvalidRoute.NotFound")
}
