package vpcnet

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// interfaceIPv6 finds the IPv6 addresses of a new interface: the wanted ones, so many as are asked for, or one if
// the subnet gives one to each. AWS's own interfaces get none of the latter.
func interfaceIPv6(tx *state.Tx, s *resource.Subnet, spec InterfaceSpec) ([]netip.Addr, error) {
	count := 0
	switch {
	case spec.IPv6Count != nil:
		count = *spec.IPv6Count
	case len(spec.IPv6Addresses) == 0 && s.AssignIPv6AddressOnCreation && spec.Type == resource.InterfaceTypeInterface:
		count = 1
	}
	return chooseIPv6(tx, s, spec.IPv6Addresses, count)
}

// maxTries is how often an address is guessed: with as many wrong guesses nearly all of a /64 must be reserved.
const maxTries = 10_000

// chooseIPv6 checks the wanted addresses and adds so many free ones, which AWS takes from anywhere in the block.
func chooseIPv6(tx *state.Tx, s *resource.Subnet, wanted []netip.Addr, more int) ([]netip.Addr, error) {
	if len(wanted) == 0 && more == 0 {
		return nil, nil
	}
	if !s.IPv6CIDR.IsValid() {
		return nil, api.Errorf("InvalidParameterValue", "The subnet '%s' does not have an IPv6 CIDR block associated with it.", s.ID)
	}
	used := map[netip.Addr]bool{}
	for _, eni := range Interfaces(tx, s.ID) {
		for _, a := range eni.IPv6Addresses {
			used[a] = true
		}
	}
	var out []netip.Addr
	for _, a := range wanted {
		if err := checkIPv6(s, a); err != nil {
			return nil, err
		}
		if used[a] {
			return nil, api.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", a)
		}
		used[a] = true
		out = append(out, a)
	}
	reserved := reservedIn(tx, s.ID)
	for tries := 0; more > 0; tries++ {
		if tries > maxTries {
			return nil, api.Errorf("InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request.")
		}
		if a := randomIn(tx, s.IPv6CIDR); !used[a] && !reserved(a) && checkIPv6(s, a) == nil {
			used[a] = true
			out = append(out, a)
			more--
		}
	}
	return out, nil
}

// randomIn makes an address of a /64.
func randomIn(tx *state.Tx, block netip.Prefix) netip.Addr {
	a := block.Addr().As16()
	host, err := hex.DecodeString(tx.RandomHex(16))
	if err != nil {
		panic(err) // RandomHex makes hex digits
	}
	copy(a[8:], host)
	return netip.AddrFrom16(a)
}

// checkIPv6 refuses what is not the subnet's to give: the first four addresses and the last are AWS's.
func checkIPv6(s *resource.Subnet, a netip.Addr) error {
	if !s.IPv6CIDR.Contains(a) {
		return api.Errorf("InvalidParameterValue", "Address %s does not fall within the subnet's address range", a)
	}
	raw := a.As16()
	if host := binary.BigEndian.Uint64(raw[8:]); host < 4 || host == ^uint64(0) {
		return api.Errorf("InvalidParameterValue", "Address %s is in subnet's reserved address range", a)
	}
	return nil
}

// AddIPv6Addresses gives an interface further IPv6 addresses: the wanted ones and so many free ones.
func AddIPv6Addresses(tx *state.Tx, eni *resource.NetworkInterface, wanted []netip.Addr, more int) (*resource.NetworkInterface, error) {
	subnet, err := FindSubnet(tx, string(eni.SubnetID))
	if err != nil {
		return nil, err
	}
	added, err := chooseIPv6(tx, subnet, wanted, more)
	if err != nil {
		return nil, err
	}
	changed := *eni
	changed.IPv6Addresses = append(slices.Clone(eni.IPv6Addresses), added...)
	tx.Put(&changed)
	return &changed, nil
}
