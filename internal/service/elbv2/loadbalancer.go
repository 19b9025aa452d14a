package elbv2

import (
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// maxLoadBalancers is AWS's quota of network load balancers in a Region.
const maxLoadBalancers = 50

func (s *elb) createLoadBalancer(tx *state.Tx, _ *api.Call, in *CreateLoadBalancerInput) (*CreateLoadBalancerOutput, error) {
	if err := checkKind(in); err != nil {
		return nil, err
	}
	name := value(in.Name)
	if err := checkName("Load balancer", name); err != nil {
		return nil, err
	}
	places, err := findPlaces(tx, in.Subnets, in.SubnetMappings)
	if err != nil {
		return nil, err
	}
	groups, err := findGroups(tx, places.vpc, in.SecurityGroups)
	if err != nil {
		return nil, err
	}
	if old, ok := named(tx, name); ok {
		if !old.sameAs(places, groups) {
			return nil, api.Errorf("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", name)
		}
		return &CreateLoadBalancerOutput{LoadBalancers: []LoadBalancer{balancerOutput(tx, old.LoadBalancer)}}, nil
	}
	if len(state.List[*resource.LoadBalancer](tx)) >= maxLoadBalancers {
		return nil, api.Errorf("TooManyLoadBalancers", "The maximum number of network load balancers has been reached")
	}
	tags, err := newTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	id := tx.RandomHex(16)
	b := &resource.LoadBalancer{
		ARN:  resource.LoadBalancerARN(arn(tx, "loadbalancer/net/"+name+"/"+id)),
		Name: name, DNSName: name + "-" + id + ".elb." + tx.Region() + ".amazonaws.com",
		VPCID: places.vpc, GroupIDs: groups, CreateTime: tx.Now(), Tags: tags,
	}
	if err := addNodes(tx, b, places); err != nil {
		return nil, err
	}
	tx.Put(b)
	return &CreateLoadBalancerOutput{LoadBalancers: []LoadBalancer{balancerOutput(tx, b)}}, nil
}

// checkKind refuses all but internal network load balancers.
func checkKind(in *CreateLoadBalancerInput) error {
	switch or(in.Type, "application") {
	case "network":
	case "gateway":
		return unsupported("Gateway load balancers are not supported in this region: only network load balancers are.")
	default:
		return unsupported("Application load balancers are not supported in this region: only network load balancers are (Type=network).")
	}
	if or(in.Scheme, "internet-facing") != "internal" {
		return unsupported("Internet-facing load balancers are not supported in this region: only internal ones are (Scheme=internal).")
	}
	if or(in.IpAddressType, "ipv4") != "ipv4" {
		return unsupported("The IP address type %s is not supported in this region: load balancers have IPv4 addresses only.", *in.IpAddressType)
	}
	if value(in.CustomerOwnedIpv4Pool) != "" {
		return unsupported("Customer-owned addresses are not supported in this region.")
	}
	return nil
}

type namedBalancer struct{ *resource.LoadBalancer }

func named(r state.Reader, name string) (namedBalancer, bool) {
	found := state.Select(r, func(b *resource.LoadBalancer) bool { return b.Name == name })
	if len(found) == 0 {
		return namedBalancer{}, false
	}
	return namedBalancer{found[0]}, true
}

// sameAs reports whether a Create call asks for what is there.
func (b namedBalancer) sameAs(p places, groups []resource.SecurityGroupID) bool {
	subnets := map[resource.SubnetID]bool{}
	for _, n := range b.Nodes {
		subnets[n.SubnetID] = true
	}
	for _, s := range p.subnets {
		if !subnets[s.ID] {
			return false
		}
	}
	return len(p.subnets) == len(subnets) && slices.Equal(b.GroupIDs, groups)
}

func findBalancer(r state.Reader, arn *string) (*resource.LoadBalancer, error) {
	if !strings.HasPrefix(value(arn), "arn:") {
		return nil, invalid("'%s' is not a valid load balancer ARN", value(arn))
	}
	b, ok := state.Get[*resource.LoadBalancer](r, *arn)
	if !ok {
		return nil, api.Errorf("LoadBalancerNotFound", "Load balancer '%s' not found", *arn)
	}
	return b, nil
}

func (s *elb) deleteLoadBalancer(tx *state.Tx, _ *api.Call, in *DeleteLoadBalancerInput) (*DeleteLoadBalancerOutput, error) {
	if !strings.HasPrefix(value(in.LoadBalancerArn), "arn:") {
		return nil, invalid("'%s' is not a valid load balancer ARN", value(in.LoadBalancerArn))
	}
	b, ok := state.Get[*resource.LoadBalancer](tx, *in.LoadBalancerArn)
	if !ok {
		return &DeleteLoadBalancerOutput{}, nil // as AWS: what is gone is deleted
	}
	if b.Attributes[deletionProtection] == "true" {
		return nil, api.Errorf("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", b.ARN)
	}
	if inService(tx, b.ARN) {
		return nil, api.Errorf("ResourceInUse", "Load balancer '%s' cannot be deleted because it is currently associated with another service", b.ARN)
	}
	for _, l := range state.Select(tx, func(l *resource.Listener) bool { return l.LoadBalancer == b.ARN }) {
		tx.Delete(l)
	}
	removeNodes(tx, b.Nodes)
	tx.Delete(b)
	return &DeleteLoadBalancerOutput{}, nil
}

func (s *elb) describeLoadBalancers(v *state.View, _ *api.Call, in *DescribeLoadBalancersInput) (*DescribeLoadBalancersOutput, error) {
	if len(in.LoadBalancerArns) > 0 && len(in.Names) > 0 {
		return nil, invalid("Load balancer names and load balancer ARNs cannot be specified at the same time")
	}
	var found []*resource.LoadBalancer
	for _, a := range in.LoadBalancerArns {
		b, err := findBalancer(v, &a)
		if err != nil {
			return nil, err
		}
		found = append(found, b)
	}
	for _, n := range in.Names {
		b, ok := named(v, n)
		if !ok {
			return nil, api.Errorf("LoadBalancerNotFound", "Load balancers '[%s]' not found", n)
		}
		found = append(found, b.LoadBalancer)
	}
	if len(in.LoadBalancerArns)+len(in.Names) == 0 {
		found = state.List[*resource.LoadBalancer](v)
	}
	items, next, err := page(found, (*resource.LoadBalancer).Key, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &DescribeLoadBalancersOutput{LoadBalancers: []LoadBalancer{}, NextMarker: next}
	for _, b := range items {
		out.LoadBalancers = append(out.LoadBalancers, balancerOutput(v, b))
	}
	return out, nil
}

// hostedZoneID is the zone of load balancers' names: AWS's own where it is known.
func hostedZoneID(region string) *string {
	known := map[string]string{
		"us-east-1": "Z26RNL4JYFTOTI", "us-east-2": "ZLMOA37VPKANP", "us-west-1": "Z24FKFUX50B4VW",
		"us-west-2": "Z18D5FSROUN65G", "eu-west-1": "Z2IFOLAFXWLO4F", "eu-central-1": "Z3F0SRJ5LGBH90",
	}
	if id, ok := known[region]; ok {
		return &id
	}
	return new("Z0CULVERT0000")
}

func balancerOutput(r state.Reader, b *resource.LoadBalancer) LoadBalancer {
	out := LoadBalancer{
		AvailabilityZones:     zonesOutput(r, b),
		CanonicalHostedZoneId: hostedZoneID(r.Region()),
		CreatedTime:           new(b.CreateTime),
		DNSName:               new(b.DNSName),
		IpAddressType:         new("ipv4"),
		LoadBalancerArn:       new(string(b.ARN)),
		LoadBalancerName:      new(b.Name),
		Scheme:                new("internal"),
		State:                 &LoadBalancerState{Code: new("active")},
		Type:                  new("network"),
		VpcId:                 new(string(b.VPCID)),
	}
	if len(b.GroupIDs) > 0 {
		out.SecurityGroups = texts(b.GroupIDs)
		out.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = new(enforcing(b))
	}
	return out
}

func enforcing(b *resource.LoadBalancer) string {
	if b.TrustsPrivateLink {
		return "off"
	}
	return "on"
}

func zonesOutput(_ state.Reader, b *resource.LoadBalancer) []AvailabilityZone {
	out := []AvailabilityZone{}
	for _, n := range b.Nodes {
		out = append(out, AvailabilityZone{SubnetId: new(string(n.SubnetID)), ZoneName: new(n.AvailabilityZone), LoadBalancerAddresses: []LoadBalancerAddress{}})
	}
	return out
}

func texts[T ~string](ids []T) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}
