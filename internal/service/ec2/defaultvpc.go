package ec2

import (
	"errors"
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// defaultVPCBlock is what every default VPC of AWS has; its subnets are of defaultSubnetBits.
const (
	defaultVPCBlock   = "172.31.0.0/16"
	defaultSubnetBits = 20
)

func (s *ec2) defaultVPCOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateDefaultVpc", s.createDefaultVPC, on(func(*CreateDefaultVpcInput) refs { return refs{made("vpc")} })),
		service.Update("CreateDefaultSubnet", s.createDefaultSubnet, on(func(*CreateDefaultSubnetInput) refs { return refs{made("subnet")} })),
	}
}

// CreateDefaultVPC makes the region's default VPC with all that belongs to it: a public subnet in each zone, an
// internet gateway and the route there.
func CreateDefaultVPC(tx *state.Tx) error {
	_, err := makeDefaultVPC(tx)
	return err
}

func (s *ec2) createDefaultVPC(tx *state.Tx, _ *api.Call, _ *CreateDefaultVpcInput) (*CreateDefaultVpcOutput, error) {
	v, err := makeDefaultVPC(tx)
	if err != nil {
		return nil, err
	}
	out := vpcOutput(tx, v)
	out.State = new("pending") // as CreateVpc says it
	return &CreateDefaultVpcOutput{Vpc: &out}, nil
}

func makeDefaultVPC(tx *state.Tx) (*resource.VPC, error) {
	if _, ok := defaultVPC(tx); ok {
		return nil, api.Errorf("DefaultVpcAlreadyExists", "A Default VPC already exists for this account in this region.")
	}
	if err := errors.Join(limitVPCs(tx), limitInternetGateways(tx)); err != nil {
		return nil, err
	}
	if err := Bootstrap(tx); err != nil {
		return nil, err
	}
	v := &resource.VPC{
		ID:                 resource.VPCID(tx.NewID("vpc")),
		CIDRs:              []resource.VPCCIDR{{AssociationID: tx.NewID("vpc-cidr-assoc"), Prefix: netip.MustParsePrefix(defaultVPCBlock)}},
		DHCPOptionsID:      defaultDHCPOptionsID(tx),
		InstanceTenancy:    "default",
		EnableDNSSupport:   true,
		EnableDNSHostnames: true,
		IsDefault:          true,
	}
	gateway := &resource.InternetGateway{ID: resource.InternetGatewayID(tx.NewID("igw")), VPCID: v.ID}
	table := mainRouteTable(tx, v.ID)
	table.Routes = []resource.Route{{
		DestinationCIDR: netip.MustParsePrefix("0.0.0.0/0"),
		Target:          resource.RouteTarget{InternetGatewayID: gateway.ID},
	}}
	tx.Put(v)
	tx.Put(gateway)
	tx.Put(table)
	tx.Put(defaultNetworkACL(tx, v.ID))
	tx.Put(defaultGroup(tx, v.ID))
	for _, z := range zones(tx.Region()) {
		if _, err := makeDefaultSubnet(tx, v, z); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// defaultVPC finds the region's default VPC.
func defaultVPC(r state.Reader) (*resource.VPC, bool) {
	found := state.Select(r, func(v *resource.VPC) bool { return v.IsDefault })
	if len(found) == 0 {
		return nil, false
	}
	return found[0], true
}

func (s *ec2) createDefaultSubnet(tx *state.Tx, _ *api.Call, in *CreateDefaultSubnetInput) (*CreateDefaultSubnetOutput, error) {
	if value(in.Ipv6Native) {
		return nil, unsupported("IPv6-only default subnets are not supported in this region.")
	}
	if !given(in.AvailabilityZone) && !given(in.AvailabilityZoneId) {
		return nil, missing("availabilityZone")
	}
	z, err := findZone(tx.Region(), in.AvailabilityZone, in.AvailabilityZoneId)
	if err != nil {
		return nil, err
	}
	v, ok := defaultVPC(tx)
	if !ok {
		return nil, api.Errorf("DefaultVpcDoesNotExist", "No default VPC exists for this account in this region.")
	}
	subnet, err := makeDefaultSubnet(tx, v, z)
	if err != nil {
		return nil, err
	}
	return &CreateDefaultSubnetOutput{Subnet: new(subnetOutput(tx, subnet))}, nil
}

// makeDefaultSubnet stores a zone's default subnet, at the lowest block that is free.
func makeDefaultSubnet(tx *state.Tx, v *resource.VPC, z zone) (*resource.Subnet, error) {
	if err := limitSubnets(tx, v.ID); err != nil {
		return nil, err
	}
	siblings := state.Select(tx, func(s *resource.Subnet) bool { return s.VPCID == v.ID })
	for _, other := range siblings {
		if other.DefaultForAZ && other.AvailabilityZone == z.name {
			return nil, api.Errorf("DefaultSubnetAlreadyExistsInAvailabilityZone", "'%s' is already the default subnet in %s.", other.ID, z.name)
		}
	}
	block, ok := freeBlock(v.CIDR(), siblings)
	if !ok {
		return nil, api.Errorf("InsufficientFreeAddressesInVpc", "The default VPC %s has no free block of size /%d for a default subnet.", v.ID, defaultSubnetBits)
	}
	subnet := &resource.Subnet{
		ID:                      resource.SubnetID(tx.NewID("subnet")),
		VPCID:                   v.ID,
		CIDR:                    block,
		AvailabilityZone:        z.name,
		AvailabilityZoneID:      z.id,
		MapPublicIPOnLaunch:     true,
		HostnameType:            "ip-name",
		DefaultForAZ:            true,
		NetworkACLID:            defaultACL(tx, v.ID).ID,
		NetworkACLAssociationID: tx.NewID("aclassoc"),
	}
	tx.Put(subnet)
	return subnet, nil
}

// freeBlock finds the lowest block for a default subnet that overlaps no subnet that is there.
func freeBlock(of netip.Prefix, taken []*resource.Subnet) (netip.Prefix, bool) {
	base := of.Masked().Addr().As4()
	for i := range 1 << (defaultSubnetBits - of.Bits()) {
		block := netip.PrefixFrom(netip.AddrFrom4([4]byte{base[0], base[1], byte(i << 4), 0}), defaultSubnetBits)
		free := true
		for _, s := range taken {
			free = free && !s.CIDR.Overlaps(block)
		}
		if free {
			return block, true
		}
	}
	return netip.Prefix{}, false
}

// groupOfDefaultVPC finds a group of the default VPC by its name: where a call gives a name alone, it means one of
// these.
func groupOfDefaultVPC(r state.Reader, name string) (*resource.SecurityGroup, error) {
	if v, ok := defaultVPC(r); ok {
		found := state.Select(r, func(g *resource.SecurityGroup) bool { return g.VPCID == v.ID && g.Name == name })
		if len(found) > 0 {
			return found[0], nil
		}
	}
	return nil, api.Errorf("InvalidGroup.NotFound", "The security group '%s' does not exist in default VPC", name)
}

// vpcOrDefault finds the VPC that a call names, or the default one if it names none.
func vpcOrDefault(r state.Reader, id *string) (*resource.VPC, error) {
	if given(id) {
		return find[*resource.VPC](r, vpcnet.VPC, "vpcId", id)
	}
	v, ok := defaultVPC(r)
	if !ok {
		return nil, api.Errorf("VPCIdNotSpecified", "No default VPC for this user")
	}
	return v, nil
}
