package ec2

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// amazonIPv6 is where the blocks of VPCs come from: a part of what RFC 3849 reserves for documentation. Nothing
// leaves the region, so a block must not be one that somebody on the real internet has.
func amazonIPv6() netip.Prefix { return netip.MustParsePrefix("2001:db8:1000::/36") }

// vpcIPv6Bits is the size of a VPC's block, which AWS chooses.
const vpcIPv6Bits = 56

// ipv6Wish is what a call says about a VPC's IPv6 block.
type ipv6Wish struct {
	amazon            *bool
	block, pool, ipam *string
	netmask           *int64
	border            *string
}

// checked reports whether a block is wanted. AWS's own are the only ones there are.
func (w ipv6Wish) checked(r state.Reader) (bool, error) {
	if given(w.block) || given(w.pool) || given(w.ipam) || w.netmask != nil {
		return false, unsupported("IPv6 address pools and IPAM are not supported in this region: ask for an Amazon-provided IPv6 CIDR block.")
	}
	if given(w.border) && *w.border != r.Region() {
		return false, invalidValue("ipv6CidrBlockNetworkBorderGroup", *w.border)
	}
	return value(w.amazon), nil
}

// addIPv6Block gives a VPC a block that no other has, and opens to it what is as AWS made it.
func addIPv6Block(tx *state.Tx, old *resource.VPC) (*resource.VPC, resource.VPCCIDR, error) {
	if len(old.IPv6CIDRs) >= tx.Quota(resource.QuotaIPv6Blocks) {
		return nil, resource.VPCCIDR{}, api.Errorf("CidrLimitExceeded", "This network '%s' has met its maximum number of allowed CIDRs: %d", old.ID, tx.Quota(resource.QuotaIPv6Blocks))
	}
	block, err := freeIPv6Block(tx)
	if err != nil {
		return nil, resource.VPCCIDR{}, err
	}
	v := *old
	added := resource.VPCCIDR{AssociationID: tx.NewID("vpc-cidr-assoc"), Prefix: block}
	v.IPv6CIDRs = append(slices.Clone(old.IPv6CIDRs), added)
	tx.Put(&v)
	openGroupsToIPv6(tx, v.ID)
	openACLToIPv6(tx, defaultACL(tx, v.ID))
	return &v, added, nil
}

// freeIPv6Block is the lowest block that no VPC has, and in which no route leads elsewhere: the local route of a new
// block must not cover a route that is there.
func freeIPv6Block(r state.Reader) (netip.Prefix, error) {
	used := map[netip.Prefix]bool{}
	for _, v := range state.List[*resource.VPC](r) {
		for _, c := range v.IPv6CIDRs {
			used[c.Prefix] = true
		}
	}
	for _, t := range state.List[*resource.RouteTable](r) {
		for _, route := range t.Routes {
			if d := route.DestinationCIDR; d.Addr().Is6() && d.Bits() >= vpcIPv6Bits {
				used[netip.PrefixFrom(d.Addr(), vpcIPv6Bits).Masked()] = true
			}
		}
	}
	from := amazonIPv6()
	for n := range 1 << (vpcIPv6Bits - from.Bits()) {
		a := from.Addr().As16()
		a[4], a[5], a[6] = a[4]|byte(n>>16), byte(n>>8), byte(n)
		if p := netip.PrefixFrom(netip.AddrFrom16(a), vpcIPv6Bits); !used[p] {
			return p, nil
		}
	}
	return netip.Prefix{}, api.Errorf("InsufficientCidrBlocks", "There are not enough free IPv6 CIDR blocks to satisfy the request.")
}

// openGroupsToIPv6 lets groups send to IPv6 addresses whose outbound rules nobody has changed; see the VPC guide,
// "Default security groups for your VPCs".
func openGroupsToIPv6(tx *state.Tx, vpc resource.VPCID) {
	for _, old := range state.Select(tx, func(g *resource.SecurityGroup) bool { return g.VPCID == vpc && onlyOpenEgress(g) }) {
		g := *old
		g.Rules = append(slices.Clone(old.Rules), openIPv6Egress(tx))
		tx.Put(&g)
	}
}

func onlyOpenEgress(g *resource.SecurityGroup) bool {
	rules := slices.DeleteFunc(slices.Clone(g.Rules), func(r resource.SecurityGroupRule) bool { return !r.Egress })
	return len(rules) == 1 && rules[0].Protocol == resource.AllProtocols && rules[0].CIDR == netip.MustParsePrefix(everyIPv4)
}

// openIPv6Egress is the rule that groups of a VPC with IPv6 begin with, beside openEgress.
func openIPv6Egress(tx *state.Tx) resource.SecurityGroupRule {
	r := allTraffic(tx)
	r.Egress = true
	r.CIDR = netip.MustParsePrefix(everyIPv6)
	return r
}

// openACLToIPv6 adds the entry for IPv6 to each direction of a default network ACL that nobody has changed; see the
// VPC guide, "Default network ACL".
func openACLToIPv6(tx *state.Tx, old *resource.NetworkACL) {
	n := *old
	n.Entries = slices.Clone(old.Entries)
	for _, egress := range []bool{false, true} {
		made := openEntry(100, egress, everyIPv4)
		others := func(e resource.NetworkACLEntry) bool { return e.Egress == egress && e != made }
		if slices.Contains(old.Entries, made) && !slices.ContainsFunc(old.Entries, others) {
			n.Entries = append(n.Entries, openEntry(101, egress, everyIPv6))
		}
	}
	tx.Put(&n)
}

func openEntry(number int, egress bool, block string) resource.NetworkACLEntry {
	return resource.NetworkACLEntry{RuleNumber: number, Egress: egress, Protocol: resource.AllProtocols, Allow: true, CIDR: netip.MustParsePrefix(block)}
}

// dropIPv6Block takes a block from a VPC, if a block has that association. Rules for it stay, as in AWS.
func dropIPv6Block(tx *state.Tx, id string) (*DisassociateVpcCidrBlockOutput, error) {
	holds := func(c resource.VPCCIDR) bool { return c.AssociationID == id }
	found := state.Select(tx, func(v *resource.VPC) bool { return slices.ContainsFunc(v.IPv6CIDRs, holds) })
	if len(found) == 0 {
		return nil, api.Errorf("InvalidVpcCidrBlockAssociationIdError.NotFound", "The vpc CIDR block association ID '%s' does not exist", id)
	}
	v := *found[0]
	at := slices.IndexFunc(v.IPv6CIDRs, holds)
	block := v.IPv6CIDRs[at]
	if exists(tx, func(n *resource.Subnet) bool {
		return n.VPCID == v.ID && n.IPv6CIDR.IsValid() && within(n.IPv6CIDR, block.Prefix)
	}) {
		return nil, api.Errorf("InvalidCidrBlock.InUse", "The vpc currently has a subnet within CIDR block %s", block.Prefix)
	}
	v.IPv6CIDRs = slices.Delete(slices.Clone(v.IPv6CIDRs), at, at+1)
	tx.Put(&v)
	return &DisassociateVpcCidrBlockOutput{VpcId: new(string(v.ID)), Ipv6CidrBlockAssociation: new(ipv6BlockOutput(tx, block, "disassociating"))}, nil
}

func ipv6BlockOutput(r state.Reader, c resource.VPCCIDR, state string) VpcIpv6CidrBlockAssociation {
	return VpcIpv6CidrBlockAssociation{
		AssociationId:      new(c.AssociationID),
		Ipv6CidrBlock:      new(c.Prefix.String()),
		Ipv6CidrBlockState: &VpcCidrBlockState{State: new(state)},
		Ipv6Pool:           new("Amazon"),
		NetworkBorderGroup: new(r.Region()),
	}
}
