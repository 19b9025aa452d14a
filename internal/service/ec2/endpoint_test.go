package ec2

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"
)

const s3Service = "com.amazonaws.us-west-2.s3"

// interfaceEndpoint asks for an S3 interface endpoint as Terraform does: private DNS is said to be off.
func interfaceEndpoint(vpc *string, subnets ...*string) CreateVpcEndpointInput {
	in := CreateVpcEndpointInput{VpcId: vpc, VpcEndpointType: new("Interface"), ServiceName: new(s3Service), PrivateDnsEnabled: new(false)}
	for _, s := range subnets {
		in.SubnetIds = append(in.SubnetIds, *s)
	}
	return in
}

func gatewayEndpoint(vpc *string, tables ...*string) CreateVpcEndpointInput {
	in := CreateVpcEndpointInput{VpcId: vpc, VpcEndpointType: new("Gateway"), ServiceName: new(s3Service), PrivateDnsEnabled: new(false)}
	for _, t := range tables {
		in.RouteTableIds = append(in.RouteTableIds, *t)
	}
	return in
}

func (w *world) endpointNow(id *string) VpcEndpoint {
	w.t.Helper()
	return see(w, w.describeVPCEndpoints, DescribeVpcEndpointsInput{VpcEndpointIds: []string{*id}}).VpcEndpoints[0]
}

func (w *world) deleteEndpoint(id *string) []UnsuccessfulItem {
	w.t.Helper()
	return do(w, w.deleteVPCEndpoints, DeleteVpcEndpointsInput{VpcEndpointIds: []string{*id}}).Unsuccessful
}

func TestTheArticlesEndpointIsDescribedWithWhatTerraformReads(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet, g := w.subnet(vpc, "10.0.1.0/24", "a"), w.group(vpc, "endpoint")
	in := interfaceEndpoint(vpc, subnet)
	in.SecurityGroupIds = []string{*g}
	in.ClientToken = new("terraform-1")
	created := do(w, w.createVPCEndpoint, in)
	if again := do(w, w.createVPCEndpoint, in); *again.VpcEndpoint.VpcEndpointId != *created.VpcEndpoint.VpcEndpointId {
		t.Error("the token made two endpoints")
	}
	id := created.VpcEndpoint.VpcEndpointId
	got := w.endpointNow(id)
	eni := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{NetworkInterfaceIds: got.NetworkInterfaceIds}).NetworkInterfaces[0]

	names := []string{*got.DnsEntries[0].DnsName, *got.DnsEntries[1].DnsName}
	regional, zonal := strings.TrimSuffix(names[0], ".s3.us-west-2.vpce.amazonaws.com"), strings.TrimSuffix(names[1], "-us-west-2a.s3.us-west-2.vpce.amazonaws.com")
	if regional != zonal || !strings.HasPrefix(regional, "*."+*id+"-") || len(regional) != len("*."+*id+"-")+8 {
		t.Errorf("DNS names are %v", names)
	}
	want := VpcEndpoint{
		CreationTimestamp: &w.now, DnsEntries: got.DnsEntries[:2],
		DnsOptions: &DnsOptions{DnsRecordIpType: new("ipv4"), PrivateDnsOnlyForInboundResolverEndpoint: new(false)},
		Groups:     []SecurityGroupIdentifier{{GroupId: g, GroupName: new("endpoint")}}, IpAddressType: new("ipv4"),
		NetworkInterfaceIds: []string{*eni.NetworkInterfaceId}, OwnerId: new("123456789012"), PrivateDnsEnabled: new(false),
		RequesterManaged: new(false), RouteTableIds: []string{}, ServiceName: new(s3Service), ServiceRegion: new("us-west-2"),
		State: new("available"), SubnetIds: []string{*subnet}, Tags: []Tag{}, VpcEndpointId: id, VpcEndpointType: new("Interface"), VpcId: vpc,
	}
	if d := diff(got, want, cmpopts.IgnoreFields(VpcEndpoint{}, "PolicyDocument")); d != "" {
		t.Errorf("endpoint differs (-got +want):\n%s", d)
	}
	if !strings.Contains(*got.PolicyDocument, `"Principal": "*"`) {
		t.Errorf("the default policy is %s", *got.PolicyDocument)
	}
	if *eni.PrivateIpAddress != "10.0.1.4" || *eni.InterfaceType != "vpc_endpoint" || *eni.Status != "in-use" || !*eni.RequesterManaged ||
		*eni.Description != "VPC Endpoint Interface "+*id || *eni.Groups[0].GroupId != *g || *eni.Attachment.InstanceOwnerId != "amazon-aws" {
		t.Errorf("its interface is %+v", eni)
	}
	if failed := w.deleteEndpoint(id); len(failed) != 0 {
		t.Errorf("not deleted: %+v", failed)
	}
	notSeen(w, w.describeVPCEndpoints, DescribeVpcEndpointsInput{VpcEndpointIds: []string{*id}}, "InvalidVpcEndpointId.NotFound")
	do(w, w.deleteSecurityGroup, DeleteSecurityGroupInput{GroupId: g}) // nothing is left that would hold them
	do(w, w.deleteSubnet, DeleteSubnetInput{SubnetId: subnet})
	if failed := w.deleteEndpoint(id); len(failed) != 1 || *failed[0].Error.Code != "InvalidVpcEndpoint.NotFound" {
		t.Errorf("deleting it twice: %+v", failed)
	}
}

func TestPrivateDNSFollowsAWSsRules(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	private := interfaceEndpoint(vpc, w.subnet(vpc, "10.0.1.0/24", "a"))
	private.PrivateDnsEnabled = new(true)
	fails := func(in CreateVpcEndpointInput, want string) {
		t.Helper()
		before := w.store.View().Revision()
		if _, err := try(w, w.createVPCEndpoint, in); err == nil || err.Error() != "InvalidParameter: "+want {
			t.Errorf("got %v, want InvalidParameter: %s", err, want)
		}
		if w.store.View().Revision() != before {
			t.Error("a refused call changed the state")
		}
	}
	fails(private, "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for "+*vpc)
	w.dnsOn(vpc)
	fails(private, "To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC "+*vpc+" must have a Gateway endpoint for the service.")
	private.DnsOptions = &DnsOptionsSpecification{PrivateDnsOnlyForInboundResolverEndpoint: new(false)}
	id := do(w, w.createVPCEndpoint, private).VpcEndpoint.VpcEndpointId
	fails(private, "private-dns-enabled cannot be set because there is already a conflicting DNS domain for s3.us-west-2.amazonaws.com in the VPC "+*vpc)
	entries := w.endpointNow(id).DnsEntries
	var names []string
	for _, e := range entries[2:] {
		names = append(names, *e.DnsName)
		if *e.HostedZoneId == *entries[0].HostedZoneId {
			t.Errorf("%s is in AWS's zone", *e.DnsName)
		}
	}
	want := []string{
		"s3.us-west-2.amazonaws.com", "*.s3.us-west-2.amazonaws.com", "s3-accesspoint.us-west-2.amazonaws.com", "*.s3-accesspoint.us-west-2.amazonaws.com",
		"s3-control.us-west-2.amazonaws.com", "*.s3-control.us-west-2.amazonaws.com",
	}
	if d := diff(names, want); d != "" {
		t.Errorf("private names differ (-got +want):\n%s", d)
	}
	// Other services, and the same one in another VPC, are no conflict.
	logs := private
	logs.ServiceName, logs.DnsOptions = new("com.amazonaws.us-west-2.logs"), nil
	logs.PrivateDnsEnabled = nil // on, if nothing is said
	if !*do(w, w.createVPCEndpoint, logs).VpcEndpoint.PrivateDnsEnabled {
		t.Error("private DNS is off for a service of AWS")
	}
	other := w.vpc("10.0.0.0/16")
	w.dnsOn(other)
	private.VpcId, private.SubnetIds = other, nil
	do(w, w.createVPCEndpoint, private)
	// The attribute may go off below an endpoint: its name stops to resolve privately.
	do(w, w.modifyVPCAttribute, ModifyVpcAttributeInput{VpcId: vpc, EnableDnsHostnames: &AttributeBooleanValue{Value: new(false)}})
}

func TestInboundOnlyPrivateDNSKeepsItsGatewayEndpoint(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	w.dnsOn(vpc)
	gateway := do(w, w.createVPCEndpoint, gatewayEndpoint(vpc)).VpcEndpoint.VpcEndpointId
	in := interfaceEndpoint(vpc, w.subnet(vpc, "10.0.1.0/24", "a"))
	in.PrivateDnsEnabled = new(true)
	e := do(w, w.createVPCEndpoint, in).VpcEndpoint
	if !*e.DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint {
		t.Error("it is not inbound-only by default")
	}
	if failed := w.deleteEndpoint(gateway); len(failed) != 1 || *failed[0].Error.Code != "InvalidParameter" {
		t.Errorf("the gateway endpoint went: %+v", failed)
	}
	do(w, w.modifyVPCEndpoint, ModifyVpcEndpointInput{VpcEndpointId: e.VpcEndpointId, PrivateDnsEnabled: new(true),
		DnsOptions: &DnsOptionsSpecification{PrivateDnsOnlyForInboundResolverEndpoint: new(false)}})
	if failed := w.deleteEndpoint(gateway); len(failed) != 0 {
		t.Errorf("the gateway endpoint stayed: %+v", failed)
	}
}

func TestAGatewayEndpointIsARouteInItsTables(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	table, other := w.routeTable(vpc), w.routeTable(vpc)
	e := do(w, w.createVPCEndpoint, gatewayEndpoint(vpc, table)).VpcEndpoint
	if *e.DnsOptions.DnsRecordIpType != "service-defined" || len(e.Groups) != 0 || len(e.DnsEntries) != 0 ||
		*e.PolicyDocument != `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}` {
		t.Errorf("endpoint is %+v", e)
	}
	routes := func(table *string) []Route {
		return see(w, w.describeRouteTables, DescribeRouteTablesInput{RouteTableIds: []string{*table}}).RouteTables[0].Routes[1:]
	}
	want := []Route{{DestinationPrefixListId: new("pl-68a54001"), GatewayId: e.VpcEndpointId, Origin: new("CreateRoute"), State: new("active")}}
	if d := diff(routes(table), want); d != "" {
		t.Errorf("routes differ (-got +want):\n%s", d)
	}
	refused(w, w.createVPCEndpoint, gatewayEndpoint(vpc, table), "RouteAlreadyExists")
	refused(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationPrefixListId: new("pl-68a54001"), GatewayId: w.gateway(vpc)}, "RouteAlreadyExists")
	refused(w, w.deleteRoute, DeleteRouteInput{RouteTableId: table, DestinationPrefixListId: new("pl-68a54001")}, "InvalidParameterValue")
	do(w, w.modifyVPCEndpoint, ModifyVpcEndpointInput{VpcEndpointId: e.VpcEndpointId, AddRouteTableIds: []string{*other}, RemoveRouteTableIds: []string{*table}})
	if len(routes(table)) != 0 {
		t.Errorf("the first table still has %+v", routes(table))
	}
	if d := diff(routes(other), want); d != "" {
		t.Errorf("routes of the other table differ (-got +want):\n%s", d)
	}
	do(w, w.deleteRouteTable, DeleteRouteTableInput{RouteTableId: other})
	if left := w.endpointNow(e.VpcEndpointId).RouteTableIds; len(left) != 0 {
		t.Errorf("the endpoint is still on %v", left)
	}
}

func TestBadEndpointsAreRefused(t *testing.T) {
	w := newWorld(t)
	vpc, other := w.vpc("10.0.0.0/16"), w.vpc("10.0.0.0/16")
	a, a2, foreign := w.subnet(vpc, "10.0.1.0/24", "a"), w.subnet(vpc, "10.0.2.0/24", "a"), w.subnet(other, "10.0.1.0/24", "a")
	table, foreignTable := w.routeTable(vpc), w.routeTable(other)
	with := func(in CreateVpcEndpointInput, change func(*CreateVpcEndpointInput)) CreateVpcEndpointInput {
		change(&in)
		return in
	}
	type in = CreateVpcEndpointInput
	for want, ins := range map[string][]in{
		"InvalidVpcID.NotFound":        {interfaceEndpoint(nowhere("vpc"))},
		"MissingParameter":             {{VpcId: vpc}, {ServiceName: new(s3Service)}},
		"InvalidServiceName":           {{VpcId: vpc, ServiceName: new("com.amazonaws.us-west-2.iot")}, {VpcId: vpc, ServiceName: new("com.amazonaws.eu-west-1.s3")}},
		"DuplicateSubnetsInSameZone":   {interfaceEndpoint(vpc, a, a2)},
		"InvalidSubnetID.NotFound":     {interfaceEndpoint(vpc, nowhere("subnet"))},
		"InvalidGroup.NotFound":        {with(interfaceEndpoint(vpc, a), func(i *in) { i.SecurityGroupIds = []string{*nowhere("sg")} })},
		"InvalidRouteTableID.NotFound": {gatewayEndpoint(vpc, nowhere("rtb"))},
		"InvalidParameter": {
			{VpcId: vpc, ServiceName: new("com.amazonaws.us-west-2.logs")}, // gateway is the default type
			{VpcId: vpc, ServiceName: new(s3Service), VpcEndpointType: new("GatewayLoadBalancer")},
			interfaceEndpoint(vpc, foreign),
			gatewayEndpoint(vpc, foreignTable),
			with(interfaceEndpoint(vpc), func(i *in) { i.RouteTableIds = []string{*table} }),
			with(gatewayEndpoint(vpc), func(i *in) { i.SubnetIds = []string{*a} }),
			with(gatewayEndpoint(vpc), func(i *in) { i.SecurityGroupIds = []string{*nowhere("sg")} }),
			with(gatewayEndpoint(vpc), func(i *in) { i.PrivateDnsEnabled = new(true) }),
			with(interfaceEndpoint(vpc), func(i *in) {
				i.ServiceName = new("com.amazonaws.us-west-2.sts")
				i.DnsOptions = &DnsOptionsSpecification{PrivateDnsOnlyForInboundResolverEndpoint: new(true)}
			}),
		},
		"UnsupportedOperation": {
			with(interfaceEndpoint(vpc, a), func(i *in) { i.IpAddressType = new("dualstack") }),
			with(interfaceEndpoint(vpc, a), func(i *in) { i.DnsOptions = &DnsOptionsSpecification{DnsRecordIpType: new("ipv6")} }),
			with(interfaceEndpoint(vpc, a), func(i *in) { i.ServiceRegion = new("eu-west-1") }),
			with(interfaceEndpoint(vpc, a), func(i *in) { i.ServiceNetworkArn = new("arn:aws:vpc-lattice:x") }),
		},
		"InvalidPolicyDocument": {
			with(gatewayEndpoint(vpc), func(i *in) { i.PolicyDocument = new("allow all") }),
			with(gatewayEndpoint(vpc), func(i *in) { i.PolicyDocument = new(`{"Version":"2012-10-17"}`) }),
			with(gatewayEndpoint(vpc), func(i *in) {
				i.PolicyDocument = new(`{"Statement":[{"Effect":"allow","Principal":"*","Action":"*","Resource":"*"}]}`)
			}),
			with(gatewayEndpoint(vpc), func(i *in) { i.PolicyDocument = new(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`) }),
			with(gatewayEndpoint(vpc), func(i *in) { i.PolicyDocument = new(`{"Statement":[]}` + strings.Repeat(" ", 20480)) }),
		},
	} {
		for _, i := range ins {
			refused(w, w.createVPCEndpoint, i, want)
		}
	}
	if left := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{}).NetworkInterfaces; len(left) != 0 {
		t.Errorf("refused endpoints left %d interfaces", len(left))
	}
	_, err := try(w, w.createVPCEndpoint, in{VpcId: vpc, ServiceName: new("com.amazonaws.us-west-2.logs"), VpcEndpointType: new("Gateway")})
	if want := "InvalidParameter: Endpoint type (Gateway) does not match available service types ([Interface])."; err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAnInterfaceEndpointIsModified(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	a, b, b2 := w.subnet(vpc, "10.0.1.0/24", "a"), w.subnet(vpc, "10.0.2.0/24", "b"), w.subnet(vpc, "10.0.3.0/24", "b")
	g := w.group(vpc, "endpoint")
	id := do(w, w.createVPCEndpoint, interfaceEndpoint(vpc, a)).VpcEndpoint.VpcEndpointId
	before := w.endpointNow(id)
	modify := func(in ModifyVpcEndpointInput) VpcEndpoint {
		t.Helper()
		in.VpcEndpointId = id
		do(w, w.modifyVPCEndpoint, in)
		return w.endpointNow(id)
	}
	e := modify(ModifyVpcEndpointInput{AddSubnetIds: []string{*b}, AddSecurityGroupIds: []string{*g}, RemoveSecurityGroupIds: []string{*before.Groups[0].GroupId}})
	if len(e.NetworkInterfaceIds) != 2 || e.NetworkInterfaceIds[0] != before.NetworkInterfaceIds[0] || len(e.Groups) != 1 {
		t.Errorf("endpoint is %+v", e)
	}
	for _, eni := range see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{NetworkInterfaceIds: e.NetworkInterfaceIds}).NetworkInterfaces {
		if len(eni.Groups) != 1 || *eni.Groups[0].GroupId != *g {
			t.Errorf("the groups of %s are %+v, want the new one", *eni.NetworkInterfaceId, eni.Groups)
		}
	}
	e = modify(ModifyVpcEndpointInput{RemoveSubnetIds: []string{*b}, AddSubnetIds: []string{*b2}}) // one leaves the zone, one comes
	if len(e.SubnetIds) != 2 || e.SubnetIds[1] != *b2 {
		t.Errorf("subnets are %v", e.SubnetIds)
	}
	policy := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}`
	if e = modify(ModifyVpcEndpointInput{PolicyDocument: &policy}); *e.PolicyDocument != policy {
		t.Errorf("policy is %s", *e.PolicyDocument)
	}
	if e = modify(ModifyVpcEndpointInput{ResetPolicy: new(true)}); *e.PolicyDocument != *before.PolicyDocument {
		t.Errorf("policy is %s, want the default", *e.PolicyDocument)
	}
	w.dnsOn(vpc)
	e = modify(ModifyVpcEndpointInput{PrivateDnsEnabled: new(true), DnsOptions: &DnsOptionsSpecification{PrivateDnsOnlyForInboundResolverEndpoint: new(false)}})
	if !*e.PrivateDnsEnabled {
		t.Error("private DNS is still off")
	}
	if e = modify(ModifyVpcEndpointInput{PrivateDnsEnabled: new(false)}); *e.PrivateDnsEnabled || len(e.DnsEntries) != 3 {
		t.Errorf("private DNS is still on: %+v", e.DnsEntries)
	}
	for want, ins := range map[string][]ModifyVpcEndpointInput{
		"InvalidParameter": {
			{VpcEndpointId: id, RemoveSecurityGroupIds: []string{*g}}, {VpcEndpointId: id, RemoveSubnetIds: []string{*b}},
			{VpcEndpointId: id, AddRouteTableIds: []string{*w.routeTable(vpc)}}, {VpcEndpointId: id, PrivateDnsEnabled: new(true)}, {VpcEndpointId: id, AddSubnetIds: []string{*a}},
		},
		"DuplicateSubnetsInSameZone":     {{VpcEndpointId: id, AddSubnetIds: []string{*b}}},
		"InvalidVpcEndpointId.NotFound":  {{VpcEndpointId: nowhere("vpce")}},
		"InvalidVpcEndpointId.Malformed": {{VpcEndpointId: new("endpoint")}},
		"InvalidPolicyDocument":          {{VpcEndpointId: id, PolicyDocument: new("{}")}},
		"UnsupportedOperation":           {{VpcEndpointId: id, IpAddressType: new("ipv6")}},
	} {
		for _, in := range ins {
			refused(w, w.modifyVPCEndpoint, in, want)
		}
	}
}

func TestAnEndpointsAddressCanBeChosen(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	in := interfaceEndpoint(vpc, subnet)
	in.SubnetConfigurations = []SubnetConfiguration{{SubnetId: subnet, Ipv4: new("10.0.1.77")}}
	e := do(w, w.createVPCEndpoint, in).VpcEndpoint
	eni := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{}).NetworkInterfaces
	if len(e.SubnetIds) != 1 || len(eni) != 1 || *eni[0].PrivateIpAddress != "10.0.1.77" {
		t.Errorf("endpoint is in %v at %+v", e.SubnetIds, eni)
	}
}

func TestWhatEndpointsCanLeadToIsListed(t *testing.T) {
	w := newWorld(t)
	out := see(w, w.describeVPCEndpointServices, DescribeVpcEndpointServicesInput{})
	var got []string
	for _, d := range out.ServiceDetails {
		got = append(got, *d.ServiceName+" "+*d.ServiceType[0].ServiceType)
	}
	for _, want := range []string{"ec2 Interface", "s3 Gateway", "s3 Interface", "dynamodb Gateway", "sqs Interface", "ecr.dkr Interface"} {
		if !slices.Contains(got, "com.amazonaws.us-west-2."+want) {
			t.Errorf("%s is not among the services: %v", want, got)
		}
	}
	if slices.Contains(got, "com.amazonaws.us-west-2.sqs Gateway") || len(out.ServiceNames) != len(got)-2 {
		t.Errorf("names are %v, services %v", out.ServiceNames, got)
	}
	gateways := see(w, w.describeVPCEndpointServices, DescribeVpcEndpointServicesInput{ServiceNames: []string{s3Service}, Filters: filter("service-type", "Gateway")}).ServiceDetails
	if len(gateways) != 1 || gateways[0].BaseEndpointDnsNames[0] != "s3.us-west-2.amazonaws.com" || len(gateways[0].AvailabilityZones) != 4 {
		t.Errorf("gateway services are %+v", gateways)
	}
	notSeen(w, w.describeVPCEndpointServices, DescribeVpcEndpointServicesInput{ServiceNames: []string{"com.amazonaws.us-west-2.iot"}}, "InvalidServiceName")
}
