package ec2

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// IANA's numbers of the protocols that EC2 knows by name.
const (
	protocolICMP   = 1
	protocolTCP    = 6
	protocolUDP    = 17
	protocolICMPv6 = 58
)

// parseProtocol reads a protocol's name or number.
func parseProtocol(s string) (int, error) {
	switch strings.ToLower(s) {
	case "-1", "all":
		return resource.AllProtocols, nil
	case "tcp":
		return protocolTCP, nil
	case "udp":
		return protocolUDP, nil
	case "icmp":
		return protocolICMP, nil
	case "icmpv6":
		return protocolICMPv6, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 255 {
		return 0, api.Errorf("InvalidParameterValue", "Invalid value '%s' for IP protocol. Unknown protocol.", s)
	}
	return n, nil
}

func protocolName(n int) string {
	switch n {
	case protocolTCP:
		return "tcp"
	case protocolUDP:
		return "udp"
	case protocolICMP:
		return "icmp"
	case protocolICMPv6:
		return "icmpv6"
	}
	return strconv.Itoa(n)
}

// parsePorts reads what a rule says about ports, or type and code. For protocols without ports it does not
// matter what a caller says: some send zeros, some nothing.
func parsePorts(protocol int, from, to *int64) (int, int, error) {
	switch protocol {
	case protocolTCP, protocolUDP:
		if from == nil || to == nil {
			return 0, 0, api.Errorf("InvalidParameterValue", "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
		}
		for _, p := range []int64{*from, *to} {
			if p < 0 || p > 65535 {
				return 0, 0, api.Errorf("InvalidParameterValue", "TCP/UDP port (%d) out of range", p)
			}
		}
		if *from > *to {
			return 0, 0, api.Errorf("InvalidParameterValue", "Invalid TCP/UDP port range (%d:%d)", *from, *to)
		}
		return int(*from), int(*to), nil
	case protocolICMP, protocolICMPv6:
		return parseICMP(from, to)
	}
	return -1, -1, nil
}

func parseICMP(icmpType, code *int64) (int, int, error) {
	t, c := int64(-1), int64(-1)
	if icmpType != nil {
		t = *icmpType
	}
	if code != nil {
		c = *code
	}
	if t < -1 || t > 255 {
		return 0, 0, api.Errorf("InvalidParameterValue", "ICMP type (%d) out of range", t)
	}
	if c < -1 || c > 255 || t == -1 && c != -1 {
		return 0, 0, api.Errorf("InvalidParameterValue", "ICMP code (%d) out of range", c)
	}
	return int(t), int(c), nil
}

// rulesOf makes one rule, still without an id, for each peer of each permission.
func rulesOf(r state.Reader, g *resource.SecurityGroup, egress bool, in []IpPermission) ([]resource.SecurityGroupRule, error) {
	var out []resource.SecurityGroupRule
	for _, p := range in {
		if !given(p.IpProtocol) {
			return nil, missing("ipProtocol")
		}
		protocol, err := parseProtocol(*p.IpProtocol)
		if err != nil {
			return nil, err
		}
		from, to, err := parsePorts(protocol, p.FromPort, p.ToPort)
		if err != nil {
			return nil, err
		}
		peers, err := peersOf(r, g, p)
		if err != nil {
			return nil, err
		}
		for _, rule := range peers {
			rule.Egress, rule.Protocol, rule.FromPort, rule.ToPort = egress, protocol, from, to
			out = append(out, rule)
		}
	}
	if len(out) == 0 {
		return nil, missing("ipPermissions")
	}
	return out, nil
}

// peersOf makes a rule with nothing but its peer and its description for each of a permission's.
func peersOf(r state.Reader, g *resource.SecurityGroup, p IpPermission) ([]resource.SecurityGroupRule, error) {
	var out []resource.SecurityGroupRule
	for _, c := range p.IpRanges {
		block, err := parseRange(value(c.CidrIp), netip.Addr.Is4)
		if err != nil {
			return nil, err
		}
		out = append(out, resource.SecurityGroupRule{CIDR: block, Description: value(c.Description)})
	}
	for _, c := range p.Ipv6Ranges {
		block, err := parseRange(value(c.CidrIpv6), netip.Addr.Is6)
		if err != nil {
			return nil, err
		}
		out = append(out, resource.SecurityGroupRule{CIDR: block, Description: value(c.Description)})
	}
	for _, l := range p.PrefixListIds {
		list, err := find[*resource.PrefixList](r, nounPrefixList, "prefixListId", l.PrefixListId)
		if err != nil {
			return nil, err
		}
		out = append(out, resource.SecurityGroupRule{PrefixListID: list.ID, Description: value(l.Description)})
	}
	for _, u := range p.UserIdGroupPairs {
		rule, err := referencedGroup(r, g, u)
		if err != nil {
			return nil, err
		}
		rule.Description = value(u.Description)
		out = append(out, rule)
	}
	if len(out) == 0 {
		return nil, api.Errorf("MissingParameter", "The request must contain a CIDR block, a prefix list or a security group for each permission")
	}
	for _, rule := range out {
		if err := checkRuleDescription(rule.Description); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseRange(s string, family func(netip.Addr) bool) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || !family(p.Addr()) {
		return netip.Prefix{}, api.Errorf("InvalidParameterValue", "CIDR block %s is malformed", s)
	}
	return p.Masked(), nil
}

func checkRuleDescription(s string) error {
	if len(s) > 255 {
		return api.Errorf("InvalidParameterValue", "Invalid rule description: '%s' is longer than 255 characters.", s)
	}
	return checkGroupText("description", s)
}

// referencedGroup finds the group that a rule names: one of the same VPC, or of one that is peered with it.
func referencedGroup(r state.Reader, g *resource.SecurityGroup, u UserIdGroupPair) (resource.SecurityGroupRule, error) {
	var none resource.SecurityGroupRule
	if given(u.UserId) && *u.UserId != r.Account() {
		return none, unsupported("Security groups of other accounts are not supported in this region.")
	}
	if !given(u.GroupId) && given(u.GroupName) {
		return none, api.Errorf("InvalidParameterValue", "Invalid value '%s' for groupName. You may not reference Amazon VPC security groups by name. Please use the corresponding id for this operation.", *u.GroupName)
	}
	other, err := find[*resource.SecurityGroup](r, vpcnet.Group, "groupId", u.GroupId)
	switch {
	case err != nil:
		return staleReference(g, u, err)
	case other.VPCID == g.VPCID:
		return resource.SecurityGroupRule{GroupID: other.ID}, nil
	}
	rule := resource.SecurityGroupRule{GroupID: other.ID, GroupVPCID: other.VPCID}
	p := peeringBetween(r, g.VPCID, other.VPCID)
	if p == nil || p.State != resource.PeeringActive || given(u.VpcPeeringConnectionId) && *u.VpcPeeringConnectionId != string(p.ID) {
		return staleReference(g, u, api.Errorf("InvalidGroup.NotFound", "You have specified two resources that belong to different networks."))
	}
	return rule, nil
}

// staleReference lets calls still name a group of a peered VPC that a rule of g names, when the group or the peering
// connection is gone: how else could the rule be revoked? Such a rule allows nothing.
func staleReference(g *resource.SecurityGroup, u UserIdGroupPair, err error) (resource.SecurityGroupRule, error) {
	for _, r := range g.Rules {
		if r.GroupVPCID != "" && string(r.GroupID) == value(u.GroupId) {
			return resource.SecurityGroupRule{GroupID: r.GroupID, GroupVPCID: r.GroupVPCID}, nil
		}
	}
	return resource.SecurityGroupRule{}, err
}

// sameRule reports whether two rules allow the same.
func sameRule(a, b resource.SecurityGroupRule) bool {
	return a.Egress == b.Egress && a.Protocol == b.Protocol && a.FromPort == b.FromPort && a.ToPort == b.ToPort &&
		a.CIDR == b.CIDR && a.GroupID == b.GroupID && a.PrefixListID == b.PrefixListID
}

// describeRule is how AWS speaks of a rule in errors.
func describeRule(r resource.SecurityGroupRule) string {
	peer := string(r.GroupID) + string(r.PrefixListID)
	if r.CIDR.IsValid() {
		peer = r.CIDR.String()
	}
	switch r.Protocol {
	case resource.AllProtocols:
		return fmt.Sprintf("peer: %s, ALL, ALLOW", peer)
	case protocolTCP, protocolUDP:
		return fmt.Sprintf("peer: %s, %s, from port: %d, to port: %d, ALLOW", peer, strings.ToUpper(protocolName(r.Protocol)), r.FromPort, r.ToPort)
	case protocolICMP, protocolICMPv6:
		return fmt.Sprintf("peer: %s, %s, type: %s, code: %s, ALLOW", peer, strings.ToUpper(protocolName(r.Protocol)), orAll(r.FromPort), orAll(r.ToPort))
	}
	return fmt.Sprintf("peer: %s, %d, ALLOW", peer, r.Protocol)
}

func orAll(n int) string {
	if n < 0 {
		return "ALL"
	}
	return strconv.Itoa(n)
}

// permissions is a group's rules of one direction as DescribeSecurityGroups shows them: those with equal
// protocol and ports are one permission, in the order in which the first of each was made.
func permissions(r state.Reader, g *resource.SecurityGroup, egress bool) []IpPermission {
	out := []IpPermission{}
	type key struct{ protocol, from, to int }
	at := map[key]int{}
	for _, rule := range g.Rules {
		if rule.Egress != egress {
			continue
		}
		k := key{rule.Protocol, rule.FromPort, rule.ToPort}
		if _, ok := at[k]; !ok {
			at[k] = len(out)
			out = append(out, newPermission(rule))
		}
		addPeer(r, g, &out[at[k]], rule)
	}
	return out
}

func newPermission(rule resource.SecurityGroupRule) IpPermission {
	p := IpPermission{
		IpProtocol: new(protocolName(rule.Protocol)),
		IpRanges:   []IpRange{}, Ipv6Ranges: []Ipv6Range{}, PrefixListIds: []PrefixListId{}, UserIdGroupPairs: []UserIdGroupPair{},
	}
	if hasPorts(rule.Protocol) {
		p.FromPort, p.ToPort = new(int64(rule.FromPort)), new(int64(rule.ToPort))
	}
	return p
}

func hasPorts(protocol int) bool {
	switch protocol {
	case protocolTCP, protocolUDP, protocolICMP, protocolICMPv6:
		return true
	}
	return false
}

func addPeer(r state.Reader, g *resource.SecurityGroup, p *IpPermission, rule resource.SecurityGroupRule) {
	var description *string
	if rule.Description != "" {
		description = new(rule.Description)
	}
	switch {
	case rule.GroupID != "":
		p.UserIdGroupPairs = append(p.UserIdGroupPairs, groupPair(r, g, rule, description))
	case rule.PrefixListID != "":
		p.PrefixListIds = append(p.PrefixListIds, PrefixListId{Description: description, PrefixListId: new(string(rule.PrefixListID))})
	case rule.CIDR.Addr().Is6():
		p.Ipv6Ranges = append(p.Ipv6Ranges, Ipv6Range{Description: description, CidrIpv6: new(rule.CIDR.String())})
	default:
		p.IpRanges = append(p.IpRanges, IpRange{Description: description, CidrIp: new(rule.CIDR.String())})
	}
}
