package balancer

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxConnections is how many are carried at once, so that the region keeps descriptors for itself.
	maxConnections = 4096
	// dialLimit is how long one target may take to answer.
	dialLimit = 5 * time.Second
)

// listening is one open spot with its connections.
type listening struct {
	route  atomic.Pointer[route]
	stream net.Listener
	done   chan struct{} // closed when nothing listens there any more

	mu     sync.Mutex
	closed bool            // guarded by mu
	open   map[*relay]bool // guarded by mu
}

func (b *Balancer) serve(stream net.Listener, r *route) *listening {
	l := &listening{stream: stream, done: make(chan struct{}), open: map[*relay]bool{}}
	l.route.Store(r)
	b.work.Go(func() {
		defer close(l.done)
		for {
			c, err := stream.Accept()
			if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
				time.Sleep(50 * time.Millisecond) // others will close some
				continue
			}
			if err != nil {
				return
			}
			client, ok := c.(*net.TCPConn)
			if !ok || !b.limits.enter() {
				_ = c.Close()
				continue
			}
			b.work.Go(func() {
				defer b.limits.leave()
				b.carry(l, client)
			})
		}
	})
	return l
}

func (l *listening) ended() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// close ends the listener and its connections: they would keep a removed interface's namespace alive.
func (l *listening) close() {
	_ = l.stream.Close()
	l.mu.Lock()
	l.closed = true
	var open []*relay
	for r := range l.open {
		open = append(open, r)
	}
	l.mu.Unlock()
	for _, r := range open {
		r.reset()
	}
}

// add makes a connection end with the listener; false: the listener has ended already.
func (l *listening) add(r *relay) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.open[r] = true
	}
	return !l.closed
}

func (l *listening) remove(r *relay) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, r)
}

// A relay is a client's connection and, once there is one, a target's.
type relay struct {
	client *net.TCPConn
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	target *net.TCPConn // guarded by mu
	over   bool         // guarded by mu
}

// reset ends both sides as a network load balancer does: by a reset.
func (r *relay) reset() {
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	for _, c := range []*net.TCPConn{r.client, r.target} {
		if c != nil {
			_ = c.SetLinger(0)
			_ = c.Close()
		}
	}
}

// join gives the relay its target; false: it is over already.
func (r *relay) join(target *net.TCPConn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		_ = target.SetLinger(0)
		_ = target.Close()
		return false
	}
	r.target = target
	return true
}

// carry finds a target for a client and passes bytes until both sides are done.
func (b *Balancer) carry(l *listening, client *net.TCPConn) {
	r := &relay{client: client}
	r.ctx, r.cancel = context.WithCancel(b.ctx)
	defer r.cancel()
	if !l.add(r) {
		r.reset()
		return
	}
	defer l.remove(r)
	way := l.route.Load()
	from := client.RemoteAddr().(*net.TCPAddr).AddrPort()
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if way.admits != nil && !way.admits(from.Addr()) {
		r.reset()
		return
	}
	checker, ok := b.connect(r, way)
	if !ok {
		r.reset()
		return
	}
	if checker != nil {
		checker.hold(r)
		defer checker.release(r)
	}
	if way.proxy {
		to := client.LocalAddr().(*net.TCPAddr).AddrPort()
		header := proxyHeader(from, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), string(way.through))
		if _, err := r.target.Write(header); err != nil {
			r.reset()
			return
		}
	}
	b.pass(r)
}

// connect tries targets until one answers.
func (b *Balancer) connect(r *relay, way *route) (*checker, bool) {
	for _, c := range b.choose(way) {
		ctx, cancel := context.WithTimeout(r.ctx, dialLimit)
		target, err := b.dial(ctx, way.node, c.target.Address, c.target.Port)
		cancel()
		if r.ctx.Err() != nil && err == nil {
			_ = target.Close()
		}
		if r.ctx.Err() != nil {
			return nil, false
		}
		if err != nil {
			continue
		}
		b.mu.Lock()
		k := b.checkers[c]
		b.mu.Unlock()
		return k, r.join(target)
	}
	return nil, false
}

// pass copies both ways. The kernel does it without copying to us, so who is idle is asked of the kernel too. The
// end of one direction is passed on; an error ends both.
func (b *Balancer) pass(r *relay) {
	b.work.Go(func() { b.watch(r) })
	var both sync.WaitGroup
	copyTo := func(to, from *net.TCPConn) {
		if _, err := io.Copy(to, from); err != nil {
			r.reset()
			return
		}
		_ = to.CloseWrite()
	}
	both.Go(func() { copyTo(r.target, r.client) })
	copyTo(r.client, r.target)
	both.Wait()
	_ = r.client.Close()
	_ = r.target.Close()
}

// watch ends a relay that is idle for too long.
func (b *Balancer) watch(r *relay) {
	wait := b.config.Idle
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-time.After(wait):
		}
		idle := min(quiet(r.client), quiet(r.target))
		if idle >= b.config.Idle {
			r.reset()
			return
		}
		wait = b.config.Idle - idle + time.Millisecond
	}
}

// quiet is how long nothing has come from the other end of a connection.
func quiet(c *net.TCPConn) time.Duration {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	var silence time.Duration
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			silence = time.Duration(info.Last_data_recv) * time.Millisecond
		}
	})
	return silence
}

// limit counts connections.
type limit struct {
	most int64
	now  atomic.Int64
}

func (l *limit) enter() bool {
	if l.now.Add(1) > l.most {
		l.now.Add(-1)
		return false
	}
	return true
}

func (l *limit) leave() { l.now.Add(-1) }

func (l *limit) count() int { return int(l.now.Load()) }
