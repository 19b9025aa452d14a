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
)

// What passed is asked for this often, or less often if asking takes long.
const (
	collectEvery = time.Second
	collectShare = 20 // of the time, at most one part in so many
)

// A collector asks the network what passed, and hands it on.
type collector struct {
	region *Region
	mu     sync.Mutex // one at a time
}

// openFlows begins to collect. It ends after the network has, with what that counted last.
func (r *Region) openFlows(driver *linux.Driver) {
	r.flows, r.traffic, r.collector = flow.NewMemory(), flow.NewTotals(), &collector{region: r}
	stop, done := make(chan struct{}), make(chan struct{})
	r.later(func() error {
		close(stop)
		<-done
		r.collector.collect()
		return nil
	})
	r.later(driver.Close)
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
			timer.Reset(max(collectEvery, collectShare*time.Since(began)))
		}
	}()
}

// collect asks what passed since it was last asked.
func (c *collector) collect() {
	c.mu.Lock()
	defer c.mu.Unlock()
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
}
