package region

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/culvert-cloud/culvert/internal/api/server"
	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/dataplane/linux"
	"github.com/culvert-cloud/culvert/internal/network/dns"
	"github.com/culvert-cloud/culvert/internal/network/endpoint"
	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/reconcile"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/view/inspect"
)

func (r *Region) openDriver(context.Context) error {
	driver, err := linux.New(linux.Config{Log: r.config.Log, Dropped: r.dropped, Skipped: r.skipped, Flows: true})
	if err != nil {
		return fmt.Errorf("make the network: %w", linux.Explain(err))
	}
	r.network = driver
	r.openFlows(driver)
	return nil
}

// dropped remembers a packet that did not pass, and why.
func (r *Region) dropped(d dataplane.Drop) {
	if t := r.topology.Load(); t != nil {
		why := r.flows.Add(d, func(d dataplane.Drop) flow.Decision { return flow.Decide(t, d) })
		r.collector.refuse(t, d, why)
	}
}

// skipped notes that more was dropped than could be told.
func (r *Region) skipped(resource.VPCID) {
	r.flows.Skip()
	r.collector.skip()
}

// tryNetwork finds out what this machine refuses before anybody makes a VPC. That a busy machine is slow is no
// reason not to start.
func (r *Region) tryNetwork(ctx context.Context) error {
	err := linux.Preflight(ctx)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		r.config.Log.Warn("the network was tried, and is slow", "error", err)
		return nil
	}
	return err
}

// openNetwork makes the network match the state once, and keeps it so.
func (r *Region) openNetwork(ctx context.Context) error {
	r.endpoints = endpoint.New(endpoint.Config{
		Log: r.config.Log, Network: r.network, Authority: r.authority,
		Server:     func() *http.Server { return server.HTTPServer(r.server) },
		WithOrigin: server.WithOrigin,
		ServeDNS:   r.serveDNS,
	})
	r.later(func() error { r.endpoints.Close(); return nil })
	r.later(r.balancer.Close)
	if err := r.loop.Once(ctx); err != nil {
		return fmt.Errorf("make the network match the state: %w", err)
	}
	running, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.loop.Start(running)
	}()
	r.later(func() error { stop(); <-done; return nil })
	return nil
}

func (r *Region) newLoop() *reconcile.Loop {
	return reconcile.New(r.store, r.apply, retryApply, r.config.Log)
}

// apply is one run of the loop: state, topology, kernel, listeners.
func (r *Region) apply(ctx context.Context) (uint64, error) {
	view := r.store.View()
	t := topology.Resolve(view, topology.Options{AssumePrivateDNS: r.config.AssumePrivateDNS})
	if err := r.network.Apply(ctx, t); err != nil {
		return view.Revision(), linux.Explain(err)
	}
	// Names change with the network, not before it.
	r.topology.Store(t)
	return view.Revision(), linux.Explain(errors.Join(r.endpoints.Apply(ctx, t), r.balancer.Apply(ctx, t)))
}

// settle waits, bounded, until the network is as a revision says.
func (r *Region) settle(ctx context.Context, revision uint64) error {
	return r.loop.Settle(ctx, revision)
}

func (r *Region) serveDNS(ctx context.Context, vpc resource.VPCID, packets net.PacketConn, streams net.Listener) {
	err := dns.Serve(ctx, dns.Config{VPC: vpc, Topology: r.topology.Load, Packet: packets, Stream: streams, Log: r.config.Log})
	if err != nil && ctx.Err() == nil && !errors.Is(err, net.ErrClosed) { // closed: its VPC is gone
		r.config.Log.Warn("resolver ended", "vpc", vpc, "error", err)
	}
}

// inspector is what the region says of itself.
func (r *Region) inspector() inspect.Config {
	return inspect.Config{
		Info: inspect.Info{
			Version: r.config.Version, Endpoint: r.URL(), PID: hostPID(), Started: r.started, Data: r.config.Data, Rootless: launch.Rootless(),
			AssumePrivateDNS: r.config.AssumePrivateDNS, NotEnforced: NotEnforced(), RunKey: filepath.Join(r.directory.path, runKey), Quotas: r.config.Quotas,
		},
		Log: r.config.Log, Store: r.store, Status: r.loop.Status, Topology: r.topology.Load, Flows: r.flows, Traffic: r.traffic, Collect: r.collector.collect, Authority: r.authority.PEM(), Shutdown: r.end,
		Run: r.prepareRun, RunKey: r.runKey,
		Session: r.session, Decide: r.decideAsked, Services: r.served, Calls: r.calls, Ending: r.ending,
		Stats: func(ctx context.Context) (any, error) {
			s, err := r.network.Stats(ctx)
			return s, err
		},
	}
}

// hostPID is this process's id as the host sees it.
func hostPID() int {
	if pid := launch.HostPID(); pid != 0 {
		return pid
	}
	return os.Getpid()
}
