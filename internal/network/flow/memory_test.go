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
	if len(m.numbers) != remembered {
		t.Errorf("%d flows are known, want %d", len(m.numbers), remembered)
	}
}
