package explain

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// direction is seen from the interface or the subnet.
type direction bool

const (
	ingress direction = false
	egress  direction = true
)

func (d direction) String() string {
	if d == egress {
		return "egress"
	}
	return "ingress"
}

// peer is the address that rules of a direction look at.
func (d direction) peer(p packet) netip.Addr {
	if d == egress {
		return p.dst
	}
	return p.src
}

// allowingRule finds the security group rule that lets a packet pass, of all the groups of an interface.
func allowingRule(vpc *topology.VPC, e *topology.ENI, d direction, p packet) (*topology.SecurityGroup, topology.Rule, bool) {
	for _, id := range e.GroupIDs {
		g := vpc.SecurityGroup(id)
		if g == nil {
			continue
		}
		for _, r := range groupRules(g, d) {
			if ruleMatches(vpc, r, d.peer(p), p) {
				return g, r, true
			}
		}
	}
	return nil, topology.Rule{}, false
}

func groupRules(g *topology.SecurityGroup, d direction) []topology.Rule {
	if d == egress {
		return g.Egress
	}
	return g.Ingress
}

func ruleMatches(vpc *topology.VPC, r topology.Rule, peer netip.Addr, p packet) bool {
	return peerMatches(vpc, r, peer) && trafficMatches(r, p)
}

// peerMatches: a group stands for the private addresses of its members, not for what they look like elsewhere.
func peerMatches(vpc *topology.VPC, r topology.Rule, peer netip.Addr) bool {
	switch {
	case r.GroupID != "":
		members, _ := vpc.Members(r.GroupID)
		return slices.Contains(members, peer)
	case r.PrefixListID != "":
		l := vpc.PrefixList(r.PrefixListID)
		return l != nil && slices.ContainsFunc(l.Prefixes, func(b netip.Prefix) bool { return b.Contains(peer) })
	default:
		return r.CIDR.IsValid() && r.CIDR.Contains(peer)
	}
}

func trafficMatches(r topology.Rule, p packet) bool {
	switch {
	case r.Protocol == resource.AllProtocols:
		return true
	case r.Protocol != p.protocol:
		return false
	case p.hasPorts():
		return r.FromPort < 0 || r.FromPort <= int(p.dport.first) && int(p.dport.last) <= r.ToPort
	case p.isICMP():
		return icmpMatches(r.FromPort, r.ToPort, p)
	default:
		return true
	}
}

func icmpMatches(kind, code int, p packet) bool {
	return (kind < 0 || kind == p.icmpType) && (code < 0 || code == p.icmpCode)
}

// aclDecision is what a network ACL does with a range of ports.
type aclDecision struct {
	allowed bool
	entry   string // that decided: its number, or * for the end of the list
	number  int    // 0: the end of the list
	denied  ports  // the first range that is denied
	partly  bool   // some ports pass
}

// decide goes through an ACL in order. A range of ports passes only as a whole: a client that happens to take a
// port that is denied would hang.
func decide(acl *topology.NetworkACL, d direction, p packet) aclDecision {
	if acl == nil {
		return aclDecision{entry: "none", denied: p.dport}
	}
	entries := acl.Ingress
	if d == egress {
		entries = acl.Egress
	}
	rest := []ports{p.dport}
	out := aclDecision{allowed: true}
	for _, e := range entries {
		if len(rest) == 0 {
			break
		}
		if !e.CIDR.Contains(d.peer(p)) {
			continue
		}
		hit, left := cut(rest, e, p)
		if len(hit) == 0 {
			continue
		}
		rest = left
		out.note(e.Allow, fmt.Sprint(e.Number), e.Number, hit[0])
	}
	if len(rest) > 0 {
		out.note(false, "*", 0, rest[0])
	}
	return out
}

// note records what one entry decided. The first denial stays.
func (a *aclDecision) note(allow bool, entry string, number int, hit ports) {
	switch {
	case allow && a.allowed && a.entry == "":
		a.entry, a.number, a.partly = entry, number, true
	case allow:
		a.partly = true
	case a.allowed:
		a.allowed, a.entry, a.number, a.denied = false, entry, number, hit
	}
}

// cut splits port ranges into those that an entry matches and the rest. Without ports there is one range, 0.
func cut(ranges []ports, e topology.Entry, p packet) (hit, left []ports) {
	first, last := 0, 65535
	switch {
	case e.Protocol == resource.AllProtocols:
	case e.Protocol != p.protocol:
		return nil, ranges
	case p.hasPorts() && e.FromPort >= 0:
		first, last = e.FromPort, e.ToPort
	case p.isICMP() && !icmpMatches(e.ICMPType, e.ICMPCode, p):
		return nil, ranges
	}
	for _, r := range ranges {
		from, to := max(first, int(r.first)), min(last, int(r.last))
		if from > to {
			left = append(left, r)
			continue
		}
		hit = append(hit, ports{uint16(from), uint16(to)})
		if int(r.first) < from {
			left = append(left, ports{r.first, uint16(from - 1)})
		}
		if to < int(r.last) {
			left = append(left, ports{uint16(to + 1), r.last})
		}
	}
	return hit, left
}
