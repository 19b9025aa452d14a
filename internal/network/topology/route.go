package topology

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/resource"
)

func (in *inputs) addSubnets(vpc *VPC, used prefixListUse) {
	var main *resource.RouteTable
	explicit := map[resource.SubnetID]*resource.RouteTable{}
	for _, t := range in.tables[vpc.ID] {
		if t.Main() && main == nil {
			main = t
		}
		for _, a := range t.Associations {
			if a.SubnetID != "" {
				explicit[a.SubnetID] = t
			}
		}
	}
	effective := map[resource.RouteTableID][]Route{} // computed once for each table
	for _, s := range in.subnets[vpc.ID] {
		subnet := &Subnet{
			ID: s.ID, CIDR: s.CIDR.Masked(), IPv6CIDR: masked(s.IPv6CIDR), AZ: s.AvailabilityZone, NetworkACLID: s.NetworkACLID,
		}
		table := explicit[s.ID]
		if table == nil {
			table = main
		}
		if table == nil {
			subnet.Routes = localRoutes(vpc)
		} else {
			subnet.RouteTableID = table.ID
			if effective[table.ID] == nil {
				effective[table.ID] = in.effectiveRoutes(vpc, table, used)
			}
			subnet.Routes = routesFrom(subnet, effective[table.ID])
			subnet.Shadowed = in.shadowed[table.ID]
		}
		vpc.Subnets = append(vpc.Subnets, subnet)
	}
}

// routesFrom leaves out what can never apply to a subnet: packets inside it do not look at its routes.
func routesFrom(s *Subnet, routes []Route) []Route {
	return slices.DeleteFunc(slices.Clone(routes), func(r Route) bool { return r.Kind != TargetLocal && s.Covers(r.Destination) })
}

func localRoutes(vpc *VPC) []Route {
	var out []Route
	for _, p := range slices.Concat(vpc.CIDRs, vpc.IPv6CIDRs) {
		out = append(out, Route{Destination: p, Kind: TargetLocal})
	}
	slices.SortFunc(out, func(a, b Route) int { return a.Destination.Compare(b.Destination) })
	return out
}

// effectiveRoutes are the local routes and one route for each other destination. Of several with the same
// destination a CIDR route wins over one of a prefix list; which of two prefix lists wins AWS does not say: here
// it is the one with the lower id. Between destinations the longest prefix decides, which is left to the reader.
func (in *inputs) effectiveRoutes(vpc *VPC, t *resource.RouteTable, used prefixListUse) []Route {
	var candidates []Route
	for _, r := range t.Routes {
		candidates = append(candidates, in.staticRoutes(vpc, r)...)
	}
	for _, e := range vpc.Endpoints {
		if slices.Contains(e.RouteTableIDs, t.ID) {
			for _, p := range e.Prefixes {
				candidates = append(candidates, Route{
					Destination: p, PrefixListID: e.PrefixListID, Kind: TargetGatewayEndpoint, TargetID: string(e.ID),
				})
			}
		}
	}
	slices.SortStableFunc(candidates, func(a, b Route) int {
		return cmp.Or(a.Destination.Compare(b.Destination), cmp.Compare(a.PrefixListID, b.PrefixListID))
	})
	out := localRoutes(vpc)
	taken := map[netip.Prefix]bool{}
	for _, r := range out {
		taken[r.Destination] = true
	}
	for _, r := range candidates {
		if r.PrefixListID != "" {
			used[r.PrefixListID] = true
		}
		if !taken[r.Destination] {
			taken[r.Destination] = true
			out = append(out, r)
		} else {
			in.shadowed[t.ID] = append(in.shadowed[t.ID], r)
		}
	}
	return out
}

// staticRoutes is one route for each block of the destination.
func (in *inputs) staticRoutes(vpc *VPC, r resource.Route) []Route {
	blocks := []netip.Prefix{r.DestinationCIDR}
	if r.DestinationPrefixListID != "" {
		blocks = prefixes(in.prefixList(r.DestinationPrefixListID))
	}
	var out []Route
	for _, p := range blocks {
		if !p.IsValid() {
			continue
		}
		route := resolveTarget(vpc, r.Target, p.Addr().Is6())
		route.Destination, route.PrefixListID = p.Masked(), r.DestinationPrefixListID
		out = append(out, route)
	}
	return out
}

// resolveTarget finds where a route leads. A target that is gone or not in service keeps the route, which then
// still wins over shorter ones and drops what it matches. So does one that knows nothing of the family: a NAT gateway
// and an interface without such an address have nothing to do with IPv6, an egress-only gateway not with IPv4.
func resolveTarget(vpc *VPC, t resource.RouteTarget, ipv6 bool) Route {
	switch {
	case t.InternetGatewayID != "":
		return Route{
			Kind: TargetInternetGateway, TargetID: string(t.InternetGatewayID),
			Blackhole: vpc.InternetGateway != t.InternetGatewayID,
		}
	case t.NATGatewayID != "":
		return Route{
			Kind: TargetNATGateway, TargetID: string(t.NATGatewayID),
			Blackhole: ipv6 || vpc.NATGateway(t.NATGatewayID) == nil,
		}
	case t.EgressOnlyID != "":
		return Route{
			Kind: TargetEgressOnly, TargetID: string(t.EgressOnlyID),
			Blackhole: !ipv6 || !slices.Contains(vpc.EgressOnly, t.EgressOnlyID),
		}
	case t.PeeringID != "":
		return Route{
			Kind: TargetPeering, TargetID: string(t.PeeringID),
			Blackhole: vpc.Peering(t.PeeringID) == nil,
		}
	default:
		e := vpc.ENI(t.NetworkInterfaceID)
		return Route{
			Kind: TargetENI, TargetID: string(t.NetworkInterfaceID),
			Blackhole: e == nil || ipv6 && len(e.IPv6) == 0,
		}
	}
}

// Route finds the route for a destination by longest prefix. A local route wins over an equal one.
func (s *Subnet) Route(to netip.Addr) (Route, bool) {
	best, found := Route{}, false
	for _, r := range s.Routes {
		if r.Destination.Contains(to) && (!found || r.Destination.Bits() > best.Destination.Bits()) {
			best, found = r, true
		}
	}
	return best, found
}
