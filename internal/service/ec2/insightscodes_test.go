package ec2

import (
	"slices"
	"strings"
	"testing"
)

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
