package ec2

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) allocateAddress(tx *state.Tx, _ *api.Call, in *AllocateAddressInput) (*AllocateAddressOutput, error) {
	if given(in.Domain) && *in.Domain != "vpc" {
		return nil, invalidValue("domain", *in.Domain)
	}
	if given(in.CustomerOwnedIpv4Pool) || given(in.PublicIpv4Pool) && *in.PublicIpv4Pool != "amazon" {
		return nil, unsupported("Address pools of customers are not supported in this region.")
	}
	if given(in.NetworkBorderGroup) && *in.NetworkBorderGroup != tx.Region() {
		return nil, invalidValue("networkBorderGroup", *in.NetworkBorderGroup)
	}
	tags, err := newTags(in.TagSpecifications, resource.KindAddress)
	if err != nil {
		return nil, err
	}
	if err := limitAddresses(tx); err != nil {
		return nil, err
	}
	ip, err := s.choosePublicIP(tx, in.Address)
	if err != nil {
		return nil, err
	}
	a := &resource.Address{AllocationID: resource.AllocationID(tx.NewID("eipalloc")), PublicIP: ip, Tags: tags}
	tx.Put(a)
	return &AllocateAddressOutput{
		AllocationId:       new(string(a.AllocationID)),
		Domain:             new("vpc"),
		NetworkBorderGroup: new(tx.Region()),
		PublicIp:           new(ip.String()),
		PublicIpv4Pool:     new("amazon"),
	}, nil
}

// choosePublicIP returns the wanted address, which must be a free one of ours, or the lowest free one.
func (s *ec2) choosePublicIP(r state.Reader, wanted *string) (netip.Addr, error) {
	used := map[netip.Addr]bool{}
	for _, a := range state.List[*resource.Address](r) {
		used[a.PublicIP] = true
	}
	if given(wanted) {
		ip, err := parseAddress("address", *wanted)
		if err != nil {
			return netip.Addr{}, err
		}
		ours := slices.ContainsFunc(s.config.PublicAddresses, func(p netip.Prefix) bool { return p.Contains(ip) })
		if !ours || used[ip] {
			return netip.Addr{}, api.Errorf("InvalidAddress.NotFound", "Address '%s' not found.", ip)
		}
		return ip, nil
	}
	for _, p := range s.config.PublicAddresses {
		first, last := hosts(p)
		for ip := first; ip.Compare(last) <= 0; ip = ip.Next() {
			if !used[ip] {
				return ip, nil
			}
		}
	}
	return netip.Addr{}, api.Errorf("AddressLimitExceeded", "The maximum number of addresses has been reached.")
}

// hosts are the first and the last address of a block that a host may have.
func hosts(p netip.Prefix) (first, last netip.Addr) {
	first = p.Masked().Addr().Next()
	last = first
	for range 1<<(32-p.Bits()) - 3 {
		last = last.Next()
	}
	return first, last
}

// publicAddressCount is how many Elastic IP addresses there can be.
func (s *ec2) publicAddressCount() int {
	n := 0
	for _, p := range s.config.PublicAddresses {
		n += 1<<(32-p.Bits()) - 2
	}
	return n
}

// findAddress finds an address by its allocation or by the address itself.
func findAddress(r state.Reader, allocation, publicIP *string) (*resource.Address, error) {
	if given(allocation) || !given(publicIP) {
		return find[*resource.Address](r, nounAddress, "allocationId", allocation)
	}
	ip, err := parseAddress("publicIp", *publicIP)
	if err != nil {
		return nil, err
	}
	found := state.Select(r, func(a *resource.Address) bool { return a.PublicIP == ip && !a.AutoAssigned })
	if len(found) == 0 {
		return nil, api.Errorf("InvalidAddress.NotFound", "Address '%s' not found.", ip)
	}
	return found[0], nil
}

func (s *ec2) releaseAddress(tx *state.Tx, _ *api.Call, in *ReleaseAddressInput) (*ReleaseAddressOutput, error) {
	a, err := findAddress(tx, in.AllocationId, in.PublicIp)
	if err != nil {
		return nil, err
	}
	if a.AssociationID != "" {
		return nil, api.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", a.PublicIP)
	}
	tx.Delete(a)
	return &ReleaseAddressOutput{}, nil
}

func (s *ec2) associateAddress(tx *state.Tx, _ *api.Call, in *AssociateAddressInput) (*AssociateAddressOutput, error) {
	old, err := findAddress(tx, in.AllocationId, in.PublicIp)
	if err != nil {
		return nil, err
	}
	eni, err := interfaceToAssociate(tx, in)
	if err != nil {
		return nil, err
	}
	private, err := privateIPOf(eni, in.PrivateIpAddress)
	if err != nil {
		return nil, err
	}
	if old.NetworkInterfaceID == eni.ID && old.PrivateIP == private {
		return &AssociateAddressOutput{AssociationId: new(old.AssociationID)}, nil
	}
	if err := mayAssociate(tx, old, eni, value(in.AllowReassociation)); err != nil {
		return nil, err
	}
	for _, other := range state.Select(tx, func(a *resource.Address) bool {
		return a.NetworkInterfaceID == eni.ID && a.PrivateIP == private
	}) {
		vpcnet.Disassociate(tx, other) // the new one takes its place
	}
	return &AssociateAddressOutput{AssociationId: new(associateWith(tx, old, eni, private))}, nil
}

// interfaceToAssociate finds the interface that an address is to go with, which may be named by its instance.
func interfaceToAssociate(r state.Reader, in *AssociateAddressInput) (*resource.NetworkInterface, error) {
	if !given(in.InstanceId) {
		return find[*resource.NetworkInterface](r, vpcnet.ENI, "networkInterfaceId", in.NetworkInterfaceId)
	}
	if given(in.NetworkInterfaceId) {
		return nil, api.Errorf("InvalidParameterCombination", "You may specify either instance ID or network interface ID, but not both")
	}
	i, err := find[*resource.Instance](r, nounInstance, "instanceId", in.InstanceId)
	if err != nil {
		return nil, err
	}
	return onlyInterface(r, i)
}

func privateIPOf(eni *resource.NetworkInterface, wanted *string) (netip.Addr, error) {
	if !given(wanted) {
		return eni.PrimaryIP(), nil
	}
	ip, err := parseAddress("privateIpAddress", *wanted)
	if err == nil && !slices.Contains(eni.PrivateIPs, ip) {
		err = api.Errorf("InvalidParameterValue", "The given private IP address %s is not assigned to interface %s", ip, eni.ID)
	}
	return ip, err
}

func mayAssociate(r state.Reader, a *resource.Address, eni *resource.NetworkInterface, again bool) error {
	if eni.RequesterManaged {
		return notYours()
	}
	if _, ok := gatewayOf(r, eni.VPCID); !ok {
		return api.Errorf("Gateway.NotAttached", "Network %s is not attached to any internet gateway", eni.VPCID)
	}
	if a.AssociationID == "" {
		return nil
	}
	if held, ok := state.Get[*resource.NetworkInterface](r, a.NetworkInterfaceID); ok && held.RequesterManaged {
		return notYours()
	}
	if !again {
		return api.Errorf("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", a.AllocationID, a.AssociationID)
	}
	return nil
}

// associateWith ties an address to an interface and returns the id of the association.
func associateWith(tx *state.Tx, old *resource.Address, eni *resource.NetworkInterface, private netip.Addr) string {
	a := *old
	a.AssociationID = tx.NewID("eipassoc")
	a.NetworkInterfaceID = eni.ID
	a.PrivateIP = private
	tx.Put(&a)
	return a.AssociationID
}

func (s *ec2) disassociateAddress(tx *state.Tx, _ *api.Call, in *DisassociateAddressInput) (*DisassociateAddressOutput, error) {
	a, err := associatedAddress(tx, in)
	if err != nil {
		return nil, err
	}
	if eni, ok := state.Get[*resource.NetworkInterface](tx, a.NetworkInterfaceID); ok && eni.RequesterManaged {
		return nil, api.Errorf("AuthFailure", "You do not have permission to access the specified resource.")
	}
	vpcnet.Disassociate(tx, a)
	return &DisassociateAddressOutput{}, nil
}

func associatedAddress(r state.Reader, in *DisassociateAddressInput) (*resource.Address, error) {
	if !given(in.AssociationId) {
		if !given(in.PublicIp) {
			return nil, missing("associationId")
		}
		a, err := findAddress(r, nil, in.PublicIp)
		if err == nil && a.AssociationID == "" {
			err = api.Errorf("InvalidAssociationID.NotFound", "The address '%s' is not associated", a.PublicIP)
		}
		return a, err
	}
	found := state.Select(r, func(a *resource.Address) bool { return a.AssociationID == *in.AssociationId })
	if len(found) == 0 {
		return nil, api.Errorf("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", *in.AssociationId)
	}
	return found[0], nil
}
