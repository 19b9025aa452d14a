package agree

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// makeNew does what edits do that make something new. Like the API it makes nothing out of what is not there. It
// reports whether the edit is of that kind.
func makeNew(t *testing.T, g *generator, tx *state.Tx, edit explain.Edit) bool {
	t.Helper()
	switch e := edit.(type) {
	case explain.CreateGroup:
		tx.Put(&resource.SecurityGroup{ID: e.ID, VPCID: e.VPC, Name: e.Name, Rules: []resource.SecurityGroupRule{
			{ID: resource.SecurityGroupRuleID(g.id("sgr")), Protocol: e.Protocol, FromPort: e.Port, ToPort: e.Port, CIDR: e.CIDR, GroupID: e.Peer},
			{ID: resource.SecurityGroupRuleID(g.id("sgr")), Egress: true, Protocol: resource.AllProtocols, FromPort: -1, ToPort: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")},
		}})
	case explain.CreateEndpoint:
		if _, ok := state.Get[*resource.SecurityGroup](tx, e.Group); !ok {
			return true
		}
		n := newInterface(g, tx, e.VPC, e.Subnet, resource.InterfaceTypeVPCEndpoint)
		n.GroupIDs = []resource.SecurityGroupID{e.Group}
		tx.Put(&resource.VPCEndpoint{
			ID: resource.VPCEndpointID(g.id("vpce")), VPCID: e.VPC, Type: resource.EndpointTypeInterface, ServiceName: e.ServiceName, State: "available",
			DNSSuffix: "abcd5678", PrivateDNSEnabled: true, NetworkInterfaceIDs: []resource.NetworkInterfaceID{n.ID},
		})
	case explain.EnablePrivateDNS:
		change(t, tx, e.Endpoint, func(o *resource.VPCEndpoint) { o.PrivateDNSEnabled = true })
	case explain.AddEndpointSubnet:
		n := newInterface(g, tx, e.VPC, e.Subnet, resource.InterfaceTypeVPCEndpoint)
		change(t, tx, e.Endpoint, func(o *resource.VPCEndpoint) {
			first, _ := state.Get[*resource.NetworkInterface](tx, o.NetworkInterfaceIDs[0])
			n.GroupIDs = first.GroupIDs
			o.NetworkInterfaceIDs = append(slices.Clone(o.NetworkInterfaceIDs), n.ID)
		})
	case explain.CreateNAT:
		if _, ok := state.Get[*resource.Subnet](tx, e.Subnet); !ok {
			return true
		}
		n := newInterface(g, tx, e.VPC, e.Subnet, resource.InterfaceTypeNATGateway)
		allocation := resource.AllocationID(g.id("eipalloc"))
		tx.Put(&resource.Address{AllocationID: allocation, PublicIP: g.nextPublic(), NetworkInterfaceID: n.ID})
		tx.Put(&resource.NATGateway{
			ID: e.ID, VPCID: e.VPC, SubnetID: e.Subnet, NetworkInterfaceID: n.ID, Public: true, State: "available", AllocationID: allocation,
		})
	case explain.CreateSubnet:
		tx.Put(&resource.Subnet{ID: e.ID, VPCID: e.VPC, CIDR: e.CIDR, AvailabilityZone: e.Zone, NetworkACLID: e.ACL})
		tx.Put(&resource.RouteTable{ID: e.Table, VPCID: e.VPC, Associations: []resource.RouteTableAssociation{{SubnetID: e.ID}}})
	case explain.CreateEgressOnly:
		tx.Put(&resource.EgressOnlyGateway{ID: e.ID, VPCID: e.VPC})
	case explain.AcceptEndpoint:
		change(t, tx, e.Endpoint, func(o *resource.VPCEndpoint) { o.State = resource.EndpointAvailable })
	case explain.AssignIPv6:
		change(t, tx, e.ENI, func(n *resource.NetworkInterface) { n.IPv6Addresses = append(slices.Clone(n.IPv6Addresses), e.Address) })
	default:
		return false
	}
	return true
}

// part takes all peering connections away, and their routes.
func (g *generator) part() {
	g.update(func(tx *state.Tx) {
		for _, c := range state.List[*resource.VPCPeeringConnection](tx) {
			tx.Delete(c)
		}
		for _, r := range state.List[*resource.RouteTable](tx) {
			c := *r
			c.Routes = slices.DeleteFunc(slices.Clone(r.Routes), func(o resource.Route) bool { return o.Target.PeeringID != "" })
			tx.Put(&c)
		}
	})
}

// newInterface has an address that nobody has.
func newInterface(g *generator, tx *state.Tx, vpc resource.VPCID, subnet resource.SubnetID, kind string) *resource.NetworkInterface {
	s, _ := state.Get[*resource.Subnet](tx, subnet)
	taken := map[netip.Addr]bool{}
	for _, n := range state.Select(tx, func(n *resource.NetworkInterface) bool { return n.VPCID == vpc }) {
		for _, a := range n.PrivateIPs {
			taken[a] = true
		}
	}
	b := s.CIDR.Addr().As4()
	b[3] += 4
	a := netip.AddrFrom4(b)
	for taken[a] {
		a = a.Next()
	}
	n := &resource.NetworkInterface{
		ID: resource.NetworkInterfaceID(g.id("eni")), VPCID: vpc, SubnetID: subnet, InterfaceType: kind, PrivateIPs: []netip.Addr{a}, SourceDestCheck: true,
		AvailabilityZone: s.AvailabilityZone, MAC: "02:00:00:01:00:" + hex(byte(g.number)),
	}
	tx.Put(n)
	return n
}

func hex(b byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[b>>4], digits[b&15]})
}

// isNew reports whether an id stands for something that another edit makes, and that is not made.
func isNew[P state.Resource, K ~string](tx *state.Tx, id K) bool {
	_, made := state.Get[P](tx, string(id))
	return strings.HasPrefix(string(id), "$") && !made
}

// namedFlows are calls of services by name and of endpoints by their names in zones, and some of other VPCs.
func (g *generator) namedFlows(w *world, count int) map[string][]explain.Flow {
	out := map[string][]explain.Flow{}
	for range count {
		from := g.source(w.topology)
		f := explain.Flow{From: from.ID, Protocol: tcp, Port: portHTTPS, SourcePort: g.sourcePort(), Name: pick(g, []string{"sts", "logs", "lambda"}) + "." + region + ".amazonaws.com"}
		if other := pick(g, pick(g, w.topology.VPCs).ENIs); other.VPCID != from.VPCID && g.chance(30) {
			f.Name, f.To = "", other.Address()
		}
		for _, e := range w.topology.VPC(from.VPCID).Endpoints {
			if e.Type == resource.EndpointTypeInterface && len(e.LoadBalancers) == 0 && f.Name != "" && g.chance(25) {
				own := slices.MinFunc(e.Names, func(a, b topology.Name) int { return len(a.Pattern) - len(b.Pattern) })
				label, rest, _ := strings.Cut(own.Pattern, ".")
				f.Name = label + "-" + pick(g, []string{"us-west-2a", "us-west-2b"}) + "." + rest
			}
		}
		out[string(from.ID)] = append(out[string(from.ID)], f)
	}
	return out
}

// addressed takes the address that the name of a flow leads to.
func addressed(top *topology.Topology, f explain.Flow) (explain.Flow, bool) {
	if f.Name == "" {
		return f, true
	}
	a := topology.Lookup(top, top.ENIs[f.From].VPCID, f.Name)
	if len(a.Addresses) == 0 {
		return f, false
	}
	f.Name, f.To = "", a.Addresses[0]
	return f, true
}
