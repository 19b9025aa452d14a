package explain

import (
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// six lets the private function's VPC speak IPv6, with an instance in each subnet that has an address of it.
func six(n network) {
	v := *n["vpc-1"].(*resource.VPC)
	v.IPv6CIDRs = []resource.VPCCIDR{{Prefix: pfx("2600:1f14:1:100::/56")}}
	acl := *n["acl-1"].(*resource.NetworkACL)
	acl.Entries = append(acl.Entries[:2:2], entry(101, ingress, true, -1, "::/0", 0, 0), entry(101, egress, true, -1, "::/0", 0, 0))
	n.put(&v, &acl, &resource.SecurityGroup{ID: "sg-six", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{
		rule("sgr-six-out", egress, -1, 0, "::/0"), rule("sgr-six-in", ingress, TCP, 443, "::/0"),
	}})
	for name, block := range map[string]string{"private": "2600:1f14:1:101::/64", "public": "2600:1f14:1:102::/64"} {
		s := *n["subnet-"+name].(*resource.Subnet)
		s.IPv6CIDR = pfx(block)
		n.put(&s)
	}
	n.eni("six", "private", "10.0.1.66", resource.InterfaceTypeInterface, "sg-six").IPv6Addresses = []netip.Addr{ip("2600:1f14:1:101::6")}
	n.eni("web", "public", "10.0.2.66", resource.InterfaceTypeInterface, "sg-six").IPv6Addresses = []netip.Addr{ip("2600:1f14:1:102::6")}
}

func egressOnlyGateway(n network) {
	six(n)
	n.put(&resource.EgressOnlyGateway{ID: "eigw-1", VPCID: "vpc-1"})
	n.route("private", "::/0", resource.RouteTarget{EgressOnlyID: "eigw-1"})
}

var (
	dualstack = Flow{From: "eni-six", Name: "my-bucket.s3.dualstack.us-west-2.amazonaws.com", Port: 443}
	stranger  = Flow{To: ip("2600:1f14:1:101::6"), Port: 443}
)

// ipv6Cases: each code, and beside it a network that lacks the fault.
var ipv6Cases = []explained{
	{"ipv6-no-route", six, dualstack, false, "NO_ROUTE_TO_DESTINATION", "rtb-private"},
	{"ipv6-egress-only", egressOnlyGateway, dualstack, true, "", ""},
	{"ipv6-egress-only-gone", func(n network) { egressOnlyGateway(n); delete(n, "eigw-1") }, dualstack, false, "BAD_STATE_ROUTE", "rtb-private"},
	{"ipv6-egress-only-from-outside", egressOnlyGateway, stranger, false, "x:EIGW_EGRESS_ONLY", "eigw-1"},
	{"ipv6-answers-by-egress-only", func(n network) {
		egressOnlyGateway(n)
		n.put(&resource.InternetGateway{ID: "igw-1", VPCID: "vpc-1"})
	}, stranger, false, "x:EIGW_EGRESS_ONLY", "eigw-1"},
	{"ipv6-internet-gateway-from-outside", func(n network) {
		six(n)
		n.put(&resource.InternetGateway{ID: "igw-1", VPCID: "vpc-1"})
		n.route("private", "::/0", resource.RouteTarget{InternetGatewayID: "igw-1"})
	}, stranger, true, "", ""},
	{"ipv6-no-gateway-from-outside", six, stranger, false, "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", "eni-six"},
	{"ipv6-source-of-another", func(n network) {
		egressOnlyGateway(n)
		e := *n["eni-six"].(*resource.NetworkInterface)
		e.SourceDestCheck = false
		n.put(&e)
	}, Flow{From: "eni-six", Source: ip("2001:db8:5::5"), To: ip("2600:1fa0:4000:8049:345c:b149::"), Port: 443}, false, "GATEWAY_REJECTS_SPOOFED_TRAFFIC", "eigw-1"},
	{"ipv6-no-address", egressOnlyGateway, Flow{From: "eni-fn", To: ip("2600:1f14:1:102::6"), Port: 443}, false, "x:NO_IPV6_ADDRESS", "eni-fn"},
	{"ipv6-neighbour", six, Flow{From: "eni-six", To: ip("2600:1f14:1:102::6"), Port: 443}, true, "", ""},
	{"ipv6-group-for-ipv4-only", func(n network) {
		six(n)
		n.put(&resource.SecurityGroup{ID: "sg-six", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{
			rule("sgr-six-out", egress, -1, 0, "::/0"), rule("sgr-six-in", ingress, TCP, 443, "0.0.0.0/0"),
		}})
	}, Flow{From: "eni-six", To: ip("2600:1f14:1:102::6"), Port: 443}, false, "ENI_SG_RULES_MISMATCH", "sg-six"},
	{"ipv6-acl-for-ipv4-only", func(n network) {
		six(n)
		n.put(&resource.NetworkACL{ID: "acl-1", VPCID: "vpc-1", Entries: []resource.NetworkACLEntry{
			entry(100, ingress, true, -1, "0.0.0.0/0", 0, 0), entry(100, egress, true, -1, "0.0.0.0/0", 0, 0),
		}})
	}, Flow{From: "eni-six", To: ip("2600:1f14:1:102::6"), Port: 443}, false, "SUBNET_ACL_RESTRICTION", "acl-1"},
	{"ipv6-falls-back", func(n network) { six(n); n.gatewayEndpoint("rtb-private"); n.openFour() }, dualstack, true, "", ""},
	{"ipv6-ping", six, Flow{From: "eni-six", To: ip("2600:1f14:1:102::6"), Protocol: ICMP, ICMPType: 8}, false, "ENI_SG_RULES_MISMATCH", "sg-six"},
}

// openFour lets sg-six send by IPv4.
func (n network) openFour() {
	g := *n["sg-six"].(*resource.SecurityGroup)
	g.Rules = append(g.Rules[:2:2], rule("sgr-four-out", egress, -1, 0, "0.0.0.0/0"))
	n.put(&g)
}
