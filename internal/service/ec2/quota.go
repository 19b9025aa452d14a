package ec2

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// limited refuses one more of a kind if so many are there as the quota allows.
func limited[T state.Resource](r state.Reader, quota resource.Quota, code, what string, counts func(T) bool) error {
	if state.Count(r, counts) < r.Quota(quota) {
		return nil
	}
	return api.Errorf(code, "The maximum number of %s has been reached.", what)
}

func limitVPCs(r state.Reader) error {
	return limited(r, resource.QuotaVPCs, "VpcLimitExceeded", "VPCs", func(*resource.VPC) bool { return true })
}

func limitSubnets(r state.Reader, vpc resource.VPCID) error {
	return limited(r, resource.QuotaSubnets, "SubnetLimitExceeded", "subnets", func(s *resource.Subnet) bool { return s.VPCID == vpc })
}

func limitInternetGateways(r state.Reader) error {
	return limited(r, resource.QuotaInternetGateways, "InternetGatewayLimitExceeded", "internet gateways", func(*resource.InternetGateway) bool { return true })
}

func limitEgressOnlyGateways(r state.Reader) error {
	return limited(r, resource.QuotaEgressOnlyGateways, "EgressOnlyInternetGatewayLimitExceeded", "egress-only internet gateways", func(*resource.EgressOnlyGateway) bool { return true })
}

func limitAddresses(r state.Reader) error {
	return limited(r, resource.QuotaAddresses, "AddressLimitExceeded", "addresses", func(*resource.Address) bool { return true })
}

func limitRouteTables(r state.Reader, vpc resource.VPCID) error {
	return limited(r, resource.QuotaRouteTables, "RouteTableLimitExceeded", "route tables", func(t *resource.RouteTable) bool { return t.VPCID == vpc })
}

func limitSecurityGroups(r state.Reader) error {
	return limited(r, resource.QuotaSecurityGroups, "SecurityGroupLimitExceeded", "security groups", func(*resource.SecurityGroup) bool { return true })
}

func limitNetworkACLs(r state.Reader, vpc resource.VPCID) error {
	return limited(r, resource.QuotaNetworkACLs, "NetworkAclLimitExceeded", "network ACLs", func(n *resource.NetworkACL) bool { return n.VPCID == vpc })
}

func limitPrefixLists(r state.Reader) error {
	return limited(r, resource.QuotaPrefixLists, "PrefixListLimitExceeded", "prefix lists", func(p *resource.PrefixList) bool { return !p.AWSManaged })
}

// limitNATGateways counts those in service in the subnet's zone: what failed or was deleted takes no place.
func limitNATGateways(r state.Reader, zone string) error {
	n := state.Count(r, func(n *resource.NATGateway) bool {
		s, ok := state.Get[*resource.Subnet](r, n.SubnetID)
		return ok && s.AvailabilityZone == zone && n.State == stateAvailable
	})
	if n >= r.Quota(resource.QuotaNATGateways) {
		return api.Errorf("NatGatewayLimitExceeded", "Performing this operation would exceed the limit of %d NAT gateways", r.Quota(resource.QuotaNATGateways))
	}
	return nil
}

// limitEndpoints counts gateway endpoints in the region, all others in their VPC.
func limitEndpoints(r state.Reader, e *resource.VPCEndpoint) error {
	const code, what = "VpcEndpointLimitExceeded", "VPC endpoints"
	if e.Type == resource.EndpointTypeGateway {
		return limited(r, resource.QuotaGatewayEndpoints, code, what, func(o *resource.VPCEndpoint) bool { return o.Type == e.Type })
	}
	return limited(r, resource.QuotaInterfaceEndpoints, code, what, func(o *resource.VPCEndpoint) bool {
		return o.Type != resource.EndpointTypeGateway && o.VPCID == e.VPCID
	})
}
