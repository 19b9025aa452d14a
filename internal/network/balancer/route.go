package balancer

import (
	"math/rand/v2"
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// spot is where a listener stands.
type spot struct {
	eni  resource.NetworkInterfaceID
	port uint16
}

// A route says where connections to a spot go. It does not change; a spot gets another one.
type route struct {
	node    resource.NetworkInterfaceID // from which targets are reached
	checks  []check                     // one for each target
	proxy   bool
	through resource.VPCEndpointID // empty: straight to the load balancer
	// admits decides on a client that came through an endpoint; nil: the interface's groups did.
	admits func(netip.Addr) bool
}

func newRoute(n topology.Node, l *topology.Listener) *route {
	r := &route{node: n.ENI, proxy: l.ProxyProtocol}
	for _, t := range l.TargetsOf(n.AZ) {
		r.checks = append(r.checks, check{
			node: n.ENI, group: l.TargetGroup, target: t, port: l.CheckPort(t),
			interval: l.Check.Interval, timeout: l.Check.Timeout, rise: l.Check.Healthy, fall: l.Check.Unhealthy,
		})
	}
	return r
}

// viaEndpoint makes the route that of an endpoint. The load balancer's groups see the client's own address, although
// that may mean somebody else in the load balancer's VPC.
func (r *route) viaEndpoint(t *topology.Topology, lb *topology.LoadBalancer, port uint16, endpoint resource.VPCEndpointID) *route {
	r.through = endpoint
	vpc, eni := t.VPC(lb.VPCID), t.ENIs[r.node]
	if !lb.TrustsPrivateLink {
		r.admits = func(from netip.Addr) bool { return vpc.Admits(eni, from, tcp, port) }
	}
	return r
}

// tcp is the protocol's number.
const tcp = 6

// choose orders the targets for one connection: a healthy one first, then the others of them. Where none is healthy
// all are tried, as AWS does it: it fails open.
func (b *Balancer) choose(r *route) []check {
	var good []check
	for _, c := range r.checks {
		if b.healthy(c) {
			good = append(good, c)
		}
	}
	if len(good) == 0 {
		good = append(good, r.checks...)
	}
	rand.Shuffle(len(good), func(i, j int) { good[i], good[j] = good[j], good[i] })
	return good
}
