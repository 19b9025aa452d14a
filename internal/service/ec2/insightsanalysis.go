package ec2

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
	if len(in.AdditionalAccounts) > 0 {
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
		if a, err = analyse(tx, p, in.FilterInArns); err != nil {
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
func analyse(tx *state.Tx, p *resource.NetworkInsightsPath, through []string) (*resource.NetworkInsightsAnalysis, error) {
	ids, err := filterIDs(tx, through)
	if err != nil {
		return nil, err
	}
	t := topology.Resolve(tx, topology.Options{})
	c := components{reader: tx, topology: t}
	q := newQuestion(tx, t, p, ids)
	var result NetworkInsightsAnalysis
	found := false
	if result.Explanations = q.ends(c); len(result.Explanations) == 0 {
		var trace explain.Trace
		var unlike []string
		if trace, unlike, found = q.try(t); found {
			result.ForwardPathComponents = c.way(trace.Flow.From, trace.Hops, trace)
			result.ReturnPathComponents = c.way(resource.NetworkInterfaceID(trace.Interface), trace.Return, trace)
		} else {
			result.Explanations = q.explanations(c, trace, unlike)
		}
	}
	stored, err := json.Marshal(result)
	if err != nil {
		return nil, fmt.Errorf("encode the analysis of %s: %w", p.ID, err)
	}
	return &resource.NetworkInsightsAnalysis{
		ID: resource.NetworkInsightsAnalysisID(tx.NewID("nia")), PathID: p.ID, StartTime: tx.Now(), Found: found, Through: through, Result: stored,
	}, nil
}

// explanations are all that keeps a path from being found: what stops packets, what does not serve, what does not fit.
func (q *question) explanations(c components, trace explain.Trace, unlike []string) []Explanation {
	restrictions := q.restrictions(c.topology)
	var hops []explain.Hop
	if unlike == nil {
		plan := explain.Mend(c.topology, trace.Flow)
		hops = append(plan.Blockers, plan.Details...)
	} else {
		for _, code := range unlike {
			if !slices.Contains(restrictions, code) {
				restrictions = append(restrictions, code)
			}
		}
	}
	out := c.explanations(append(hops, q.translations(trace, restrictions)...))
	for _, code := range restrictions {
		e := Explanation{ExplanationCode: new(code)}
		if code == "COMPONENT_FILTER_RESTRICTION" {
			for _, id := range q.through {
				if !leadsThrough(trace, id) {
					e.Component = c.of(id)
				}
			}
		}
		out = append(out, e)
	}
	return out
}

// filterIDs are the ids of components that a path may be asked to lead through.
func filterIDs(r state.Reader, arns []string) ([]string, error) {
	if len(arns) > 1 {
		return nil, api.Errorf("InvalidParameterValue", "A path can be asked to lead through one component, not through %d.", len(arns))
	}
	var out []string
	for _, text := range arns {
		id := text[strings.LastIndex(text, "/")+1:]
		var err error
		switch prefix, _, _ := strings.Cut(id, "-"); {
		case !strings.HasPrefix(text, "arn:"):
			err = invalidValue("filterInArn", text)
		case strings.Contains(text, ":loadbalancer/"):
			if _, ok := state.Get[*resource.LoadBalancer](r, text); !ok {
				err = invalidValue("filterInArn", text)
			}
			id = text
		case prefix == "nat":
			_, err = find[*resource.NATGateway](r, nounNATGateway, "filterInArn", &id)
		case prefix == "pcx":
			_, err = find[*resource.VPCPeeringConnection](r, nounPeering, "filterInArn", &id)
		default:
			err = unsupported("A path cannot be asked to lead through %s: name a load balancer, a NAT gateway or a peering connection.", text)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
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
		NetworkInsightsPathId: new(string(a.PathID)), StartDate: new(a.StartTime), FilterInArns: a.Through, Tags: tagSet(a.Tags),
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
