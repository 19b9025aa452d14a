package topology

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// Supposed is the id of the interface that Suppose adds. No real one has it.
const Supposed resource.NetworkInterfaceID = "eni-supposed"

// Suppose returns the topology as it would be with a workload in a subnet, behind an interface with these groups. The
// one given stays as it is. It fails if there is no such subnet, no address left in it, or no such group in its VPC.
func Suppose(t *Topology, subnet resource.SubnetID, groups []resource.SecurityGroupID) (*Topology, error) {
	at := slices.IndexFunc(t.VPCs, func(v *VPC) bool { return v.Subnet(subnet) != nil })
	if at < 0 {
		return nil, fmt.Errorf("there is no subnet %q", subnet)
	}
	v := *t.VPCs[at]
	s := v.Subnet(subnet)
	address, ok := v.FreeAddress(s.CIDR)
	if !ok {
		return nil, fmt.Errorf("%s has no free address", subnet)
	}
	eni := &ENI{
		ID: Supposed, VPCID: v.ID, SubnetID: subnet, Type: resource.InterfaceTypeInterface, Addresses: []netip.Addr{address},
		MAC: "02:00:00:00:00:01", GroupIDs: slices.Sorted(slices.Values(groups)), SourceDestCheck: true, Description: "a workload that is not there yet",
	}
	if s.IPv6CIDR.IsValid() {
		if a, ok := v.FreeAddress(s.IPv6CIDR); ok {
			eni.IPv6 = []netip.Addr{a}
		}
	}
	for _, id := range eni.GroupIDs {
		at := slices.IndexFunc(v.SecurityGroups, func(g *SecurityGroup) bool { return g.ID == id })
		if at < 0 {
			return nil, fmt.Errorf("there is no security group %q in %s", id, v.ID)
		}
		g := *v.SecurityGroups[at]
		g.Members = slices.SortedFunc(slices.Values(slices.Concat(g.Members, eni.Addresses, eni.IPv6)), netip.Addr.Compare)
		v.SecurityGroups = slices.Clone(v.SecurityGroups)
		v.SecurityGroups[at] = &g
	}
	v.ENIs = slices.SortedFunc(slices.Values(append(slices.Clone(v.ENIs), eni)), func(a, b *ENI) int { return cmp.Compare(a.ID, b.ID) })
	out := *t
	out.VPCs = slices.Clone(t.VPCs)
	out.VPCs[at] = &v
	out.ENIs = maps.Clone(t.ENIs)
	if out.ENIs == nil {
		out.ENIs = map[resource.NetworkInterfaceID]*ENI{}
	}
	out.ENIs[eni.ID] = eni
	return &out, nil
}

// FreeAddress is the lowest address of a subnet's block, of either family, that no interface has and AWS does not keep;
// false if none is left.
func (v *VPC) FreeAddress(block netip.Prefix) (netip.Addr, bool) {
	taken := map[netip.Addr]bool{}
	for _, e := range v.ENIs {
		for _, a := range e.All() {
			taken[a] = true
		}
	}
	a := block.Masked().Addr()
	for range 4 {
		a = a.Next()
	}
	for ; block.Contains(a) && block.Contains(a.Next()); a = a.Next() {
		if !taken[a] {
			return a, true
		}
	}
	return netip.Addr{}, false
}
