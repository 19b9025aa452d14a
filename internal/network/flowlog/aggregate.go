package flowlog

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// maxFlows are the flows that one flow log keeps of one time; of more it is only said that there were.
const maxFlows = 100_000

// Aggregator gathers what interfaces saw until it is time for records. One goroutine uses it.
type Aggregator struct {
	// Every is how often there are records; 0: as often as each flow log says.
	Every time.Duration
	Place Place
	logs  map[resource.FlowLogID]*pending
}

// Batch is the records of one flow log that are due.
type Batch struct {
	Log     *resource.FlowLog
	Format  Format
	Records []Record // ordered by time
}

// Record is one line.
type Record struct {
	ENI  resource.NetworkInterfaceID
	Time time.Time // it starts
	Line string
}

// pending is what a flow log has of the time that is not over.
type pending struct {
	log    *resource.FlowLog
	format Format
	began  time.Time
	flows  map[key]*flow.Sight
	lost   bool

	// A time without a flow is told of once for the time that the flow log says, however often there are records.
	quiet time.Time // since when no NODATA could be said
	busy  map[resource.NetworkInterfaceID]bool
}

// A key is what packets of one record have in common.
type key struct {
	eni                 resource.NetworkInterfaceID
	egress, accepted    bool
	protocol, path      int
	source, destination netip.AddrPort
}

// Follow brings the flow logs up to date: those that are there now, and no others. It comes before See.
func (a *Aggregator) Follow(logs []*resource.FlowLog, now time.Time) {
	if a.logs == nil {
		a.logs = map[resource.FlowLogID]*pending{}
	}
	there := map[resource.FlowLogID]bool{}
	for _, f := range logs {
		there[f.ID] = true
		if p := a.logs[f.ID]; p != nil {
			p.log = f // its tags may have changed
			continue
		}
		format, ok := Parse(f.Format)
		if !ok {
			format = Default() // it was checked when it was made
		}
		a.logs[f.ID] = &pending{log: f, format: format, began: now, quiet: now, flows: map[key]*flow.Sight{}, busy: map[resource.NetworkInterfaceID]bool{}}
	}
	for id := range a.logs {
		if !there[id] {
			delete(a.logs, id)
		}
	}
}

// Idle reports whether nobody wants to know anything.
func (a *Aggregator) Idle() bool { return len(a.logs) == 0 }

// See adds what an interface saw to the flow logs that it concerns.
func (a *Aggregator) See(s flow.Sight) {
	for _, p := range a.logs {
		if p.concerns(&s) {
			p.add(&s)
		}
	}
}

// Lose notes that something is not known.
func (a *Aggregator) Lose() {
	for _, p := range a.logs {
		p.lost = true
	}
}

func (p *pending) concerns(s *flow.Sight) bool {
	return covers(p.log, s.VPC, s.ENI) && (p.log.TrafficType == "ALL" || p.log.TrafficType == action(s.Accepted))
}

func covers(f *resource.FlowLog, v *topology.VPC, e *topology.ENI) bool {
	return f.ResourceID == string(v.ID) || f.ResourceID == string(e.SubnetID) || f.ResourceID == string(e.ID)
}

func (p *pending) add(s *flow.Sight) {
	p.busy[s.ENI.ID] = true
	k := key{s.ENI.ID, s.Egress, s.Accepted, s.Protocol, s.Path, s.Source, s.Destination}
	sum := p.flows[k]
	if sum == nil {
		if len(p.flows) >= maxFlows {
			p.lost = true
			return
		}
		c := *s
		p.flows[k] = &c
		return
	}
	sum.Packets, sum.Bytes, sum.TCPFlags = sum.Packets+s.Packets, sum.Bytes+s.Bytes, sum.TCPFlags|s.TCPFlags
	if s.First.Before(sum.First) {
		sum.First = s.First
	}
	if s.Last.After(sum.Last) {
		sum.Last = s.Last
	}
}

// Due ends the times that are over, and gives their records.
func (a *Aggregator) Due(t *topology.Topology, now time.Time) []Batch {
	return a.end(t, now, func(p *pending) bool { return now.Sub(p.began) >= a.every(p.log) })
}

// All ends every time that has something to tell, because there will be no other.
func (a *Aggregator) All(t *topology.Topology, now time.Time) []Batch {
	return a.end(t, now, func(p *pending) bool { return len(p.flows) > 0 || p.lost })
}

func (a *Aggregator) every(f *resource.FlowLog) time.Duration {
	if a.Every > 0 && a.Every < f.Aggregation {
		return a.Every
	}
	return f.Aggregation
}

func (a *Aggregator) end(t *topology.Topology, now time.Time, over func(*pending) bool) []Batch {
	var out []Batch
	for _, p := range a.logs {
		if !over(p) {
			continue
		}
		if records := p.end(t, &a.Place, now); len(records) > 0 {
			out = append(out, Batch{p.log, p.format, records})
		}
	}
	slices.SortFunc(out, func(a, b Batch) int { return cmp.Compare(a.Log.ID, b.Log.ID) })
	return out
}

func (p *pending) end(t *topology.Topology, place *Place, now time.Time) []Record {
	var out []Record
	for _, s := range p.flows {
		out = append(out, Record{s.ENI.ID, s.First, p.format.line(place.fields(s))})
	}
	without := func(e *topology.ENI, since time.Time, status string) {
		out = append(out, Record{e.ID, since, p.format.line(place.base(e.ID, since, now, status))})
	}
	for _, e := range p.covered(t) {
		if p.lost {
			without(e, p.began, statusLost)
		} else if now.Sub(p.quiet) >= p.log.Aggregation && !p.busy[e.ID] {
			without(e, p.quiet, statusNone)
		}
	}
	if now.Sub(p.quiet) >= p.log.Aggregation {
		p.quiet = now
		clear(p.busy)
	}
	p.began, p.lost = now, false
	clear(p.flows)
	slices.SortFunc(out, func(a, b Record) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ENI, b.ENI), cmp.Compare(a.Line, b.Line))
	})
	return out
}

// covered are the interfaces that the flow log tells of.
func (p *pending) covered(t *topology.Topology) []*topology.ENI {
	var out []*topology.ENI
	for _, v := range t.VPCs {
		for _, e := range v.ENIs {
			if covers(p.log, v, e) {
				out = append(out, e)
			}
		}
	}
	return out
}
