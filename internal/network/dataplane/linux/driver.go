package linux

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Config is what a driver needs.
type Config struct {
	Log *slog.Logger // nil: silent
	// Dropped is told of every packet that may not pass, soon after; nil: nobody wants to know. Skipped is told
	// that there were more than could be read. Both are called by one goroutine for each VPC, and must not wait.
	Dropped func(dataplane.Drop)
	Skipped func(resource.VPCID)
	// Flows makes the routers count what passes, for who calls Flows at least every few seconds.
	Flows bool
}

// Driver makes topologies real. It is safe for concurrent use.
type Driver struct {
	log      *slog.Logger
	internet *internet
	dropped  func(dataplane.Drop)
	skipped  func(resource.VPCID)
	counting bool

	applying sync.Mutex // one Apply at a time; taken before mu

	mu        sync.RWMutex
	routers   map[resource.VPCID]*router                     // guarded by mu
	homes     map[resource.NetworkInterfaceID]resource.VPCID // VPC of each interface; guarded by mu
	gateways  map[resource.VPCEndpointID]resource.VPCID      // VPC of each gateway endpoint; guarded by mu
	listeners map[dataplane.Place]map[*listener]struct{}     // guarded by mu
	closed    bool                                           // guarded by mu
	untold    []dataplane.Flow                               // of routers that are gone; guarded by mu
	lost      uint64                                         // packets in no flow, of routers that are gone; guarded by mu
}

var _ dataplane.Driver = (*Driver)(nil)

// New makes a driver with an empty network.
func New(c Config) (*Driver, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	net, err := newInternet()
	if err != nil {
		return nil, err
	}
	return &Driver{
		log: c.Log, internet: net, dropped: c.Dropped, skipped: c.Skipped, counting: c.Flows,
		routers:   map[resource.VPCID]*router{},
		homes:     map[resource.NetworkInterfaceID]resource.VPCID{},
		gateways:  map[resource.VPCEndpointID]resource.VPCID{},
		listeners: map[dataplane.Place]map[*listener]struct{}{},
	}, nil
}

// errDriverClosed is returned by everything after Close.
var errDriverClosed = errors.New("the data plane is closed")

// Apply makes the network match. A VPC that cannot be made to match is shut until a later Apply succeeds; the
// others are not affected.
func (d *Driver) Apply(ctx context.Context, t *topology.Topology) error {
	d.applying.Lock()
	defer d.applying.Unlock()
	if d.isClosed() {
		return errDriverClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	start := time.Now()
	d.removeVPCs(t)
	var errs []error
	for _, v := range t.VPCs {
		errs = append(errs, d.needRouter(v.ID))
	}
	d.noteGoneAtPeers(t)
	errs = append(errs, d.connectPeers(ctx, t))
	for _, v := range t.VPCs {
		errs = append(errs, d.applyVPC(ctx, v))
	}
	errs = append(errs, d.disconnectPeers(t))
	errs = append(errs, d.internet.apply(t, d.routers))
	d.record()
	err := errors.Join(errs...)
	d.log.Debug("applied", "revision", t.Revision, "took", time.Since(start), "error", err)
	return err
}

// applyVPC keeps even a router that failed: it is shut, and remembers what it has.
func (d *Driver) applyVPC(ctx context.Context, v *topology.VPC) error {
	r := d.routers[v.ID]
	if r == nil {
		return nil // could not be made, which was said
	}
	err := r.apply(ctx, v, d.internet)
	if err != nil && r.open {
		// Not even the guard could be closed: without its namespace nothing is forwarded.
		d.removeRouter(r)
	}
	return err
}

// needRouter makes the router of a VPC that has none.
func (d *Driver) needRouter(id resource.VPCID) error {
	if d.routers[id] != nil {
		return nil
	}
	r, err := newRouter(id)
	if err != nil {
		return err
	}
	if d.dropped != nil {
		// A network that cannot be watched is as good as any other.
		if err := r.watch(d.dropped, func() { d.skipped(id) }); err != nil {
			d.log.Warn("drops are not told", "vpc", id, "error", err)
		}
	}
	if d.counting {
		if err := r.countPassing(); err != nil {
			d.log.Warn("flows are not told", "vpc", id, "error", err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.routers[id] = r
	return nil
}

func (d *Driver) removeVPCs(t *topology.Topology) {
	for id, r := range d.routers {
		if t.VPC(id) == nil {
			d.removeRouter(r)
		}
	}
}

func (d *Driver) removeRouter(r *router) {
	d.mu.Lock()
	delete(d.routers, r.vpc)
	d.mu.Unlock()
	for id := range r.peerings {
		if err := r.disconnect(id); err != nil {
			d.log.Warn("left to the kernel", "vpc", r.vpc, "peering", id, "error", err)
		}
	}
	for link, w := range map[string]**wire{igwLink: &r.wire, egressOnlyLink: &r.egressOnly} {
		if *w == nil {
			continue
		}
		if err := r.removeWire(link, w, d.internet); err != nil {
			d.log.Warn("left to the kernel", "vpc", r.vpc, "error", err)
		}
	}
	d.keepFlows(r)
	r.close()
}

// record notes what is where, and closes the listeners whose place is gone.
func (d *Driver) record() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.homes)
	clear(d.gateways)
	for id, r := range d.routers {
		for eni := range r.enis {
			d.homes[eni] = id
		}
		for endpoint := range r.endpoints {
			d.gateways[endpoint] = id
		}
	}
	d.closeLostLocked()
}

// eni finds an interface that exists.
func (d *Driver) eni(id resource.NetworkInterfaceID) (*eni, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return nil, errDriverClosed
	}
	if r := d.routers[d.homes[id]]; r != nil {
		if e := r.eni(id); e != nil {
			return e, nil
		}
	}
	return nil, fmt.Errorf("interface %s is not in the network", id)
}

// eni finds an interface, nil if there is none.
func (r *router) eni(id resource.NetworkInterfaceID) *eni {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.enis[id]
}

// Attach makes a place for a process.
func (d *Driver) Attach(ctx context.Context, at dataplane.Seat) (dataplane.Attachment, error) {
	if at.ENI == "" {
		if d.isClosed() {
			return nil, errDriverClosed
		}
		return asAttachment(d.internet.seats.attach(ctx, at.IPv6))
	}
	e, err := d.eni(at.ENI)
	if err != nil {
		return nil, fmt.Errorf("attach to %s: %w", at.ENI, err)
	}
	if at.Shared && e.plan.host != "" {
		return nil, fmt.Errorf("attach to %s: it is a further interface of an instance, which nobody shares", at.ENI)
	}
	if at.Shared {
		return asAttachment(e.seats.attach(ctx, e.speaksIPv6()))
	}
	ns, err := e.ns.Dup()
	if err != nil {
		return nil, fmt.Errorf("attach to %s: %w", at.ENI, err)
	}
	if at.Metadata {
		if err := prepareInstance(ns); err != nil {
			ns.Close()
			return nil, fmt.Errorf("attach to %s: %w", at.ENI, err)
		}
	}
	return place{ns}, nil
}

// asAttachment keeps a nil seat from becoming an attachment that is not nil.
func asAttachment(t *seat, err error) (dataplane.Attachment, error) {
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (d *Driver) isClosed() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.closed
}

// Close removes everything.
func (d *Driver) Close() error {
	d.applying.Lock()
	defer d.applying.Unlock()
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	routers := d.routers
	d.routers = nil
	d.closeLostLocked()
	d.mu.Unlock()
	for _, r := range routers {
		d.keepFlows(r)
		r.close()
	}
	d.internet.close()
	return nil
}
