package ec2

import (
	"slices"
	"testing"
	"time"
)

func (w *world) insightsPath(from, to *string, port int) *string {
	w.t.Helper()
	return do(w, w.createNetworkInsightsPath, CreateNetworkInsightsPathInput{
		Source: from, Destination: to, Protocol: new("tcp"), DestinationPort: new(int64(port)),
	}).NetworkInsightsPath.NetworkInsightsPathId
}

// analysed asks about a path and returns the answer.
func (w *world) analysed(path *string) NetworkInsightsAnalysis {
	w.t.Helper()
	started := do(w, w.startNetworkInsightsAnalysis, StartNetworkInsightsAnalysisInput{NetworkInsightsPathId: path}).NetworkInsightsAnalysis
	if *started.Status != "running" {
		w.t.Errorf("started: %s", *started.Status)
	}
	return see(w, w.describeNetworkInsightsAnalyses, DescribeNetworkInsightsAnalysesInput{
		NetworkInsightsAnalysisIds: []string{*started.NetworkInsightsAnalysisId},
	}).NetworkInsightsAnalyses[0]
}

func codesOf(a NetworkInsightsAnalysis) []string {
	var out []string
	for _, e := range a.Explanations {
		out = append(out, *e.ExplanationCode)
	}
	return out
}

// insightsNet is two subnets with an interface each, whose groups let everything through.
type insightsNet struct {
	*world
	vpc, near, far, from, to, fromGroup, toGroup, table *string
}

func newInsightsNet(t *testing.T) insightsNet {
	w := newWorld(t)
	n := insightsNet{world: w, vpc: w.vpc("10.0.0.0/16")}
	n.near, n.far = w.subnet(n.vpc, "10.0.1.0/24", "a"), w.subnet(n.vpc, "10.0.2.0/24", "b")
	n.fromGroup, n.toGroup = w.group(n.vpc, "from"), w.group(n.vpc, "to")
	n.allow(n.toGroup, "-1", -1, -1)
	n.from, n.to = w.eni(n.near), w.eni(n.far)
	for eni, group := range map[*string]*string{n.from: n.fromGroup, n.to: n.toGroup} {
		do(w, w.modifyNetworkInterfaceAttribute, ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: eni, Groups: []string{*group}})
	}
	n.table = w.routeTable(n.vpc)
	do(w, w.associateRouteTable, AssociateRouteTableInput{RouteTableId: n.table, SubnetId: n.near})
	return n
}

func (n insightsNet) allow(group *string, protocol string, from, to int) {
	n.t.Helper()
	p := IpPermission{IpProtocol: &protocol, IpRanges: []IpRange{{CidrIp: new("0.0.0.0/0")}}}
	if from >= 0 {
		p.FromPort, p.ToPort = new(int64(from)), new(int64(to))
	}
	do(n.world, n.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: group, IpPermissions: []IpPermission{p}})
}

func (n insightsNet) revokeAll(group *string, egress bool) {
	n.t.Helper()
	all := []IpPermission{{IpProtocol: new("-1"), IpRanges: []IpRange{{CidrIp: new("0.0.0.0/0")}}}}
	if egress {
		do(n.world, n.revokeSecurityGroupEgress, RevokeSecurityGroupEgressInput{GroupId: group, IpPermissions: all})
		return
	}
	do(n.world, n.revokeSecurityGroupIngress, RevokeSecurityGroupIngressInput{GroupId: group, IpPermissions: all})
}

func (n insightsNet) deny(subnet *string, egress bool, from, to int) {
	n.t.Helper()
	acl := see(n.world, n.describeNetworkACLs, DescribeNetworkAclsInput{Filters: filter("association.subnet-id", *subnet)}).NetworkAcls[0].NetworkAclId
	do(n.world, n.createNetworkACLEntry, CreateNetworkAclEntryInput{
		NetworkAclId: acl, RuleNumber: new(int64(10)), RuleAction: new("deny"), Egress: &egress, Protocol: new("6"), CidrBlock: new("10.0.2.0/24"),
		PortRange: &PortRange{From: new(int64(from)), To: new(int64(to))},
	})
}

func (n insightsNet) route(in CreateRouteInput) {
	n.t.Helper()
	in.RouteTableId = n.table
	do(n.world, n.createRoute, in)
}

// A path to an address: the ends of most cases about routes.
func (n insightsNet) toAddress(address string) *string {
	n.t.Helper()
	return do(n.world, n.createNetworkInsightsPath, CreateNetworkInsightsPathInput{
		Source: n.from, DestinationIp: &address, Protocol: new("tcp"), DestinationPort: new(int64(443)),
	}).NetworkInsightsPath.NetworkInsightsPathId
}

// publicS3 is a public address of S3.
const publicS3 = "52.218.177.73"

// insightsCases are about what stops packets.
var insightsCases = []struct {
	code        string
	breaks      func(insightsNet) *string // returns the path that is asked about
	nearMiss    func(insightsNet) *string
	nearMissHas bool // it is not reachable either, but for another reason
}{
	{code: "SG_HAS_NO_RULES",
		breaks:   func(n insightsNet) *string { n.revokeAll(n.toGroup, false); return n.insightsPath(n.from, n.to, 22) },
		nearMiss: func(n insightsNet) *string { n.revokeAll(n.toGroup, true); return n.insightsPath(n.from, n.to, 22) }},
	{code: "ENI_SG_RULES_MISMATCH",
		breaks: func(n insightsNet) *string {
			n.revokeAll(n.toGroup, false)
			n.allow(n.toGroup, "tcp", 23, 80)
			return n.insightsPath(n.from, n.to, 22)
		},
		nearMiss: func(n insightsNet) *string {
			n.revokeAll(n.toGroup, false)
			n.allow(n.toGroup, "tcp", 22, 80)
			return n.insightsPath(n.from, n.to, 22)
		}},
	{code: "SUBNET_ACL_RESTRICTION",
		breaks:   func(n insightsNet) *string { n.deny(n.near, true, 22, 22); return n.insightsPath(n.from, n.to, 22) },
		nearMiss: func(n insightsNet) *string { n.deny(n.near, true, 23, 23); return n.insightsPath(n.from, n.to, 22) }},
	{code: "SUBNET_ACL_RESTRICTION", // of the answers
		breaks: func(n insightsNet) *string {
			n.deny(n.near, false, 40000, 40000)
			return n.insightsPath(n.from, n.to, 22)
		},
		nearMiss: func(n insightsNet) *string { n.deny(n.near, false, 1, 1023); return n.insightsPath(n.from, n.to, 22) }},
	{code: "NO_ROUTE_TO_DESTINATION",
		breaks: func(n insightsNet) *string { return n.toAddress(publicS3) },
		nearMiss: func(n insightsNet) *string {
			do(n.world, n.createVPCEndpoint, CreateVpcEndpointInput{VpcId: n.vpc, ServiceName: new("com.amazonaws.us-west-2.s3"), RouteTableIds: []string{*n.table}})
			return n.toAddress(publicS3)
		}},
	{code: "NO_POSSIBLE_DESTINATION",
		breaks:   func(n insightsNet) *string { return n.toAddress("10.0.2.222") },
		nearMiss: func(n insightsNet) *string { return n.toAddress(n.addressOf(n.to)) }},
	{code: "BAD_STATE_ROUTE",
		breaks: func(n insightsNet) *string {
			box := n.eni(n.near)
			n.route(CreateRouteInput{DestinationCidrBlock: new("10.0.2.0/24"), NetworkInterfaceId: box})
			do(n.world, n.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: box})
			return n.insightsPath(n.from, n.to, 22)
		},
		nearMiss: func(n insightsNet) *string {
			box := n.eni(n.near)
			n.route(CreateRouteInput{DestinationCidrBlock: new("10.9.0.0/24"), NetworkInterfaceId: box})
			do(n.world, n.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: box})
			return n.insightsPath(n.from, n.to, 22)
		}},
	{code: "ENI_SOURCE_DEST_CHECK_RESTRICTION",
		breaks: func(n insightsNet) *string { return n.throughBox(true) }, nearMiss: func(n insightsNet) *string { return n.throughBox(false) }},
	{code: "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",
		breaks: func(n insightsNet) *string {
			n.route(CreateRouteInput{DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: n.gateway(n.vpc)})
			return n.toAddress(publicS3)
		},
		nearMiss: func(n insightsNet) *string {
			n.route(CreateRouteInput{DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: n.gateway(n.vpc)})
			do(n.world, n.associateAddress, AssociateAddressInput{AllocationId: n.address(), NetworkInterfaceId: n.from})
			return n.toAddress(publicS3)
		}},
	{code: "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS", nearMissHas: true,
		breaks: func(n insightsNet) *string { return n.publicTo("192.168.7.7") }, nearMiss: func(n insightsNet) *string { return n.publicTo("192.169.7.7") }},
	{code: "IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS", nearMissHas: true,
		breaks: func(n insightsNet) *string { return n.publicTo("100.64.7.7") }, nearMiss: func(n insightsNet) *string { return n.publicTo("100.128.7.7") }},
	{code: "DISCONNECTED_VPCS", nearMissHas: true, // with a connection it is the routes that are missing
		breaks: func(n insightsNet) *string { return n.insightsPath(n.from, n.otherVPC(), 22) },
		nearMiss: func(n insightsNet) *string {
			to := n.otherVPC()
			n.activePeer(n.vpc, new(n.known["other"]))
			return n.insightsPath(n.from, to, 22)
		}},
	{code: "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR", nearMissHas: true,
		breaks: func(n insightsNet) *string { return n.byPeering("10.0.0.0/8", "10.7.0.9") }, nearMiss: func(n insightsNet) *string { return n.byPeering("10.0.0.0/8", "10.1.0.99") }},
	{code: "PROTOCOL_RESTRICTION",
		breaks: func(n insightsNet) *string { return n.insightsPath(n.from, n.serviceEndpoint(), 22) }, nearMiss: func(n insightsNet) *string { return n.insightsPath(n.from, n.serviceEndpoint(), 443) }},
	{code: "NO_SOURCE_OR_DESTINATION",
		breaks: func(n insightsNet) *string {
			path := n.insightsPath(n.from, n.to, 22)
			do(n.world, n.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: n.to})
			return path
		},
		nearMiss: func(n insightsNet) *string { return n.insightsPath(n.from, n.to, 22) }},
}

// TestEveryCodeHasACauseAndANearMiss breaks a network in one way, and in a way that looks like it and is harmless.
func TestEveryCodeHasACauseAndANearMiss(t *testing.T) {
	for _, c := range insightsCases {
		t.Run(c.code, func(t *testing.T) {
			n := newInsightsNet(t)
			if a := n.analysed(c.breaks(n)); *a.NetworkPathFound || !slices.Contains(codesOf(a), c.code) {
				t.Errorf("found %t, %v", *a.NetworkPathFound, codesOf(a))
			}
			n = newInsightsNet(t)
			if a := n.analysed(c.nearMiss(n)); *a.NetworkPathFound == c.nearMissHas || slices.Contains(codesOf(a), c.code) {
				t.Errorf("near miss: found %t, %v", *a.NetworkPathFound, codesOf(a))
			}
		})
	}
}

func (n insightsNet) addressOf(eni *string) string {
	n.t.Helper()
	return *see(n.world, n.describeNetworkInterfaces, DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*eni}}).NetworkInterfaces[0].PrivateIpAddress
}

// throughBox leads to the other interface through one in a third subnet.
func (n insightsNet) throughBox(check bool) *string {
	n.t.Helper()
	box := n.eni(n.subnet(n.vpc, "10.0.3.0/24", "a"))
	do(n.world, n.modifyNetworkInterfaceAttribute, ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: box, Groups: []string{*n.toGroup}})
	do(n.world, n.modifyNetworkInterfaceAttribute, ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: box, SourceDestCheck: &AttributeBooleanValue{Value: &check}})
	n.route(CreateRouteInput{DestinationCidrBlock: new("10.0.2.0/24"), NetworkInterfaceId: box})
	return n.insightsPath(n.from, n.to, 22)
}

func (n insightsNet) publicTo(address string) *string {
	n.t.Helper()
	n.route(CreateRouteInput{DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: n.gateway(n.vpc)})
	do(n.world, n.associateAddress, AssociateAddressInput{AllocationId: n.address(), NetworkInterfaceId: n.from})
	return n.toAddress(address)
}

func (n insightsNet) otherVPC() *string {
	n.t.Helper()
	other := n.vpcOf("10.1.0.0/16")
	return n.eni(n.subnet(other, "10.1.0.0/24", "a"))
}

func (n insightsNet) vpcOf(cidr string) *string {
	n.t.Helper()
	id := n.world.vpc(cidr)
	if n.known == nil {
		n.world.known = map[string]string{}
	}
	n.world.known["other"] = *id
	return id
}

func (n insightsNet) byPeering(block, address string) *string {
	n.t.Helper()
	n.route(CreateRouteInput{DestinationCidrBlock: &block, VpcPeeringConnectionId: n.activePeer(n.vpc, n.vpcOf("10.1.0.0/16"))})
	return n.toAddress(address)
}

func (n insightsNet) serviceEndpoint() *string {
	n.t.Helper()
	return do(n.world, n.createVPCEndpoint, CreateVpcEndpointInput{
		VpcId: n.vpc, VpcEndpointType: new("Interface"), ServiceName: new("com.amazonaws.us-west-2.sts"), SubnetIds: []string{*n.far}, SecurityGroupIds: []string{*n.toGroup},
		PrivateDnsEnabled: new(false),
	}).VpcEndpoint.VpcEndpointId
}

func TestAPathThatIsFoundSaysItsComponents(t *testing.T) {
	n := newInsightsNet(t)
	a := n.analysed(n.insightsPath(n.from, n.to, 22))
	ids := func(way []PathComponent) []string {
		var out []string
		for i, c := range way {
			if *c.SequenceNumber != int64(i+1) {
				t.Errorf("component %d has number %d", i, *c.SequenceNumber)
			}
			out = append(out, *c.Component.Id)
		}
		return out
	}
	acl := *see(n.world, n.describeNetworkACLs, DescribeNetworkAclsInput{Filters: filter("vpc-id", *n.vpc)}).NetworkAcls[0].NetworkAclId
	if d := diff(ids(a.ForwardPathComponents), []string{*n.from, *n.fromGroup, acl, *n.table, acl, *n.toGroup, *n.to}); d != "" {
		t.Errorf("forward (-got +want):\n%s", d)
	}
	rule := a.ForwardPathComponents[2].AclRule
	want := &AnalysisAclRule{Cidr: new("0.0.0.0/0"), Egress: new(true), Protocol: new("all"), RuleAction: new("allow"), RuleNumber: new(int64(100))}
	if d := diff(rule, want); d != "" {
		t.Errorf("entry (-got +want):\n%s", d)
	}
	if r := a.ForwardPathComponents[3].RouteTableRoute; r == nil || *r.GatewayId != "local" || *r.DestinationCidr != "10.0.0.0/16" {
		t.Errorf("route: %+v", r)
	}
	if len(a.ReturnPathComponents) == 0 || len(a.Explanations) != 0 || *a.Status != "succeeded" {
		t.Errorf("return %v, explanations %v, %s", ids(a.ReturnPathComponents), codesOf(a), *a.Status)
	}
}

func TestPathsAndAnalysesAreKeptFoundAndDeleted(t *testing.T) {
	n := newInsightsNet(t)
	in := CreateNetworkInsightsPathInput{Source: n.from, Destination: n.to, Protocol: new("tcp"), ClientToken: new("t")}
	path := do(n.world, n.createNetworkInsightsPath, in).NetworkInsightsPath.NetworkInsightsPathId
	if again := do(n.world, n.createNetworkInsightsPath, in).NetworkInsightsPath.NetworkInsightsPathId; *again != *path {
		t.Errorf("the same token made %s and %s", *path, *again)
	}
	in.Protocol = new("udp")
	refused(n.world, n.createNetworkInsightsPath, in, "IdempotentParameterMismatch")
	a := n.analysed(path)
	if !*a.NetworkPathFound {
		t.Errorf("some port gets through: %v", codesOf(a))
	}
	n.revokeAll(n.toGroup, false)
	n.now = n.now.Add(time.Hour)
	if b := n.analysed(path); *b.NetworkPathFound {
		t.Error("an analysis is of the network as it is")
	}
	count := func(in DescribeNetworkInsightsAnalysesInput) int {
		return len(see(n.world, n.describeNetworkInsightsAnalyses, in).NetworkInsightsAnalyses)
	}
	for i, c := range []struct {
		in   DescribeNetworkInsightsAnalysesInput
		want int
	}{
		{DescribeNetworkInsightsAnalysesInput{NetworkInsightsPathId: path}, 2},
		{DescribeNetworkInsightsAnalysesInput{Filters: filter("path-found", "true")}, 1},
		{DescribeNetworkInsightsAnalysesInput{Filters: filter("status", "running")}, 0},
		{DescribeNetworkInsightsAnalysesInput{AnalysisStartTime: &n.now}, 1},
		{DescribeNetworkInsightsAnalysesInput{AnalysisEndTime: new(n.now.Add(-time.Minute))}, 1},
	} {
		if got := count(c.in); got != c.want {
			t.Errorf("row %d: %d analyses, want %d", i, got, c.want)
		}
	}
	refused(n.world, n.deleteNetworkInsightsPath, DeleteNetworkInsightsPathInput{NetworkInsightsPathId: path}, "AnalysisExistsForNetworkInsightsPath")
	for _, x := range see(n.world, n.describeNetworkInsightsAnalyses, DescribeNetworkInsightsAnalysesInput{}).NetworkInsightsAnalyses {
		do(n.world, n.deleteNetworkInsightsAnalysis, DeleteNetworkInsightsAnalysisInput{NetworkInsightsAnalysisId: x.NetworkInsightsAnalysisId})
	}
	do(n.world, n.deleteNetworkInsightsPath, DeleteNetworkInsightsPathInput{NetworkInsightsPathId: path})
	notSeen(n.world, n.describeNetworkInsightsPaths, DescribeNetworkInsightsPathsInput{NetworkInsightsPathIds: []string{*path}}, "InvalidNetworkInsightsPathId.NotFound")
}

func TestAPathMayBeginAtAnInstance(t *testing.T) {
	n := newInsightsNet(t)
	instance := n.start(RunInstancesInput{InstanceType: new("t3.micro"), SubnetId: n.near}).InstanceId
	a := n.analysed(n.insightsPath(instance, n.to, 22))
	eni := see(n.world, n.describeNetworkInterfaces, DescribeNetworkInterfacesInput{Filters: filter("attachment.instance-id", *instance)}).NetworkInterfaces[0].NetworkInterfaceId
	if !*a.NetworkPathFound || *a.ForwardPathComponents[0].Component.Id != *eni {
		t.Errorf("found %t, %v", *a.NetworkPathFound, codesOf(a))
	}
}

func TestPathsThatCannotBeAreRefused(t *testing.T) {
	n := newInsightsNet(t)
	whole := func(change func(*CreateNetworkInsightsPathInput)) CreateNetworkInsightsPathInput {
		in := CreateNetworkInsightsPathInput{Source: n.from, Destination: n.to, Protocol: new("tcp")}
		change(&in)
		return in
	}
	for want, change := range map[string]func(*CreateNetworkInsightsPathInput){
		"MissingParameter":                   func(in *CreateNetworkInsightsPathInput) { in.Destination = nil },
		"InvalidParameterValue":              func(in *CreateNetworkInsightsPathInput) { in.Protocol = new("icmp") },
		"InvalidNetworkInterfaceID.NotFound": func(in *CreateNetworkInsightsPathInput) { in.Source = nowhere("eni") },
		"UnsupportedOperation":               func(in *CreateNetworkInsightsPathInput) { in.Source = nowhere("tgw") },
	} {
		refused(n.world, n.createNetworkInsightsPath, whole(change), want)
	}
	refused(n.world, n.createNetworkInsightsPath, whole(func(in *CreateNetworkInsightsPathInput) { in.Destination = n.from }), "InvalidParameterValue")
	refused(n.world, n.createNetworkInsightsPath, whole(func(in *CreateNetworkInsightsPathInput) { in.DestinationIp = new("::1") }), "InvalidParameterValue")
	refused(n.world, n.createNetworkInsightsPath, whole(func(in *CreateNetworkInsightsPathInput) { in.DestinationPort = new(int64(65536)) }), "InvalidParameterValue")
	for _, in := range []CreateNetworkInsightsPathInput{
		whole(func(in *CreateNetworkInsightsPathInput) {
			in.FilterAtSource, in.SourceIp = &PathRequestFilter{}, new("10.0.1.9")
		}),
		whole(func(in *CreateNetworkInsightsPathInput) {
			in.FilterAtSource, in.DestinationPort = &PathRequestFilter{}, new(int64(22))
		}),
		whole(func(in *CreateNetworkInsightsPathInput) {
			in.FilterAtDestination, in.DestinationIp = &PathRequestFilter{}, new("10.0.2.9")
		}),
	} {
		refused(n.world, n.createNetworkInsightsPath, in, "InvalidParameterCombination")
	}
	for _, f := range []PathRequestFilter{{SourceAddress: new("x")}, {SourcePortRange: requestPorts(9, 8)}, {DestinationPortRange: requestPorts(1, 65536)}} {
		refused(n.world, n.createNetworkInsightsPath, whole(func(in *CreateNetworkInsightsPathInput) { in.FilterAtDestination = &f }), "InvalidParameterValue")
	}
	path := n.insightsPath(n.from, n.to, 22)
	for arn, want := range map[string]string{
		"nat-0123456789abcdef0": "InvalidParameterValue", "arn:aws:ec2:us-west-2:123456789012:natgateway/nat-0123456789abcdef0": "NatGatewayNotFound",
		"arn:aws:ec2:us-west-2:123456789012:vpc/" + *n.vpc: "UnsupportedOperation",
	} {
		refused(n.world, n.startNetworkInsightsAnalysis, StartNetworkInsightsAnalysisInput{NetworkInsightsPathId: path, FilterInArns: []string{arn}}, want)
	}
	refused(n.world, n.startNetworkInsightsAnalysis, StartNetworkInsightsAnalysisInput{NetworkInsightsPathId: nowhere("nip")}, "InvalidNetworkInsightsPathId.NotFound")
	refused(n.world, n.deleteNetworkInsightsAnalysis, DeleteNetworkInsightsAnalysisInput{NetworkInsightsAnalysisId: nowhere("nia")}, "InvalidNetworkInsightsAnalysisId.NotFound")
}
