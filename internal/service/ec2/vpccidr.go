package ec2

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) associateVPCCIDRBlock(tx *state.Tx, _ *api.Call, in *AssociateVpcCidrBlockInput) (*AssociateVpcCidrBlockOutput, error) {
	six, err := ipv6Wish{in.AmazonProvidedIpv6CidrBlock, in.Ipv6CidrBlock, in.Ipv6Pool, in.Ipv6IpamPoolId, in.Ipv6NetmaskLength, in.Ipv6CidrBlockNetworkBorderGroup}.checked(tx)
	if err != nil {
		return nil, err
	}
	if given(in.Ipv4IpamPoolId) || in.Ipv4NetmaskLength != nil {
		return nil, unsupported("IPAM pools are not supported in this region: give a CIDR block.")
	}
	old, err := find[*resource.VPC](tx, vpcnet.VPC, "vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	if six {
		if given(in.CidrBlock) {
			return nil, api.Errorf("InvalidParameterCombination", "The parameters cidrBlock and amazonProvidedIpv6CidrBlock cannot be used together.")
		}
		_, added, err := addIPv6Block(tx, old)
		if err != nil {
			return nil, err
		}
		return &AssociateVpcCidrBlockOutput{VpcId: new(string(old.ID)), Ipv6CidrBlockAssociation: new(ipv6BlockOutput(tx, added, "associating"))}, nil
	}
	block, err := parseCIDR("cidrBlock", in.CidrBlock)
	if err != nil {
		return nil, err
	}
	if err := checkAddedBlock(tx, old, block); err != nil {
		return nil, err
	}
	v := *old
	added := resource.VPCCIDR{AssociationID: tx.NewID("vpc-cidr-assoc"), Prefix: block}
	v.CIDRs = append(slices.Clone(old.CIDRs), added)
	tx.Put(&v)
	return &AssociateVpcCidrBlockOutput{
		VpcId:                new(string(v.ID)),
		CidrBlockAssociation: new(blockOutput(added, "associating")),
	}, nil
}

func checkAddedBlock(r state.Reader, v *resource.VPC, block netip.Prefix) error {
	if err := checkVPCBlock(block); err != nil {
		return err
	}
	if restrictedBeside(v.CIDR(), block) {
		return api.Errorf("InvalidVpc.Range", "The CIDR '%s' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, or use a publicly-routable CIDR. For additional restrictions, see https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Subnets.html#vpc-resize", block)
	}
	for _, c := range v.CIDRs {
		if c.Prefix.Overlaps(block) {
			return api.Errorf("InvalidVpc.Range", "The CIDR '%s' conflicts with the CIDR '%s' of the VPC.", block, c.Prefix)
		}
	}
	if peer := overlappingPeer(r, v.ID, block); peer != "" {
		return api.Errorf("InvalidVpc.Range", "The CIDR '%s' conflicts with a CIDR of %s, which is peered with the VPC.", block, peer)
	}
	// The local route of the new block must not cover a route that is there: see the VPC guide, "Manage IPv4
	// CIDR blocks for a VPC".
	for _, t := range state.Select(r, func(t *resource.RouteTable) bool { return t.VPCID == v.ID }) {
		for _, route := range t.Routes {
			if route.DestinationCIDR.IsValid() && within(route.DestinationCIDR, block) {
				return api.Errorf("InvalidVpc.Range", "The CIDR '%s' conflicts with the route %s in route table %s.", block, route.DestinationCIDR, t.ID)
			}
		}
	}
	if len(v.CIDRs) >= r.Quota(resource.QuotaBlocks) {
		return api.Errorf("CidrLimitExceeded", "This network '%s' has met its maximum number of allowed CIDRs: %d", v.ID, r.Quota(resource.QuotaBlocks))
	}
	return nil
}

func (s *ec2) disassociateVPCCIDRBlock(tx *state.Tx, _ *api.Call, in *DisassociateVpcCidrBlockInput) (*DisassociateVpcCidrBlockOutput, error) {
	if !given(in.AssociationId) {
		return nil, missing("associationId")
	}
	holds := func(c resource.VPCCIDR) bool { return c.AssociationID == *in.AssociationId }
	found := state.Select(tx, func(v *resource.VPC) bool { return slices.ContainsFunc(v.CIDRs, holds) })
	if len(found) == 0 {
		return dropIPv6Block(tx, *in.AssociationId)
	}
	v := *found[0]
	at := slices.IndexFunc(v.CIDRs, holds)
	block := v.CIDRs[at]
	if at == 0 {
		return nil, api.Errorf("OperationNotPermitted", "The vpc CIDR block with association ID %s may not be disassociated. It is the primary IPv4 CIDR block of the VPC", block.AssociationID)
	}
	if exists(tx, func(n *resource.Subnet) bool { return n.VPCID == v.ID && within(n.CIDR, block.Prefix) }) {
		return nil, api.Errorf("InvalidCidrBlock.InUse", "The vpc currently has a subnet within CIDR block %s", block.Prefix)
	}
	v.CIDRs = slices.Delete(slices.Clone(v.CIDRs), at, at+1)
	tx.Put(&v)
	return &DisassociateVpcCidrBlockOutput{
		VpcId:                new(string(v.ID)),
		CidrBlockAssociation: new(blockOutput(block, "disassociating")),
	}, nil
}
