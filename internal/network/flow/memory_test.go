package flow

import (
	"net/netip"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
)

func dropTo(port uint16, at time.Time) dataplane.Drop {
	return dataplane.Drop{VPC: "vpc-1", Protocol: 6, Time: at, Bytes: 60,
		Source: netip.MustParseAddrPort("10.0.0.5:40000"), Destination: netip.AddrPortFrom(netip.MustParseAddr("10.0.1.5"), port)}
}

func said(text string) func(dataplane.Drop) Decision {
	return func(dataplane.Drop) Decision { return Decision{Text: text} }
}

func TestPacketsOfAFlowAreOneRecord(t *testing.T) {
	m, now := NewMemory(), time.Now()
	_, _, more := m.Newer(0)
	for i := range 3 {
		m.Add(dropTo(80, now.Add(time.Duration(i)*time.Second)), said("no"))
	}
	m.Add(dropTo(81, now), said("no"))
	m.Add(dropTo(80, now.Add(together+time.Second)), said("still no"))
	got, _, _ := m.Newer(0)
	if len(got) != 3 || got[0].Packets != 3 || got[0].Bytes != 180 || got[1].Packets != 1 || got[2].Text != "still no" {
		t.Errorf("got %+v", got)
	}
	select {
	case <-more:
	default:
		t.Error("who waits was not woken")
	}
	if got, _, _ := m.Newer(2); len(got) != 1 || got[0].Number != 3 {
		t.Errorf("newer than 2: got %+v", got)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m, now := NewMemory(), time.Now()
	for port := range uint16(3 * remembered) {
		m.Add(dropTo(port, now), said("no"))
	}
	got, _, _ := m.Newer(0)
	if len(got) != remembered || got[len(got)-1].Number != 3*remembered || got[0].Number != 2*remembered+1 {
		t.Errorf("%d records, from %d to %d", len(got), got[0].Number, got[len(got)-1].Number)
	}
	if len(m.rejected.places) != remembered {
		t.Errorf("%d flows are known, want %d", len(m.rejected.places), remembered)
	}
}

func TestWhatPassesDoesNotPushOutWhatDoesNot(t *testing.T) {
	m, now := NewMemory(), time.Now()
	m.Add(dropTo(80, now), said("no"))
	flow := dataplane.Flow{VPC: "vpc-1", From: dataplane.Link{ENI: "eni-1"}, To: dataplane.Link{ENI: "eni-2"}, Protocol: 6, Packets: 2, Bytes: 100, First: now, Last: now}
	for port := range uint16(2 * remembered) {
		flow.Source = netip.AddrPortFrom(netip.MustParseAddr("10.0.0.5"), port)
		m.Passed(flow)
	}
	m.Passed(flow)
	got, _, _ := m.Newer(0)
	if len(got) != remembered+1 || got[0].Accepted || !got[1].Accepted || got[1].ENI != "eni-1" || !got[1].Egress {
		t.Fatalf("%d records, the first two %+v", len(got), got[:2])
	}
	if last := got[remembered]; last.Packets != 4 || last.Bytes != 200 {
		t.Errorf("the last flow is %+v", last)
	}
}

func TestTheLastDropIsTheLatestThatIsWanted(t *testing.T) {
	m, now := NewMemory(), time.Now()
	m.Add(dropTo(1, now.Add(-time.Hour)), said("old"))
	m.Add(dropTo(2, now), said("first"))
	m.Add(dropTo(3, now.Add(time.Second)), said("second"))
	m.Add(dropTo(2, now.Add(2*time.Second)), said("known"))
	m.Add(dropTo(4, now.Add(3*time.Second)), said("unwanted"))
	wanted := func(r Record) bool { return r.Destination.Port() != 4 }
	got, ok := m.LastDrop(now.Add(-time.Minute), wanted)
	if !ok || got.Destination.Port() != 2 || got.Text != "first" {
		t.Errorf("got %v, port %d, %q; want the flow to port 2, of which a packet came last", ok, got.Destination.Port(), got.Text)
	}
	if got, ok := m.LastDrop(now.Add(time.Minute), wanted); ok {
		t.Errorf("what is older than asked: %+v", got)
	}
}
