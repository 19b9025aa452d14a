package region

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/dataplane/linux"
	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/network/flowlog"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// What passed is asked for this often, or less often if asking takes long.
const (
	collectEvery = time.Second
	collectShare = 20 // of the time, at most one part in so many
	maxRefused   = 1 << 16
)

// A collector asks the network what passed, and hands it on together with what did not.
type collector struct {
	region *Region
	asking sync.Mutex // one at a time; taken before mu

	mu      sync.Mutex
	refused []flow.Sight    // since what passed was last asked for; guarded by mu
	lost    bool            // more was refused than is known; guarded by mu
	due     []flowlog.Batch // records that are to be delivered; guarded by mu
}

// openFlows makes what remembers flows.
func (r *Region) openFlows(driver *linux.Driver) {
	r.flows, r.traffic, r.collector = flow.NewMemory(), flow.NewTotals(), &collector{region: r}
	r.later(driver.Close)
}

// startCollecting begins to ask the data plane what passed.
func (r *Region) startCollecting(context.Context) error {
	stop, done := make(chan struct{}), make(chan struct{})
	r.later(func() error { close(stop); <-done; return nil })
	go func() {
		defer close(done)
		timer := time.NewTimer(collectEvery)
		defer timer.Stop()
		for {
			select {
			case <-stop:
				return
			case <-timer.C:
			}
			began := time.Now()
			r.collector.collect()
			r.collector.deliver()
			timer.Reset(max(collectEvery, collectShare*time.Since(began)))
		}
	}()
	return nil
}

// refuse takes note of a packet that was dropped, if a flow log may want to know.
func (c *collector) refuse(t *topology.Topology, d dataplane.Drop, why flow.Decision) {
	if len(state.List[*resource.FlowLog](c.region.store.View())) == 0 {
		return
	}
	sights := flow.Dropped(t, d, why)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.refused) > maxRefused {
		c.lost = true
		return
	}
	c.refused = append(c.refused, sights...)
}

func (c *collector) skip() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = true
}

// collect asks what passed since it was last asked.
func (c *collector) collect() {
	c.asking.Lock()
	defer c.asking.Unlock()
	r := c.region
	t := r.topology.Load()
	if t == nil {
		return
	}
	flows, lost, err := r.network.Flows(context.Background())
	if err != nil {
		r.config.Log.Warn("some flows are not known", "error", err)
	}
	if lost > 0 || err != nil {
		r.flows.Skip()
	}
	slices.SortStableFunc(flows, func(a, b dataplane.Flow) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.TCPFlags, b.TCPFlags)) // a question before its answer
	})
	for _, f := range flows {
		r.flows.Passed(f)
		r.traffic.Add(flow.TrafficOf(t, f)...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due = append(c.due, r.flowLogs.see(t, flows, c.refused, c.lost || lost > 0 || err != nil)...)
	c.refused, c.lost = nil, false
}

// deliver delivers the records that are due.
func (c *collector) deliver() {
	c.mu.Lock()
	due := c.due
	c.due = nil
	c.mu.Unlock()
	c.region.flowLogs.deliver(due)
}
