package explain

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// openWay are the ways by which a packet could leave: a gateway endpoint, which costs nothing, an interface
// endpoint, or the internet.
func (c *explanation) openWay(why cause) []option {
	if out := routeToPeer(why); len(out) > 0 {
		return out
	}
	if why.vpc != nil && why.subnet != nil && why.route.Kind == topology.TargetNATGateway && isMade(why.route.TargetID) {
		return createNAT(why)
	}
	if why.vpc != nil && why.route.Kind == topology.TargetEgressOnly && isMade(why.route.TargetID) {
		return do(CreateEgressOnly{VPC: why.vpc.ID, ID: resource.EgressOnlyGatewayID(why.route.TargetID)})
	}
	if why.vpc == nil || why.subnet == nil || why.eni == nil {
		return restoreRoute(why)
	}
	if natGatewayOf(why.vpc, why.eni) != nil {
		return append(routeToInternetGateway(why), restoreRoute(why)...)
	}
	if why.packet.reply {
		return append(restoreRoute(why), answerToInternet(why)...)
	}
	var out []option
	if service := serviceAt(c.topology, why.packet.dst); service != "" && why.packet.dst.Is4() {
		out = append(out, c.endpointRemedies(why, service)...)
	}
	out = append(out, c.attachWaiting(why)...)
	out = append(out, restoreRoute(why)...)
	return append(out, internetRemedies(why)...)
}

// attachWaiting is for a route to an internet gateway that is not attached.
func (c *explanation) attachWaiting(why cause) []option {
	id := resource.InternetGatewayID(why.route.TargetID)
	if why.code != "BAD_STATE_ROUTE" || why.route.Kind != topology.TargetInternetGateway || why.vpc.InternetGateway != "" {
		return nil
	}
	for _, v := range c.topology.VPCs {
		if v.InternetGateway == id {
			return nil
		}
	}
	return do(AttachGateway{VPC: why.vpc.ID, Gateway: id})
}

// answerToInternet is for somebody who was let in by the internet gateway and gets no answer.
func answerToInternet(why cause) []option {
	dst := why.packet.dst
	if why.subnet.RouteTableID == "" || why.vpc.InternetGateway == "" || knows(why.vpc, dst) {
		return nil
	}
	return do(routeOut(why, topology.TargetInternetGateway, string(why.vpc.InternetGateway)))
}

// serviceAt finds whose public address it is.
func serviceAt(t *topology.Topology, a netip.Addr) string {
	for _, s := range t.Services {
		for _, n := range s.Names {
			if slices.Contains(n.Addresses, a) {
				return s.Service
			}
		}
	}
	return ""
}

func (c *explanation) endpointRemedies(why cause, service string) []option {
	var out []option
	name := "com.amazonaws." + c.topology.Region + "." + service
	if service == "iam" {
		name = "com.amazonaws.iam"
	}
	if service == "s3" && why.subnet.RouteTableID != "" {
		out = append(out, gatewayEndpoint(why, name)...)
	}
	for _, e := range why.vpc.Endpoints {
		if e.Type != resource.EndpointTypeGateway && e.Service == service {
			return out // what is wrong with it is said elsewhere
		}
	}
	if service == "s3" {
		return out
	}
	return append(out, c.interfaceEndpoint(why, service, name)...)
}

// gatewayEndpoint puts an existing gateway endpoint on the route table, or makes one.
func gatewayEndpoint(why cause, name string) []option {
	out := AddGatewayRoutes{VPC: why.vpc.ID, ServiceName: name, Service: "s3", Table: why.subnet.RouteTableID, Subnet: why.subnet.ID}
	for _, e := range why.vpc.Endpoints {
		if e.Type != resource.EndpointTypeGateway || e.ServiceName != name {
			continue
		}
		if slices.Contains(e.RouteTableIDs, out.Table) {
			return nil // another route is in its way
		}
		out.Endpoint = e.ID
	}
	return do(out)
}

// restoreRoute is for a route whose target is gone.
func restoreRoute(why cause) []option {
	if why.code != "BAD_STATE_ROUTE" || why.subnet == nil || why.subnet.RouteTableID == "" || !why.route.Destination.IsValid() {
		return nil
	}
	if why.route.Kind == topology.TargetPeering {
		return advice(Remedy{
			Text: fmt.Sprintf("accept %s, if it is pending; if it is gone, make another connection and lead %s in %s to that",
				why.route.TargetID, destination(why.route), why.subnet.RouteTableID),
			CLI:       "aws ec2 accept-vpc-peering-connection --vpc-peering-connection-id " + why.route.TargetID,
			Terraform: block("aws_vpc_peering_connection_accepter", "this", "vpc_peering_connection_id", why.route.TargetID, "auto_accept", true),
		})
	}
	return do(DeleteRoute{VPC: why.vpc.ID, Table: why.subnet.RouteTableID, Destination: why.route.Destination, PrefixListID: why.route.PrefixListID,
		target: why.route.TargetID})
}

// internetRemedies lead to the internet: with a public address straight, otherwise by a NAT gateway.
func internetRemedies(why cause) []option {
	if why.packet.dst.IsPrivate() || sharedAddresses.Contains(why.packet.dst) {
		return nil
	}
	if why.packet.dst.Is6() {
		return internetRemedies6(why)
	}
	function := why.eni.Type == resource.InterfaceTypeLambda
	if why.code == "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS" && !function && slices.Contains(why.eni.Addresses, why.packet.src) {
		return do(GiveAddress{VPC: why.vpc.ID, ENI: why.eni.ID, Private: why.packet.src, several: len(why.eni.Addresses) > 1})
	}
	if _, public := publicAddress(why.vpc, why.packet.src); public && why.subnet.RouteTableID != "" {
		return do(routeOut(why, topology.TargetInternetGateway, string(why.vpc.InternetGateway)))
	}
	for _, n := range why.vpc.NATGateways {
		if n.Public && why.subnet.RouteTableID != "" && n.SubnetID != why.subnet.ID {
			return do(routeOut(why, topology.TargetNATGateway, string(n.ID)))
		}
	}
	if function && why.code == "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS" {
		return advice(Remedy{Text: "a function's interface never has a public address, so a public subnet is no use to it: put the function into a private subnet with a route to a NAT gateway"})
	}
	return throughNewNAT(why)
}

// routeOut leads everything to a target, or, where a longer route is in the way, what that matches.
func routeOut(why cause, kind topology.TargetKind, target string) SetRoute {
	e := SetRoute{VPC: why.vpc.ID, Table: why.subnet.RouteTableID, Destination: everywhere(why.packet.dst), Kind: kind, Target: target}
	if r := why.route; r.Destination.IsValid() {
		e.Destination, e.Replace = r.Destination, r.PrefixListID == ""
	} else if r, found := why.subnet.Route(why.packet.dst); found {
		e.Destination, e.Replace = r.Destination, r.PrefixListID == ""
	}
	return e
}

// routeToInternetGateway is for the subnet of a NAT gateway.
func routeToInternetGateway(why cause) []option {
	if n := natGatewayOf(why.vpc, why.eni); !n.Public {
		return advice(Remedy{Text: fmt.Sprintf("%s is private and reaches no internet: use a public NAT gateway", n.ID)})
	}
	if why.vpc.InternetGateway == "" {
		id := newGateway(why.vpc.ID)
		if why.code == "BAD_STATE_ROUTE" && why.route.Kind == topology.TargetInternetGateway {
			id = resource.InternetGatewayID(why.route.TargetID)
		}
		return do(AttachGateway{VPC: why.vpc.ID, Gateway: id})
	}
	if why.subnet.RouteTableID == "" {
		return nil
	}
	return do(routeOut(why, topology.TargetInternetGateway, string(why.vpc.InternetGateway)))
}
