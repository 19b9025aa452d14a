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

func (s *ec2) ipv6AddressOperations() []service.Operation {
	return []service.Operation{
		service.Update("AssignIpv6Addresses", s.assignIPv6Addresses, on(func(in *AssignIpv6AddressesInput) refs { return refs{interfaceRef(in.NetworkInterfaceId)} })),
		service.Update("UnassignIpv6Addresses", s.unassignIPv6Addresses, on(func(in *UnassignIpv6AddressesInput) refs { return refs{interfaceRef(in.NetworkInterfaceId)} })),
	}
}

// parseIPv6Wish reads which IPv6 addresses an interface is to have: these, or so many; nil, nil leaves it to the
// subnet.
func parseIPv6Wish(texts []string, count *int64) ([]netip.Addr, *int, error) {
	if len(texts) > 0 && value(count) > 0 {
		return nil, nil, api.Errorf("InvalidParameterCombination", "The parameters ipv6Addresses and ipv6AddressCount cannot be used together.")
	}
	if n := value(count); n < 0 || n > maxPrivateAddresses || len(texts) > maxPrivateAddresses {
		return nil, nil, tooManyIPv6()
	}
	var out []netip.Addr
	for _, t := range texts {
		a, err := netip.ParseAddr(t)
		if err != nil || !a.Is6() || a.Is4In6() || a.Zone() != "" {
			return nil, nil, api.Errorf("InvalidParameterValue", "Value (%s) for parameter ipv6Addresses is invalid. Invalid IPv6 address.", t)
		}
		out = append(out, a)
	}
	if count == nil {
		return out, nil, nil
	}
	return out, new(int(*count)), nil
}

func tooManyIPv6() error {
	return api.Errorf("PrivateIpAddressLimitExceeded", "Number of IPv6 addresses will exceed limit.")
}

// ipv6Texts are the addresses of a list in which each may also be marked as the primary one, which none is here.
func ipv6Texts(list []InstanceIpv6Address) []string {
	var out []string
	for _, a := range list {
		out = append(out, value(a.Ipv6Address))
	}
	return out
}

func refuseIPv6Prefixes(given bool) error {
	if given {
		return unsupported("Delegated prefixes of interfaces are not supported in this region.")
	}
	return nil
}

func (s *ec2) assignIPv6Addresses(tx *state.Tx, _ *api.Call, in *AssignIpv6AddressesInput) (*AssignIpv6AddressesOutput, error) {
	if err := refuseIPv6Prefixes(value(in.Ipv6PrefixCount) > 0 || len(in.Ipv6Prefixes) > 0); err != nil {
		return nil, err
	}
	eni, err := userInterface(tx, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	wanted, count, err := parseIPv6Wish(in.Ipv6Addresses, in.Ipv6AddressCount)
	if err != nil {
		return nil, err
	}
	if len(wanted) == 0 && value(count) == 0 {
		return nil, api.Errorf("MissingParameter", "Either 'ipv6Addresses' or 'ipv6AddressCount' should be specified")
	}
	if len(eni.IPv6Addresses)+len(wanted)+value(count) > maxPrivateAddresses {
		return nil, tooManyIPv6()
	}
	grown, err := vpcnet.AddIPv6Addresses(tx, eni, wanted, value(count))
	if err != nil {
		return nil, err
	}
	out := &AssignIpv6AddressesOutput{NetworkInterfaceId: new(eni.Key())}
	for _, a := range grown.IPv6Addresses[len(eni.IPv6Addresses):] {
		out.AssignedIpv6Addresses = append(out.AssignedIpv6Addresses, a.String())
	}
	return out, nil
}

func (s *ec2) unassignIPv6Addresses(tx *state.Tx, _ *api.Call, in *UnassignIpv6AddressesInput) (*UnassignIpv6AddressesOutput, error) {
	if err := refuseIPv6Prefixes(len(in.Ipv6Prefixes) > 0); err != nil {
		return nil, err
	}
	old, err := userInterface(tx, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	gone, _, err := parseIPv6Wish(in.Ipv6Addresses, nil)
	if err != nil {
		return nil, err
	}
	if len(gone) == 0 {
		return nil, missing("ipv6Addresses")
	}
	out := &UnassignIpv6AddressesOutput{NetworkInterfaceId: new(old.Key())}
	for _, a := range gone {
		if !slices.Contains(old.IPv6Addresses, a) {
			return nil, api.Errorf("InvalidParameterValue", "Some of the addresses %s are not assigned to interface %s", a, old.ID)
		}
		out.UnassignedIpv6Addresses = append(out.UnassignedIpv6Addresses, a.String())
	}
	eni := *old
	eni.IPv6Addresses = slices.DeleteFunc(slices.Clone(old.IPv6Addresses), func(a netip.Addr) bool { return slices.Contains(gone, a) })
	tx.Put(&eni)
	return out, nil
}

func ipv6AddressesOutput(n *resource.NetworkInterface) []NetworkInterfaceIpv6Address {
	out := []NetworkInterfaceIpv6Address{}
	for _, a := range n.IPv6Addresses {
		out = append(out, NetworkInterfaceIpv6Address{Ipv6Address: new(a.String()), IsPrimaryIpv6: new(false)})
	}
	return out
}
