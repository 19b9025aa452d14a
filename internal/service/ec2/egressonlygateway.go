package ec2

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) egressOnlyOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateEgressOnlyInternetGateway", s.createEgressOnlyGateway, on(func(in *CreateEgressOnlyInternetGatewayInput) refs {
			return refs{made(string(resource.KindEgressOnlyGateway)), vpcRef(in.VpcId)}
		})),
		service.Update("DeleteEgressOnlyInternetGateway", s.deleteEgressOnlyGateway, on(func(in *DeleteEgressOnlyInternetGatewayInput) refs {
			return refs{{string(resource.KindEgressOnlyGateway), in.EgressOnlyInternetGatewayId}}
		})),
		service.View("DescribeEgressOnlyInternetGateways", s.describeEgressOnlyGateways, service.OnAny()),
	}
}

func nounEgressOnlyGateway() vpcnet.Noun {
	return vpcnet.Noun{
		Prefix: "eigw", Malformed: "InvalidEgressOnlyInternetGatewayId.Malformed", NotFound: "InvalidGatewayID.NotFound",
		Text: "The gateway ID '%s' does not exist",
	}
}

func (s *ec2) createEgressOnlyGateway(tx *state.Tx, _ *api.Call, in *CreateEgressOnlyInternetGatewayInput) (*CreateEgressOnlyInternetGatewayOutput, error) {
	v, err := find[*resource.VPC](tx, vpcnet.VPC, "vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, resource.KindEgressOnlyGateway)
	if err != nil {
		return nil, err
	}
	input := *in
	input.ClientToken = nil
	token, err := newClientToken("CreateEgressOnlyInternetGateway", in.ClientToken, input)
	if err != nil {
		return nil, err
	}
	id, err := token.seen(tx)
	if err != nil {
		return nil, err
	}
	g, ok := state.Get[*resource.EgressOnlyGateway](tx, id)
	if !ok {
		if err := limitEgressOnlyGateways(tx); err != nil {
			return nil, err
		}
		if others := state.Select(tx, func(o *resource.EgressOnlyGateway) bool { return o.VPCID == v.ID }); len(others) > 0 {
			return nil, api.Errorf("InvalidParameterValue", "Network %s already has an egress-only internet gateway attached: %s", v.ID, others[0].ID)
		}
		g = &resource.EgressOnlyGateway{ID: resource.EgressOnlyGatewayID(tx.NewID("eigw")), VPCID: v.ID, Tags: tags}
		tx.Put(g)
		token.made(tx, g.Key())
	}
	return &CreateEgressOnlyInternetGatewayOutput{ClientToken: token.echo(), EgressOnlyInternetGateway: new(egressOnlyOutput(g))}, nil
}

// deleteEgressOnlyGateway deletes a gateway. Routes to it become black holes.
func (s *ec2) deleteEgressOnlyGateway(tx *state.Tx, _ *api.Call, in *DeleteEgressOnlyInternetGatewayInput) (*DeleteEgressOnlyInternetGatewayOutput, error) {
	g, err := find[*resource.EgressOnlyGateway](tx, nounEgressOnlyGateway(), "egressOnlyInternetGatewayId", in.EgressOnlyInternetGatewayId)
	if err != nil {
		return nil, err
	}
	forgetTokens(tx, g.Key())
	tx.Delete(g)
	return &DeleteEgressOnlyInternetGatewayOutput{ReturnCode: new(true)}, nil
}

// describeEgressOnlyGateways lists gateways. Unlike other calls it has nothing to say of an id that names none:
// what waits for a gateway to be gone relies on an empty answer.
func (s *ec2) describeEgressOnlyGateways(v *state.View, _ *api.Call, in *DescribeEgressOnlyInternetGatewaysInput) (*DescribeEgressOnlyInternetGatewaysOutput, error) {
	wanted := map[string]bool{}
	for _, id := range in.EgressOnlyInternetGatewayIds {
		if err := nounEgressOnlyGateway().Check(id); err != nil {
			return nil, err
		}
		wanted[id] = true
	}
	var all []EgressOnlyInternetGateway
	for _, g := range state.List[*resource.EgressOnlyGateway](v) {
		if len(wanted) == 0 || wanted[g.Key()] {
			all = append(all, egressOnlyOutput(g))
		}
	}
	l := listing[EgressOnlyInternetGateway]{
		key:   func(g EgressOnlyInternetGateway) string { return *g.EgressOnlyInternetGatewayId },
		tags:  func(g EgressOnlyInternetGateway) []Tag { return g.Tags },
		pages: pages{most: 255},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeEgressOnlyInternetGatewaysOutput{EgressOnlyInternetGateways: page, NextToken: next}, nil
}

func egressOnlyOutput(g *resource.EgressOnlyGateway) EgressOnlyInternetGateway {
	return EgressOnlyInternetGateway{
		Attachments:                 []InternetGatewayAttachment{{State: new("attached"), VpcId: new(string(g.VPCID))}},
		EgressOnlyInternetGatewayId: new(string(g.ID)),
		Tags:                        tagSet(g.Tags),
	}
}

// egressOnlyTarget finds the gateway that a route is to lead to.
func egressOnlyTarget(r state.Reader, t *resource.RouteTable, id string) (resource.RouteTarget, error) {
	g, err := vpcnet.Find[*resource.EgressOnlyGateway](r, nounEgressOnlyGateway(), id)
	if err != nil {
		return resource.RouteTarget{}, err
	}
	return resource.RouteTarget{EgressOnlyID: g.ID}, sameNetwork(t, g.VPCID, "egress-only internet gateway "+id)
}
