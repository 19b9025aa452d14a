package execution

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/compute/runtimes"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Pool holds all environments. There is one for each invocation that runs at the same time; the one used last
// is used first, so that the others can expire.
type Pool struct {
	cfg       Config
	initLimit time.Duration
	library   *runtimes.Library
	layers    *layers
	initSlot  chan struct{} // bounds how many start at once: starting is work for the processor

	stop context.CancelFunc
	done sync.WaitGroup

	mu     sync.Mutex
	groups map[string]*group // by function and version; guarded by mu
	total  int               // environments, also those being made; guarded by mu
	closed bool              // guarded by mu

	provisioning chan struct{}         // wakes provisionLoop
	provisions   map[string]*provision // by function and version; guarded by mu
}

// group is the environments of one version of a function. All are of the current revision; older ones only finish.
type group struct {
	revision string
	idle     []*environment
	busy     map[*environment]bool
	starting int
	turn     int // which interface is next
}

// New makes an empty pool.
func New(cfg Config) *Pool {
	if cfg.MaxEnvironments == 0 {
		cfg.MaxEnvironments = defaultEnvironments
	}
	if cfg.IdleTTL == 0 {
		cfg.IdleTTL = defaultIdleTTL
	}
	if cfg.MaxAge == 0 {
		cfg.MaxAge = defaultMaxAge
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Pool{
		cfg:       cfg,
		initLimit: initLimit,
		initSlot:  make(chan struct{}, 2*runtime.NumCPU()),
		layers:    &layers{code: cfg.Code, dir: cfg.Dir, merged: map[string]*mergedLayers{}},
		stop:      cancel,
		groups:    map[string]*group{},

		provisioning: make(chan struct{}, 1),
		provisions:   map[string]*provision{},
	}
	p.done.Go(func() { p.expire(ctx) })
	p.done.Go(func() { p.provisionLoop(ctx) })
	return p
}

// Invoke runs a function once. An error is not the function's: it is an *api.Error for the caller, or internal.
// Once the function runs, cancelling the context does not stop it; as on AWS, only its time limit does.
func (p *Pool) Invoke(ctx context.Context, f *resource.Function, inv Invocation) (Result, error) {
	for {
		e, err := p.acquire(ctx, f)
		if refusal := (*refusal)(nil); errors.As(err, &refusal) {
			return p.refuse(f, inv, refusal), nil
		}
		if err != nil {
			return Result{}, err
		}
		r, err := e.invoke(inv)
		p.release(e)
		// One that died while it was idle is no reason to fail: there are others, and at last a new one.
		if errors.Is(err, errNotBegun) && !r.Cold {
			continue
		}
		return r, err
	}
}

// Drain forgets the environments of a function's version (see resource.Function.Qualified): it was changed or
// deleted. Those at work finish.
func (p *Pool) Drain(qualified string) {
	p.mu.Lock()
	var idle []*environment
	if g := p.groups[qualified]; g != nil {
		idle = g.idle
		p.total -= len(idle)
		delete(p.groups, qualified)
	}
	p.mu.Unlock()
	closeAll(idle)
}

// Close ends every environment, at work or not, and waits.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	var all []*environment
	for _, g := range p.groups {
		all = append(all, g.idle...)
		for e := range g.busy {
			all = append(all, e)
		}
	}
	p.groups = map[string]*group{}
	library := p.library
	p.mu.Unlock()
	p.stop()
	closeAll(all)
	p.done.Wait()
	if library != nil {
		_ = library.Close()
	}
}

func closeAll(all []*environment) {
	var wg sync.WaitGroup
	for _, e := range all {
		wg.Go(e.close)
	}
	wg.Wait()
}

// acquire takes a warm environment or makes one.
func (p *Pool) acquire(ctx context.Context, f *resource.Function) (*environment, error) {
	e, g, eni, err := p.reserve(f)
	if e != nil || err != nil {
		return e, err
	}
	e, err = p.start(ctx, f, eni)
	p.mu.Lock()
	g.starting--
	if err != nil {
		p.total--
	} else {
		g.busy[e] = true
	}
	closed := p.closed
	p.mu.Unlock()
	if err == nil && closed {
		e.close()
		return nil, errClosed
	}
	return e, err
}

var errClosed = errors.New("invoke: the region is shutting down")

// reserve takes a warm environment, or a place for a new one behind the interface it returns.
func (p *Pool) reserve(f *resource.Function) (*environment, *group, resource.NetworkInterfaceID, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, "", errClosed
	}
	g, stale := p.groupLocked(f)
	p.closeLater(stale)
	if r := f.ReservedConcurrency; r != nil && len(g.busy)+g.starting >= *r {
		return nil, nil, "", throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
	}
	for n := len(g.idle); n > 0; n = len(g.idle) {
		e := g.idle[n-1]
		g.idle = g.idle[:n-1]
		if e.usable(p.cfg.MaxAge) {
			g.busy[e] = true
			return e, g, "", nil
		}
		p.total--
		p.closeLater([]*environment{e})
	}
	if v := f.VPCConfig; v != nil && len(v.SubnetIDs) > 0 && len(v.NetworkInterfaceIDs) == 0 {
		// Without this it would sit on the internet side.
		return nil, nil, "", api.Errorf("EC2UnexpectedException", "The function is in a VPC and has no network interface there.").
			WithStatus(http.StatusBadGateway)
	}
	if p.total >= p.cfg.MaxEnvironments && !p.evictLocked() {
		return nil, nil, "", throttled("ConcurrentInvocationLimitExceeded")
	}
	p.total++
	g.starting++
	g.turn++
	return nil, g, interfaceOf(f, g.turn), nil
}

// interfaceOf takes a function's interfaces in turn; empty: the function is not in a VPC.
func interfaceOf(f *resource.Function, turn int) resource.NetworkInterfaceID {
	if f.VPCConfig == nil || len(f.VPCConfig.NetworkInterfaceIDs) == 0 {
		return ""
	}
	return f.VPCConfig.NetworkInterfaceIDs[turn%len(f.VPCConfig.NetworkInterfaceIDs)]
}

// groupLocked is the group of the function's revision, and what was idle of an earlier one.
func (p *Pool) groupLocked(f *resource.Function) (*group, []*environment) {
	g := p.groups[f.Qualified()]
	if g != nil && g.revision == f.RevisionID {
		return g, nil
	}
	var stale []*environment
	if g != nil {
		stale = g.idle
		p.total -= len(stale)
	}
	g = &group{revision: f.RevisionID, busy: map[*environment]bool{}}
	p.groups[f.Qualified()] = g
	return g, stale
}

// evictLocked makes room by giving up the environment that has been idle longest, whosever it is.
func (p *Pool) evictLocked() bool {
	var from *group
	for name, g := range p.groups {
		if len(g.idle) > p.keptLocked(name, g) && (from == nil || g.idle[0].lastUsed.Before(from.idle[0].lastUsed)) {
			from = g
		}
	}
	if from == nil {
		return false
	}
	p.closeLater(from.idle[:1])
	from.idle = from.idle[1:]
	p.total--
	return true
}

func (p *Pool) closeLater(all []*environment) {
	for _, e := range all {
		p.done.Go(e.close)
	}
}

// release takes an environment back, if it is still good and its function unchanged.
func (p *Pool) release(e *environment) {
	p.mu.Lock()
	g := p.groups[e.function.Qualified()]
	mine := g != nil && g.busy[e]
	if mine {
		delete(g.busy, e)
	}
	keep := mine && !p.closed && e.usable(p.cfg.MaxAge)
	if keep {
		e.lastUsed = time.Now()
		g.idle = append(g.idle, e)
	} else {
		p.total--
	}
	p.mu.Unlock()
	if !keep {
		e.close()
		p.wakeProvisioner()
	}
}

// expire closes what has been idle too long.
func (p *Pool) expire(ctx context.Context) {
	ticks := time.NewTicker(min(p.cfg.IdleTTL/2, 30*time.Second))
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			closeAll(p.takeExpired())
		}
	}
}

func (p *Pool) takeExpired() []*environment {
	p.mu.Lock()
	defer p.mu.Unlock()
	var old []*environment
	for name, g := range p.groups {
		n, most := 0, len(g.idle)-p.keptLocked(name, g)
		for n < most && time.Since(g.idle[n].lastUsed) > p.cfg.IdleTTL {
			n++
		}
		old = append(old, g.idle[:n]...)
		g.idle = g.idle[n:]
	}
	p.total -= len(old)
	return old
}

func throttled(reason string) error {
	return api.Errorf("TooManyRequestsException", "Rate Exceeded.").
		WithStatus(http.StatusTooManyRequests).With("Reason", reason)
}

// runtimesLibrary makes the library when it is first needed.
func (p *Pool) runtimesLibrary() (*runtimes.Library, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if p.library == nil {
		l, err := runtimes.New(p.cfg.Log, p.cfg.Dir)
		if err != nil {
			return nil, fmt.Errorf("invoke: %w", err)
		}
		p.library = l
	}
	return p.library, nil
}
