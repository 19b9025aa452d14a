package linux

import (
	"slices"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/flow"
)

func TestFlowsOfIPv6AreTold(t *testing.T) {
	w := newIPv6World(t)
	d, err := New(Config{Flows: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	w.d = d
	web, _, db, _ := w.open()
	for from, to := range map[dataplane.Attachment]string{web: to6(db6, "80"), db: to6(service6, "443")} {
		if !w.connect(from, to).alive(time.Second) {
			t.Fatal("no answer")
		}
	}
	sums := ledger{}
	told := w.flows()
	sums.add(told)
	// Where there is an internet gateway too, answers come in there.
	way, back := dataplane.Link{EgressOnly: w.vpc.VPC.EgressOnly[0]}, dataplane.Link{InternetGateway: "igw-a"}
	for _, pair := range [][2]dataplane.Link{
		{{ENI: w.web.ID}, {ENI: w.db.ID}}, {{ENI: w.db.ID}, {ENI: w.web.ID}}, {{ENI: w.db.ID}, way}, {back, {ENI: w.db.ID}},
	} {
		if f := sums[pair]; f.Packets < 2 || !f.Source.Addr().Is6() {
			t.Errorf("from %+v to %+v was told %+v", pair[0], pair[1], f)
		}
	}
	totals := flow.NewTotals()
	for _, f := range told {
		totals.Add(flow.TrafficOf(w.Topology(), f)...)
	}
	out := slices.IndexFunc(totals.All(), func(a flow.Traffic) bool { return a.ENI == w.db.ID && a.Via == "eigw:"+string(way.EgressOnly) })
	if out < 0 || totals.All()[out].BytesOut == 0 || totals.All()[out].BytesIn == 0 {
		t.Errorf("there and back by the egress-only gateway should have gone bytes: %+v", totals.All())
	}
}
