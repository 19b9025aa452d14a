package agree

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// told is what the kernel said of packets that it dropped.
type told struct {
	mu    sync.Mutex
	drops []dataplane.Drop // guarded by mu
}

func (d *told) add(drop dataplane.Drop) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drops = append(d.drops, drop)
}

func (*told) skipped(resource.VPCID) {}

// take empties the list, once the kernel had time to fill it.
func (d *told) take() []dataplane.Drop {
	time.Sleep(300 * time.Millisecond)
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.drops
	d.drops = nil
	return out
}

// blame compares what the kernel says of each dropped packet with what explain says of the same flow: the object
// that denies it there must be the one that the packet met. It returns how many were compared.
func blame(t *testing.T, w *world, flows []explain.Flow, drops []dataplane.Drop) (compared int) {
	for _, f := range flows {
		trace := explain.Explain(w.topology, f)
		first := slices.IndexFunc(trace.Hops, func(h explain.Hop) bool { return h.Verdict == explain.Deny })
		if first < 0 {
			continue
		}
		want, source := trace.Hops[first], f.Source
		e := w.topology.ENIs[f.From]
		if e == nil {
			continue
		}
		if !source.IsValid() {
			source = e.Address()
		}
		for _, d := range drops {
			if d.VPC != e.VPCID || d.Source.Addr() != source || d.Destination.Addr() != trace.To || d.Protocol != trace.Flow.Protocol ||
				d.Destination.Port() != f.Port && f.Protocol != explain.ICMP || f.Protocol == explain.ICMP && d.ICMPType != f.ICMPType {
				continue
			}
			compared++
			got := flow.Decide(w.topology, d)
			if got.Component != want.Component || d.Stage == dataplane.StageACL && got.Rule != want.Rule {
				t.Errorf("the kernel dropped %+v, which is %+v; explain says of %+v: %+v", d, got, f, want)
			}
			break
		}
	}
	return compared
}
