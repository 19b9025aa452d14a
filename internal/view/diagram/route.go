package diagram

import "slices"

// lanes are the lanes of one group's gutters. A gutter has a lane for each card that lines in it lead to.
type lanes struct {
	vertical map[int][]string // by gutter
	badges   map[int]int      // the room for what is written on the lines, right of the lanes, by gutter
	middle   []string
}

func newLanes() *lanes { return &lanes{vertical: map[int][]string{}, badges: map[int]int{}} }

func (l *lanes) add(gutter int, to string) {
	if !slices.Contains(l.vertical[gutter], to) {
		l.vertical[gutter] = append(l.vertical[gutter], to)
	}
}

func (l *lanes) addMiddle(to string) {
	if !slices.Contains(l.middle, to) {
		l.middle = append(l.middle, to)
	}
}

// gutterWidth: the first gutter is seldom used, and only zones stand beside it.
func (l *lanes) gutterWidth(gutter int) int {
	if gutter == 0 && len(l.vertical[0]) == 0 {
		return padding
	}
	return roomFor(len(l.vertical[gutter])) + l.badges[gutter]
}

// middleHeight is the room between the rows; there is none if there is but one row, and no line.
func (g *group) middleHeight() int {
	hasPublic := func(z *zone) bool { return len(z.rows[0]) > 0 }
	if len(g.lanes.middle) == 0 && !slices.ContainsFunc(g.zones, hasPublic) {
		return 0
	}
	return roomFor(len(g.lanes.middle))
}

// roomFor is the room for some lanes. It grows by fives and is there for none, so that few new lines move anything.
func roomFor(n int) int {
	const step = 5
	n = max(n+step-1, step) / step * step
	return 2*gutterPad + (n-1)*laneStep
}

func (g *group) laneX(gutter int, to string) int {
	return g.gutterX[gutter] + gutterPad + max(slices.Index(g.lanes.vertical[gutter], to), 0)*laneStep
}

func (g *group) laneY(to string) int {
	return g.middle + gutterPad + max(slices.Index(g.lanes.middle, to), 0)*laneStep
}

// outerGutter is between the VPCs and the services.
type outerGutter struct {
	x  int
	to []string
}

func (o *outerGutter) width() int { return roomFor(len(o.to)) - 2*gutterPad }

func (o *outerGutter) lane(to string) int { return o.x + max(slices.Index(o.to, to), 0)*laneStep }

// outerLanes has a lane for each service, and for each border card that another VPC leads to.
func (p *Picture) outerLanes() *outerGutter {
	o := &outerGutter{}
	for _, e := range p.Edges {
		from, to := p.byKey[e.From], p.byKey[e.To]
		if from.place.group != to.place.group && !slices.Contains(o.to, e.To) {
			o.to = append(o.to, e.To)
		}
	}
	return o
}

// planLanes finds which gutters each edge runs in, before anything has a place. Edges that no way can be drawn
// for are dropped: nothing leads there but through another card.
func (p *Picture) planLanes() {
	p.Edges = slices.DeleteFunc(p.Edges, func(e *Edge) bool {
		from, to := p.byKey[e.From], p.byKey[e.To]
		crosses := from.place.group != to.place.group
		return from.place.group < 0 || crosses && to.place.group >= 0 && !to.place.border && p.groups[to.place.group].vpc == nil
	})
	for _, e := range p.Edges {
		from, to := p.byKey[e.From], p.byKey[e.To]
		g := p.groups[from.place.group]
		if p.entersGroup(from, to) {
			into := p.groups[to.place.group].lanes
			into.add(to.place.column, e.To)
			into.addMiddle(e.To)
		}
		switch {
		case from.place.group != to.place.group && from.place.border:
		case from.place.group != to.place.group:
			if from.place.column+1 < g.columns || len(g.border) > 0 {
				g.lanes.add(from.place.column+1, e.To)
				g.lanes.addMiddle(e.To)
			}
		default:
			out, in := gutters(from, to)
			g.lanes.add(out, e.To)
			if out != in {
				g.lanes.add(in, e.To)
				g.lanes.addMiddle(e.To)
			}
		}
	}
}

// entersGroup reports whether an edge comes from outside to a card that is not on the border: by the horizontal
// gutter, which nothing bars on the right.
func (p *Picture) entersGroup(from, to *Card) bool {
	return from.place.group != to.place.group && to.place.group >= 0 && !to.place.border
}

// gutters are those by which an edge inside a group leaves one card and enters another.
func gutters(from, to *Card) (out, in int) {
	if to.place.column > from.place.column {
		return from.place.column + 1, to.place.column
	}
	return from.place.column, to.place.column
}

// route gives every edge its points.
func (p *Picture) route(o *outerGutter) {
	for _, e := range p.Edges {
		from, to := p.byKey[e.From], p.byKey[e.To]
		g := p.groups[from.place.group]
		var points []Point
		if from.place.group == to.place.group {
			points = p.inside(g, from, to)
		} else {
			points = p.outward(g, o, from, to)
		}
		e.Points = straighten(points)
	}
}

// inside is the way between two cards of one group.
func (p *Picture) inside(g *group, from, to *Card) []Point {
	out, in := gutters(from, to)
	start := Point{from.right(), from.port()}
	if out == from.place.column {
		start.X = from.X
	}
	end := Point{to.X, p.entry(to, in)}
	if out == in && start.X < end.X && start.Y == end.Y {
		return []Point{start, end}
	}
	points := []Point{start}
	x := g.laneX(out, to.Key)
	points = append(points, Point{x, start.Y})
	if out != in {
		y := g.laneY(to.Key)
		points = append(points, Point{x, y})
		x = g.laneX(in, to.Key)
		points = append(points, Point{x, y})
	}
	return append(points, Point{x, end.Y}, end)
}

// entry is the height at which edges enter a card from a gutter: aside, if a neighbour's edges to somewhere
// else leave into the gutter at the same height, so that the lines are not taken for one.
func (p *Picture) entry(to *Card, gutter int) int {
	for _, e := range p.Edges {
		from := p.byKey[e.From]
		if e.To == to.Key || from.place.group != to.place.group || from.port() != to.port() {
			continue
		}
		leavesLeft := from == to && p.byKey[e.To].place.group == to.place.group && p.byKey[e.To].place.column <= to.place.column
		if from.place.column == gutter-1 || leavesLeft {
			return to.port() - aside
		}
	}
	return to.port()
}

// outward is the way from a card to a service, or to another VPC's border.
func (p *Picture) outward(g *group, o *outerGutter, from, to *Card) []Point {
	points := []Point{{from.right(), from.port()}}
	y := from.port()
	if !from.place.border && !g.opensRight(from) {
		x := g.laneX(from.place.column+1, to.Key)
		y = g.laneY(to.Key)
		points = append(points, Point{x, from.port()}, Point{x, y})
	}
	x := o.lane(to.Key)
	if p.entersGroup(from, to) {
		into := p.groups[to.place.group]
		across, down, at := into.laneY(to.Key), into.laneX(to.place.column, to.Key), p.entry(to, to.place.column)
		return append(points, Point{x, y}, Point{x, across}, Point{down, across}, Point{down, at}, Point{to.X, at})
	}
	end := Point{to.X, to.port()}
	if to.place.border {
		end.X = to.right()
	}
	return append(points, Point{x, y}, Point{x, end.Y}, end)
}

// opensRight reports whether nothing stands between a card and the outer gutter.
func (g *group) opensRight(c *Card) bool {
	if c.place.column+1 != g.columns {
		return false
	}
	return !slices.ContainsFunc(g.border, func(b *Card) bool { return c.port() > b.Y-gap && c.port() < b.bottom()+gap })
}

// straighten leaves out points in which a line does not turn.
func straighten(points []Point) []Point {
	var kept []Point
	for _, q := range points {
		if n := len(kept); n > 0 && kept[n-1] == q {
			continue
		}
		if n := len(kept); n > 1 {
			a, b := kept[n-2], kept[n-1]
			if a.X == b.X && b.X == q.X || a.Y == b.Y && b.Y == q.Y {
				kept = kept[:n-1]
			}
		}
		kept = append(kept, q)
	}
	return kept
}
