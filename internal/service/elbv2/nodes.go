package elbv2

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// places are the subnets that a load balancer is to be in, one in each zone.
type places struct {
	vpc       resource.VPCID
	subnets   []*resource.Subnet
	addresses map[resource.SubnetID]netip.Addr // that were wished for
}

func findPlaces(r state.Reader, ids []string, mappings []SubnetMapping) (places, error) {
	p := places{addresses: map[resource.SubnetID]netip.Addr{}}
	if len(ids) > 0 && len(mappings) > 0 {
		return p, invalid("Subnets and subnet mappings cannot be specified at the same time")
	}
	for _, m := range mappings {
		if value(m.AllocationId) != "" {
			return p, unsupported("Elastic IP addresses of load balancers are not supported in this region: only internal ones are.")
		}
		if value(m.IPv6Address) != "" {
			return p, unsupported("Load balancers have IPv4 addresses only in this region.")
		}
		ids = append(ids, value(m.SubnetId))
		if value(m.PrivateIPv4Address) == "" {
			continue
		}
		a, err := netip.ParseAddr(*m.PrivateIPv4Address)
		if err != nil || !a.Is4() {
			return p, invalid("'%s' is not a valid IPv4 address", *m.PrivateIPv4Address)
		}
		p.addresses[resource.SubnetID(value(m.SubnetId))] = a
	}
	if len(ids) == 0 {
		return p, invalid("At least one subnet must be specified")
	}
	for _, id := range ids {
		if err := p.add(r, id); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p *places) add(r state.Reader, id string) error {
	s, ok := state.Get[*resource.Subnet](r, id)
	if !ok {
		return api.Errorf("SubnetNotFound", "The subnet ID '%s' does not exist", id)
	}
	switch {
	case slices.ContainsFunc(p.subnets, func(o *resource.Subnet) bool { return o.AvailabilityZone == s.AvailabilityZone }):
		return api.Errorf("InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
	case p.vpc != "" && p.vpc != s.VPCID:
		return api.Errorf("InvalidConfigurationRequest", "All subnets must belong to the same VPC: '%s'", p.vpc)
	}
	p.vpc = s.VPCID
	p.subnets = append(p.subnets, s)
	return nil
}

func findGroups(r state.Reader, vpc resource.VPCID, ids []string) ([]resource.SecurityGroupID, error) {
	groups, err := vpcnet.FindGroups(r, vpc, ids)
	if err != nil {
		return nil, asConfiguration(err)
	}
	var out []resource.SecurityGroupID
	for _, g := range groups {
		out = append(out, g.ID)
	}
	return out, nil
}

// asConfiguration says EC2's errors in this service's words.
func asConfiguration(err error) error {
	e := api.AsError(err)
	switch {
	case e == nil:
		return err
	case strings.HasPrefix(e.Code, "InvalidGroup"):
		return api.Errorf("InvalidSecurityGroup", "%s", e.Message)
	}
	return api.Errorf("InvalidConfigurationRequest", "%s", e.Message)
}

// addNodes makes an interface in each further place.
func addNodes(tx *state.Tx, b *resource.LoadBalancer, p places) error {
	id := string(b.ARN)[strings.LastIndex(string(b.ARN), "/")+1:]
	for _, s := range p.subnets {
		if slices.ContainsFunc(b.Nodes, func(n resource.LoadBalancerNode) bool { return n.SubnetID == s.ID }) {
			continue
		}
		spec := vpcnet.InterfaceSpec{
			SubnetID: s.ID, Type: resource.InterfaceTypeLoadBalancer, Description: "ELB net/" + b.Name + "/" + id,
			GroupIDs: b.GroupIDs, RequesterManaged: true, RequesterID: "amazon-elb", ServiceAttached: true,
		}
		if a, ok := p.addresses[s.ID]; ok {
			spec.Addresses = []netip.Addr{a}
		}
		eni, err := vpcnet.CreateInterface(tx, spec)
		if err != nil {
			return asConfiguration(err)
		}
		b.Nodes = append(slices.Clone(b.Nodes), resource.LoadBalancerNode{SubnetID: s.ID, AvailabilityZone: s.AvailabilityZone, NetworkInterfaceID: eni.ID})
	}
	return nil
}

func removeNodes(tx *state.Tx, nodes []resource.LoadBalancerNode) {
	for _, n := range nodes {
		vpcnet.DeleteInterface(tx, n.NetworkInterfaceID)
	}
}

func (s *elb) setSubnets(tx *state.Tx, _ *api.Call, in *SetSubnetsInput) (*SetSubnetsOutput, error) {
	old, err := findBalancer(tx, in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	if or(in.IpAddressType, "ipv4") != "ipv4" {
		return nil, unsupported("The IP address type %s is not supported in this region: load balancers have IPv4 addresses only.", *in.IpAddressType)
	}
	p, err := findPlaces(tx, in.Subnets, in.SubnetMappings)
	if err != nil {
		return nil, err
	}
	if p.vpc != old.VPCID {
		return nil, api.Errorf("InvalidConfigurationRequest", "All subnets must belong to the same VPC: '%s'", old.VPCID)
	}
	b := new(*old)
	b.Nodes = nil
	for _, n := range old.Nodes {
		if slices.ContainsFunc(p.subnets, func(s *resource.Subnet) bool { return s.ID == n.SubnetID }) {
			b.Nodes = append(b.Nodes, n)
		} else if inService(tx, b.ARN) {
			return nil, api.Errorf("ResourceInUse", "You cannot remove subnet '%s' because load balancer '%s' is currently associated with another service", n.SubnetID, b.ARN)
		} else {
			removeNodes(tx, []resource.LoadBalancerNode{n})
		}
	}
	if err := addNodes(tx, b, p); err != nil {
		return nil, err
	}
	tx.Put(b)
	return &SetSubnetsOutput{AvailabilityZones: zonesOutput(tx, b), IpAddressType: new("ipv4")}, nil
}

// inService reports whether an endpoint service leads to the load balancer.
func inService(r state.Reader, b resource.LoadBalancerARN) bool {
	return state.Count(r, func(s *resource.EndpointService) bool { return slices.Contains(s.LoadBalancers, b) }) > 0
}

func (s *elb) setSecurityGroups(tx *state.Tx, _ *api.Call, in *SetSecurityGroupsInput) (*SetSecurityGroupsOutput, error) {
	old, err := findBalancer(tx, in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	if (len(old.GroupIDs) == 0) != (len(in.SecurityGroups) == 0) {
		return nil, api.Errorf("InvalidConfigurationRequest", "You cannot add security groups to, or remove all of them from, a network load balancer after its creation")
	}
	b := new(*old)
	if b.GroupIDs, err = findGroups(tx, b.VPCID, in.SecurityGroups); err != nil {
		return nil, err
	}
	if in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != nil {
		b.TrustsPrivateLink = *in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic == "off"
	}
	for _, n := range b.Nodes {
		if have, ok := state.Get[*resource.NetworkInterface](tx, n.NetworkInterfaceID); ok {
			eni := new(*have)
			eni.GroupIDs = b.GroupIDs
			tx.Put(eni)
		}
	}
	tx.Put(b)
	return &SetSecurityGroupsOutput{SecurityGroupIds: texts(b.GroupIDs), EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: new(enforcing(b))}, nil
}
