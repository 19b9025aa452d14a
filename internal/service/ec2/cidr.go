package ec2

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// parseCIDR reads an IPv4 block. Host bits are cleared, as EC2 does.
func parseCIDR(parameter string, text *string) (netip.Prefix, error) {
	if !given(text) {
		return netip.Prefix{}, missing(parameter)
	}
	p, err := netip.ParsePrefix(*text)
	if err != nil || !p.Addr().Is4() {
		return netip.Prefix{}, api.Errorf("InvalidParameterValue", "Value (%s) for parameter %s is invalid. This is not a valid CIDR block.", *text, parameter)
	}
	return p.Masked(), nil
}

// parseIPv6CIDR reads an IPv6 block.
func parseIPv6CIDR(parameter string, text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is6() || p.Addr().Is4In6() {
		return netip.Prefix{}, api.Errorf("InvalidParameterValue", "Value (%s) for parameter %s is invalid. This is not a valid IPv6 CIDR block.", text, parameter)
	}
	return p.Masked(), nil
}

func parseAddress(parameter, text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return netip.Addr{}, api.Errorf("InvalidParameterValue", "Value (%s) for parameter %s is invalid. Invalid IPv4 address.", text, parameter)
	}
	return a, nil
}

// The block sizes of VPCs and subnets; see the VPC guide, "VPC CIDR blocks".
const (
	largestBlock  = 16
	smallestBlock = 28
)

// sizedRight reports whether a block may be a VPC's or a subnet's.
func sizedRight(p netip.Prefix) bool { return p.Bits() >= largestBlock && p.Bits() <= smallestBlock }

// within reports whether one block lies in another.
func within(inner, outer netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// neverAVPC are ranges that mean something else to every host.
func neverAVPC() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("127.0.0.0/8"),
		netip.MustParsePrefix("169.254.0.0/16"),
		netip.MustParsePrefix("224.0.0.0/3"),
	}
}

func checkVPCBlock(p netip.Prefix) error {
	if !sizedRight(p) || slices.ContainsFunc(neverAVPC(), p.Overlaps) {
		return api.Errorf("InvalidVpc.Range", "The CIDR '%s' is invalid.", p)
	}
	return nil
}

// privateRanges are the groups of blocks of which one VPC may use only one; see the VPC guide, "IPv4 CIDR block
// association restrictions".
func privateRanges() [][]netip.Prefix {
	ten, twelve := netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12")
	sixteen, bench := netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("198.19.0.0/16")
	return [][]netip.Prefix{{ten}, {twelve}, {sixteen}, {bench}}
}

// restrictedBeside reports whether a block may not be added to a VPC because of the private range that the
// VPC's primary block is from.
func restrictedBeside(primary, added netip.Prefix) bool {
	for _, own := range privateRanges() {
		if !slices.ContainsFunc(own, primary.Overlaps) {
			continue
		}
		for _, other := range privateRanges() {
			if !slices.Equal(own, other) && slices.ContainsFunc(other, added.Overlaps) {
				return true
			}
		}
	}
	return false
}

// inVPC reports whether a block lies in one of the VPC's.
func inVPC(v *resource.VPC, p netip.Prefix) bool {
	holds := func(c resource.VPCCIDR) bool { return within(p, c.Prefix) }
	return slices.ContainsFunc(v.CIDRs, holds) || slices.ContainsFunc(v.IPv6CIDRs, holds)
}
