package diagram

import (
	"slices"
	"testing"
)

// boxesOf are the boxes with these labels.
func boxesOf(p *Picture, labels ...string) []*Box {
	var out []*Box
	for _, l := range labels {
		if i := slices.IndexFunc(p.Boxes, func(b *Box) bool { return b.Label == l }); i >= 0 {
			out = append(out, p.Boxes[i])
		}
	}
	return out
}

func TestSubnetsOfATierStandSideBySide(t *testing.T) {
	for name, c := range map[string]struct{ upper, lower [2]string }{
		"numbers": {[2]string{"app-0", "app-1"}, [2]string{"data-0", "data-1"}},
		"letters": {[2]string{"app-a", "app-b"}, [2]string{"data-a", "data-b"}},
		"zones":   {[2]string{"shop-app-us-west-2a", "shop-app-us-west-2b"}, [2]string{"shop-data-us-west-2a", "shop-data-us-west-2b"}},
	} {
		n := newNetwork(t)
		vpc := n.vpc("three-tier", "10.6.0.0/16")
		// Made in another order in each zone, and one is taller.
		n.subnet(vpc, c.lower[0], "10.6.20.0/24", "a")
		busy := n.subnet(vpc, c.upper[0], "10.6.10.0/24", "a")
		n.subnet(vpc, c.upper[1], "10.6.11.0/24", "b")
		n.subnet(vpc, c.lower[1], "10.6.21.0/24", "b")
		for range 2 {
			n.instance(busy, "app")
		}
		p := Draw(n.input())
		got := boxesOf(p, c.upper[0], c.upper[1], c.lower[0], c.lower[1])
		if len(got) != 4 {
			t.Fatalf("%s: %d boxes", name, len(got))
		}
		if got[0].Y != got[1].Y || got[2].Y != got[3].Y || got[0].Y >= got[2].Y || got[0].X == got[1].X || got[0].Height != got[1].Height {
			t.Errorf("%s: at %d and %d, below at %d and %d; want two rows", name, got[0].Y, got[1].Y, got[2].Y, got[3].Y)
		}
	}
}

func TestSubnetsWithoutNamesStandInTheOrderOfTheirAddresses(t *testing.T) {
	n := newNetwork(t)
	vpc := n.vpc("plain", "10.6.0.0/16")
	n.subnet(vpc, "", "10.6.20.0/24", "a")
	n.instance(n.subnet(vpc, "", "10.6.10.0/24", "a"), "one")
	n.subnet(vpc, "", "10.6.11.0/24", "b")
	n.subnet(vpc, "", "10.6.21.0/24", "b")
	at := map[string]int{}
	for _, b := range Draw(n.input()).Boxes {
		at[b.Detail] = b.Y
	}
	if at["10.6.10.0/24"] != at["10.6.11.0/24"] || at["10.6.20.0/24"] != at["10.6.21.0/24"] || at["10.6.10.0/24"] >= at["10.6.20.0/24"] {
		t.Errorf("got %v, want two rows", at)
	}
}

func TestWhatOneZoneHasAloneStandsBelowTheRest(t *testing.T) {
	n := newNetwork(t)
	vpc := n.vpc("uneven", "10.6.0.0/16")
	n.subnet(vpc, "tools", "10.6.1.0/24", "a")
	n.subnet(vpc, "app-a", "10.6.10.0/24", "a")
	n.subnet(vpc, "app-b", "10.6.11.0/24", "b")
	got := boxesOf(Draw(n.input()), "app-a", "app-b", "tools")
	if got[0].Y != got[1].Y || got[2].Y <= got[0].Y {
		t.Errorf("app at %d and %d, tools at %d", got[0].Y, got[1].Y, got[2].Y)
	}
}
