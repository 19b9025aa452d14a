package ec2

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// destination is where a route is for: a block or a prefix list.
type destination struct {
	block netip.Prefix
	list  resource.PrefixListID
}

func (d destination) String() string {
	if d.list != "" {
		return string(d.list)
	}
	return d.block.String()
}

// attribute is what AWS calls the destination's parameter in errors.
func (d destination) attribute() string {
	if d.list != "" {
		return "destination-prefix-list-id"
	}
	if d.block.Addr().Is6() {
		return "destination-ipv6-cidr-block"
	}
	return "destination-cidr-block"
}

// six reports whether a destination is of IPv6.
func (d destination) six(r state.Reader) bool {
	p, ok := state.Get[*resource.PrefixList](r, d.list)
	return d.block.Addr().Is6() || ok && p.IPv6
}

func destinationOf(r resource.Route) destination {
	return destination{r.DestinationCIDR, r.DestinationPrefixListID}
}

// parseDestination reads the one destination of a route.
func parseDestination(r state.Reader, block, block6, list *string) (destination, error) {
	set := 0
	for _, p := range []*string{block, block6, list} {
		if given(p) {
			set++
		}
	}
	switch {
	case set > 1:
		return destination{}, api.Errorf("InvalidParameterCombination", "The parameters destinationCidrBlock, destinationIpv6CidrBlock and destinationPrefixListId cannot be used together.")
	case given(block6):
		p, err := parseIPv6CIDR("destinationIpv6CidrBlock", *block6)
		return destination{block: p}, err
	case given(list):
		p, err := find[*resource.PrefixList](r, nounPrefixList, "destinationPrefixListId", list)
		if err != nil {
			return destination{}, err
		}
		return destination{list: p.ID}, nil
	}
	p, err := parseCIDR("destinationCidrBlock", block)
	return destination{block: p}, err
}

// checkDestination refuses blocks that a table may not hold.
func checkDestination(r state.Reader, v *resource.VPC, d destination, t resource.RouteTarget) error {
	if err := checkFamily(d, d.six(r), t); err != nil {
		return err
	}
	if !d.block.IsValid() {
		return nil
	}
	// Link-local services of AWS; see the VPC guide, "Routing to link-local addresses".
	if within(d.block, netip.MustParsePrefix("169.254.168.0/22")) || within(d.block, netip.MustParsePrefix("fd00:ec2::/32")) {
		return api.Errorf("InvalidParameterValue", "The destination CIDR block %s is reserved and cannot be routed.", d.block)
	}
	if !inVPC(v, d.block) {
		return nil
	}
	// Inside the VPC, a route may lead one subnet's traffic through an appliance, and nothing else.
	device := t.NATGatewayID != "" || t.NetworkInterfaceID != ""
	whole := exists(r, func(s *resource.Subnet) bool { return s.VPCID == v.ID && (s.CIDR == d.block || s.IPv6CIDR == d.block) })
	if !device || !whole {
		return api.Errorf("InvalidParameterValue", "The destination CIDR block %s is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.", d.block)
	}
	return nil
}

// checkFamily refuses targets that do not carry the destination's packets.
func checkFamily(d destination, six bool, t resource.RouteTarget) error {
	switch {
	case t.EgressOnlyID != "" && !six:
		return api.Errorf("InvalidParameterValue", "The destination %s is not an IPv6 destination: an egress-only internet gateway carries IPv6 traffic only.", d)
	case t.NATGatewayID != "" && d.block == netip.MustParsePrefix("64:ff9b::/96"):
		return unsupported("NAT gateways do not translate between IPv6 and IPv4 in this region.")
	case t.NATGatewayID != "" && six:
		return api.Errorf("InvalidParameterValue", "The destination %s is an IPv6 destination: a NAT gateway carries IPv4 traffic only.", d)
	}
	return nil
}

func (s *ec2) createRoute(tx *state.Tx, _ *api.Call, in *CreateRouteInput) (*CreateRouteOutput, error) {
	t, v, err := routeTableAndVPC(tx, in.RouteTableId)
	if err != nil {
		return nil, err
	}
	d, err := parseDestination(tx, in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId)
	if err != nil {
		return nil, err
	}
	target, err := routeTarget(tx, t, targetParameters{
		gateway: in.GatewayId, nat: in.NatGatewayId, eni: in.NetworkInterfaceId, peering: in.VpcPeeringConnectionId, egressOnly: in.EgressOnlyInternetGatewayId,
		endpoint: in.VpcEndpointId,
		others:   []*string{in.CarrierGatewayId, in.CoreNetworkArn, in.InstanceId, in.LocalGatewayId, in.TransitGatewayId},
	})
	if err != nil {
		return nil, err
	}
	if err := checkDestination(tx, v, d, target); err != nil {
		return nil, err
	}
	if routeIndex(t, d) >= 0 || gatewayEndpointOn(tx, t.ID, d.list) != nil {
		return nil, api.Errorf("RouteAlreadyExists", "The route identified by %s already exists.", d)
	}
	c := *t
	c.Routes = append(slices.Clone(t.Routes), resource.Route{DestinationCIDR: d.block, DestinationPrefixListID: d.list, Target: target})
	if err := checkRouteCount(tx, &c); err != nil {
		return nil, err
	}
	tx.Put(&c)
	return &CreateRouteOutput{Return: new(true)}, nil
}

func routeTableAndVPC(r state.Reader, id *string) (*resource.RouteTable, *resource.VPC, error) {
	t, err := find[*resource.RouteTable](r, nounRouteTable, "routeTableId", id)
	if err != nil {
		return nil, nil, err
	}
	v, ok := state.Get[*resource.VPC](r, t.VPCID)
	if !ok {
		return nil, nil, api.Errorf("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", t.VPCID)
	}
	return t, v, nil
}

func routeIndex(t *resource.RouteTable, d destination) int {
	return slices.IndexFunc(t.Routes, func(r resource.Route) bool { return destinationOf(r) == d })
}

// replaceRoute gives a route another target. The local route cannot have another one here: it is not stored.
func (s *ec2) replaceRoute(tx *state.Tx, _ *api.Call, in *ReplaceRouteInput) (*ReplaceRouteOutput, error) {
	t, v, err := routeTableAndVPC(tx, in.RouteTableId)
	if err != nil {
		return nil, err
	}
	d, err := parseDestination(tx, in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId)
	if err != nil {
		return nil, err
	}
	if localTo(v, d) && routeIndex(t, d) < 0 {
		if value(in.LocalTarget) {
			return &ReplaceRouteOutput{}, nil
		}
		return nil, unsupported("The target of the local route cannot be replaced in this region.")
	}
	at := routeIndex(t, d)
	if at < 0 {
		return nil, noSuchRoute(t.ID, d)
	}
	target, err := routeTarget(tx, t, targetParameters{
		gateway: in.GatewayId, nat: in.NatGatewayId, eni: in.NetworkInterfaceId, peering: in.VpcPeeringConnectionId, egressOnly: in.EgressOnlyInternetGatewayId,
		endpoint: in.VpcEndpointId,
		others:   []*string{in.CarrierGatewayId, in.CoreNetworkArn, in.InstanceId, in.LocalGatewayId, in.TransitGatewayId},
	})
	if err != nil {
		return nil, err
	}
	if err := checkDestination(tx, v, d, target); err != nil {
		return nil, err
	}
	c := *t
	c.Routes = slices.Clone(t.Routes)
	c.Routes[at].Target = target
	tx.Put(&c)
	return &ReplaceRouteOutput{}, nil
}

// localTo reports whether a destination is that of a local route.
func localTo(v *resource.VPC, d destination) bool {
	same := func(c resource.VPCCIDR) bool { return c.Prefix == d.block }
	return slices.ContainsFunc(v.CIDRs, same) || slices.ContainsFunc(v.IPv6CIDRs, same)
}

func noSuchRoute(t resource.RouteTableID, d destination) error {
	return api.Errorf("InvalidRoute.NotFound", "no route with %s %s in route table %s", d.attribute(), d, t)
}

func (s *ec2) deleteRoute(tx *state.Tx, _ *api.Call, in *DeleteRouteInput) (*DeleteRouteOutput, error) {
	t, v, err := routeTableAndVPC(tx, in.RouteTableId)
	if err != nil {
		return nil, err
	}
	d, err := parseDestination(tx, in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId)
	if err != nil {
		return nil, err
	}
	at := routeIndex(t, d)
	switch {
	case at < 0 && gatewayEndpointOn(tx, t.ID, d.list) != nil:
		return nil, api.Errorf("InvalidParameterValue", "Cannot remove VPC endpoint route %s explicitly; modify the VPC endpoint instead", d)
	case at < 0 && localTo(v, d):
		return nil, api.Errorf("InvalidParameterValue", "cannot remove local route %s in route table %s", d, t.ID)
	case at < 0:
		return nil, noSuchRoute(t.ID, d)
	}
	c := *t
	c.Routes = slices.Delete(slices.Clone(t.Routes), at, at+1)
	tx.Put(&c)
	return &DeleteRouteOutput{}, nil
}

// routesOutput lists a table's routes: the local ones, the user's, and those of gateway endpoints.
func routesOutput(r state.Reader, t *resource.RouteTable) []Route {
	var out []Route
	v, ok := state.Get[*resource.VPC](r, t.VPCID)
	if ok {
		for _, c := range v.CIDRs {
			out = append(out, Route{
				DestinationCidrBlock: new(c.Prefix.String()), GatewayId: new("local"),
				Origin: new("CreateRouteTable"), State: new("active"),
			})
		}
		for _, c := range v.IPv6CIDRs {
			out = append(out, Route{
				DestinationIpv6CidrBlock: new(c.Prefix.String()), GatewayId: new("local"),
				Origin: new("CreateRouteTable"), State: new("active"),
			})
		}
	}
	for _, route := range t.Routes {
		out = append(out, routeOutput(r, t, route))
	}
	for _, e := range state.Select(r, func(e *resource.VPCEndpoint) bool { return slices.Contains(e.RouteTableIDs, t.ID) }) {
		if p := servicePrefixList(r, e.ServiceName); p != nil {
			out = append(out, Route{
				DestinationPrefixListId: new(string(p.ID)), GatewayId: new(string(e.ID)),
				Origin: new("CreateRoute"), State: new("active"),
			})
		}
	}
	return out
}

func routeOutput(r state.Reader, t *resource.RouteTable, route resource.Route) Route {
	out := Route{Origin: new("CreateRoute"), State: new("active")}
	switch {
	case route.DestinationPrefixListID != "":
		out.DestinationPrefixListId = new(string(route.DestinationPrefixListID))
	case route.DestinationCIDR.Addr().Is6():
		out.DestinationIpv6CidrBlock = new(route.DestinationCIDR.String())
	default:
		out.DestinationCidrBlock = new(route.DestinationCIDR.String())
	}
	switch to := route.Target; {
	case to.InternetGatewayID != "":
		out.GatewayId = new(string(to.InternetGatewayID))
	case to.EgressOnlyID != "":
		out.EgressOnlyInternetGatewayId = new(string(to.EgressOnlyID))
	case to.NATGatewayID != "":
		out.NatGatewayId = new(string(to.NATGatewayID))
	case to.PeeringID != "":
		out.VpcPeeringConnectionId = new(string(to.PeeringID))
	default:
		out.NetworkInterfaceId = new(string(to.NetworkInterfaceID))
	}
	if blackhole(r, t.VPCID, route.Target) {
		out.State = new("blackhole")
	}
	return out
}

// blackhole reports whether a target is gone or out of service.
func blackhole(r state.Reader, vpc resource.VPCID, t resource.RouteTarget) bool {
	switch {
	case t.InternetGatewayID != "":
		g, ok := state.Get[*resource.InternetGateway](r, t.InternetGatewayID)
		return !ok || g.VPCID != vpc
	case t.EgressOnlyID != "":
		g, ok := state.Get[*resource.EgressOnlyGateway](r, t.EgressOnlyID)
		return !ok || g.VPCID != vpc
	case t.NATGatewayID != "":
		n, ok := state.Get[*resource.NATGateway](r, t.NATGatewayID)
		return !ok || n.State != stateAvailable
	case t.PeeringID != "":
		p, ok := state.Get[*resource.VPCPeeringConnection](r, t.PeeringID)
		return !ok || p.State != resource.PeeringActive
	default:
		_, ok := state.Get[*resource.NetworkInterface](r, t.NetworkInterfaceID)
		return !ok
	}
}
