package explain

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

var update = flag.Bool("update", false, "write the golden files anew")

// s3 is a function's call of S3, by the name that SDKs use.
var s3 = Flow{From: "eni-fn", Name: "my-bucket.s3.us-west-2.amazonaws.com", Port: 443}

// An explained case is a network, a flow, and what becomes of it.
type explained struct {
	name      string
	build     func(network)
	flow      Flow
	reachable bool
	code      string
	component string
}

// cases are the networks that people get wrong, and those that they get right.
var cases = append([]explained{
	{"no-route-to-s3", func(n network) {}, s3, false, "NO_ROUTE_TO_DESTINATION", "rtb-private"},
	{"private-dns-off", func(n network) { n.interfaceEndpoint(false) }, s3, false, "x:DNS_ANSWER_IS_PUBLIC", "vpce-0a"},
	{"private-dns-on", func(n network) { n.interfaceEndpoint(true) }, s3, true, "", ""},
	{"endpoint-name", func(n network) { n.interfaceEndpoint(false) },
		Flow{From: "eni-fn", Name: "bucket.vpce-0a-ab12cd34.s3.us-west-2.vpce.amazonaws.com", Port: 443}, true, "", ""},
	{"endpoint-group-closed", func(n network) {
		n.interfaceEndpoint(true)
		n.put(&resource.SecurityGroup{ID: "sg-vpce", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{
			{ID: "sgr-self", Protocol: -1, FromPort: -1, ToPort: -1, GroupID: "sg-vpce"},
		}})
	}, s3, false, "ENI_SG_RULES_MISMATCH", "sg-vpce"},
	{"group-without-egress", func(n network) {
		n.interfaceEndpoint(true)
		n.put(&resource.SecurityGroup{ID: "sg-fn", VPCID: "vpc-1"})
	}, s3, false, "SG_HAS_NO_RULES", "sg-fn"},
	{"acl-blocks-return", func(n network) {
		n.gatewayEndpoint("rtb-private")
		n.put(&resource.NetworkACL{ID: "acl-1", VPCID: "vpc-1", Entries: []resource.NetworkACLEntry{
			entry(100, ingress, true, TCP, "0.0.0.0/0", 443, 443), entry(100, egress, true, -1, "0.0.0.0/0", 0, 0),
		}})
	}, s3, false, "x:NACL_BLOCKS_RETURN", "acl-1"},
	{"acl-blocks-some-return-ports", func(n network) {
		n.gatewayEndpoint("rtb-private")
		n.put(&resource.NetworkACL{ID: "acl-1", VPCID: "vpc-1", Entries: []resource.NetworkACLEntry{
			entry(90, ingress, false, TCP, "0.0.0.0/0", 40000, 41000), entry(100, ingress, true, -1, "0.0.0.0/0", 0, 0),
			entry(100, egress, true, -1, "0.0.0.0/0", 0, 0),
		}})
	}, s3, false, "x:NACL_BLOCKS_RETURN", "acl-1"},
	{"acl-blocks-the-way-out", func(n network) {
		n.gatewayEndpoint("rtb-private")
		n.put(&resource.NetworkACL{ID: "acl-1", VPCID: "vpc-1", Entries: []resource.NetworkACLEntry{
			entry(100, ingress, true, -1, "0.0.0.0/0", 0, 0), entry(50, egress, false, -1, "52.0.0.0/8", 0, 0),
			entry(100, egress, true, -1, "0.0.0.0/0", 0, 0),
		}})
	}, s3, false, "SUBNET_ACL_RESTRICTION", "acl-1"},
	{"nat-gateway", func(n network) { n.internetGateway(); n.natGateway() }, s3, true, "", ""},
	{"nat-without-igw-route", func(n network) {
		n.put(&resource.InternetGateway{ID: "igw-1", VPCID: "vpc-1"})
		n.natGateway()
	}, s3, false, "NO_ROUTE_TO_DESTINATION", "rtb-public"},
	{"nat-gateway-deleted", func(n network) {
		n.internetGateway()
		n.natGateway()
		delete(n, "nat-1")
	}, s3, false, "BAD_STATE_ROUTE", "rtb-private"},
	{"public-subnet-without-address", func(n network) {
		n.internetGateway()
		n.eni("fn", "public", "10.0.2.10", resource.InterfaceTypeLambda, "sg-fn")
	}, s3, false, "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", "igw-1"},
	{"public-host-without-address", func(n network) {
		n.internetGateway()
		n.eni("fn", "public", "10.0.2.10", resource.InterfaceTypeInterface, "sg-fn")
	}, Flow{From: "eni-fn", Name: "sts.us-west-2.amazonaws.com", Port: 443}, false, "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", "igw-1"},
	{"public-host", func(n network) {
		n.internetGateway()
		n.eni("fn", "public", "10.0.2.10", resource.InterfaceTypeInterface, "sg-fn")
		n.put(&resource.Address{AllocationID: "eipalloc-2", PublicIP: ip("34.210.0.8"), NetworkInterfaceID: "eni-fn"})
	}, s3, true, "", ""},
	{"gateway-endpoint", func(n network) { n.gatewayEndpoint("rtb-private") }, s3, true, "", ""},
	{"gateway-endpoint-elsewhere", func(n network) { n.gatewayEndpoint("rtb-public") }, s3, false, "NO_ROUTE_TO_DESTINATION", "rtb-private"},
	{"gateway-endpoint-group-vpc-only", func(n network) {
		n.gatewayEndpoint("rtb-private")
		n.put(&resource.SecurityGroup{ID: "sg-fn", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{
			rule("sgr-vpc-only", egress, TCP, 443, "10.0.0.0/16"),
		}})
	}, s3, false, "ENI_SG_RULES_MISMATCH", "sg-fn"},
	{"gateway-endpoint-group-prefix-list", func(n network) {
		n.gatewayEndpoint("rtb-private")
		n.put(&resource.SecurityGroup{ID: "sg-fn", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{
			{ID: "sgr-pl", Egress: true, Protocol: TCP, FromPort: 443, ToPort: 443, PrefixListID: "pl-68a54001"},
		}})
	}, s3, true, "", ""},
	{"dns-support-off", func(n network) {
		n.put(&resource.VPC{ID: "vpc-1", CIDRs: []resource.VPCCIDR{{Prefix: pfx("10.0.0.0/16")}}})
	}, s3, false, "x:DNS_NO_ANSWER", "vpc-1"},
	{"dns-hostnames-off", func(n network) {
		n.interfaceEndpoint(true)
		n.put(&resource.VPC{ID: "vpc-1", CIDRs: []resource.VPCCIDR{{Prefix: pfx("10.0.0.0/16")}}, EnableDNSSupport: true})
	}, s3, false, "x:DNS_ANSWER_IS_PUBLIC", "vpce-0a"},
	{"legacy-global-name", func(n network) { n.interfaceEndpoint(true) },
		Flow{From: "eni-fn", Name: "my-bucket.s3.amazonaws.com", Port: 443}, false, "x:DNS_WRONG_REGION_NAME", "vpce-0a"},
	{"unknown-name", func(n network) {}, Flow{From: "eni-fn", Name: "example.com", Port: 443}, false, "x:DNS_NO_ANSWER", "vpc-1"},
	{"resolver", func(n network) {
		n.put(&resource.SecurityGroup{ID: "sg-fn", VPCID: "vpc-1"}, &resource.NetworkACL{ID: "acl-1", VPCID: "vpc-1"})
	}, Flow{From: "eni-fn", To: ip("10.0.0.2"), Protocol: UDP, Port: 53}, true, "", ""},
	{"same-subnet-despite-acl", func(n network) {
		n.interfaceEndpoint(true)
		n.put(&resource.NetworkACL{ID: "acl-1", VPCID: "vpc-1"})
	}, s3, true, "", ""},
	{"internet-by-nat-gateway", func(n network) { n.internetGateway(); n.natGateway() }, Flow{From: "eni-fn", Internet: true, Port: 443}, true, "", ""},
	{"internet-without-route", func(n network) {}, Flow{From: "eni-fn", Internet: true, Port: 443}, false, "NO_ROUTE_TO_DESTINATION", "rtb-private"},
	{"not-in-a-vpc", func(n network) {}, Flow{Name: "my-bucket.s3.us-west-2.amazonaws.com", Port: 443}, true, "", ""},
	{"not-in-a-vpc-to-endpoint", func(n network) { n.interfaceEndpoint(false) },
		Flow{Name: "bucket.vpce-0a-ab12cd34.s3.us-west-2.vpce.amazonaws.com", Port: 443}, false, "x:FUNCTION_NOT_IN_VPC", "internet"},
	{"address-without-interface", func(n network) {}, Flow{From: "eni-fn", To: ip("10.0.7.7"), Port: 22}, false, "NO_POSSIBLE_DESTINATION", "vpc-1"},
	{"spoofed-source", func(n network) {}, Flow{From: "eni-fn", Source: ip("10.0.1.99"), To: ip("10.0.1.20"), Port: 22},
		false, "ENI_SOURCE_DEST_CHECK_RESTRICTION", "eni-fn"},
	{"no-such-interface", func(n network) {}, Flow{From: "eni-x", To: ip("10.0.1.20"), Port: 22}, false, "NO_SOURCE_OR_DESTINATION", "eni-x"},
	{"middlebox", func(n network) { middlebox(n, false) }, Flow{From: "eni-fn", To: ip("10.0.3.10"), Port: 443}, true, "", ""},
	{"middlebox-with-check", func(n network) { middlebox(n, true) }, Flow{From: "eni-fn", To: ip("10.0.3.10"), Port: 443},
		false, "ENI_SOURCE_DEST_CHECK_RESTRICTION", "eni-fw"},
	{"peering", joined, Flow{From: "eni-fn", To: ip("10.1.1.10"), Port: 5432}, true, "", ""},
	{"peering-not-there", func(n network) { joined(n); delete(n, "pcx-1") }, Flow{From: "eni-fn", To: ip("10.1.1.10"), Port: 5432},
		false, "BAD_STATE_ROUTE", "rtb-private"},
	{"peering-pending", func(n network) {
		joined(n)
		n.put(&resource.VPCPeeringConnection{ID: "pcx-1", Requester: resource.PeeringSide{VPCID: "vpc-1"}, Accepter: resource.PeeringSide{VPCID: "vpc-2"}, State: resource.PeeringPending})
	}, Flow{From: "eni-fn", To: ip("10.1.1.10"), Port: 5432}, false, "BAD_STATE_ROUTE", "rtb-private"},
	{"peering-without-route", func(n network) { joined(n); n.put(privateTable()) }, Flow{From: "eni-fn", To: ip("10.1.1.10"), Port: 5432},
		false, "NO_ROUTE_TO_DESTINATION", "rtb-private"},
	{"peering-without-return-route", func(n network) {
		joined(n)
		n.put(&resource.RouteTable{ID: "rtb-2", VPCID: "vpc-2", Associations: []resource.RouteTableAssociation{{Main: true}}})
	}, Flow{From: "eni-fn", To: ip("10.1.1.10"), Port: 5432}, false, "NO_ROUTE_TO_DESTINATION", "rtb-2"},
	{"peering-group-closed", joined, Flow{From: "eni-fn", To: ip("10.1.1.10"), Port: 22}, false, "ENI_SG_RULES_MISMATCH", "sg-db"},
	{"peering-far-acl", func(n network) { joined(n); n.put(&resource.NetworkACL{ID: "acl-2", VPCID: "vpc-2"}) },
		Flow{From: "eni-fn", To: ip("10.1.1.10"), Port: 5432}, false, "SUBNET_ACL_RESTRICTION", "acl-2"},
	{"peering-to-the-internet", func(n network) {
		joined(n)
		n.route("private", "0.0.0.0/0", resource.RouteTarget{PeeringID: "pcx-1"})
	}, s3, false, "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR", "pcx-1"},
	{"peering-is-not-transitive", func(n network) {
		joined(n)
		farVPC(n, 3, "10.2.0.0/16", "10.2.1.0/24", "10.2.1.10")
		n.put(&resource.VPCPeeringConnection{ID: "pcx-2", Requester: resource.PeeringSide{VPCID: "vpc-2"}, Accepter: resource.PeeringSide{VPCID: "vpc-3"}, State: resource.PeeringActive})
		n.route("private", "10.2.0.0/16", resource.RouteTarget{PeeringID: "pcx-1"})
		n.route("2", "10.2.0.0/16", resource.RouteTarget{PeeringID: "pcx-2"})
	}, Flow{From: "eni-fn", To: ip("10.2.1.10"), Port: 5432}, false, "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR", "pcx-1"},
	{"peering-resolver", joined, Flow{From: "eni-fn", To: ip("10.1.0.2"), Protocol: UDP, Port: 53}, false, "NO_POSSIBLE_DESTINATION", "vpc-2"},
	{"vpcs-not-joined", func(n network) { farVPC(n, 2, "10.1.0.0/16", "10.1.1.0/24", "10.1.1.10") },
		Flow{From: "eni-fn", To: ip("10.1.1.10"), Port: 5432}, false, "DISCONNECTED_VPCS", "rtb-private"},
}, ipv6Cases...)

func privateTable() *resource.RouteTable {
	return &resource.RouteTable{ID: "rtb-private", VPCID: "vpc-1", Associations: []resource.RouteTableAssociation{{SubnetID: "subnet-private"}}}
}

// farVPC adds a VPC with one subnet and a database in it.
func farVPC(n network, number int, cidr, subnet, address string) {
	id := func(prefix string) string { return fmt.Sprintf("%s-%d", prefix, number) }
	vpc := resource.VPCID(id("vpc"))
	n.put(
		&resource.VPC{ID: vpc, CIDRs: []resource.VPCCIDR{{Prefix: pfx(cidr)}}, EnableDNSSupport: true, EnableDNSHostnames: true},
		&resource.NetworkACL{ID: resource.NetworkACLID(id("acl")), VPCID: vpc, Entries: []resource.NetworkACLEntry{
			entry(100, ingress, true, -1, "0.0.0.0/0", 0, 0), entry(100, egress, true, -1, "0.0.0.0/0", 0, 0),
		}},
		&resource.Subnet{ID: resource.SubnetID(id("subnet")), VPCID: vpc, CIDR: pfx(subnet), AvailabilityZone: "us-west-2a", NetworkACLID: resource.NetworkACLID(id("acl"))},
		&resource.RouteTable{ID: resource.RouteTableID(id("rtb")), VPCID: vpc, Associations: []resource.RouteTableAssociation{{Main: true}}},
		&resource.NetworkInterface{
			ID: resource.NetworkInterfaceID(id("eni")), VPCID: vpc, SubnetID: resource.SubnetID(id("subnet")), InterfaceType: resource.InterfaceTypeInterface,
			PrivateIPs: []netip.Addr{ip(address)}, GroupIDs: []resource.SecurityGroupID{"sg-db"}, SourceDestCheck: true,
		})
}

// joined peers the private function's VPC with one whose database lets its group in.
func joined(n network) {
	farVPC(n, 2, "10.1.0.0/16", "10.1.1.0/24", "10.1.1.10")
	n.put(
		&resource.SecurityGroup{ID: "sg-db", VPCID: "vpc-2", Rules: []resource.SecurityGroupRule{
			{ID: "sgr-db", Protocol: TCP, FromPort: 5432, ToPort: 5432, GroupID: "sg-fn", GroupVPCID: "vpc-1"},
		}},
		&resource.VPCPeeringConnection{
			ID: "pcx-1", Requester: resource.PeeringSide{VPCID: "vpc-1"}, Accepter: resource.PeeringSide{VPCID: "vpc-2"}, State: resource.PeeringActive,
		})
	n.route("private", "10.1.0.0/16", resource.RouteTarget{PeeringID: "pcx-1"})
	n.route("2", "10.0.0.0/16", resource.RouteTarget{PeeringID: "pcx-1"})
}

// middlebox puts a firewall between the private subnet and a third one.
func middlebox(n network, check bool) {
	n.put(&resource.SecurityGroup{ID: "sg-open", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{
		rule("sgr-in", ingress, -1, 0, "10.0.0.0/16"), rule("sgr-out", egress, -1, 0, "10.0.0.0/16"),
	}})
	n.subnet("third", "10.0.3.0/24")
	n.eni("web", "third", "10.0.3.10", resource.InterfaceTypeInterface, "sg-open")
	n.eni("fw", "public", "10.0.2.9", resource.InterfaceTypeInterface, "sg-open").SourceDestCheck = check
	n.route("private", "10.0.3.0/24", resource.RouteTarget{NetworkInterfaceID: "eni-fw"})
	n.route("third", "10.0.1.0/24", resource.RouteTarget{NetworkInterfaceID: "eni-fw"})
}

func TestFlowsAreExplainedAsRecorded(t *testing.T) {
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			n := newNetwork()
			tt.build(n)
			trace := Explain(n.resolve(t), tt.flow)
			if trace.Reachable != tt.reachable || trace.Code != tt.code || trace.Component.ID != tt.component {
				t.Errorf("reachable %t, %q by %q; want %t, %q by %q",
					trace.Reachable, trace.Code, trace.Component.ID, tt.reachable, tt.code, tt.component)
			}
			got, file := trace.String(), filepath.Join("testdata", tt.name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("trace (-want +got, -update writes it anew):\n%s", diff)
			}
		})
	}
}

func TestAssumedPrivateDNSIsSaidInTheTrace(t *testing.T) {
	n := newNetwork()
	n.interfaceEndpoint(false)
	trace := Explain(n.resolveWith(t, topology.Options{AssumePrivateDNS: true}), s3)
	if !trace.Reachable || !strings.Contains(trace.String(), "in AWS it is off: private_dns_enabled is false") {
		t.Errorf("trace:\n%s", trace)
	}
}

func TestEveryDenialOfAFailedFlowIsListed(t *testing.T) {
	n := newNetwork()
	n.put(&resource.SecurityGroup{ID: "sg-fn", VPCID: "vpc-1"}, &resource.NetworkACL{ID: "acl-1", VPCID: "vpc-1"})
	trace := Explain(n.resolve(t), s3)
	var codes []string
	for _, h := range trace.Hops {
		if h.Verdict == Deny {
			codes = append(codes, h.Code)
		}
	}
	want := []string{"SG_HAS_NO_RULES", "SUBNET_ACL_RESTRICTION", "NO_ROUTE_TO_DESTINATION"}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("denials (-want +got):\n%s", diff)
	}
}

func TestRoutesInACircleEnd(t *testing.T) {
	n := newNetwork()
	middlebox(n, false)
	n.route("public", "10.0.3.0/24", resource.RouteTarget{NetworkInterfaceID: "eni-fw"})
	if trace := Explain(n.resolve(t), Flow{From: "eni-fn", To: ip("10.0.3.10"), Port: 443}); trace.Reachable {
		t.Errorf("trace:\n%s", trace)
	}
}

func TestEveryTraceIsConsistent(t *testing.T) {
	odd := []Flow{
		{}, {From: "eni-fn"}, {To: ip("10.0.1.20")}, {From: "eni-fn", To: ip("::1")}, {From: "eni-six", To: ip("fe80::1")}, {From: "eni-six", To: ip("ff02::1"), Protocol: UDP},
		{From: "eni-six", To: ip("::")}, {From: "eni-six", Source: ip("10.0.1.66"), To: ip("::1")}, {From: "eni-fn", Name: "10.0.1.20"},
		{From: "eni-fn", To: ip("::ffff:10.0.1.20"), Port: 443}, {From: "eni-fn", Name: "."}, {From: "eni-fn", To: ip("0.0.0.0")},
		{From: "eni-fn", To: ip("10.0.3.10"), Protocol: ICMP, ICMPType: 8}, {From: "eni-fn", To: ip("10.0.3.10"), Protocol: 47},
		{From: "eni-fn", To: ip("255.255.255.255"), Protocol: 255, Port: 65535}, {From: "eni-nat", To: ip("10.0.1.10"), Port: 1},
		{From: "eni-fn", To: ip("169.254.169.254"), Port: 80}, {Source: ip("10.0.1.10"), To: ip("34.210.0.7"), Port: 443},
	}
	for _, network := range cases {
		n := newNetwork()
		network.build(n)
		top := n.resolve(t)
		flows := odd
		for _, c := range cases {
			flows = append(flows, c.flow)
		}
		for _, f := range flows {
			trace := Explain(top, f)
			denied := false
			for _, h := range append(trace.Hops, trace.Return...) {
				denied = denied || h.Verdict == Deny
				if h.Text == "" || h.Component.ID == "" && h.Component.Kind != KindResolver || (h.Verdict == Deny) && h.Code == "" {
					t.Errorf("%s, %+v: hop %+v", network.name, f, h)
				}
			}
			if trace.Reachable == denied || trace.Reachable != (trace.Code == "") || trace.Summary == "" {
				t.Errorf("%s, %+v: reachable %t, code %q, a hop denied: %t", network.name, f, trace.Reachable, trace.Code, denied)
			}
		}
	}
}
