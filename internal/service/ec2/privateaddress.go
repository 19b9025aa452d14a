package ec2

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// assignPrivateIPAddresses gives an interface further addresses.
func (s *ec2) assignPrivateIPAddresses(tx *state.Tx, _ *api.Call, in *AssignPrivateIpAddressesInput) (*AssignPrivateIpAddressesOutput, error) {
	if value(in.Ipv4PrefixCount) > 0 || len(in.Ipv4Prefixes) > 0 {
		return nil, unsupported("Delegated prefixes of interfaces are not supported in this region.")
	}
	eni, err := userInterface(tx, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	wanted, err := parseAddresses(in.PrivateIpAddresses)
	if err != nil {
		return nil, err
	}
	more := value(in.SecondaryPrivateIpAddressCount)
	if (len(wanted) > 0) == (more != 0) {
		return nil, api.Errorf("InvalidParameterCombination", "The request must contain either privateIpAddress or secondaryPrivateIpAddressCount")
	}
	if more < 0 || more > int64(maxPrivateAddresses-len(eni.PrivateIPs)-len(wanted)) {
		return nil, api.Errorf("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.")
	}
	if value(in.AllowReassignment) {
		takeAddresses(tx, eni, wanted)
	}
	grown, err := vpcnet.AddAddresses(tx, eni, wanted, int(more))
	if err != nil {
		return nil, err
	}
	out := &AssignPrivateIpAddressesOutput{NetworkInterfaceId: new(string(eni.ID))}
	for _, a := range grown.PrivateIPs[len(eni.PrivateIPs):] {
		out.AssignedPrivateIpAddresses = append(out.AssignedPrivateIpAddresses, AssignedPrivateIpAddress{PrivateIpAddress: new(a.String())})
	}
	return out, nil
}

// takeAddresses takes addresses from the interfaces of the subnet that have them as secondary ones.
func takeAddresses(tx *state.Tx, to *resource.NetworkInterface, wanted []netip.Addr) {
	for _, other := range vpcnet.Interfaces(tx, to.SubnetID) {
		if other.ID != to.ID && mayManage(other) == nil {
			dropAddresses(tx, other, func(a netip.Addr) bool { return a != other.PrimaryIP() && slices.Contains(wanted, a) })
		}
	}
}

// dropAddresses takes addresses from an interface. Elastic IP addresses they had are free again.
func dropAddresses(tx *state.Tx, old *resource.NetworkInterface, drop func(netip.Addr) bool) {
	if !slices.ContainsFunc(old.PrivateIPs, drop) {
		return
	}
	for _, a := range state.Select(tx, func(a *resource.Address) bool {
		return a.NetworkInterfaceID == old.ID && drop(a.PrivateIP)
	}) {
		vpcnet.Disassociate(tx, a)
	}
	eni := *old
	eni.PrivateIPs = slices.DeleteFunc(slices.Clone(old.PrivateIPs), drop)
	tx.Put(&eni)
}

func (s *ec2) unassignPrivateIPAddresses(tx *state.Tx, _ *api.Call, in *UnassignPrivateIpAddressesInput) (*UnassignPrivateIpAddressesOutput, error) {
	eni, err := userInterface(tx, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	gone, err := parseAddresses(in.PrivateIpAddresses)
	if err != nil {
		return nil, err
	}
	if len(gone) == 0 {
		return nil, missing("privateIpAddress")
	}
	for _, a := range gone {
		if a == eni.PrimaryIP() || !slices.Contains(eni.PrivateIPs, a) {
			return nil, api.Errorf("InvalidParameterValue", "Some of the addresses %s are not assigned to interface %s as secondary ones", a, eni.ID)
		}
	}
	dropAddresses(tx, eni, func(a netip.Addr) bool { return slices.Contains(gone, a) })
	return &UnassignPrivateIpAddressesOutput{}, nil
}

// userInterface finds an interface that is the user's to change.
func userInterface(r state.Reader, id *string) (*resource.NetworkInterface, error) {
	eni, err := find[*resource.NetworkInterface](r, vpcnet.ENI, "networkInterfaceId", id)
	if err != nil {
		return nil, err
	}
	if err := mayManage(eni); err != nil {
		return nil, err
	}
	// A function's interface is shared by all functions with the same groups.
	if eni.InterfaceType == resource.InterfaceTypeLambda {
		return nil, notYours()
	}
	return eni, nil
}

func parseAddresses(texts []string) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, t := range texts {
		a, err := parseAddress("privateIpAddress", t)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}
