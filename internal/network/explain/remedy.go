package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// remedies are the changes that would lift one denial.
func (c *explanation) remedies(why cause) []Remedy {
	switch why.code {
	case "x:DNS_NO_ANSWER":
		return dnsSupport(why)
	case "x:DNS_ANSWER_IS_PUBLIC":
		return enablePrivateDNS(why)
	case "x:DNS_WRONG_REGION_NAME":
		return regionalNames(why)
	case "NO_ROUTE_TO_DESTINATION", "BAD_STATE_ROUTE", "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS":
		return c.openWay(why)
	case "DISCONNECTED_VPCS":
		return c.joinVPCs(why)
	case "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR":
		return c.aroundPeering(why)
	case "ENI_SG_RULES_MISMATCH", "SG_HAS_NO_RULES":
		return c.openGroup(why)
	case "SUBNET_ACL_RESTRICTION", "x:NACL_BLOCKS_RETURN":
		return openACL(why)
	case "ENI_SOURCE_DEST_CHECK_RESTRICTION":
		return []Remedy{{
			Text:      fmt.Sprintf("switch the source/destination check of %s off, if it is to forward packets", why.eni.ID),
			CLI:       fmt.Sprintf("aws ec2 modify-network-interface-attribute --network-interface-id %s --no-source-dest-check", why.eni.ID),
			Terraform: "source_dest_check = false",
		}}
	case "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS":
		return attachGateway(why.vpc)
	default:
		return nil
	}
}

func dnsSupport(why cause) []Remedy {
	if why.vpc == nil || why.vpc.DNSSupport {
		return nil
	}
	return []Remedy{{
		Text:      fmt.Sprintf("switch DNS support of %s on", why.vpc.ID),
		CLI:       fmt.Sprintf(`aws ec2 modify-vpc-attribute --vpc-id %s --enable-dns-support '{"Value":true}'`, why.vpc.ID),
		Terraform: "enable_dns_support = true   # in the aws_vpc of " + string(why.vpc.ID),
	}}
}

// enablePrivateDNS takes each of the conditions that is missing.
func enablePrivateDNS(why cause) []Remedy {
	out := dnsSupport(why)
	if !why.vpc.DNSHostnames {
		out = append(out, Remedy{
			Text:      fmt.Sprintf("switch DNS hostnames of %s on: private DNS needs them", why.vpc.ID),
			CLI:       fmt.Sprintf(`aws ec2 modify-vpc-attribute --vpc-id %s --enable-dns-hostnames '{"Value":true}'`, why.vpc.ID),
			Terraform: "enable_dns_hostnames = true   # in the aws_vpc of " + string(why.vpc.ID),
		})
	}
	e := why.endpoint
	r := Remedy{
		Text:      fmt.Sprintf("switch private DNS of %s on, so that the usual name leads to the endpoint", e.ID),
		CLI:       fmt.Sprintf("aws ec2 modify-vpc-endpoint --vpc-endpoint-id %s --private-dns-enabled", e.ID),
		Terraform: fmt.Sprintf("private_dns_enabled = true   # in the aws_vpc_endpoint of %s", e.ID),
	}
	if e.Service == "s3" {
		// The default of the option is true, and then only an inbound resolver endpoint would see the private names.
		r.CLI += " --dns-options PrivateDnsOnlyForInboundResolverEndpoint=false"
		r.Terraform += "\ndns_options {\n  private_dns_only_for_inbound_resolver_endpoint = false\n}"
	}
	return append(out, r)
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
func openACL(why cause) []Remedy {
	acl, d, p := why.subnet.NetworkACLID, why.direction, why.packet
	number := freeNumber(why.vpc.NetworkACL(acl), d, why.acl.number)
	cidr := d.peer(p).String() + "/32"
	if p.reply || !knows(why.vpc, d.peer(p)) {
		cidr = "0.0.0.0/0"
	}
	protocol, flags, attributes := entryTraffic(p)
	side := "--ingress"
	if d == egress {
		side = "--egress"
	}
	what := "that allows it"
	if p.reply {
		what = "for the ports of the answers"
	}
	pairs := []any{
		"network_acl_id", string(acl), "egress", d == egress, "rule_number", number, "rule_action", "allow",
		"protocol", protocol, "cidr_block", cidr,
	}
	return []Remedy{{
		Text: fmt.Sprintf("add an %s entry to %s %s, before the one that denies", d, acl, what),
		CLI: fmt.Sprintf("aws ec2 create-network-acl-entry --network-acl-id %s %s --rule-number %d --protocol %s%s --cidr-block %s --rule-action allow",
			acl, side, number, protocol, flags, cidr),
		Terraform: block("aws_network_acl_rule", fmt.Sprintf("allow_%d", number), append(pairs, attributes...)...),
	}}
}

// entryTraffic is a packet as an ACL entry would name it, for the CLI and for Terraform. Answers get all the ports
// that AWS recommends: functions and NAT gateways use them all.
func entryTraffic(p packet) (protocol, flags string, attributes []any) {
	switch {
	case p.hasPorts():
		r := p.dport
		if p.reply {
			r = natPorts
		}
		return strings.ToLower(protocolName(p.protocol)), fmt.Sprintf(" --port-range From=%d,To=%d", r.first, r.last),
			[]any{"from_port", int(r.first), "to_port", int(r.last)}
	case p.protocol == ICMP:
		return "icmp", fmt.Sprintf(" --icmp-type-code Type=%d,Code=-1", p.icmpType),
			[]any{"icmp_type", p.icmpType, "icmp_code", -1}
	default:
		return fmt.Sprint(p.protocol), "", nil
	}
}

// freeNumber finds a number for an entry that comes before the one given; 0 stands for the end of the list.
func freeNumber(acl *topology.NetworkACL, d direction, before int) int {
	used := map[int]bool{}
	last := 0
	if acl != nil {
		entries := acl.Ingress
		if d == egress {
			entries = acl.Egress
		}
		for _, e := range entries {
			used[e.Number] = true
			last = max(last, e.Number)
		}
	}
	if before == 0 {
		return min((last/10+1)*10, 32766)
	}
	for _, step := range []int{10, 5, 1} {
		for n := (before - 1) / step * step; n > 0; n -= step {
			if !used[n] {
				return n
			}
		}
	}
	return 1
}

// openGroup adds a rule for exactly this traffic.
func (c *explanation) openGroup(why cause) []Remedy {
	if len(why.eni.GroupIDs) == 0 {
		return nil
	}
	group, d, p := string(why.eni.GroupIDs[0]), why.direction, why.packet
	peer, attribute, value := c.rulePeer(why)
	protocol, from, to := strings.ToLower(protocolName(p.protocol)), int(p.dport.first), int(p.dport.last)
	switch {
	case p.protocol == ICMP:
		from, to = p.icmpType, -1
	case !p.hasPorts():
		protocol, from, to = fmt.Sprint(p.protocol), -1, -1
	}
	text := fmt.Sprintf("add an %s rule to %s that allows %s %s %s", d, group, p.what(), towards(d), value)
	if why.code == "SG_HAS_NO_RULES" && d == egress {
		text += " (Terraform removes AWS's default egress rule from every aws_security_group that has no egress block)"
	}
	if attribute == "prefix_list_id" {
		text += " (these are public addresses: a gateway endpoint changes the way there, not the addresses, so rules for the VPC's own blocks do not match them)"
	}
	return []Remedy{{
		Text: text,
		CLI: fmt.Sprintf("aws ec2 authorize-security-group-%s --group-id %s --ip-permissions 'IpProtocol=%s,FromPort=%d,ToPort=%d,%s'",
			d, group, protocol, from, to, peer),
		Terraform: block(fmt.Sprintf("aws_vpc_security_group_%s_rule", d), "allow", "security_group_id", group, attribute, value,
			"ip_protocol", protocol, "from_port", from, "to_port", to),
	}}
}

// rulePeer names the other end of a rule: by its group if it has one, by a prefix list if AWS keeps one for it, and
// otherwise by address.
func (c *explanation) rulePeer(why cause) (cli, attribute, value string) {
	peer := why.direction.peer(why.packet)
	if e := c.holder(why.vpc, peer); e != nil && len(e.GroupIDs) > 0 {
		id := string(e.GroupIDs[0])
		return "UserIdGroupPairs=[{GroupId=" + id + "}]", "referenced_security_group_id", id
	}
	for _, p := range topology.AWSPrefixLists(c.topology.Region) {
		if slices.ContainsFunc(p.Entries, func(e resource.PrefixListEntry) bool { return e.CIDR.Contains(peer) }) {
			return "PrefixListIds=[{PrefixListId=" + string(p.ID) + "}]", "prefix_list_id", string(p.ID)
		}
	}
	cidr := peer.String() + "/32"
	if !knows(why.vpc, peer) && why.direction == egress {
		cidr = "0.0.0.0/0" // a public service's addresses change
	}
	return "IpRanges=[{CidrIp=" + cidr + "}]", "cidr_ipv4", cidr
}
