package linux

import (
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"golang.org/x/sys/unix"
)

// networkACL is two chains that always decide: entries in order, then the deny that ends every ACL. They do
// not look at connection tracking, so replies need entries of their own.
func (c *compiler) networkACL(a *topology.NetworkACL) {
	name := chainName(string(a.ID))
	c.chain(name+"_in", nil, entryRules(a.Ingress, sourceIn)...)
	c.chain(name+"_out", nil, entryRules(a.Egress, destinationIn)...)
}

func entryRules(entries []topology.Entry, block func(netip.Prefix) part) []rule {
	var out []rule
	for _, e := range entries {
		if !e.CIDR.IsValid() || !e.CIDR.Addr().Is4() {
			continue
		}
		parts := append([]part{block(e.CIDR)}, entryParts(e)...)
		if e.Allow {
			parts = append(parts, accept())
		} else {
			parts = append(parts, counter(), drop())
		}
		out = append(out, makeRule(parts...))
	}
	return append(out, makeRule(counter(), drop()))
}

func entryParts(e topology.Entry) []part {
	if e.Protocol == unix.IPPROTO_ICMP {
		return icmpParts(e.ICMPType, e.ICMPCode)
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
	c.chain("acl_missing_in", nil, makeRule(counter(), drop()))
	c.chain("acl_missing_out", nil, makeRule(counter(), drop()))
}
