package logs

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
)

// position is a place in the order of events: by time, then by stream, then as they came.
type position struct {
	Timestamp int64
	Stream    string
	Seq       int64 // 1 is a stream's first event
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.Timestamp, q.Timestamp), strings.Compare(p.Stream, q.Stream), cmp.Compare(p.Seq, q.Seq))
}

// record is an event as it was kept.
type record struct {
	position
	Ingested int64
	Message  string
}

// query says which events are wanted.
type query struct {
	From, Until   int64     // ms; Until is not included
	After, Before *position // neither is included; nil: no bound
	Limit         int
	Last          bool // the last of those that match rather than the first
	Keep          func(message string) bool
}

// maxPageBytes bounds the messages of one answer, as AWS does.
const maxPageBytes = 1 << 20

// collector keeps the first (or last) events of a page, at most so many events and bytes, out of any number
// that are offered in any order.
type collector struct {
	q     query
	heap  recordHeap
	bytes int
	bound *position // the nearest event that had to be left out; nothing beyond it can be wanted
}

func newCollector(q query) *collector { return &collector{q: q, heap: recordHeap{last: q.Last}} }

// wants reports whether an event at p could be on the page.
func (c *collector) wants(p position) bool {
	switch {
	case p.Timestamp < c.q.From, p.Timestamp >= c.q.Until:
		return false
	case c.q.After != nil && p.compare(*c.q.After) <= 0, c.q.Before != nil && p.compare(*c.q.Before) >= 0:
		return false
	case c.bound == nil:
		return true
	case c.q.Last:
		return p.compare(*c.bound) > 0
	}
	return p.compare(*c.bound) < 0
}

// skips reports whether no event between two times can be on the page.
func (c *collector) skips(first, last int64) bool {
	switch {
	case last < c.q.From, first >= c.q.Until:
		return true
	case c.q.After != nil && last < c.q.After.Timestamp, c.q.Before != nil && first > c.q.Before.Timestamp:
		return true
	case c.bound == nil:
		return false
	case c.q.Last:
		return last < c.bound.Timestamp
	}
	return first > c.bound.Timestamp
}

// offer takes an event into account. The message is copied only if the event is kept.
func (c *collector) offer(p position, ingested int64, message []byte) {
	if !c.wants(p) {
		return
	}
	text := string(message)
	if c.q.Keep != nil && !c.q.Keep(text) {
		return
	}
	heap.Push(&c.heap, record{p, ingested, text})
	c.bytes += len(text)
	for c.heap.Len() > c.q.Limit || c.bytes > maxPageBytes && c.heap.Len() > 1 {
		out := heap.Pop(&c.heap).(record)
		c.bytes -= len(out.Message)
		c.bound = &out.position
	}
}

// page returns the events in order, and whether there are more beyond them.
func (c *collector) page() (events []record, more bool) {
	slices.SortFunc(c.heap.records, func(a, b record) int { return a.compare(b.position) })
	return c.heap.records, c.bound != nil
}

// recordHeap has on top the record that is to go first: the latest, or with last the earliest.
type recordHeap struct {
	records []record
	last    bool
}

func (h *recordHeap) Len() int      { return len(h.records) }
func (h *recordHeap) Swap(i, j int) { h.records[i], h.records[j] = h.records[j], h.records[i] }
func (h *recordHeap) Push(x any)    { h.records = append(h.records, x.(record)) }

func (h *recordHeap) Less(i, j int) bool {
	if c := h.records[i].compare(h.records[j].position); h.last {
		return c < 0
	} else {
		return c > 0
	}
}

func (h *recordHeap) Pop() any {
	last := len(h.records) - 1
	r := h.records[last]
	h.records[last] = record{} // let go of the message
	h.records = h.records[:last]
	return r
}
