package explain

import (
	"fmt"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// maxRelays is how many load balancers may follow each other.
const maxRelays = 4

// balanced goes on where a connection reached a load balancer, at an interface of its own or at that of an endpoint.
// It reports whether that is so.
func (c *explanation) balanced(vpc *topology.VPC, e *topology.ENI, p packet) bool {
	for _, lb := range c.topology.LoadBalancers {
		for _, n := range lb.Nodes {
			if n.ENI == e.ID {
				c.relay([]*topology.LoadBalancer{lb}, n.AZ, p)
				return true
			}
		}
	}
	for _, endpoint := range vpc.Endpoints {
		if len(endpoint.LoadBalancers) > 0 && slices.Contains(endpoint.ENIs, e.ID) {
			c.throughService(vpc, endpoint, e, p)
			return true
		}
	}
	for _, endpoint := range vpc.Unaccepted {
		if slices.Contains(endpoint.ENIs, e.ID) {
			c.unaccepted(endpoint)
			return true
		}
	}
	return false
}

// unaccepted is a flow to an endpoint that its service has not accepted.
func (c *explanation) unaccepted(e *topology.Endpoint) {
	what := "waits for the acceptance of its service"
	if e.State == resource.EndpointRejected {
		what = "was rejected by its service"
	}
	c.deny(cause{code: "x:VPCE_NOT_ACCEPTED", component: Component{resource.KindVPCEndpoint, string(e.ID)}, vpc: c.vpc, endpoint: e},
		"%s %s %s, so nothing leads there", e.ID, what, e.Service)
}

// unacceptedName finds the unaccepted endpoint that a name would belong to, nil if there is none.
func (c *explanation) unacceptedName(name string) *topology.Endpoint {
	for _, v := range c.topology.VPCs {
		for _, e := range v.Unaccepted {
			if slices.ContainsFunc(e.Names, func(n topology.Name) bool { return n.Pattern == name }) {
				return e
			}
		}
	}
	return nil
}

// throughService goes from an endpoint to its service's load balancers in the same zone. Their groups see the
// consumer's own address.
func (c *explanation) throughService(vpc *topology.VPC, endpoint *topology.Endpoint, e *topology.ENI, p packet) {
	c.trace.Endpoint = string(endpoint.ID)
	at := Component{resource.KindVPCEndpoint, string(endpoint.ID)}
	zone := ""
	if s := vpc.Subnet(e.SubnetID); s != nil {
		zone = s.AZ
	}
	var here []*topology.LoadBalancer
	for _, arn := range endpoint.LoadBalancers {
		if lb := c.topology.LoadBalancer(arn); lb != nil {
			if _, ok := lb.Node(zone); ok {
				here = append(here, lb)
			}
		}
	}
	if len(here) == 0 {
		c.deny(cause{code: "VPCE_SERVICE_NOT_INSTALLED_IN_AZ", component: at, packet: p},
			"%s has no load balancer in %s, where %s is", endpoint.Service, zone, e.ID)
		return
	}
	c.note(Allow, at, "", "%s leads to %s, without a route between the VPCs", endpoint.ID, endpoint.Service)
	lb := c.relay(here, zone, p)
	if lb == nil || lb.TrustsPrivateLink || p.protocol != TCP {
		return
	}
	node, _ := lb.Node(zone)
	if to, home := c.topology.ENIs[node.ENI], c.topology.VPC(lb.VPCID); to != nil && home != nil {
		c.groups(home, to, ingress, p)
	}
}

// relay is a load balancer that takes a connection and makes another to a target. It returns the load balancer whose
// listener took it, nil if none did.
func (c *explanation) relay(all []*topology.LoadBalancer, zone string, p packet) *topology.LoadBalancer {
	first := Component{resource.KindLoadBalancer, string(all[0].ARN)}
	var lb *topology.LoadBalancer
	var l *topology.Listener
	for _, b := range all {
		if found := b.Listener(p.dport.first); l == nil && found != nil && p.protocol == TCP {
			lb, l = b, found
		}
	}
	if l == nil {
		c.deny(cause{code: "ELBV2_LISTENERS_MISMATCH", component: first, packet: p}, "no listener of %s takes %s; there %s", all[0].Name, p.what(), listeners(all[0]))
		return nil
	}
	at := Component{resource.KindLoadBalancer, string(lb.ARN)}
	c.note(Allow, at, string(l.ARN), "a listener of %s takes %s", lb.Name, p.what())
	targets := l.TargetsOf(zone)
	switch {
	case len(l.Targets) == 0:
		c.deny(cause{code: "ELBV2_LISTENER_HAS_NO_TG", component: at, rule: string(l.ARN), packet: p}, "the target group of %s has no targets", lb.Name)
	case len(targets) == 0:
		c.deny(cause{code: "ELBV2_NO_TARGETS_IN_AZ", component: at, rule: string(l.ARN), packet: p},
			"%s has no targets in %s, and does not balance across zones", lb.Name, zone)
	default:
		node, _ := lb.Node(zone)
		c.toTarget(lb, node, targets)
	}
	return lb
}

func listeners(lb *topology.LoadBalancer) string {
	if len(lb.Listeners) == 0 {
		return "are none"
	}
	text := "are listeners on TCP"
	for i, l := range lb.Listeners {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(" %d", l.Port)
	}
	return text
}

// toTarget explains the second connection: one target that is reached is enough, for a load balancer chooses those
// that are. Where none is, the first says why.
func (c *explanation) toTarget(lb *topology.LoadBalancer, node topology.Node, targets []topology.Target) {
	if c.relays >= maxRelays {
		c.deny(cause{code: "NO_PATH", component: Component{resource.KindLoadBalancer, string(lb.ARN)}}, "%s leads back to where the connection came from", lb.Name)
		return
	}
	var chosen *explanation
	for _, t := range targets {
		leg := &explanation{topology: c.topology, relays: c.relays + 1, flow: Flow{From: node.ENI, To: t.Address, Protocol: TCP, Port: t.Port}}
		leg.hops = &leg.trace.Hops
		leg.trace.To = t.Address
		if leg.start() {
			leg.walk()
		}
		if chosen == nil || len(leg.causes) == 0 {
			chosen = leg
		}
		if len(leg.causes) == 0 {
			break
		}
	}
	*c.hops = append(*c.hops, Hop{Component: interfaceComponent(node.ENI), Verdict: Note,
		Text: fmt.Sprintf("%s connects to its target %s on TCP %d", lb.Name, chosen.flow.To, chosen.flow.Port)})
	*c.hops = append(*c.hops, chosen.trace.Hops...)
	*c.hops = append(*c.hops, chosen.trace.Return...)
	c.causes = append(c.causes, chosen.causes...)
	c.trace.Interface, c.trace.SourceSeen = chosen.trace.Interface, chosen.trace.SourceSeen
}
