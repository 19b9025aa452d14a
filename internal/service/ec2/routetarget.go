package ec2

import (
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// targetParameters are the ways in which a call names a route's target.
type targetParameters struct {
	gateway, nat, eni, peering, egressOnly *string
	endpoint                               *string
	others                                 []*string // kinds of targets that are not here
}

// routeTarget reads the one target of a route, which must be in the table's VPC.
func routeTarget(r state.Reader, t *resource.RouteTable, p targetParameters) (resource.RouteTarget, error) {
	if slices.ContainsFunc(p.others, given) {
		return resource.RouteTarget{}, unsupported("Routes lead to internet gateways, egress-only internet gateways, NAT gateways, network interfaces and VPC peering connections only in this region.")
	}
	if given(p.endpoint) {
		return resource.RouteTarget{}, api.Errorf("InvalidParameterValue", "Cannot create or replace a prefix list route targeting a VPC Endpoint.")
	}
	set := 0
	for _, id := range []*string{p.gateway, p.nat, p.eni, p.peering, p.egressOnly} {
		if given(id) {
			set++
		}
	}
	if set != 1 {
		return resource.RouteTarget{}, api.Errorf("InvalidParameterCombination", "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId, localGatewayId, carrierGatewayId or instanceId")
	}
	switch {
	case given(p.gateway):
		return gatewayTarget(r, t, *p.gateway)
	case given(p.nat):
		return natTarget(r, t, *p.nat)
	case given(p.egressOnly):
		return egressOnlyTarget(r, t, *p.egressOnly)
	case given(p.peering):
		return peeringTarget(r, t, *p.peering)
	}
	eni, err := vpcnet.Find[*resource.NetworkInterface](r, vpcnet.ENI, *p.eni)
	if err != nil {
		return resource.RouteTarget{}, err
	}
	return resource.RouteTarget{NetworkInterfaceID: eni.ID}, sameNetwork(t, eni.VPCID, "interface "+string(eni.ID))
}

func gatewayTarget(r state.Reader, t *resource.RouteTable, id string) (resource.RouteTarget, error) {
	switch {
	case id == "local":
		return resource.RouteTarget{}, api.Errorf("InvalidParameterValue", "The gateway ID 'local' is not a valid target of this route.")
	case strings.HasPrefix(id, "vpce-"):
		return resource.RouteTarget{}, api.Errorf("InvalidParameterValue", "Cannot create or replace a prefix list route targeting a VPC Endpoint.")
	case strings.HasPrefix(id, "vgw-"):
		return resource.RouteTarget{}, unsupported("Virtual private gateways are not supported in this region.")
	}
	g, ok := state.Get[*resource.InternetGateway](r, id)
	if !ok {
		return resource.RouteTarget{}, api.Errorf("InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist", id)
	}
	return resource.RouteTarget{InternetGatewayID: g.ID}, sameNetwork(t, g.VPCID, "network gateway "+id)
}

func natTarget(r state.Reader, t *resource.RouteTable, id string) (resource.RouteTarget, error) {
	n, ok := state.Get[*resource.NATGateway](r, id)
	if !ok || n.State == stateDeleted {
		return resource.RouteTarget{}, api.Errorf("InvalidNatGatewayID.NotFound", "The natGateway ID '%s' does not exist", id)
	}
	return resource.RouteTarget{NATGatewayID: n.ID}, sameNetwork(t, n.VPCID, "NAT gateway "+id)
}

func sameNetwork(t *resource.RouteTable, vpc resource.VPCID, what string) error {
	if t.VPCID != vpc {
		return api.Errorf("InvalidParameterValue", "route table %s and %s belong to different networks", t.ID, what)
	}
	return nil
}
