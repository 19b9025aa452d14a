package flow

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/resource"
)

const (
	remembered = 4096        // records of what passed, and as many of what did not; older ones are forgotten
	together   = time.Minute // packets of one flow within this are one record
)

// Record is packets of one flow in one direction, and what became of them.
type Record struct {
	Number      uint64 // counts from 1; a record that only got more packets keeps its number
	Accepted    bool
	VPC         resource.VPCID
	ENI         resource.NetworkInterfaceID // that decided; of what passed, that sent or, if it came from elsewhere, got it
	Egress      bool                        // as that interface sees it
	Protocol    int
	Source      netip.AddrPort
	Destination netip.AddrPort
	First, Last time.Time
	Packets     uint64
	Bytes       uint64
	Decision    // zero for what passed

	key any
}

// Memory holds the latest records. It is safe for concurrent use.
type Memory struct {
	mu       sync.Mutex
	accepted ring          // guarded by mu, as all
	rejected ring          // apart, so that what passes does not push out what does not
	last     uint64        // number
	skipped  uint64        // times that the kernel had more than could be read
	more     chan struct{} // closed when there is more
}

// A ring is the latest records of one kind.
type ring struct {
	records [remembered]Record
	added   int
	places  map[any]int // of the latest record of each flow, by its key
}

// NewMemory makes an empty memory.
func NewMemory() *Memory {
	return &Memory{accepted: ring{places: map[any]int{}}, rejected: ring{places: map[any]int{}}, more: make(chan struct{})}
}

// identity is a drop without what differs from packet to packet.
func identity(d dataplane.Drop) dataplane.Drop {
	d.Time, d.Bytes, d.TCPFlags = time.Time{}, 0, 0
	return d
}

// Add remembers a dropped packet. Only the first of a flow has to be decided about. It returns what was decided.
func (m *Memory) Add(d dataplane.Drop, decide func(dataplane.Drop) Decision) Decision {
	r := Record{
		VPC: d.VPC, ENI: d.ENI, Egress: d.Egress, Protocol: d.Protocol, Source: d.Source, Destination: d.Destination,
		First: d.Time, Last: d.Time, Packets: 1, Bytes: uint64(d.Bytes), key: identity(d),
	}
	if known, ok := m.addKnown(&m.rejected, &r); ok {
		return known
	}
	r.Decision = decide(d)
	m.add(&m.rejected, r)
	return r.Decision
}

// Passed remembers a flow that passed.
func (m *Memory) Passed(f dataplane.Flow) {
	key := f
	key.Network, key.Packets, key.Bytes, key.TCPFlags, key.First, key.Last = nil, 0, 0, 0, time.Time{}, time.Time{}
	r := Record{
		Accepted: true, VPC: f.VPC, ENI: f.From.ENI, Egress: true, Protocol: f.Protocol, Source: f.Source, Destination: f.Destination,
		First: f.First, Last: f.Last, Packets: f.Packets, Bytes: f.Bytes, key: key,
	}
	if r.ENI == "" {
		r.ENI, r.Egress = f.To.ENI, false
	}
	if _, ok := m.addKnown(&m.accepted, &r); !ok {
		m.add(&m.accepted, r)
	}
}

func (m *Memory) add(to *ring, r Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	r.Number = m.last
	at := to.added % remembered
	if forgotten := to.records[at].key; forgotten != nil && to.places[forgotten] == at {
		delete(to.places, forgotten)
	}
	to.records[at], to.places[r.key] = r, at
	to.added++
	m.wakeLocked()
}

// addKnown adds to the record of the flow, if there is a recent one.
func (m *Memory) addKnown(to *ring, more *Record) (Decision, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, known := to.places[more.key]
	if !known {
		return Decision{}, false
	}
	r := &to.records[at]
	if more.First.Sub(r.First) > together {
		return Decision{}, false
	}
	r.Last, r.Packets, r.Bytes = more.Last, r.Packets+more.Packets, r.Bytes+more.Bytes
	return r.Decision, true
}

// LastDrop is the record of the latest dropped packet, not older than since, that ok wants.
func (m *Memory) LastDrop(since time.Time, ok func(Record) bool) (Record, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var last Record
	found := false
	for _, r := range m.rejected.records[:min(m.rejected.added, remembered)] {
		if !r.Last.Before(since) && (!found || r.Last.After(last.Last)) && ok(r) {
			last, found = r, true
		}
	}
	return last, found
}

// Skip notes that there were packets of which nothing is known.
func (m *Memory) Skip() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.skipped++
}

func (m *Memory) wakeLocked() {
	close(m.more)
	m.more = make(chan struct{})
}

// Newer is what is remembered of later than a number, in order; how often there was more than could be read; and
// what is closed when there is more.
func (m *Memory) Newer(than uint64) ([]Record, uint64, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Record
	for _, from := range []*ring{&m.accepted, &m.rejected} {
		for _, r := range from.records[:min(from.added, remembered)] {
			if r.Number > than {
				out = append(out, r)
			}
		}
	}
	slices.SortFunc(out, func(a, b Record) int { return cmp.Compare(a.Number, b.Number) })
	return out, m.skipped, m.more
}
