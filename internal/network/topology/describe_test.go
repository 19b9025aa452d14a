package topology

import (
	"fmt"
	"strings"
)

// describe writes a topology as text, one fact a line.
func describe(t *Topology) string {
	var b strings.Builder
	fmt.Fprintf(&b, "region %s\n", t.Region)
	for _, v := range t.VPCs {
		fmt.Fprintf(&b, "vpc %s %v resolver %s dns support %t hostnames %t domain %s igw %q\n",
			v.ID, v.CIDRs, v.Resolver, v.DNSSupport, v.DNSHostnames, v.DomainName, v.InternetGateway)
		for _, s := range v.Subnets {
			fmt.Fprintf(&b, "  subnet %s %s %s %s %s\n", s.ID, s.CIDR, s.AZ, s.RouteTableID, s.NetworkACLID)
			if s.IPv6CIDR.IsValid() {
				fmt.Fprintf(&b, "    ipv6 %s\n", s.IPv6CIDR)
			}
			for _, r := range s.Routes {
				fmt.Fprintf(&b, "    route %s %s %s %s blackhole %t\n", r.Destination, r.PrefixListID, r.Kind, r.TargetID, r.Blackhole)
			}
		}
		for _, e := range v.ENIs {
			fmt.Fprintf(&b, "  eni %s %s %s %v %v check %t public %v\n",
				e.ID, e.SubnetID, e.Type, e.Addresses, e.GroupIDs, e.SourceDestCheck, e.Public)
		}
		for _, e := range v.ENIs {
			if len(e.IPv6) > 0 || e.ResourceName.Label != "" {
				fmt.Fprintf(&b, "  ipv6 of %s %v name %+v\n", e.ID, e.IPv6, e.ResourceName)
			}
		}
		if len(v.IPv6CIDRs)+len(v.EgressOnly) > 0 {
			fmt.Fprintf(&b, "  ipv6 %v egress only %v\n", v.IPv6CIDRs, v.EgressOnly)
		}
		for _, g := range v.SecurityGroups {
			fmt.Fprintf(&b, "  group %s %s members %v\n    ingress %+v\n    egress %+v\n", g.ID, g.Name, g.Members, g.Ingress, g.Egress)
		}
		for _, n := range v.NetworkACLs {
			fmt.Fprintf(&b, "  acl %s\n    ingress %+v\n    egress %+v\n", n.ID, n.Ingress, n.Egress)
		}
		for _, p := range v.PrefixLists {
			fmt.Fprintf(&b, "  prefix list %s %s %v\n", p.ID, p.Name, p.Prefixes)
		}
		for _, n := range v.NATGateways {
			fmt.Fprintf(&b, "  nat %s %s %s public %t\n", n.ID, n.SubnetID, n.ENI, n.Public)
		}
		for _, p := range v.Peerings {
			fmt.Fprintf(&b, "  peering %s with %s %v resolves %t\n", p.ID, p.PeerVPCID, p.PeerCIDRs, p.ResolvesPeer)
		}
		for _, g := range v.PeerGroups {
			fmt.Fprintf(&b, "  group %s of %s members %v\n", g.ID, g.VPCID, g.Members)
		}
		for _, e := range v.Endpoints {
			fmt.Fprintf(&b, "  endpoint %s %s %s %s %v private dns %t %q %s %v\n",
				e.ID, e.Type, e.Service, e.ServiceName, e.ENIs, e.PrivateDNS, e.PrivateDNSReason, e.PrefixListID, e.RouteTableIDs)
			for _, n := range e.Names {
				fmt.Fprintf(&b, "    name %s %v\n", n.Pattern, n.Addresses)
			}
		}
	}
	for _, s := range t.Services {
		fmt.Fprintf(&b, "service %s\n", s.Service)
		for _, n := range s.Names {
			fmt.Fprintf(&b, "  name %s %v\n", n.Pattern, n.Addresses)
		}
	}
	return b.String()
}
