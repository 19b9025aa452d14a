package ec2

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// endpointRequester is an account of AWS that makes endpoint interfaces.
const endpointRequester = "727180483921"

// completeInterface gives an interface endpoint its groups, its private DNS and an interface in each subnet.
func completeInterface(tx *state.Tx, v *resource.VPC, e *resource.VPCEndpoint, service endpointService, in *CreateVpcEndpointInput) error {
	if len(in.RouteTableIds) > 0 {
		return api.Errorf("InvalidParameter", "Route table IDs are only supported for Gateway type VPC Endpoint.")
	}
	groups, err := endpointGroups(tx, v.ID, in.SecurityGroupIds)
	if err != nil {
		return err
	}
	e.GroupIDs = groups
	e.DNSRecordIPType = recordType(in.DnsOptions, "ipv4")
	e.DNSSuffix = tx.RandomHex(8)
	wanted := privateDNS{enabled: service.service != "s3" && service.own == nil}
	if in.PrivateDnsEnabled != nil {
		wanted.enabled = *in.PrivateDnsEnabled
	}
	if in.DnsOptions != nil {
		wanted.inboundOnly = in.DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint
	}
	if err := setPrivateDNS(tx, v, e, service, wanted); err != nil {
		return err
	}
	return addSubnets(tx, e, in.SubnetIds, in.SubnetConfigurations)
}

func endpointGroups(r state.Reader, vpc resource.VPCID, ids []string) ([]resource.SecurityGroupID, error) {
	if len(ids) == 0 {
		g, ok := vpcnet.DefaultGroup(r, vpc)
		if !ok {
			return nil, api.Errorf("InvalidGroup.NotFound", "The security group 'default' does not exist in VPC '%s'", vpc)
		}
		return []resource.SecurityGroupID{g.ID}, nil
	}
	groups, err := vpcnet.FindGroups(r, vpc, ids)
	if err != nil {
		return nil, err
	}
	var out []resource.SecurityGroupID
	for _, g := range groups {
		out = append(out, g.ID)
	}
	return out, nil
}

// privateDNS is what a caller wants of an endpoint's private name. Omitted in a create call, private DNS is on,
// as AWS does it for its services, but not for S3, where it would fail in a VPC without a gateway endpoint.
type privateDNS struct {
	enabled     bool
	inboundOnly *bool // nil: true for services that also have gateway endpoints
}

// setPrivateDNS turns the private name on or off, or says why that cannot be.
func setPrivateDNS(tx *state.Tx, v *resource.VPC, e *resource.VPCEndpoint, service endpointService, want privateDNS) error {
	hasGateway := service.hasGateway()
	if value(want.inboundOnly) && !hasGateway {
		return api.Errorf("InvalidParameter", "PrivateDnsOnlyForInboundResolverEndpoint is not supported for the service %s.", e.ServiceName)
	}
	if !want.enabled {
		if value(want.inboundOnly) {
			return api.Errorf("InvalidParameter", "PrivateDnsOnlyForInboundResolverEndpoint can be true only if private DNS is enabled.")
		}
		e.PrivateDNSEnabled, e.PrivateDNSOnlyForInboundResolver, e.PrivateZoneID = false, false, ""
		return nil
	}
	if service.own != nil {
		return api.Errorf("InvalidParameter", "Private DNS can't be enabled because the service %s does not provide a private DNS name.", e.ServiceName)
	}
	if !v.EnableDNSSupport || !v.EnableDNSHostnames {
		return api.Errorf("InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", v.ID)
	}
	if exists(tx, func(o *resource.VPCEndpoint) bool {
		return o.ID != e.ID && o.VPCID == v.ID && o.ServiceName == e.ServiceName && o.PrivateDNSEnabled
	}) {
		return api.Errorf("InvalidParameter", "private-dns-enabled cannot be set because there is already a conflicting DNS domain for %s in the VPC %s",
			topology.PrivateNames(tx.Region(), service.service)[0], v.ID)
	}
	inboundOnly := hasGateway
	if want.inboundOnly != nil {
		inboundOnly = *want.inboundOnly
	}
	if inboundOnly && len(gatewayEndpoints(tx, v.ID, e.ServiceName)) == 0 {
		return api.Errorf("InvalidParameter", "To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC %s must have a Gateway endpoint for the service.", v.ID)
	}
	e.PrivateDNSEnabled, e.PrivateDNSOnlyForInboundResolver = true, inboundOnly
	if e.PrivateZoneID == "" {
		e.PrivateZoneID = newZoneID(tx)
	}
	return nil
}

// addSubnets makes an interface in each further subnet of an endpoint that the caller stores afterwards.
func addSubnets(tx *state.Tx, e *resource.VPCEndpoint, ids []string, configurations []SubnetConfiguration) error {
	addresses, more, err := subnetAddresses(configurations)
	if err != nil {
		return err
	}
	taken := map[string]resource.SubnetID{}
	for _, id := range e.SubnetIDs {
		if old, ok := state.Get[*resource.Subnet](tx, id); ok {
			taken[old.AvailabilityZone] = id
		}
	}
	for _, id := range idsOf[string](append(slices.Clone(ids), more...)) {
		subnet, err := vpcnet.FindSubnet(tx, id)
		if err != nil {
			return err
		}
		if subnet.VPCID != e.VPCID {
			return api.Errorf("InvalidParameter", "Subnet %s belongs to a different VPC than %s.", id, e.VPCID)
		}
		if own := ownServiceNamed(tx, e.ServiceName); own != nil && !slices.Contains(serviceZones(tx, own), subnet.AvailabilityZone) {
			return api.Errorf("InvalidParameter", "The VPC endpoint service %s does not support the availability zone of the subnet: %s.", e.ServiceName, id)
		}
		if slices.Contains(e.SubnetIDs, subnet.ID) {
			return api.Errorf("InvalidParameter", "The subnet %s is already associated with the VPC endpoint %s.", id, e.ID)
		}
		if _, ok := taken[subnet.AvailabilityZone]; ok {
			return api.Errorf("DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone of %s", id)
		}
		taken[subnet.AvailabilityZone] = subnet.ID
		eni, err := vpcnet.CreateInterface(tx, vpcnet.InterfaceSpec{
			SubnetID:         subnet.ID,
			Type:             resource.InterfaceTypeVPCEndpoint,
			Description:      "VPC Endpoint Interface " + string(e.ID),
			GroupIDs:         e.GroupIDs,
			Addresses:        addresses[id],
			RequesterManaged: true,
			RequesterID:      endpointRequester,
			ServiceAttached:  true,
		})
		if err != nil {
			return err
		}
		e.SubnetIDs = append(slices.Clone(e.SubnetIDs), subnet.ID)
		e.NetworkInterfaceIDs = append(slices.Clone(e.NetworkInterfaceIDs), eni.ID)
	}
	return nil
}

// subnetAddresses reads the wanted address of each configured subnet.
func subnetAddresses(configurations []SubnetConfiguration) (map[string][]netip.Addr, []string, error) {
	addresses := map[string][]netip.Addr{}
	var subnets []string
	for _, c := range configurations {
		if given(c.Ipv6) {
			return nil, nil, unsupported("Endpoints have IPv4 addresses only in this region.")
		}
		if !given(c.SubnetId) {
			return nil, nil, missing("SubnetConfiguration.SubnetId")
		}
		subnets = append(subnets, *c.SubnetId)
		if given(c.Ipv4) {
			a, err := parseAddress("ipv4", *c.Ipv4)
			if err != nil {
				return nil, nil, err
			}
			addresses[*c.SubnetId] = []netip.Addr{a}
		}
	}
	return addresses, subnets, nil
}
