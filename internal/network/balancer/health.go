package balancer

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// check is one node trying one target. It is comparable: one that changes is another.
type check struct {
	node              resource.NetworkInterfaceID
	group             resource.TargetGroupARN
	target            topology.Target
	port              uint16
	interval, timeout time.Duration
	rise, fall        int
}

// A checker runs a check and knows the connections to the target.
type checker struct {
	stop func()

	mu    sync.Mutex
	state Health          // guarded by mu
	run   int             // checks in a row that said otherwise than state; guarded by mu
	open  map[*relay]bool // guarded by mu
}

func (b *Balancer) start(c check) *checker {
	ctx, cancel := context.WithCancel(b.ctx)
	k := &checker{stop: cancel, state: Initial, open: map[*relay]bool{}}
	b.work.Go(func() {
		for {
			began := time.Now()
			ok := b.try(ctx, c)
			if ctx.Err() != nil {
				return
			}
			k.note(ok, c)
			select {
			case <-ctx.Done():
				return
			case <-time.After(c.interval - min(time.Since(began), c.interval)):
			}
		}
	})
	return k
}

// try connects to the target once.
func (b *Balancer) try(ctx context.Context, c check) bool {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := b.dial(ctx, c.node, c.target.Address, c.port)
	if err != nil {
		return false
	}
	_ = conn.SetLinger(0) // ends at once, leaving nothing behind in the target's table
	_ = conn.Close()
	return true
}

// dial connects from a node. Each call holds the interface's namespace only until it is done, so that no interface
// is kept by it.
func (b *Balancer) dial(ctx context.Context, node resource.NetworkInterfaceID, to netip.Addr, port uint16) (*net.TCPConn, error) {
	seat, err := b.config.Network.Attach(ctx, dataplane.Seat{ENI: node})
	if err != nil {
		return nil, err
	}
	defer seat.Close()
	conn, err := seat.Dial(ctx, "tcp4", net.JoinHostPort(to.String(), strconv.Itoa(int(port))))
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// note counts a result. A new target is healthy after its first good check; after that, and to become unhealthy, so
// many in a row are needed as the group says. Connections to a target that becomes unhealthy end.
func (k *checker) note(ok bool, c check) {
	k.mu.Lock()
	next, needed := Unhealthy, c.fall
	if ok {
		next, needed = Healthy, c.rise
		if k.state == Initial {
			needed = 1
		}
	}
	if next == k.state {
		k.run = 0
		k.mu.Unlock()
		return
	}
	if k.run++; k.run < needed {
		k.mu.Unlock()
		return
	}
	k.state, k.run = next, 0
	var end []*relay
	if next == Unhealthy {
		for r := range k.open {
			end = append(end, r)
		}
	}
	k.mu.Unlock()
	for _, r := range end {
		r.reset()
	}
}

func (k *checker) health() Health {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// hold makes a connection end should its target become unhealthy.
func (k *checker) hold(r *relay) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.open[r] = true
}

func (k *checker) release(r *relay) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.open, r)
}
