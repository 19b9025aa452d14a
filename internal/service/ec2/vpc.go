package ec2

import (
	"net/netip"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) createVPC(tx *state.Tx, _ *api.Call, in *CreateVpcInput) (*CreateVpcOutput, error) {
	if err := refuseVPCOptions(in); err != nil {
		return nil, err
	}
	block, err := parseCIDR("cidrBlock", in.CidrBlock)
	if err != nil {
		return nil, err
	}
	if err := checkVPCBlock(block); err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, resource.KindVPC)
	if err != nil {
		return nil, err
	}
	if err := Bootstrap(tx); err != nil {
		return nil, err
	}
	if err := limitVPCs(tx); err != nil {
		return nil, err
	}
	v := &resource.VPC{
		ID:               resource.VPCID(tx.NewID("vpc")),
		CIDRs:            []resource.VPCCIDR{{AssociationID: tx.NewID("vpc-cidr-assoc"), Prefix: block}},
		DHCPOptionsID:    defaultDHCPOptionsID(tx),
		InstanceTenancy:  "default",
		EnableDNSSupport: true,
		Tags:             tags,
	}
	tx.Put(v)
	tx.Put(mainRouteTable(tx, v.ID))
	tx.Put(defaultNetworkACL(tx, v.ID))
	tx.Put(defaultGroup(tx, v.ID))
	out := vpcOutput(tx, v)
	out.State = new("pending") // AWS answers so, and available ever after
	out.Ipv6CidrBlockAssociationSet = []VpcIpv6CidrBlockAssociation{}
	return &CreateVpcOutput{Vpc: &out}, nil
}

func refuseVPCOptions(in *CreateVpcInput) error {
	if value(in.AmazonProvidedIpv6CidrBlock) || given(in.Ipv6CidrBlock) || given(in.Ipv6Pool) || given(in.Ipv6IpamPoolId) || in.Ipv6NetmaskLength != nil {
		return unsupported("IPv6 CIDR blocks are not supported in this region: packets are IPv4 only.")
	}
	if given(in.Ipv4IpamPoolId) || in.Ipv4NetmaskLength != nil {
		return unsupported("IPAM pools are not supported in this region: give a CIDR block.")
	}
	switch value(in.InstanceTenancy) {
	case "", "default":
		return nil
	case "dedicated", "host":
		return unsupported("The tenancy %s is not supported in this region.", *in.InstanceTenancy)
	}
	return invalidValue("instanceTenancy", *in.InstanceTenancy)
}

func mainRouteTable(tx *state.Tx, vpc resource.VPCID) *resource.RouteTable {
	return &resource.RouteTable{
		ID:           resource.RouteTableID(tx.NewID("rtb")),
		VPCID:        vpc,
		Associations: []resource.RouteTableAssociation{{ID: tx.NewID("rtbassoc"), Main: true}},
	}
}

// defaultNetworkACL allows everything.
func defaultNetworkACL(tx *state.Tx, vpc resource.VPCID) *resource.NetworkACL {
	all := netip.MustParsePrefix("0.0.0.0/0")
	entry := func(egress bool) resource.NetworkACLEntry {
		return resource.NetworkACLEntry{RuleNumber: 100, Egress: egress, Protocol: resource.AllProtocols, Allow: true, CIDR: all}
	}
	return &resource.NetworkACL{
		ID:        resource.NetworkACLID(tx.NewID("acl")),
		VPCID:     vpc,
		IsDefault: true,
		Entries:   []resource.NetworkACLEntry{entry(false), entry(true)},
	}
}

// defaultGroup lets its members talk to each other, and out.
func defaultGroup(tx *state.Tx, vpc resource.VPCID) *resource.SecurityGroup {
	id := resource.SecurityGroupID(tx.NewID("sg"))
	in := allTraffic(tx)
	in.GroupID = id
	return &resource.SecurityGroup{
		ID:          id,
		VPCID:       vpc,
		Name:        vpcnet.DefaultGroupName,
		Description: "default VPC security group",
		Rules:       []resource.SecurityGroupRule{in, openEgress(tx)},
	}
}

func (s *ec2) deleteVPC(tx *state.Tx, _ *api.Call, in *DeleteVpcInput) (*DeleteVpcOutput, error) {
	v, err := find[*resource.VPC](tx, vpcnet.VPC, "vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	if vpcInUse(tx, v.ID) {
		return nil, api.Errorf("DependencyViolation", "The vpc '%s' has dependencies and cannot be deleted.", v.ID)
	}
	// What is left of the VPC's own was made with it and goes with it.
	for _, g := range state.Select(tx, func(g *resource.SecurityGroup) bool { return g.VPCID == v.ID }) {
		tx.Delete(g)
	}
	for _, n := range state.Select(tx, func(n *resource.NetworkACL) bool { return n.VPCID == v.ID }) {
		forgetTokens(tx, n.Key())
		tx.Delete(n)
	}
	for _, t := range state.Select(tx, func(t *resource.RouteTable) bool { return t.VPCID == v.ID }) {
		forgetTokens(tx, t.Key())
		tx.Delete(t)
	}
	for _, n := range state.Select(tx, func(n *resource.NATGateway) bool { return n.VPCID == v.ID }) {
		deleteNATGatewayRecord(tx, n)
	}
	vpcnet.ForgetFlowLogs(tx, v.Key())
	tx.Delete(v)
	return &DeleteVpcOutput{}, nil
}

// vpcInUse reports whether anything but the default group, the default network ACL and the main route table is in
// the VPC. Interfaces and NAT gateways need no look: they are in subnets.
func vpcInUse(r state.Reader, id resource.VPCID) bool {
	return exists(r, func(s *resource.Subnet) bool { return s.VPCID == id }) ||
		exists(r, func(g *resource.InternetGateway) bool { return g.VPCID == id }) ||
		exists(r, func(e *resource.VPCEndpoint) bool { return e.VPCID == id }) ||
		exists(r, func(p *resource.VPCPeeringConnection) bool { return p.Alive() && joins(p, id) }) ||
		exists(r, func(g *resource.SecurityGroup) bool { return g.VPCID == id && g.Name != vpcnet.DefaultGroupName }) ||
		exists(r, func(n *resource.NetworkACL) bool { return n.VPCID == id && !n.IsDefault }) ||
		exists(r, func(t *resource.RouteTable) bool { return t.VPCID == id && !t.Main() })
}

// exists reports whether there is a resource with a property.
func exists[T state.Resource](r state.Reader, is func(T) bool) bool {
	return len(state.Select(r, is)) > 0
}

func (s *ec2) describeVPCs(v *state.View, _ *api.Call, in *DescribeVpcsInput) (*DescribeVpcsOutput, error) {
	found, err := named[*resource.VPC](v, vpcnet.VPC, in.VpcIds)
	if err != nil {
		return nil, err
	}
	var all []Vpc
	for _, vpc := range found {
		all = append(all, vpcOutput(v, vpc))
	}
	page, next, err := vpcListing().answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeVpcsOutput{Vpcs: page, NextToken: next}, nil
}

func vpcListing() listing[Vpc] {
	blocks := func(of func(VpcCidrBlockAssociation) *string) func(Vpc) []string {
		return func(v Vpc) []string { return each(v.CidrBlockAssociationSet, of) }
	}
	return listing[Vpc]{
		key:  func(v Vpc) string { return *v.VpcId },
		tags: func(v Vpc) []Tag { return v.Tags },
		fields: fields[Vpc]{
			"cidr":                                  func(v Vpc) []string { return text(v.CidrBlock) },
			"cidrBlock":                             func(v Vpc) []string { return text(v.CidrBlock) },
			"cidr-block-association.cidr-block":     blocks(func(a VpcCidrBlockAssociation) *string { return a.CidrBlock }),
			"cidr-block-association.state":          blocks(func(a VpcCidrBlockAssociation) *string { return a.CidrBlockState.State }),
			"dhcp-options-id":                       func(v Vpc) []string { return text(v.DhcpOptionsId) },
			"cidr-block-association.association-id": blocks(func(a VpcCidrBlockAssociation) *string { return a.AssociationId }),
			"is-default":                            func(v Vpc) []string { return flag(v.IsDefault) },
			"isDefault":                             func(v Vpc) []string { return flag(v.IsDefault) },
			"owner-id":                              func(v Vpc) []string { return text(v.OwnerId) },
			"state":                                 func(v Vpc) []string { return text(v.State) },
			"vpc-id":                                func(v Vpc) []string { return text(v.VpcId) },
			"ipv6-cidr-block-association.ipv6-cidr-block": none[Vpc],
			"ipv6-cidr-block-association.state":           none[Vpc],

			"ipv6-cidr-block-association.association-id": none[Vpc],
			"ipv6-cidr-block-association.ipv6-pool":      none[Vpc],
		},
	}
}

// none is the field of what this region never has.
func none[T any](T) []string { return nil }

func vpcOutput(r state.Reader, v *resource.VPC) Vpc {
	var blocks []VpcCidrBlockAssociation
	for _, c := range v.CIDRs {
		blocks = append(blocks, blockOutput(c, "associated"))
	}
	return Vpc{
		CidrBlock:               new(v.CIDR().String()),
		CidrBlockAssociationSet: blocks,
		DhcpOptionsId:           new(string(v.DHCPOptionsID)),
		InstanceTenancy:         new(v.InstanceTenancy),
		IsDefault:               new(v.IsDefault),
		OwnerId:                 new(r.Account()),
		State:                   new("available"),
		Tags:                    tagSet(v.Tags),
		VpcId:                   new(string(v.ID)),
	}
}

func blockOutput(c resource.VPCCIDR, state string) VpcCidrBlockAssociation {
	return VpcCidrBlockAssociation{
		AssociationId:  new(c.AssociationID),
		CidrBlock:      new(c.Prefix.String()),
		CidrBlockState: &VpcCidrBlockState{State: new(state)},
	}
}

// timestamp is a time for an answer; nothing for the zero time.
func timestamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
