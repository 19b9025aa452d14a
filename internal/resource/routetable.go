package resource

import "net/netip"

// RouteTable is a set of routes and the subnets that use it. The local routes are not stored: they follow
// from the VPC's blocks. Neither are a gateway endpoint's routes: they follow from VPCEndpoint.RouteTableIDs.
type RouteTable struct {
	ID           RouteTableID
	VPCID        VPCID
	Routes       []Route
	Associations []RouteTableAssociation
	Tags         Tags
}

func (*RouteTable) Kind() Kind    { return KindRouteTable }
func (r *RouteTable) Key() string { return string(r.ID) }

// Main reports whether the table is its VPC's main table.
func (r *RouteTable) Main() bool {
	for _, a := range r.Associations {
		if a.Main {
			return true
		}
	}
	return false
}

// RouteTableAssociation ties a table to a subnet, or makes it the main one.
type RouteTableAssociation struct {
	ID       string // rtbassoc-
	Main     bool
	SubnetID SubnetID // empty if Main
}

// Route is one static route. Exactly one destination and one target are set.
type Route struct {
	DestinationCIDR         netip.Prefix // IPv4 or IPv6
	DestinationPrefixListID PrefixListID
	Target                  RouteTarget
}

// RouteTarget is where a route leads. Exactly one field is set.
type RouteTarget struct {
	InternetGatewayID  InternetGatewayID
	EgressOnlyID       EgressOnlyGatewayID // IPv6 destinations only
	NATGatewayID       NATGatewayID
	NetworkInterfaceID NetworkInterfaceID
	PeeringID          PeeringID
}
