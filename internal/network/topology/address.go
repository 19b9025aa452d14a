package topology

import (
	"math/bits"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// All are the private addresses and then the IPv6 ones.
func (e *ENI) All() []netip.Addr { return slices.Concat(e.Addresses, e.IPv6) }

// Has reports whether an address, of either family, is the interface's own. Public ones are the internet gateway's.
func (e *ENI) Has(a netip.Addr) bool {
	return slices.Contains(e.Addresses, a) || slices.Contains(e.IPv6, a)
}

// Towards is the address that a system at the interface would take to speak to another: of the same family, and if
// there are several of IPv6 the one with the longest common prefix (RFC 6724, rule 8), or else the first. The zero
// value: it has none.
func (e *ENI) Towards(a netip.Addr) netip.Addr {
	if a.Is4() {
		return e.Addresses[0]
	}
	var best netip.Addr
	most := -1
	for _, own := range e.IPv6 {
		if n := commonBits(own, a); n > most {
			best, most = own, n
		}
	}
	return best
}

func commonBits(a, b netip.Addr) int {
	x, y := a.As16(), b.As16()
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			return 8*i + bits.LeadingZeros8(d)
		}
	}
	return 128
}

// Contains reports whether an address, of either family, lies in the subnet.
func (s *Subnet) Contains(a netip.Addr) bool { return s.CIDR.Contains(a) || s.IPv6CIDR.Contains(a) }

// Covers reports whether a whole block lies in the subnet.
func (s *Subnet) Covers(p netip.Prefix) bool {
	own := s.CIDR
	if p.Addr().Is6() {
		own = s.IPv6CIDR
	}
	return own.IsValid() && p.Bits() >= own.Bits() && own.Contains(p.Addr())
}

// Holder finds the interface that has an address, nil if there is none.
func (v *VPC) Holder(a netip.Addr) *ENI {
	for _, e := range v.ENIs {
		if e.Has(a) {
			return e
		}
	}
	return nil
}

// Contains reports whether an address lies in any block of the VPC.
func (v *VPC) Contains(a netip.Addr) bool {
	holds := func(p netip.Prefix) bool { return p.Contains(a) }
	return slices.ContainsFunc(v.CIDRs, holds) || slices.ContainsFunc(v.IPv6CIDRs, holds)
}

// blocks are a VPC's, in its order.
func blocks(all []resource.VPCCIDR) []netip.Prefix {
	var out []netip.Prefix
	for _, c := range all {
		if c.Prefix.IsValid() {
			out = append(out, c.Prefix.Masked())
		}
	}
	return out
}

// resourceName is what the subnet wants its instances to be called, if it does.
func resourceName(n *resource.NetworkInterface, s *resource.Subnet) ResourceName {
	a := n.Attachment
	if a == nil || a.InstanceID == "" || a.DeviceIndex != 0 || !s.ResourceNameDNSARecord && !s.ResourceNameDNSAAAARecord {
		return ResourceName{}
	}
	return ResourceName{Label: string(a.InstanceID), A: s.ResourceNameDNSARecord, AAAA: s.ResourceNameDNSAAAARecord}
}

// ipv6Of leaves out addresses that are not in the subnet. A NAT gateway has none.
func ipv6Of(n *resource.NetworkInterface, s *resource.Subnet) []netip.Addr {
	if n.InterfaceType == resource.InterfaceTypeNATGateway {
		return nil
	}
	var out []netip.Addr
	for _, a := range n.IPv6Addresses {
		if a.Is6() && s.IPv6CIDR.Contains(a) {
			out = append(out, a)
		}
	}
	return out
}
