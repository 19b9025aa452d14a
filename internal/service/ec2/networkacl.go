package ec2

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) createNetworkACL(tx *state.Tx, _ *api.Call, in *CreateNetworkAclInput) (*CreateNetworkAclOutput, error) {
	v, err := find[*resource.VPC](tx, vpcnet.VPC, "vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, resource.KindNetworkACL)
	if err != nil {
		return nil, err
	}
	input := *in
	input.ClientToken = nil
	token, err := newClientToken("CreateNetworkAcl", in.ClientToken, input)
	if err != nil {
		return nil, err
	}
	id, err := token.seen(tx)
	if err != nil {
		return nil, err
	}
	n, ok := state.Get[*resource.NetworkACL](tx, id)
	if !ok {
		if err := limitNetworkACLs(tx, v.ID); err != nil {
			return nil, err
		}
		n = &resource.NetworkACL{ID: resource.NetworkACLID(tx.NewID("acl")), VPCID: v.ID, Tags: tags}
		tx.Put(n)
		token.made(tx, string(n.ID))
	}
	return &CreateNetworkAclOutput{ClientToken: token.echo(), NetworkAcl: new(networkACLOutput(tx, n))}, nil
}

func (s *ec2) deleteNetworkACL(tx *state.Tx, _ *api.Call, in *DeleteNetworkAclInput) (*DeleteNetworkAclOutput, error) {
	n, err := find[*resource.NetworkACL](tx, nounNetworkACL, "networkAclId", in.NetworkAclId)
	if err != nil {
		return nil, err
	}
	if n.IsDefault {
		return nil, api.Errorf("InvalidParameterValue", "Cannot delete default network ACL %s", n.ID)
	}
	if exists(tx, func(s *resource.Subnet) bool { return s.NetworkACLID == n.ID }) {
		return nil, api.Errorf("DependencyViolation", "The networkAcl '%s' has dependencies and cannot be deleted.", n.ID)
	}
	forgetTokens(tx, string(n.ID))
	tx.Delete(n)
	return &DeleteNetworkAclOutput{}, nil
}

// defaultACL finds a VPC's default network ACL. It is made and deleted with the VPC.
func defaultACL(r state.Reader, vpc resource.VPCID) *resource.NetworkACL {
	found := state.Select(r, func(n *resource.NetworkACL) bool { return n.VPCID == vpc && n.IsDefault })
	return found[0]
}

func (s *ec2) replaceNetworkACLAssociation(tx *state.Tx, _ *api.Call, in *ReplaceNetworkAclAssociationInput) (*ReplaceNetworkAclAssociationOutput, error) {
	if !given(in.AssociationId) {
		return nil, missing("associationId")
	}
	n, err := find[*resource.NetworkACL](tx, nounNetworkACL, "networkAclId", in.NetworkAclId)
	if err != nil {
		return nil, err
	}
	found := state.Select(tx, func(s *resource.Subnet) bool { return s.NetworkACLAssociationID == *in.AssociationId })
	if len(found) == 0 {
		return nil, api.Errorf("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", *in.AssociationId)
	}
	subnet := *found[0]
	if subnet.VPCID != n.VPCID {
		return nil, api.Errorf("InvalidParameterValue", "Network ACL %s and subnet %s belong to different networks", n.ID, subnet.ID)
	}
	subnet.NetworkACLID = n.ID
	subnet.NetworkACLAssociationID = tx.NewID("aclassoc")
	tx.Put(&subnet)
	return &ReplaceNetworkAclAssociationOutput{NewAssociationId: new(subnet.NetworkACLAssociationID)}, nil
}

func (s *ec2) describeNetworkACLs(v *state.View, _ *api.Call, in *DescribeNetworkAclsInput) (*DescribeNetworkAclsOutput, error) {
	found, err := named[*resource.NetworkACL](v, nounNetworkACL, in.NetworkAclIds)
	if err != nil {
		return nil, err
	}
	var all []NetworkAcl
	for _, n := range found {
		all = append(all, networkACLOutput(v, n))
	}
	page, next, err := networkACLListing().answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeNetworkAclsOutput{NetworkAcls: page, NextToken: next}, nil
}

func networkACLListing() listing[NetworkAcl] {
	associations := func(of func(NetworkAclAssociation) *string) func(NetworkAcl) []string {
		return func(n NetworkAcl) []string { return each(n.Associations, of) }
	}
	entries := func(of func(NetworkAclEntry) []string) func(NetworkAcl) []string {
		return func(n NetworkAcl) []string {
			var out []string
			for _, e := range n.Entries {
				out = append(out, of(e)...)
			}
			return out
		}
	}
	return listing[NetworkAcl]{
		key:  func(n NetworkAcl) string { return *n.NetworkAclId },
		tags: func(n NetworkAcl) []Tag { return n.Tags },
		fields: fields[NetworkAcl]{
			"association.association-id": associations(func(a NetworkAclAssociation) *string { return a.NetworkAclAssociationId }),
			"association.network-acl-id": associations(func(a NetworkAclAssociation) *string { return a.NetworkAclId }),
			"association.subnet-id":      associations(func(a NetworkAclAssociation) *string { return a.SubnetId }),
			"default":                    func(n NetworkAcl) []string { return flag(n.IsDefault) },
			"entry.cidr":                 entries(func(e NetworkAclEntry) []string { return text(e.CidrBlock) }),
			"entry.ipv6-cidr":            entries(func(e NetworkAclEntry) []string { return text(e.Ipv6CidrBlock) }),
			"entry.egress":               entries(func(e NetworkAclEntry) []string { return flag(e.Egress) }),
			"entry.protocol":             entries(func(e NetworkAclEntry) []string { return text(e.Protocol) }),
			"entry.rule-action":          entries(func(e NetworkAclEntry) []string { return text(e.RuleAction) }),
			"entry.rule-number":          entries(func(e NetworkAclEntry) []string { return number(e.RuleNumber) }),
			"entry.port-range.from": entries(func(e NetworkAclEntry) []string {
				return number(value(e.PortRange).From)
			}),
			"entry.port-range.to": entries(func(e NetworkAclEntry) []string { return number(value(e.PortRange).To) }),
			"entry.icmp.code":     entries(func(e NetworkAclEntry) []string { return number(value(e.IcmpTypeCode).Code) }),
			"entry.icmp.type":     entries(func(e NetworkAclEntry) []string { return number(value(e.IcmpTypeCode).Type) }),
			"network-acl-id":      func(n NetworkAcl) []string { return text(n.NetworkAclId) },
			"owner-id":            func(n NetworkAcl) []string { return text(n.OwnerId) },
			"vpc-id":              func(n NetworkAcl) []string { return text(n.VpcId) },
		},
	}
}

func networkACLOutput(r state.Reader, n *resource.NetworkACL) NetworkAcl {
	out := NetworkAcl{
		Associations: []NetworkAclAssociation{},
		Entries:      entriesOutput(r, n),
		IsDefault:    new(n.IsDefault),
		NetworkAclId: new(string(n.ID)),
		OwnerId:      new(r.Account()),
		Tags:         tagSet(n.Tags),
		VpcId:        new(string(n.VPCID)),
	}
	for _, s := range state.Select(r, func(s *resource.Subnet) bool { return s.NetworkACLID == n.ID }) {
		out.Associations = append(out.Associations, NetworkAclAssociation{
			NetworkAclAssociationId: new(s.NetworkACLAssociationID),
			NetworkAclId:            new(string(n.ID)),
			SubnetId:                new(string(s.ID)),
		})
	}
	return out
}
