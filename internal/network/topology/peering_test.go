package topology

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// peered is the article's network and a second VPC that is joined with it.
func peered(change func(*resource.VPCPeeringConnection)) []state.Resource {
	c := &resource.VPCPeeringConnection{
		ID: "pcx-1", Requester: resource.PeeringSide{VPCID: "vpc-1"}, Accepter: resource.PeeringSide{VPCID: "vpc-2"},
		State: resource.PeeringActive,
	}
	if change != nil {
		change(c)
	}
	return append(article(), c,
		&resource.VPC{ID: "vpc-2", CIDRs: []resource.VPCCIDR{{Prefix: pfx("10.1.0.0/16")}}, EnableDNSSupport: true, EnableDNSHostnames: true},
		&resource.Subnet{ID: "subnet-2", VPCID: "vpc-2", CIDR: pfx("10.1.1.0/24"), NetworkACLID: "acl-2"},
		&resource.RouteTable{ID: "rtb-2", VPCID: "vpc-2", Associations: []resource.RouteTableAssociation{{Main: true}}, Routes: []resource.Route{
			{DestinationCIDR: pfx("10.0.0.0/16"), Target: resource.RouteTarget{PeeringID: "pcx-1"}},
		}},
		&resource.SecurityGroup{ID: "sg-2", VPCID: "vpc-2", Rules: []resource.SecurityGroupRule{
			{ID: "sgr-2", Protocol: -1, FromPort: -1, ToPort: -1, GroupID: "sg-fn", GroupVPCID: "vpc-1"},
			{ID: "sgr-3", Protocol: -1, FromPort: -1, ToPort: -1, GroupID: "sg-gone", GroupVPCID: "vpc-1"},
		}},
		&resource.NetworkInterface{
			ID: "eni-2", VPCID: "vpc-2", SubnetID: "subnet-2", InterfaceType: resource.InterfaceTypeInterface,
			PrivateIPs: []netip.Addr{ip("10.1.1.10")}, GroupIDs: []resource.SecurityGroupID{"sg-2"}, SourceDestCheck: true,
		},
		&resource.Address{AllocationID: "eipalloc-2", PublicIP: ip("34.210.0.2"), NetworkInterfaceID: "eni-2", PrivateIP: ip("10.1.1.10")})
}

func TestAnActivePeeringJoinsTwoVPCs(t *testing.T) {
	top := Resolve(store(t, peered(nil)...).View(), Options{})
	v := top.VPC("vpc-2")
	if d := cmp.Diff(v.Peerings, []*Peering{{ID: "pcx-1", PeerVPCID: "vpc-1", PeerCIDRs: []netip.Prefix{pfx("10.0.0.0/16")}}}, cmp.Comparer(samePrefix)); d != "" {
		t.Errorf("peerings (-got +want):\n%s", d)
	}
	if p := top.VPC("vpc-1").Peering("pcx-1"); p == nil || p.PeerVPCID != "vpc-2" || !p.Contains(ip("10.1.255.255")) || p.Contains(ip("10.2.0.0")) {
		t.Errorf("the other end is %+v", p)
	}
	if r, ok := v.Subnets[0].Route(ip("10.0.1.10")); !ok || r.Kind != TargetPeering || r.Blackhole {
		t.Errorf("route is %+v, %t", r, ok)
	}
	members, known := v.Members("sg-fn")
	if !known || len(members) != 1 || members[0] != ip("10.0.1.10") {
		t.Errorf("the peer's group is %v, %t", members, known)
	}
	if members, known := v.Members("sg-gone"); known || len(members) > 0 {
		t.Errorf("a group that is gone is %v, %t", members, known)
	}
}

// Whatever is not an active connection of two VPCs that are there and do not overlap leads nowhere.
func TestWhatIsNotAnActivePeeringLeadsNowhere(t *testing.T) {
	for name, resources := range map[string][]state.Resource{
		"pending":  peered(func(c *resource.VPCPeeringConnection) { c.State = resource.PeeringPending }),
		"rejected": peered(func(c *resource.VPCPeeringConnection) { c.State = resource.PeeringRejected }),
		"failed":   peered(func(c *resource.VPCPeeringConnection) { c.State = resource.PeeringFailed }),
		"deleted":  peered(func(c *resource.VPCPeeringConnection) { c.State = resource.PeeringDeleted }),
		"no peer":  peered(func(c *resource.VPCPeeringConnection) { c.Requester.VPCID = "vpc-9" }),
		"itself":   peered(func(c *resource.VPCPeeringConnection) { c.Requester.VPCID = "vpc-2" }),
		"overlap":  append(peered(nil), &resource.VPC{ID: "vpc-1", CIDRs: []resource.VPCCIDR{{Prefix: pfx("10.0.0.0/16")}, {Prefix: pfx("10.1.128.0/20")}}}),
	} {
		t.Run(name, func(t *testing.T) {
			top := Resolve(store(t, resources...).View(), Options{})
			for _, v := range top.VPCs {
				if len(v.Peerings) > 0 || len(v.PeerGroups) > 0 {
					t.Errorf("%s has peerings %v and groups %v", v.ID, v.Peerings, v.PeerGroups)
				}
			}
			if r, ok := top.VPC("vpc-2").Subnets[0].Route(ip("10.0.1.10")); !ok || !r.Blackhole {
				t.Errorf("route is %+v, %t", r, ok)
			}
		})
	}
}

func TestPublicNamesOfAPeerAreItsPrivateAddressesIfItAllowsThat(t *testing.T) {
	const name = "ec2-34-210-0-2.us-west-2.compute.amazonaws.com"
	off := func(id resource.VPCID, cidr string, hostnames bool) state.Resource {
		return &resource.VPC{ID: id, CIDRs: []resource.VPCCIDR{{Prefix: pfx(cidr)}}, EnableDNSSupport: true, EnableDNSHostnames: hostnames}
	}
	allow := func(c *resource.VPCPeeringConnection) { c.Accepter.AllowDNSResolution = true }
	for _, tt := range []struct {
		name      string
		resources []state.Resource
		want      string
	}{
		{"allowed by the peer", peered(allow), "public host name [10.1.1.10]"},
		{"not allowed", peered(nil), "public host name [34.210.0.2]"},
		{"allowed the other way round", peered(func(c *resource.VPCPeeringConnection) { c.Requester.AllowDNSResolution = true }), "public host name [34.210.0.2]"},
		{"not active", peered(func(c *resource.VPCPeeringConnection) { allow(c); c.State = resource.PeeringDeleted }), "public host name [34.210.0.2]"},
		{"DNS host names off here", append(peered(allow), off("vpc-1", "10.0.0.0/16", false)), "public host name [34.210.0.2]"},
	} {
		top := Resolve(store(t, tt.resources...).View(), Options{})
		if got := summary(Lookup(top, "vpc-1", name)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if got := summary(Lookup(top, "", name)); got != "public host name [34.210.0.2]" {
			t.Errorf("%s, on the internet: %s", tt.name, got)
		}
		if got := summary(Lookup(top, "vpc-1", "ip-10-1-1-10.us-west-2.compute.internal")); got[:8] != "nxdomain" && tt.name != "DNS host names off here" {
			t.Errorf("%s: a private name of the peer is %s", tt.name, got)
		}
	}
}
