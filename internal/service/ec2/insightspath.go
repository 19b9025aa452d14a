package ec2

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func nounInsightsPath() vpcnet.Noun {
	return vpcnet.Noun{Prefix: "nip", Malformed: "InvalidNetworkInsightsPathId.Malformed", NotFound: "InvalidNetworkInsightsPathId.NotFound", Text: "The networkInsightsPath ID '%s' does not exist"}
}

func nounAnalysis() vpcnet.Noun {
	return vpcnet.Noun{Prefix: "nia", Malformed: "InvalidNetworkInsightsAnalysisId.Malformed", NotFound: "InvalidNetworkInsightsAnalysisId.NotFound", Text: "The networkInsightsAnalysis ID '%s' does not exist"}
}

func insightsPathRef(id *string) ref { return ref{"network-insights-path", id} }

// insightsOperations are those of the Reachability Analyzer.
func (s *ec2) insightsOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateNetworkInsightsPath", s.createNetworkInsightsPath, on(func(*CreateNetworkInsightsPathInput) refs { return refs{made("network-insights-path")} })),
		service.View("DescribeNetworkInsightsPaths", s.describeNetworkInsightsPaths, service.OnAny()),
		service.Update("DeleteNetworkInsightsPath", s.deleteNetworkInsightsPath, on(func(in *DeleteNetworkInsightsPathInput) refs {
			return refs{insightsPathRef(in.NetworkInsightsPathId)}
		})),
		service.Update("StartNetworkInsightsAnalysis", s.startNetworkInsightsAnalysis, on(func(in *StartNetworkInsightsAnalysisInput) refs {
			return refs{made("network-insights-analysis"), insightsPathRef(in.NetworkInsightsPathId)}
		})),
		service.View("DescribeNetworkInsightsAnalyses", s.describeNetworkInsightsAnalyses, service.OnAny()),
		service.Update("DeleteNetworkInsightsAnalysis", s.deleteNetworkInsightsAnalysis, on(func(in *DeleteNetworkInsightsAnalysisInput) refs {
			return refs{{"network-insights-analysis", in.NetworkInsightsAnalysisId}}
		})),
	}
}

func (s *ec2) createNetworkInsightsPath(tx *state.Tx, _ *api.Call, in *CreateNetworkInsightsPathInput) (*CreateNetworkInsightsPathOutput, error) {
	tags, err := newTags(in.TagSpecifications, resource.KindNetworkInsightsPath)
	if err != nil {
		return nil, err
	}
	plain := *in
	plain.ClientToken = nil
	token, err := newClientToken("CreateNetworkInsightsPath", in.ClientToken, plain)
	if err != nil {
		return nil, err
	}
	if id, err := token.seen(tx); err != nil {
		return nil, err
	} else if old, ok := state.Get[*resource.NetworkInsightsPath](tx, id); ok {
		return &CreateNetworkInsightsPathOutput{NetworkInsightsPath: new(insightsPathOutput(tx, old))}, nil
	}
	p, err := newInsightsPath(tx, in)
	if err != nil {
		return nil, err
	}
	p.ID, p.CreateTime, p.Tags = resource.NetworkInsightsPathID(tx.NewID("nip")), tx.Now(), tags
	token.made(tx, string(p.ID))
	tx.Put(p)
	return &CreateNetworkInsightsPathOutput{NetworkInsightsPath: new(insightsPathOutput(tx, p))}, nil
}

// newInsightsPath reads a path.
func newInsightsPath(r state.Reader, in *CreateNetworkInsightsPathInput) (*resource.NetworkInsightsPath, error) {
	p := &resource.NetworkInsightsPath{Protocol: value(in.Protocol), Port: int(value(in.DestinationPort))}
	if p.Protocol != "tcp" && p.Protocol != "udp" {
		return nil, invalidValue("protocol", p.Protocol)
	}
	if in.DestinationPort != nil && (p.Port < 1 || p.Port > 65535) {
		return nil, api.Errorf("InvalidParameterValue", "Value (%d) for parameter destinationPort is invalid. It must be between 1 and 65535.", p.Port)
	}
	var err error
	if p.SourceIP, err = insightsAddress("sourceIp", in.SourceIp); err != nil {
		return nil, err
	}
	if p.DestinationIP, err = insightsAddress("destinationIp", in.DestinationIp); err != nil {
		return nil, err
	}
	if err := insightsFilters(p, in); err != nil {
		return nil, err
	}
	if !given(in.Source) {
		return nil, missing("source")
	}
	if p.Source, err = insightsEnd(r, "source", *in.Source); err != nil {
		return nil, err
	}
	if given(in.Destination) {
		p.Destination, err = insightsEnd(r, "destination", *in.Destination)
	} else if !p.DestinationIP.IsValid() && !p.AtDestination.DestinationAddress.IsValid() && !p.AtSource.DestinationAddress.IsValid() {
		err = missing("destination")
	}
	switch {
	case err != nil:
		return nil, err
	case p.Source == p.Destination:
		return nil, api.Errorf("InvalidParameterValue", "The source and destination must not be the same resource.")
	}
	return p, nil
}

func insightsAddress(parameter string, text *string) (netip.Addr, error) {
	if !given(text) {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(*text)
	if err != nil || !a.Is4() {
		return a, invalidValue(parameter, *text)
	}
	return a, nil
}

// insightsEnd takes the id out of an id or ARN, and looks it up.
func insightsEnd(r state.Reader, parameter, text string) (string, error) {
	id := text
	if strings.HasPrefix(text, "arn:") {
		id = text[strings.LastIndex(text, "/")+1:]
	}
	var err error
	switch prefix, _, _ := strings.Cut(id, "-"); prefix {
	case "eni":
		_, err = find[*resource.NetworkInterface](r, vpcnet.ENI, parameter, &id)
	case "igw":
		_, err = find[*resource.InternetGateway](r, nounInternetGateway, parameter, &id)
	case "vpce":
		_, err = find[*resource.VPCEndpoint](r, nounVPCEndpoint, parameter, &id)
	case "i":
		_, err = find[*resource.Instance](r, nounInstance, parameter, &id)
	case "pcx":
		_, err = find[*resource.VPCPeeringConnection](r, nounPeering, parameter, &id)
	case "tgw", "vgw":
		return "", unsupported("A path cannot begin or end at %s in this region: there are no transit gateways and no virtual private gateways.", text)
	default:
		return "", invalidValue(parameter, text)
	}
	return id, err
}

func (s *ec2) deleteNetworkInsightsPath(tx *state.Tx, _ *api.Call, in *DeleteNetworkInsightsPathInput) (*DeleteNetworkInsightsPathOutput, error) {
	p, err := find[*resource.NetworkInsightsPath](tx, nounInsightsPath(), "networkInsightsPathId", in.NetworkInsightsPathId)
	if err != nil {
		return nil, err
	}
	if exists(tx, func(a *resource.NetworkInsightsAnalysis) bool { return a.PathID == p.ID }) {
		return nil, api.Errorf("AnalysisExistsForNetworkInsightsPath", "Cannot delete %s because it has analyses. Delete them first.", p.ID)
	}
	forgetTokens(tx, string(p.ID))
	tx.Delete(p)
	return &DeleteNetworkInsightsPathOutput{NetworkInsightsPathId: new(string(p.ID))}, nil
}

func (s *ec2) describeNetworkInsightsPaths(v *state.View, _ *api.Call, in *DescribeNetworkInsightsPathsInput) (*DescribeNetworkInsightsPathsOutput, error) {
	found, err := named[*resource.NetworkInsightsPath](v, nounInsightsPath(), in.NetworkInsightsPathIds)
	if err != nil {
		return nil, err
	}
	var all []NetworkInsightsPath
	for _, p := range found {
		all = append(all, insightsPathOutput(v, p))
	}
	l := listing[NetworkInsightsPath]{
		key:  func(p NetworkInsightsPath) string { return *p.NetworkInsightsPathId },
		tags: func(p NetworkInsightsPath) []Tag { return p.Tags },
		fields: fields[NetworkInsightsPath]{
			"destination": func(p NetworkInsightsPath) []string { return text(p.Destination) },
			"protocol":    func(p NetworkInsightsPath) []string { return text(p.Protocol) },
			"source":      func(p NetworkInsightsPath) []string { return text(p.Source) },
		},
		pages: smallPages(),
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeNetworkInsightsPathsOutput{NetworkInsightsPaths: page, NextToken: next}, nil
}

func insightsPathOutput(r state.Reader, p *resource.NetworkInsightsPath) NetworkInsightsPath {
	out := NetworkInsightsPath{
		NetworkInsightsPathId: new(string(p.ID)), NetworkInsightsPathArn: new(arn(r, "network-insights-path", string(p.ID))),
		CreatedDate: new(p.CreateTime), Source: new(p.Source), SourceArn: new(arn(r, insightsKind(p.Source), p.Source)),
		Protocol: new(p.Protocol), Tags: tagSet(p.Tags),
	}
	if p.Destination != "" {
		out.Destination, out.DestinationArn = new(p.Destination), new(arn(r, insightsKind(p.Destination), p.Destination))
	}
	if p.SourceIP.IsValid() {
		out.SourceIp = new(p.SourceIP.String())
	}
	if p.DestinationIP.IsValid() {
		out.DestinationIp = new(p.DestinationIP.String())
	}
	if p.Port != 0 {
		out.DestinationPort = new(int64(p.Port))
	}
	out.FilterAtSource, out.FilterAtDestination = insightsFilterOutput(p.AtSource), insightsFilterOutput(p.AtDestination)
	return out
}

// insightsKind is the resource type of an id, as ARNs name it.
func insightsKind(id string) string {
	prefix, _, _ := strings.Cut(id, "-")
	kinds := [][2]string{
		{"eni", "network-interface"}, {"i", "instance"}, {"igw", "internet-gateway"}, {"vpce", "vpc-endpoint"}, {"sg", "security-group"}, {"acl", "network-acl"},
		{"rtb", "route-table"}, {"nat", "natgateway"}, {"pcx", "vpc-peering-connection"}, {"vpc", "vpc"}, {"subnet", "subnet"}, {"pl", "prefix-list"},
	}
	if i := slices.IndexFunc(kinds, func(k [2]string) bool { return k[0] == prefix }); i >= 0 {
		return kinds[i][1]
	}
	return prefix
}
