package ec2

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Numbers of entries: what a user may give, and the final deny that is always there.
const (
	lastEntry     = 32766
	finalDeny     = 32767
	finalIPv6Deny = 32768 // in VPCs with IPv6
	actionAllow   = "allow"
	actionDeny    = "deny"
	everyIPv4     = "0.0.0.0/0"
	everyIPv6     = "::/0"
)

func (s *ec2) createNetworkACLEntry(tx *state.Tx, _ *api.Call, in *CreateNetworkAclEntryInput) (*CreateNetworkAclEntryOutput, error) {
	n, err := find[*resource.NetworkACL](tx, nounNetworkACL, "networkAclId", in.NetworkAclId)
	if err != nil {
		return nil, err
	}
	e, err := parseEntry(in)
	if err != nil {
		return nil, err
	}
	if entryIndex(n, e.RuleNumber, e.Egress) >= 0 {
		return nil, api.Errorf("NetworkAclEntryAlreadyExists", "The network acl entry identified by %d already exists.", e.RuleNumber)
	}
	c := *n
	c.Entries = append(slices.Clone(n.Entries), e)
	count := 0
	for _, other := range c.Entries {
		if other.Egress == e.Egress && other.CIDR.Addr().Is4() == e.CIDR.Addr().Is4() {
			count++
		}
	}
	if count > tx.Quota(resource.QuotaNetworkACLEntries) {
		return nil, api.Errorf("NetworkAclEntryLimitExceeded", "The maximum number of network acl entries has been reached.")
	}
	slices.SortFunc(c.Entries, func(a, b resource.NetworkACLEntry) int { return cmp.Compare(a.RuleNumber, b.RuleNumber) })
	tx.Put(&c)
	return &CreateNetworkAclEntryOutput{}, nil
}

func (s *ec2) replaceNetworkACLEntry(tx *state.Tx, _ *api.Call, in *ReplaceNetworkAclEntryInput) (*ReplaceNetworkAclEntryOutput, error) {
	n, err := find[*resource.NetworkACL](tx, nounNetworkACL, "networkAclId", in.NetworkAclId)
	if err != nil {
		return nil, err
	}
	create := CreateNetworkAclEntryInput(*in)
	e, err := parseEntry(&create)
	if err != nil {
		return nil, err
	}
	at := entryIndex(n, e.RuleNumber, e.Egress)
	if at < 0 {
		return nil, noSuchEntry(n, e.RuleNumber, e.Egress)
	}
	c := *n
	c.Entries = slices.Clone(n.Entries)
	c.Entries[at] = e
	tx.Put(&c)
	return &ReplaceNetworkAclEntryOutput{}, nil
}

func (s *ec2) deleteNetworkACLEntry(tx *state.Tx, _ *api.Call, in *DeleteNetworkAclEntryInput) (*DeleteNetworkAclEntryOutput, error) {
	n, err := find[*resource.NetworkACL](tx, nounNetworkACL, "networkAclId", in.NetworkAclId)
	if err != nil {
		return nil, err
	}
	rule := int(value(in.RuleNumber))
	at := entryIndex(n, rule, value(in.Egress))
	if at < 0 {
		return nil, noSuchEntry(n, rule, value(in.Egress))
	}
	c := *n
	c.Entries = slices.Delete(slices.Clone(n.Entries), at, at+1)
	tx.Put(&c)
	return &DeleteNetworkAclEntryOutput{}, nil
}

func entryIndex(n *resource.NetworkACL, rule int, egress bool) int {
	return slices.IndexFunc(n.Entries, func(e resource.NetworkACLEntry) bool { return e.RuleNumber == rule && e.Egress == egress })
}

func noSuchEntry(n *resource.NetworkACL, rule int, egress bool) error {
	direction := "ingress"
	if egress {
		direction = "egress"
	}
	return api.Errorf("InvalidNetworkAclEntry.NotFound", "The specified network acl entry does not exist: %s entry %d of %s", direction, rule, n.ID)
}

func parseEntry(in *CreateNetworkAclEntryInput) (resource.NetworkACLEntry, error) {
	e := resource.NetworkACLEntry{Egress: value(in.Egress)}
	if in.RuleNumber == nil {
		return e, missing("ruleNumber")
	}
	if *in.RuleNumber < 1 || *in.RuleNumber > lastEntry {
		return e, invalidValue("ruleNumber", strconv.FormatInt(*in.RuleNumber, 10))
	}
	e.RuleNumber = int(*in.RuleNumber)
	switch value(in.RuleAction) {
	case actionAllow:
		e.Allow = true
	case actionDeny:
	default:
		return e, invalidValue("ruleAction", value(in.RuleAction))
	}
	var err error
	if e.CIDR, err = parseEntryBlock(in); err != nil {
		return e, err
	}
	if !given(in.Protocol) {
		return e, missing("protocol")
	}
	if e.Protocol, err = parseProtocol(*in.Protocol); err != nil {
		return e, err
	}
	err = parseEntryPorts(&e, in)
	return e, err
}

func parseEntryBlock(in *CreateNetworkAclEntryInput) (netip.Prefix, error) {
	switch {
	case given(in.CidrBlock) && given(in.Ipv6CidrBlock):
		return netip.Prefix{}, api.Errorf("InvalidParameterCombination", "The parameters cidrBlock and ipv6CidrBlock cannot be used together.")
	case given(in.Ipv6CidrBlock):
		return parseIPv6CIDR("ipv6CidrBlock", *in.Ipv6CidrBlock)
	}
	return parseCIDR("cidrBlock", in.CidrBlock)
}

// parseEntryPorts reads ports or type and code. Protocols that have neither take none: what a caller says then
// does not count.
func parseEntryPorts(e *resource.NetworkACLEntry, in *CreateNetworkAclEntryInput) error {
	switch e.Protocol {
	case protocolTCP, protocolUDP:
		if in.PortRange == nil {
			return missing("portRange")
		}
		from, to, err := parsePorts(e.Protocol, in.PortRange.From, in.PortRange.To)
		e.FromPort, e.ToPort = from, to
		return err
	case protocolICMP, protocolICMPv6:
		if in.IcmpTypeCode == nil {
			return missing("icmpTypeCode")
		}
		t, c, err := parseICMP(in.IcmpTypeCode.Type, in.IcmpTypeCode.Code)
		e.ICMPType, e.ICMPCode = t, c
		return err
	}
	return nil
}

// entriesOutput lists the entries, each direction closed by the final deny, one for each family that the VPC has.
func entriesOutput(r state.Reader, n *resource.NetworkACL) []NetworkAclEntry {
	v, ok := state.Get[*resource.VPC](r, n.VPCID)
	var out []NetworkAclEntry
	for _, egress := range []bool{true, false} {
		for _, e := range n.Entries {
			if e.Egress == egress {
				out = append(out, entryOutput(e))
			}
		}
		out = append(out, NetworkAclEntry{
			CidrBlock: new(everyIPv4), Egress: new(egress), Protocol: new("-1"),
			RuleAction: new(actionDeny), RuleNumber: new(int64(finalDeny)),
		})
		if ok && len(v.IPv6CIDRs) > 0 {
			out = append(out, NetworkAclEntry{
				Ipv6CidrBlock: new(everyIPv6), Egress: new(egress), Protocol: new("-1"),
				RuleAction: new(actionDeny), RuleNumber: new(int64(finalIPv6Deny)),
			})
		}
	}
	return out
}

func entryOutput(e resource.NetworkACLEntry) NetworkAclEntry {
	out := NetworkAclEntry{
		Egress:     new(e.Egress),
		Protocol:   new(strconv.Itoa(e.Protocol)),
		RuleAction: new(actionDeny),
		RuleNumber: new(int64(e.RuleNumber)),
	}
	if e.Allow {
		out.RuleAction = new(actionAllow)
	}
	if e.CIDR.Addr().Is4() {
		out.CidrBlock = new(e.CIDR.String())
	} else {
		out.Ipv6CidrBlock = new(e.CIDR.String())
	}
	switch e.Protocol {
	case protocolTCP, protocolUDP:
		out.PortRange = &PortRange{From: new(int64(e.FromPort)), To: new(int64(e.ToPort))}
	case protocolICMP, protocolICMPv6:
		out.IcmpTypeCode = &IcmpTypeCode{Type: new(int64(e.ICMPType)), Code: new(int64(e.ICMPCode))}
	}
	return out
}
