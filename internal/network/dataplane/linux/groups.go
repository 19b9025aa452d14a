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
	for _, f := range c.families() {
		c.chain(chainName(string(g.ID))+"_in"+f.suffix, nil, c.groupRules(f, g.Ingress, sourceIn, f.sourceInSet)...)
		c.chain(chainName(string(g.ID))+"_out"+f.suffix, nil, c.groupRules(f, g.Egress, destinationIn, f.destinationInSet)...)
	}
}

// members is the set of the addresses that a group stands for in rules.
func (c *compiler) members(id resource.SecurityGroupID, addresses []netip.Addr) {
	for _, f := range c.families() {
		set := c.set(memberSet(id)+f.suffix, dataType{}, f.address)
		for _, a := range addresses {
			if a.Is6() == f.ipv6 {
				set.elements = append(set.elements, element{text: a.String(), key: addressKey(a)})
			}
		}
	}
}

// groupRules compiles one direction. Two AWS rules may become one text; the second adds nothing.
func (c *compiler) groupRules(f family, rules []topology.Rule, block func(netip.Prefix) part, peers func(string) part) []rule {
	var out []rule
	for _, r := range rules {
		peer, ok := c.peer(f, r, block, peers)
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

// peer matches the other end. A rule whose peer is not known, or of the other family, allows nothing.
func (c *compiler) peer(f family, r topology.Rule, block func(netip.Prefix) part, peers func(string) part) (part, bool) {
	switch {
	case r.GroupID != "":
		_, known := c.vpc.Members(r.GroupID)
		return peers(memberSet(r.GroupID) + f.suffix), known
	case r.PrefixListID != "":
		return peers(prefixSet(r.PrefixListID) + f.suffix), c.vpc.PrefixList(r.PrefixListID) != nil
	case f.has(r.CIDR):
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
	case unix.IPPROTO_ICMP, unix.IPPROTO_ICMPV6:
		return icmpParts(p, from, to)
	}
	return []part{protocol(p)}
}

func icmpParts(p, kind, code int) []part {
	parts := []part{protocol(p)}
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
	for _, f := range c.families() {
		for _, direction := range []string{"_in", "_out"} {
			var rules []rule
			for _, id := range ids {
				if c.vpc.SecurityGroup(id) != nil {
					rules = append(rules, makeRule(jump(chainName(string(id))+direction+f.suffix)))
				}
			}
			c.chain(name+direction+f.suffix, nil, append(rules, makeRule(tell(string(dataplane.StageGroups), direction[1:]), counter(), drop()))...)
		}
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
