package linux

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"golang.org/x/sys/unix"
)

// securityGroup is two chains that accept or return, and the set of its members' addresses. Changing a rule
// is one flush and refill, however many interfaces carry the group.
func (c *compiler) securityGroup(g *topology.SecurityGroup) {
	c.members(g.ID, g.Members)
	c.chain(chainName(string(g.ID))+"_in", nil, c.groupRules(g.Ingress, sourceIn, sourceInSet)...)
	c.chain(chainName(string(g.ID))+"_out", nil, c.groupRules(g.Egress, destinationIn, destinationInSet)...)
}

// members is the set of the addresses that a group stands for in rules.
func (c *compiler) members(id resource.SecurityGroupID, addresses []netip.Addr) {
	set := c.set(memberSet(id), dataType{}, typeAddress)
	for _, a := range addresses {
		if a.Is4() {
			set.elements = append(set.elements, element{text: a.String(), key: addressKey(a)})
		}
	}
}

// groupRules compiles one direction. Two AWS rules may become one text; the second adds nothing.
func (c *compiler) groupRules(rules []topology.Rule, block func(netip.Prefix) part, peers func(string) part) []rule {
	var out []rule
	for _, r := range rules {
		peer, ok := c.peer(r, block, peers)
		if !ok {
			continue
		}
		parts := append([]part{peer}, portParts(r.Protocol, r.FromPort, r.ToPort)...)
		compiled := makeRule(append(parts, accept())...)
		if !slices.ContainsFunc(out, func(o rule) bool { return o.text == compiled.text }) {
			out = append(out, compiled)
		}
	}
	return out
}

// peer matches the other end. A rule whose peer is not known, or not IPv4, allows nothing.
func (c *compiler) peer(r topology.Rule, block func(netip.Prefix) part, peers func(string) part) (part, bool) {
	switch {
	case r.GroupID != "":
		_, known := c.vpc.Members(r.GroupID)
		return peers(memberSet(r.GroupID)), known
	case r.PrefixListID != "":
		return peers(prefixSet(r.PrefixListID)), c.vpc.PrefixList(r.PrefixListID) != nil
	case r.CIDR.IsValid() && r.CIDR.Addr().Is4():
		return block(r.CIDR), true
	}
	return part{}, false
}

// portParts matches a protocol and, where it has such, ports, or ICMP type and code.
func portParts(p, from, to int) []part {
	switch p {
	case resource.AllProtocols:
		return nil
	case unix.IPPROTO_TCP, unix.IPPROTO_UDP:
		if from < 0 || from == 0 && to == 65535 {
			return []part{protocol(p)}
		}
		return []part{protocol(p), destinationPorts(from, to)}
	case unix.IPPROTO_ICMP:
		return icmpParts(from, to)
	}
	return []part{protocol(p)}
}

func icmpParts(kind, code int) []part {
	parts := []part{protocol(unix.IPPROTO_ICMP)}
	if kind >= 0 {
		parts = append(parts, icmpHeader(0, kind))
	}
	if code >= 0 {
		parts = append(parts, icmpHeader(1, code))
	}
	return parts
}

// combination is the chain pair that all interfaces with these groups share. What no group accepts is dropped.
func (c *compiler) combination(name string, ids []resource.SecurityGroupID) {
	for _, direction := range []string{"_in", "_out"} {
		var rules []rule
		for _, id := range ids {
			if c.vpc.SecurityGroup(id) != nil {
				rules = append(rules, makeRule(jump(chainName(string(id))+direction)))
			}
		}
		c.chain(name+direction, nil, append(rules, makeRule(tell(string(dataplane.StageGroups), direction[1:]), counter(), drop()))...)
	}
}

func combinationName(ids []resource.SecurityGroupID) string {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	h := sha256.New()
	for _, id := range sorted {
		h.Write([]byte(id + "\n"))
	}
	return "groups_" + hex.EncodeToString(h.Sum(nil)[:8])
}

func chainName(id string) string { return strings.ReplaceAll(id, "-", "_") }

func memberSet(id resource.SecurityGroupID) string { return "members_" + chainName(string(id)) }
func prefixSet(id resource.PrefixListID) string    { return "prefixes_" + chainName(string(id)) }
