package topology

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// LoadBalancer is a network load balancer.
type LoadBalancer struct {
	ARN     resource.LoadBalancerARN
	Name    string
	VPCID   resource.VPCID
	DNSName string // lower case; the zonal names begin with a zone and a dot
	// TrustsPrivateLink lets connections from endpoints pass by the groups' ingress rules.
	TrustsPrivateLink bool
	Nodes             []Node      // ordered by zone
	Listeners         []*Listener // ordered by port
}

// Node is a load balancer's interface in one zone. Connections to targets leave from it.
type Node struct {
	AZ  string
	ENI resource.NetworkInterfaceID
}

// Listener is a TCP port and the targets behind it.
type Listener struct {
	ARN           resource.ListenerARN
	Port          uint16
	TargetGroup   resource.TargetGroupARN
	Targets       []Target // ordered by address and port
	Check         resource.HealthCheck
	ProxyProtocol bool // targets are told of the client by a header of version 2
	CrossZone     bool // every node leads to targets in all zones
}

// Target is one address and port.
type Target struct {
	Address netip.Addr
	Port    uint16
	AZ      string
}

// TargetsOf are those that a node in a zone leads to.
func (l *Listener) TargetsOf(az string) []Target {
	var out []Target
	for _, t := range l.Targets {
		if l.CrossZone || t.AZ == az || t.AZ == resource.AllZones {
			out = append(out, t)
		}
	}
	return out
}

// CheckPort is the port at which a target is tried.
func (l *Listener) CheckPort(t Target) uint16 {
	if l.Check.Port != 0 {
		return uint16(l.Check.Port)
	}
	return t.Port
}

// Node finds the node in a zone.
func (b *LoadBalancer) Node(az string) (Node, bool) {
	i := slices.IndexFunc(b.Nodes, func(n Node) bool { return n.AZ == az })
	if i < 0 {
		return Node{}, false
	}
	return b.Nodes[i], true
}

// Listener finds the listener on a port, nil if there is none.
func (b *LoadBalancer) Listener(port uint16) *Listener {
	return find(b.Listeners, func(l *Listener) bool { return l.Port == port })
}

// LoadBalancer finds a load balancer, nil if there is none.
func (t *Topology) LoadBalancer(arn resource.LoadBalancerARN) *LoadBalancer {
	return find(t.LoadBalancers, func(b *LoadBalancer) bool { return b.ARN == arn })
}

func (t *Topology) addLoadBalancers(r state.Reader) {
	for _, b := range state.List[*resource.LoadBalancer](r) {
		vpc := t.VPC(b.VPCID)
		if vpc == nil {
			continue
		}
		balancer := &LoadBalancer{
			ARN: b.ARN, Name: b.Name, VPCID: b.VPCID, DNSName: strings.ToLower(b.DNSName), TrustsPrivateLink: b.TrustsPrivateLink,
		}
		for _, n := range b.Nodes {
			if vpc.has(n.NetworkInterfaceID) {
				balancer.Nodes = append(balancer.Nodes, Node{AZ: n.AvailabilityZone, ENI: n.NetworkInterfaceID})
			}
		}
		slices.SortFunc(balancer.Nodes, func(a, b Node) int { return cmp.Compare(a.AZ, b.AZ) })
		for _, l := range state.Select(r, func(l *resource.Listener) bool { return l.LoadBalancer == b.ARN }) {
			balancer.Listeners = append(balancer.Listeners, resolveListener(r, b, l))
		}
		slices.SortFunc(balancer.Listeners, func(a, b *Listener) int { return cmp.Compare(a.Port, b.Port) })
		t.LoadBalancers = append(t.LoadBalancers, balancer)
	}
}

// resolveListener: a listener whose target group is gone has no targets.
func resolveListener(r state.Reader, b *resource.LoadBalancer, l *resource.Listener) *Listener {
	listener := &Listener{ARN: l.ARN, Port: uint16(l.Port), TargetGroup: l.TargetGroup}
	g, ok := state.Get[*resource.TargetGroup](r, l.TargetGroup)
	if !ok {
		return listener
	}
	listener.Check = g.Check
	listener.ProxyProtocol = g.Attributes["proxy_protocol_v2.enabled"] == "true"
	switch g.Attributes["load_balancing.cross_zone.enabled"] {
	case "true":
		listener.CrossZone = true
	case "false":
	default:
		listener.CrossZone = b.Attributes["load_balancing.cross_zone.enabled"] == "true"
	}
	for _, t := range g.Targets {
		if a, zone, ok := TargetAddress(r, t); ok {
			listener.Targets = append(listener.Targets, Target{Address: a, Port: uint16(t.Port), AZ: zone})
		}
	}
	slices.SortFunc(listener.Targets, func(a, b Target) int { return cmp.Or(a.Address.Compare(b.Address), cmp.Compare(a.Port, b.Port)) })
	return listener
}

// TargetAddress is where a target is; false for an instance that does not run.
func TargetAddress(r state.Reader, t resource.Target) (a netip.Addr, zone string, ok bool) {
	if t.InstanceID == "" {
		return t.Address, t.AvailabilityZone, true
	}
	i, ok := state.Get[*resource.Instance](r, t.InstanceID)
	if !ok || i.State != resource.InstanceRunning {
		return netip.Addr{}, "", false
	}
	e, ok := state.Get[*resource.NetworkInterface](r, i.InterfaceID)
	if !ok || len(e.PrivateIPs) == 0 {
		return netip.Addr{}, "", false
	}
	return e.PrimaryIP(), e.AvailabilityZone, true
}

// balancerName answers the names of load balancers, for all zones and for one. They are public names with private
// addresses.
func balancerName(t *Topology, _ resource.VPCID, a *Answer) bool {
	for _, b := range t.LoadBalancers {
		zone, zonal := strings.CutSuffix(a.Name, "."+b.DNSName)
		if a.Name != b.DNSName && !zonal {
			continue
		}
		for _, n := range b.Nodes {
			if e := t.ENIs[n.ENI]; e != nil && (!zonal || zone == n.AZ) {
				a.Addresses = append(a.Addresses, e.Address())
			}
		}
		if zonal && len(a.Addresses) == 0 {
			return false
		}
		slices.SortFunc(a.Addresses, netip.Addr.Compare)
		a.Found, a.Source, a.Zone = true, SourceBalancer, "elb."+t.Region+".amazonaws.com"
		return true
	}
	return false
}

// SourceBalancer is the source of a load balancer's name.
const SourceBalancer Source = "load balancer name"

// Admits reports whether the groups of an interface let a connection in. An interface that is not filtered lets in
// every one.
func (v *VPC) Admits(e *ENI, from netip.Addr, protocol int, port uint16) bool {
	if e.Unfiltered {
		return true
	}
	for _, id := range e.GroupIDs {
		g := v.SecurityGroup(id)
		if g != nil && slices.ContainsFunc(g.Ingress, func(r Rule) bool { return v.matches(r, from, protocol, port) }) {
			return true
		}
	}
	return false
}

func (v *VPC) matches(r Rule, from netip.Addr, protocol int, port uint16) bool {
	if r.Protocol != resource.AllProtocols && (r.Protocol != protocol || r.FromPort >= 0 && (int(port) < r.FromPort || int(port) > r.ToPort)) {
		return false
	}
	switch {
	case r.GroupID != "":
		members, _ := v.Members(r.GroupID)
		return slices.Contains(members, from)
	case r.PrefixListID != "":
		l := v.PrefixList(r.PrefixListID)
		return l != nil && slices.ContainsFunc(l.Prefixes, func(b netip.Prefix) bool { return b.Contains(from) })
	}
	return r.CIDR.IsValid() && r.CIDR.Contains(from)
}
