package ec2

import (
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) createSubnet(tx *state.Tx, _ *api.Call, in *CreateSubnetInput) (*CreateSubnetOutput, error) {
	if given(in.Ipv6CidrBlock) || value(in.Ipv6Native) || given(in.Ipv6IpamPoolId) || in.Ipv6NetmaskLength != nil {
		return nil, unsupported("IPv6 subnets are not supported in this region: packets are IPv4 only.")
	}
	if given(in.OutpostArn) || given(in.Ipv4IpamPoolId) || in.Ipv4NetmaskLength != nil {
		return nil, unsupported("Outposts and IPAM pools are not supported in this region.")
	}
	v, err := find[*resource.VPC](tx, vpcnet.VPC, "vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	block, err := parseCIDR("cidrBlock", in.CidrBlock)
	if err != nil {
		return nil, err
	}
	if err := checkSubnetBlock(tx, v, block); err != nil {
		return nil, err
	}
	z, err := findZone(tx.Region(), in.AvailabilityZone, in.AvailabilityZoneId)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, resource.KindSubnet)
	if err != nil {
		return nil, err
	}
	if err := limitSubnets(tx, v.ID); err != nil {
		return nil, err
	}
	subnet := &resource.Subnet{
		ID:                      resource.SubnetID(tx.NewID("subnet")),
		VPCID:                   v.ID,
		CIDR:                    block,
		AvailabilityZone:        z.name,
		AvailabilityZoneID:      z.id,
		HostnameType:            "ip-name",
		NetworkACLID:            defaultACL(tx, v.ID).ID,
		NetworkACLAssociationID: tx.NewID("aclassoc"),
		Tags:                    tags,
	}
	tx.Put(subnet)
	return &CreateSubnetOutput{Subnet: new(subnetOutput(tx, subnet))}, nil
}

func checkSubnetBlock(r state.Reader, v *resource.VPC, block netip.Prefix) error {
	if !sizedRight(block) || !inVPC(v, block) {
		return api.Errorf("InvalidSubnet.Range", "The CIDR '%s' is invalid.", block)
	}
	if exists(r, func(s *resource.Subnet) bool { return s.VPCID == v.ID && s.CIDR.Overlaps(block) }) {
		return api.Errorf("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", block)
	}
	return nil
}

// deleteSubnet removes a subnet without interfaces, and its association with a route table.
func (s *ec2) deleteSubnet(tx *state.Tx, _ *api.Call, in *DeleteSubnetInput) (*DeleteSubnetOutput, error) {
	subnet, err := find[*resource.Subnet](tx, vpcnet.Subnet, "subnetId", in.SubnetId)
	if err != nil {
		return nil, err
	}
	if len(vpcnet.Interfaces(tx, subnet.ID)) > 0 {
		return nil, api.Errorf("DependencyViolation", "The subnet '%s' has dependencies and cannot be deleted.", subnet.ID)
	}
	for _, t := range state.List[*resource.RouteTable](tx) {
		dropAssociation(tx, t, func(a resource.RouteTableAssociation) bool { return a.SubnetID == subnet.ID })
	}
	for _, n := range state.Select(tx, func(n *resource.NATGateway) bool { return n.SubnetID == subnet.ID }) {
		deleteNATGatewayRecord(tx, n)
	}
	for _, r := range vpcnet.Reservations(tx, subnet.ID) {
		tx.Delete(r)
	}
	vpcnet.ForgetFlowLogs(tx, subnet.Key())
	tx.Delete(subnet)
	return &DeleteSubnetOutput{}, nil
}

func (s *ec2) modifySubnetAttribute(tx *state.Tx, _ *api.Call, in *ModifySubnetAttributeInput) (*ModifySubnetAttributeOutput, error) {
	old, err := find[*resource.Subnet](tx, vpcnet.Subnet, "subnetId", in.SubnetId)
	if err != nil {
		return nil, err
	}
	if err := refuseSubnetAttributes(in); err != nil {
		return nil, err
	}
	subnet := *old
	changes := []struct {
		to *AttributeBooleanValue
		at *bool
	}{
		{in.MapPublicIpOnLaunch, &subnet.MapPublicIPOnLaunch},
		{in.AssignIpv6AddressOnCreation, &subnet.AssignIPv6AddressOnCreation},
		{in.EnableDns64, &subnet.EnableDNS64},
		{in.EnableResourceNameDnsARecordOnLaunch, &subnet.ResourceNameDNSARecord},
		{in.EnableResourceNameDnsAAAARecordOnLaunch, &subnet.ResourceNameDNSAAAARecord},
	}
	set := 0
	for _, c := range changes {
		if c.to != nil && c.to.Value != nil {
			*c.at = *c.to.Value
			set++
		}
	}
	if given(in.PrivateDnsHostnameTypeOnLaunch) {
		subnet.HostnameType = *in.PrivateDnsHostnameTypeOnLaunch
		set++
	}
	if set == 0 && (in.MapCustomerOwnedIpOnLaunch != nil || in.DisableLniAtDeviceIndex != nil) {
		return &ModifySubnetAttributeOutput{}, nil // turned off what is off
	}
	if err := oneAttribute(set); err != nil {
		return nil, err
	}
	tx.Put(&subnet)
	return &ModifySubnetAttributeOutput{}, nil
}

// refuseSubnetAttributes refuses to turn on what would do nothing here.
func refuseSubnetAttributes(in *ModifySubnetAttributeInput) error {
	on := func(a *AttributeBooleanValue) bool { return a != nil && value(a.Value) }
	if on(in.AssignIpv6AddressOnCreation) || on(in.EnableDns64) || on(in.EnableResourceNameDnsAAAARecordOnLaunch) {
		return unsupported("IPv6 is not supported in this region: packets are IPv4 only.")
	}
	if on(in.MapCustomerOwnedIpOnLaunch) || given(in.CustomerOwnedIpv4Pool) || in.EnableLniAtDeviceIndex != nil || on(in.DisableLniAtDeviceIndex) {
		return unsupported("Outposts are not supported in this region.")
	}
	switch t := value(in.PrivateDnsHostnameTypeOnLaunch); t {
	case "", "ip-name", "resource-name":
		return nil
	default:
		return invalidValue("privateDnsHostnameTypeOnLaunch", t)
	}
}

func (s *ec2) describeSubnets(v *state.View, _ *api.Call, in *DescribeSubnetsInput) (*DescribeSubnetsOutput, error) {
	found, err := named[*resource.Subnet](v, vpcnet.Subnet, in.SubnetIds)
	if err != nil {
		return nil, err
	}
	page, next, err := subnetSource(v).answer(subnetListing(), found, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeSubnetsOutput{Subnets: page, NextToken: next}, nil
}

func subnetSource(r state.Reader) source[*resource.Subnet, Subnet] {
	return source[*resource.Subnet, Subnet]{
		key:  (*resource.Subnet).Key,
		item: func(s *resource.Subnet) Subnet { return subnetOutput(r, s) },
		tags: func(s *resource.Subnet) resource.Tags { return s.Tags },
		quick: fields[*resource.Subnet]{
			"availability-zone": func(s *resource.Subnet) []string { return []string{s.AvailabilityZone} },
			"subnet-id":         func(s *resource.Subnet) []string { return []string{string(s.ID)} },
			"vpc-id":            func(s *resource.Subnet) []string { return []string{string(s.VPCID)} },
		},
	}
}

func subnetListing() listing[Subnet] {
	zoneName := func(s Subnet) []string { return text(s.AvailabilityZone) }
	zoneID := func(s Subnet) []string { return text(s.AvailabilityZoneId) }
	block := func(s Subnet) []string { return text(s.CidrBlock) }
	isDefault := func(s Subnet) []string { return flag(s.DefaultForAz) }
	return listing[Subnet]{
		key:  func(s Subnet) string { return *s.SubnetId },
		tags: func(s Subnet) []Tag { return s.Tags },
		fields: fields[Subnet]{
			"availability-zone":          zoneName,
			"availabilityZone":           zoneName,
			"availability-zone-id":       zoneID,
			"availabilityZoneId":         zoneID,
			"available-ip-address-count": func(s Subnet) []string { return number(s.AvailableIpAddressCount) },
			"cidr-block":                 block,
			"cidr":                       block,
			"cidrBlock":                  block,
			"default-for-az":             isDefault,
			"defaultForAz":               isDefault,
			"enable-dns64":               func(s Subnet) []string { return flag(s.EnableDns64) },
			"ipv6-native":                func(s Subnet) []string { return flag(s.Ipv6Native) },
			"map-public-ip-on-launch":    func(s Subnet) []string { return flag(s.MapPublicIpOnLaunch) },
			"mapPublicIpOnLaunch":        func(s Subnet) []string { return flag(s.MapPublicIpOnLaunch) },
			"owner-id":                   func(s Subnet) []string { return text(s.OwnerId) },
			"private-dns-name-options-on-launch.hostname-type": func(s Subnet) []string {
				return text(s.PrivateDnsNameOptionsOnLaunch.HostnameType)
			},
			"private-dns-name-options-on-launch.enable-resource-name-dns-a-record": func(s Subnet) []string {
				return flag(s.PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord)
			},
			"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": func(s Subnet) []string {
				return flag(s.PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord)
			},
			"map-customer-owned-ip-on-launch": func(s Subnet) []string { return flag(s.MapCustomerOwnedIpOnLaunch) },
			"customer-owned-ipv4-pool":        none[Subnet],
			"enable-lni-at-device-index":      none[Subnet],

			"state":       func(s Subnet) []string { return text(s.State) },
			"subnet-arn":  func(s Subnet) []string { return text(s.SubnetArn) },
			"subnet-id":   func(s Subnet) []string { return text(s.SubnetId) },
			"vpc-id":      func(s Subnet) []string { return text(s.VpcId) },
			"outpost-arn": none[Subnet],
			"ipv6-cidr-block-association.ipv6-cidr-block": none[Subnet],
			"ipv6-cidr-block-association.association-id":  none[Subnet],
			"ipv6-cidr-block-association.state":           none[Subnet],
		},
	}
}

func subnetOutput(r state.Reader, s *resource.Subnet) Subnet {
	return Subnet{
		AssignIpv6AddressOnCreation: new(s.AssignIPv6AddressOnCreation),
		AvailabilityZone:            new(s.AvailabilityZone),
		AvailabilityZoneId:          new(s.AvailabilityZoneID),
		AvailableIpAddressCount:     new(int64(vpcnet.FreeAddresses(r, s))),
		CidrBlock:                   new(s.CIDR.String()),
		DefaultForAz:                new(s.DefaultForAZ),
		EnableDns64:                 new(s.EnableDNS64),
		Ipv6CidrBlockAssociationSet: []SubnetIpv6CidrBlockAssociation{},
		Ipv6Native:                  new(false),
		MapCustomerOwnedIpOnLaunch:  new(false),
		MapPublicIpOnLaunch:         new(s.MapPublicIPOnLaunch),
		OwnerId:                     new(r.Account()),
		PrivateDnsNameOptionsOnLaunch: &PrivateDnsNameOptionsOnLaunch{
			EnableResourceNameDnsAAAARecord: new(s.ResourceNameDNSAAAARecord),
			EnableResourceNameDnsARecord:    new(s.ResourceNameDNSARecord),
			HostnameType:                    new(s.HostnameType),
		},
		State:     new("available"),
		SubnetArn: new(arn(r, "subnet", string(s.ID))),
		SubnetId:  new(string(s.ID)),
		Tags:      tagSet(s.Tags),
		VpcId:     new(string(s.VPCID)),
	}
}
