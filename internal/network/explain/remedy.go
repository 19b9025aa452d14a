package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// option is one thing to do about a denial: an edit, or advice that no edit says.
type option struct {
	Remedy
	edit Edit
}

func do(edits ...Edit) []option {
	out := make([]option, len(edits))
	for i, e := range edits {
		out[i] = option{e.Remedy(), e}
	}
	return out
}

func advice(r ...Remedy) []option {
	out := make([]option, len(r))
	for i := range r {
		out[i].Remedy = r[i]
	}
	return out
}

// remedies are the changes that would lift one denial.
func (c *explanation) remedies(why cause) []option {
	switch why.code {
	case "x:DNS_NO_ANSWER":
		return append(do(dnsSupport(why)...), c.missingZone()...)
	case "x:DNS_ANSWER_IS_PUBLIC":
		return do(enablePrivateDNS(why)...)
	case "x:DNS_WRONG_REGION_NAME":
		return advice(regionalNames(why)...)
	case "NO_ROUTE_TO_DESTINATION", "BAD_STATE_ROUTE", "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS":
		return c.openWay(why)
	case "x:VPCE_NOT_ACCEPTED":
		return do(AcceptEndpoint{VPC: why.endpoint.VPCID, Endpoint: why.endpoint.ID, Service: why.endpoint.Service})
	case "UNASSOCIATED_COMPONENT":
		return c.createSubnet(why)
	case "DISCONNECTED_VPCS":
		return c.joinVPCs(why)
	case "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS":
		return c.notByGateway(why)
	case "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR":
		return c.aroundPeering(why)
	case "ENI_SG_RULES_MISMATCH", "SG_HAS_NO_RULES":
		return c.openGroup(why)
	case "SUBNET_ACL_RESTRICTION", "x:NACL_BLOCKS_RETURN":
		return openACL(why)
	case "ENI_SOURCE_DEST_CHECK_RESTRICTION":
		return do(StopChecking{VPC: why.eni.VPCID, ENI: why.eni.ID})
	case "x:NO_IPV6_ADDRESS":
		return assignIPv6(why)
	case "x:EIGW_EGRESS_ONLY":
		return aroundEgressOnly(why)
	case "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS":
		return do(AttachGateway{VPC: why.vpc.ID, Gateway: newGateway(why.vpc.ID)})
	default:
		return nil
	}
}

func dnsSupport(why cause) []Edit {
	if why.vpc == nil || why.vpc.DNSSupport {
		return nil
	}
	return []Edit{EnableDNS{VPC: why.vpc.ID}}
}

// enablePrivateDNS takes each of the conditions that is missing.
func enablePrivateDNS(why cause) []Edit {
	out := dnsSupport(why)
	if !why.vpc.DNSHostnames {
		out = append(out, EnableDNS{VPC: why.vpc.ID, Hostnames: true})
	}
	return append(out, EnablePrivateDNS{VPC: why.vpc.ID, Endpoint: why.endpoint.ID, Service: why.endpoint.Service})
}

func regionalNames(why cause) []Remedy {
	region := regionOf(why.endpoint)
	r := Remedy{Text: fmt.Sprintf("use the regional name %s.%s.amazonaws.com, which %s answers for", why.endpoint.Service, region, why.endpoint.ID)}
	switch why.endpoint.Service {
	case "sts":
		r.CLI = "export AWS_STS_REGIONAL_ENDPOINTS=regional"
	case "s3":
		r.CLI = "export AWS_S3_US_EAST_1_REGIONAL_ENDPOINT=regional"
	}
	return []Remedy{r}
}

// regionOf takes the region out of com.amazonaws.us-west-2.s3.
func regionOf(e *topology.Endpoint) string {
	rest := strings.TrimPrefix(e.ServiceName, "com.amazonaws.")
	return strings.TrimSuffix(rest, "."+e.Service)
}

// openACL adds an entry before the one that denies.
func openACL(why cause) []option {
	acl, d, p := why.vpc.NetworkACL(why.subnet.NetworkACLID), why.direction, why.packet
	if acl == nil {
		return nil
	}
	number, free := freeNumber(acl, d, why.acl.number)
	e := AddEntry{VPC: why.vpc.ID, Replace: !free, ACL: acl.ID, Egress: bool(d), reply: p.reply, Entry: topology.Entry{
		Number: number, Allow: true, Protocol: p.protocol, CIDR: single(d.peer(p)),
	}}
	if p.reply || !knows(why.vpc, d.peer(p)) {
		e.Entry.CIDR = everywhere(d.peer(p))
	} else if n := why.vpc.Holder(d.peer(p)); n != nil && isMade(n.ID) {
		e.Entry.CIDR = why.vpc.Subnet(n.SubnetID).CIDR // which of its addresses AWS will choose nobody knows
	}
	switch {
	case p.hasPorts():
		r := p.dport
		if p.reply && natPorts.first <= r.first {
			r = natPorts // all that AWS recommends: functions and NAT gateways use them all
		}
		e.Entry.FromPort, e.Entry.ToPort = int(r.first), int(r.last)
	case p.isICMP():
		e.Entry.ICMPType, e.Entry.ICMPCode = p.icmpType, -1
	}
	return do(e)
}

// single is the block of one address.
func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// everywhere is the block of all addresses of a family.
func everywhere(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, 0).Masked() }

// freeNumber finds a number for an entry that comes before the one given; 0 stands for the end of the list. If none
// is free it is that of an entry to replace.
func freeNumber(acl *topology.NetworkACL, d direction, before int) (number int, free bool) {
	used := map[int]bool{}
	last := 0
	entries := acl.Ingress
	if d == egress {
		entries = acl.Egress
	}
	for _, e := range entries {
		used[e.Number] = true
		last = max(last, e.Number)
	}
	if before == 0 {
		n := min((last/10+1)*10, 32766)
		if !used[n] {
			return n, true
		}
		before = 32766 // the list is full at its end: anywhere before
	}
	for _, step := range []int{10, 5, 1} {
		for n := (before - 1) / step * step; n > 0; n -= step {
			if !used[n] {
				return n, true
			}
		}
	}
	return before, false
}

// openGroup adds a rule for exactly this traffic.
func (c *explanation) openGroup(why cause) []option {
	if len(why.eni.GroupIDs) == 0 {
		return nil
	}
	d, p := why.direction, why.packet
	e := AddRule{VPC: why.eni.VPCID, Group: why.eni.GroupIDs[0], Egress: bool(d), Protocol: p.protocol, FromPort: int(p.dport.first), ToPort: int(p.dport.last),
		what: p.what()}
	switch {
	case p.isICMP():
		e.FromPort, e.ToPort = p.icmpType, -1
	case !p.hasPorts():
		e.FromPort, e.ToPort = -1, -1
	}
	c.rulePeer(why, &e)
	if isMade(e.Group) && why.eni.VPCID == why.vpc.ID && why.vpc.SecurityGroup(e.Group) == nil {
		return do(CreateGroup{VPC: e.VPC, ID: e.Group, Name: freeName(why.vpc, e.Group), Protocol: e.Protocol, Port: e.FromPort, Peer: e.Peer, CIDR: e.CIDR, what: e.what})
	}
	if why.code == "SG_HAS_NO_RULES" && d == egress {
		e.note += " (Terraform removes AWS's default egress rule from every aws_security_group that has no egress block)"
	}
	if e.PrefixListID != "" {
		e.note += " (these are public addresses: a gateway endpoint changes the way there, not the addresses, so rules for the VPC's own blocks do not match them)"
	}
	return do(e)
}

// freeName is a name for a new group that no group of a VPC has.
func freeName(v *topology.VPC, id resource.SecurityGroupID) string {
	name := "endpoint-" + strings.ToLower(strings.TrimPrefix(string(id), newGroupPrefix))
	for n := 2; slices.ContainsFunc(v.SecurityGroups, func(g *topology.SecurityGroup) bool { return g.Name == name }); n++ {
		name = fmt.Sprintf("%s-%d", strings.TrimSuffix(name, fmt.Sprintf("-%d", n-1)), n)
	}
	return name
}

// rulePeer names the other end of a rule: by its group if it has one, by a prefix list if AWS keeps one for it, and
// otherwise by address.
func (c *explanation) rulePeer(why cause, rule *AddRule) {
	peer := why.direction.peer(why.packet)
	if e := c.holder(why.vpc, peer); e != nil && len(e.GroupIDs) > 0 {
		rule.Peer = e.GroupIDs[0]
		if e.VPCID != why.vpc.ID {
			rule.PeerVPC = e.VPCID
		}
		return
	}
	for _, p := range topology.AWSPrefixLists(c.topology.Region) {
		if slices.ContainsFunc(p.Entries, func(e resource.PrefixListEntry) bool { return e.CIDR.Contains(peer) }) {
			rule.PrefixListID = p.ID
			return
		}
	}
	rule.CIDR = single(peer)
	if !knows(why.vpc, peer) && why.direction == egress || madeUp.Contains(peer) {
		rule.CIDR = everywhere(peer) // a public service's addresses change, and what AWS will choose nobody knows
	}
}
