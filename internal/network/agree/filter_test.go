package agree

import (
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// The ports that probes go to. Where they come from is anything from 1024 up.
const (
	portHTTPS = 443
	portOther = 8080
	portUDP   = 5300
	portDNS   = 53
)

const (
	icmp = 1
	tcp  = 6
	udp  = 17
)

// acl makes a network ACL. A random one has gaps and rarely a catch-all: most mistakes are there.
func (g *generator) acl(tx *state.Tx, p *plot, random bool) {
	id := resource.NetworkACLID(g.id("acl"))
	n := &resource.NetworkACL{ID: id, VPCID: p.id, IsDefault: !random}
	for _, egress := range []bool{false, true} {
		if !random || g.chance(25) {
			n.Entries = append(n.Entries, resource.NetworkACLEntry{
				RuleNumber: 100, Egress: egress, Protocol: resource.AllProtocols, Allow: true,
				CIDR: netip.MustParsePrefix("0.0.0.0/0"), ICMPType: -1, ICMPCode: -1,
			})
		}
		if !random || g.chance(25) {
			n.Entries = append(n.Entries, resource.NetworkACLEntry{
				RuleNumber: 101, Egress: egress, Protocol: resource.AllProtocols, Allow: true, CIDR: everywhere6, ICMPType: -1, ICMPCode: -1,
			})
		}
		if random {
			for i := range 2 + g.rng.IntN(4) {
				e := g.entry(p.cidr, egress, 20*(i+1)+g.rng.IntN(20))
				if e.RuleNumber == 101 {
					e.RuleNumber-- // that of IPv6
				}
				e6 := g.entry6(p, egress, e.RuleNumber)
				n.Entries = append(n.Entries, e, e6)
				if g.chance(40) { // a wider one behind it that says the opposite: the order decides
					n.Entries = append(n.Entries, opposite(e), opposite(e6))
				}
			}
		}
	}
	p.acls = append(p.acls, id)
	tx.Put(n)
}

// opposite matches whatever e matches, and more, and decides otherwise.
func opposite(e resource.NetworkACLEntry) resource.NetworkACLEntry {
	all := netip.MustParsePrefix("0.0.0.0/0")
	if e.CIDR.Addr().Is6() {
		all = everywhere6
	}
	e.RuleNumber, e.Allow, e.CIDR = e.RuleNumber+200, !e.Allow, all
	return e
}

func (g *generator) entry(vpc netip.Prefix, egress bool, number int) resource.NetworkACLEntry {
	e := resource.NetworkACLEntry{
		RuleNumber: number, Egress: egress, Allow: g.chance(70), Protocol: g.protocol(), CIDR: g.block(vpc),
		ICMPType: -1, ICMPCode: -1,
	}
	switch e.Protocol {
	case tcp, udp:
		r := pick(g, [][2]int{
			{0, 65535}, {portHTTPS, portHTTPS}, {1024, 65535}, {32768, 60999}, {1024, 30000}, {portUDP, portOther}, {30001, 65535}, {1, 1023},
		})
		e.FromPort, e.ToPort = r[0], r[1]
	case icmp:
		r := pick(g, [][2]int{{-1, -1}, {8, -1}, {0, -1}, {8, 0}, {0, 0}, {3, -1}})
		e.ICMPType, e.ICMPCode = r[0], r[1]
	}
	return e
}

func (g *generator) protocol() int {
	return pick(g, []int{resource.AllProtocols, resource.AllProtocols, tcp, tcp, tcp, udp, udp, icmp, 47})
}

// block is one that has to do with what probes go to.
func (g *generator) block(vpc netip.Prefix) netip.Prefix {
	switch n := g.rng.IntN(20); {
	case n < 8:
		return netip.MustParsePrefix("0.0.0.0/0")
	case n < 11:
		return vpc
	case n < 15:
		return subnetOf(vpc, 1+g.rng.IntN(3))
	case n < 16:
		s := subnetOf(vpc, 1+g.rng.IntN(3))
		return netip.PrefixFrom(s.Addr(), 25)
	case n < 18:
		return netip.MustParsePrefix("52.0.0.0/8")
	case n < 19:
		return netip.MustParsePrefix("34.210.0.0/24")
	default:
		return netip.MustParsePrefix("100.64.0.0/10")
	}
}

// rules are those of a group: the open one lets everything pass.
func (g *generator) rules(p *plot, open bool) []resource.SecurityGroupRule {
	var out []resource.SecurityGroupRule
	for _, egress := range []bool{false, true} {
		if open || egress && g.chance(40) {
			out = append(out, resource.SecurityGroupRule{
				ID: g.ruleID(), Egress: egress, Protocol: resource.AllProtocols, FromPort: -1, ToPort: -1,
				CIDR: netip.MustParsePrefix("0.0.0.0/0"),
			})
			if open || g.chance(60) {
				out = append(out, resource.SecurityGroupRule{
					ID: g.ruleID(), Egress: egress, Protocol: resource.AllProtocols, FromPort: -1, ToPort: -1, CIDR: everywhere6,
				})
			}
			continue
		}
		for range g.rng.IntN(4) {
			out = append(out, g.rule(p, egress))
			if p.cidr6.IsValid() {
				out = append(out, g.rule6(p, g.rule(p, egress)))
			}
		}
	}
	return out
}

func (g *generator) ruleID() resource.SecurityGroupRuleID {
	return resource.SecurityGroupRuleID(g.id("sgr"))
}

func (g *generator) rule(p *plot, egress bool) resource.SecurityGroupRule {
	r := resource.SecurityGroupRule{ID: g.ruleID(), Egress: egress, Protocol: g.protocol(), FromPort: -1, ToPort: -1}
	switch r.Protocol {
	case tcp, udp:
		ports := pick(g, [][2]int{{0, 65535}, {portHTTPS, portHTTPS}, {portHTTPS, portOther}, {portOther, portOther}, {1, portUDP}, {portUDP, portUDP}})
		r.FromPort, r.ToPort = ports[0], ports[1]
	case icmp:
		kind := pick(g, [][2]int{{-1, -1}, {8, -1}, {8, 0}, {0, -1}, {3, 4}})
		r.FromPort, r.ToPort = kind[0], kind[1]
	}
	switch n := g.rng.IntN(10); {
	case n < 4:
		r.CIDR = g.block(p.cidr)
	case n < 6 && len(p.peers) > 0 && g.chance(50):
		peer := pick(g, p.peers)
		r.GroupID, r.GroupVPCID = pick(g, peer.groups), peer.id
	case n < 6:
		r.GroupID = pick(g, p.groups)
	case n < 8:
		r.PrefixListID = p.list
	case n < 9:
		r.PrefixListID = "pl-68a54001" // AWS's for S3
	default:
		r.CIDR = netip.PrefixFrom(pick(g, p.addresses), 32)
	}
	return r
}
