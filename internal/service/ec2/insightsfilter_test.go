package ec2

import (
	"slices"
	"testing"
)

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
