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
func (c *explanation) openWay(why cause) []Remedy {
	if out := routeToPeer(why); len(out) > 0 {
		return out
	}
	if why.vpc == nil || why.subnet == nil || why.eni == nil || why.packet.reply {
		return c.restoreRoute(why)
	}
	if natGatewayOf(why.vpc, why.eni) != nil {
		return routeToInternetGateway(why)
	}
	var out []Remedy
	if service := serviceAt(c.topology, why.packet.dst); service != "" {
		out = append(out, c.endpointRemedies(why, service)...)
	}
	out = append(out, c.restoreRoute(why)...)
	return append(out, internetRemedies(why)...)
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

func (c *explanation) endpointRemedies(why cause, service string) []Remedy {
	var out []Remedy
	name := "com.amazonaws." + c.topology.Region + "." + service
	if service == "iam" {
		name = "com.amazonaws.iam"
	}
	if service == "s3" && why.subnet.RouteTableID != "" {
		out = append(out, gatewayEndpointRemedy(why, name))
	}
	for _, e := range why.vpc.Endpoints {
		if e.Type != resource.EndpointTypeGateway && e.Service == service {
			return out // what is wrong with it is said elsewhere
		}
	}
	if service == "s3" {
		return out
	}
	groups := groupNames(why.eni)
	return append(out, Remedy{
		Text: fmt.Sprintf("create an interface endpoint for %s in %s with private DNS; its security group must let in TCP 443 from %s", service, why.subnet.ID, groups),
		CLI: fmt.Sprintf("aws ec2 create-vpc-endpoint --vpc-id %s --vpc-endpoint-type Interface --service-name %s --subnet-ids %s --security-group-ids sg-… --private-dns-enabled",
			why.vpc.ID, name, why.subnet.ID),
		Terraform: block("aws_vpc_endpoint", service, "vpc_id", string(why.vpc.ID), "vpc_endpoint_type", "Interface", "service_name", name,
			"subnet_ids", []string{string(why.subnet.ID)}, "security_group_ids", []string{"sg-…"}, "private_dns_enabled", true),
	})
}

// gatewayEndpointRemedy puts an existing gateway endpoint on the route table, or makes one.
func gatewayEndpointRemedy(why cause, name string) Remedy {
	table := why.subnet.RouteTableID
	for _, e := range why.vpc.Endpoints {
		if e.Type == resource.EndpointTypeGateway && e.ServiceName == name {
			return Remedy{
				Text:      fmt.Sprintf("%s is a gateway endpoint for %s, but not on %s of %s: add it there", e.ID, e.Service, table, why.subnet.ID),
				CLI:       fmt.Sprintf("aws ec2 modify-vpc-endpoint --vpc-endpoint-id %s --add-route-table-ids %s", e.ID, table),
				Terraform: block("aws_vpc_endpoint_route_table_association", "this", "vpc_endpoint_id", string(e.ID), "route_table_id", string(table)),
			}
		}
	}
	return Remedy{
		Text: fmt.Sprintf("create a gateway endpoint on %s; it costs nothing", table),
		CLI: fmt.Sprintf("aws ec2 create-vpc-endpoint --vpc-id %s --vpc-endpoint-type Gateway --service-name %s --route-table-ids %s",
			why.vpc.ID, name, table),
		Terraform: block("aws_vpc_endpoint", "s3", "vpc_id", string(why.vpc.ID), "vpc_endpoint_type", "Gateway", "service_name", name,
			"route_table_ids", []string{string(table)}),
	}
}

// restoreRoute is for a route whose target is gone.
func (c *explanation) restoreRoute(why cause) []Remedy {
	if why.code != "BAD_STATE_ROUTE" || why.subnet == nil {
		return nil
	}
	to := "--destination-cidr-block " + why.route.Destination.String()
	if why.route.PrefixListID != "" {
		to = "--destination-prefix-list-id " + string(why.route.PrefixListID)
	}
	if why.route.Kind == topology.TargetPeering {
		return []Remedy{{
			Text: fmt.Sprintf("accept %s, if it is pending; if it is gone, make another connection and lead %s in %s to that",
				why.route.TargetID, destination(why.route), why.subnet.RouteTableID),
			CLI:       "aws ec2 accept-vpc-peering-connection --vpc-peering-connection-id " + why.route.TargetID,
			Terraform: block("aws_vpc_peering_connection_accepter", "this", "vpc_peering_connection_id", why.route.TargetID, "auto_accept", true),
		}}
	}
	return []Remedy{{
		Text: fmt.Sprintf("bring %s back, or lead %s in %s somewhere else", why.route.TargetID, destination(why.route), why.subnet.RouteTableID),
		CLI:  fmt.Sprintf("aws ec2 delete-route --route-table-id %s %s", why.subnet.RouteTableID, to),
	}}
}

// internetRemedies lead to the internet: with a public address straight, otherwise by a NAT gateway.
func internetRemedies(why cause) []Remedy {
	if why.packet.dst.IsPrivate() || sharedAddresses.Contains(why.packet.dst) {
		return nil
	}
	function := why.eni.Type == resource.InterfaceTypeLambda
	if why.code == "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS" && !function {
		return []Remedy{{
			Text:      fmt.Sprintf("give %s a public address", why.eni.ID),
			CLI:       fmt.Sprintf("aws ec2 associate-address --allocation-id eipalloc-… --network-interface-id %s", why.eni.ID),
			Terraform: block("aws_eip", "this", "domain", "vpc", "network_interface", string(why.eni.ID)),
		}}
	}
	for _, n := range why.vpc.NATGateways {
		if n.Public && why.subnet.RouteTableID != "" && n.SubnetID != why.subnet.ID {
			return []Remedy{routeRemedy(why, "--nat-gateway-id", "nat_gateway_id", string(n.ID))}
		}
	}
	text := "or take the internet: create a NAT gateway in a public subnet and route 0.0.0.0/0 to it"
	if function && why.code == "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS" {
		text = "a function's interface never has a public address, so a public subnet is no use to it: put the function into a private subnet with a route to a NAT gateway"
	}
	return []Remedy{{Text: text}}
}

func routeRemedy(why cause, flag, attribute, target string) Remedy {
	verb := "create-route"
	if why.code == "BAD_STATE_ROUTE" || why.code == "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS" {
		verb = "replace-route"
	}
	table := why.subnet.RouteTableID
	return Remedy{
		Text:      fmt.Sprintf("route 0.0.0.0/0 in %s to %s", table, target),
		CLI:       fmt.Sprintf("aws ec2 %s --route-table-id %s --destination-cidr-block 0.0.0.0/0 %s %s", verb, table, flag, target),
		Terraform: block("aws_route", "default", "route_table_id", string(table), "destination_cidr_block", "0.0.0.0/0", attribute, target),
	}
}

// routeToInternetGateway is for the subnet of a NAT gateway.
func routeToInternetGateway(why cause) []Remedy {
	if n := natGatewayOf(why.vpc, why.eni); !n.Public {
		return []Remedy{{Text: fmt.Sprintf("%s is private and reaches no internet: use a public NAT gateway", n.ID)}}
	}
	if why.vpc.InternetGateway == "" {
		return attachGateway(why.vpc)
	}
	return []Remedy{routeRemedy(why, "--gateway-id", "gateway_id", string(why.vpc.InternetGateway))}
}

func attachGateway(vpc *topology.VPC) []Remedy {
	return []Remedy{{
		Text:      fmt.Sprintf("attach an internet gateway to %s", vpc.ID),
		CLI:       fmt.Sprintf("aws ec2 attach-internet-gateway --internet-gateway-id igw-… --vpc-id %s", vpc.ID),
		Terraform: block("aws_internet_gateway", "this", "vpc_id", string(vpc.ID)),
	}}
}
