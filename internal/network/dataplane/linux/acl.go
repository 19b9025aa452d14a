package linux

import (
	"net/netip"
	"strconv"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"golang.org/x/sys/unix"
)

// networkACL is two chains that always decide: entries in order, then the deny that ends every ACL. They do
// not look at connection tracking, so replies need entries of their own.
func (c *compiler) networkACL(a *topology.NetworkACL) {
	name := chainName(string(a.ID))
	for _, f := range c.families() {
		c.chain(name+"_in"+f.suffix, nil, entryRules(f, a.Ingress, sourceIn, tellACL(a.ID, false))...)
		c.chain(name+"_out"+f.suffix, nil, entryRules(f, a.Egress, destinationIn, tellACL(a.ID, true))...)
	}
}

// tellACL tells what an entry denies.
func tellACL(id resource.NetworkACLID, egress bool) func(entry string) part {
	return func(entry string) part {
		return tell(string(dataplane.StageACL), directionWord(egress), string(id), entry)
	}
}

func entryRules(f family, entries []topology.Entry, block func(netip.Prefix) part, denied func(entry string) part) []rule {
	var out []rule
	for _, e := range entries {
		if !f.has(e.CIDR) {
			continue
		}
		parts := append([]part{block(e.CIDR)}, entryParts(e)...)
		if e.Allow {
			parts = append(parts, accept())
		} else {
			parts = append(parts, denied(strconv.Itoa(e.Number)), counter(), drop())
		}
		out = append(out, makeRule(parts...))
	}
	return append(out, makeRule(denied("*"), counter(), drop()))
}

func entryParts(e topology.Entry) []part {
	if e.Protocol == unix.IPPROTO_ICMP || e.Protocol == unix.IPPROTO_ICMPV6 {
		return icmpParts(e.Protocol, e.ICMPType, e.ICMPCode)
	}
	return portParts(e.Protocol, e.FromPort, e.ToPort)
}

// missingACL stands in for an ACL that the topology does not have.
func (c *compiler) missingACL() {
	for _, ch := range c.rules.chains {
		if ch.name == "acl_missing_in" {
			return
		}
	}
	for _, f := range c.families() {
		c.chain("acl_missing_in"+f.suffix, nil, makeRule(tellACL("missing", false)("none"), counter(), drop()))
		c.chain("acl_missing_out"+f.suffix, nil, makeRule(tellACL("missing", true)("none"), counter(), drop()))
	}
}
