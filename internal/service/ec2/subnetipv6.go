package ec2

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// subnetIPv6Bits is the size of a subnet's block. AWS has larger ones too.
const subnetIPv6Bits = 64

func (s *ec2) subnetIPv6Operations() []service.Operation {
	return []service.Operation{
		service.Update("AssociateSubnetCidrBlock", s.associateSubnetCIDRBlock, on(func(in *AssociateSubnetCidrBlockInput) refs { return refs{subnetRef(in.SubnetId)} })),
		service.Update("DisassociateSubnetCidrBlock", s.disassociateSubnetCIDRBlock, onFound(func(r state.Reader, in *DisassociateSubnetCidrBlockInput) refs {
			if found := subnetOfBlock(r, in.AssociationId); found != nil {
				return refs{subnetRef(new(found.Key()))}
			}
			return refs{made("subnet")}
		})),
	}
}

// parseSubnetIPv6 reads a block that a subnet of a VPC may have.
func parseSubnetIPv6(r state.Reader, vpc resource.VPCID, text string) (netip.Prefix, error) {
	block, err := parseIPv6CIDR("ipv6CidrBlock", text)
	if err != nil {
		return block, err
	}
	v, ok := state.Get[*resource.VPC](r, vpc)
	if !ok || !slices.ContainsFunc(v.IPv6CIDRs, func(c resource.VPCCIDR) bool { return within(block, c.Prefix) }) || block.Bits() > subnetIPv6Bits || block.Bits()%4 != 0 {
		return block, api.Errorf("InvalidSubnet.Range", "The CIDR '%s' is invalid.", block)
	}
	if block.Bits() < subnetIPv6Bits {
		return block, unsupported("IPv6 CIDR blocks of subnets are of size /64 in this region.")
	}
	if exists(r, func(s *resource.Subnet) bool {
		return s.VPCID == vpc && s.IPv6CIDR.IsValid() && s.IPv6CIDR.Overlaps(block)
	}) {
		return block, api.Errorf("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", block)
	}
	return block, nil
}

// addSubnetIPv6 gives a new subnet the block that its creator wants, if any.
func addSubnetIPv6(tx *state.Tx, s *resource.Subnet, block *string) (err error) {
	if !given(block) {
		return nil
	}
	if s.IPv6CIDR, err = parseSubnetIPv6(tx, s.VPCID, *block); err != nil {
		return err
	}
	s.IPv6AssociationID = tx.NewID("subnet-cidr-assoc")
	return nil
}

func (s *ec2) associateSubnetCIDRBlock(tx *state.Tx, _ *api.Call, in *AssociateSubnetCidrBlockInput) (*AssociateSubnetCidrBlockOutput, error) {
	if given(in.Ipv6IpamPoolId) || in.Ipv6NetmaskLength != nil {
		return nil, unsupported("IPAM pools are not supported in this region: give a CIDR block.")
	}
	old, err := find[*resource.Subnet](tx, vpcnet.Subnet, "subnetId", in.SubnetId)
	if err != nil {
		return nil, err
	}
	if !given(in.Ipv6CidrBlock) {
		return nil, missing("ipv6CidrBlock")
	}
	if old.IPv6CIDR.IsValid() {
		return nil, api.Errorf("CidrLimitExceeded", "The subnet '%s' has met its maximum number of allowed IPv6 CIDRs: 1", old.ID)
	}
	subnet := *old
	if err := addSubnetIPv6(tx, &subnet, in.Ipv6CidrBlock); err != nil {
		return nil, err
	}
	tx.Put(&subnet)
	return &AssociateSubnetCidrBlockOutput{SubnetId: new(subnet.Key()), Ipv6CidrBlockAssociation: new(subnetIPv6Output(&subnet, "associating"))}, nil
}

// subnetOfBlock finds the subnet whose block an association is; nil if there is none.
func subnetOfBlock(r state.Reader, association *string) *resource.Subnet {
	found := state.Select(r, func(s *resource.Subnet) bool { return given(association) && s.IPv6AssociationID == *association })
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

func (s *ec2) disassociateSubnetCIDRBlock(tx *state.Tx, _ *api.Call, in *DisassociateSubnetCidrBlockInput) (*DisassociateSubnetCidrBlockOutput, error) {
	if !given(in.AssociationId) {
		return nil, missing("associationId")
	}
	old := subnetOfBlock(tx, in.AssociationId)
	if old == nil {
		return nil, api.Errorf("InvalidSubnetCidrBlockAssociationID.NotFound", "The subnet CIDR block association ID '%s' does not exist", *in.AssociationId)
	}
	if old.AssignIPv6AddressOnCreation {
		return nil, api.Errorf("InvalidCidrBlock.InUse", "The subnet IPv6 CIDR block with association ID %s may not be disassociated, because its subnet has assign-ipv6-address-on-creation set to true.", old.IPv6AssociationID)
	}
	if slices.ContainsFunc(vpcnet.Interfaces(tx, old.ID), func(n *resource.NetworkInterface) bool { return len(n.IPv6Addresses) > 0 }) {
		return nil, api.Errorf("InvalidCidrBlock.InUse", "The subnet IPv6 CIDR block with association ID %s may not be disassociated, because network interfaces have addresses of it.", old.IPv6AssociationID)
	}
	if slices.ContainsFunc(vpcnet.Reservations(tx, old.ID), func(r *resource.SubnetReservation) bool { return r.CIDR.Addr().Is6() }) {
		return nil, api.Errorf("InvalidCidrBlock.InUse", "The subnet IPv6 CIDR block with association ID %s may not be disassociated, because parts of it are reserved.", old.IPv6AssociationID)
	}
	subnet := *old
	subnet.IPv6CIDR, subnet.IPv6AssociationID = netip.Prefix{}, ""
	tx.Put(&subnet)
	return &DisassociateSubnetCidrBlockOutput{SubnetId: new(subnet.Key()), Ipv6CidrBlockAssociation: new(subnetIPv6Output(old, "disassociating"))}, nil
}

func subnetIPv6Output(s *resource.Subnet, state string) SubnetIpv6CidrBlockAssociation {
	return SubnetIpv6CidrBlockAssociation{
		AssociationId:      new(s.IPv6AssociationID),
		Ipv6CidrBlock:      new(s.IPv6CIDR.String()),
		Ipv6CidrBlockState: &SubnetCidrBlockState{State: new(state)},
	}
}

func subnetIPv6Blocks(s *resource.Subnet) []SubnetIpv6CidrBlockAssociation {
	if !s.IPv6CIDR.IsValid() {
		return []SubnetIpv6CidrBlockAssociation{}
	}
	return []SubnetIpv6CidrBlockAssociation{subnetIPv6Output(s, "associated")}
}
