package topology

import (
	"net/netip"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// ipv6Network has everything of IPv6: two VPCs that are joined, a private subnet with an egress-only gateway, and a
// subnet without.
func ipv6Network() []state.Resource {
	everywhere := pfx("::/0")
	return append(article(),
		&resource.VPC{
			ID: "vpc-1", CIDRs: []resource.VPCCIDR{{Prefix: pfx("10.0.0.0/16")}},
			IPv6CIDRs:        []resource.VPCCIDR{{Prefix: pfx("2600:1f14:1:100::/56")}},
			EnableDNSSupport: true, EnableDNSHostnames: true,
		},
		&resource.VPC{
			ID: "vpc-2", CIDRs: []resource.VPCCIDR{{Prefix: pfx("10.1.0.0/16")}},
			IPv6CIDRs: []resource.VPCCIDR{{Prefix: pfx("2600:1f14:1:200::/56")}},
		},
		&resource.VPCPeeringConnection{
			ID: "pcx-1", Requester: resource.PeeringSide{VPCID: "vpc-1"}, Accepter: resource.PeeringSide{VPCID: "vpc-2"},
			State: resource.PeeringActive,
		},
		&resource.EgressOnlyGateway{ID: "eigw-1", VPCID: "vpc-1"},
		&resource.Subnet{
			ID: "subnet-private", VPCID: "vpc-1", CIDR: pfx("10.0.1.0/24"), IPv6CIDR: pfx("2600:1f14:1:101::/64"),
			AvailabilityZone: "us-west-2a", NetworkACLID: "acl-1", ResourceNameDNSAAAARecord: true,
		},
		&resource.RouteTable{
			ID: "rtb-private", VPCID: "vpc-1",
			Routes: []resource.Route{
				{DestinationCIDR: everywhere, Target: resource.RouteTarget{EgressOnlyID: "eigw-1"}},
				{DestinationCIDR: pfx("2600:1f14:1:200::/56"), Target: resource.RouteTarget{PeeringID: "pcx-1"}},
				{DestinationCIDR: pfx("64:ff9b::/96"), Target: resource.RouteTarget{NATGatewayID: "nat-1"}},
				{DestinationCIDR: pfx("2600:1f14:1:101::8/125"), Target: resource.RouteTarget{NetworkInterfaceID: "eni-fn"}},
				{DestinationPrefixListID: "pl-6", Target: resource.RouteTarget{NetworkInterfaceID: "eni-fn"}},
				{DestinationCIDR: pfx("2001:db8:9::/48"), Target: resource.RouteTarget{NetworkInterfaceID: "eni-old"}},
				{DestinationCIDR: pfx("198.51.100.0/24"), Target: resource.RouteTarget{EgressOnlyID: "eigw-1"}},
			},
			Associations: []resource.RouteTableAssociation{{SubnetID: "subnet-private"}},
		},
		&resource.PrefixList{ID: "pl-6", Name: "six", Entries: []resource.PrefixListEntry{{CIDR: pfx("2001:db8:8::/48")}}},
		&resource.NetworkACL{ID: "acl-1", VPCID: "vpc-1", IsDefault: true, Entries: []resource.NetworkACLEntry{
			{RuleNumber: 101, Protocol: -1, Allow: true, CIDR: everywhere},
			{RuleNumber: 100, Protocol: -1, Allow: true, CIDR: pfx("0.0.0.0/0")},
			{RuleNumber: 101, Egress: true, Protocol: -1, Allow: true, CIDR: everywhere},
		}},
		&resource.SecurityGroup{ID: "sg-fn", VPCID: "vpc-1", Name: "fn", Rules: []resource.SecurityGroupRule{
			{ID: "sgr-1", Egress: true, Protocol: -1, FromPort: -1, ToPort: -1, CIDR: everywhere},
			{ID: "sgr-2", Protocol: 58, FromPort: 128, ToPort: -1, GroupID: "sg-fn"},
			{ID: "sgr-3", Protocol: 6, FromPort: 443, ToPort: 443, PrefixListID: "pl-6"},
		}},
		&resource.NetworkInterface{
			ID: "eni-fn", VPCID: "vpc-1", SubnetID: "subnet-private", InterfaceType: resource.InterfaceTypeInterface,
			PrivateIPs:    []netip.Addr{ip("10.0.1.10")},
			IPv6Addresses: []netip.Addr{ip("2600:1f14:1:101::a"), ip("2600:1f14:1:999::a")},
			GroupIDs:      []resource.SecurityGroupID{"sg-fn"}, SourceDestCheck: true,
			Attachment: &resource.Attachment{InstanceID: "i-0123456789abcdef0"},
		},
		&resource.NetworkInterface{
			ID: "eni-old", VPCID: "vpc-1", SubnetID: "subnet-private", InterfaceType: resource.InterfaceTypeInterface,
			PrivateIPs: []netip.Addr{ip("10.0.1.11")}, GroupIDs: []resource.SecurityGroupID{"sg-fn"}, SourceDestCheck: true,
		})
}

func TestIPv6RoutesAreChosenAsAWSDoes(t *testing.T) {
	subnet := Resolve(store(t, ipv6Network()...).View(), Options{}).VPC("vpc-1").Subnet("subnet-private")
	tests := []struct {
		to, kind  string
		blackhole bool
		why       string
	}{
		{"2600:1f14:1:1ff::1", "local", false, "the VPC's IPv6 block has a local route"},
		{"2600:1f14:1:101::9", "local", false, "a route into the subnet itself is never looked at"},
		{"2600:1f14:1:200::5", "vpc-peering-connection", false, "peering carries IPv6"},
		{"2001:db8:8::1", "network-interface", false, "prefix lists may be of IPv6 blocks"},
		{"2001:db8:9::1", "network-interface", true, "an interface without an IPv6 address takes no IPv6"},
		{"64:ff9b::808:808", "nat-gateway", true, "a NAT gateway takes no IPv6"},
		{"2001:4860::1", "egress-only-internet-gateway", false, "the default route takes the rest"},
		{"198.51.100.1", "egress-only-internet-gateway", true, "an egress-only gateway takes no IPv4"},
	}
	for _, tt := range tests {
		if r, _ := subnet.Route(ip(tt.to)); string(r.Kind) != tt.kind || r.Blackhole != tt.blackhole {
			t.Errorf("%s: route %+v, want %s, blackhole %t: %s", tt.to, r, tt.kind, tt.blackhole, tt.why)
		}
	}
	if _, found := subnet.Route(ip("8.8.8.8")); found {
		t.Error("a route for ::/0 takes IPv4")
	}
}

func TestARouteToAnEgressOnlyGatewayThatIsGoneIsABlackhole(t *testing.T) {
	for name, g := range map[string]*resource.EgressOnlyGateway{
		"another gateway": {ID: "eigw-2", VPCID: "vpc-1"}, "of another VPC": {ID: "eigw-1", VPCID: "vpc-2"},
	} {
		s := store(t, ipv6Network()...)
		if _, err := s.Update(func(tx *state.Tx) error {
			tx.Delete(&resource.EgressOnlyGateway{ID: "eigw-1"})
			tx.Put(g)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if r, found := Resolve(s.View(), Options{}).VPC("vpc-1").Subnet("subnet-private").Route(ip("2001:4860::1")); !found || !r.Blackhole {
			t.Errorf("%s: route %+v, found %t; want a blackhole", name, r, found)
		}
	}
}

func TestNamesOfIPv6AddressesResolveAsInAWS(t *testing.T) {
	top := Resolve(store(t, ipv6Network()...).View(), Options{})
	a := Lookup(top, "vpc-1", "i-0123456789abcdef0.us-west-2.compute.internal")
	if !a.Found || len(a.Addresses) != 0 || len(a.IPv6) != 1 || a.IPv6[0] != ip("2600:1f14:1:101::a") {
		t.Errorf("the instance's name: %+v, want its IPv6 address only, as its subnet asks for AAAA records only", a)
	}
	if a := Lookup(top, "vpc-1", "ip-10-0-1-10.us-west-2.compute.internal"); !a.Found || len(a.IPv6) != 0 {
		t.Errorf("the name made of its address: %+v, want no IPv6 address", a)
	}
	if a := Lookup(top, "vpc-1", "i-0fffffffffffffff0.us-west-2.compute.internal"); !a.NXDomain {
		t.Errorf("a name of nobody: %+v", a)
	}
	dualstack := Lookup(top, "vpc-1", "bucket.s3.dualstack.us-west-2.amazonaws.com")
	if len(dualstack.IPv6) != 4 || len(dualstack.Addresses) != 4 || dualstack.Service != "s3" {
		t.Errorf("S3's dualstack name: %+v, want addresses of both families", dualstack)
	}
	if a := Lookup(top, "vpc-1", "bucket.s3.us-west-2.amazonaws.com"); len(a.IPv6) != 0 || len(a.Addresses) != 4 {
		t.Errorf("S3's other name: %+v, want IPv4 only", a)
	}
}
