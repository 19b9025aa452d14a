package explain

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func ip(s string) netip.Addr    { return netip.MustParseAddr(s) }
func pfx(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// network is a state under construction, by id. It begins as the network of a private function: VPC 10.0.0.0/16
// with a private and a public subnet, whose tables have no routes yet.
type network map[string]state.Resource

func newNetwork() network {
	n := network{}
	n.put(
		&resource.VPC{
			ID: "vpc-1", CIDRs: []resource.VPCCIDR{{Prefix: pfx("10.0.0.0/16")}}, EnableDNSSupport: true, EnableDNSHostnames: true,
		},
		&resource.NetworkACL{ID: "acl-1", VPCID: "vpc-1", IsDefault: true, Entries: []resource.NetworkACLEntry{
			entry(100, ingress, true, -1, "0.0.0.0/0", 0, 0), entry(100, egress, true, -1, "0.0.0.0/0", 0, 0),
		}},
		&resource.RouteTable{ID: "rtb-main", VPCID: "vpc-1", Associations: []resource.RouteTableAssociation{{Main: true}}},
		&resource.SecurityGroup{ID: "sg-fn", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{
			rule("sgr-fn-out", egress, -1, 0, "0.0.0.0/0"),
		}},
	)
	n.subnet("private", "10.0.1.0/24")
	n.subnet("public", "10.0.2.0/24")
	n.eni("fn", "private", "10.0.1.10", resource.InterfaceTypeLambda, "sg-fn")
	return n
}

func (n network) put(resources ...state.Resource) {
	for _, r := range resources {
		n[r.Key()] = r
	}
}

func (n network) subnet(name, cidr string) {
	id := resource.SubnetID("subnet-" + name)
	n.put(
		&resource.Subnet{ID: id, VPCID: "vpc-1", CIDR: pfx(cidr), AvailabilityZone: "us-west-2a", NetworkACLID: "acl-1"},
		&resource.RouteTable{
			ID: resource.RouteTableID("rtb-" + name), VPCID: "vpc-1", Associations: []resource.RouteTableAssociation{{SubnetID: id}},
		})
}

func (n network) eni(name, subnet, address, kind string, groups ...resource.SecurityGroupID) *resource.NetworkInterface {
	e := &resource.NetworkInterface{
		ID: resource.NetworkInterfaceID("eni-" + name), VPCID: "vpc-1", SubnetID: resource.SubnetID("subnet-" + subnet),
		InterfaceType: kind, PrivateIPs: []netip.Addr{ip(address)}, GroupIDs: groups, SourceDestCheck: true,
	}
	n.put(e)
	return e
}

func (n network) route(table, to string, target resource.RouteTarget) {
	t := *n["rtb-"+table].(*resource.RouteTable)
	t.Routes = append(slices.Clone(t.Routes), resource.Route{DestinationCIDR: pfx(to), Target: target})
	n.put(&t)
}

func rule(id string, d direction, protocol, port int, cidr string) resource.SecurityGroupRule {
	r := resource.SecurityGroupRule{
		ID: resource.SecurityGroupRuleID(id), Egress: bool(d), Protocol: protocol, FromPort: port, ToPort: port, CIDR: pfx(cidr),
	}
	if protocol == resource.AllProtocols {
		r.FromPort, r.ToPort = -1, -1
	}
	return r
}

func entry(number int, d direction, allow bool, protocol int, cidr string, from, to int) resource.NetworkACLEntry {
	return resource.NetworkACLEntry{
		RuleNumber: number, Egress: bool(d), Allow: allow, Protocol: protocol, CIDR: pfx(cidr), FromPort: from, ToPort: to,
		ICMPType: -1, ICMPCode: -1,
	}
}

// interfaceEndpoint adds one for S3, in the private subnet, with a group that lets in 443 from the VPC.
func (n network) interfaceEndpoint(privateDNS bool) *resource.VPCEndpoint {
	n.put(&resource.SecurityGroup{ID: "sg-vpce", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{
		rule("sgr-vpce-in", ingress, TCP, 443, "10.0.0.0/16"),
	}})
	n.eni("vpce", "private", "10.0.1.20", resource.InterfaceTypeVPCEndpoint, "sg-vpce")
	e := &resource.VPCEndpoint{
		ID: "vpce-0a", VPCID: "vpc-1", Type: resource.EndpointTypeInterface, ServiceName: "com.amazonaws.us-west-2.s3",
		State: "available", DNSSuffix: "ab12cd34", PrivateDNSEnabled: privateDNS,
		NetworkInterfaceIDs: []resource.NetworkInterfaceID{"eni-vpce"},
	}
	n.put(e)
	return e
}

func (n network) gatewayEndpoint(tables ...resource.RouteTableID) {
	n.put(&resource.VPCEndpoint{
		ID: "vpce-0b", VPCID: "vpc-1", Type: resource.EndpointTypeGateway, ServiceName: "com.amazonaws.us-west-2.s3",
		State: "available", RouteTableIDs: tables,
	})
}

func (n network) internetGateway() {
	n.put(&resource.InternetGateway{ID: "igw-1", VPCID: "vpc-1"})
	n.route("public", "0.0.0.0/0", resource.RouteTarget{InternetGatewayID: "igw-1"})
}

func (n network) natGateway() {
	n.put(
		&resource.NATGateway{
			ID: "nat-1", VPCID: "vpc-1", SubnetID: "subnet-public", Public: true, NetworkInterfaceID: "eni-nat",
			AllocationID: "eipalloc-1", State: "available",
		},
		&resource.Address{AllocationID: "eipalloc-1", PublicIP: ip("34.210.0.7"), NetworkInterfaceID: "eni-nat"})
	n.eni("nat", "public", "10.0.2.5", resource.InterfaceTypeNATGateway)
	n.route("private", "0.0.0.0/0", resource.RouteTarget{NATGatewayID: "nat-1"})
}

func (n network) resolve(t testing.TB) *topology.Topology {
	t.Helper()
	return n.resolveWith(t, topology.Options{})
}

func (n network) resolveWith(t testing.TB, o topology.Options) *topology.Topology {
	t.Helper()
	s, err := state.Open(state.Config{Region: "us-west-2", Account: "000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(func(tx *state.Tx) error {
		for _, r := range n {
			tx.Put(r)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return topology.Resolve(s.View(), o)
}
