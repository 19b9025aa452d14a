package execution

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/runtimeapi"
	"github.com/culvert-cloud/culvert/internal/compute/runtimes"
	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// life is where an environment is in its life.
type life int

const (
	fresh  life = iota // nothing has run yet
	ready              // the runtime waits for an event
	broken             // the runtime is gone; the sandbox is good
	gone               // the sandbox is gone
)

// environment is one execution environment. The goroutine that acquired it drives it; only close may come from
// elsewhere.
type environment struct {
	id       string
	function *resource.Function // as it was when the environment was made
	cfg      *Config
	plan     *runtimes.Plan
	environ  []string
	reason   string // on-demand or provisioned-concurrency
	// releaseLayers lets go of what is at /opt.
	releaseLayers func()

	eni    resource.NetworkInterfaceID // empty: outside VPCs
	seat   dataplane.Attachment
	api    *runtimeapi.Server
	box    sandbox.Sandbox
	stream *stream
	output []*drain // both of:
	lines  *drain   // what it prints
	frames *drain   // what it logs, record by record

	life     life
	frozen   bool
	born     time.Time
	lastUsed time.Time // of an idle one; guarded by the pool's mu
	initTime time.Duration
	invoked  bool

	closing sync.Once
	closed  atomic.Bool
}

// usable reports whether another invocation may use it.
func (e *environment) usable(maxAge time.Duration) bool {
	return e.life != gone && !e.closed.Load() && time.Since(e.born) < maxAge
}

// How AWS tells functions why they were initialized.
const (
	onDemandStart    = "on-demand"
	provisionedStart = "provisioned-concurrency"
)

// start makes an environment for an invocation.
func (p *Pool) start(ctx context.Context, f *resource.Function, eni resource.NetworkInterfaceID) (*environment, error) {
	return p.startAs(ctx, f, eni, onDemandStart)
}

// startAs makes an environment for a function and lets it initialize.
func (p *Pool) startAs(ctx context.Context, f *resource.Function, eni resource.NetworkInterfaceID, reason string) (*environment, error) {
	library, err := p.runtimesLibrary()
	if err != nil {
		return nil, err
	}
	opt, releaseLayers, err := p.layers.hold(f)
	if err != nil {
		return nil, err
	}
	plan, err := p.plan(library, f, opt)
	if err != nil {
		releaseLayers()
		return nil, err
	}
	release, err := p.awaitTurn(ctx)
	if err != nil {
		releaseLayers()
		return nil, fmt.Errorf("start %s: %w", f.Name, err)
	}
	defer release()
	e := &environment{id: newID(), function: f, cfg: &p.cfg, plan: plan, releaseLayers: releaseLayers, reason: reason, born: time.Now()}
	if err := e.make(ctx, eni); err != nil {
		e.close()
		return nil, fmt.Errorf("start %s: %w", f.Name, err)
	}
	limit := time.NewTimer(p.initLimit)
	defer limit.Stop()
	e.initialize(limit, "init")
	return e, nil
}

// startingShare is how long a starting environment holds up others. Most take less; one that takes more is
// waiting for something, not working.
const startingShare = time.Second

// awaitTurn bounds how many environments start at the same time.
func (p *Pool) awaitTurn(ctx context.Context) (release func(), err error) {
	select {
	case p.initSlot <- struct{}{}:
		release = sync.OnceFunc(func() { <-p.initSlot })
		time.AfterFunc(startingShare, release)
		return release, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// plan turns what the function's owner should learn into a refusal.
func (p *Pool) plan(library *runtimes.Library, f *resource.Function, opt string) (*runtimes.Plan, error) {
	dir, err := p.cfg.Code(f.CodeKey)
	if err != nil {
		return nil, fmt.Errorf("find the code of %s: %w", f.Name, err)
	}
	plan, err := library.Plan(runtimes.Request{Runtime: f.Runtime, CodeDir: dir, OptDir: opt, CABundle: p.cfg.CABundle, MemoryMB: f.MemorySize})
	var missing *runtimes.EntrypointError
	var unavailable *runtimes.UnavailableError
	switch {
	case errors.As(err, &missing):
		return nil, &refusal{fault{kind: "Runtime.InvalidEntrypoint", message: missing.Error()}}
	case errors.As(err, &unavailable):
		return nil, &refusal{fault{kind: "Runtime.InvalidEntrypoint", message: unavailable.Error()}}
	case err != nil:
		return nil, fmt.Errorf("plan %s: %w", f.Name, err)
	}
	return plan, nil
}

// make makes everything but the runtime process.
func (e *environment) make(ctx context.Context, eni resource.NetworkInterfaceID) error {
	e.eni, e.stream = eni, e.newStream()
	credentials, err := e.cfg.Credentials(ctx, e.function, e.function.Name)
	if err != nil {
		return fmt.Errorf("assume the execution role: %w", err)
	}
	e.environ = environ(e, credentials)
	if e.seat, err = e.cfg.Network.Attach(ctx, dataplane.Seat{ENI: eni, Shared: true}); err != nil {
		return fmt.Errorf("attach to the network: %w", err)
	}
	listener, err := e.seat.Listen("tcp4", runtimeAPIAddress)
	if err != nil {
		return fmt.Errorf("listen for the runtime: %w", err)
	}
	e.api = runtimeapi.Serve(listener)
	if e.box, err = e.cfg.Sandbox.Start(ctx, e.spec(), e.seat); err != nil {
		return err
	}
	lines, frames := e.box.Output()
	e.lines, e.frames = newDrain(lines, e.stream.lines), newDrain(frames, e.stream.frames)
	e.output = []*drain{e.lines, e.frames}
	return nil
}

func (e *environment) newStream() *stream {
	return &stream{
		group: logGroup(e.function),
		name:  fmt.Sprintf("%s/[%s]%s", e.born.UTC().Format("2006/01/02"), versionOf(e.function), e.id),
		sink:  e.cfg.Logs,
		log:   e.cfg.Log,
		least: leastLevel(e.function),
	}
}

// leastLevel is the lowest level of a function's own lines that are logged; 0: all.
func leastLevel(f *resource.Function) int {
	if f.LogFormat != jsonFormat {
		return 0
	}
	return applicationLevel(f.ApplicationLogLevel)
}

func logGroup(f *resource.Function) string {
	if f.LogGroup != "" {
		return f.LogGroup
	}
	return "/aws/lambda/" + f.Name
}

// close ends the environment, wherever it is in its life.
func (e *environment) close() {
	e.closing.Do(func() {
		e.closed.Store(true)
		if e.box != nil {
			if err := e.box.Close(); err != nil {
				e.cfg.Log.Error("sandbox not closed", "function", e.function.Name, "err", err)
			}
		}
		if e.api != nil {
			_ = e.api.Close()
		}
		if e.seat != nil {
			if err := e.seat.Close(); err != nil {
				e.cfg.Log.Error("seat not closed", "function", e.function.Name, "err", err)
			}
		}
		for _, d := range e.output {
			<-d.done
		}
		if e.stream != nil {
			e.stream.send()
		}
		if e.releaseLayers != nil {
			e.releaseLayers()
		}
	})
}

// freeze stops the processes until the next invocation, also those a function left in the background.
func (e *environment) freeze() {
	if err := e.box.Freeze(); err != nil {
		e.cfg.Log.Warn("environment not frozen", "function", e.function.Name, "err", err)
		return
	}
	e.frozen = true
}

func (e *environment) thaw() error {
	if !e.frozen {
		return nil
	}
	e.frozen = false
	return e.box.Thaw()
}

// flush brings what the function has written so far into the log. A line without an end is of this invocation too;
// a record is whole or not there yet.
func (e *environment) flush() {
	e.lines.endRecord()
	e.frames.flush()
}

// newID is 32 hexadecimal digits.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
