package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// CreateNAT makes a public NAT gateway with an Elastic IP address.
type CreateNAT struct {
	VPC    resource.VPCID
	ID     resource.NATGatewayID // which stands for the new one's
	Subnet resource.SubnetID

	first resource.InternetGatewayID // must be there before it; empty: one is
}

// Remedy says it to people.
func (e CreateNAT) Remedy() Remedy {
	name := strings.TrimPrefix(string(e.ID), newNATPrefix)
	variable := strings.TrimPrefix(string(e.ID), "$")
	pairs := []any{"allocation_id", reference("aws_eip.nat_" + name + ".id"), "subnet_id", made(string(e.Subnet))}
	if gateway, ok := made(string(e.first)).(reference); ok {
		pairs = append(pairs, "depends_on", []any{reference(strings.TrimSuffix(string(gateway), ".id"))})
	}
	return Remedy{
		Text: fmt.Sprintf("create a NAT gateway with an Elastic IP address in %s (both cost money by the hour)", e.Subnet),
		CLI: fmt.Sprintf("%s=$(aws ec2 create-nat-gateway --subnet-id %s --allocation-id $(aws ec2 allocate-address --domain vpc --query AllocationId --output text) --query NatGateway.NatGatewayId --output text)\n",
			variable, e.Subnet) + fmt.Sprintf("aws ec2 wait nat-gateway-available --nat-gateway-ids %s", e.ID),
		Terraform: block("aws_eip", "nat_"+name, "domain", "vpc") + "\n" +
			block("aws_nat_gateway", "vpc_"+name, pairs...),
	}
}

// natPublic stands for the address that AWS will choose for a NAT gateway.
var natPublic = anyPublic.Next()

func (e CreateNAT) try(d *draft) {
	v := d.vpc(e.VPC)
	eni := resource.NetworkInterfaceID("$ENI_" + strings.TrimPrefix(string(e.ID), "$"))
	if !d.addInterface(v, &topology.ENI{
		ID: eni, SubnetID: e.Subnet, Type: resource.InterfaceTypeNATGateway, Public: []topology.PublicAddress{{Public: natPublic}},
	}) {
		return
	}
	v.NATGateways = append(slices.Clone(v.NATGateways), &topology.NATGateway{ID: e.ID, SubnetID: e.Subnet, ENI: eni, Public: true})
}

// CreateSubnet makes a small subnet with a route table of its own, for a NAT gateway.
type CreateSubnet struct {
	VPC   resource.VPCID
	ID    resource.SubnetID // which stands for the new one's
	Table resource.RouteTableID
	CIDR  netip.Prefix
	Zone  string
	ACL   resource.NetworkACLID // the VPC's default one
}

// Remedy says it to people.
func (e CreateSubnet) Remedy() Remedy {
	name := "public_" + strings.TrimPrefix(string(e.ID), newSubnetPrefix)
	subnet, table := strings.TrimPrefix(string(e.ID), "$"), strings.TrimPrefix(string(e.Table), "$")
	return Remedy{
		Text: fmt.Sprintf("create a public subnet %s in %s with a route table of its own", e.CIDR, e.VPC),
		CLI: fmt.Sprintf("%s=$(aws ec2 create-subnet --vpc-id %s --cidr-block %s --availability-zone %s --query Subnet.SubnetId --output text)\n", subnet, e.VPC, e.CIDR, e.Zone) +
			fmt.Sprintf("%s=$(aws ec2 create-route-table --vpc-id %s --query RouteTable.RouteTableId --output text)\n", table, e.VPC) +
			fmt.Sprintf("aws ec2 associate-route-table --subnet-id %s --route-table-id %s", e.ID, e.Table),
		Terraform: block("aws_subnet", name, "vpc_id", string(e.VPC), "cidr_block", e.CIDR.String(), "availability_zone", e.Zone) + "\n" +
			block("aws_route_table", name, "vpc_id", string(e.VPC)) + "\n" +
			block("aws_route_table_association", name, "subnet_id", made(string(e.ID)), "route_table_id", made(string(e.Table))),
	}
}

func (e CreateSubnet) try(d *draft) {
	v := d.vpc(e.VPC)
	s := &topology.Subnet{ID: e.ID, CIDR: e.CIDR, AZ: e.Zone, RouteTableID: e.Table, NetworkACLID: e.ACL}
	for _, b := range v.CIDRs {
		s.Routes = append(s.Routes, topology.Route{Destination: b, Kind: topology.TargetLocal})
	}
	v.Subnets = append(slices.Clone(v.Subnets), s)
	// Whoever was put there before it was made has an address now.
	for _, n := range v.ENIs {
		if n.SubnetID != e.ID {
			continue
		}
		if a, ok := v.FreeAddress(e.CIDR); ok {
			d.eni(v.ID, n.ID, func(n *topology.ENI) {
				n.Addresses, n.Public = []netip.Addr{a}, slices.Clone(n.Public)
				for i := range n.Public {
					n.Public[i].Private = a
				}
			})
		}
	}
}

// throughNewNAT leads a subnet to a NAT gateway that is still to be made.
func throughNewNAT(why cause) []option {
	if why.subnet.RouteTableID == "" || isMade(why.subnet.RouteTableID) {
		return nil
	}
	e := routeOut(why, topology.TargetNATGateway, newNATPrefix+strings.TrimPrefix(string(why.vpc.ID), "vpc-"))
	e.note = ", a new NAT gateway in a public subnet"
	return do(e)
}

// createNAT makes the NAT gateway that a route waits for: in a public subnet, of the same zone if there is one, or in
// a new one.
func createNAT(why cause) []option {
	e := CreateNAT{VPC: why.vpc.ID, ID: resource.NATGatewayID(why.route.TargetID), Subnet: newSubnet(why.vpc.ID)}
	if why.vpc.InternetGateway == "" {
		e.first = newGateway(why.vpc.ID)
	}
	for _, s := range why.vpc.Subnets {
		r, found := s.Route(internetClient)
		public := found && !r.Blackhole && r.Kind == topology.TargetInternetGateway
		if public && s.ID != why.subnet.ID && s.RouteTableID != why.subnet.RouteTableID && (isMade(e.Subnet) || s.AZ == why.subnet.AZ) {
			e.Subnet = s.ID
		}
	}
	return do(e)
}

func newSubnet(vpc resource.VPCID) resource.SubnetID {
	return resource.SubnetID(newSubnetPrefix + strings.TrimPrefix(string(vpc), "vpc-"))
}

// createSubnet makes the subnet that a new NAT gateway waits for.
func (c *explanation) createSubnet(why cause) []option {
	if why.eni == nil || !isMade(why.eni.SubnetID) || why.vpc == nil {
		return nil
	}
	e := CreateSubnet{VPC: why.vpc.ID, ID: why.eni.SubnetID, Table: resource.RouteTableID(newTablePrefix + strings.TrimPrefix(string(why.vpc.ID), "vpc-"))}
	for _, n := range why.vpc.NetworkACLs {
		if n.Default {
			e.ACL = n.ID
		}
	}
	if c.eni != nil {
		if s := why.vpc.Subnet(c.eni.SubnetID); s != nil {
			e.Zone = s.AZ
		}
	}
	for _, b := range why.vpc.CIDRs {
		if free, ok := freeBlock(why.vpc, b); ok {
			e.CIDR = free
			return do(e)
		}
	}
	return nil
}

// smallestSubnet is how long the block of a subnet may be.
const smallestSubnet = 28

// freeBlock finds a block in one of a VPC's that no subnet overlaps.
func freeBlock(v *topology.VPC, in netip.Prefix) (netip.Prefix, bool) {
	for a := in.Masked().Addr(); in.Contains(a); {
		b := netip.PrefixFrom(a, smallestSubnet)
		i := slices.IndexFunc(v.Subnets, func(s *topology.Subnet) bool { return s.CIDR.Overlaps(b) })
		if i < 0 {
			return b, true
		}
		next := lastOf(v.Subnets[i].CIDR)
		if last := lastOf(b); last.Compare(next) > 0 {
			next = last
		}
		if a = next.Next(); !a.IsValid() {
			break
		}
	}
	return netip.Prefix{}, false
}

// lastOf is the last address of an IPv4 block.
func lastOf(p netip.Prefix) netip.Addr {
	a := p.Masked().Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		a[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(a)
}
