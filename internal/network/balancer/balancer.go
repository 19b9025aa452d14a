package balancer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Network is what the balancer needs of a data plane.
type Network interface {
	Listen(ctx context.Context, at dataplane.Place, network string, port uint16) (net.Listener, error)
	Attach(context.Context, dataplane.Seat) (dataplane.Attachment, error)
}

// Config says where the balancer works. Durations that are zero are AWS's.
type Config struct {
	Log     *slog.Logger
	Network Network
	Idle    time.Duration // after which a connection without traffic ends; AWS's NLB: 350 s
}

// Balancer keeps the listeners, the connections and the health checks.
type Balancer struct {
	config Config
	limits *limit
	ctx    context.Context // ends with the balancer
	cancel context.CancelFunc
	work   sync.WaitGroup // everything that was started

	mu       sync.Mutex
	spots    map[spot]*listening // guarded by mu
	checkers map[check]*checker  // guarded by mu
}

// idleTimeout is a network load balancer's for TCP.
const idleTimeout = 350 * time.Second

// New makes a balancer. Nothing listens until Apply.
func New(c Config) *Balancer {
	if c.Idle == 0 {
		c.Idle = idleTimeout
	}
	b := &Balancer{config: c, limits: &limit{most: maxConnections}, spots: map[spot]*listening{}, checkers: map[check]*checker{}}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// Apply makes exactly the listeners and health checks of the topology. The data plane must have applied it before. A
// place that cannot be opened does not keep the others from it; the errors are joined.
func (b *Balancer) Apply(ctx context.Context, t *topology.Topology) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return nil
	}
	routes, checks := plan(t)
	b.checkLocked(checks)
	for s, l := range b.spots {
		if routes[s] == nil || l.ended() {
			l.close()
			delete(b.spots, s)
		}
	}
	var failed []error
	for s, r := range routes {
		if l := b.spots[s]; l != nil {
			l.route.Store(r)
			continue
		}
		stream, err := b.config.Network.Listen(ctx, dataplane.Place{ENI: s.eni}, "tcp4", s.port)
		if err != nil {
			failed = append(failed, fmt.Errorf("balance at %s port %d: %w", s.eni, s.port, err))
			continue
		}
		b.spots[s] = b.serve(stream, r)
	}
	return errors.Join(failed...)
}

// checkLocked starts and ends health checks.
func (b *Balancer) checkLocked(want map[check]bool) {
	for c, k := range b.checkers {
		if !want[c] {
			k.stop()
			delete(b.checkers, c)
		}
	}
	for c := range want {
		if b.checkers[c] == nil {
			b.checkers[c] = b.start(c)
		}
	}
}

// Close ends everything and waits for it.
func (b *Balancer) Close() error {
	b.cancel()
	b.mu.Lock()
	for _, l := range b.spots {
		l.close()
	}
	for _, k := range b.checkers {
		k.stop()
	}
	clear(b.spots)
	clear(b.checkers)
	b.mu.Unlock()
	b.work.Wait()
	return nil
}

// Health is how a target is, as the load balancers that lead to it find.
type Health string

// The states of a target, as on the wire.
const (
	Initial   Health = "initial"
	Healthy   Health = "healthy"
	Unhealthy Health = "unhealthy"
	Unused    Health = "unused"
)

// Health returns how a target of a group is: healthy as soon as one load balancer's node finds it so, and unused
// while none leads there.
func (b *Balancer) Health(group resource.TargetGroupARN, t resource.Target) Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := Unused
	for c, k := range b.checkers {
		if c.group != group || c.target.Address != t.Address || int(c.target.Port) != t.Port {
			continue
		}
		switch h := k.health(); {
		case h == Healthy:
			return Healthy
		case out == Unused || h == Initial:
			out = h
		}
	}
	return out
}

// healthy reports whether a node finds a target healthy.
func (b *Balancer) healthy(c check) bool {
	b.mu.Lock()
	k := b.checkers[c]
	b.mu.Unlock()
	return k != nil && k.health() == Healthy
}

// Connections counts the connections that are being carried.
func (b *Balancer) Connections() int { return b.limits.count() }

// plan lists what must listen and be checked.
func plan(t *topology.Topology) (map[spot]*route, map[check]bool) {
	routes, checks := map[spot]*route{}, map[check]bool{}
	for _, lb := range t.LoadBalancers {
		for _, n := range lb.Nodes {
			for _, l := range lb.Listeners {
				r := newRoute(n, l)
				routes[spot{n.ENI, l.Port}] = r
				for _, c := range r.checks {
					checks[c] = true
				}
			}
		}
	}
	for _, v := range t.VPCs {
		for _, e := range v.Endpoints {
			if len(e.LoadBalancers) > 0 {
				maps.Copy(routes, endpointRoutes(t, v, e))
			}
		}
	}
	return routes, checks
}

// endpointRoutes lead from each interface of an endpoint to the load balancer in the same zone. Where several listen
// on a port, the first counts.
func endpointRoutes(t *topology.Topology, v *topology.VPC, e *topology.Endpoint) map[spot]*route {
	out := map[spot]*route{}
	for _, id := range e.ENIs {
		eni := v.ENI(id)
		subnet := v.Subnet(eni.SubnetID)
		if subnet == nil {
			continue
		}
		for _, arn := range e.LoadBalancers {
			lb := t.LoadBalancer(arn)
			if lb == nil {
				continue
			}
			node, ok := lb.Node(subnet.AZ)
			if !ok {
				continue
			}
			for _, l := range lb.Listeners {
				if s := (spot{id, l.Port}); out[s] == nil {
					out[s] = newRoute(node, l).viaEndpoint(t, lb, l.Port, e.ID)
				}
			}
		}
	}
	return out
}
