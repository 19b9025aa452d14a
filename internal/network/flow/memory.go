package flow

import (
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
)

const (
	remembered = 4096        // records; older ones are forgotten
	together   = time.Minute // packets of one flow within this are one record
)

// Record is one flow and what became of it.
type Record struct {
	Number  uint64 // counts from 1; a record that only got more packets keeps its number
	Drop    dataplane.Drop
	Last    time.Time
	Packets int
	Bytes   int
	Decision
}

// Memory holds the latest records. It is safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	records [remembered]Record // guarded by mu; a record's place is its number, modulo
	last    uint64             // number; guarded by mu
	numbers map[dataplane.Drop]uint64
	skipped uint64        // times that the kernel had more than could be read; guarded by mu
	more    chan struct{} // closed when there is more; guarded by mu
}

// NewMemory makes an empty memory.
func NewMemory() *Memory {
	return &Memory{numbers: map[dataplane.Drop]uint64{}, more: make(chan struct{})}
}

// identity is a drop without what differs from packet to packet.
func identity(d dataplane.Drop) dataplane.Drop {
	d.Time, d.Bytes = time.Time{}, 0
	return d
}

// Add remembers a dropped packet. Only the first of a flow has to be decided about.
func (m *Memory) Add(d dataplane.Drop, decide func(dataplane.Drop) Decision) {
	if m.addKnown(d) {
		return
	}
	decision := decide(d)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	place := &m.records[m.last%remembered]
	if forgotten := identity(place.Drop); m.numbers[forgotten] == place.Number {
		delete(m.numbers, forgotten)
	}
	*place = Record{Number: m.last, Drop: d, Last: d.Time, Packets: 1, Bytes: d.Bytes, Decision: decision}
	m.numbers[identity(d)] = m.last
	m.wakeLocked()
}

func (m *Memory) addKnown(d dataplane.Drop) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	number, known := m.numbers[identity(d)]
	if !known {
		return false
	}
	r := &m.records[number%remembered]
	if d.Time.Sub(r.Drop.Time) > together {
		return false
	}
	r.Last, r.Packets, r.Bytes = d.Time, r.Packets+1, r.Bytes+d.Bytes
	return true
}

// Skip notes that packets were dropped of which nothing is known.
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
	first := than + 1
	if m.last >= remembered {
		first = max(first, m.last-remembered+1)
	}
	for n := first; n <= m.last; n++ {
		out = append(out, m.records[n%remembered])
	}
	return out, m.skipped, m.more
}
