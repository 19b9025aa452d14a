package explain

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// EnableDNS switches an attribute of a VPC on.
type EnableDNS struct {
	VPC       resource.VPCID
	Hostnames bool // otherwise: support
}

// Remedy says it to people.
func (e EnableDNS) Remedy() Remedy {
	text, flag, attribute := fmt.Sprintf("switch DNS support of %s on", e.VPC), "support", "enable_dns_support"
	if e.Hostnames {
		text, flag, attribute = fmt.Sprintf("switch DNS hostnames of %s on: private DNS needs them", e.VPC), "hostnames", "enable_dns_hostnames"
	}
	return Remedy{
		Text:      text,
		CLI:       fmt.Sprintf(`aws ec2 modify-vpc-attribute --vpc-id %s --enable-dns-%s '{"Value":true}'`, e.VPC, flag),
		Terraform: within("aws_vpc", e.VPC, attribute+" = true"),
	}
}

func (e EnableDNS) try(d *draft) {
	v := d.vpc(e.VPC)
	reason := fmt.Sprintf("enable_dns_support of %s is false", e.VPC)
	if e.Hostnames {
		v.DNSHostnames, reason = true, fmt.Sprintf("enable_dns_hostnames of %s is false", e.VPC)
	} else {
		v.DNSSupport = true
	}
	for _, p := range v.Endpoints {
		switch {
		case p.PrivateDNSReason != reason:
		case v.DNSHostnames:
			d.privateNames(v, p.ID)
		default:
			v.Endpoints = changed(v.Endpoints, func(o *topology.Endpoint) bool { return o.ID == p.ID }, func(o *topology.Endpoint) {
				o.PrivateDNSReason = fmt.Sprintf("enable_dns_hostnames of %s is false", e.VPC)
			})
		}
	}
}

// EnablePrivateDNS lets the usual names of a service lead to an interface endpoint.
type EnablePrivateDNS struct {
	VPC      resource.VPCID
	Endpoint resource.VPCEndpointID
	Service  string
}

// Remedy says it to people.
func (e EnablePrivateDNS) Remedy() Remedy {
	r := Remedy{
		Text:      fmt.Sprintf("switch private DNS of %s on, so that the usual name leads to the endpoint", e.Endpoint),
		CLI:       fmt.Sprintf("aws ec2 modify-vpc-endpoint --vpc-endpoint-id %s --private-dns-enabled", e.Endpoint),
		Terraform: within("aws_vpc_endpoint", e.Endpoint, "private_dns_enabled = true"),
	}
	if e.Service == "s3" {
		// The default of the option is true, and then only an inbound resolver endpoint would see the private names.
		r.CLI += " --dns-options PrivateDnsOnlyForInboundResolverEndpoint=false"
		r.Terraform = within("aws_vpc_endpoint", e.Endpoint, "private_dns_enabled = true\ndns_options {\n  private_dns_only_for_inbound_resolver_endpoint = false\n}")
	}
	return r
}

// try makes the names only if the VPC's attributes let them be.
func (e EnablePrivateDNS) try(d *draft) {
	v := d.vpc(e.VPC)
	if v.DNSSupport && v.DNSHostnames {
		d.privateNames(v, e.Endpoint)
	}
}

// privateNames are in force from now on.
func (d *draft) privateNames(v *topology.VPC, id resource.VPCEndpointID) {
	v.Endpoints = changed(v.Endpoints, func(e *topology.Endpoint) bool { return e.ID == id }, func(e *topology.Endpoint) {
		var all []netip.Addr
		for _, n := range e.ENIs {
			if eni := v.ENI(n); eni != nil {
				all = append(all, eni.Address())
			}
		}
		e.PrivateDNS, e.PrivateDNSReason, e.Names = true, "", slices.Clone(e.Names)
		for _, n := range topology.PrivateNames(d.top.Region, e.Service) {
			e.Names = append(e.Names, topology.Name{Pattern: n, Addresses: all})
		}
		slices.SortFunc(e.Names, func(a, b topology.Name) int { return cmp.Compare(a.Pattern, b.Pattern) })
	})
}

// AddGatewayRoutes puts a gateway endpoint on a route table: one that is there, or a new one.
type AddGatewayRoutes struct {
	VPC         resource.VPCID
	Endpoint    resource.VPCEndpointID // empty: a new one
	ServiceName string                 // com.amazonaws.us-west-2.s3
	Service     string                 // s3
	Table       resource.RouteTableID
	Subnet      resource.SubnetID // that uses it
}

const newEndpoint = "$VPCE"

// Remedy says it to people.
func (e AddGatewayRoutes) Remedy() Remedy {
	if e.Endpoint != "" {
		return Remedy{
			Text:      fmt.Sprintf("%s is a gateway endpoint for %s, but not on %s of %s: add it there", e.Endpoint, e.Service, e.Table, e.Subnet),
			CLI:       fmt.Sprintf("aws ec2 modify-vpc-endpoint --vpc-endpoint-id %s --add-route-table-ids %s", e.Endpoint, e.Table),
			Terraform: block("aws_vpc_endpoint_route_table_association", "this", "vpc_endpoint_id", string(e.Endpoint), "route_table_id", string(e.Table)),
		}
	}
	return Remedy{
		Text: fmt.Sprintf("create a gateway endpoint on %s; it costs nothing", e.Table),
		CLI: fmt.Sprintf("aws ec2 create-vpc-endpoint --vpc-id %s --vpc-endpoint-type Gateway --service-name %s --route-table-ids %s",
			e.VPC, e.ServiceName, e.Table),
		Terraform: block("aws_vpc_endpoint", e.Service, "vpc_id", string(e.VPC), "vpc_endpoint_type", "Gateway", "service_name", e.ServiceName,
			"route_table_ids", []string{string(e.Table)}),
	}
}

func (e AddGatewayRoutes) try(d *draft) {
	v, id := d.vpc(e.VPC), e.Endpoint
	list, blocks := topology.S3Prefixes(d.top.Region)
	if id == "" {
		id = newEndpoint
		v.Endpoints = append(slices.Clone(v.Endpoints), &topology.Endpoint{
			ID: id, VPCID: e.VPC, Type: resource.EndpointTypeGateway, ServiceName: e.ServiceName, Service: e.Service, PrefixListID: list, Prefixes: blocks,
		})
	}
	v.Endpoints = changed(v.Endpoints, func(o *topology.Endpoint) bool { return o.ID == id }, func(o *topology.Endpoint) {
		o.RouteTableIDs = append(slices.Clone(o.RouteTableIDs), e.Table)
	})
	d.table(e.VPC, e.Table, func(routes []topology.Route) []topology.Route { return withEndpoint(routes, id, list, blocks) })
}
