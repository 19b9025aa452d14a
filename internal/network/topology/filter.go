package topology

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// prefixListUse collects the prefix lists that something in a VPC refers to.
type prefixListUse map[resource.PrefixListID]bool

func (in *inputs) addSecurityGroups(vpc *VPC, used prefixListUse) {
	members := map[resource.SecurityGroupID][]netip.Addr{}
	for _, e := range vpc.ENIs {
		for _, g := range e.GroupIDs {
			members[g] = append(members[g], e.All()...)
		}
	}
	for _, g := range in.groups[vpc.ID] {
		group := &SecurityGroup{ID: g.ID, Name: g.Name, Members: members[g.ID]}
		slices.SortFunc(group.Members, netip.Addr.Compare)
		for _, r := range g.Rules {
			if !in.ruleCounts(r) {
				continue
			}
			if r.PrefixListID != "" {
				used[r.PrefixListID] = true
			}
			rule := Rule{
				ID: r.ID, Protocol: r.Protocol, FromPort: r.FromPort, ToPort: r.ToPort,
				CIDR: masked(r.CIDR), GroupID: r.GroupID, PrefixListID: r.PrefixListID,
			}
			if r.Egress {
				group.Egress = append(group.Egress, rule)
			} else {
				group.Ingress = append(group.Ingress, rule)
			}
		}
		byID := func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) }
		slices.SortFunc(group.Ingress, byID)
		slices.SortFunc(group.Egress, byID)
		vpc.SecurityGroups = append(vpc.SecurityGroups, group)
	}
}

// ruleCounts leaves out rules that name nobody and those whose prefix list is gone.
func (in *inputs) ruleCounts(r resource.SecurityGroupRule) bool {
	if r.PrefixListID != "" {
		return in.prefixList(r.PrefixListID) != nil
	}
	return r.GroupID != "" || r.CIDR.IsValid()
}

func masked(p netip.Prefix) netip.Prefix {
	if !p.IsValid() {
		return p
	}
	return p.Masked()
}

func (in *inputs) addNetworkACLs(vpc *VPC) {
	for _, n := range in.acls[vpc.ID] {
		acl := &NetworkACL{ID: n.ID, Default: n.IsDefault}
		for _, e := range n.Entries {
			if !e.CIDR.IsValid() {
				continue
			}
			entry := Entry{
				Number: e.RuleNumber, Allow: e.Allow, Protocol: e.Protocol, CIDR: e.CIDR.Masked(),
				FromPort: e.FromPort, ToPort: e.ToPort, ICMPType: e.ICMPType, ICMPCode: e.ICMPCode,
			}
			if e.Egress {
				acl.Egress = append(acl.Egress, entry)
			} else {
				acl.Ingress = append(acl.Ingress, entry)
			}
		}
		byNumber := func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) }
		slices.SortStableFunc(acl.Ingress, byNumber)
		slices.SortStableFunc(acl.Egress, byNumber)
		vpc.NetworkACLs = append(vpc.NetworkACLs, acl)
	}
}

// prefixList finds a customer's list or one of AWS's, nil if there is none.
func (in *inputs) prefixList(id resource.PrefixListID) *resource.PrefixList {
	if p, ok := state.Get[*resource.PrefixList](in.reader, id); ok {
		return p
	}
	return in.awsListsByID[id]
}

// prefixes are the blocks of a list, ordered, each once.
func prefixes(p *resource.PrefixList) []netip.Prefix {
	if p == nil {
		return nil
	}
	var out []netip.Prefix
	for _, e := range p.Entries {
		if e.CIDR.IsValid() {
			out = append(out, e.CIDR.Masked())
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}

func (in *inputs) addPrefixLists(vpc *VPC, used prefixListUse) {
	for id := range used {
		p := in.prefixList(id)
		vpc.PrefixLists = append(vpc.PrefixLists, &PrefixList{ID: id, Name: p.Name, Prefixes: prefixes(p)})
	}
	slices.SortFunc(vpc.PrefixLists, func(a, b *PrefixList) int { return cmp.Compare(a.ID, b.ID) })
}
