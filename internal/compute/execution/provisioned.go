package execution

import (
	"context"
	"time"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// Provision is how many environments of a function's version are to be kept initialized.
type Provision struct {
	Function *resource.Function
	Count    int
}

// provision is one such, and how it went.
type provision struct {
	Provision
	failure string // why an environment did not come about; then none is tried until something changes
}

// Provision says what is to be kept initialized, all of it. It does not wait.
func (p *Pool) Provision(all []Provision) {
	p.mu.Lock()
	before := p.provisions
	p.provisions = map[string]*provision{}
	for _, want := range all {
		next := &provision{Provision: want}
		if old := before[want.Function.Qualified()]; old != nil && old.Count == want.Count {
			next.failure = old.failure
		}
		p.provisions[want.Function.Qualified()] = next
	}
	p.mu.Unlock()
	p.wakeProvisioner()
}

// Provisioned tells how many environments of a version there are and how many of them are idle.
func (p *Pool) Provisioned(qualified string) (allocated, available int, failure string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	want := p.provisions[qualified]
	if want == nil {
		return 0, 0, ""
	}
	if g := p.groups[qualified]; g != nil {
		allocated, available = min(want.Count, len(g.idle)+len(g.busy)), min(want.Count, len(g.idle))
	}
	return allocated, available, want.failure
}

func (p *Pool) wakeProvisioner() {
	select {
	case p.provisioning <- struct{}{}:
	default: // it will look again anyway
	}
}

// provisionLoop makes what is missing, whenever something changed and from time to time.
func (p *Pool) provisionLoop(ctx context.Context) {
	ticks := time.NewTicker(min(p.cfg.IdleTTL/2, 30*time.Second))
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		case <-p.provisioning:
		}
		for _, f := range p.missing() {
			p.done.Go(func() { p.provisionOne(ctx, f) })
		}
	}
}

// missing takes a place for each environment that is to be made.
func (p *Pool) missing() []*resource.Function {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []*resource.Function
	for _, want := range p.provisions {
		if p.closed || want.failure != "" {
			continue
		}
		g, stale := p.groupLocked(want.Function)
		p.closeLater(stale)
		for len(g.idle)+len(g.busy)+g.starting < want.Count {
			if p.total >= p.cfg.MaxEnvironments && !p.evictLocked() {
				want.failure = "This machine's limit of environments is reached."
				break
			}
			p.total++
			g.starting++
			out = append(out, want.Function)
		}
	}
	return out
}

// provisionOne makes an environment and puts it where invocations take it from.
func (p *Pool) provisionOne(ctx context.Context, f *resource.Function) {
	p.mu.Lock()
	g, _ := p.groupLocked(f)
	g.turn++
	eni := interfaceOf(f, g.turn)
	p.mu.Unlock()
	e, err := p.startAs(ctx, f, eni, provisionedStart)
	p.mu.Lock()
	defer p.mu.Unlock()
	g.starting--
	failure := ""
	switch {
	case err != nil:
		failure = err.Error()
	case e.life != ready:
		failure = "FUNCTION_ERROR_INIT_FAILURE"
	}
	if want := p.provisions[f.Qualified()]; want != nil && failure != "" {
		want.failure = failure
	}
	if failure == "" && !p.closed && p.groups[f.Qualified()] == g {
		e.lastUsed = time.Now()
		g.idle = append(g.idle, e)
		return
	}
	p.total--
	if e != nil {
		p.closeLater([]*environment{e})
	}
}

// keptLocked is how many idle environments of a group are not given up: those that make up what is provisioned.
func (p *Pool) keptLocked(qualified string, g *group) int {
	want := p.provisions[qualified]
	if want == nil {
		return 0
	}
	return min(len(g.idle), max(0, want.Count-len(g.busy)))
}
