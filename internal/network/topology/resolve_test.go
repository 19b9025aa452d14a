package topology

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

var update = flag.Bool("update", false, "write the golden files anew")

func ip(s string) netip.Addr    { return netip.MustParseAddr(s) }
func pfx(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// store makes a state in us-west-2 that holds the resources.
func store(t *testing.T, resources ...state.Resource) *state.Store {
	t.Helper()
	s, err := state.Open(state.Config{Region: "us-west-2", Account: "000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, resources...)
	return s
}

func put(t *testing.T, s *state.Store, resources ...state.Resource) {
	t.Helper()
	if _, err := s.Update(func(tx *state.Tx) error {
		for _, r := range resources {
			tx.Put(r)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// article is the network of a private function: one VPC, one private subnet and all that a VPC comes with.
func article() []state.Resource {
	return []state.Resource{
		&resource.VPC{
			ID: "vpc-1", CIDRs: []resource.VPCCIDR{{Prefix: pfx("10.0.0.0/16")}},
			EnableDNSSupport: true, EnableDNSHostnames: true,
		},
		&resource.Subnet{
			ID: "subnet-private", VPCID: "vpc-1", CIDR: pfx("10.0.1.0/24"), AvailabilityZone: "us-west-2a", NetworkACLID: "acl-1",
		},
		&resource.RouteTable{ID: "rtb-main", VPCID: "vpc-1", Associations: []resource.RouteTableAssociation{{Main: true}}},
		&resource.RouteTable{
			ID: "rtb-private", VPCID: "vpc-1",
			Associations: []resource.RouteTableAssociation{{SubnetID: "subnet-private"}},
		},
		&resource.NetworkACL{ID: "acl-1", VPCID: "vpc-1", IsDefault: true, Entries: []resource.NetworkACLEntry{
			{RuleNumber: 100, Protocol: -1, Allow: true, CIDR: pfx("0.0.0.0/0")},
			{RuleNumber: 100, Egress: true, Protocol: -1, Allow: true, CIDR: pfx("0.0.0.0/0")},
		}},
		&resource.SecurityGroup{ID: "sg-fn", VPCID: "vpc-1", Name: "fn", Rules: []resource.SecurityGroupRule{
			{ID: "sgr-1", Egress: true, Protocol: -1, FromPort: -1, ToPort: -1, CIDR: pfx("0.0.0.0/0")},
		}},
		&resource.NetworkInterface{
			ID: "eni-fn", VPCID: "vpc-1", SubnetID: "subnet-private", InterfaceType: resource.InterfaceTypeLambda,
			PrivateIPs: []netip.Addr{ip("10.0.1.10")}, GroupIDs: []resource.SecurityGroupID{"sg-fn"}, SourceDestCheck: true,
		},
	}
}

// interfaceEndpoint adds an interface endpoint for S3 to the article's network.
func interfaceEndpoint(change func(*resource.VPCEndpoint)) []state.Resource {
	e := &resource.VPCEndpoint{
		ID: "vpce-0a", VPCID: "vpc-1", Type: resource.EndpointTypeInterface, ServiceName: "com.amazonaws.us-west-2.s3",
		State: "available", DNSSuffix: "ab12cd34", PrivateDNSEnabled: true, SubnetIDs: []resource.SubnetID{"subnet-private"},
		NetworkInterfaceIDs: []resource.NetworkInterfaceID{"eni-vpce"}, GroupIDs: []resource.SecurityGroupID{"sg-fn"},
	}
	if change != nil {
		change(e)
	}
	return []state.Resource{e, &resource.NetworkInterface{
		ID: "eni-vpce", VPCID: "vpc-1", SubnetID: "subnet-private", InterfaceType: resource.InterfaceTypeVPCEndpoint,
		PrivateIPs: []netip.Addr{ip("10.0.1.20")}, GroupIDs: []resource.SecurityGroupID{"sg-fn"}, SourceDestCheck: true,
	}}
}

// publicSubnet adds the other road: an internet gateway and a NAT gateway.
func publicSubnet() []state.Resource {
	return []state.Resource{
		&resource.InternetGateway{ID: "igw-1", VPCID: "vpc-1"},
		&resource.Subnet{
			ID: "subnet-public", VPCID: "vpc-1", CIDR: pfx("10.0.2.0/24"), AvailabilityZone: "us-west-2a", NetworkACLID: "acl-1",
		},
		&resource.RouteTable{ID: "rtb-public", VPCID: "vpc-1",
			Routes: []resource.Route{{
				DestinationCIDR: pfx("0.0.0.0/0"), Target: resource.RouteTarget{InternetGatewayID: "igw-1"},
			}},
			Associations: []resource.RouteTableAssociation{{SubnetID: "subnet-public"}},
		},
		&resource.RouteTable{ID: "rtb-private", VPCID: "vpc-1",
			Routes: []resource.Route{{
				DestinationCIDR: pfx("0.0.0.0/0"), Target: resource.RouteTarget{NATGatewayID: "nat-1"},
			}},
			Associations: []resource.RouteTableAssociation{{SubnetID: "subnet-private"}},
		},
		&resource.NATGateway{
			ID: "nat-1", VPCID: "vpc-1", SubnetID: "subnet-public", Public: true, NetworkInterfaceID: "eni-nat",
			AllocationID: "eipalloc-1", State: "available",
		},
		&resource.NetworkInterface{
			ID: "eni-nat", VPCID: "vpc-1", SubnetID: "subnet-public", InterfaceType: resource.InterfaceTypeNATGateway,
			PrivateIPs: []netip.Addr{ip("10.0.2.5")},
		},
		&resource.Address{AllocationID: "eipalloc-1", PublicIP: ip("34.210.0.7")},
	}
}

func gatewayEndpoint(tables ...resource.RouteTableID) state.Resource {
	return &resource.VPCEndpoint{
		ID: "vpce-0b", VPCID: "vpc-1", Type: resource.EndpointTypeGateway, ServiceName: "com.amazonaws.us-west-2.s3",
		State: "available", RouteTableIDs: tables,
	}
}

func TestResolvedNetworksAreAsRecorded(t *testing.T) {
	tests := map[string][]state.Resource{
		"article":            article(),
		"interface-endpoint": append(article(), interfaceEndpoint(nil)...),
		"nat":                append(article(), publicSubnet()...),
		"gateway-endpoint":   append(append(article(), publicSubnet()...), gatewayEndpoint("rtb-private")),
		"ipv6":               ipv6Network(),
	}
	for name, resources := range tests {
		t.Run(name, func(t *testing.T) {
			got := describe(Resolve(store(t, resources...).View(), Options{}))
			file := filepath.Join("testdata", name+".golden")
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
				t.Errorf("topology (-want +got, -update writes it anew):\n%s", diff)
			}
		})
	}
}

func TestEqualStatesGiveEqualTopologies(t *testing.T) {
	resources := append(append(article(), publicSubnet()...), interfaceEndpoint(nil)...)
	a := Resolve(store(t, resources...).View(), Options{})
	for range 20 {
		b := Resolve(store(t, resources...).View(), Options{})
		if diff := cmp.Diff(a, b, cmp.Comparer(samePrefix), cmp.Comparer(sameAddr)); diff != "" {
			t.Fatalf("two resolutions of one state differ:\n%s", diff)
		}
	}
}

func samePrefix(a, b netip.Prefix) bool { return a == b }
func sameAddr(a, b netip.Addr) bool     { return a == b }

func TestARouteWhoseTargetIsGoneIsABlackholeThatStillWins(t *testing.T) {
	nat := func(change func(*resource.NATGateway)) state.Resource {
		n := &resource.NATGateway{
			ID: "nat-1", VPCID: "vpc-1", SubnetID: "subnet-public", Public: true, NetworkInterfaceID: "eni-nat",
			AllocationID: "eipalloc-1", State: "available",
		}
		change(n)
		return n
	}
	tests := []struct {
		name   string
		change state.Resource
		subnet resource.SubnetID
		want   bool
	}{
		{"all in service", &resource.InternetGateway{ID: "igw-1", VPCID: "vpc-1"}, "subnet-public", false},
		{"internet gateway detached", &resource.InternetGateway{ID: "igw-1"}, "subnet-public", true},
		{"internet gateway of another VPC", &resource.InternetGateway{ID: "igw-1", VPCID: "vpc-2"}, "subnet-public", true},
		{"NAT gateway pending", nat(func(n *resource.NATGateway) { n.State = "pending" }), "subnet-private", true},
		{"NAT gateway deleted", nat(func(n *resource.NATGateway) { n.State = "deleted" }), "subnet-private", true},
		{"NAT gateway of another VPC", nat(func(n *resource.NATGateway) { n.VPCID = "vpc-2" }), "subnet-private", true},
		{"NAT gateway without interface", nat(func(n *resource.NATGateway) { n.NetworkInterfaceID = "eni-x" }), "subnet-private", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := store(t, append(article(), publicSubnet()...)...)
			put(t, s, tt.change)
			r, ok := Resolve(s.View(), Options{}).VPC("vpc-1").Subnet(tt.subnet).Route(ip("8.8.8.8"))
			if !ok || r.Blackhole != tt.want {
				t.Errorf("route %+v, found %t; want blackhole %t", r, ok, tt.want)
			}
		})
	}
}

func TestRoutesAreChosenAsAWSDoes(t *testing.T) {
	resources := append(append(article(), publicSubnet()...), gatewayEndpoint("rtb-private"),
		&resource.PrefixList{ID: "pl-1", Entries: []resource.PrefixListEntry{
			{CIDR: pfx("198.18.0.0/15")}, {CIDR: pfx("192.0.2.0/24")}, {CIDR: pfx("2001:db8::/32")},
		}},
		&resource.RouteTable{ID: "rtb-private", VPCID: "vpc-1",
			Routes: []resource.Route{
				{DestinationPrefixListID: "pl-1", Target: resource.RouteTarget{NetworkInterfaceID: "eni-fn"}},
				{DestinationCIDR: pfx("192.0.2.0/24"), Target: resource.RouteTarget{NATGatewayID: "nat-1"}},
				{DestinationCIDR: pfx("0.0.0.0/0"), Target: resource.RouteTarget{NATGatewayID: "nat-1"}},
				{DestinationCIDR: pfx("10.0.2.0/24"), Target: resource.RouteTarget{NetworkInterfaceID: "eni-fn"}},
				{DestinationCIDR: pfx("10.0.1.0/25"), Target: resource.RouteTarget{NetworkInterfaceID: "eni-gone"}},
				{DestinationCIDR: pfx("10.0.0.0/16"), Target: resource.RouteTarget{NetworkInterfaceID: "eni-fn"}},
				{DestinationCIDR: pfx("::/0"), Target: resource.RouteTarget{InternetGatewayID: "igw-1"}},
			},
			Associations: []resource.RouteTableAssociation{{SubnetID: "subnet-private"}},
		})
	subnet := Resolve(store(t, resources...).View(), Options{}).VPC("vpc-1").Subnet("subnet-private")
	tests := []struct {
		to, kind, why string
	}{
		{"10.0.9.9", "local", "a local route wins over an equal static one"},
		{"10.0.1.7", "local", "a route into the subnet itself is never looked at"},
		{"10.0.2.5", "network-interface", "a subnet's route is more specific than the local one"},
		{"198.18.0.1", "network-interface", "a prefix list is one route for each block"},
		{"192.0.2.1", "nat-gateway", "a static route wins over an equal one of a prefix list"},
		{"52.218.177.73", "gateway-endpoint", "an endpoint's blocks are longer than the default route"},
		{"8.8.8.8", "nat-gateway", "the default route takes the rest"},
	}
	for _, tt := range tests {
		if r, _ := subnet.Route(ip(tt.to)); string(r.Kind) != tt.kind {
			t.Errorf("%s: route %+v, want %s: %s", tt.to, r, tt.kind, tt.why)
		}
	}
}

func TestASubnetWithoutAssociationUsesTheMainTable(t *testing.T) {
	s := store(t, append(article(), &resource.Subnet{ID: "subnet-other", VPCID: "vpc-1", CIDR: pfx("10.0.9.0/24")})...)
	if got := Resolve(s.View(), Options{}).VPC("vpc-1").Subnet("subnet-other").RouteTableID; got != "rtb-main" {
		t.Errorf("route table %q, want rtb-main", got)
	}
}

func TestPrivateDNSNeedsEverythingAWSAsksFor(t *testing.T) {
	vpc := func(support, hostnames bool) state.Resource {
		return &resource.VPC{
			ID: "vpc-1", CIDRs: []resource.VPCCIDR{{Prefix: pfx("10.0.0.0/16")}},
			EnableDNSSupport: support, EnableDNSHostnames: hostnames,
		}
	}
	tests := []struct {
		name   string
		vpc    state.Resource
		change func(*resource.VPCEndpoint)
		on     bool
		reason string
	}{
		{"all given", vpc(true, true), nil, true, ""},
		{"not asked for", vpc(true, true), func(e *resource.VPCEndpoint) { e.PrivateDNSEnabled = false }, false,
			"private_dns_enabled is false"},
		{"no DNS support", vpc(false, true), nil, false, "enable_dns_support of vpc-1 is false"},
		{"no DNS hostnames", vpc(true, false), nil, false, "enable_dns_hostnames of vpc-1 is false"},
		{"inbound only", vpc(true, true), func(e *resource.VPCEndpoint) { e.PrivateDNSOnlyForInboundResolver = true }, false,
			"private_dns_only_for_inbound_resolver_endpoint is true, so queries from inside the VPC get public answers"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := store(t, append(article(), interfaceEndpoint(tt.change)...)...)
			put(t, s, tt.vpc)
			e := Resolve(s.View(), Options{}).VPC("vpc-1").Endpoint("vpce-0a")
			if e.PrivateDNS != tt.on || e.PrivateDNSReason != tt.reason {
				t.Errorf("private DNS %t, %q; want %t, %q", e.PrivateDNS, e.PrivateDNSReason, tt.on, tt.reason)
			}
			assumed := Resolve(s.View(), Options{AssumePrivateDNS: true}).VPC("vpc-1").Endpoint("vpce-0a")
			if !assumed.PrivateDNS || (assumed.PrivateDNSReason == "") != tt.on {
				t.Errorf("assumed private DNS %t, %q", assumed.PrivateDNS, assumed.PrivateDNSReason)
			}
		})
	}
}

func TestPublicAddressesShowEvenWithoutAnInternetGateway(t *testing.T) {
	s := store(t, append(article(), &resource.Address{
		AllocationID: "eipalloc-1", PublicIP: ip("34.210.0.7"), NetworkInterfaceID: "eni-fn", PrivateIP: ip("10.0.1.10"),
	})...)
	top := Resolve(s.View(), Options{})
	want := []PublicAddress{{Private: ip("10.0.1.10"), Public: ip("34.210.0.7")}}
	if diff := cmp.Diff(want, top.ENIs["eni-fn"].Public, cmp.Comparer(sameAddr)); diff != "" {
		t.Errorf("public addresses (-want +got):\n%s", diff)
	}
	if got := top.VPC("vpc-1").InternetGateway; got != "" {
		t.Errorf("internet gateway %q, want none", got)
	}
}

func TestReferencesToWhatIsGoneOpenNothing(t *testing.T) {
	resources := append(article(),
		&resource.SecurityGroup{ID: "sg-fn", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{
			{ID: "sgr-1", Protocol: -1, PrefixListID: "pl-gone"},
			{ID: "sgr-3", Protocol: -1},
		}},
		&resource.NetworkInterface{
			ID: "eni-x", VPCID: "vpc-1", SubnetID: "subnet-private", PrivateIPs: []netip.Addr{ip("10.0.1.30")},
			GroupIDs: []resource.SecurityGroupID{"sg-gone"},
		})
	top := Resolve(store(t, resources...).View(), Options{})
	if got := top.VPC("vpc-1").SecurityGroup("sg-fn").Ingress; len(got) != 0 {
		t.Errorf("rules %+v, want none", got)
	}
	if got := top.ENIs["eni-x"].GroupIDs; len(got) != 0 {
		t.Errorf("groups %v, want none", got)
	}
}
