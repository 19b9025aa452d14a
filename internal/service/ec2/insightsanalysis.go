package ec2

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) startNetworkInsightsAnalysis(tx *state.Tx, _ *api.Call, in *StartNetworkInsightsAnalysisInput) (*StartNetworkInsightsAnalysisOutput, error) {
	p, err := find[*resource.NetworkInsightsPath](tx, nounInsightsPath(), "networkInsightsPathId", in.NetworkInsightsPathId)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, resource.KindNetworkInsightsAnalysis)
	if err != nil {
		return nil, err
	}
	switch {
	case len(in.FilterInArns) > 0:
		return nil, unsupported("Analyses through or around named components are not supported in this region.")
	case len(in.AdditionalAccounts) > 0:
		return nil, unsupported("Analyses of other accounts are not supported in this region: there is one account.")
	}
	plain := *in
	plain.ClientToken = nil
	token, err := newClientToken("StartNetworkInsightsAnalysis", in.ClientToken, plain)
	if err != nil {
		return nil, err
	}
	id, err := token.seen(tx)
	if err != nil {
		return nil, err
	}
	a, ok := state.Get[*resource.NetworkInsightsAnalysis](tx, id)
	if !ok {
		if a, err = analyse(tx, p); err != nil {
			return nil, err
		}
		a.Tags = tags
		token.made(tx, string(a.ID))
		tx.Put(a)
	}
	out := analysisHead(tx, a)
	out.Status = new("running") // as AWS says it; whoever asks next learns the result
	return &StartNetworkInsightsAnalysisOutput{NetworkInsightsAnalysis: &out}, nil
}

// analyse answers a path's question about the network as it is now.
func analyse(tx *state.Tx, p *resource.NetworkInsightsPath) (*resource.NetworkInsightsAnalysis, error) {
	t := topology.Resolve(tx, topology.Options{})
	var result NetworkInsightsAnalysis
	found := false
	if flow, ok := pathFlow(tx, t, p); ok {
		trace := anyPort(t, flow)
		found = trace.Reachable
		c := components{reader: tx, topology: t}
		if found {
			result.ForwardPathComponents = c.way(trace.Flow.From, trace.Hops)
			result.ReturnPathComponents = c.way(resource.NetworkInterfaceID(trace.Interface), trace.Return)
		} else {
			result.Explanations = c.explanations(explain.Mend(t, trace.Flow).Blockers)
		}
	} else {
		result.Explanations = []Explanation{{ExplanationCode: new("NO_SOURCE_OR_DESTINATION")}}
	}
	stored, err := json.Marshal(result)
	if err != nil {
		return nil, fmt.Errorf("encode the analysis of %s: %w", p.ID, err)
	}
	return &resource.NetworkInsightsAnalysis{
		ID: resource.NetworkInsightsAnalysisID(tx.NewID("nia")), PathID: p.ID, StartTime: tx.Now(), Found: found, Result: stored,
	}, nil
}

// pathFlow is the flow that a path asks about; false: one of its ends is gone.
func pathFlow(r state.Reader, t *topology.Topology, p *resource.NetworkInsightsPath) (explain.Flow, bool) {
	f := explain.Flow{Protocol: explain.TCP, Port: uint16(p.Port), Source: p.SourceIP, To: p.DestinationIP}
	if p.Protocol == "udp" {
		f.Protocol = explain.UDP
	}
	from, ok := pathEnd(r, t, p.Source)
	if !ok {
		return f, false
	}
	if from != nil {
		f.From = from.ID
	}
	if p.Destination == "" {
		return f, true
	}
	to, ok := pathEnd(r, t, p.Destination)
	switch {
	case !ok:
		return f, false
	case f.To.IsValid():
	case to == nil:
		f.Internet = true
	case from == nil && len(to.Public) > 0:
		f.To = to.Public[0].Public
	default:
		f.To = to.Address()
	}
	return f, true
}

// pathEnd is the interface of an end; nil for an internet gateway, which stands for the internet.
func pathEnd(r state.Reader, t *topology.Topology, id string) (*topology.ENI, bool) {
	if i, ok := state.Get[*resource.Instance](r, id); ok {
		id = string(i.InterfaceID)
	}
	if e := t.ENIs[resource.NetworkInterfaceID(id)]; e != nil {
		return e, true
	}
	for _, v := range t.VPCs {
		if string(v.InternetGateway) == id {
			return nil, true
		}
		if e := v.Endpoint(resource.VPCEndpointID(id)); e != nil && len(e.ENIs) > 0 {
			return v.ENI(e.ENIs[0]), true
		}
	}
	return nil, false
}

// anyPort explains a flow. Without a port one that gets through will do: where it changes whether it does, a rule or
// an entry begins or ends.
func anyPort(t *topology.Topology, f explain.Flow) explain.Trace {
	if f.Port != 0 {
		return explain.Explain(t, f)
	}
	ports := []int{443, 80}
	for _, v := range t.VPCs {
		for _, g := range v.SecurityGroups {
			for _, r := range slices.Concat(g.Ingress, g.Egress) {
				ports = append(ports, r.FromPort)
			}
		}
		for _, n := range v.NetworkACLs {
			for _, e := range slices.Concat(n.Ingress, n.Egress) {
				ports = append(ports, e.FromPort, e.ToPort+1)
			}
		}
	}
	var first explain.Trace
	tried := map[int]bool{}
	for i, port := range ports {
		if port < 1 || port > 65535 || tried[port] {
			continue
		}
		tried[port] = true
		f.Port = uint16(port)
		trace := explain.Explain(t, f)
		if trace.Reachable {
			return trace
		}
		if i == 0 {
			first = trace
		}
	}
	return first
}

func (s *ec2) deleteNetworkInsightsAnalysis(tx *state.Tx, _ *api.Call, in *DeleteNetworkInsightsAnalysisInput) (*DeleteNetworkInsightsAnalysisOutput, error) {
	a, err := find[*resource.NetworkInsightsAnalysis](tx, nounAnalysis(), "networkInsightsAnalysisId", in.NetworkInsightsAnalysisId)
	if err != nil {
		return nil, err
	}
	forgetTokens(tx, string(a.ID))
	tx.Delete(a)
	return &DeleteNetworkInsightsAnalysisOutput{NetworkInsightsAnalysisId: new(string(a.ID))}, nil
}

func (s *ec2) describeNetworkInsightsAnalyses(v *state.View, _ *api.Call, in *DescribeNetworkInsightsAnalysesInput) (*DescribeNetworkInsightsAnalysesOutput, error) {
	found, err := named[*resource.NetworkInsightsAnalysis](v, nounAnalysis(), in.NetworkInsightsAnalysisIds)
	if err != nil {
		return nil, err
	}
	if given(in.NetworkInsightsPathId) {
		if _, err := find[*resource.NetworkInsightsPath](v, nounInsightsPath(), "networkInsightsPathId", in.NetworkInsightsPathId); err != nil {
			return nil, err
		}
	}
	var all []NetworkInsightsAnalysis
	for _, a := range found {
		switch {
		case given(in.NetworkInsightsPathId) && string(a.PathID) != *in.NetworkInsightsPathId:
		case in.AnalysisStartTime != nil && a.StartTime.Before(*in.AnalysisStartTime):
		case in.AnalysisEndTime != nil && a.StartTime.After(*in.AnalysisEndTime):
		default:
			out, err := analysisOutput(v, a)
			if err != nil {
				return nil, err
			}
			all = append(all, out)
		}
	}
	l := listing[NetworkInsightsAnalysis]{
		key:  func(a NetworkInsightsAnalysis) string { return *a.NetworkInsightsAnalysisId },
		tags: func(a NetworkInsightsAnalysis) []Tag { return a.Tags },
		fields: fields[NetworkInsightsAnalysis]{
			"path-found": func(a NetworkInsightsAnalysis) []string { return []string{strconv.FormatBool(*a.NetworkPathFound)} },
			"status":     func(a NetworkInsightsAnalysis) []string { return text(a.Status) },
		},
		pages: smallPages(),
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeNetworkInsightsAnalysesOutput{NetworkInsightsAnalyses: page, NextToken: next}, nil
}

func analysisHead(r state.Reader, a *resource.NetworkInsightsAnalysis) NetworkInsightsAnalysis {
	return NetworkInsightsAnalysis{
		NetworkInsightsAnalysisId: new(string(a.ID)), NetworkInsightsAnalysisArn: new(arn(r, "network-insights-analysis", string(a.ID))),
		NetworkInsightsPathId: new(string(a.PathID)), StartDate: new(a.StartTime), Tags: tagSet(a.Tags),
	}
}

func analysisOutput(r state.Reader, a *resource.NetworkInsightsAnalysis) (NetworkInsightsAnalysis, error) {
	out := analysisHead(r, a)
	if err := json.Unmarshal(a.Result, &out); err != nil {
		return out, fmt.Errorf("read the analysis %s: %w", a.ID, err)
	}
	head := analysisHead(r, a)
	head.ForwardPathComponents, head.ReturnPathComponents, head.Explanations = out.ForwardPathComponents, out.ReturnPathComponents, out.Explanations
	head.Status, head.NetworkPathFound = new("succeeded"), new(a.Found)
	return head, nil
}
