package resource

import "net/netip"

// SecurityGroup is a stateful set of allow rules for the interfaces that carry it.
type SecurityGroup struct {
	ID          SecurityGroupID
	VPCID       VPCID
	Name        string
	Description string
	Rules       []SecurityGroupRule
	Tags        Tags
}

func (*SecurityGroup) Kind() Kind    { return KindSecurityGroup }
func (g *SecurityGroup) Key() string { return string(g.ID) }

// AllProtocols is "-1": every protocol, ports do not matter.
const AllProtocols = -1

// SecurityGroupRule allows one source (ingress) or destination (egress). Exactly one of CIDR (valid),
// GroupID and PrefixListID is set.
type SecurityGroupRule struct {
	ID           SecurityGroupRuleID
	Egress       bool
	Protocol     int // IANA number, or AllProtocols
	FromPort     int // TCP/UDP: first port; ICMP: type, -1 any. -1 with AllProtocols
	ToPort       int // TCP/UDP: last port; ICMP: code, -1 any. -1 with AllProtocols
	CIDR         netip.Prefix
	GroupID      SecurityGroupID
	GroupVPCID   VPCID // of GroupID, if that is in a peered VPC; empty: the same VPC
	PrefixListID PrefixListID
	Description  string
	Tags         Tags
}

// NetworkACL is a stateless, ordered list of allow and deny entries at a subnet's edge.
// The final deny (32767) is not stored: it always follows.
type NetworkACL struct {
	ID        NetworkACLID
	VPCID     VPCID
	IsDefault bool
	Entries   []NetworkACLEntry
	Tags      Tags
}

func (*NetworkACL) Kind() Kind    { return KindNetworkACL }
func (n *NetworkACL) Key() string { return string(n.ID) }

// NetworkACLEntry is one numbered rule of a network ACL.
type NetworkACLEntry struct {
	RuleNumber int // 1..32766
	Egress     bool
	Protocol   int // IANA number, or AllProtocols
	Allow      bool
	CIDR       netip.Prefix
	FromPort   int // TCP/UDP only
	ToPort     int
	ICMPType   int // ICMP only; -1 any
	ICMPCode   int
}

// PrefixList is a managed prefix list, AWS's own or a customer's.
type PrefixList struct {
	ID         PrefixListID
	Name       string
	MaxEntries int
	Version    int64
	Entries    []PrefixListEntry
	Earlier    []PrefixListVersion // oldest first
	AWSManaged bool
	IPv6       bool // its entries are IPv6 blocks
	Tags       Tags
}

func (*PrefixList) Kind() Kind    { return KindPrefixList }
func (p *PrefixList) Key() string { return string(p.ID) }

// PrefixListVersion is what a list had before it was changed.
type PrefixListVersion struct {
	Version int64
	Entries []PrefixListEntry
}

// PrefixListEntry is one block of a prefix list.
type PrefixListEntry struct {
	CIDR        netip.Prefix
	Description string
}
