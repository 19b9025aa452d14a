package agree

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// listenerPorts are what listeners may take; workloads listen on the first two.
var listenerPorts = []uint16{portHTTPS, portOther, 5432}

// checkTimeout is short, and no check is repeated while a state lasts: the health of targets changes nothing but which
// of them is taken.
const checkTimeout = 700 * time.Millisecond

// aside takes chances that the rest of a network does not depend on.
func (g *generator) aside(do func()) {
	main := g.rng
	g.rng = g.other
	do()
	g.other, g.rng = g.rng, main
}

func otherChances(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, ^seed)) }

// balancing makes load balancers, services and endpoints of services.
func (g *generator) balancing(tx *state.Tx) {
	for _, p := range g.plots {
		for range pick(g, []int{0, 1, 2, 2, 2}) {
			g.balancer(tx, p)
		}
	}
	for _, p := range g.plots {
		if len(p.balancers) == 0 || g.chance(20) {
			continue
		}
		s := &resource.EndpointService{ID: resource.EndpointServiceID(g.id("vpce-svc")), LoadBalancers: p.balancers, AcceptanceRequired: true}
		tx.Put(s)
		for _, consumer := range g.plots {
			if g.chance(60) {
				g.serviceEndpoint(tx, consumer, s)
			}
		}
	}
}

func (g *generator) balancer(tx *state.Tx, p *plot) {
	name := g.id("nlb")
	b := &resource.LoadBalancer{
		ARN: resource.LoadBalancerARN("arn:" + name), Name: name, DNSName: name + ".elb." + region + ".amazonaws.com", VPCID: p.id,
		TrustsPrivateLink: g.chance(35), Attributes: g.crossZone(),
	}
	if g.chance(65) {
		b.GroupIDs = []resource.SecurityGroupID{g.guard(tx, p)}
	}
	for _, s := range g.zones(p) {
		e := g.eni(tx, p, s, resource.InterfaceTypeLoadBalancer)
		e.GroupIDs = b.GroupIDs
		tx.Put(e)
		b.Nodes = append(b.Nodes, resource.LoadBalancerNode{SubnetID: s.ID, AvailabilityZone: s.AvailabilityZone, NetworkInterfaceID: e.ID})
	}
	tx.Put(b)
	p.balancers = append(p.balancers, b.ARN)
	for _, port := range listenerPorts {
		if g.chance(60) {
			g.listener(tx, p, b.ARN, port)
		}
	}
}

// guard is a group that lets in some, and lets a load balancer connect to all of its targets.
func (g *generator) guard(tx *state.Tx, p *plot) resource.SecurityGroupID {
	s := &resource.SecurityGroup{ID: resource.SecurityGroupID(g.id("sg")), VPCID: p.id, Rules: []resource.SecurityGroupRule{
		{ID: resource.SecurityGroupRuleID(g.id("sgr")), Egress: true, Protocol: resource.AllProtocols, FromPort: -1, ToPort: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")},
		{ID: resource.SecurityGroupRuleID(g.id("sgr")), Protocol: tcp, ToPort: 65535, CIDR: subnetOf(pick(g, g.plots).cidr, 1+g.rng.IntN(3))},
	}}
	if g.chance(50) {
		s.Rules = append(s.Rules, g.rule(p, false))
	}
	tx.Put(s)
	return s.ID
}

// zones are one subnet in each of one or two zones.
func (g *generator) zones(p *plot) []*resource.Subnet {
	first, second := pick(g, p.subnets[:2]), p.subnets[2]
	return pick(g, [][]*resource.Subnet{{first}, {second}, {first, second}, {first, second}})
}

// crossZone switches balancing across zones on or off, or leaves it as it is.
func (g *generator) crossZone() map[string]string {
	if g.chance(40) {
		return nil
	}
	return map[string]string{"load_balancing.cross_zone.enabled": fmt.Sprint(g.chance(50))}
}

func (g *generator) listener(tx *state.Tx, p *plot, b resource.LoadBalancerARN, port uint16) {
	group := &resource.TargetGroup{
		ARN: resource.TargetGroupARN(g.id("tg")), VPCID: p.id, Port: portHTTPS, Targets: g.targets(tx, p), Attributes: g.crossZone(),
		Check: resource.HealthCheck{Interval: time.Minute, Timeout: checkTimeout, Healthy: 1, Unhealthy: 1},
	}
	tx.Put(group)
	tx.Put(&resource.Listener{ARN: resource.ListenerARN(g.id("listener")), LoadBalancer: b, Port: int(port), TargetGroup: group.ARN})
}

// targets are workloads of a VPC, or of a peer, and now and then nobody. All listen where they are asked: package explain
// does not know who does not.
func (g *generator) targets(tx *state.Tx, p *plot) []resource.Target {
	var out []resource.Target
	for range pick(g, []int{0, 1, 1, 1, 2, 2, 3}) {
		t := resource.Target{Port: int(pick(g, listenerPorts[:2])), AvailabilityZone: resource.AllZones}
		home := p
		if len(p.peers) > 0 && g.chance(15) {
			home = pick(g, p.peers)
		}
		open := g.chance(60) // its group lets everybody in
		e, ok := one(g, tx, func(e *resource.NetworkInterface) bool {
			return e.VPCID == home.id && e.InterfaceType == resource.InterfaceTypeInterface && (!open || slices.Contains(e.GroupIDs, home.groups[0]))
		})
		if !ok {
			continue
		}
		t.Address = e.PrimaryIP()
		if home == p {
			t.AvailabilityZone = p.zoneOf(e.SubnetID)
		}
		if g.chance(5) {
			t.Address = subnetOf(p.cidr, 1).Addr().Next().Next().Next()
		}
		if !slices.ContainsFunc(out, func(o resource.Target) bool { return o.Address == t.Address }) {
			out = append(out, t)
		}
	}
	return out
}

func (p *plot) zoneOf(id resource.SubnetID) string {
	return p.subnets[slices.IndexFunc(p.subnets, func(s *resource.Subnet) bool { return s.ID == id })].AvailabilityZone
}

// serviceEndpoint leads to a service, if it is accepted.
func (g *generator) serviceEndpoint(tx *state.Tx, p *plot, s *resource.EndpointService) {
	e := &resource.VPCEndpoint{
		ID: resource.VPCEndpointID(g.id("vpce")), VPCID: p.id, Type: resource.EndpointTypeInterface, ServiceName: s.Name(region), State: g.acceptance(),
		DNSSuffix: "abcd1234",
	}
	for _, subnet := range g.zones(p) {
		e.NetworkInterfaceIDs = append(e.NetworkInterfaceIDs, g.eni(tx, p, subnet, resource.InterfaceTypeVPCEndpoint).ID)
	}
	tx.Put(e)
}

func (g *generator) acceptance() string {
	return pick(g, []string{resource.EndpointAvailable, resource.EndpointAvailable, resource.EndpointAvailable, resource.EndpointPendingAcceptance, resource.EndpointRejected})
}

// rebalance changes something about load balancing.
func (g *generator) rebalance(tx *state.Tx) string {
	p := pick(g, g.plots)
	b, ok := one(g, tx, func(b *resource.LoadBalancer) bool { return b.VPCID == p.id })
	if !ok {
		return "nothing about load balancers"
	}
	switch g.rng.IntN(6) {
	case 0:
		if e, ok := one(g, tx, func(e *resource.VPCEndpoint) bool {
			return e.DNSSuffix != "" && !e.PrivateDNSEnabled && e.ServiceName != "com.amazonaws."+region+".sts"
		}); ok {
			e.State = g.acceptance()
			tx.Put(e)
		}
		return "acceptance"
	case 1, 2:
		if t, ok := one(g, tx, func(t *resource.TargetGroup) bool { return t.VPCID == p.id }); ok {
			t.Targets, t.Attributes = g.targets(tx, p), g.crossZone()
			tx.Put(t)
		}
		return "targets"
	case 3:
		b.TrustsPrivateLink, b.Attributes = !b.TrustsPrivateLink, g.crossZone()
		tx.Put(b)
		return "attributes of a load balancer"
	case 4:
		if len(b.Nodes) > 1 {
			gone, _ := state.Get[*resource.NetworkInterface](tx, b.Nodes[0].NetworkInterfaceID)
			tx.Delete(gone)
			b.Nodes = b.Nodes[1:]
			tx.Put(b)
		}
		return "zones of a load balancer"
	}
	port := pick(g, listenerPorts)
	if l, ok := one(g, tx, func(l *resource.Listener) bool { return l.LoadBalancer == b.ARN && l.Port == int(port) }); ok {
		tx.Delete(l)
	} else {
		g.listener(tx, p, b.ARN, port)
	}
	return "listener"
}
