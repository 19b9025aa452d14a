package ec2

import (
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// insightsFilters reads what narrows a path at its ends. Each has parameters that it cannot stand beside.
func insightsFilters(p *resource.NetworkInsightsPath, in *CreateNetworkInsightsPathInput) error {
	combined := func(a, b string) error {
		return api.Errorf("InvalidParameterCombination", "The parameters %s and %s cannot be used together.", a, b)
	}
	switch {
	case in.FilterAtSource != nil && given(in.SourceIp):
		return combined("FilterAtSource", "SourceIp")
	case in.FilterAtSource != nil && in.DestinationPort != nil:
		return combined("FilterAtSource", "DestinationPort")
	case in.FilterAtDestination != nil && given(in.DestinationIp):
		return combined("FilterAtDestination", "DestinationIp")
	}
	var err error
	if p.AtSource, err = insightsFilter("filterAtSource", in.FilterAtSource); err != nil {
		return err
	}
	p.AtDestination, err = insightsFilter("filterAtDestination", in.FilterAtDestination)
	return err
}

func insightsFilter(name string, in *PathRequestFilter) (resource.InsightsFilter, error) {
	var f resource.InsightsFilter
	if in == nil {
		return f, nil
	}
	var err error
	for _, a := range []struct {
		to   *netip.Addr
		from *string
		name string
	}{{&f.SourceAddress, in.SourceAddress, "sourceAddress"}, {&f.DestinationAddress, in.DestinationAddress, "destinationAddress"}} {
		if *a.to, err = insightsAddress(name+"."+a.name, a.from); err != nil {
			return f, err
		}
	}
	if f.SourcePorts, err = portSpan(name+".sourcePortRange", in.SourcePortRange); err != nil {
		return f, err
	}
	f.DestinationPorts, err = portSpan(name+".destinationPortRange", in.DestinationPortRange)
	return f, err
}

func portSpan(name string, in *RequestFilterPortRange) (resource.PortSpan, error) {
	if in == nil {
		return resource.PortSpan{}, nil
	}
	if in.FromPort == nil || in.ToPort == nil {
		return resource.PortSpan{}, missing(name)
	}
	s := resource.PortSpan{From: int(*in.FromPort), To: int(*in.ToPort)}
	if s.From < 0 || s.To > 65535 || s.From > s.To || s.To == 0 {
		return s, api.Errorf("InvalidParameterValue", "Value (%d-%d) for parameter %s is invalid. It must be a range of ports between 1 and 65535.", s.From, s.To, name)
	}
	s.From = max(s.From, 1) // nobody sends from or to port 0
	return s, nil
}

func insightsFilterOutput(f resource.InsightsFilter) *PathFilter {
	if f == (resource.InsightsFilter{}) {
		return nil
	}
	out := &PathFilter{SourcePortRange: portSpanOutput(f.SourcePorts), DestinationPortRange: portSpanOutput(f.DestinationPorts)}
	if f.SourceAddress.IsValid() {
		out.SourceAddress = new(f.SourceAddress.String())
	}
	if f.DestinationAddress.IsValid() {
		out.DestinationAddress = new(f.DestinationAddress.String())
	}
	return out
}

func portSpanOutput(s resource.PortSpan) *FilterPortRange {
	if s == (resource.PortSpan{}) {
		return nil
	}
	return &FilterPortRange{FromPort: new(int64(s.From)), ToPort: new(int64(s.To))}
}
