package dataplanetest

import (
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// SpeakIPv6 gives the VPC a block of IPv6 addresses. Its open group and its first network ACL allow all of them, as
// number 101. It goes before the VPC's subnets.
func (v *VPC) SpeakIPv6(block string) {
	v.IPv6CIDRs = []netip.Prefix{netip.MustParsePrefix(block)}
	all := "::/0"
	open, acl := v.SecurityGroups[0], v.NetworkACLs[0]
	open.Ingress = append(open.Ingress, Allow(resource.AllProtocols, -1, -1, all))
	open.Egress = append(open.Egress, Allow(resource.AllProtocols, -1, -1, all))
	acl.Ingress = append(acl.Ingress, Entry(101, true, resource.AllProtocols, -1, -1, all))
	acl.Egress = append(acl.Egress, Entry(101, true, resource.AllProtocols, -1, -1, all))
}

// EgressOnly gives the VPC an egress-only gateway, eigw-<name>.
func (v *VPC) EgressOnly(name string) string {
	id := resource.EgressOnlyGatewayID("eigw-" + name)
	v.VPC.EgressOnly = append(v.VPC.EgressOnly, id)
	return string(id)
}

// Subnet6 adds a subnet with a block of each family.
func (v *VPC) Subnet6(name, cidr, block string) *topology.Subnet {
	s := v.Subnet(name, cidr)
	s.IPv6CIDR = netip.MustParsePrefix(block)
	return s
}

// ENI6 adds an interface with an address of each family.
func (v *VPC) ENI6(name string, s *topology.Subnet, address, ipv6 string, groups ...resource.SecurityGroupID) *topology.ENI {
	e := v.ENI(name, s, address, groups...)
	e.IPv6 = []netip.Addr{netip.MustParseAddr(ipv6)}
	return e
}
