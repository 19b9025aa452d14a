package ec2

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// asked is a path from one interface to the other, changed.
func (n insightsNet) asked(change func(*CreateNetworkInsightsPathInput)) *string {
	n.t.Helper()
	in := CreateNetworkInsightsPathInput{Source: n.from, Destination: n.to, Protocol: new("tcp")}
	change(&in)
	return do(n.world, n.createNetworkInsightsPath, in).NetworkInsightsPath.NetworkInsightsPathId
}

func (n insightsNet) atSource(f PathRequestFilter) *string {
	return n.asked(func(in *CreateNetworkInsightsPathInput) { in.FilterAtSource = &f })
}

func (n insightsNet) atDestination(f PathRequestFilter) *string {
	return n.asked(func(in *CreateNetworkInsightsPathInput) { in.FilterAtDestination = &f })
}

func requestPorts(from, to int64) *RequestFilterPortRange {
	return &RequestFilterPortRange{FromPort: &from, ToPort: &to}
}

// fromGateway is a path from the VPC's internet gateway to the other interface, which has a public address.
func (n insightsNet) fromGateway(public bool, change func(*CreateNetworkInsightsPathInput)) *string {
	n.t.Helper()
	gateway := n.gateway(n.vpc)
	far := n.routeTable(n.vpc)
	do(n.world, n.associateRouteTable, AssociateRouteTableInput{RouteTableId: far, SubnetId: n.far})
	do(n.world, n.createRoute, CreateRouteInput{RouteTableId: far, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: gateway})
	if public {
		do(n.world, n.associateAddress, AssociateAddressInput{AllocationId: n.address(), NetworkInterfaceId: n.to})
	}
	return n.asked(func(in *CreateNetworkInsightsPathInput) {
		in.Source = gateway
		change(in)
	})
}

// natGateway leads the first subnet to the internet, by a NAT gateway in a third.
func (n insightsNet) natGateway() *string {
	n.t.Helper()
	gateway, public := n.gateway(n.vpc), n.subnet(n.vpc, "10.0.9.0/24", "a")
	table := n.routeTable(n.vpc)
	do(n.world, n.associateRouteTable, AssociateRouteTableInput{RouteTableId: table, SubnetId: public})
	do(n.world, n.createRoute, CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: gateway})
	nat := do(n.world, n.createNATGateway, CreateNatGatewayInput{SubnetId: public, AllocationId: n.address()}).NatGateway.NatGatewayId
	n.change(func(tx *state.Tx) {
		g, _ := state.Get[*resource.NATGateway](tx, *nat)
		c := *g
		c.State = "available"
		tx.Put(&c)
	})
	n.route(CreateRouteInput{DestinationCidrBlock: new("0.0.0.0/0"), NatGatewayId: nat})
	return nat
}

const someSTS = "54.240.249.80" // a public address of STS

// byNAT is a path to a public service through a NAT gateway.
func (n insightsNet) byNAT(change func(*CreateNetworkInsightsPathInput)) *string {
	n.t.Helper()
	n.natGateway()
	return n.asked(func(in *CreateNetworkInsightsPathInput) {
		in.Destination, in.DestinationIp = nil, new(someSTS)
		change(in)
	})
}

// toS3 is a path to a gateway endpoint.
func (n insightsNet) toS3(protocol string) *string {
	n.t.Helper()
	return n.asked(func(in *CreateNetworkInsightsPathInput) { in.Destination, in.Protocol = n.s3Endpoint(), &protocol })
}

func (n insightsNet) s3Endpoint() *string {
	n.t.Helper()
	return do(n.world, n.createVPCEndpoint, CreateVpcEndpointInput{
		VpcId: n.vpc, ServiceName: new("com.amazonaws.us-west-2.s3"), RouteTableIds: []string{*n.table},
	}).VpcEndpoint.VpcEndpointId
}

// admitGroup lets the source's group into the destination, and nobody else; a NAT gateway may stand between.
func (n insightsNet) admitGroup(nat bool) *string {
	n.t.Helper()
	n.revokeAll(n.toGroup, false)
	do(n.world, n.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: n.toGroup, IpPermissions: []IpPermission{
		{IpProtocol: new("-1"), UserIdGroupPairs: []UserIdGroupPair{{GroupId: n.fromGroup}}},
	}})
	if !nat {
		return n.insightsPath(n.from, n.to, 22)
	}
	// Through NAT to the public address of the other: it arrives from the NAT gateway's.
	n.natGateway()
	do(n.world, n.associateAddress, AssociateAddressInput{AllocationId: n.address(), NetworkInterfaceId: n.to})
	public := see(n.world, n.describeNetworkInterfaces, DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*n.to}}).NetworkInterfaces[0].Association.PublicIp
	return n.asked(func(in *CreateNetworkInsightsPathInput) {
		in.DestinationIp, in.DestinationPort = public, new(int64(22))
	})
}

// insightsCase is a code, a network or question that has it, and one that looks like it and has not.
type insightsCase struct {
	code            string
	breaks          func(insightsNet) *string
	nearMiss        func(insightsNet) *string
	nearMissReaches bool
}

func plain(n insightsNet) *string { return n.insightsPath(n.from, n.to, 22) }

// moreInsightsCases are those about ends, filters, and what does not serve.
var moreInsightsCases = []insightsCase{
	{"BAD_STATE",
		func(n insightsNet) *string { return n.fromInstance(true) }, func(n insightsNet) *string { return n.fromInstance(false) }, true},
	{"UNASSOCIATED_COMPONENT",
		func(n insightsNet) *string {
			gateway := do(n.world, n.createInternetGateway, CreateInternetGatewayInput{}).InternetGateway.InternetGatewayId
			return n.asked(func(in *CreateNetworkInsightsPathInput) { in.Source = gateway })
		},
		func(n insightsNet) *string { return n.fromGateway(true, func(*CreateNetworkInsightsPathInput) {}) }, true},
	{"UNSUPPORTED_COMPONENT",
		func(n insightsNet) *string {
			pcx := n.activePeer(n.vpc, n.vpcOf("10.1.0.0/16"))
			return n.asked(func(in *CreateNetworkInsightsPathInput) { in.Destination = pcx })
		}, plain, true},
	{"NO_PATH",
		func(n insightsNet) *string {
			return n.asked(func(in *CreateNetworkInsightsPathInput) { in.Source, in.Destination = n.s3Endpoint(), n.to })
		}, func(n insightsNet) *string { return n.toS3("tcp") }, true},
	{"CANNOT_ROUTE",
		func(n insightsNet) *string {
			n.route(CreateRouteInput{DestinationCidrBlock: new("54.0.0.0/9"), GatewayId: n.gateway(n.vpc)})
			return n.toAddress(someSTS)
		},
		func(n insightsNet) *string {
			n.route(CreateRouteInput{DestinationCidrBlock: new("54.128.0.0/9"), GatewayId: n.gateway(n.vpc)})
			do(n.world, n.associateAddress, AssociateAddressInput{AllocationId: n.address(), NetworkInterfaceId: n.from})
			return n.toAddress(someSTS)
		}, true},
	{"VPC_LOCAL_ROUTE_CIDR_RESTRICTION",
		func(n insightsNet) *string { return n.toAddress("10.1.0.9") }, func(n insightsNet) *string { return n.toAddress("10.0.0.99") }, false},
	{"MORE_SPECIFIC_ROUTE",
		func(n insightsNet) *string {
			n.natGateway()
			n.blackhole("54.240.0.0/16")
			return n.toAddress(someSTS)
		},
		func(n insightsNet) *string {
			n.natGateway()
			n.blackhole("54.241.0.0/16")
			return n.toAddress(someSTS)
		}, true},
	{"HIGHER_PRIORITY_ROUTE",
		func(n insightsNet) *string { return n.twoRoutes("54.240.249.0/24") }, func(n insightsNet) *string { return n.twoRoutes("54.240.248.0/24") }, false},
	{"ENI_ADDRESS_RESTRICTION",
		func(n insightsNet) *string {
			return n.asked(func(in *CreateNetworkInsightsPathInput) { in.DestinationIp = new("10.0.2.99") })
		},
		func(n insightsNet) *string {
			return n.asked(func(in *CreateNetworkInsightsPathInput) { in.DestinationIp = new(n.addressOf(n.to)) })
		}, true},
	{"GATEWAY_REJECTS_SPOOFED_TRAFFIC",
		func(n insightsNet) *string {
			return n.fromGateway(true, func(in *CreateNetworkInsightsPathInput) { in.SourceIp = new("10.0.1.99") })
		},
		func(n insightsNet) *string {
			return n.fromGateway(true, func(in *CreateNetworkInsightsPathInput) { in.SourceIp = new("10.9.1.99") })
		}, false},
	{"IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS",
		func(n insightsNet) *string {
			return n.fromGateway(true, func(in *CreateNetworkInsightsPathInput) { in.SourceIp = new("172.31.0.9") })
		},
		func(n insightsNet) *string {
			return n.fromGateway(true, func(in *CreateNetworkInsightsPathInput) { in.SourceIp = new("172.32.0.9") })
		}, true},
	{"IGW_SOURCE_ADDRESS_NOT_IN_RFC6598_INGRESS",
		func(n insightsNet) *string {
			return n.fromGateway(true, func(in *CreateNetworkInsightsPathInput) { in.SourceIp = new("100.127.0.9") })
		},
		func(n insightsNet) *string {
			return n.fromGateway(true, func(in *CreateNetworkInsightsPathInput) { in.SourceIp = new("100.128.0.9") })
		}, true},
	{"IGW_EXPECTS_PUBLIC_ADDRESS",
		func(n insightsNet) *string {
			return n.fromGateway(true, func(in *CreateNetworkInsightsPathInput) {
				in.FilterAtSource = &PathRequestFilter{SourceAddress: new("192.168.0.9")}
			})
		},
		func(n insightsNet) *string {
			return n.fromGateway(true, func(in *CreateNetworkInsightsPathInput) {
				in.FilterAtSource = &PathRequestFilter{SourceAddress: new("192.169.0.9")}
			})
		}, true},
	{"IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS",
		func(n insightsNet) *string { return n.fromGateway(false, func(*CreateNetworkInsightsPathInput) {}) },
		func(n insightsNet) *string { return n.fromGateway(true, func(*CreateNetworkInsightsPathInput) {}) }, true},
	{"IGW_DESTINATION_ADDRESS_IN_VPC_CIDRS",
		func(n insightsNet) *string {
			to := n.otherVPC()
			return n.fromGateway(true, func(in *CreateNetworkInsightsPathInput) { in.Destination = to })
		},
		func(n insightsNet) *string { return n.fromGateway(true, func(*CreateNetworkInsightsPathInput) {}) }, true},
	{"NGW_SOURCE_ADDRESS_REASSIGN",
		func(n insightsNet) *string {
			return n.byNAT(func(in *CreateNetworkInsightsPathInput) {
				in.DestinationIp, in.FilterAtDestination = nil, &PathRequestFilter{SourceAddress: new(n.addressOf(n.from)), DestinationAddress: new(someSTS)}
			})
		},
		func(n insightsNet) *string {
			return n.byNAT(func(in *CreateNetworkInsightsPathInput) {
				in.DestinationIp, in.FilterAtDestination = nil, &PathRequestFilter{DestinationAddress: new(someSTS)}
			})
		}, true},
	{"REMAP_EPHEMERAL_PORT",
		func(n insightsNet) *string { return n.sourcePortsBehindNAT(80, 90) }, func(n insightsNet) *string { return n.sourcePortsBehindNAT(80, 2000) }, true},
	{"NGW_DEST_ADDRESS_PRESERVATION",
		func(n insightsNet) *string {
			return n.byNAT(func(in *CreateNetworkInsightsPathInput) {
				in.DestinationIp, in.FilterAtSource, in.FilterAtDestination = nil, &PathRequestFilter{DestinationAddress: new(someSTS)}, &PathRequestFilter{DestinationAddress: new("54.240.249.81")}
			})
		},
		func(n insightsNet) *string {
			return n.byNAT(func(in *CreateNetworkInsightsPathInput) {
				in.DestinationIp, in.FilterAtSource, in.FilterAtDestination = nil, &PathRequestFilter{DestinationAddress: new(someSTS)}, &PathRequestFilter{DestinationAddress: new(someSTS)}
			})
		}, true},
	{"NGW_REQUIRES_SOURCE_IN_VPC",
		func(n insightsNet) *string { return n.farNAT(true) }, func(n insightsNet) *string { return n.farNAT(false) }, false},
	{"SG_REFERENCES_NOT_PRESERVED",
		func(n insightsNet) *string { return n.admitGroup(true) }, func(n insightsNet) *string { return n.admitGroup(false) }, true},
	{"VPCE_GATEWAY_PROTOCOL_RESTRICTION",
		func(n insightsNet) *string { return n.toS3("udp") }, func(n insightsNet) *string { return n.toS3("tcp") }, true},
	{"VPCE_GATEWAY_EGRESS_SOURCE_ADDRESS_RESTRICTION",
		func(n insightsNet) *string {
			return n.asked(func(in *CreateNetworkInsightsPathInput) { in.Source, in.SourceIp = n.s3Endpoint(), new("54.1.2.3") })
		},
		func(n insightsNet) *string {
			return n.asked(func(in *CreateNetworkInsightsPathInput) {
				in.Source, in.SourceIp = n.s3Endpoint(), new("52.218.177.73")
			})
		}, false},
	{"VPCE_INTRA_VPC_TRAFFIC",
		func(n insightsNet) *string {
			return n.asked(func(in *CreateNetworkInsightsPathInput) { in.Source = n.serviceEndpoint() })
		},
		func(n insightsNet) *string {
			return n.asked(func(in *CreateNetworkInsightsPathInput) {
				in.Destination, in.DestinationPort = n.serviceEndpoint(), new(int64(443))
			})
		}, true},
	{"FILTER_AT_SOURCE_SOURCE_ADDRESS",
		func(n insightsNet) *string { return n.atSource(PathRequestFilter{SourceAddress: new("10.0.1.99")}) },
		func(n insightsNet) *string {
			return n.atSource(PathRequestFilter{SourceAddress: new(n.addressOf(n.from))})
		}, true},
	{"FILTER_AT_SOURCE_DESTINATION_ADDRESS",
		func(n insightsNet) *string {
			return n.atSource(PathRequestFilter{DestinationAddress: new("10.0.2.99")})
		},
		func(n insightsNet) *string {
			return n.atSource(PathRequestFilter{DestinationAddress: new(n.addressOf(n.to))})
		}, true},
	{"FILTER_AT_SOURCE_SOURCE_PORT_RANGE",
		func(n insightsNet) *string {
			n.deny(n.near, false, 1000, 1999) // the answers to these ports
			return n.atSource(PathRequestFilter{SourcePortRange: requestPorts(1000, 1999)})
		},
		func(n insightsNet) *string {
			n.deny(n.near, false, 1000, 1999)
			return n.atSource(PathRequestFilter{SourcePortRange: requestPorts(1000, 2000)})
		}, true},
	{"FILTER_AT_SOURCE_DESTINATION_PORT_RANGE",
		func(n insightsNet) *string {
			n.deny(n.near, true, 1000, 1999)
			return n.atSource(PathRequestFilter{DestinationPortRange: requestPorts(1000, 1999)})
		},
		func(n insightsNet) *string {
			n.deny(n.near, true, 1000, 1999)
			return n.atSource(PathRequestFilter{DestinationPortRange: requestPorts(999, 1999)})
		}, true},
	{"FILTER_AT_SOURCE_PROTOCOL",
		func(n insightsNet) *string { return n.udpOnly("tcp") }, func(n insightsNet) *string { return n.udpOnly("udp") }, true},
	{"FILTER_AT_DESTINATION_SOURCE_ADDRESS",
		func(n insightsNet) *string {
			return n.atDestination(PathRequestFilter{SourceAddress: new("10.0.1.99")})
		},
		func(n insightsNet) *string {
			return n.atDestination(PathRequestFilter{SourceAddress: new(n.addressOf(n.from))})
		}, true},
	{"FILTER_AT_DESTINATION_DESTINATION_ADDRESS",
		func(n insightsNet) *string {
			return n.atDestination(PathRequestFilter{DestinationAddress: new("10.0.2.99")})
		},
		func(n insightsNet) *string {
			return n.atDestination(PathRequestFilter{DestinationAddress: new(n.addressOf(n.to))})
		}, true},
	{"FILTER_AT_DESTINATION_SOURCE_PORT_RANGE",
		func(n insightsNet) *string { return n.bothPorts(true, 2000, 2999, 3000, 3999) },
		func(n insightsNet) *string { return n.bothPorts(true, 2000, 2999, 2999, 3999) }, true},
	{"FILTER_AT_DESTINATION_DESTINATION_PORT_RANGE",
		func(n insightsNet) *string { return n.bothPorts(false, 2000, 2999, 3000, 3999) },
		func(n insightsNet) *string { return n.bothPorts(false, 2000, 2999, 2999, 3999) }, true},
}

// fromInstance is a path from an instance, which may be stopped.
func (n insightsNet) fromInstance(stopped bool) *string {
	n.t.Helper()
	instance := n.start(RunInstancesInput{InstanceType: new("t3.micro"), SubnetId: n.near}).InstanceId
	if stopped {
		do(n.world, n.stopInstances, StopInstancesInput{InstanceIds: []string{*instance}})
	}
	return n.insightsPath(instance, n.to, 22)
}

// blackhole leads a block to an interface that is gone.
func (n insightsNet) blackhole(block string) {
	n.t.Helper()
	gone := n.eni(n.near)
	n.route(CreateRouteInput{DestinationCidrBlock: &block, NetworkInterfaceId: gone})
	do(n.world, n.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: gone})
}

// twoRoutes lead to the same block: one by its name to somebody gone, and one by a list to a NAT gateway.
func (n insightsNet) twoRoutes(listed string) *string {
	n.t.Helper()
	nat := n.natGateway()
	n.blackhole("54.240.249.0/24")
	n.change(func(tx *state.Tx) {
		tx.Put(&resource.PrefixList{ID: "pl-0123456789abcdef0", Name: "sts", Entries: []resource.PrefixListEntry{{CIDR: netip.MustParsePrefix(listed)}}})
		t, _ := state.Get[*resource.RouteTable](tx, *n.table)
		c := *t
		c.Routes = append(slices.Clone(t.Routes), resource.Route{DestinationPrefixListID: "pl-0123456789abcdef0", Target: resource.RouteTarget{NATGatewayID: resource.NATGatewayID(*nat)}})
		tx.Put(&c)
	})
	return n.toAddress(someSTS)
}

// sourcePortsBehindNAT asks for a path that arrives from some ports.
func (n insightsNet) sourcePortsBehindNAT(from, to int64) *string {
	return n.byNAT(func(in *CreateNetworkInsightsPathInput) {
		in.DestinationIp = nil
		in.FilterAtSource = &PathRequestFilter{DestinationAddress: new(someSTS)}
		in.FilterAtDestination = &PathRequestFilter{SourcePortRange: requestPorts(from, to)}
	})
}

// farNAT leads to the internet by a peering connection. Beyond it may be a NAT gateway.
func (n insightsNet) farNAT(there bool) *string {
	n.t.Helper()
	other := n.vpcOf("10.1.0.0/16")
	if there {
		subnet := n.subnet(other, "10.1.1.0/24", "a")
		n.gateway(other)
		nat := do(n.world, n.createNATGateway, CreateNatGatewayInput{SubnetId: subnet, AllocationId: n.address()}).NatGateway.NatGatewayId
		n.change(func(tx *state.Tx) {
			g, _ := state.Get[*resource.NATGateway](tx, *nat)
			c := *g
			c.State = "available"
			tx.Put(&c)
		})
	}
	n.route(CreateRouteInput{DestinationCidrBlock: new("0.0.0.0/0"), VpcPeeringConnectionId: n.activePeer(n.vpc, other)})
	return n.toAddress(someSTS)
}

// udpOnly lets in UDP, and asks for a path of a protocol.
func (n insightsNet) udpOnly(protocol string) *string {
	n.t.Helper()
	n.revokeAll(n.toGroup, false)
	n.allow(n.toGroup, "udp", 53, 53)
	return n.asked(func(in *CreateNetworkInsightsPathInput) {
		in.Protocol, in.FilterAtSource = &protocol, &PathRequestFilter{DestinationPortRange: requestPorts(53, 53)}
	})
}

// bothPorts asks for ranges at both ends, of source or destination ports.
func (n insightsNet) bothPorts(source bool, a, b, c, d int64) *string {
	return n.asked(func(in *CreateNetworkInsightsPathInput) {
		if source {
			in.FilterAtSource, in.FilterAtDestination = &PathRequestFilter{SourcePortRange: requestPorts(a, b)}, &PathRequestFilter{SourcePortRange: requestPorts(c, d)}
			return
		}
		in.FilterAtSource, in.FilterAtDestination = &PathRequestFilter{DestinationPortRange: requestPorts(a, b)}, &PathRequestFilter{DestinationPortRange: requestPorts(c, d)}
	})
}

func TestEveryCodeOfEndsRoutesAndFiltersHasACauseAndANearMiss(t *testing.T) {
	for _, c := range moreInsightsCases {
		t.Run(c.code, func(t *testing.T) {
			n := newInsightsNet(t)
			if a := n.analysed(c.breaks(n)); *a.NetworkPathFound || !slices.Contains(codesOf(a), c.code) {
				t.Errorf("found %t, %v", *a.NetworkPathFound, codesOf(a))
			}
			n = newInsightsNet(t)
			if a := n.analysed(c.nearMiss(n)); *a.NetworkPathFound != c.nearMissReaches || slices.Contains(codesOf(a), c.code) {
				t.Errorf("near miss: found %t, %v", *a.NetworkPathFound, codesOf(a))
			}
		})
	}
}

// firstCodes are those of the Reachability Analyzer that matter for what there is in this region.
const firstCodes = `BAD_STATE BAD_STATE_ATTACHMENT BAD_STATE_ROUTE CANNOT_ROUTE ENI_ADDRESS_RESTRICTION ENI_SG_RULES_MISMATCH ENI_SOURCE_DEST_CHECK_RESTRICTION
	GATEWAY_REJECTS_SPOOFED_TRAFFIC HIGHER_PRIORITY_ROUTE IGW_DESTINATION_ADDRESS_IN_VPC_CIDRS IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS
	IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS
	IGW_SOURCE_ADDRESS_NOT_IN_RFC6598_INGRESS MORE_SPECIFIC_ROUTE NGW_DEST_ADDRESS_PRESERVATION NGW_REQUIRES_SOURCE_IN_VPC NGW_SOURCE_ADDRESS_REASSIGN NO_POSSIBLE_DESTINATION
	NO_ROUTE_TO_DESTINATION PROTOCOL_RESTRICTION REMAP_EPHEMERAL_PORT SG_HAS_NO_RULES SG_REFERENCES_NOT_PRESERVED SUBNET_ACL_RESTRICTION UNKNOWN_DESTINATION UNKNOWN_RESOURCE
	VPC_LOCAL_ROUTE_CIDR_RESTRICTION VPCE_GATEWAY_EGRESS_SOURCE_ADDRESS_RESTRICTION VPCE_GATEWAY_PROTOCOL_RESTRICTION VPCE_INTRA_VPC_TRAFFIC VPCE_SERVICE_NOT_INSTALLED_IN_AZ
	DISCONNECTED_VPCS NO_PATH NO_SOURCE_OR_DESTINATION UNASSOCIATED_COMPONENT UNSUPPORTED_COMPONENT
	FILTER_AT_DESTINATION_DESTINATION_ADDRESS FILTER_AT_DESTINATION_DESTINATION_PORT_RANGE FILTER_AT_DESTINATION_PROTOCOL FILTER_AT_DESTINATION_SOURCE_ADDRESS
	FILTER_AT_DESTINATION_SOURCE_PORT_RANGE FILTER_AT_SOURCE_DESTINATION_ADDRESS FILTER_AT_SOURCE_DESTINATION_PORT_RANGE FILTER_AT_SOURCE_PROTOCOL
	FILTER_AT_SOURCE_SOURCE_ADDRESS FILTER_AT_SOURCE_SOURCE_PORT_RANGE IGW_EXPECTS_PUBLIC_ADDRESS`

func TestEveryFirstCodeIsProducedOrSaidNeverToBe(t *testing.T) {
	produced := map[string]bool{"VPCE_SERVICE_NOT_INSTALLED_IN_AZ": true} // package explain's TestLoadBalancers
	for _, c := range moreInsightsCases {
		produced[c.code] = true
	}
	for _, c := range insightsCases {
		produced[c.code] = true
	}
	all := strings.Fields(firstCodes)
	if len(all) != 50 {
		t.Errorf("%d codes", len(all))
	}
	for _, code := range all {
		never := slices.ContainsFunc(NeverExplained(), func(s string) bool {
			codes, _, _ := strings.Cut(s, ":")
			return slices.Contains(strings.Split(codes, ", "), code)
		})
		if produced[code] == never {
			t.Errorf("%s: produced %t, said never to be %t", code, produced[code], never)
		}
	}
}

// A path may be asked to lead through one component: through it, or not at all.
func TestAPathCanBeAskedToLeadThroughAComponent(t *testing.T) {
	n := newInsightsNet(t)
	nat := n.natGateway()
	arn := "arn:aws:ec2:us-west-2:123456789012:natgateway/" + *nat
	for path, want := range map[*string]bool{n.toAddress(someSTS): true, n.insightsPath(n.from, n.to, 22): false} {
		id := do(n.world, n.startNetworkInsightsAnalysis, StartNetworkInsightsAnalysisInput{NetworkInsightsPathId: path, FilterInArns: []string{arn}}).NetworkInsightsAnalysis.NetworkInsightsAnalysisId
		a := see(n.world, n.describeNetworkInsightsAnalyses, DescribeNetworkInsightsAnalysesInput{NetworkInsightsAnalysisIds: []string{*id}}).NetworkInsightsAnalyses[0]
		if *a.NetworkPathFound != want || slices.Contains(codesOf(a), "COMPONENT_FILTER_RESTRICTION") == want || !slices.Equal(a.FilterInArns, []string{arn}) {
			t.Errorf("found %t, %v, through %v", *a.NetworkPathFound, codesOf(a), a.FilterInArns)
		}
		if !want && *a.Explanations[0].Component.Id != *nat {
			t.Errorf("component %+v", a.Explanations[0].Component)
		}
	}
}

func TestComponentsSayWhatPacketsArriveAndLeaveAndWhereTheyCrossZones(t *testing.T) {
	n := newInsightsNet(t)
	nat := n.natGateway()
	a := n.analysed(n.toAddress(someSTS))
	var gateway *PathComponent
	for i, c := range a.ForwardPathComponents {
		if *c.Component.Id == *nat {
			gateway = &a.ForwardPathComponents[i]
		}
	}
	if gateway == nil || gateway.InboundHeader.SourceAddresses[0] != n.addressOf(n.from)+"/32" || gateway.OutboundHeader.SourceAddresses[0] == n.addressOf(n.from)+"/32" ||
		*gateway.OutboundHeader.SourcePortRanges[0].From != 1024 || gateway.OutboundHeader.DestinationAddresses[0] != someSTS+"/32" || *gateway.InboundHeader.Protocol != "6" {
		t.Errorf("NAT gateway: %+v", gateway)
	}
	way := n.analysed(n.insightsPath(n.from, n.to, 22)).ForwardPathComponents
	last := way[len(way)-1]
	if len(last.AdditionalDetails) != 1 || *last.AdditionalDetails[0].AdditionalDetailType != "AVAILABILITY_ZONE_CROSSED" || last.OutboundHeader != nil || *last.InboundHeader.DestinationPortRanges[0].From != 22 {
		t.Errorf("last component: %+v", last)
	}
	for _, c := range way[:len(way)-1] {
		if len(c.AdditionalDetails) > 0 {
			t.Errorf("%s: %+v", *c.Component.Id, c.AdditionalDetails)
		}
	}
	resolver := n.analysed(n.asked(func(in *CreateNetworkInsightsPathInput) {
		in.Destination, in.DestinationIp, in.Protocol, in.DestinationPort = nil, new("10.0.0.2"), new("udp"), new(int64(53))
	}))
	if !*resolver.NetworkPathFound || *resolver.ForwardPathComponents[0].AdditionalDetails[0].AdditionalDetailType != "UNIDIRECTIONAL_PATH_ANALYSIS_ONLY" {
		t.Errorf("resolver: %t %+v", *resolver.NetworkPathFound, resolver.ForwardPathComponents)
	}
}

func TestFiltersOfAPathAreDescribed(t *testing.T) {
	n := newInsightsNet(t)
	path := n.asked(func(in *CreateNetworkInsightsPathInput) {
		in.FilterAtSource = &PathRequestFilter{SourceAddress: new(n.addressOf(n.from)), DestinationPortRange: requestPorts(20, 30)}
	})
	p := see(n.world, n.describeNetworkInsightsPaths, DescribeNetworkInsightsPathsInput{NetworkInsightsPathIds: []string{*path}}).NetworkInsightsPaths[0]
	want := &PathFilter{SourceAddress: new(n.addressOf(n.from)), DestinationPortRange: &FilterPortRange{FromPort: new(int64(20)), ToPort: new(int64(30))}}
	if d := diff(p.FilterAtSource, want); d != "" || p.FilterAtDestination != nil {
		t.Errorf("filter (-got +want):\n%s\nat the destination %+v", d, p.FilterAtDestination)
	}
}
