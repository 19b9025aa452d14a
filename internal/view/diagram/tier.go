package diagram

import (
	"cmp"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A tier is what subnets of several zones are of that do the same: they stand side by side.
type tier struct {
	key   string
	first netip.Prefix // of all in it, by address: it says where the tier stands
	zones int          // in how many it is
}

// zoneMark is the end of a subnet's name that tells it from those of the same tier: a zone, its letter or a number.
var zoneMark = regexp.MustCompile(`(?i)[-_. ]?(?:[a-z]{2}(?:-[a-z]+)+-[0-9][a-z]|[-_. ][a-z]|[0-9]+[a-z]?)$`)

// tierOf is the name of a subnet without what tells it from others of the tier; empty if it has none.
func (s *subnet) tierOf() string {
	if s.box.Label == s.box.ID {
		return ""
	}
	return strings.ToLower(zoneMark.ReplaceAllString(s.box.Label, ""))
}

// alignTiers puts the subnets of a row into the order of their tiers, the same in all zones. Those of a zone that share
// a tier, or have no names, are paired with those of the other zones in the order of their addresses.
func alignTiers(zones []*zone, row int) {
	tiers := map[string]*tier{}
	for _, z := range zones {
		slices.SortFunc(z.rows[row], func(a, b *subnet) int { return a.cidr.Compare(b.cidr) })
		count := map[string]int{}
		for _, s := range z.rows[row] {
			name := s.tierOf()
			key := name + "/" + strconv.Itoa(count[name])
			count[name]++
			t := tiers[key]
			if t == nil {
				t = &tier{key: key, first: s.cidr}
				tiers[key] = t
			}
			if s.cidr.Compare(t.first) < 0 {
				t.first = s.cidr
			}
			t.zones++
			s.tier = t
		}
	}
	for _, z := range zones {
		slices.SortFunc(z.rows[row], func(a, b *subnet) int { return compareTiers(a.tier, b.tier) })
	}
}

func (t *tier) shared() bool { return t.zones > 1 }

// compareTiers puts what is in one zone alone below the rest, so that it makes no holes in other zones.
func compareTiers(a, b *tier) int {
	if a.shared() != b.shared() {
		if a.shared() {
			return -1
		}
		return 1
	}
	return cmp.Or(a.first.Compare(b.first), cmp.Compare(a.key, b.key))
}

// sharedTiers are the tiers of a row that several zones have, from the top.
func (g *group) sharedTiers(row int) []*tier {
	var all []*tier
	for _, z := range g.zones {
		for _, s := range z.rows[row] {
			if s.tier.shared() {
				all = append(all, s.tier)
			}
		}
	}
	slices.SortFunc(all, compareTiers)
	return slices.Compact(all)
}
