package ec2

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) describeAddresses(v *state.View, _ *api.Call, in *DescribeAddressesInput) (*DescribeAddressesOutput, error) {
	found, err := named[*resource.Address](v, nounAddress, in.AllocationIds)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(a *resource.Address) bool { return a.AutoAssigned })
	for _, ip := range in.PublicIps {
		if _, err := findAddress(v, nil, &ip); err != nil {
			return nil, err
		}
	}
	var all []Address
	for _, a := range found {
		if len(in.PublicIps) == 0 || slices.Contains(in.PublicIps, a.PublicIP.String()) {
			all = append(all, addressOutput(v, a))
		}
	}
	page, _, err := addressListing().answer(all, in.Filters, nil, nil)
	if err != nil {
		return nil, err
	}
	return &DescribeAddressesOutput{Addresses: page}, nil
}

func addressListing() listing[Address] {
	return listing[Address]{
		key:  func(a Address) string { return *a.AllocationId },
		tags: func(a Address) []Tag { return a.Tags },
		fields: fields[Address]{
			"allocation-id":              func(a Address) []string { return text(a.AllocationId) },
			"association-id":             func(a Address) []string { return text(a.AssociationId) },
			"domain":                     func(a Address) []string { return text(a.Domain) },
			"instance-id":                func(a Address) []string { return text(a.InstanceId) },
			"network-border-group":       func(a Address) []string { return text(a.NetworkBorderGroup) },
			"network-interface-id":       func(a Address) []string { return text(a.NetworkInterfaceId) },
			"network-interface-owner-id": func(a Address) []string { return text(a.NetworkInterfaceOwnerId) },
			"private-ip-address":         func(a Address) []string { return text(a.PrivateIpAddress) },
			"public-ip":                  func(a Address) []string { return text(a.PublicIp) },
		},
	}
}

func addressOutput(r state.Reader, a *resource.Address) Address {
	out := Address{
		AllocationId:       new(string(a.AllocationID)),
		Domain:             new("vpc"),
		NetworkBorderGroup: new(r.Region()),
		PublicIp:           new(a.PublicIP.String()),
		PublicIpv4Pool:     new("amazon"),
		Tags:               tagSet(a.Tags),
	}
	if a.AssociationID != "" {
		out.AssociationId = new(a.AssociationID)
		out.NetworkInterfaceId = new(string(a.NetworkInterfaceID))
		out.NetworkInterfaceOwnerId = new(r.Account())
		if eni, ok := state.Get[*resource.NetworkInterface](r, a.NetworkInterfaceID); ok && eni.Attachment != nil && eni.Attachment.InstanceID != "" {
			out.InstanceId = new(string(eni.Attachment.InstanceID))
		}
		out.PrivateIpAddress = new(a.PrivateIP.String())
	}
	return out
}

// describeAddressTransfers lists nothing: there is no other account to transfer an address to.
func (s *ec2) describeAddressTransfers(v *state.View, _ *api.Call, in *DescribeAddressTransfersInput) (*DescribeAddressTransfersOutput, error) {
	if _, err := named[*resource.Address](v, nounAddress, in.AllocationIds); err != nil {
		return nil, err
	}
	l := listing[AddressTransfer]{key: func(t AddressTransfer) string { return *t.AllocationId }}
	page, next, err := l.answer(nil, nil, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeAddressTransfersOutput{AddressTransfers: page, NextToken: next}, nil
}

// describeAddressesAttribute lists the addresses. Their only attribute is a reverse DNS name, and none can have
// one here.
func (s *ec2) describeAddressesAttribute(v *state.View, _ *api.Call, in *DescribeAddressesAttributeInput) (*DescribeAddressesAttributeOutput, error) {
	if given(in.Attribute) && *in.Attribute != "domain-name" {
		return nil, invalidValue("attribute", *in.Attribute)
	}
	found, err := named[*resource.Address](v, nounAddress, in.AllocationIds)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(a *resource.Address) bool { return a.AutoAssigned })
	var all []AddressAttribute
	for _, a := range found {
		all = append(all, AddressAttribute{AllocationId: new(string(a.AllocationID)), PublicIp: new(a.PublicIP.String())})
	}
	l := listing[AddressAttribute]{pages: pages{least: 1}, key: func(a AddressAttribute) string { return *a.AllocationId }}
	page, next, err := l.answer(all, nil, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeAddressesAttributeOutput{Addresses: page, NextToken: next}, nil
}
