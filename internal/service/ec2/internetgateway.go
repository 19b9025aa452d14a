package ec2

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) createInternetGateway(tx *state.Tx, _ *api.Call, in *CreateInternetGatewayInput) (*CreateInternetGatewayOutput, error) {
	tags, err := newTags(in.TagSpecifications, resource.KindInternetGateway)
	if err != nil {
		return nil, err
	}
	if err := limitInternetGateways(tx); err != nil {
		return nil, err
	}
	g := &resource.InternetGateway{ID: resource.InternetGatewayID(tx.NewID("igw")), Tags: tags}
	tx.Put(g)
	return &CreateInternetGatewayOutput{InternetGateway: new(internetGatewayOutput(tx, g))}, nil
}

func (s *ec2) deleteInternetGateway(tx *state.Tx, _ *api.Call, in *DeleteInternetGatewayInput) (*DeleteInternetGatewayOutput, error) {
	g, err := find[*resource.InternetGateway](tx, nounInternetGateway, "internetGatewayId", in.InternetGatewayId)
	if err != nil {
		return nil, err
	}
	if g.VPCID != "" {
		return nil, api.Errorf("DependencyViolation", "The internetGateway '%s' has dependencies and cannot be deleted.", g.ID)
	}
	tx.Delete(g)
	return &DeleteInternetGatewayOutput{}, nil
}

func (s *ec2) attachInternetGateway(tx *state.Tx, _ *api.Call, in *AttachInternetGatewayInput) (*AttachInternetGatewayOutput, error) {
	old, v, err := gatewayAndVPC(tx, in.InternetGatewayId, in.VpcId)
	if err != nil {
		return nil, err
	}
	if old.VPCID != "" {
		return nil, api.Errorf("Resource.AlreadyAssociated", "resource %s is already attached to network %s", old.ID, old.VPCID)
	}
	if other, ok := gatewayOf(tx, v.ID); ok {
		return nil, api.Errorf("InvalidParameterValue", "Network %s already has an internet gateway attached: %s", v.ID, other.ID)
	}
	g := *old
	g.VPCID = v.ID
	tx.Put(&g)
	return &AttachInternetGatewayOutput{}, nil
}

func gatewayAndVPC(r state.Reader, gateway, vpc *string) (*resource.InternetGateway, *resource.VPC, error) {
	g, err := find[*resource.InternetGateway](r, nounInternetGateway, "internetGatewayId", gateway)
	if err != nil {
		return nil, nil, err
	}
	v, err := find[*resource.VPC](r, vpcnet.VPC, "vpcId", vpc)
	return g, v, err
}

// gatewayOf finds the internet gateway of a VPC.
func gatewayOf(r state.Reader, vpc resource.VPCID) (*resource.InternetGateway, bool) {
	found := state.Select(r, func(g *resource.InternetGateway) bool { return g.VPCID == vpc })
	if len(found) == 0 {
		return nil, false
	}
	return found[0], true
}

func (s *ec2) detachInternetGateway(tx *state.Tx, _ *api.Call, in *DetachInternetGatewayInput) (*DetachInternetGatewayOutput, error) {
	old, v, err := gatewayAndVPC(tx, in.InternetGatewayId, in.VpcId)
	if err != nil {
		return nil, err
	}
	if old.VPCID != v.ID {
		return nil, api.Errorf("Gateway.NotAttached", "resource %s is not attached to network %s", old.ID, v.ID)
	}
	if hasPublicAddresses(tx, v.ID) {
		return nil, api.Errorf("DependencyViolation", "Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.", v.ID)
	}
	g := *old
	g.VPCID = ""
	tx.Put(&g)
	return &DetachInternetGatewayOutput{}, nil
}

func hasPublicAddresses(r state.Reader, vpc resource.VPCID) bool {
	return exists(r, func(a *resource.Address) bool {
		eni, ok := state.Get[*resource.NetworkInterface](r, a.NetworkInterfaceID)
		return ok && eni.VPCID == vpc
	})
}

func (s *ec2) describeInternetGateways(v *state.View, _ *api.Call, in *DescribeInternetGatewaysInput) (*DescribeInternetGatewaysOutput, error) {
	found, err := named[*resource.InternetGateway](v, nounInternetGateway, in.InternetGatewayIds)
	if err != nil {
		return nil, err
	}
	var all []InternetGateway
	for _, g := range found {
		all = append(all, internetGatewayOutput(v, g))
	}
	l := listing[InternetGateway]{
		key:  func(g InternetGateway) string { return *g.InternetGatewayId },
		tags: func(g InternetGateway) []Tag { return g.Tags },
		fields: fields[InternetGateway]{
			"attachment.state": func(g InternetGateway) []string {
				return each(g.Attachments, func(a InternetGatewayAttachment) *string { return a.State })
			},
			"attachment.vpc-id": func(g InternetGateway) []string {
				return each(g.Attachments, func(a InternetGatewayAttachment) *string { return a.VpcId })
			},
			"internet-gateway-id": func(g InternetGateway) []string { return text(g.InternetGatewayId) },
			"owner-id":            func(g InternetGateway) []string { return text(g.OwnerId) },
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeInternetGatewaysOutput{InternetGateways: page, NextToken: next}, nil
}

func internetGatewayOutput(r state.Reader, g *resource.InternetGateway) InternetGateway {
	out := InternetGateway{Attachments: []InternetGatewayAttachment{}, InternetGatewayId: new(string(g.ID)), OwnerId: new(r.Account()), Tags: tagSet(g.Tags)}
	if g.VPCID != "" {
		out.Attachments = []InternetGatewayAttachment{{State: new("available"), VpcId: new(string(g.VPCID))}}
	}
	return out
}
