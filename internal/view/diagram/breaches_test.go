package diagram

import (
	"fmt"
	"strings"
)

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
