package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// CreateEndpoint makes an interface endpoint for a service of AWS, with private DNS, in the subnet of whoever calls.
// Its group is another edit's.
type CreateEndpoint struct {
	VPC         resource.VPCID
	Subnet      resource.SubnetID
	ServiceName string                   // com.amazonaws.us-west-2.sts
	Service     string                   // sts
	Group       resource.SecurityGroupID // that stands for a new one
}

// Remedy says it to people.
func (e CreateEndpoint) Remedy() Remedy {
	return Remedy{
		Text: fmt.Sprintf("create an interface endpoint for %s in %s with private DNS, whose security group lets in TCP 443", e.Service, e.Subnet),
		CLI: fmt.Sprintf("aws ec2 create-vpc-endpoint --vpc-id %s --vpc-endpoint-type Interface --service-name %s --subnet-ids %s --security-group-ids %s --private-dns-enabled",
			e.VPC, e.ServiceName, e.Subnet, e.Group),
		Terraform: block("aws_vpc_endpoint", label(e.Service), "vpc_id", string(e.VPC), "vpc_endpoint_type", "Interface", "service_name", e.ServiceName,
			"subnet_ids", []string{string(e.Subnet)}, "security_group_ids", []any{made(string(e.Group))}, "private_dns_enabled", true),
	}
}

func (e CreateEndpoint) try(d *draft) {
	v := d.vpc(e.VPC)
	id := resource.VPCEndpointID("$VPCE_" + shellName(e.Service))
	eni := resource.NetworkInterfaceID("$ENI_" + shellName(e.Service))
	if !d.addInterface(v, &topology.ENI{ID: eni, SubnetID: e.Subnet, Type: resource.InterfaceTypeVPCEndpoint, GroupIDs: []resource.SecurityGroupID{e.Group}}) {
		return
	}
	v.Endpoints = append(slices.Clone(v.Endpoints), &topology.Endpoint{
		ID: id, VPCID: v.ID, Type: resource.EndpointTypeInterface, ServiceName: e.ServiceName, Service: e.Service, ENIs: []resource.NetworkInterfaceID{eni},
	})
	if v.DNSSupport && v.DNSHostnames {
		d.privateNames(v, id)
	}
}

// CreateGroup makes a security group that lets in one thing.
type CreateGroup struct {
	VPC      resource.VPCID
	ID       resource.SecurityGroupID // which stands for the new one's
	Name     string
	Protocol int
	Port     int
	// Exactly one of:
	Peer resource.SecurityGroupID
	CIDR netip.Prefix

	what string // TCP 443
}

// Remedy says it to people.
func (e CreateGroup) Remedy() Remedy {
	in := AddRule{Group: e.ID, Protocol: e.Protocol, FromPort: e.Port, ToPort: e.Port, Peer: e.Peer, CIDR: e.CIDR, name: label(e.Name)}.Remedy()
	from := string(e.Peer)
	if from == "" {
		from = e.CIDR.String()
	}
	return Remedy{
		Text: fmt.Sprintf("create a security group %s that lets in %s from %s", e.Name, e.what, from),
		CLI: fmt.Sprintf("%s=$(aws ec2 create-security-group --vpc-id %s --group-name %s --description \"lets in %s\" --query GroupId --output text)\n%s",
			strings.TrimPrefix(string(e.ID), "$"), e.VPC, e.Name, e.what, in.CLI),
		Terraform: block("aws_security_group", label(e.Name), "vpc_id", string(e.VPC), "name", e.Name, "description", "lets in "+e.what) + "\n" + in.Terraform,
	}
}

func (e CreateGroup) try(d *draft) {
	v := d.vpc(e.VPC)
	g := &topology.SecurityGroup{
		ID: e.ID, Name: e.Name,
		Ingress: []topology.Rule{{ID: "sgr-new", Protocol: e.Protocol, FromPort: e.Port, ToPort: e.Port, CIDR: e.CIDR, GroupID: e.Peer}},
		Egress:  []topology.Rule{{ID: "sgr-new-egress", Protocol: resource.AllProtocols, FromPort: -1, ToPort: -1, CIDR: netip.PrefixFrom(netip.IPv4Unspecified(), 0)}},
	}
	for _, n := range v.ENIs {
		if slices.Contains(n.GroupIDs, e.ID) {
			g.Members = append(g.Members, n.Addresses...)
		}
	}
	v.SecurityGroups = append(slices.Clone(v.SecurityGroups), g)
}

// AcceptEndpoint lets an endpoint into the service that it waits for.
type AcceptEndpoint struct {
	VPC      resource.VPCID
	Endpoint resource.VPCEndpointID
	Service  string // id of the endpoint service
}

// Remedy says it to people.
func (e AcceptEndpoint) Remedy() Remedy {
	return Remedy{
		Text:      fmt.Sprintf("accept %s, as the owner of %s", e.Endpoint, e.Service),
		CLI:       fmt.Sprintf("aws ec2 accept-vpc-endpoint-connections --service-id %s --vpc-endpoint-ids %s", e.Service, e.Endpoint),
		Terraform: block("aws_vpc_endpoint_connection_accepter", "this", "vpc_endpoint_service_id", e.Service, "vpc_endpoint_id", string(e.Endpoint)),
	}
}

func (e AcceptEndpoint) try(d *draft) {
	v := d.vpc(e.VPC)
	i := slices.IndexFunc(v.Unaccepted, func(o *topology.Endpoint) bool { return o.ID == e.Endpoint })
	if i < 0 {
		return
	}
	accepted := *v.Unaccepted[i]
	accepted.State = ""
	v.Unaccepted = slices.Delete(slices.Clone(v.Unaccepted), i, i+1)
	v.Endpoints = append(slices.Clone(v.Endpoints), &accepted)
}

// AddEndpointSubnet gives an interface endpoint a subnet in a zone where it has none, and with it a name there.
type AddEndpointSubnet struct {
	VPC      resource.VPCID
	Endpoint resource.VPCEndpointID
	Subnet   resource.SubnetID
	Zone     string
	Name     string // its name in the zone
}

// Remedy says it to people.
func (e AddEndpointSubnet) Remedy() Remedy {
	return Remedy{
		Text:      fmt.Sprintf("add %s to %s, which has none in %s", e.Subnet, e.Endpoint, e.Zone),
		CLI:       fmt.Sprintf("aws ec2 modify-vpc-endpoint --vpc-endpoint-id %s --add-subnet-ids %s", e.Endpoint, e.Subnet),
		Terraform: block("aws_vpc_endpoint_subnet_association", "this", "vpc_endpoint_id", string(e.Endpoint), "subnet_id", string(e.Subnet)),
	}
}

func (e AddEndpointSubnet) try(d *draft) {
	v := d.vpc(e.VPC)
	endpoint := v.Endpoint(e.Endpoint)
	if endpoint == nil || len(endpoint.ENIs) == 0 {
		return
	}
	eni := &topology.ENI{ID: resource.NetworkInterfaceID("$ENI_" + shellName(string(e.Subnet))), SubnetID: e.Subnet, Type: resource.InterfaceTypeVPCEndpoint}
	if other := v.ENI(endpoint.ENIs[0]); other != nil {
		eni.GroupIDs = other.GroupIDs
	}
	if !d.addInterface(v, eni) {
		return
	}
	v.Endpoints = changed(v.Endpoints, func(o *topology.Endpoint) bool { return o.ID == e.Endpoint }, func(o *topology.Endpoint) {
		o.ENIs = append(slices.Clone(o.ENIs), eni.ID)
		o.Names = slices.Clone(o.Names)
		for i, n := range o.Names {
			if _, _, zonal := zoneName(v, n.Pattern, o); !zonal {
				o.Names[i].Addresses = append(slices.Clone(n.Addresses), eni.Address())
			}
		}
		o.Names = append(o.Names, topology.Name{Pattern: e.Name, Addresses: []netip.Addr{eni.Address()}})
	})
}

// zoneName takes an endpoint's own name in a zone apart. S3's begin with a label that stands for many.
func zoneName(v *topology.VPC, name string, e *topology.Endpoint) (pattern, zone string, ok bool) {
	own := ownName(e)
	label, rest, _ := strings.Cut(strings.TrimPrefix(own, "*."), ".")
	for _, s := range v.Subnets {
		zonal := label + "-" + s.AZ + "." + rest
		if wild := "*." + zonal; strings.HasPrefix(own, "*.") && strings.HasSuffix(name, "."+zonal) {
			return wild, s.AZ, true
		}
		if name == zonal {
			return zonal, s.AZ, true
		}
	}
	return "", "", false
}

// ownName is an endpoint's name for all zones: of its own names the shortest.
func ownName(e *topology.Endpoint) string {
	own := ""
	for _, n := range e.Names {
		if strings.Contains(n.Pattern, string(e.ID)) && (own == "" || len(n.Pattern) < len(own)) {
			own = n.Pattern
		}
	}
	return own
}

// missingZone is for the name of an endpoint in a zone where it has no subnet.
func (c *explanation) missingZone() []option {
	if c.vpc == nil {
		return nil
	}
	for _, e := range c.vpc.Endpoints {
		if e.Type == resource.EndpointTypeGateway {
			continue
		}
		pattern, zone, ok := zoneName(c.vpc, c.flow.Name, e)
		if !ok || slices.ContainsFunc(e.Names, func(n topology.Name) bool { return n.Pattern == pattern }) {
			continue
		}
		out := AddEndpointSubnet{VPC: c.vpc.ID, Endpoint: e.ID, Zone: zone, Name: pattern}
		for _, s := range c.vpc.Subnets {
			if s.AZ == zone && (out.Subnet == "" || c.eni != nil && s.ID == c.eni.SubnetID) {
				out.Subnet = s.ID
			}
		}
		return do(out)
	}
	return nil
}

// interfaceEndpoint makes one, and what its private DNS needs, if the name that was asked for would lead there.
func (c *explanation) interfaceEndpoint(why cause, service, serviceName string) []option {
	e := CreateEndpoint{VPC: why.vpc.ID, Subnet: why.subnet.ID, ServiceName: serviceName, Service: service, Group: newGroup(service)}
	if !covers(c.topology.Region, service, c.flow.Name) {
		r := e.Remedy()
		r.Text += fmt.Sprintf(", and use the name %s, which leads to it", topology.PrivateNames(c.topology.Region, service)[0])
		r.CLI, r.Terraform = "", ""
		return advice(r)
	}
	out := dnsSupport(why)
	if !why.vpc.DNSHostnames {
		out = append(out, EnableDNS{VPC: why.vpc.ID, Hostnames: true})
	}
	return do(append(out, e)...)
}

// covers reports whether private DNS of an endpoint for a service would answer for a name.
func covers(region, service, name string) bool {
	return slices.ContainsFunc(topology.PrivateNames(region, service), func(p string) bool {
		below, wild := strings.CutPrefix(p, "*")
		return name == p || wild && strings.HasSuffix(name, below)
	})
}
