package explain

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// An Edit is one change to a network, as data: words, the command and the Terraform block are made from it, and it
// can be tried on a topology before anybody makes it. Package network/agree makes each one for real.
type Edit interface {
	// Remedy says it to people.
	Remedy() Remedy
	try(d *draft)
}

// AddRule is a new rule of a security group.
type AddRule struct {
	VPC                        resource.VPCID
	Group                      resource.SecurityGroupID
	Egress                     bool
	Protocol, FromPort, ToPort int // as in resource.SecurityGroupRule
	// Exactly one of:
	CIDR         netip.Prefix
	Peer         resource.SecurityGroupID
	PrefixListID resource.PrefixListID
	// PeerVPC has the group Peer, if that is another VPC.
	PeerVPC resource.VPCID

	what string // TCP 443
	note string
	name string // of the Terraform block, if not the usual
}

// Remedy says it to people.
func (e AddRule) Remedy() Remedy {
	d := direction(e.Egress)
	peer, attribute, value := "IpRanges=[{CidrIp="+e.CIDR.String()+"}]", "cidr_ipv4", e.CIDR.String()
	switch {
	case e.Peer != "":
		peer, attribute, value = "UserIdGroupPairs=[{GroupId="+string(e.Peer)+"}]", "referenced_security_group_id", string(e.Peer)
	case e.PrefixListID != "":
		peer, attribute, value = "PrefixListIds=[{PrefixListId="+string(e.PrefixListID)+"}]", "prefix_list_id", string(e.PrefixListID)
	case e.CIDR.Addr().Is6():
		peer, attribute = "Ipv6Ranges=[{CidrIpv6="+value+"}]", "cidr_ipv6"
	}
	protocol, name := ruleProtocol(e.Protocol), cmp.Or(e.name, "allow")
	permission := quoted(fmt.Sprintf("IpProtocol=%s,FromPort=%d,ToPort=%d,%s", protocol, e.FromPort, e.ToPort, peer))
	return Remedy{
		Text: fmt.Sprintf("add an %s rule to %s that allows %s %s %s%s", d, e.Group, e.what, towards(d), value, e.note),
		CLI:  fmt.Sprintf("aws ec2 authorize-security-group-%s --group-id %s --ip-permissions %s", d, e.Group, permission),
		Terraform: block(fmt.Sprintf("aws_vpc_security_group_%s_rule", d), name, "security_group_id", made(string(e.Group)), attribute, made(value),
			"ip_protocol", protocol, "from_port", e.FromPort, "to_port", e.ToPort),
	}
}

// ruleProtocol is a protocol as rules and entries name it.
func ruleProtocol(p int) string {
	switch p {
	case TCP, UDP, ICMP, ICMPv6:
		return strings.ToLower(protocolName(p))
	}
	return fmt.Sprint(p)
}

func (e AddRule) try(d *draft) {
	v := d.vpc(e.VPC)
	rule := topology.Rule{
		ID: "sgr-new", Protocol: e.Protocol, FromPort: e.FromPort, ToPort: e.ToPort, CIDR: e.CIDR, GroupID: e.Peer, PrefixListID: e.PrefixListID,
	}
	v.SecurityGroups = changed(v.SecurityGroups, func(g *topology.SecurityGroup) bool { return g.ID == e.Group }, func(g *topology.SecurityGroup) {
		if e.Egress {
			g.Egress = append(slices.Clone(g.Egress), rule)
		} else {
			g.Ingress = append(slices.Clone(g.Ingress), rule)
		}
	})
	d.usePrefixList(v, e.PrefixListID)
	if e.PeerVPC == "" {
		return
	}
	if _, known := v.Members(e.Peer); known {
		return
	}
	if far := d.top.VPC(e.PeerVPC); far != nil && far.SecurityGroup(e.Peer) != nil {
		v.PeerGroups = append(slices.Clone(v.PeerGroups), &topology.PeerGroup{ID: e.Peer, VPCID: far.ID, Members: far.SecurityGroup(e.Peer).Members})
	}
}

// AddEntry is a new entry of a network ACL, or, if there is no number left for one, another in the place of one.
type AddEntry struct {
	VPC     resource.VPCID
	Replace bool
	ACL     resource.NetworkACLID
	Egress  bool
	Entry   topology.Entry // which allows

	reply bool
}

// Remedy says it to people.
func (e AddEntry) Remedy() Remedy {
	d := direction(e.Egress)
	side, verb := "--"+d.String(), "create"
	what := "that allows it"
	if e.reply {
		what = "for the ports of the answers"
	}
	text := fmt.Sprintf("add an %s entry to %s %s, before the one that denies", d, e.ACL, what)
	if e.Replace {
		verb = "replace"
		text = fmt.Sprintf("replace %s entry %d of %s by one %s: it denies, and no number comes before it", d, e.Entry.Number, e.ACL, what)
	}
	protocol, cidr, flag := ruleProtocol(e.Entry.Protocol), "cidr_block", "--cidr-block"
	if e.Entry.Protocol == ICMPv6 {
		protocol = fmt.Sprint(ICMPv6) // which has no name in ACLs
	}
	if e.Entry.CIDR.Addr().Is6() {
		cidr, flag = "ipv6_cidr_block", "--ipv6-cidr-block"
	}
	ports, attributes := "", []any(nil)
	switch e.Entry.Protocol {
	case TCP, UDP:
		ports = fmt.Sprintf(" --port-range From=%d,To=%d", e.Entry.FromPort, e.Entry.ToPort)
		attributes = []any{"from_port", e.Entry.FromPort, "to_port", e.Entry.ToPort}
	case ICMP, ICMPv6:
		ports = fmt.Sprintf(" --icmp-type-code Type=%d,Code=-1", e.Entry.ICMPType)
		attributes = []any{"icmp_type", e.Entry.ICMPType, "icmp_code", -1}
	}
	pairs := []any{
		"network_acl_id", string(e.ACL), "egress", e.Egress, "rule_number", e.Entry.Number, "rule_action", "allow",
		"protocol", protocol, cidr, e.Entry.CIDR.String(),
	}
	return Remedy{
		Text: text,
		CLI: fmt.Sprintf("aws ec2 %s-network-acl-entry --network-acl-id %s %s --rule-number %d --protocol %s%s %s %s --rule-action allow",
			verb, e.ACL, side, e.Entry.Number, protocol, ports, flag, e.Entry.CIDR),
		Terraform: block("aws_network_acl_rule", fmt.Sprintf("allow_%d", e.Entry.Number), append(pairs, attributes...)...),
	}
}

func (e AddEntry) try(d *draft) {
	v := d.vpc(e.VPC)
	v.NetworkACLs = changed(v.NetworkACLs, func(n *topology.NetworkACL) bool { return n.ID == e.ACL }, func(n *topology.NetworkACL) {
		list := &n.Ingress
		if e.Egress {
			list = &n.Egress
		}
		kept := slices.DeleteFunc(slices.Clone(*list), func(o topology.Entry) bool { return o.Number == e.Entry.Number })
		at := slices.IndexFunc(kept, func(o topology.Entry) bool { return o.Number > e.Entry.Number })
		if at < 0 {
			at = len(kept)
		}
		*list = slices.Insert(kept, at, e.Entry)
	})
}

// StopChecking switches an interface's source/destination check off.
type StopChecking struct {
	VPC resource.VPCID
	ENI resource.NetworkInterfaceID
}

// Remedy says it to people.
func (e StopChecking) Remedy() Remedy {
	return Remedy{
		Text:      fmt.Sprintf("switch the source/destination check of %s off, if it is to forward packets", e.ENI),
		CLI:       fmt.Sprintf("aws ec2 modify-network-interface-attribute --network-interface-id %s --no-source-dest-check", e.ENI),
		Terraform: within("aws_network_interface or aws_instance", e.ENI, "source_dest_check = false"),
	}
}

func (e StopChecking) try(d *draft) {
	d.eni(e.VPC, e.ENI, func(n *topology.ENI) { n.SourceDestCheck = false })
}
