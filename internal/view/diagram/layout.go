package diagram

import (
	"cmp"
	"slices"
)

// The measures of the picture, in pixels.
const (
	margin     = 24
	padding    = 16 // between a box and what is in it
	gap        = 14 // between siblings in a stack
	iconSize   = 40
	iconTop    = 12
	textLeft   = 64  // from a card's left edge to its text
	textMax    = 204 // an id fits
	labelLine  = 19
	detailLine = 16
	boxLine    = 19
	gutterPad  = 18 // around the lanes of a gutter
	laneStep   = 8
	aside      = 10 // from where lines leave a card to where others enter it
	summaryMax = 1080
)

// arrange gives everything its place.
func (p *Picture) arrange(in Input) {
	p.planLanes()
	room := p.planBadges(in)
	p.sizeCards()
	top := p.heading()
	y := top + padding + boxLine
	right := 0
	for _, g := range p.groups {
		bottom, edge := p.placeGroup(g, 2*margin, y)
		right = max(right, edge)
		y = bottom + margin
	}
	right = max(right, 2*margin+textMax)
	outer := p.outerLanes()
	outer.x = right + gutterPad + room.borders
	servicesX := outer.x + gutterPad + outer.width() + room.services
	y = max(y, p.placeServices(servicesX, top+padding+boxLine))
	regionRight := right + margin
	if len(outer.to) > 0 {
		regionRight = outer.x + outer.width() + gutterPad + margin
	}
	if len(p.services) > 0 {
		regionRight = servicesX + cardWidth + margin
	}
	regionRight = max(regionRight, margin+p.region.labelWidth()+2*padding)
	p.region.Lines = []string{p.region.Label}
	p.region.Rect = Rect{margin, top, regionRight - margin, y - top}
	p.Width = max(regionRight+margin, p.headingWidth()+2*margin)
	p.Height = p.region.bottom() + margin
	p.route(outer)
	p.placeBadges()
}

func (b *Box) labelWidth() int { return textWidth(b.Label, boxSize) }

// heading breaks the title and the summary and returns where the region begins.
func (p *Picture) heading() int {
	y := margin
	if p.Title != "" {
		y += 28
	}
	p.Heading = wrap(p.Summary, " ", summarySize, summaryMax)
	y += 20 * len(p.Heading)
	if y > margin {
		y += 12
	}
	return y
}

func (p *Picture) headingWidth() int {
	w := textWidth(p.Title, titleSize)
	for _, line := range p.Heading {
		w = max(w, textWidth(line, summarySize))
	}
	return w
}

// cardWidth is the same for all cards of all pictures, so that a new card moves none by its text.
const cardWidth = textLeft + textMax + 12

// sizeCards breaks the texts of all cards.
func (p *Picture) sizeCards() {
	const text = textMax
	for _, c := range p.Cards {
		c.Lines = wrap(c.Label, nameEnds, labelSize, text)
		c.Details = nil
		for _, d := range c.details {
			c.Details = append(c.Details, wrap(d, nameEnds, detailSize, text)...)
		}
		if c.Code != "" {
			c.Alert = wrap("✕ "+c.Code, nameEnds, detailSize, text)
		}
		c.Width = cardWidth
		c.Height = max(2*iconTop+iconSize, 22+labelLine*len(c.Lines)+detailLine*(len(c.Details)+len(c.Alert)))
	}
}

// placeGroup places a VPC with its upper left corner, and returns its lower edge and the right edge of all it has.
func (p *Picture) placeGroup(g *group, x, y int) (bottom, right int) {
	g.box.Lines = wrap(g.box.Label, nameEnds, boxSize, cardWidth)
	g.placeColumns(x)
	top := y + padding + boxLine*len(g.box.Lines) + detailLine
	if g.vpc == nil {
		top = y // its only zone is itself
	}
	inner := g.placeRows(top)
	right = g.gutterX[g.columns] + g.lanes.gutterWidth(g.columns)
	if len(g.border) > 0 {
		right += borderInside
	}
	bottom = p.placeBorder(g, right-borderInside, top, inner)
	if g.vpc != nil {
		g.box.Rect = Rect{x, y, right - x, bottom + padding - y}
		bottom += padding
	} else {
		right = g.box.right()
	}
	for _, c := range g.border {
		right = max(right, c.right())
	}
	return bottom, right
}

// placeColumns decides where columns and gutters are.
func (g *group) placeColumns(x int) {
	g.gutterX, g.columnX = make([]int, g.columns+1), make([]int, g.columns)
	if g.vpc != nil {
		x += padding
	} else {
		x -= g.lanes.gutterWidth(0)
	}
	for i, z := range g.zones {
		inset := 2 * padding
		if g.vpc == nil {
			inset = padding
		}
		for c := range z.work + z.net {
			column := z.from + c
			g.gutterX[column] = x
			x += g.lanes.gutterWidth(column)
			if c == 0 {
				z.left(x)
				x += inset
			}
			g.columnX[column] = x
			x += cardWidth
		}
		x += inset
		z.rightEdge(x)
		if i == len(g.zones)-1 {
			g.gutterX[g.columns] = x
		}
	}
	if len(g.zones) == 0 {
		g.gutterX[0] = x + cardWidth
	}
}

func (z *zone) left(x int)      { z.box.X = x }
func (z *zone) rightEdge(x int) { z.box.Width = x - z.box.X }

// placeRows places zones, subnets and cards, and returns the lower edge.
func (g *group) placeRows(top int) int {
	if g.vpc == nil {
		s := g.zones[0].rows[1][0]
		bottom := s.place(g, top, g.zones[0].box.X, g.zones[0].box.Width)
		g.middle = top
		return bottom
	}
	y := top + padding
	for _, z := range g.zones {
		z.box.Y, z.box.Lines = top, []string{z.box.Label}
		y = max(y, top+padding/2+boxLine+gap/2)
	}
	y = g.placeRow(0, y)
	g.middle = y
	y += g.middleHeight()
	y = g.placeRow(1, y)
	for _, z := range g.zones {
		z.box.Height = y + padding - z.box.Y
	}
	return y + padding
}

// placeRow stacks the subnets of one row in every zone, those of a tier at the same height; the lowest of each reaches
// down to the row's end, as those of a tier do to the lowest of theirs.
func (g *group) placeRow(row, top int) int {
	y := top
	for _, t := range g.sharedTiers(row) {
		next := y
		for _, z := range g.zones {
			for _, s := range z.rows[row] {
				if s.tier == t {
					next = max(next, s.place(g, y, z.box.X+padding, z.box.Width-2*padding)+gap)
				}
			}
		}
		for _, z := range g.zones {
			for _, s := range z.rows[row] {
				if s.tier == t {
					s.box.Height = next - gap - y
				}
			}
		}
		y = next
	}
	bottom := top
	for _, z := range g.zones {
		y := top
		for _, s := range z.rows[row] {
			if !s.tier.shared() {
				s.place(g, y, z.box.X+padding, z.box.Width-2*padding)
			}
			y = s.box.bottom() + gap
			bottom = max(bottom, s.box.bottom())
		}
	}
	for _, z := range g.zones {
		if n := len(z.rows[row]); n > 0 {
			last := z.rows[row][n-1].box
			last.Height = bottom - last.Y
		}
	}
	return bottom
}

// emptyHeight is the room for a card in a subnet that has none, so that the first one moves nothing.
const emptyHeight = 2*iconTop + iconSize + 2*detailLine - 6

// place places a subnet and its cards, and returns its lower edge.
func (s *subnet) place(g *group, y, x, width int) int {
	s.box.X, s.box.Y, s.box.Width = x, y, width
	s.box.Lines = wrap(s.box.Label, nameEnds, boxSize, cardWidth)
	y += padding/2 + boxLine*len(s.box.Lines)
	if s.box.Detail != "" {
		y += detailLine
	}
	y += gap / 2
	for _, line := range s.lines() {
		tallest := 0
		for _, c := range line {
			c.X, c.Y = g.columnX[c.place.column], y
			tallest = max(tallest, c.Height)
		}
		y += tallest + gap
	}
	if len(s.work)+len(s.net) > 0 {
		y -= gap
	} else {
		y += emptyHeight
	}
	s.box.Height = y + padding - s.box.Y
	return s.box.bottom()
}

// lines are the cards that stand side by side: as many as there are columns, the gateways in theirs.
func (s *subnet) lines() [][]*Card {
	var lines [][]*Card
	add := func(i int, c *Card) {
		for len(lines) <= i {
			lines = append(lines, nil)
		}
		lines[i] = append(lines[i], c)
	}
	at, first := -1, -1
	for _, c := range s.work {
		if first < 0 || c.place.column == first {
			at++
		}
		if first < 0 {
			first = c.place.column
		}
		add(at, c)
	}
	for i, c := range s.net {
		add(i, c)
	}
	return lines
}

// borderInside is how much of a border card is inside the VPC: its icon stands on the line.
const borderInside = 12 + iconSize/2

// placeBorder places the cards of a VPC's right border, each as near as can be to where its edges come from, and
// none where the horizontal gutter leaves the VPC. It returns the lower edge of the VPC's inside.
func (p *Picture) placeBorder(g *group, x, top, bottom int) int {
	wanted := map[*Card]int{}
	for _, c := range g.border {
		wanted[c] = p.highestPort(c, top)
	}
	slices.SortStableFunc(g.border, func(a, b *Card) int { return cmp.Compare(wanted[a], wanted[b]) })
	y := top
	lower := g.middle + g.middleHeight()
	for _, c := range g.border {
		at := max(y, wanted[c]-iconTop-iconSize/2)
		if len(g.lanes.middle) > 0 && at < lower+gap && at+c.Height > g.middle-gap {
			at = max(y, g.middle-gap-c.Height)
			if at+c.Height > g.middle-gap {
				at = lower + gap
			}
		}
		c.X, c.Y = x, at
		y = at + c.Height + gap
		bottom = max(bottom, c.bottom())
	}
	return bottom
}

// highestPort is that of the highest card that leads to a card, which new ones seldom change; top if there is none.
func (p *Picture) highestPort(to *Card, top int) int {
	var ports []int
	for _, e := range p.Edges {
		if from := p.byKey[e.From]; e.To == to.Key && from.Y > 0 {
			ports = append(ports, from.port())
		}
	}
	if len(ports) == 0 {
		return top + iconTop + iconSize/2
	}
	return slices.Min(ports)
}

// placeServices places the services on the right, each as near as can be to where its edges come from. It returns
// the lower edge of them all.
func (p *Picture) placeServices(x, top int) int {
	wanted := map[*Card]int{}
	for _, c := range p.services {
		wanted[c] = p.highestPort(c, top)
	}
	slices.SortStableFunc(p.services, func(a, b *Card) int { return cmp.Compare(wanted[a], wanted[b]) })
	y := top
	for _, c := range p.services {
		c.X, c.Y = x, max(y, wanted[c]-iconTop-iconSize/2)
		y = c.bottom() + gap
	}
	return y + padding
}
