package ec2

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) createVPCEndpoint(tx *state.Tx, _ *api.Call, in *CreateVpcEndpointInput) (*CreateVpcEndpointOutput, error) {
	v, err := find[*resource.VPC](tx, vpcnet.VPC, "VpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	input := *in
	input.ClientToken = nil
	token, err := newClientToken("CreateVpcEndpoint", in.ClientToken, input)
	if err != nil {
		return nil, err
	}
	id, err := token.seen(tx)
	if err != nil {
		return nil, err
	}
	e, ok := state.Get[*resource.VPCEndpoint](tx, id)
	if !ok {
		if e, err = makeEndpoint(tx, v, in); err != nil {
			return nil, err
		}
		token.made(tx, string(e.ID))
	}
	return &CreateVpcEndpointOutput{ClientToken: token.echo(), VpcEndpoint: new(endpointOutput(tx, e))}, nil
}

func makeEndpoint(tx *state.Tx, v *resource.VPC, in *CreateVpcEndpointInput) (*resource.VPCEndpoint, error) {
	service, err := findEndpointService(tx, in)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, resource.KindVPCEndpoint)
	if err != nil {
		return nil, err
	}
	e := &resource.VPCEndpoint{
		ID:             resource.VPCEndpointID(tx.NewID("vpce")),
		VPCID:          v.ID,
		Type:           endpointType(in),
		ServiceName:    service.name(tx.Region()),
		State:          stateAvailable,
		PolicyDocument: defaultPolicy(endpointType(in)),
		IPAddressType:  "ipv4",
		CreationTime:   tx.Now(),
		Tags:           tags,
	}
	if err := limitEndpoints(tx, e); err != nil {
		return nil, err
	}
	if service.own != nil && given(in.PolicyDocument) {
		return nil, noEndpointPolicy(e)
	}
	if given(in.PolicyDocument) {
		if err := checkPolicy(*in.PolicyDocument); err != nil {
			return nil, err
		}
		e.PolicyDocument = *in.PolicyDocument
	}
	if err := checkAddressTypes(in.IpAddressType, in.DnsOptions); err != nil {
		return nil, err
	}
	if e.Type == resource.EndpointTypeGateway {
		err = completeGateway(tx, e, in)
	} else {
		err = completeInterface(tx, v, e, service, in)
	}
	if err != nil {
		return nil, err
	}
	if service.own != nil {
		connect(tx, e, service.own)
	}
	tx.Put(e)
	return e, nil
}

// noEndpointPolicy: the policy of an endpoint decides on calls of AWS, and other services have none.
func noEndpointPolicy(e *resource.VPCEndpoint) error {
	return api.Errorf("InvalidParameter", "Endpoint policies are not supported by the service %s.", e.ServiceName)
}

func endpointType(in *CreateVpcEndpointInput) string {
	if given(in.VpcEndpointType) {
		return *in.VpcEndpointType
	}
	return resource.EndpointTypeGateway
}

func findEndpointService(r state.Reader, in *CreateVpcEndpointInput) (endpointService, error) {
	if given(in.ResourceConfigurationArn) || given(in.ServiceNetworkArn) {
		return endpointService{}, unsupported("Endpoints for VPC Lattice are not supported in this region.")
	}
	if given(in.ServiceRegion) && *in.ServiceRegion != r.Region() {
		return endpointService{}, unsupported("Endpoints for services of other regions are not supported in this region.")
	}
	service, err := findService(r, in.ServiceName)
	if err != nil {
		return endpointService{}, err
	}
	return service, service.checkType(endpointType(in))
}

func checkAddressTypes(addresses *string, o *DnsOptionsSpecification) error {
	if given(addresses) && *addresses != "ipv4" {
		return unsupported("The IP address type %s is not supported in this region: endpoints have IPv4 addresses only.", *addresses)
	}
	if o == nil {
		return nil
	}
	switch value(o.DnsRecordIpType) {
	case "", "ipv4", "service-defined":
		return nil
	}
	return unsupported("The DNS record IP type %s is not supported in this region: endpoints have IPv4 addresses only.", *o.DnsRecordIpType)
}

func recordType(o *DnsOptionsSpecification, otherwise string) string {
	if o != nil && given(o.DnsRecordIpType) {
		return *o.DnsRecordIpType
	}
	return otherwise
}

// completeGateway puts a gateway endpoint on its route tables.
func completeGateway(tx *state.Tx, e *resource.VPCEndpoint, in *CreateVpcEndpointInput) error {
	switch {
	case len(in.SubnetIds) > 0 || len(in.SubnetConfigurations) > 0:
		return api.Errorf("InvalidParameter", "Subnet IDs are only supported for Interface type VPC Endpoints.")
	case len(in.SecurityGroupIds) > 0:
		return api.Errorf("InvalidParameter", "Security Groups are only supported for Interface type VPC Endpoints.")
	case value(in.PrivateDnsEnabled):
		return api.Errorf("InvalidParameter", "Private DNS is only supported for Interface type VPC Endpoints.")
	case in.DnsOptions != nil && value(in.DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint):
		return api.Errorf("InvalidParameter", "PrivateDnsOnlyForInboundResolverEndpoint is only supported for Interface type VPC Endpoints.")
	}
	e.DNSRecordIPType = recordType(in.DnsOptions, "service-defined")
	return addRouteTables(tx, e, in.RouteTableIds)
}

// addRouteTables puts a gateway endpoint, which is not stored yet or about to be stored again, on more tables.
func addRouteTables(r state.Reader, e *resource.VPCEndpoint, ids []string) error {
	list := servicePrefixList(r, e.ServiceName)
	for _, id := range idsOf[string](ids) {
		t, err := vpcnet.Find[*resource.RouteTable](r, nounRouteTable, id)
		if err != nil {
			return err
		}
		if t.VPCID != e.VPCID {
			return api.Errorf("InvalidParameter", "Route table %s belongs to a different VPC than %s.", t.ID, e.VPCID)
		}
		if list == nil {
			return api.Errorf("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", e.ServiceName)
		}
		taken := routeIndex(t, destination{list: list.ID}) >= 0 || gatewayEndpointOn(r, t.ID, list.ID) != nil
		if slices.Contains(e.RouteTableIDs, t.ID) || taken {
			return api.Errorf("RouteAlreadyExists", "route table %s already has a route with destination-prefix-list-id %s", t.ID, list.ID)
		}
		e.RouteTableIDs = append(slices.Clone(e.RouteTableIDs), t.ID)
	}
	return nil
}

// gatewayEndpointOn finds the gateway endpoint that routes a service's prefix list in a table; nil if none does.
func gatewayEndpointOn(r state.Reader, t resource.RouteTableID, list resource.PrefixListID) *resource.VPCEndpoint {
	if list == "" {
		return nil
	}
	for _, e := range state.Select(r, func(e *resource.VPCEndpoint) bool { return slices.Contains(e.RouteTableIDs, t) }) {
		if p := servicePrefixList(r, e.ServiceName); p != nil && p.ID == list {
			return e
		}
	}
	return nil
}

func (s *ec2) deleteVPCEndpoints(tx *state.Tx, _ *api.Call, in *DeleteVpcEndpointsInput) (*DeleteVpcEndpointsOutput, error) {
	if len(in.VpcEndpointIds) == 0 {
		return nil, missing("VpcEndpointId")
	}
	for _, id := range in.VpcEndpointIds {
		if err := nounVPCEndpoint.Check(id); err != nil {
			return nil, err
		}
	}
	out := &DeleteVpcEndpointsOutput{Unsuccessful: []UnsuccessfulItem{}}
	for _, id := range idsOf[string](in.VpcEndpointIds) {
		if err := deleteEndpoint(tx, id); err != nil {
			out.Unsuccessful = append(out.Unsuccessful, UnsuccessfulItem{
				Error:      &UnsuccessfulItemError{Code: new(err.Code), Message: new(err.Message)},
				ResourceId: new(id),
			})
		}
	}
	return out, nil
}

// deleteEndpoint removes an endpoint with its interfaces. A gateway endpoint's routes follow from it, so they go
// with it.
func deleteEndpoint(tx *state.Tx, id string) *api.Error {
	e, ok := state.Get[*resource.VPCEndpoint](tx, id)
	if !ok {
		return api.Errorf("InvalidVpcEndpoint.NotFound", "The Vpc Endpoint Id '%s' does not exist", id)
	}
	if e.Type == resource.EndpointTypeGateway {
		if needy := inboundOnlyEndpoint(tx, e.VPCID, e.ServiceName); needy != nil && len(gatewayEndpoints(tx, e.VPCID, e.ServiceName)) == 1 {
			return api.Errorf("InvalidParameter", "The Gateway endpoint %s cannot be deleted while PrivateDnsOnlyForInboundResolverEndpoint is true for the endpoint %s.", e.ID, needy.ID)
		}
	}
	for _, eni := range e.NetworkInterfaceIDs {
		vpcnet.DeleteInterface(tx, eni)
	}
	disconnect(tx, e)
	forgetNotifications(tx, id)
	forgetTokens(tx, id)
	tx.Delete(e)
	return nil
}

func gatewayEndpoints(r state.Reader, vpc resource.VPCID, service string) []*resource.VPCEndpoint {
	return state.Select(r, func(e *resource.VPCEndpoint) bool {
		return e.VPCID == vpc && e.ServiceName == service && e.Type == resource.EndpointTypeGateway
	})
}

// inboundOnlyEndpoint finds an endpoint that needs a gateway endpoint of its service beside it; nil if none does.
func inboundOnlyEndpoint(r state.Reader, vpc resource.VPCID, service string) *resource.VPCEndpoint {
	found := state.Select(r, func(e *resource.VPCEndpoint) bool {
		return e.VPCID == vpc && e.ServiceName == service && e.PrivateDNSEnabled && e.PrivateDNSOnlyForInboundResolver
	})
	if len(found) == 0 {
		return nil
	}
	return found[0]
}
