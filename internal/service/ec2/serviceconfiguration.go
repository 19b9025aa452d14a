package ec2

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// nounEndpointService is how AWS speaks of endpoint services.
func nounEndpointService() vpcnet.Noun {
	return vpcnet.Noun{Prefix: "vpce-svc", Malformed: "InvalidVpcEndpointServiceId.Malformed", NotFound: "InvalidVpcEndpointServiceId.NotFound", Text: "The VpcEndpointService Id '%s' does not exist"}
}

func findOwnService(r state.Reader, id *string) (*resource.EndpointService, error) {
	return find[*resource.EndpointService](r, nounEndpointService(), "ServiceId", id)
}

func (s *ec2) createServiceConfiguration(tx *state.Tx, _ *api.Call, in *CreateVpcEndpointServiceConfigurationInput) (*CreateVpcEndpointServiceConfigurationOutput, error) {
	if err := checkServiceKind(in.GatewayLoadBalancerArns, in.PrivateDnsName, in.SupportedIpAddressTypes); err != nil {
		return nil, err
	}
	input := *in
	input.ClientToken = nil
	token, err := newClientToken("CreateVpcEndpointServiceConfiguration", in.ClientToken, input)
	if err != nil {
		return nil, err
	}
	id, err := token.seen(tx)
	if err != nil {
		return nil, err
	}
	service, ok := state.Get[*resource.EndpointService](tx, id)
	if !ok {
		if service, err = makeService(tx, in); err != nil {
			return nil, err
		}
		token.made(tx, string(service.ID))
	}
	return &CreateVpcEndpointServiceConfigurationOutput{ClientToken: token.echo(), ServiceConfiguration: new(configurationOutput(tx, service))}, nil
}

func makeService(tx *state.Tx, in *CreateVpcEndpointServiceConfigurationInput) (*resource.EndpointService, error) {
	tags, err := newTags(in.TagSpecifications, resource.KindEndpointService)
	if err != nil {
		return nil, err
	}
	service := &resource.EndpointService{ID: resource.EndpointServiceID(tx.NewID("vpce-svc")), AcceptanceRequired: true, Tags: tags}
	if in.AcceptanceRequired != nil {
		service.AcceptanceRequired = *in.AcceptanceRequired
	}
	if err := addBalancers(tx, service, in.NetworkLoadBalancerArns); err != nil {
		return nil, err
	}
	if len(service.LoadBalancers) == 0 {
		return nil, missing("NetworkLoadBalancerArn")
	}
	tx.Put(service)
	return service, nil
}

// checkServiceKind refuses what is not done for endpoint services.
func checkServiceKind(gateways []string, privateName *string, addressTypes []string) error {
	switch {
	case len(gateways) > 0:
		return unsupported("Endpoint services of Gateway Load Balancers are not supported in this region: only those of network load balancers are.")
	case given(privateName):
		return unsupported("Private DNS names of endpoint services are not supported in this region: nobody could verify the domain.")
	case slices.ContainsFunc(addressTypes, func(t string) bool { return t != "ipv4" }):
		return unsupported("Endpoint services support the IP address type ipv4 only in this region.")
	}
	return nil
}

// addBalancers puts a service on more load balancers. Each leads to one service only.
func addBalancers(r state.Reader, service *resource.EndpointService, arns []string) error {
	for _, a := range idsOf[resource.LoadBalancerARN](arns) {
		if _, ok := state.Get[*resource.LoadBalancer](r, a); !ok {
			return api.Errorf("InvalidParameter", "The load balancer %s does not exist.", a)
		}
		for _, other := range state.List[*resource.EndpointService](r) {
			if slices.Contains(other.LoadBalancers, a) {
				return api.Errorf("InvalidParameter", "The load balancer %s is already associated with the VPC endpoint service %s.", a, other.ID)
			}
		}
		service.LoadBalancers = append(slices.Clone(service.LoadBalancers), a)
	}
	return nil
}

// serviceZones are the zones in which the service's load balancers are, ordered.
func serviceZones(r state.Reader, service *resource.EndpointService) []string {
	out := []string{}
	for _, a := range service.LoadBalancers {
		if b, ok := state.Get[*resource.LoadBalancer](r, a); ok {
			for _, n := range b.Nodes {
				out = append(out, n.AvailabilityZone)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s *ec2) modifyServiceConfiguration(tx *state.Tx, _ *api.Call, in *ModifyVpcEndpointServiceConfigurationInput) (*ModifyVpcEndpointServiceConfigurationOutput, error) {
	old, err := findOwnService(tx, in.ServiceId)
	if err != nil {
		return nil, err
	}
	gateways := append(slices.Clone(in.AddGatewayLoadBalancerArns), in.RemoveGatewayLoadBalancerArns...)
	if err := checkServiceKind(gateways, in.PrivateDnsName, in.AddSupportedIpAddressTypes); err != nil {
		return nil, err
	}
	if slices.Contains(in.RemoveSupportedIpAddressTypes, "ipv4") {
		return nil, unsupported("Endpoint services support the IP address type ipv4 only in this region.")
	}
	service := new(*old)
	for _, a := range in.RemoveNetworkLoadBalancerArns {
		if !slices.Contains(old.LoadBalancers, resource.LoadBalancerARN(a)) {
			return nil, api.Errorf("InvalidParameter", "The load balancer %s is not associated with the VPC endpoint service %s.", a, old.ID)
		}
	}
	if err := addBalancers(tx, service, in.AddNetworkLoadBalancerArns); err != nil {
		return nil, err
	}
	service.LoadBalancers = without(service.LoadBalancers, in.RemoveNetworkLoadBalancerArns)
	if len(service.LoadBalancers) == 0 {
		return nil, api.Errorf("InvalidParameter", "The VPC endpoint service %s must have at least one load balancer.", old.ID)
	}
	if in.AcceptanceRequired != nil {
		service.AcceptanceRequired = *in.AcceptanceRequired // endpoints that wait go on waiting
	}
	tx.Put(service)
	return &ModifyVpcEndpointServiceConfigurationOutput{Return: new(true)}, nil
}

func (s *ec2) deleteServiceConfigurations(tx *state.Tx, _ *api.Call, in *DeleteVpcEndpointServiceConfigurationsInput) (*DeleteVpcEndpointServiceConfigurationsOutput, error) {
	if len(in.ServiceIds) == 0 {
		return nil, missing("ServiceId")
	}
	out := &DeleteVpcEndpointServiceConfigurationsOutput{Unsuccessful: []UnsuccessfulItem{}}
	for _, id := range idsOf[string](in.ServiceIds) {
		if err := deleteService(tx, id); err != nil {
			out.Unsuccessful = append(out.Unsuccessful, unsuccessful(id, err))
		}
	}
	return out, nil
}

func deleteService(tx *state.Tx, id string) error {
	service, err := findOwnService(tx, &id)
	if err != nil {
		return err
	}
	for _, c := range service.Connections {
		e, ok := state.Get[*resource.VPCEndpoint](tx, c.EndpointID)
		if ok && e.State != resource.EndpointRejected {
			return api.Errorf("ExistingVpcEndpointConnections", "Service has existing active VPC Endpoint connections!")
		}
	}
	forgetNotifications(tx, id)
	forgetTokens(tx, id)
	tx.Delete(service)
	return nil
}

// unsuccessful says why one of several things could not be done.
func unsuccessful(id string, err error) UnsuccessfulItem {
	e := api.AsError(err)
	if e == nil {
		e = api.Errorf("InternalError", "An internal error has occurred")
	}
	return UnsuccessfulItem{ResourceId: &id, Error: &UnsuccessfulItemError{Code: new(e.Code), Message: new(e.Message)}}
}

func (s *ec2) describeServiceConfigurations(v *state.View, _ *api.Call, in *DescribeVpcEndpointServiceConfigurationsInput) (*DescribeVpcEndpointServiceConfigurationsOutput, error) {
	found, err := named[*resource.EndpointService](v, nounEndpointService(), in.ServiceIds)
	if err != nil {
		return nil, err
	}
	var all []ServiceConfiguration
	for _, s := range found {
		all = append(all, configurationOutput(v, s))
	}
	l := listing[ServiceConfiguration]{
		key:  func(c ServiceConfiguration) string { return *c.ServiceId },
		tags: func(c ServiceConfiguration) []Tag { return c.Tags },
		fields: fields[ServiceConfiguration]{
			"service-name":               func(c ServiceConfiguration) []string { return text(c.ServiceName) },
			"service-id":                 func(c ServiceConfiguration) []string { return text(c.ServiceId) },
			"service-state":              func(c ServiceConfiguration) []string { return text(c.ServiceState) },
			"supported-ip-address-types": func(c ServiceConfiguration) []string { return c.SupportedIpAddressTypes },
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeVpcEndpointServiceConfigurationsOutput{ServiceConfigurations: page, NextToken: next}, nil
}

func configurationOutput(r state.Reader, s *resource.EndpointService) ServiceConfiguration {
	return ServiceConfiguration{
		AcceptanceRequired:      new(s.AcceptanceRequired),
		AvailabilityZones:       serviceZones(r, s),
		BaseEndpointDnsNames:    []string{string(s.ID) + "." + r.Region() + ".vpce.amazonaws.com"},
		ManagesVpcEndpoints:     new(false),
		NetworkLoadBalancerArns: stringsOf(s.LoadBalancers),
		ServiceId:               new(string(s.ID)),
		ServiceName:             new(s.Name(r.Region())),
		ServiceState:            new("Available"),
		ServiceType:             []ServiceTypeDetail{{ServiceType: new(resource.EndpointTypeInterface)}},
		SupportedIpAddressTypes: []string{"ipv4"},
		Tags:                    tagSet(s.Tags),
	}
}

// ownDetail is an endpoint service as those who may use it see it.
func ownDetail(r state.Reader, s *resource.EndpointService) ServiceDetail {
	c := configurationOutput(r, s)
	d := ServiceDetail{
		AcceptanceRequired: c.AcceptanceRequired, AvailabilityZones: c.AvailabilityZones, BaseEndpointDnsNames: c.BaseEndpointDnsNames,
		ManagesVpcEndpoints: c.ManagesVpcEndpoints, Owner: new(r.Account()), ServiceId: c.ServiceId, ServiceName: c.ServiceName,
		ServiceRegion: new(r.Region()), ServiceType: c.ServiceType, SupportedIpAddressTypes: c.SupportedIpAddressTypes, Tags: c.Tags,
		VpcEndpointPolicySupported: new(false),
	}
	for _, z := range zones(r.Region()) {
		if slices.Contains(d.AvailabilityZones, z.name) {
			d.AvailabilityZoneIds = append(d.AvailabilityZoneIds, z.id)
		}
	}
	return d
}
