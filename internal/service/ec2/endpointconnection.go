package ec2

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) endpointServiceOperations() []service.Operation {
	made := func(id *string) refs { return refs{{string(resource.KindEndpointService), id}} }
	return []service.Operation{
		service.Update("CreateVpcEndpointServiceConfiguration", s.createServiceConfiguration, on(func(*CreateVpcEndpointServiceConfigurationInput) refs { return made(nil) })),
		service.View("DescribeVpcEndpointServiceConfigurations", s.describeServiceConfigurations, service.OnAny()),
		service.Update("ModifyVpcEndpointServiceConfiguration", s.modifyServiceConfiguration, on(func(in *ModifyVpcEndpointServiceConfigurationInput) refs { return made(in.ServiceId) })),
		service.Update("DeleteVpcEndpointServiceConfigurations", s.deleteServiceConfigurations, on(func(in *DeleteVpcEndpointServiceConfigurationsInput) refs {
			return many(string(resource.KindEndpointService), in.ServiceIds)
		})),
		service.Update("ModifyVpcEndpointServicePermissions", s.modifyServicePermissions, on(func(in *ModifyVpcEndpointServicePermissionsInput) refs { return made(in.ServiceId) })),
		service.View("DescribeVpcEndpointServicePermissions", s.describeServicePermissions, on(func(in *DescribeVpcEndpointServicePermissionsInput) refs { return made(in.ServiceId) })),
		service.View("DescribeVpcEndpointConnections", s.describeEndpointConnections, service.OnAny()),
		service.Update("AcceptVpcEndpointConnections", s.acceptEndpointConnections, on(func(in *AcceptVpcEndpointConnectionsInput) refs { return made(in.ServiceId) })),
		service.Update("RejectVpcEndpointConnections", s.rejectEndpointConnections, on(func(in *RejectVpcEndpointConnectionsInput) refs { return made(in.ServiceId) })),
	}
}

// connect notes a new endpoint with its service, which may have to accept it.
func connect(tx *state.Tx, e *resource.VPCEndpoint, to *resource.EndpointService) {
	if to.AcceptanceRequired {
		e.State = resource.EndpointPendingAcceptance
	}
	changed := new(*to)
	changed.Connections = append(slices.Clone(to.Connections), resource.EndpointConnection{
		ID: tx.NewID("vpce-svc-conn"), EndpointID: e.ID, CreateTime: tx.Now(),
	})
	tx.Put(changed)
}

// disconnect forgets an endpoint that is deleted.
func disconnect(tx *state.Tx, e *resource.VPCEndpoint) {
	if service := ownServiceNamed(tx, e.ServiceName); service != nil {
		changed := new(*service)
		changed.Connections = slices.DeleteFunc(slices.Clone(service.Connections), func(c resource.EndpointConnection) bool { return c.EndpointID == e.ID })
		tx.Put(changed)
	}
}

// ownServiceNamed finds an endpoint service by its name, nil if there is none.
func ownServiceNamed(r state.Reader, name string) *resource.EndpointService {
	for _, s := range state.List[*resource.EndpointService](r) {
		if s.Name(r.Region()) == name {
			return s
		}
	}
	return nil
}

func (s *ec2) acceptEndpointConnections(tx *state.Tx, _ *api.Call, in *AcceptVpcEndpointConnectionsInput) (*AcceptVpcEndpointConnectionsOutput, error) {
	failed, err := decideConnections(tx, in.ServiceId, in.VpcEndpointIds, resource.EndpointAvailable)
	if err != nil {
		return nil, err
	}
	return &AcceptVpcEndpointConnectionsOutput{Unsuccessful: failed}, nil
}

func (s *ec2) rejectEndpointConnections(tx *state.Tx, _ *api.Call, in *RejectVpcEndpointConnectionsInput) (*RejectVpcEndpointConnectionsOutput, error) {
	failed, err := decideConnections(tx, in.ServiceId, in.VpcEndpointIds, resource.EndpointRejected)
	if err != nil {
		return nil, err
	}
	return &RejectVpcEndpointConnectionsOutput{Unsuccessful: failed}, nil
}

// decideConnections brings endpoints of a service into a state. Also one that was rejected can be accepted, and one
// that was accepted rejected: then its connections end.
func decideConnections(tx *state.Tx, id *string, endpoints []string, to string) ([]UnsuccessfulItem, error) {
	service, err := findOwnService(tx, id)
	if err != nil {
		return nil, err
	}
	if len(endpoints) == 0 {
		return nil, missing("VpcEndpointId")
	}
	failed := []UnsuccessfulItem{}
	for _, endpoint := range idsOf[string](endpoints) {
		if err := decideConnection(tx, service, endpoint, to); err != nil {
			failed = append(failed, unsuccessful(endpoint, err))
		}
	}
	return failed, nil
}

func decideConnection(tx *state.Tx, service *resource.EndpointService, endpoint, to string) error {
	old, ok := state.Get[*resource.VPCEndpoint](tx, endpoint)
	if !ok || old.ServiceName != service.Name(tx.Region()) {
		return api.Errorf("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%s' does not exist", endpoint)
	}
	if old.State == to {
		return api.Errorf("InvalidState", "The VPC endpoint %s is in state %s already.", endpoint, to)
	}
	e := new(*old)
	e.State = to
	tx.Put(e)
	return nil
}

func (s *ec2) describeEndpointConnections(v *state.View, _ *api.Call, in *DescribeVpcEndpointConnectionsInput) (*DescribeVpcEndpointConnectionsOutput, error) {
	var all []VpcEndpointConnection
	for _, s := range state.List[*resource.EndpointService](v) {
		for _, c := range s.Connections {
			if e, ok := state.Get[*resource.VPCEndpoint](v, c.EndpointID); ok {
				all = append(all, connectionOutput(v, s, c, e))
			}
		}
	}
	l := listing[VpcEndpointConnection]{
		key:  func(c VpcEndpointConnection) string { return *c.VpcEndpointId },
		tags: func(c VpcEndpointConnection) []Tag { return c.Tags },
		fields: fields[VpcEndpointConnection]{
			"ip-address-type":     func(c VpcEndpointConnection) []string { return text(c.IpAddressType) },
			"service-id":          func(c VpcEndpointConnection) []string { return text(c.ServiceId) },
			"vpc-endpoint-owner":  func(c VpcEndpointConnection) []string { return text(c.VpcEndpointOwner) },
			"vpc-endpoint-state":  func(c VpcEndpointConnection) []string { return text(c.VpcEndpointState) },
			"vpc-endpoint-id":     func(c VpcEndpointConnection) []string { return text(c.VpcEndpointId) },
			"vpc-endpoint-region": func(VpcEndpointConnection) []string { return []string{v.Region()} },
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeVpcEndpointConnectionsOutput{VpcEndpointConnections: page, NextToken: next}, nil
}

func connectionOutput(r state.Reader, s *resource.EndpointService, c resource.EndpointConnection, e *resource.VPCEndpoint) VpcEndpointConnection {
	return VpcEndpointConnection{
		CreationTimestamp: timestamp(c.CreateTime), DnsEntries: dnsEntries(r, e), IpAddressType: new(e.IPAddressType),
		NetworkLoadBalancerArns: stringsOf(s.LoadBalancers), ServiceId: new(string(s.ID)), Tags: []Tag{},
		VpcEndpointConnectionId: new(c.ID), VpcEndpointId: new(string(e.ID)), VpcEndpointOwner: new(r.Account()), VpcEndpointState: new(e.State),
	}
}
