package ec2

import (
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) describeVPCEndpoints(v *state.View, _ *api.Call, in *DescribeVpcEndpointsInput) (*DescribeVpcEndpointsOutput, error) {
	found, err := named[*resource.VPCEndpoint](v, nounVPCEndpoint, in.VpcEndpointIds)
	if err != nil {
		return nil, err
	}
	var all []VpcEndpoint
	for _, e := range found {
		all = append(all, endpointOutput(v, e))
	}
	l := listing[VpcEndpoint]{
		key:  func(e VpcEndpoint) string { return *e.VpcEndpointId },
		tags: func(e VpcEndpoint) []Tag { return e.Tags },
		fields: fields[VpcEndpoint]{
			"ip-address-type":    func(e VpcEndpoint) []string { return text(e.IpAddressType) },
			"service-name":       func(e VpcEndpoint) []string { return text(e.ServiceName) },
			"service-region":     func(e VpcEndpoint) []string { return text(e.ServiceRegion) },
			"vpc-endpoint-id":    func(e VpcEndpoint) []string { return text(e.VpcEndpointId) },
			"vpc-endpoint-state": func(e VpcEndpoint) []string { return text(e.State) },
			"vpc-endpoint-type":  func(e VpcEndpoint) []string { return text(e.VpcEndpointType) },
			"vpc-id":             func(e VpcEndpoint) []string { return text(e.VpcId) },
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeVpcEndpointsOutput{VpcEndpoints: page, NextToken: next}, nil
}

func endpointOutput(r state.Reader, e *resource.VPCEndpoint) VpcEndpoint {
	out := VpcEndpoint{
		CreationTimestamp:   timestamp(e.CreationTime),
		DnsEntries:          []DnsEntry{},
		Groups:              []SecurityGroupIdentifier{},
		DnsOptions:          &DnsOptions{DnsRecordIpType: new(e.DNSRecordIPType)},
		IpAddressType:       new(e.IPAddressType),
		NetworkInterfaceIds: stringsOf(e.NetworkInterfaceIDs),
		OwnerId:             new(r.Account()),
		PolicyDocument:      new(e.PolicyDocument),
		PrivateDnsEnabled:   new(e.PrivateDNSEnabled),
		RequesterManaged:    new(false),
		RouteTableIds:       stringsOf(e.RouteTableIDs),
		ServiceName:         new(e.ServiceName),
		ServiceRegion:       new(r.Region()),
		State:               new(e.State),
		SubnetIds:           stringsOf(e.SubnetIDs),
		Tags:                tagSet(e.Tags),
		VpcEndpointId:       new(string(e.ID)),
		VpcEndpointType:     new(e.Type),
		VpcId:               new(string(e.VPCID)),
	}
	if e.Type == resource.EndpointTypeGateway {
		return out
	}
	if service, err := findAWSService(r.Region(), &e.ServiceName); err == nil && service.hasGateway() {
		out.DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint = new(e.PrivateDNSOnlyForInboundResolver)
	}
	for _, g := range groupIdentifiers(r, e.GroupIDs) {
		out.Groups = append(out.Groups, SecurityGroupIdentifier(g))
	}
	out.DnsEntries = dnsEntries(r, e)
	return out
}

// dnsEntries are the endpoint's names: for all zones, for each zone, and the private ones last.
func dnsEntries(r state.Reader, e *resource.VPCEndpoint) []DnsEntry {
	region := r.Region()
	zoneID := endpointZoneID(region)
	out := []DnsEntry{{DnsName: new(topology.OwnName(region, e, "")), HostedZoneId: new(zoneID)}}
	for _, id := range e.SubnetIDs {
		if s, ok := state.Get[*resource.Subnet](r, id); ok {
			out = append(out, DnsEntry{DnsName: new(topology.OwnName(region, e, s.AvailabilityZone)), HostedZoneId: new(zoneID)})
		}
	}
	if !e.PrivateDNSEnabled {
		return out
	}
	service := strings.TrimPrefix(e.ServiceName, "com.amazonaws."+region+".")
	for _, n := range topology.PrivateNames(region, service) {
		out = append(out, DnsEntry{DnsName: new(n), HostedZoneId: new(e.PrivateZoneID)})
	}
	return out
}

// endpointZoneID is the hosted zone of <region>.vpce.amazonaws.com: AWS's own where it is known.
func endpointZoneID(region string) string {
	known := map[string]string{
		"us-east-1": "Z7HUB22UULQXV",
		"us-east-2": "ZC8PG0KIFKBRI",
		"us-west-1": "Z12I86A8N7VCZO",
		"us-west-2": "Z1YSA3EXCYUU9Z",
		"eu-west-1": "Z38GZ743OKFT7T",
	}
	if id, ok := known[region]; ok {
		return id
	}
	return zoneIDOf(digest("endpoint-zone/"+region, 13))
}

// newZoneID makes the id of an endpoint's private zone.
func newZoneID(tx *state.Tx) string { return zoneIDOf(tx.RandomHex(20)) }

func zoneIDOf(hex string) string { return "Z" + strings.ToUpper(hex) }
