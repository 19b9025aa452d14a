package linux

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"golang.org/x/sys/unix"
)

// passing knows what passed one router: what the kernel's counters said when they were last read, and what the links
// were, also those that are gone.
type passing struct {
	mu      sync.Mutex
	nft     *nft // of its own, so that reading waits for no change; nil: nothing is counted. Guarded by mu, like all
	links   map[int]knownLink
	network *topology.VPC
	known   map[flowKey]*knownFlow
	read    time.Time // when the kernel was last asked
	all     uint64    // packets
	lost    uint64    // packets in no flow
	moving  bool      // there were packets when it was last read
	untold  []dataplane.Flow
}

// A knownLink was there at the end of some change; gone is when it was first missing.
type knownLink struct {
	dataplane.Link
	gone time.Time
}

// A knownFlow is an element when it was last read.
type knownFlow struct {
	tally
	last time.Time // of its packets
}

// countPassing begins to count.
func (r *router) countPassing() error {
	p := &passing{nft: newNFT(r.ns), links: map[int]knownLink{}, known: map[flowKey]*knownFlow{}, read: time.Now()}
	if err := p.nft.countFlows(); err != nil {
		p.nft.close()
		return fmt.Errorf("count what passes %s: %w", r.vpc, err)
	}
	r.passing = p
	return nil
}

// Flows tells what passed since the last call, and how many packets passed that are in no flow. Of an error the
// flows of other VPCs come all the same.
func (d *Driver) Flows(context.Context) (flows []dataplane.Flow, lost uint64, err error) {
	d.mu.Lock()
	routers := make([]*router, 0, len(d.routers))
	for _, r := range d.routers {
		routers = append(routers, r)
	}
	flows, d.untold = d.untold, nil
	lost, d.lost = d.lost, 0
	d.mu.Unlock()
	var errs []error
	for _, r := range routers {
		more, n, err := r.passing.tell()
		flows, lost = append(flows, more...), lost+n
		errs = append(errs, err)
	}
	return flows, lost, errors.Join(errs...)
}

// keepFlows reads for the last time what passed a router that is about to go.
func (d *Driver) keepFlows(r *router) {
	flows, lost, err := r.passing.tell()
	r.passing.close()
	if err != nil {
		d.log.Warn("flows are lost", "vpc", r.vpc, "error", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.untold, d.lost = append(d.untold, flows...), d.lost+lost
}

// learn notes the links as they are now. It is called by Apply, before links go and after they came.
func (p *passing) learn(r *router, v *topology.VPC) {
	if p == nil {
		return
	}
	now := map[int]dataplane.Link{}
	r.mu.Lock()
	for id, e := range r.enis {
		now[e.index] = dataplane.Link{ENI: id}
	}
	for id, w := range r.endpoints {
		now[w.index] = dataplane.Link{GatewayEndpoint: id}
	}
	r.mu.Unlock()
	for id, w := range r.peerings {
		now[w.index] = dataplane.Link{Peering: id}
	}
	if r.wire != nil {
		now[r.wire.index] = dataplane.Link{InternetGateway: r.wire.igw}
	}
	if r.egressOnly != nil && len(v.EgressOnly) > 0 {
		now[r.egressOnly.index] = dataplane.Link{EgressOnly: v.EgressOnly[0]}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for index, l := range now {
		p.links[index] = knownLink{Link: l}
	}
	for index, l := range p.links {
		if _, there := now[index]; there {
			continue
		}
		if l.gone.IsZero() {
			l.gone = time.Now()
			p.links[index] = l
		} else if time.Since(l.gone) > 2*flowIdle {
			delete(p.links, index)
		}
	}
	p.network = v
}

// settle reads the counters before an interface goes that they may count for: what passed, did so in the network as it
// was. What cannot be read now is read later, or lost.
func (p *passing) settle(v *topology.VPC) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.network != nil && losesInterface(p.network, v) {
		_ = p.readLocked()
	}
}

// losesInterface relies on both lists being ordered.
func losesInterface(before, after *topology.VPC) bool {
	i := 0
	for _, e := range before.ENIs {
		for i < len(after.ENIs) && after.ENIs[i].ID < e.ID {
			i++
		}
		if i == len(after.ENIs) || after.ENIs[i].ID != e.ID {
			return true
		}
	}
	return false
}

func (p *passing) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.nft != nil {
		p.nft.close()
	}
	p.nft = nil
}

// tell reads the counters and gives what is new.
func (p *passing) tell() (flows []dataplane.Flow, lost uint64, err error) {
	if p == nil {
		return nil, 0, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.lost
	err = p.readLocked()
	flows, p.untold = p.untold, nil
	return flows, p.lost - before, err
}

// readLocked adds what is new to untold.
func (p *passing) readLocked() error {
	if p.nft == nil {
		return nil
	}
	now := time.Now()
	counters, err := p.nft.counters(flowTable)
	if err != nil {
		return err
	}
	all := counters[allFlows].packets
	p.lost = counters[lostFlows].packets
	// A packet may have been counted, and not be in its flow yet: one more look is needed.
	before := p.moving
	if p.moving, p.all = all != p.all, all; !p.moving && !before {
		p.read = now
		p.forgetLocked(now)
		return nil
	}
	fresh := map[flowKey]*dataplane.Flow{}
	var order []*dataplane.Flow
	var errs []error
	for _, set := range []string{flowSet4, flowSet6} {
		errs = append(errs, p.nft.flowElements(set, func(e flowElement) {
			more := p.noteLocked(e, now)
			if more.packets == 0 {
				return
			}
			key := e.key
			key.flags = 0
			f := fresh[key]
			if f == nil {
				f = p.newFlowLocked(key)
				fresh[key] = f
				order = append(order, f)
			}
			f.Packets, f.Bytes = f.Packets+more.packets, f.Bytes+more.bytes
			f.TCPFlags |= flagsOf(e.key.flags)
			if last := now.Add(-e.idle); last.After(f.Last) {
				f.Last = last
			}
		}))
	}
	for _, f := range order {
		if f.First = p.read; f.Packets == 1 || f.First.After(f.Last) {
			f.First = f.Last
		}
		p.untold = append(p.untold, *f)
	}
	p.read = now
	p.forgetLocked(now)
	return errors.Join(errs...)
}

// noteLocked says what an element counted since it was last read. One that counts less than before was made anew.
func (p *passing) noteLocked(e flowElement, now time.Time) tally {
	k := p.known[e.key]
	if k == nil {
		k = &knownFlow{}
		p.known[e.key] = k
	}
	more := e.tally
	if e.packets >= k.packets && e.bytes >= k.bytes {
		more = tally{e.packets - k.packets, e.bytes - k.bytes}
	}
	k.tally, k.last = e.tally, now.Add(-e.idle)
	return more
}

// forgetLocked forgets elements that the kernel does not have any more. That one was not told of means nothing.
func (p *passing) forgetLocked(now time.Time) {
	for key, k := range p.known {
		if now.Sub(k.last) > flowIdle+time.Second {
			delete(p.known, key)
		}
	}
}

func (p *passing) newFlowLocked(k flowKey) *dataplane.Flow {
	f := &dataplane.Flow{Network: p.network, From: p.links[k.in].Link, To: p.links[k.out].Link,
		Protocol: int(k.protocol), Source: k.source, Destination: k.destination}
	if p.network != nil {
		f.VPC = p.network.ID
	}
	return f
}

// flagsOf are the flags that a flow log knows: an ACK alone is none.
func flagsOf(flags uint8) uint8 {
	const syn, ack = 2, 16
	if flags&syn == 0 {
		flags &^= ack
	}
	return flags
}

// flagsOfHead reads the flags of TCP in a packet of either IP.
func flagsOfHead(b []byte) uint8 {
	const flagsAt = 13
	var header int
	switch {
	case len(b) >= 20 && b[0]>>4 == 4 && b[9] == unix.IPPROTO_TCP:
		header = int(b[0]&15) * 4
	case len(b) >= 40 && b[0]>>4 == 6 && b[6] == unix.IPPROTO_TCP:
		header = 40
	}
	if header == 0 || len(b) <= header+flagsAt {
		return 0
	}
	return b[header+flagsAt] & flagsKept
}
