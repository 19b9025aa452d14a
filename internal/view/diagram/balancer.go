package diagram

import (
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

func balancerOf(t *topology.Topology, e *topology.ENI) *topology.LoadBalancer {
	for _, b := range t.LoadBalancers {
		if slices.ContainsFunc(b.Nodes, func(n topology.Node) bool { return n.ENI == e.ID }) {
			return b
		}
	}
	return nil
}

// balancerCard is a load balancer's presence in one zone.
func balancerCard(s *subnet, b *topology.LoadBalancer, e *topology.ENI) *Card {
	details := []string{"load balancer · " + e.Address().String()}
	var ports []string
	for _, l := range b.Listeners {
		ports = append(ports, strconv.Itoa(int(l.Port)))
	}
	if len(ports) > 0 {
		details = append(details, "TCP "+strings.Join(ports, ", "))
	}
	return &Card{
		Key: string(e.ID), ID: string(b.ARN), Kind: KindLoadBalancer, Icon: "balancer", Parent: s.box.Key, ENI: string(e.ID),
		Label: b.Name, details: details,
	}
}

// balancerLinks leads from load balancers to their targets, and from endpoints of endpoint services to them. A target
// that is not reached is still where the balancer leads to.
func (p *Picture) balancerLinks(t *topology.Topology) {
	for _, b := range t.LoadBalancers {
		v := t.VPC(b.VPCID)
		if v == nil {
			continue
		}
		for _, n := range b.Nodes {
			for _, l := range b.Listeners {
				p.targetLinks(t, v, n, l)
			}
		}
	}
	for _, v := range t.VPCs {
		for _, e := range v.Endpoints {
			for _, arn := range e.LoadBalancers {
				p.privateLinks(t, e, t.LoadBalancer(arn))
			}
		}
	}
}

func (p *Picture) targetLinks(t *topology.Topology, v *topology.VPC, n topology.Node, l *topology.Listener) {
	for _, target := range l.TargetsOf(n.AZ) {
		i := slices.IndexFunc(v.ENIs, func(e *topology.ENI) bool { return slices.Contains(e.Addresses, target.Address) })
		if i < 0 {
			continue
		}
		state := StateLink
		if explain.Explain(t, explain.Flow{From: n.ENI, To: target.Address, Port: target.Port}).Reachable {
			state = StateFlow
		}
		p.connect(string(n.ENI), []string{p.cardOf(explain.Component{Kind: resource.KindNetworkInterface, ID: string(v.ENIs[i].ID)})}, state)
	}
}

// privateLinks leads from each interface of an endpoint to the load balancer's in the same zone, or else its first.
func (p *Picture) privateLinks(t *topology.Topology, e *topology.Endpoint, b *topology.LoadBalancer) {
	if b == nil || len(b.Nodes) == 0 {
		return
	}
	for _, eni := range e.ENIs {
		node, ok := b.Node(zoneOf(t, eni))
		if !ok {
			node = b.Nodes[0]
		}
		p.connect(string(e.ID)+"@"+string(eni), []string{string(node.ENI)}, StateLink)
	}
}

// becomeInstance makes the card of an interface that of the instance behind it.
func (p *Picture) becomeInstance(c *Card, i Instance) {
	c.ID, c.Kind, c.Icon = i.ID, KindInstance, "instance"
	c.Label = p.nameOf(i.ID, p.nameOf(c.ENI, i.ID))
	kind := "instance"
	if i.State != resource.InstanceRunning {
		kind += " (" + i.State + ")"
	}
	c.details[0] = strings.Replace(c.details[0], "interface", kind, 1)
	if c.Label != i.ID {
		c.details = append(c.details, i.ID)
	}
}
