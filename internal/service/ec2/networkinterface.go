package ec2

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// maxPrivateAddresses is how many addresses an interface may have: AWS's limit for its largest instances.
const maxPrivateAddresses = 50

func (s *ec2) createNetworkInterface(tx *state.Tx, _ *api.Call, in *CreateNetworkInterfaceInput) (*CreateNetworkInterfaceOutput, error) {
	if err := refuseInterfaceOptions(in); err != nil {
		return nil, err
	}
	subnet, err := find[*resource.Subnet](tx, vpcnet.Subnet, "subnetId", in.SubnetId)
	if err != nil {
		return nil, err
	}
	addresses, err := interfaceAddresses(in)
	if err != nil {
		return nil, err
	}
	six, count, err := parseIPv6Wish(ipv6Texts(in.Ipv6Addresses), in.Ipv6AddressCount)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, resource.KindNetworkInterface)
	if err != nil {
		return nil, err
	}
	input := *in
	input.ClientToken = nil
	token, err := newClientToken("CreateNetworkInterface", in.ClientToken, input)
	if err != nil {
		return nil, err
	}
	id, err := token.seen(tx)
	if err != nil {
		return nil, err
	}
	eni, ok := state.Get[*resource.NetworkInterface](tx, id)
	if !ok {
		eni, err = vpcnet.CreateInterface(tx, vpcnet.InterfaceSpec{
			SubnetID:      subnet.ID,
			Type:          resource.InterfaceTypeInterface,
			Description:   value(in.Description),
			GroupIDs:      idsOf[resource.SecurityGroupID](in.Groups),
			Addresses:     addresses,
			Secondary:     int(value(in.SecondaryPrivateIpAddressCount)),
			IPv6Addresses: six,
			IPv6Count:     count,
			Tags:          tags,
		})
		if err != nil {
			return nil, err
		}
		token.made(tx, string(eni.ID))
	}
	return &CreateNetworkInterfaceOutput{ClientToken: token.echo(), NetworkInterface: new(interfaceOutput(tx, eni))}, nil
}

func refuseInterfaceOptions(in *CreateNetworkInterfaceInput) error {
	if err := refuseIPv6Prefixes(value(in.Ipv6PrefixCount) > 0 || len(in.Ipv6Prefixes) > 0); err != nil {
		return err
	}
	if value(in.EnablePrimaryIpv6) {
		return unsupported("An interface has no primary IPv6 address in this region.")
	}
	if value(in.Ipv4PrefixCount) > 0 || len(in.Ipv4Prefixes) > 0 || in.ConnectionTrackingSpecification != nil {
		return unsupported("Delegated prefixes and connection tracking settings of interfaces are not supported in this region.")
	}
	if given(in.InterfaceType) && *in.InterfaceType != resource.InterfaceTypeInterface {
		return unsupported("Interfaces of type %s cannot be made in this region.", *in.InterfaceType)
	}
	if n := value(in.SecondaryPrivateIpAddressCount); n < 0 || n > int64(maxPrivateAddresses-max(1, len(in.PrivateIpAddresses))) {
		return api.Errorf("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.")
	}
	if len(value(in.Description)) > 255 {
		return api.Errorf("InvalidParameterValue", "Invalid value for parameter description: it is longer than 255 characters.")
	}
	return nil
}

// interfaceAddresses reads the wanted addresses, the primary one first.
func interfaceAddresses(in *CreateNetworkInterfaceInput) ([]netip.Addr, error) {
	if given(in.PrivateIpAddress) && len(in.PrivateIpAddresses) > 0 {
		return nil, api.Errorf("InvalidParameterCombination", "The parameters privateIpAddress and privateIpAddresses cannot be used together.")
	}
	if given(in.PrivateIpAddress) {
		a, err := parseAddress("privateIpAddress", *in.PrivateIpAddress)
		return []netip.Addr{a}, err
	}
	var out []netip.Addr
	primaries := 0
	for _, p := range in.PrivateIpAddresses {
		a, err := parseAddress("privateIpAddress", value(p.PrivateIpAddress))
		if err != nil {
			return nil, err
		}
		if value(p.Primary) {
			primaries++
			out = slices.Insert(out, 0, a)
		} else {
			out = append(out, a)
		}
	}
	if primaries > 1 || len(out) > 1 && primaries == 0 {
		return nil, api.Errorf("InvalidParameterValue", "Exactly one of the private IP addresses must be the primary one.")
	}
	return out, nil
}

func (s *ec2) deleteNetworkInterface(tx *state.Tx, _ *api.Call, in *DeleteNetworkInterfaceInput) (*DeleteNetworkInterfaceOutput, error) {
	eni, err := find[*resource.NetworkInterface](tx, vpcnet.ENI, "networkInterfaceId", in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	if err := mayManage(eni); err != nil {
		return nil, err
	}
	if eni.Attachment != nil {
		return nil, api.Errorf("InvalidParameterValue", "Network interface '%s' is currently in use.", eni.ID)
	}
	vpcnet.DeleteInterface(tx, eni.ID)
	forgetTokens(tx, string(eni.ID))
	return &DeleteNetworkInterfaceOutput{}, nil
}

// mayManage refuses to touch the interfaces of endpoints and NAT gateways.
func mayManage(eni *resource.NetworkInterface) error {
	if eni.RequesterManaged {
		return notYours()
	}
	return nil
}

func notYours() error {
	return api.Errorf("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.")
}

func (s *ec2) modifyNetworkInterfaceAttribute(tx *state.Tx, _ *api.Call, in *ModifyNetworkInterfaceAttributeInput) (*ModifyNetworkInterfaceAttributeOutput, error) {
	old, err := userInterface(tx, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	if in.ConnectionTrackingSpecification != nil || in.EnaSrdSpecification != nil || in.EnablePrimaryIpv6 != nil || in.AssociatePublicIpAddress != nil {
		return nil, unsupported("Only groups, the source/destination check, the description and the attachment of an interface can be changed in this region.")
	}
	eni := *old
	set := 0
	if len(in.Groups) > 0 {
		groups, err := vpcnet.FindGroups(tx, old.VPCID, in.Groups)
		if err != nil {
			return nil, err
		}
		eni.GroupIDs = nil
		for _, g := range groups {
			eni.GroupIDs = append(eni.GroupIDs, g.ID)
		}
		set++
	}
	if in.SourceDestCheck != nil && in.SourceDestCheck.Value != nil {
		eni.SourceDestCheck = *in.SourceDestCheck.Value
		set++
	}
	if in.Attachment != nil {
		if err := changeAttachment(&eni, in.Attachment); err != nil {
			return nil, err
		}
		set++
	}
	if in.Description != nil {
		eni.Description = value(in.Description.Value)
		set++
	}
	if err := oneAttribute(set); err != nil {
		return nil, err
	}
	tx.Put(&eni)
	return &ModifyNetworkInterfaceAttributeOutput{}, nil
}

// changeAttachment says whether an interface goes with its instance.
func changeAttachment(eni *resource.NetworkInterface, in *NetworkInterfaceAttachmentChanges) error {
	if !given(in.AttachmentId) {
		return missing("attachmentId")
	}
	if eni.Attachment == nil || eni.Attachment.ID != *in.AttachmentId {
		return api.Errorf("InvalidAttachmentID.NotFound", "The attachment ID '%s' does not exist", *in.AttachmentId)
	}
	if in.DeleteOnTermination == nil {
		return missing("deleteOnTermination")
	}
	a := *eni.Attachment
	a.DeleteOnTermination = *in.DeleteOnTermination
	eni.Attachment = &a
	return nil
}

// resetNetworkInterfaceAttribute turns the source/destination check on again, which is all that can be reset.
func (s *ec2) resetNetworkInterfaceAttribute(tx *state.Tx, _ *api.Call, in *ResetNetworkInterfaceAttributeInput) (*ResetNetworkInterfaceAttributeOutput, error) {
	old, err := userInterface(tx, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	if in.SourceDestCheck == nil {
		return nil, missing("sourceDestCheck")
	}
	eni := *old
	eni.SourceDestCheck = true
	tx.Put(&eni)
	return &ResetNetworkInterfaceAttributeOutput{}, nil
}

func (s *ec2) describeNetworkInterfaceAttribute(v *state.View, _ *api.Call, in *DescribeNetworkInterfaceAttributeInput) (*DescribeNetworkInterfaceAttributeOutput, error) {
	eni, err := find[*resource.NetworkInterface](v, vpcnet.ENI, "networkInterfaceId", in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	out := &DescribeNetworkInterfaceAttributeOutput{NetworkInterfaceId: new(string(eni.ID))}
	switch value(in.Attribute) {
	case "":
		return nil, missing("attribute")
	case "attachment":
		out.Attachment = attachmentOutput(eni)
	case "description":
		out.Description = &AttributeValue{Value: new(eni.Description)}
	case "groupSet":
		out.Groups = groupIdentifiers(v, eni.GroupIDs)
	case "sourceDestCheck":
		out.SourceDestCheck = &AttributeBooleanValue{Value: new(eni.SourceDestCheck)}
	default:
		return nil, invalidValue("attribute", *in.Attribute)
	}
	return out, nil
}
