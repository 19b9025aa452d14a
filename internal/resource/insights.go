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
	CreateTime    time.Time
	Tags          Tags
}

func (*NetworkInsightsPath) Kind() Kind    { return KindNetworkInsightsPath }
func (p *NetworkInsightsPath) Key() string { return string(p.ID) }

// NetworkInsightsAnalysis is an answer, of the time when it was asked for.
type NetworkInsightsAnalysis struct {
	ID        NetworkInsightsAnalysisID
	PathID    NetworkInsightsPathID
	StartTime time.Time
	Found     bool
	Result    []byte // what the API says of it, JSON
	Tags      Tags
}

func (*NetworkInsightsAnalysis) Kind() Kind    { return KindNetworkInsightsAnalysis }
func (a *NetworkInsightsAnalysis) Key() string { return string(a.ID) }
