package diagram

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/view/cost"
)

// generated makes a region of any shape: VPCs, zones, gateways and endpoints come and go, names are long,
// short, foreign or missing.
func generated(t testing.TB, seed uint64) *network {
	rng := rand.New(rand.NewPCG(seed, 7))
	n := newNetwork(t)
	name := func() string {
		switch rng.IntN(5) {
		case 0:
			return ""
		case 1:
			return strings.Repeat("W", 1+rng.IntN(250))
		case 2:
			return "データ基盤-" + strings.Repeat("函", rng.IntN(20))
		default:
			return strings.Repeat("orders-", 1+rng.IntN(8)) + "api"
		}
	}
	var vpcs []resource.VPCID
	var services []string
	for v := range rng.IntN(4) {
		vpc := n.vpc(name(), fmt.Sprintf("10.%d.0.0/16", v))
		if len(vpcs) > 0 && rng.IntN(2) == 0 {
			n.peering(vpcs[rng.IntN(len(vpcs))], vpc, name())
		}
		vpcs = append(vpcs, vpc)
		var gateway resource.InternetGatewayID
		if rng.IntN(3) > 0 {
			gateway = n.internetGateway(vpc)
		}
		var subnets []*testSubnet
		for i := range rng.IntN(7) {
			s := n.subnet(vpc, name(), fmt.Sprintf("10.%d.%d.0/24", v, i), string(rune('a'+rng.IntN(4))))
			subnets = append(subnets, s)
			if gateway != "" && rng.IntN(2) == 0 {
				s.route(resource.RouteTarget{InternetGatewayID: gateway})
			}
		}
		if len(subnets) == 0 {
			continue
		}
		some := func() []*testSubnet { return subnets[rng.IntN(len(subnets)):] }
		for range rng.IntN(3) {
			nat := n.natGateway(subnets[rng.IntN(len(subnets))])
			for _, s := range some() {
				if len(s.table.Routes) == 0 {
					s.route(resource.RouteTarget{NATGatewayID: nat})
				}
			}
		}
		if rng.IntN(3) == 0 {
			n.gatewayEndpoint("s3", some()...)
		}
		for _, service := range []string{"s3", "sts", "lambda", "logs"}[:rng.IntN(5)] {
			n.interfaceEndpoint(service, rng.IntN(2) == 0, some()...)
		}
		if len(services) > 0 && rng.IntN(2) == 0 {
			n.privateLink(services[rng.IntN(len(services))], some()...)
		}
		if rng.IntN(3) == 0 {
			var targets []netip.Addr
			for range 1 + rng.IntN(3) {
				targets = append(targets, n.instance(subnets[rng.IntN(len(subnets))], name()).PrivateIPs[0])
			}
			services = append(services, n.endpointService(n.loadBalancer("api-"+strings.Repeat("lb", rng.IntN(12)), targets, some()...)))
		}
		if rng.IntN(4) == 0 {
			n.egressOnly(vpc, some()...)
		}
		for i := range rng.IntN(12) {
			e := n.eni(subnets[rng.IntN(len(subnets))], resource.InterfaceTypeInterface)
			n.named(string(e.ID), name())
			if i == 0 {
				n.further(e)
			}
		}
		for i := range rng.IntN(8) {
			n.function(fmt.Sprintf("fn-%d-%d-%s", v, i, strings.Repeat("x", rng.IntN(50))), some()...)
		}
	}
	for i := range rng.IntN(3) {
		n.function(fmt.Sprintf("outside-%d", i))
	}
	if rng.IntN(2) == 0 {
		n.in.Buckets = []string{strings.Repeat("bucket.", 1+rng.IntN(8)) + "end"}
	}
	return n
}

// randomNetwork is one of those, sometimes with a path.
func randomNetwork(t testing.TB, seed uint64) Input {
	rng := rand.New(rand.NewPCG(seed, 8))
	in := generated(t, seed).input()
	if len(in.Functions) > 0 && rng.IntN(2) == 0 {
		in.Path = path(t, in, in.Functions[rng.IntN(len(in.Functions))].Name, []string{"s3", "sts", "iam"}[rng.IntN(3)])
		if enis := slices.Sorted(maps.Keys(in.Topology.ENIs)); in.Path.From != "" && rng.IntN(2) == 0 { // to anybody
			to := in.Topology.ENIs[enis[rng.IntN(len(enis))]]
			if len(in.Instances) > 0 {
				to = in.Topology.ENIs[in.Instances[rng.IntN(len(in.Instances))].ENI]
			}
			in.Path.Service, in.Path.Target = "", string(to.ID)
			in.Path.Trace = explain.Explain(in.Topology, explain.Flow{From: in.Path.From, To: to.Address(), Port: 443})
		}
	}
	if rng.IntN(2) == 0 {
		burden(rng, &in)
	}
	return in
}

// burden makes traffic, rejects and prices of all kinds.
func burden(rng *rand.Rand, in *Input) {
	in.Bytes, in.Money, in.Standing = rng.IntN(3) > 0, rng.IntN(3) > 0, map[string]cost.Money{}
	enis := slices.Sorted(maps.Keys(in.Topology.ENIs))
	for _, v := range in.Topology.VPCs {
		vias := []string{string(v.InternetGateway), cost.Local}
		for _, n := range v.NATGateways {
			vias = append(vias, string(n.ID))
			in.Standing[string(n.ID)] = cost.Money(rng.Int64N(1e9))
		}
		for _, e := range v.Endpoints {
			vias = append(vias, string(e.ID))
		}
		for _, c := range v.Peerings {
			vias = append(vias, string(c.ID))
		}
		for range rng.IntN(20) {
			l := Load{
				VPC: v.ID, Via: vias[rng.IntN(len(vias))], Service: []string{"", "s3", "sts", cost.Internet}[rng.IntN(4)],
				Bytes: rng.Uint64N(1 << rng.UintN(60)), USD: cost.Money(rng.Int64N(1 << rng.UintN(50))),
			}
			if len(v.ENIs) > 0 && rng.IntN(4) > 0 {
				l.From = v.ENIs[rng.IntN(len(v.ENIs))].ID
			}
			in.Loads = append(in.Loads, l)
		}
	}
	for range rng.IntN(4) {
		r := Reject{Packets: 1 + rng.IntN(1000), Code: "NO_ROUTE_TO_DESTINATION", Service: []string{"", "s3"}[rng.IntN(2)], Outside: rng.IntN(2) == 0}
		if len(enis) > 0 {
			r.From = enis[rng.IntN(len(enis))]
		}
		if len(enis) > 0 && rng.IntN(2) == 0 {
			r.To = enis[rng.IntN(len(enis))]
		}
		in.Rejects = append(in.Rejects, r)
	}
}

// seen is where things stand in what contains them.
func seen(p *Picture) map[string]Point {
	corners, places := map[string]Point{"": {}}, map[string]Point{}
	for _, b := range p.Boxes {
		corners[b.Key] = Point{b.X, b.Y}
	}
	put := func(key, parent string, r Rect) {
		places[key] = Point{r.X - corners[parent].X, r.Y - corners[parent].Y}
	}
	for _, b := range p.Boxes {
		put(b.Key, b.Parent, b.Rect)
	}
	for _, c := range p.Cards {
		parent := c.Parent
		if c.place.border { // what stands on a VPC's border goes with it
			parent = p.groups[c.place.group].box.Key
		}
		put(c.Key, parent, c.Rect)
	}
	return places
}

// What was in the picture stays where it was in its VPC, zone or subnet, but for few: neighbours in the same subnet
// make room, everything else is unrelated.
func TestOneMoreResourceMovesFewBoxes(t *testing.T) {
	moved, all := 0, 0
	for seed := range uint64(100) {
		for kind := range 6 {
			n := generated(t, seed)
			before := Draw(n.input())
			n = generated(t, seed)
			in := n.add(seed, kind)
			if in == nil {
				continue
			}
			after := Draw(n.input())
			then, now := seen(before), seen(after)
			for key, at := range then {
				if c := before.byKey[key]; c != nil && c.Parent == string(in.ID) {
					continue
				}
				all++
				if place, there := now[key]; !there {
					t.Errorf("seed %d, kind %d: %s is gone", seed, kind, key)
				} else if place != at {
					moved++
				}
			}
		}
	}
	t.Logf("%d of %d boxes moved", moved, all)
	if all < 10000 || moved*20 > all {
		t.Errorf("%d of %d boxes moved, more than 5 in a hundred", moved, all)
	}
}

// add makes one more resource, and returns the subnet that it is in; nil if there is none.
func (n *network) add(seed uint64, kind int) *testSubnet {
	if len(n.subnets) == 0 {
		return nil
	}
	rng := rand.New(rand.NewPCG(seed, uint64(kind)))
	s := n.subnets[rng.IntN(len(n.subnets))]
	switch kind {
	case 0:
		n.function("one-more", s)
	case 1:
		n.instance(s, "one-more")
	case 2:
		n.natGateway(s)
	case 3:
		n.interfaceEndpoint("sts", true, s)
	case 4:
		n.gatewayEndpoint("s3", s)
	default:
		n.subnet(s.VPCID, "one-more", "10.200.0.0/24", "a")
	}
	return s
}

func TestNoPictureIsAMess(t *testing.T) {
	cards, edges, kinds := 0, 0, map[string]int{}
	for seed := range uint64(1000) {
		p := Draw(randomNetwork(t, seed))
		cards, edges = cards+len(p.Cards), edges+len(p.Edges)
		for _, c := range p.Cards {
			kinds[c.Kind]++
		}
		for _, b := range p.Badges {
			kinds[b.class("badge")]++
		}
		for _, e := range p.Edges {
			kinds[p.byKey[e.From].Kind+" > "+p.byKey[e.To].Kind]++
		}
		for _, breach := range breaches(p) {
			t.Errorf("seed %d: %s", seed, breach)
		}
		if t.Failed() {
			return
		}
	}
	if cards < 10000 || edges < 10000 {
		t.Errorf("only %d cards and %d edges were looked at", cards, edges)
	}
	for _, kind := range []string{
		KindInstance, KindLoadBalancer, KindEgressOnlyGateway, "vpc-peering-connection > vpc-peering-connection", "load-balancer > instance",
		"interface-endpoint > load-balancer", "network-interface > egress-only-internet-gateway", "vpc-peering-connection > instance", "badge", "badge rejected",
	} {
		if kinds[kind] < 10 {
			t.Errorf("only %d of %s were looked at", kinds[kind], kind)
		}
	}
}

func BenchmarkThreeHundredResources(b *testing.B) {
	n := newNetwork(b)
	vpc := n.vpc("large", "10.0.0.0/16")
	gateway := n.internetGateway(vpc)
	var privates []*testSubnet
	for i, zone := range []string{"a", "b", "c"} {
		public := n.subnet(vpc, "", fmt.Sprintf("10.0.%d.0/24", i), zone)
		public.route(resource.RouteTarget{InternetGatewayID: gateway})
		private := n.subnet(vpc, "", fmt.Sprintf("10.0.%d.0/24", 10+i), zone)
		private.route(resource.RouteTarget{NATGatewayID: n.natGateway(public)})
		privates = append(privates, private)
	}
	n.interfaceEndpoint("sts", true, privates...)
	for i := range 285 {
		n.function(fmt.Sprintf("function-%d", i), privates[i%3])
	}
	n.in.Buckets = []string{"data"}
	in := n.input()
	for b.Loop() {
		if p := Draw(in); len(p.Cards) < 290 || len(p.SVG(ThemeAuto)) == 0 {
			b.Fatal("not everything is drawn")
		}
	}
}
