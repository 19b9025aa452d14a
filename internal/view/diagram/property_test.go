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
		for range rng.IntN(12) {
			n.named(string(n.eni(subnets[rng.IntN(len(subnets))], resource.InterfaceTypeInterface).ID), name())
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
	for seed := range uint64(150) {
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

// breaches are what a reader would call a mess.
func breaches(p *Picture) []string {
	var found []string
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	type thing struct {
		name, parent, kind string
		Rect
	}
	var things []thing
	parents := map[string]Rect{"": {0, 0, p.Width, p.Height}}
	border := map[string]bool{}
	for _, b := range p.Boxes {
		things = append(things, thing{b.Key, b.Parent, b.Kind, b.Rect})
		parents[b.Key] = b.Rect
	}
	for _, c := range p.Cards {
		things = append(things, thing{c.Key, c.Parent, c.Kind, c.Rect})
		border[c.Key] = c.place.border
	}
	for i, a := range things {
		in := parents[a.parent]
		if a.X < in.X || a.Y < in.Y || a.right() > in.right() || a.bottom() > in.bottom() || a.Width <= 0 || a.Height <= 0 {
			add("%s %v is not inside %s %v", a.name, a.Rect, a.parent, in)
		}
		for _, b := range things[i+1:] {
			onItsBorder := border[a.name] && b.kind == KindVPC || border[b.name] && a.kind == KindVPC
			if a.parent == b.parent && !onItsBorder && overlap(a.Rect, b.Rect) {
				add("%s %v and %s %v overlap", a.name, a.Rect, b.name, b.Rect)
			}
		}
	}
	for _, e := range p.Edges {
		found = append(found, edgeBreaches(p, e)...)
	}
	for _, b := range p.Badges {
		found = append(found, badgeBreaches(p, b)...)
	}
	return append(found, textBreaches(p)...)
}

func overlap(a, b Rect) bool {
	return a.X < b.right() && b.X < a.right() && a.Y < b.bottom() && b.Y < a.bottom()
}

// edgeBreaches: no line through a card, none oblique, none without ends, none through the picture's edge.
func edgeBreaches(p *Picture, e *Edge) []string {
	var found []string
	if len(e.Points) < 2 {
		return []string{fmt.Sprintf("%s > %s has no line", e.From, e.To)}
	}
	for i := 1; i < len(e.Points); i++ {
		a, b := e.Points[i-1], e.Points[i]
		if a.X != b.X && a.Y != b.Y {
			found = append(found, fmt.Sprintf("%s > %s is oblique: %v", e.From, e.To, e.Points))
		}
		line := Rect{min(a.X, b.X), min(a.Y, b.Y), max(a.X-b.X, b.X-a.X) + 1, max(a.Y-b.Y, b.Y-a.Y) + 1}
		if line.X < 0 || line.Y < 0 || line.right() > p.Width || line.bottom() > p.Height {
			found = append(found, fmt.Sprintf("%s > %s leaves the picture", e.From, e.To))
		}
		for _, c := range p.Cards {
			r := c.Rect
			if c.Key == e.From || c.Key == e.To { // may touch its own sides
				r = Rect{r.X + 1, r.Y + 1, r.Width - 2, r.Height - 2}
			}
			if overlap(line, r) {
				found = append(found, fmt.Sprintf("%s > %s crosses %s", e.From, e.To, c.Key))
			}
		}
		for _, b := range p.Boxes {
			if overlap(line, labelRect(b)) {
				found = append(found, fmt.Sprintf("%s > %s crosses the label of %s", e.From, e.To, b.Key))
			}
		}
	}
	return found
}

// badgeBreaches: what is written on a road is whole, on its line and on nothing else.
func badgeBreaches(p *Picture, b *Badge) []string {
	var found []string
	add := func(format string, args ...any) { found = append(found, b.Text+": "+fmt.Sprintf(format, args...)) }
	if textWidth(b.Text, detailSize)+8 > b.Width || b.X < 0 || b.Y < 0 || b.right() > p.Width || b.bottom() > p.Height {
		add("does not fit into %v", b.Rect)
	}
	for _, c := range p.Cards {
		if overlap(b.Rect, c.Rect) {
			add("lies on %s", c.Key)
		}
	}
	for _, box := range p.Boxes {
		if overlap(b.Rect, labelRect(box)) {
			add("lies on the label of %s", box.Key)
		}
	}
	for _, other := range p.Badges {
		if other != b && overlap(b.Rect, other.Rect) {
			add("lies on %s", other.Text)
		}
	}
	on := false
	for _, e := range p.Edges {
		for i := 1; i < len(e.Points); i++ {
			from, to := e.Points[i-1], e.Points[i]
			if !overlap(b.Rect, Rect{min(from.X, to.X), min(from.Y, to.Y), max(from.X-to.X, to.X-from.X) + 1, max(from.Y-to.Y, to.Y-from.Y) + 1}) {
				continue
			}
			if e.To != b.edges[0].To {
				add("%s > %s runs through it", e.From, e.To)
			}
			on = on || e == b.edges[0]
		}
	}
	if !on {
		add("is not on its line")
	}
	return found
}

// labelRect is where a box's text is.
func labelRect(b *Box) Rect {
	width := textWidth(b.Detail, detailSize)
	if b.Kind == KindPublicSubnet || b.Kind == KindPrivateSubnet {
		width = textWidth("private · "+b.Detail, detailSize)
	}
	height := boxLine * len(b.Lines)
	if b.Detail != "" {
		height += detailLine
	}
	for _, line := range b.Lines {
		width = max(width, textWidth(line, boxSize))
	}
	return Rect{b.X + padding, b.Y + padding/2, width, height}
}

// textBreaches: every text is whole, and inside what it belongs to.
func textBreaches(p *Picture) []string {
	var found []string
	whole := func(lines []string, text string) bool {
		return strings.ReplaceAll(strings.Join(lines, ""), " ", "") == strings.ReplaceAll(text, " ", "")
	}
	for _, c := range p.Cards {
		if !whole(c.Lines, c.Label) || c.Code != "" && !whole(c.Alert, "✕"+c.Code) {
			found = append(found, fmt.Sprintf("the text of %s is cut: %q", c.Key, c.Lines))
		}
		for i, line := range append(append([]string{}, c.Lines...), append(c.Details, c.Alert...)...) {
			size := detailSize
			if i < len(c.Lines) {
				size = labelSize
			}
			if textLeft+textWidth(line, size) > c.Width-4 {
				found = append(found, fmt.Sprintf("%q is wider than %s", line, c.Key))
			}
		}
		if lines := len(c.Lines)*labelLine + (len(c.Details)+len(c.Alert))*detailLine; lines+8 > c.Height {
			found = append(found, fmt.Sprintf("the text of %s is higher than it", c.Key))
		}
	}
	for _, b := range p.Boxes {
		r := labelRect(b)
		if !whole(b.Lines, b.Label) || r.right() > b.right() || r.bottom() > b.bottom() {
			found = append(found, fmt.Sprintf("the label of %s %q at %v does not fit into %v", b.Key, b.Lines, r, b.Rect))
		}
		for _, c := range p.Cards {
			if overlap(r, c.Rect) {
				found = append(found, fmt.Sprintf("%s lies on the label of %s", c.Key, b.Key))
			}
		}
		for _, inner := range p.Boxes {
			if inner.Parent == b.Key && overlap(r, inner.Rect) {
				found = append(found, fmt.Sprintf("%s lies on the label of %s", inner.Key, b.Key))
			}
		}
	}
	return found
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
