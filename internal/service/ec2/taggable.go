package ec2

import (
	"maps"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// taggable is one kind of resource that carries tags.
type taggable struct {
	noun vpcnet.Noun
	kind string
	// get returns a copy of the resource and its tags.
	get func(r state.Reader, id string) (state.Resource, *resource.Tags, error)
	all func(r state.Reader) []TagDescription
}

// taggables are the kinds that carry tags. Rules of security groups are apart: they are part of their group.
func taggables() []taggable {
	return []taggable{
		tagged(vpcnet.VPC, func(v *resource.VPC) *resource.Tags { return &v.Tags }),
		tagged(vpcnet.Subnet, func(s *resource.Subnet) *resource.Tags { return &s.Tags }),
		tagged(vpcnet.Group, func(g *resource.SecurityGroup) *resource.Tags { return &g.Tags }),
		tagged(vpcnet.ENI, func(n *resource.NetworkInterface) *resource.Tags { return &n.Tags }),
		tagged(nounRouteTable, func(t *resource.RouteTable) *resource.Tags { return &t.Tags }),
		tagged(nounNetworkACL, func(n *resource.NetworkACL) *resource.Tags { return &n.Tags }),
		tagged(nounInternetGateway, func(g *resource.InternetGateway) *resource.Tags { return &g.Tags }),
		tagged(nounNATGateway, func(n *resource.NATGateway) *resource.Tags { return &n.Tags }),
		tagged(nounAddress, func(a *resource.Address) *resource.Tags { return &a.Tags }),
		tagged(nounVPCEndpoint, func(e *resource.VPCEndpoint) *resource.Tags { return &e.Tags }),
		tagged(nounEndpointService(), func(s *resource.EndpointService) *resource.Tags { return &s.Tags }),
		tagged(nounPeering, func(p *resource.VPCPeeringConnection) *resource.Tags { return &p.Tags }),
		tagged(nounInsightsPath(), func(p *resource.NetworkInsightsPath) *resource.Tags { return &p.Tags }),
		tagged(nounAnalysis(), func(a *resource.NetworkInsightsAnalysis) *resource.Tags { return &a.Tags }),
		tagged(nounFlowLog(), func(f *resource.FlowLog) *resource.Tags { return &f.Tags }),
		tagged(nounPrefixList, func(p *resource.PrefixList) *resource.Tags { return &p.Tags }),
		tagged(nounReservation(), func(r *resource.SubnetReservation) *resource.Tags { return &r.Tags }),
		tagged(nounInstance, func(i *resource.Instance) *resource.Tags { return &i.Tags }),
		tagged(nounKeyPair, func(k *resource.KeyPair) *resource.Tags { return &k.Tags }),
		tagged(nounDHCPOptions, func(d *resource.DHCPOptions) *resource.Tags { return &d.Tags }),
	}
}

// tagged makes a taggable from the place of a resource's tags.
func tagged[R any, T interface {
	*R
	state.Resource
}](n vpcnet.Noun, tags func(T) *resource.Tags) taggable {
	var zero T
	kind := string(zero.Kind())
	return taggable{
		noun: n,
		kind: kind,
		get: func(r state.Reader, id string) (state.Resource, *resource.Tags, error) {
			old, err := vpcnet.Find[T](r, n, id)
			if err != nil {
				return nil, nil, err
			}
			c := T(new(*old))
			return c, tags(c), nil
		},
		all: func(r state.Reader) []TagDescription {
			var out []TagDescription
			for _, t := range state.List[T](r) {
				out = append(out, tagDescriptions(t.Key(), kind, *tags(t))...)
			}
			return out
		},
	}
}

func tagDescriptions(id, kind string, tags resource.Tags) []TagDescription {
	var out []TagDescription
	for _, t := range tagSet(tags) {
		out = append(out, TagDescription{ResourceId: new(id), ResourceType: new(kind), Key: t.Key, Value: t.Value})
	}
	return out
}

func allTags(r state.Reader) []TagDescription {
	var out []TagDescription
	for _, t := range taggables() {
		out = append(out, t.all(r)...)
	}
	for _, g := range state.List[*resource.SecurityGroup](r) {
		for _, rule := range g.Rules {
			out = append(out, tagDescriptions(string(rule.ID), kindRule, rule.Tags)...)
		}
	}
	return out
}

// retag changes the tags of resources of any kind.
func retag(tx *state.Tx, ids []string, change func(resource.Tags) error) error {
	for _, id := range ids {
		if err := retagOne(tx, id, change); err != nil {
			return err
		}
	}
	return nil
}

func retagOne(tx *state.Tx, id string, change func(resource.Tags) error) error {
	prefix := prefixOf(id)
	if prefix == nounRule.Prefix {
		return retagRule(tx, id, change)
	}
	for _, t := range taggables() {
		if t.noun.Prefix != prefix {
			continue
		}
		r, tags, err := t.get(tx, id)
		if err != nil {
			return err
		}
		if *tags, err = changed(*tags, change); err != nil {
			return err
		}
		tx.Put(r)
		return nil
	}
	return api.Errorf("InvalidID", "The ID '%s' is not valid", id)
}

// prefixOf is what an id begins with, up to the dash before its digits.
func prefixOf(id string) string {
	if i := strings.LastIndex(id, "-"); i >= 0 {
		return id[:i]
	}
	return id
}

func changed(old resource.Tags, change func(resource.Tags) error) (resource.Tags, error) {
	tags := maps.Clone(old)
	if tags == nil {
		tags = resource.Tags{}
	}
	return tags, change(tags)
}
