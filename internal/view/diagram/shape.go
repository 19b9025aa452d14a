package diagram

import (
	"fmt"
	"slices"
	"strings"
)

// shownDetail is a box's second line.
func (b *Box) shownDetail() string {
	switch b.Kind {
	case KindPublicSubnet:
		return "public · " + b.Detail
	case KindPrivateSubnet:
		return "private · " + b.Detail
	default:
		return b.Detail
	}
}

// classes are the states of a card that change how it looks.
func (c *Card) classes() []string {
	var classes []string
	if c.onPath {
		classes = append(classes, "on-path")
	}
	if c.Code != "" {
		classes = append(classes, "blocked")
	}
	return classes
}

// line is a line of text on a card.
type line struct {
	text, class    string
	size, baseline int
	bold           bool
}

// texts are the lines of a card, in the middle of its height.
func (c *Card) texts() []line {
	var lines []line
	y := c.Y + (c.Height-c.textHeight())/2
	add := func(class string, texts []string, size, height, baseline int, bold bool) {
		for _, s := range texts {
			lines = append(lines, line{s, class, size, y + baseline, bold})
			y += height
		}
	}
	add("label", c.Lines, labelSize, labelLine, 15, true)
	add("detail", c.Details, detailSize, detailLine, 12, false)
	add("code", c.Alert, detailSize, detailLine, 12, true)
	return lines
}

func (c *Card) textHeight() int {
	return len(c.Lines)*labelLine + (len(c.Details)+len(c.Alert))*detailLine
}

// direction is 1 if an edge ends to the right, else -1.
func (e *Edge) direction() int {
	if n := len(e.Points); e.Points[n-2].X > e.Points[n-1].X {
		return -1
	}
	return 1
}

// shaft is an edge's line without its head.
func (e *Edge) shaft() []Point {
	points := slices.Clone(e.Points)
	points[len(points)-1].X -= 8 * e.direction()
	return points
}

// middle is the middle of the longest part of an edge.
func (e *Edge) middle() Point {
	var at Point
	longest := -1
	for i := 1; i < len(e.Points); i++ {
		a, b := e.Points[i-1], e.Points[i]
		if n := max(a.X-b.X, b.X-a.X, a.Y-b.Y, b.Y-a.Y); n > longest {
			longest, at = n, Point{(a.X + b.X) / 2, (a.Y + b.Y) / 2}
		}
	}
	return at
}

const corner = 8

// curve is a path whose corners are round.
func curve(points []Point) string {
	var b strings.Builder
	fmt.Fprintf(&b, "M%d %d", points[0].X, points[0].Y)
	for i := 1; i < len(points)-1; i++ {
		before := towards(points[i], points[i-1])
		after := towards(points[i], points[i+1])
		fmt.Fprintf(&b, "L%d %dQ%d %d %d %d", before.X, before.Y, points[i].X, points[i].Y, after.X, after.Y)
	}
	last := points[len(points)-1]
	fmt.Fprintf(&b, "L%d %d", last.X, last.Y)
	return b.String()
}

// towards is the point a corner's radius away from one point towards another, but no farther than half of the way.
func towards(from, to Point) Point {
	step := func(a, b int) int { return max(-corner, min(corner, (b-a)/2)) }
	return Point{from.X + step(from.X, to.X), from.Y + step(from.Y, to.Y)}
}
