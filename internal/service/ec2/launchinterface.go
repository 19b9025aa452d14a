package ec2

import (
	"cmp"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// launchInterface is a checked request for an interface of an instance.
type launchInterface struct {
	device   int
	subnet   *resource.Subnet
	existing *resource.NetworkInterface // nil: one is made
	spec     vpcnet.InterfaceSpec
	public   bool
	goes     bool // with the instance
}

// place finds where the instance's interfaces are to be: at the top level of the request, or in its interface
// specifications.
func (l *launch) place(r state.Reader) error {
	in := l.in
	specs := in.NetworkInterfaces
	if len(specs) == 0 {
		specs = []InstanceNetworkInterfaceSpecification{{
			SubnetId: in.SubnetId, Groups: in.SecurityGroupIds, PrivateIpAddress: in.PrivateIpAddress,
			Ipv6Addresses: in.Ipv6Addresses, Ipv6AddressCount: in.Ipv6AddressCount,
		}}
	} else if given(in.SubnetId) || len(in.SecurityGroupIds) > 0 || given(in.PrivateIpAddress) || len(in.Ipv6Addresses) > 0 || in.Ipv6AddressCount != nil {
		return api.Errorf("InvalidParameterCombination", "Network interfaces and an instance-level subnet ID or security groups may not be specified on the same request")
	}
	for _, spec := range specs {
		i, err := l.newLaunchInterface(r, spec, len(specs) > 1)
		if err != nil {
			return err
		}
		l.interfaces = append(l.interfaces, i)
	}
	slices.SortFunc(l.interfaces, func(a, b *launchInterface) int { return cmp.Compare(a.device, b.device) })
	return l.checkInterfaces()
}

func (l *launch) newLaunchInterface(r state.Reader, spec InstanceNetworkInterfaceSpecification, several bool) (*launchInterface, error) {
	i := &launchInterface{}
	if several && spec.DeviceIndex == nil {
		return nil, api.Errorf("InvalidParameterValue", "Each network interface requires a device index.")
	}
	if spec.DeviceIndex != nil {
		var err error
		if i.device, err = deviceIndex(spec.DeviceIndex); err != nil {
			return nil, err
		}
	}
	if several && spec.AssociatePublicIpAddress != nil {
		return nil, api.Errorf("InvalidParameterCombination", "The associatePublicIPAddress parameter cannot be specified when launching with multiple network interfaces.")
	}
	if given(spec.NetworkInterfaceId) {
		return i, l.useInterface(r, i, spec)
	}
	if err := l.newInterface(r, i, spec); err != nil {
		return nil, err
	}
	i.public = i.public && !several // "only to a single interface, and only if it is the one at index 0" (EC2 guide)
	return i, nil
}

// checkInterfaces looks at the interfaces together, which are in the order of their device indexes.
func (l *launch) checkInterfaces() error {
	if l.interfaces[0].device != 0 {
		return api.Errorf("InvalidParameterCombination", "The primary network interface of an instance has device index 0.")
	}
	first := l.interfaces[0].subnet
	used := map[resource.NetworkInterfaceID]bool{}
	for n, i := range l.interfaces {
		switch {
		case n > 0 && i.device == l.interfaces[n-1].device:
			return api.Errorf("InvalidParameterValue", "Device index '%d' is given to more than one network interface.", i.device)
		case i.subnet.AvailabilityZone != first.AvailabilityZone:
			return api.Errorf("InvalidParameterCombination", "You may not attach a network interface to an instance if they are not in the same availability zone")
		case i.subnet.VPCID != first.VPCID:
			return unsupported("The interfaces of an instance are in one VPC in this region.")
		case i.existing != nil && used[i.existing.ID]:
			return inUse(i.existing)
		}
		if i.existing != nil {
			used[i.existing.ID] = true
		}
	}
	return mayHold(l.kind.name, len(l.interfaces))
}

func (l *launch) useInterface(r state.Reader, i *launchInterface, spec InstanceNetworkInterfaceSpecification) error {
	eni, err := userInterface(r, spec.NetworkInterfaceId)
	if err != nil {
		return err
	}
	switch {
	case eni.Attachment != nil:
		return inUse(eni)
	case value(l.in.MaxCount) > 1:
		return api.Errorf("InvalidParameterCombination", "Existing network interfaces may only be used with a single instance.")
	case len(spec.Groups) > 0 || given(spec.SubnetId) || given(spec.PrivateIpAddress) || value(spec.AssociatePublicIpAddress) ||
		len(spec.Ipv6Addresses) > 0 || value(spec.Ipv6AddressCount) > 0:
		return api.Errorf("InvalidParameterCombination", "A network interface may not specify both a network interface ID and a subnet, groups or addresses")
	}
	i.existing, i.goes = eni, value(spec.DeleteOnTermination)
	i.subnet, err = vpcnet.FindSubnet(r, string(eni.SubnetID))
	return err
}

func (l *launch) newInterface(r state.Reader, i *launchInterface, spec InstanceNetworkInterfaceSpecification) (err error) {
	if i.subnet, err = l.findSubnet(r, spec.SubnetId); err != nil {
		return err
	}
	groups, err := vpcnet.FindGroups(r, i.subnet.VPCID, spec.Groups)
	if err != nil {
		return err
	}
	i.spec = vpcnet.InterfaceSpec{
		SubnetID: i.subnet.ID, Type: resource.InterfaceTypeInterface, Description: value(spec.Description),
		Secondary: int(value(spec.SecondaryPrivateIpAddressCount)),
	}
	for _, g := range groups {
		i.spec.GroupIDs = append(i.spec.GroupIDs, g.ID)
	}
	i.spec.Addresses, err = interfaceAddresses(&CreateNetworkInterfaceInput{PrivateIpAddress: spec.PrivateIpAddress, PrivateIpAddresses: spec.PrivateIpAddresses})
	if err != nil {
		return err
	}
	if i.spec.Secondary < 0 || i.spec.Secondary+len(i.spec.Addresses) > maxPrivateAddresses {
		return api.Errorf("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.")
	}
	if i.spec.IPv6Addresses, i.spec.IPv6Count, err = parseIPv6Wish(ipv6Texts(spec.Ipv6Addresses), spec.Ipv6AddressCount); err != nil {
		return err
	}
	if len(i.spec.Addresses)+len(i.spec.IPv6Addresses) > 0 && value(l.in.MaxCount) > 1 {
		return api.Errorf("InvalidParameterCombination", "A private IP address may only be given for a single instance.")
	}
	// The first interface goes with its instance unless it is told not to, further ones only if they are told to.
	i.goes = i.device == 0
	if spec.DeleteOnTermination != nil {
		i.goes = *spec.DeleteOnTermination
	}
	i.public = i.subnet.MapPublicIPOnLaunch
	if spec.AssociatePublicIpAddress != nil {
		i.public = *spec.AssociatePublicIpAddress
	}
	return nil
}

// findSubnet finds the subnet, or the default one where the request names none.
func (l *launch) findSubnet(r state.Reader, id *string) (*resource.Subnet, error) {
	if given(id) {
		return vpcnet.FindSubnet(r, *id)
	}
	var zone string
	if l.in.Placement != nil {
		zone = value(l.in.Placement.AvailabilityZone)
	}
	found := state.Select(r, func(s *resource.Subnet) bool {
		return s.DefaultForAZ && (zone == "" || s.AvailabilityZone == zone)
	})
	if len(found) == 0 {
		return nil, api.Errorf("MissingInput", "No subnets found for the default VPC. Please specify a subnet.")
	}
	slices.SortFunc(found, func(a, b *resource.Subnet) int { return strings.Compare(a.AvailabilityZone, b.AvailabilityZone) })
	return found[0], nil
}

// makeInterfaces makes what is to be made of an instance's interfaces, and returns all, the primary one first.
func (l *launch) makeInterfaces(tx *state.Tx) ([]*resource.NetworkInterface, error) {
	var out []*resource.NetworkInterface
	for _, i := range l.interfaces {
		eni := i.existing
		if eni == nil {
			i.spec.Tags = l.tags["network-interface"]
			var err error
			if eni, err = vpcnet.CreateInterface(tx, i.spec); err != nil {
				return nil, err
			}
		}
		out = append(out, eni)
	}
	return out, nil
}
