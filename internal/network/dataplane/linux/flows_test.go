package linux

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

func newCountingWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	d, err := New(Config{Flows: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return &world{&Region{}, t, d}
}

func (w *world) flows() []dataplane.Flow {
	w.t.Helper()
	flows, lost, err := w.d.Flows(context.Background())
	if err != nil || lost != 0 {
		w.t.Errorf("%d packets are in no flow, error %v", lost, err)
	}
	return flows
}

// A ledger adds up what was told of each pair of links.
type ledger map[[2]dataplane.Link]dataplane.Flow

func (l ledger) add(flows []dataplane.Flow) {
	for _, f := range flows {
		key := [2]dataplane.Link{f.From, f.To}
		sum := l[key]
		f.Packets, f.Bytes, f.TCPFlags = f.Packets+sum.Packets, f.Bytes+sum.Bytes, f.TCPFlags|sum.TCPFlags
		l[key] = f
	}
}

func TestFlowsTellWhatPassedInEachDirection(t *testing.T) {
	w := newCountingWorld(t)
	v := w.VPC("a", "10.0.0.0/16")
	s := v.Subnet("one", "10.0.1.0/24")
	g := v.Group("g", []topology.Rule{Allow(6, 80, 80, "0.0.0.0/0")}, []topology.Rule{Allow(6, 80, 81, "0.0.0.0/0")})
	client, server := v.ENI("client", s, "10.0.1.10", g.ID), v.ENI("server", s, "10.0.1.20", g.ID)
	w.apply()
	w.serve(dataplane.Place{ENI: server.ID}, 80)
	before := time.Now()
	c := w.connect(w.attach(client), "10.0.1.20:80")
	if !c.alive(time.Second) {
		t.Fatal("no answer")
	}
	Probe(w.attach(client), "10.0.1.20:81", "tcp", patience)
	first := w.flows()
	if len(first) != 2 {
		t.Fatalf("told %+v, want a flow and its reply: what was dropped is none", first)
	}
	there, back := first[0], first[1]
	if there.From.ENI != client.ID {
		there, back = back, there
	}
	if there.VPC != v.ID || there.From.ENI != client.ID || there.To.ENI != server.ID || there.Protocol != 6 ||
		there.Source.Addr() != addr("10.0.1.10") || there.Destination.String() != "10.0.1.20:80" || there.TCPFlags != 2 || there.Packets < 3 {
		t.Errorf("told %+v", there)
	}
	if back.From.ENI != server.ID || back.Source != there.Destination || back.Destination != there.Source || back.TCPFlags != 18 {
		t.Errorf("the reply was told as %+v", back)
	}
	if there.Last.Before(before) || there.Last.After(time.Now()) || there.First.After(there.Last) {
		t.Errorf("it passed from %s to %s, now is %s", there.First, there.Last, time.Now())
	}
	if again := w.flows(); len(again) != 0 {
		t.Errorf("told again: %+v", again)
	}
	c.SetDeadline(time.Now().Add(time.Second))
	c.Close()
	time.Sleep(50 * time.Millisecond)
	sum := ledger{}
	sum.add(w.flows())
	if got := sum[[2]dataplane.Link{there.From, there.To}].TCPFlags; got&1 == 0 {
		t.Errorf("flags after the end: %d", got)
	}
}

// What passed an interface is told although it is gone.
func TestFlowsOfInterfacesAndVPCsThatAreGoneAreTold(t *testing.T) {
	w := newCountingWorld(t)
	v := w.VPC("a", "10.0.0.0/16")
	s := v.Subnet("one", "10.0.1.0/24")
	client, server := v.ENI("client", s, "10.0.1.10"), v.ENI("server", s, "10.0.1.20")
	w.apply()
	w.serve(dataplane.Place{ENI: server.ID}, 80)
	w.connect(w.attach(client), "10.0.1.20:80")
	v.RemoveENI(client)
	w.apply()
	w.Remove(v)
	w.apply()
	sum := ledger{}
	sum.add(w.flows())
	f := sum[[2]dataplane.Link{{ENI: client.ID}, {ENI: server.ID}}]
	if f.Packets == 0 || f.Network == nil || !slices.ContainsFunc(f.Network.ENIs, func(e *topology.ENI) bool { return e.ID == client.ID }) {
		t.Errorf("told %+v", sum)
	}
}

// Sums over flows are what gateways and interfaces counted, to the byte: nothing that crosses them is in no flow.
func TestFlowsAddUpToWhatGatewaysCount(t *testing.T) {
	w := newCountingWorld(t)
	w.Service("s3", "s3.us-west-2.amazonaws.com", s3)
	v := w.VPC("a", "10.0.0.0/16")
	v.Attach("a")
	public, private := v.Subnet("public", "10.0.1.0/24"), v.Subnet("private", "10.0.2.0/24")
	RouteTo(public, "0.0.0.0/0", topology.TargetInternetGateway, "igw-a")
	client, bastion := v.ENI("client", private, "10.0.2.10"), v.ENI("bastion", public, "10.0.1.8")
	Associate(bastion, "44.0.0.8")
	v.NATGateway("a", public, "10.0.1.5", "44.0.0.5")
	RouteTo(private, "0.0.0.0/0", topology.TargetNATGateway, "nat-a")
	e := v.GatewayEndpoint("s3", v.PrefixList("s3", "3.5.80.0/21"), private)
	w.apply()
	w.serve(dataplane.Place{Internet: addr(s3)}, 443)
	w.serve(dataplane.Place{GatewayEndpoint: e.ID}, 443)
	w.serve(dataplane.Place{ENI: client.ID}, 443)
	seat := w.sit(dataplane.Seat{ENI: client.ID, Shared: true})
	for name, c := range map[string]struct {
		from dataplane.Attachment
		to   string
	}{
		"NAT gateway": {seat, s3 + ":443"}, "gateway endpoint": {w.attach(client), "3.5.80.1:443"},
		"internet gateway": {w.attach(bastion), s3 + ":443"}, "interface": {w.attach(bastion), "10.0.2.10:443"},
	} {
		w.echoes(name, c.from, c.to, 1<<20)
	}
	Probe(seat, "52.1.2.3:9", "udp", patience)
	sum, nat, totals := ledger{}, resource.NetworkInterfaceID(""), flow.NewTotals()
	w.quiet(func(flows []dataplane.Flow) {
		sum.add(flows)
		for _, f := range flows {
			totals.Add(flow.TrafficOf(w.Topology(), f)...)
		}
	})
	for id, c := range w.d.routers[v.ID].enis {
		if c.plan.natGateway != "" {
			nat = id
		}
	}
	stats, err := w.d.Stats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	same := func(what string, got, want dataplane.Counters) {
		if got != want || got.OutBytes < 1<<20 {
			t.Errorf("%s: flows say %+v, it counted %+v", what, got, want)
		}
	}
	to, from := func(l dataplane.Link) dataplane.Counters { return sum.across(l) }, func(l dataplane.Link) dataplane.Counters {
		c := sum.across(l)
		return dataplane.Counters{OutPackets: c.InPackets, OutBytes: c.InBytes, InPackets: c.OutPackets, InBytes: c.OutBytes}
	}
	same("internet gateway", to(dataplane.Link{InternetGateway: "igw-a"}), stats.InternetGateways["igw-a"])
	same("gateway endpoint", to(dataplane.Link{GatewayEndpoint: e.ID}), stats.GatewayEndpoints[e.ID])
	for _, id := range []resource.NetworkInterfaceID{client.ID, bastion.ID, nat} {
		same(string(id), from(dataplane.Link{ENI: id}), stats.ENIs[id])
	}
	// What is attributed to interfaces, ways and services is the same again.
	same("attributed to the gateway endpoint", through(totals, "vpce:"+string(e.ID), e.Service, ""), stats.GatewayEndpoints[e.ID])
	igw := through(totals, "igw:igw-a", "s3", "")
	igw.OutBytes, igw.OutPackets = igw.OutBytes+through(totals, "igw:igw-a", "", "").OutBytes, igw.OutPackets+through(totals, "igw:igw-a", "", "").OutPackets
	same("attributed to the internet gateway", igw, stats.InternetGateways["igw-a"])
	used := through(totals, "nat:nat-a", "s3", "")
	lost := through(totals, "nat:nat-a", "", "") // the packet that nobody answered
	used.OutBytes, used.OutPackets = used.OutBytes+lost.OutBytes, used.OutPackets+lost.OutPackets
	same("attributed to the NAT gateway", used, stats.NATGateways["nat-a"])
	if lost.OutPackets != 1 {
		t.Errorf("%d packets went to an address that is nobody's, want 1", lost.OutPackets)
	}
	out, in := sum[[2]dataplane.Link{{ENI: client.ID}, {ENI: nat}}], sum[[2]dataplane.Link{{ENI: nat}, {ENI: client.ID}}]
	same("NAT gateway", dataplane.Counters{OutPackets: out.Packets, OutBytes: out.Bytes, InPackets: in.Packets, InBytes: in.Bytes}, stats.NATGateways["nat-a"])
}

// quiet hands on flows until nothing moves any more.
func (w *world) quiet(each func([]dataplane.Flow)) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(150 * time.Millisecond) {
		more := w.flows()
		if each(more); len(more) == 0 {
			return
		}
	}
}

// through adds up what interfaces, but one, sent and got by one way.
func through(totals *flow.Totals, via, service string, but resource.NetworkInterfaceID) (c dataplane.Counters) {
	for _, t := range totals.All() {
		if t.Via == via && t.Service == service && t.ENI != but {
			c.OutPackets, c.OutBytes = c.OutPackets+t.PacketsOut, c.OutBytes+t.BytesOut
			c.InPackets, c.InBytes = c.InPackets+t.PacketsIn, c.InBytes+t.BytesIn
		}
	}
	return c
}

// across is what went out by a link and came in.
func (l ledger) across(link dataplane.Link) (c dataplane.Counters) {
	for key, f := range l {
		if key[1] == link {
			c.OutPackets, c.OutBytes = c.OutPackets+f.Packets, c.OutBytes+f.Bytes
		}
		if key[0] == link {
			c.InPackets, c.InBytes = c.InPackets+f.Packets, c.InBytes+f.Bytes
		}
	}
	return c
}

// A set without room counts what it cannot hold.
func TestPacketsInNoFlowAreCounted(t *testing.T) {
	w := newCountingWorld(t)
	v := w.VPC("a", "10.0.0.0/16")
	s := v.Subnet("one", "10.0.1.0/24")
	client := v.ENI("client", s, "10.0.1.10")
	v.ENI("server", s, "10.0.1.20")
	w.apply()
	r := w.d.routers[v.ID]
	b := &batch{table: flowTable}
	b.flushChain("passed")
	b.addRules(&chain{name: "passed", rules: []rule{makeRule(namedCounter(lostFlows))}})
	if err := r.nft.commit(b); err != nil {
		t.Fatal(err)
	}
	Probe(w.attach(client), "10.0.1.20:9", "tcp", patience)
	if flows, lost, err := w.d.Flows(context.Background()); err != nil || len(flows) != 0 || lost == 0 {
		t.Errorf("got %d flows, %d lost, error %v", len(flows), lost, err)
	}
}
