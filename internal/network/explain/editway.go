package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// SetRoute leads a block somewhere.
type SetRoute struct {
	VPC         resource.VPCID
	Table       resource.RouteTableID
	Destination netip.Prefix
	Replace     bool // the table has a route for just this block
	Kind        topology.TargetKind
	Target      string

	note string
}

// Remedy says it to people.
func (e SetRoute) Remedy() Remedy {
	verb, name := "create-route", "default"
	if e.Replace {
		verb = "replace-route"
	}
	if e.Kind == topology.TargetPeering {
		name = "peer"
	}
	flag, attribute := "--gateway-id", "gateway_id"
	switch e.Kind {
	case topology.TargetEgressOnly:
		flag, attribute = "--egress-only-internet-gateway-id", "egress_only_gateway_id"
	case topology.TargetNATGateway:
		flag, attribute = "--nat-gateway-id", "nat_gateway_id"
	case topology.TargetPeering:
		flag, attribute = "--vpc-peering-connection-id", "vpc_peering_connection_id"
	}
	target := e.Target + e.note
	if words, ok := strings.CutPrefix(e.note, ", "); ok && isMade(e.Target) {
		target = words
	}
	return Remedy{
		Text: fmt.Sprintf("route %s in %s to %s", e.Destination, e.Table, target),
		CLI:  fmt.Sprintf("aws ec2 %s --route-table-id %s %s %s %s %s", verb, e.Table, destinationFlag(e.Destination), e.Destination, flag, e.Target),
		Terraform: block("aws_route", name, "route_table_id", made(string(e.Table)), destinationAttribute(e.Destination), e.Destination.String(),
			attribute, made(e.Target)),
	}
}

func destinationFlag(p netip.Prefix) string {
	return "--" + strings.ReplaceAll(destinationAttribute(p), "_", "-")
}

func destinationAttribute(p netip.Prefix) string {
	if p.Addr().Is6() {
		return "destination_ipv6_cidr_block"
	}
	return "destination_cidr_block"
}

func (e SetRoute) try(d *draft) {
	d.table(e.VPC, e.Table, func(routes []topology.Route) []topology.Route {
		routes = slices.DeleteFunc(routes, func(r topology.Route) bool { return r.Destination == e.Destination })
		return append(routes, topology.Route{Destination: e.Destination, Kind: e.Kind, TargetID: e.Target})
	})
}

// DeleteRoute takes a route away, so that the next best one counts.
type DeleteRoute struct {
	VPC          resource.VPCID
	Table        resource.RouteTableID
	Destination  netip.Prefix
	PrefixListID resource.PrefixListID // in place of Destination

	target string
}

// Remedy says it to people.
func (e DeleteRoute) Remedy() Remedy {
	what, to := e.Destination.String(), destinationFlag(e.Destination)+" "+e.Destination.String()
	if e.PrefixListID != "" {
		what, to = string(e.PrefixListID), "--destination-prefix-list-id "+string(e.PrefixListID)
	}
	return Remedy{
		Text:      fmt.Sprintf("delete the route for %s in %s, or lead it somewhere else: %s is gone", what, e.Table, e.target),
		CLI:       fmt.Sprintf("aws ec2 delete-route --route-table-id %s %s", e.Table, to),
		Terraform: fmt.Sprintf("# remove the route for %s to %s from %s", what, e.target, e.Table),
	}
}

func (e DeleteRoute) try(d *draft) {
	v := d.vpc(e.VPC)
	d.table(e.VPC, e.Table, func(routes []topology.Route) []topology.Route {
		routes = slices.DeleteFunc(routes, func(r topology.Route) bool {
			return r.Kind != topology.TargetLocal && r.PrefixListID == e.PrefixListID && (e.PrefixListID != "" || r.Destination == e.Destination)
		})
		for _, p := range v.Endpoints { // whose routes it may have hidden
			if slices.Contains(p.RouteTableIDs, e.Table) {
				routes = withEndpoint(routes, p.ID, p.PrefixListID, p.Prefixes)
			}
		}
		return routes
	})
}

// withEndpoint adds a gateway endpoint's routes, where no other leads just there.
func withEndpoint(routes []topology.Route, id resource.VPCEndpointID, list resource.PrefixListID, blocks []netip.Prefix) []topology.Route {
	for _, b := range blocks {
		if !slices.ContainsFunc(routes, func(r topology.Route) bool { return r.Destination == b }) {
			routes = append(routes, topology.Route{Destination: b, PrefixListID: list, Kind: topology.TargetGatewayEndpoint, TargetID: string(id)})
		}
	}
	return routes
}

// AttachGateway attaches an internet gateway: the one that a route waits for, or a new one.
type AttachGateway struct {
	VPC     resource.VPCID
	Gateway resource.InternetGatewayID
}

// Remedy says it to people.
func (e AttachGateway) Remedy() Remedy {
	vpc, isNew := strings.CutPrefix(string(e.Gateway), newGatewayPrefix)
	if !isNew {
		return Remedy{
			Text:      fmt.Sprintf("attach %s to %s", e.Gateway, e.VPC),
			CLI:       fmt.Sprintf("aws ec2 attach-internet-gateway --internet-gateway-id %s --vpc-id %s", e.Gateway, e.VPC),
			Terraform: block("aws_internet_gateway_attachment", "this", "internet_gateway_id", string(e.Gateway), "vpc_id", string(e.VPC)),
		}
	}
	return Remedy{
		Text: fmt.Sprintf("attach an internet gateway to %s", e.VPC),
		CLI: strings.TrimPrefix(string(e.Gateway), "$") + "=$(aws ec2 create-internet-gateway --query InternetGateway.InternetGatewayId --output text)\n" +
			fmt.Sprintf("aws ec2 attach-internet-gateway --internet-gateway-id %s --vpc-id %s", e.Gateway, e.VPC),
		Terraform: block("aws_internet_gateway", "vpc_"+vpc, "vpc_id", string(e.VPC)),
	}
}

func (e AttachGateway) try(d *draft) {
	v := d.vpc(e.VPC)
	v.InternetGateway = e.Gateway
	v.Subnets = changed(v.Subnets, func(*topology.Subnet) bool { return true }, func(s *topology.Subnet) {
		s.Routes = slices.Clone(s.Routes)
		for i, r := range s.Routes {
			if r.Kind == topology.TargetInternetGateway && r.TargetID == string(e.Gateway) {
				s.Routes[i].Blackhole = false
			}
		}
	})
}

// GiveAddress gives an interface a new Elastic IP address.
type GiveAddress struct {
	VPC     resource.VPCID
	ENI     resource.NetworkInterfaceID
	Private netip.Addr

	several bool // the interface has other addresses
}

// Remedy says it to people.
func (e GiveAddress) Remedy() Remedy {
	flag := ""
	pairs := []any{"domain", "vpc", "network_interface", string(e.ENI)}
	if e.several {
		flag = " --private-ip-address " + e.Private.String()
		pairs = append(pairs, "associate_with_private_ip", e.Private.String())
	}
	return Remedy{
		Text: fmt.Sprintf("give %s a public address", e.ENI),
		CLI: fmt.Sprintf("aws ec2 associate-address --allocation-id $(aws ec2 allocate-address --domain vpc --query AllocationId --output text) --network-interface-id %s%s",
			e.ENI, flag),
		Terraform: block("aws_eip", "this", pairs...),
	}
}

// anyPublic stands for the address that AWS will choose (RFC 5737). Nobody has it.
var (
	anyPublic = netip.AddrFrom4([4]byte{192, 0, 2, 1})
	madeUp    = netip.PrefixFrom(anyPublic, 24).Masked()
)

func (e GiveAddress) try(d *draft) {
	d.eni(e.VPC, e.ENI, func(n *topology.ENI) {
		n.Public = append(slices.Clone(n.Public), topology.PublicAddress{Private: e.Private, Public: anyPublic})
	})
}

// JoinVPCs makes a peering connection and accepts it.
type JoinVPCs struct {
	VPC, Peer resource.VPCID
}

// Remedy says it to people.
func (e JoinVPCs) Remedy() Remedy {
	return Remedy{
		Text: fmt.Sprintf("join %s and %s by a peering connection, accept it, and give the route tables of both a route to it", e.VPC, e.Peer),
		CLI: fmt.Sprintf("PCX=$(aws ec2 create-vpc-peering-connection --vpc-id %s --peer-vpc-id %s --query VpcPeeringConnection.VpcPeeringConnectionId --output text)\n", e.VPC, e.Peer) +
			"aws ec2 accept-vpc-peering-connection --vpc-peering-connection-id " + newPeering,
		Terraform: block("aws_vpc_peering_connection", "this", "vpc_id", string(e.VPC), "peer_vpc_id", string(e.Peer), "auto_accept", true),
	}
}

func (e JoinVPCs) try(d *draft) {
	join := func(a, b *topology.VPC) {
		a.Peerings = append(slices.Clone(a.Peerings), &topology.Peering{ID: newPeering, PeerVPCID: b.ID, PeerCIDRs: slices.Concat(b.CIDRs, b.IPv6CIDRs)})
	}
	a, b := d.vpc(e.VPC), d.vpc(e.Peer)
	join(a, b)
	join(b, a)
}
