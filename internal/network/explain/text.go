package explain

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// cause is a denial, with what is needed to say how to lift it. Fields that do not apply are empty.
type cause struct {
	code      string
	component Component
	rule      string
	text      string
	packet    packet
	vpc       *topology.VPC
	subnet    *topology.Subnet
	eni       *topology.ENI
	endpoint  *topology.Endpoint
	direction direction
	route     topology.Route
	acl       aclDecision
}

// deny notes that a component stops the packet. The code and component are in the cause.
func (c *explanation) deny(why cause, format string, args ...any) {
	why.text = fmt.Sprintf(format, args...)
	c.causes = append(c.causes, why)
	*c.hops = append(*c.hops, why.hop())
}

func (why cause) hop() Hop {
	h := Hop{Component: why.component, Verdict: Deny, Code: why.code, Rule: why.rule, Text: why.text, Packet: why.packet.header()}
	switch why.code {
	case "ENI_SG_RULES_MISMATCH", "SG_HAS_NO_RULES", "SUBNET_ACL_RESTRICTION", "x:NACL_BLOCKS_RETURN":
		h.Where.Direction = why.direction.String()
	}
	if why.vpc != nil {
		h.Where.VPC = why.vpc.ID
	}
	if why.subnet != nil {
		h.Where.Subnet = why.subnet.ID
	}
	if why.eni != nil {
		h.Where.Interface = why.eni.ID
	}
	return h
}

// note adds a hop that stops nothing.
func (c *explanation) note(v Verdict, at Component, rule, format string, args ...any) {
	*c.hops = append(*c.hops, Hop{Component: at, Verdict: v, Rule: rule, Text: fmt.Sprintf(format, args...), Packet: c.current.header()})
}

func interfaceComponent(id resource.NetworkInterfaceID) Component {
	return Component{resource.KindNetworkInterface, string(id)}
}

// groupComponent is the first group of an interface: the one that a new rule would go into.
func groupComponent(e *topology.ENI) Component {
	if len(e.GroupIDs) == 0 {
		return interfaceComponent(e.ID)
	}
	return Component{resource.KindSecurityGroup, string(e.GroupIDs[0])}
}

// tableComponent is a subnet's route table, or the subnet if it has none.
func tableComponent(s *topology.Subnet) Component {
	if s.RouteTableID == "" {
		return Component{resource.KindSubnet, string(s.ID)}
	}
	return Component{resource.KindRouteTable, string(s.RouteTableID)}
}

// groupNames lists the groups of an interface: sg-1, or sg-1 and sg-2.
func groupNames(e *topology.ENI) string {
	names := make([]string, len(e.GroupIDs))
	for i, id := range e.GroupIDs {
		names[i] = string(id)
	}
	switch len(names) {
	case 0:
		return "no security group"
	case 1:
		return names[0]
	default:
		return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
	}
}

func has(e *topology.ENI) string {
	if len(e.GroupIDs) > 1 {
		return "have"
	}
	return "has"
}

func towards(d direction) string {
	if d == egress {
		return "to"
	}
	return "from"
}

// ruleText is a security group rule in AWS's words: tcp 443 10.0.0.0/16.
func ruleText(r topology.Rule) string {
	peer := r.CIDR.String()
	switch {
	case r.GroupID != "":
		peer = string(r.GroupID)
	case r.PrefixListID != "":
		peer = string(r.PrefixListID)
	}
	switch {
	case r.Protocol == resource.AllProtocols:
		return "all traffic, " + peer
	case r.Protocol == TCP || r.Protocol == UDP:
		p := ports{uint16(r.FromPort), uint16(r.ToPort)}
		return fmt.Sprintf("%s %s, %s", protocolName(r.Protocol), p, peer)
	default:
		return protocolName(r.Protocol) + ", " + peer
	}
}

// entryText names the entry that decided.
func entryText(d direction, a aclDecision) string {
	switch a.entry {
	case "none":
		return "the ACL is not there"
	case "*":
		return fmt.Sprintf("no %s entry allows it, and * denies the rest", d)
	default:
		return fmt.Sprintf("%s entry %s says so", d, a.entry)
	}
}

// whose says what is known of an address.
func (c *explanation) whose(vpc *topology.VPC, a netip.Addr) string {
	if e := c.holder(vpc, a); e != nil {
		if len(e.GroupIDs) == 0 {
			return fmt.Sprintf("%s (%s)", a, e.ID)
		}
		return fmt.Sprintf("%s (%s with %s)", a, e.ID, groupNames(e))
	}
	if s := serviceAt(c.topology, a); s != "" {
		return fmt.Sprintf("%s (a public address of %s)", a, s)
	}
	return a.String()
}

// listRules lists the rules that an interface has in a direction; the first few, if there are many.
func listRules(vpc *topology.VPC, e *topology.ENI, d direction) string {
	const enough = 4
	var texts []string
	for _, id := range e.GroupIDs {
		if g := vpc.SecurityGroup(id); g != nil {
			for _, r := range groupRules(g, d) {
				texts = append(texts, fmt.Sprintf("%s (%s)", r.ID, ruleText(r)))
			}
		}
	}
	verb := "are "
	if len(texts) == 1 {
		verb = "is only "
	}
	if len(texts) > enough {
		texts = append(texts[:enough], fmt.Sprintf("%d more", len(texts)-enough))
	}
	return verb + strings.Join(texts, ", ")
}

// destination is a route's, as AWS prints it: a prefix list by its id.
func destination(r topology.Route) string {
	if r.PrefixListID != "" {
		return fmt.Sprintf("%s (%s)", r.PrefixListID, r.Destination)
	}
	return r.Destination.String()
}
