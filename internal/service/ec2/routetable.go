package ec2

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) createRouteTable(tx *state.Tx, _ *api.Call, in *CreateRouteTableInput) (*CreateRouteTableOutput, error) {
	v, err := find[*resource.VPC](tx, vpcnet.VPC, "vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, resource.KindRouteTable)
	if err != nil {
		return nil, err
	}
	input := *in
	input.ClientToken = nil
	token, err := newClientToken("CreateRouteTable", in.ClientToken, input)
	if err != nil {
		return nil, err
	}
	id, err := token.seen(tx)
	if err != nil {
		return nil, err
	}
	t, ok := state.Get[*resource.RouteTable](tx, id)
	if !ok {
		if err := limitRouteTables(tx, v.ID); err != nil {
			return nil, err
		}
		t = &resource.RouteTable{ID: resource.RouteTableID(tx.NewID("rtb")), VPCID: v.ID, Tags: tags}
		tx.Put(t)
		token.made(tx, string(t.ID))
	}
	return &CreateRouteTableOutput{ClientToken: token.echo(), RouteTable: new(routeTableOutput(tx, t))}, nil
}

func (s *ec2) deleteRouteTable(tx *state.Tx, _ *api.Call, in *DeleteRouteTableInput) (*DeleteRouteTableOutput, error) {
	t, err := find[*resource.RouteTable](tx, nounRouteTable, "routeTableId", in.RouteTableId)
	if err != nil {
		return nil, err
	}
	if len(t.Associations) > 0 {
		return nil, api.Errorf("DependencyViolation", "The routeTable '%s' has dependencies and cannot be deleted.", t.ID)
	}
	// A gateway endpoint's route goes with the table.
	for _, e := range state.Select(tx, func(e *resource.VPCEndpoint) bool { return slices.Contains(e.RouteTableIDs, t.ID) }) {
		c := *e
		c.RouteTableIDs = slices.DeleteFunc(slices.Clone(e.RouteTableIDs), func(id resource.RouteTableID) bool { return id == t.ID })
		tx.Put(&c)
	}
	forgetTokens(tx, string(t.ID))
	tx.Delete(t)
	return &DeleteRouteTableOutput{}, nil
}

func (s *ec2) associateRouteTable(tx *state.Tx, _ *api.Call, in *AssociateRouteTableInput) (*AssociateRouteTableOutput, error) {
	if given(in.GatewayId) {
		return nil, unsupported("Route tables of gateways are not supported in this region.")
	}
	t, err := find[*resource.RouteTable](tx, nounRouteTable, "routeTableId", in.RouteTableId)
	if err != nil {
		return nil, err
	}
	subnet, err := find[*resource.Subnet](tx, vpcnet.Subnet, "subnetId", in.SubnetId)
	if err != nil {
		return nil, err
	}
	if t.VPCID != subnet.VPCID {
		return nil, api.Errorf("InvalidParameterValue", "Route table %s and subnet %s belong to different networks", t.ID, subnet.ID)
	}
	if old, at := association(tx, func(a resource.RouteTableAssociation) bool { return a.SubnetID == subnet.ID }); old != nil {
		if old.ID != t.ID {
			return nil, api.Errorf("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", t.ID)
		}
		return &AssociateRouteTableOutput{AssociationId: new(at.ID), AssociationState: associated()}, nil
	}
	a := resource.RouteTableAssociation{ID: tx.NewID("rtbassoc"), SubnetID: subnet.ID}
	addAssociation(tx, t, a)
	return &AssociateRouteTableOutput{AssociationId: new(a.ID), AssociationState: associated()}, nil
}

func associated() *RouteTableAssociationState {
	return &RouteTableAssociationState{State: new("associated")}
}

// association finds the table and the association for which is is true; nil if there is none.
func association(r state.Reader, is func(resource.RouteTableAssociation) bool) (*resource.RouteTable, resource.RouteTableAssociation) {
	for _, t := range state.List[*resource.RouteTable](r) {
		if i := slices.IndexFunc(t.Associations, is); i >= 0 {
			return t, t.Associations[i]
		}
	}
	return nil, resource.RouteTableAssociation{}
}

func findAssociation(r state.Reader, id *string) (*resource.RouteTable, resource.RouteTableAssociation, error) {
	if !given(id) {
		return nil, resource.RouteTableAssociation{}, missing("associationId")
	}
	t, a := association(r, func(a resource.RouteTableAssociation) bool { return a.ID == *id })
	if t == nil {
		return nil, a, api.Errorf("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", *id)
	}
	return t, a, nil
}

func addAssociation(tx *state.Tx, t *resource.RouteTable, a resource.RouteTableAssociation) {
	c := *t
	c.Associations = append(slices.Clone(t.Associations), a)
	tx.Put(&c)
}

func dropAssociation(tx *state.Tx, t *resource.RouteTable, is func(resource.RouteTableAssociation) bool) {
	if !slices.ContainsFunc(t.Associations, is) {
		return
	}
	c := *t
	c.Associations = slices.DeleteFunc(slices.Clone(t.Associations), is)
	tx.Put(&c)
}

func (s *ec2) disassociateRouteTable(tx *state.Tx, _ *api.Call, in *DisassociateRouteTableInput) (*DisassociateRouteTableOutput, error) {
	t, a, err := findAssociation(tx, in.AssociationId)
	if err != nil {
		return nil, err
	}
	if a.Main {
		return nil, api.Errorf("InvalidParameterValue", "cannot disassociate the main route table association %s", a.ID)
	}
	dropAssociation(tx, t, func(b resource.RouteTableAssociation) bool { return b.ID == a.ID })
	return &DisassociateRouteTableOutput{}, nil
}

// replaceRouteTableAssociation gives a subnet another table, or a VPC another main table.
func (s *ec2) replaceRouteTableAssociation(tx *state.Tx, _ *api.Call, in *ReplaceRouteTableAssociationInput) (*ReplaceRouteTableAssociationOutput, error) {
	from, a, err := findAssociation(tx, in.AssociationId)
	if err != nil {
		return nil, err
	}
	to, err := find[*resource.RouteTable](tx, nounRouteTable, "routeTableId", in.RouteTableId)
	if err != nil {
		return nil, err
	}
	if from.VPCID != to.VPCID {
		return nil, api.Errorf("InvalidParameterValue", "Route tables %s and %s belong to different networks", from.ID, to.ID)
	}
	if from.ID == to.ID {
		return &ReplaceRouteTableAssociationOutput{NewAssociationId: new(a.ID), AssociationState: associated()}, nil
	}
	dropAssociation(tx, from, func(b resource.RouteTableAssociation) bool { return b.ID == a.ID })
	a.ID = tx.NewID("rtbassoc")
	addAssociation(tx, to, a)
	return &ReplaceRouteTableAssociationOutput{NewAssociationId: new(a.ID), AssociationState: associated()}, nil
}

func (s *ec2) describeRouteTables(v *state.View, _ *api.Call, in *DescribeRouteTablesInput) (*DescribeRouteTablesOutput, error) {
	found, err := named[*resource.RouteTable](v, nounRouteTable, in.RouteTableIds)
	if err != nil {
		return nil, err
	}
	var all []RouteTable
	for _, t := range found {
		all = append(all, routeTableOutput(v, t))
	}
	page, next, err := routeTableListing().answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeRouteTablesOutput{RouteTables: page, NextToken: next}, nil
}

func routeTableListing() listing[RouteTable] {
	associations := func(of func(RouteTableAssociation) *string) func(RouteTable) []string {
		return func(t RouteTable) []string { return each(t.Associations, of) }
	}
	routes := func(of func(Route) *string) func(RouteTable) []string {
		return func(t RouteTable) []string { return each(t.Routes, of) }
	}
	f := fields[RouteTable]{
		"association.gateway-id":                 none[RouteTable],
		"association.route-table-association-id": associations(func(a RouteTableAssociation) *string { return a.RouteTableAssociationId }),
		"association.route-table-id":             associations(func(a RouteTableAssociation) *string { return a.RouteTableId }),
		"association.subnet-id":                  associations(func(a RouteTableAssociation) *string { return a.SubnetId }),
		"association.main": func(t RouteTable) []string {
			var out []string
			for _, a := range t.Associations {
				out = append(out, flag(a.Main)...)
			}
			return out
		},
		"owner-id":                         func(t RouteTable) []string { return text(t.OwnerId) },
		"route-table-id":                   func(t RouteTable) []string { return text(t.RouteTableId) },
		"route.destination-cidr-block":     routes(func(r Route) *string { return r.DestinationCidrBlock }),
		"route.destination-prefix-list-id": routes(func(r Route) *string { return r.DestinationPrefixListId }),
		"route.gateway-id":                 routes(func(r Route) *string { return r.GatewayId }),
		"route.nat-gateway-id":             routes(func(r Route) *string { return r.NatGatewayId }),
		"route.origin":                     routes(func(r Route) *string { return r.Origin }),
		"route.vpc-peering-connection-id":  routes(func(r Route) *string { return r.VpcPeeringConnectionId }),
		"route.state":                      routes(func(r Route) *string { return r.State }),
		"vpc-id":                           func(t RouteTable) []string { return text(t.VpcId) },
	}
	f["route.destination-ipv6-cidr-block"] = routes(func(r Route) *string { return r.DestinationIpv6CidrBlock })
	f["route.egress-only-internet-gateway-id"] = routes(func(r Route) *string { return r.EgressOnlyInternetGatewayId })
	for _, never := range []string{"route.instance-id", "route.transit-gateway-id"} {
		f[never] = none[RouteTable]
	}
	return listing[RouteTable]{
		key:    func(t RouteTable) string { return *t.RouteTableId },
		tags:   func(t RouteTable) []Tag { return t.Tags },
		fields: f,
		pages:  pages{most: 100},
	}
}

func routeTableOutput(r state.Reader, t *resource.RouteTable) RouteTable {
	out := RouteTable{
		Associations:    []RouteTableAssociation{},
		PropagatingVgws: []PropagatingVgw{},
		OwnerId:         new(r.Account()),
		RouteTableId:    new(string(t.ID)),
		Routes:          routesOutput(r, t),
		Tags:            tagSet(t.Tags),
		VpcId:           new(string(t.VPCID)),
	}
	for _, a := range t.Associations {
		o := RouteTableAssociation{
			AssociationState:        associated(),
			Main:                    new(a.Main),
			RouteTableAssociationId: new(a.ID),
			RouteTableId:            new(string(t.ID)),
		}
		if a.SubnetID != "" {
			o.SubnetId = new(string(a.SubnetID))
		}
		out.Associations = append(out.Associations, o)
	}
	return out
}
