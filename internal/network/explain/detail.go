package explain

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Header is what a packet, or any of a range of them, says of itself.
type Header struct {
	Protocol                      int
	Source, Destination           netip.Addr
	SourcePorts, DestinationPorts [2]uint16 // first and last
}

func (p packet) header() Header {
	return Header{
		Protocol: p.protocol, Source: p.src, Destination: p.dst,
		SourcePorts: [2]uint16{p.sport.first, p.sport.last}, DestinationPorts: [2]uint16{p.dport.first, p.dport.last},
	}
}

// details are what stands beside denials: AWS's analyzer names all that might have served, and why it does not.
func (s *search) details(causes []cause) []Hop {
	var out []Hop
	add := func(all []Hop) {
		for _, h := range all {
			same := func(o Hop) bool { return o.Code == h.Code && o.Component == h.Component && o.Rule == h.Rule }
			if !slices.ContainsFunc(out, same) {
				out = append(out, h)
			}
		}
	}
	for _, why := range causes {
		switch why.code {
		case "NO_ROUTE_TO_DESTINATION", "DISCONNECTED_VPCS", "BAD_STATE_ROUTE", "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR", "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",
			"IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS", "IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS":
			add(otherRoutes(why))
		case "ENI_SG_RULES_MISMATCH":
			add(s.lostReferences(why))
		}
		if why.code == "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR" {
			add(s.farGateways(why))
		}
	}
	return out
}

// otherRoutes are the routes of a table that do not lead a packet anywhere: because they are for others, or because
// another one wins.
func otherRoutes(why cause) []Hop {
	if why.subnet == nil {
		return nil
	}
	taken, found := why.subnet.Route(why.packet.dst)
	table := tableComponent(why.subnet)
	hop := func(code string, r topology.Route, format string, args ...any) Hop {
		h := Hop{Component: table, Verdict: Note, Code: code, Rule: routeName(r), Text: fmt.Sprintf(format, args...), Packet: why.packet.header()}
		h.Where.Subnet = why.subnet.ID
		return h
	}
	var out []Hop
	listed := map[resource.PrefixListID]bool{}
	for _, r := range why.subnet.Routes {
		switch {
		case found && r == taken:
		case r.Destination.Contains(why.packet.dst):
			out = append(out, hop("MORE_SPECIFIC_ROUTE", r, "the route for %s would serve, but that for %s is longer", routeName(r), destination(taken)))
		case r.Kind == topology.TargetLocal:
			out = append(out, hop("VPC_LOCAL_ROUTE_CIDR_RESTRICTION", r, "the local route is for %s, and %s is not in it", r.Destination, why.packet.dst))
		case r.PrefixListID != "" && listed[r.PrefixListID]:
		default:
			listed[r.PrefixListID] = r.PrefixListID != ""
			what := routeName(r)
			if r.PrefixListID != "" {
				what = string(r.PrefixListID)
			}
			out = append(out, hop("CANNOT_ROUTE", r, "the route for %s does not match %s", what, why.packet.dst))
		}
	}
	for _, r := range why.subnet.Shadowed {
		if r.Destination.Contains(why.packet.dst) && found && r.Destination == taken.Destination {
			out = append(out, hop("HIGHER_PRIORITY_ROUTE", r, "the route for %s to %s is for the same block as another, which wins", routeName(r), r.TargetID))
		}
	}
	return out
}

// routeName is a route's destination, as hops name it.
func routeName(r topology.Route) string {
	if r.Kind == topology.TargetLocal {
		return "local"
	}
	return destination(r)
}

// lostReferences are rules that would admit the sender by its group, had nothing on the way given it another address.
func (s *search) lostReferences(why cause) []Hop {
	from := s.topology.ENIs[s.flow.From]
	if from == nil || why.direction != ingress || slices.Contains(from.Addresses, why.packet.src) {
		return nil
	}
	var out []Hop
	for _, id := range why.eni.GroupIDs {
		g := why.vpc.SecurityGroup(id)
		if g == nil {
			continue
		}
		for _, r := range g.Ingress {
			if r.GroupID != "" && slices.Contains(from.GroupIDs, r.GroupID) && trafficMatches(r, why.packet) {
				h := Hop{Component: Component{resource.KindSecurityGroup, string(id)}, Verdict: Note, Code: "SG_REFERENCES_NOT_PRESERVED", Rule: string(r.ID),
					Text:   fmt.Sprintf("%s of %s admits %s, which %s carries; but what arrives comes from %s: whose it was is lost on the way", r.ID, id, r.GroupID, from.ID, why.packet.src),
					Packet: why.packet.header()}
				h.Where.Interface, h.Where.Direction = why.eni.ID, ingress.String()
				out = append(out, h)
			}
		}
	}
	return out
}

// farGateways are the NAT gateways beyond a peering connection.
func (s *search) farGateways(why cause) []Hop {
	join := why.vpc.Peering(resource.PeeringID(why.route.TargetID))
	if join == nil || why.packet.dst.IsPrivate() {
		return nil
	}
	var out []Hop
	if far := s.topology.VPC(join.PeerVPCID); far != nil {
		for _, n := range far.NATGateways {
			out = append(out, Hop{Component: Component{resource.KindNATGateway, string(n.ID)}, Verdict: Note, Code: "NGW_REQUIRES_SOURCE_IN_VPC", Packet: why.packet.header(),
				Text: fmt.Sprintf("%s serves interfaces of %s only, not what comes by %s", n.ID, far.ID, join.ID)})
		}
	}
	return out
}
