package resource

import (
	"net/netip"
	"time"
)

// NetworkInsightsPathID and NetworkInsightsAnalysisID are ids of the Reachability Analyzer.
type (
	NetworkInsightsPathID     string // nip-
	NetworkInsightsAnalysisID string // nia-
)

// The kinds of the Reachability Analyzer.
const (
	KindNetworkInsightsPath     Kind = "network-insights-path"
	KindNetworkInsightsAnalysis Kind = "network-insights-analysis"
)

// NetworkInsightsPath is a question that can be asked again and again: can one thing reach another?
type NetworkInsightsPath struct {
	ID            NetworkInsightsPathID
	Source        string // id: i-, eni-, igw-, vpce-
	Destination   string // the same; empty: only DestinationIP
	SourceIP      netip.Addr
	DestinationIP netip.Addr
	Protocol      string // tcp, udp
	Port          int    // of the destination; 0: any
	AtSource      InsightsFilter
	AtDestination InsightsFilter
	CreateTime    time.Time
	Tags          Tags
}

func (*NetworkInsightsPath) Kind() Kind    { return KindNetworkInsightsPath }
func (p *NetworkInsightsPath) Key() string { return string(p.ID) }

// InsightsFilter narrows what packets a path is about, as they are at one of its ends. Zero values: any.
type InsightsFilter struct {
	SourceAddress      netip.Addr
	DestinationAddress netip.Addr
	SourcePorts        PortSpan
	DestinationPorts   PortSpan
}

// PortSpan is a range of ports, both ends included. The zero value: any.
type PortSpan struct{ From, To int }

// NetworkInsightsAnalysis is an answer, of the time when it was asked for.
type NetworkInsightsAnalysis struct {
	ID        NetworkInsightsAnalysisID
	PathID    NetworkInsightsPathID
	StartTime time.Time
	Found     bool
	Through   []string // ARNs of what the path was to lead through
	Result    []byte   // what the API says of it, JSON
	Tags      Tags
}

func (*NetworkInsightsAnalysis) Kind() Kind    { return KindNetworkInsightsAnalysis }
func (a *NetworkInsightsAnalysis) Key() string { return string(a.ID) }
