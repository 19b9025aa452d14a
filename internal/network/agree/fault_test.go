package agree

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// fault is a mistake: in each VPC, or in the whole network.
type fault struct {
	name  string
	make  func(*topology.VPC)
	whole func(*topology.Topology)
}

// faults are networks that differ from the real one in one respect, as if explain or the driver had a mistake
// there. Explaining them must contradict what the kernel did; otherwise the test would not see such a mistake.
var faults = []fault{
	{name: "private DNS of a VPC is in force in others", whole: leakPrivateDNS},
	{"security groups let everything pass", func(v *topology.VPC) {
		everything := []topology.Rule{{ID: "sgr-any", Protocol: resource.AllProtocols, FromPort: -1, ToPort: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")}}
		for _, g := range v.SecurityGroups {
			g.Ingress, g.Egress = everything, everything
		}
	}, nil},
	{"of the routes that match the shortest wins", func(v *topology.VPC) {
		for _, s := range v.Subnets {
			for i, r := range s.Routes {
				covered := slices.ContainsFunc(s.Routes, func(o topology.Route) bool {
					return o.Destination.Bits() < r.Destination.Bits() && o.Destination.Overlaps(r.Destination)
				})
				if covered {
					s.Routes[i].Destination = netip.MustParsePrefix("203.0.113.254/32") // which nobody has
				}
			}
		}
	}, nil},
	{"network ACLs are read backwards", func(v *topology.VPC) {
		eachACL(v, func(entries []topology.Entry) []topology.Entry { slices.Reverse(entries); return entries })
	}, nil},
	{"what no ACL entry matches passes", func(v *topology.VPC) {
		eachACL(v, func(entries []topology.Entry) []topology.Entry {
			return append(entries, topology.Entry{Number: 32766, Allow: true, Protocol: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")})
		})
	}, nil},
	{"the directions of ACLs are swapped", func(v *topology.VPC) {
		for _, n := range v.NetworkACLs {
			n.Ingress, n.Egress = n.Egress, n.Ingress
		}
	}, nil},
	{"ACL entries ignore protocols", func(v *topology.VPC) {
		eachACL(v, func(entries []topology.Entry) []topology.Entry {
			for i := range entries {
				entries[i].Protocol = resource.AllProtocols
			}
			return entries
		})
	}, nil},
	{"ACL entries ignore ports", func(v *topology.VPC) {
		eachACL(v, func(entries []topology.Entry) []topology.Entry {
			for i := range entries {
				entries[i].FromPort, entries[i].ToPort = 0, 65535
			}
			return entries
		})
	}, nil},
	{"ACLs filter inside a subnet", isolateInterfaces, nil},
	{"groups have no members", func(v *topology.VPC) {
		for _, g := range v.SecurityGroups {
			g.Members = nil
		}
	}, nil},
	{"prefix lists are empty", func(v *topology.VPC) {
		for _, l := range v.PrefixLists {
			l.Prefixes = nil
		}
	}, nil},
	{"only the first group of an interface counts", func(v *topology.VPC) {
		for _, e := range v.ENIs {
			e.GroupIDs = e.GroupIDs[:min(1, len(e.GroupIDs))]
		}
	}, nil},
	{"the directions of group rules are swapped", func(v *topology.VPC) {
		for _, g := range v.SecurityGroups {
			g.Ingress, g.Egress = g.Egress, g.Ingress
		}
	}, nil},
	{"group rules ignore ports", func(v *topology.VPC) {
		for _, g := range v.SecurityGroups {
			for i := range g.Ingress {
				g.Ingress[i].FromPort, g.Ingress[i].ToPort = -1, -1
			}
		}
	}, nil},
	{"source and destination are never checked", func(v *topology.VPC) {
		for _, e := range v.ENIs {
			e.SourceDestCheck = false
		}
	}, nil},
	{"source and destination are always checked", func(v *topology.VPC) {
		for _, e := range v.ENIs {
			e.SourceDestCheck = true
		}
	}, nil},
	{"no route is more specific than the local one", func(v *topology.VPC) {
		eachRoutes(v, func(r topology.Route) bool { return r.Kind == topology.TargetENI })
	}, nil},
	{"gateway endpoints have no routes", func(v *topology.VPC) {
		eachRoutes(v, func(r topology.Route) bool { return r.Kind == topology.TargetGatewayEndpoint })
	}, nil},
	{"NAT gateways have no routes", func(v *topology.VPC) {
		eachRoutes(v, func(r topology.Route) bool { return r.Kind == topology.TargetNATGateway })
	}, nil},
	{"peering connections have no routes", func(v *topology.VPC) {
		eachRoutes(v, func(r topology.Route) bool { return r.Kind == topology.TargetPeering })
	}, nil},
	{"peering connections that are not active carry packets", func(v *topology.VPC) {
		for _, s := range v.Subnets {
			for i, r := range s.Routes {
				if r.Kind == topology.TargetPeering && r.Blackhole && len(v.Peerings) > 0 {
					s.Routes[i].Blackhole, s.Routes[i].TargetID = false, string(v.Peerings[0].ID)
				}
			}
		}
	}, nil},
	{"groups of peers have no members", func(v *topology.VPC) {
		for _, g := range v.PeerGroups {
			g.Members = nil
		}
	}, nil},
	{"ACL entries of IPv6 are lost", func(v *topology.VPC) {
		eachACL(v, func(entries []topology.Entry) []topology.Entry {
			return slices.DeleteFunc(entries, func(e topology.Entry) bool { return e.CIDR.Addr().Is6() })
		})
	}, nil},
	{"ACLs let all of IPv6 pass", func(v *topology.VPC) {
		eachACL(v, func(entries []topology.Entry) []topology.Entry {
			return slices.Insert(entries, 0, topology.Entry{Number: 1, Allow: true, Protocol: -1, CIDR: everywhere6})
		})
	}, nil},
	{"group rules for blocks of IPv6 are lost", func(v *topology.VPC) {
		eachRule(v, func(r topology.Rule) bool { return r.CIDR.IsValid() && r.CIDR.Addr().Is6() })
	}, nil},
	{"group rules for all of IPv4 hold for IPv6", func(v *topology.VPC) {
		for _, g := range v.SecurityGroups {
			for _, list := range []*[]topology.Rule{&g.Ingress, &g.Egress} {
				for _, r := range *list {
					if r.CIDR.IsValid() && r.CIDR.Addr().Is4() && r.CIDR.Bits() == 0 {
						r.CIDR = everywhere6
						*list = append(*list, r)
					}
				}
			}
		}
	}, nil},
	{"groups have no IPv6 members", func(v *topology.VPC) {
		for _, g := range v.SecurityGroups {
			g.Members = slices.DeleteFunc(slices.Clone(g.Members), netip.Addr.Is6)
		}
	}, nil},
	{"groups of peers have no IPv6 members", func(v *topology.VPC) {
		for _, g := range v.PeerGroups {
			g.Members = slices.DeleteFunc(slices.Clone(g.Members), netip.Addr.Is6)
		}
	}, nil},
	{"ICMPv6 is ICMP", func(v *topology.VPC) {
		eachACL(v, func(entries []topology.Entry) []topology.Entry {
			for i := range entries {
				if entries[i].Protocol == icmpv6 {
					entries[i].Protocol = icmp
				}
			}
			return entries
		})
		eachRule(v, func(r topology.Rule) bool { return r.Protocol == icmpv6 })
	}, nil},
	{"egress-only gateways have no routes", func(v *topology.VPC) {
		eachRoutes(v, func(r topology.Route) bool { return r.Kind == topology.TargetEgressOnly })
	}, nil},
	{"egress-only gateways let connections in", func(v *topology.VPC) {
		if v.InternetGateway == "" && len(v.EgressOnly) > 0 {
			v.InternetGateway = resource.InternetGatewayID(v.EgressOnly[0])
			leadAll(v, topology.TargetEgressOnly, topology.TargetInternetGateway, string(v.InternetGateway))
		}
	}, nil},
	{"egress-only gateways carry answers", func(v *topology.VPC) {
		if v.InternetGateway != "" {
			leadAll(v, topology.TargetEgressOnly, topology.TargetInternetGateway, string(v.InternetGateway))
		}
	}, nil},
	{"egress-only gateways that are gone carry packets", func(v *topology.VPC) {
		for _, s := range v.Subnets {
			for i, r := range s.Routes {
				if r.Blackhole && r.Kind == topology.TargetEgressOnly {
					s.Routes[i].Blackhole, v.EgressOnly = false, append(v.EgressOnly[:len(v.EgressOnly):len(v.EgressOnly)], resource.EgressOnlyGatewayID(r.TargetID))
				}
			}
		}
	}, nil},
	{"no IPv6 route leads through a middlebox", func(v *topology.VPC) {
		eachRoutes(v, func(r topology.Route) bool { return r.Kind == topology.TargetENI && r.Destination.Addr().Is6() })
	}, nil},
	{"peering connections have no IPv6 routes", func(v *topology.VPC) {
		eachRoutes(v, func(r topology.Route) bool { return r.Kind == topology.TargetPeering && r.Destination.Addr().Is6() })
	}, nil},
	{"interfaces have no IPv6 addresses", func(v *topology.VPC) {
		for _, e := range v.ENIs {
			e.IPv6 = nil
		}
	}, nil},
	{"the default route of IPv4 takes IPv6", func(v *topology.VPC) {
		for _, s := range v.Subnets {
			for _, r := range s.Routes {
				if r.Destination.Addr().Is4() && r.Destination.Bits() == 0 {
					r.Destination = everywhere6
					s.Routes = append(slices.DeleteFunc(s.Routes, func(o topology.Route) bool { return o.Destination == everywhere6 }), r)
					break
				}
			}
		}
	}, nil},
	{"all subnets share a route table", func(v *topology.VPC) {
		for _, s := range v.Subnets {
			s.Routes = v.Subnets[0].Routes
		}
	}, nil},
	{"public addresses belong to somebody else", func(v *topology.VPC) {
		var all []*topology.ENI
		for _, e := range v.ENIs {
			if len(e.Public) > 0 {
				all = append(all, e)
			}
		}
		for i := range all {
			next := all[(i+1)%len(all)]
			all[i].Public[0].Public, next.Public[0].Public = next.Public[0].Public, all[i].Public[0].Public
		}
	}, nil},
}

func eachACL(v *topology.VPC, change func([]topology.Entry) []topology.Entry) {
	for _, n := range v.NetworkACLs {
		n.Ingress, n.Egress = change(n.Ingress), change(n.Egress)
	}
}

// leadAll turns routes of one kind into those of another.
func leadAll(v *topology.VPC, from, to topology.TargetKind, target string) {
	for _, s := range v.Subnets {
		for i, r := range s.Routes {
			if r.Kind == from && !r.Blackhole {
				s.Routes[i].Kind, s.Routes[i].TargetID = to, target
			}
		}
	}
}

func eachRule(v *topology.VPC, drop func(topology.Rule) bool) {
	for _, g := range v.SecurityGroups {
		g.Ingress, g.Egress = slices.DeleteFunc(g.Ingress, drop), slices.DeleteFunc(g.Egress, drop)
	}
}

func eachRoutes(v *topology.VPC, drop func(topology.Route) bool) {
	for _, s := range v.Subnets {
		s.Routes = slices.DeleteFunc(s.Routes, drop)
	}
}

// isolateInterfaces gives every interface a subnet of its own.
func isolateInterfaces(v *topology.VPC) {
	for i, e := range v.ENIs {
		s := *v.Subnet(e.SubnetID)
		s.ID, s.CIDR = resource.SubnetID(fmt.Sprintf("subnet-of-%d", i)), netip.PrefixFrom(e.Address(), 32)
		e.SubnetID = s.ID
		v.Subnets = append(v.Subnets, &s)
	}
}

// faulty is a deep enough copy of a topology, with the fault in it.
func faulty(t *topology.Topology, mistake fault) *topology.Topology {
	c := *t
	c.LoadBalancers = copyBalancers(t.LoadBalancers)
	c.VPCs, c.ENIs = nil, map[resource.NetworkInterfaceID]*topology.ENI{}
	for _, v := range t.VPCs {
		w := *v
		w.Subnets = copies(v.Subnets, func(s *topology.Subnet) { s.Routes = slices.Clone(s.Routes) })
		w.ENIs = copies(v.ENIs, func(e *topology.ENI) { e.Public = slices.Clone(e.Public) })
		w.SecurityGroups = copies(v.SecurityGroups, func(g *topology.SecurityGroup) {
			g.Ingress, g.Egress = slices.Clone(g.Ingress), slices.Clone(g.Egress)
		})
		w.NetworkACLs = copies(v.NetworkACLs, func(n *topology.NetworkACL) {
			n.Ingress, n.Egress = slices.Clone(n.Ingress), slices.Clone(n.Egress)
		})
		w.PrefixLists = copies(v.PrefixLists, func(*topology.PrefixList) {})
		w.PeerGroups = copies(v.PeerGroups, func(*topology.PeerGroup) {})
		if mistake.make != nil {
			mistake.make(&w)
		}
		for _, e := range w.ENIs {
			c.ENIs[e.ID] = e
		}
		c.VPCs = append(c.VPCs, &w)
	}
	if mistake.whole != nil {
		mistake.whole(&c)
	}
	return &c
}

func copies[T any](in []*T, deepen func(*T)) []*T {
	out := make([]*T, len(in))
	for i, p := range in {
		c := *p
		deepen(&c)
		out[i] = &c
	}
	return out
}

// enough evidence is that of the well-known networks: every fault is seen in it.
const enough = 2800

func plantFaults(t *testing.T, found []evidence) {
	if len(found) < enough {
		t.Skipf("%d probes are too few to see every fault in", len(found))
	}
	plant(t, faults, found)
	plant(t, relayFaults, relayedEvidence(found))
}

func plant(t *testing.T, mistakes []fault, found []evidence) {
	t.Helper()
	for _, f := range mistakes {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			made := map[*topology.Topology]*topology.Topology{}
			seen := 0
			for _, e := range found {
				if made[e.topology] == nil {
					made[e.topology] = faulty(e.topology, f)
				}
				if _, what := differ(explain.Explain, made[e.topology], e.flow, e.outcome); what != "" {
					seen++
				}
			}
			t.Logf("%d of %d probes contradict it", seen, len(found))
			if seen == 0 {
				t.Errorf("no probe contradicts it: the networks do not show this mistake")
			}
		})
	}
}
