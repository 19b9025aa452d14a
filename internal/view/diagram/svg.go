package diagram

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// SVG is the picture as a document of its own: text is text, every element has the id of its resource in data-id
// and a title for those who point at it or cannot see it.
func (p *Picture) SVG(theme Theme) []byte {
	w := &svg{}
	w.f(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-labelledby="title description">`+"\n", p.Width, p.Height, p.Width, p.Height)
	w.f("<title id=\"title\">%s</title>\n<desc id=\"description\">%s</desc>\n", escape(p.alternative()), escape(p.describe()))
	w.f("<style>\n%s</style>\n<defs>\n", style(theme))
	w.symbols(p)
	w.f("</defs>\n<rect class=\"canvas\" width=\"%d\" height=\"%d\"/>\n", p.Width, p.Height)
	w.heading(p)
	for _, b := range p.Boxes {
		w.box(b)
	}
	for _, e := range p.drawn() {
		w.edge(p, e)
	}
	for _, c := range p.Cards {
		w.card(c)
	}
	for _, e := range p.Edges {
		if e.State == StateBlocked {
			w.cross(e)
		}
	}
	for _, b := range p.Badges {
		w.badge(b)
	}
	w.f("</svg>\n")
	return []byte(w.b.String())
}

// drawn are the edges, those that matter most last, so that they lie above the others.
func (p *Picture) drawn() []*Edge {
	var edges []*Edge
	for _, state := range []string{StateLink, StateFlow, StatePath, StateBlocked} {
		for _, e := range p.Edges {
			if e.State == state {
				edges = append(edges, e)
			}
		}
	}
	return edges
}

func (p *Picture) alternative() string {
	if p.Title != "" {
		return p.Title
	}
	return "The network of " + p.region.Label
}

// describe says the picture in words.
func (p *Picture) describe() string {
	if p.Summary != "" {
		return p.Summary
	}
	var parts []string
	for _, e := range p.Edges {
		if e.State != StateLink {
			parts = append(parts, p.byKey[e.From].Label+" to "+p.byKey[e.To].Label)
		}
	}
	if len(parts) == 0 {
		return "Nothing reaches a service."
	}
	const most = 12
	if n := len(parts) - most; n > 0 {
		parts = append(parts[:most], fmt.Sprintf("and %d more", n))
	}
	return "Connections: " + strings.Join(parts, ", ") + "."
}

type svg struct{ b strings.Builder }

func (w *svg) f(format string, args ...any) { fmt.Fprintf(&w.b, format, args...) }

// symbols defines the icons that are used.
func (w *svg) symbols(p *Picture) {
	used := map[string]bool{}
	for _, c := range p.Cards {
		used[c.Icon] = true
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if own, found := p.icons[name]; found {
			w.f("<symbol id=\"icon-%s\" viewBox=\"0 0 40 40\"><image href=\"%s\" width=\"40\" height=\"40\"/></symbol>\n", name, own.href())
			continue
		}
		i := icons()[name]
		w.f("<symbol id=\"icon-%s\" viewBox=\"0 0 40 40\"><rect class=\"%s\" width=\"40\" height=\"40\" rx=\"9\"/><path class=\"icon\" d=\"%s\"/></symbol>\n", name, i.category, i.path)
	}
}

func (w *svg) heading(p *Picture) {
	y := margin
	if p.Title != "" {
		w.f("<text class=\"title\" x=\"%d\" y=\"%d\">%s</text>\n", margin, y+20, escape(p.Title))
		y += 28
	}
	class := "summary"
	if p.Blocked {
		class = "summary blocked"
	}
	for _, line := range p.Heading {
		w.f("<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>\n", class, margin, y+15, escape(line))
		y += 20
	}
}

func (w *svg) box(b *Box) {
	w.f("<g data-id=\"%s\" data-kind=\"%s\"><title>%s</title>", escape(b.ID), b.Kind, escape(strings.TrimSpace(b.Label+" "+b.Detail)))
	w.f(`<rect class="box %s" x="%d" y="%d" width="%d" height="%d" rx="8"/>`, b.Kind, b.X, b.Y, b.Width, b.Height)
	y := b.Y + padding/2 + 14
	for _, line := range b.Lines {
		w.f(`<text class="box-label" x="%d" y="%d">%s</text>`, b.X+padding, y, escape(line))
		y += boxLine
	}
	if b.Detail != "" {
		w.f(`<text class="box-detail" x="%d" y="%d">%s</text>`, b.X+padding, y-2, escape(b.shownDetail()))
	}
	w.f("</g>\n")
}

func (w *svg) card(c *Card) {
	title := c.Label
	if c.ID != c.Label {
		title += " " + c.ID
	}
	if c.Code != "" {
		title += ": " + c.Code
	}
	w.f("<g class=\"%s\" data-id=\"%s\" data-kind=\"%s\"", strings.Join(append([]string{"card"}, c.classes()...), " "), escape(c.ID), c.Kind)
	if c.ENI != "" {
		w.f(" data-interface=\"%s\"", escape(c.ENI))
	}
	w.f("><title>%s</title>", escape(title))
	w.f(`<rect class="face" x="%d" y="%d" width="%d" height="%d" rx="10"/>`, c.X, c.Y, c.Width, c.Height)
	w.f(`<use href="#icon-%s" x="%d" y="%d" width="%d" height="%d"/>`, c.Icon, c.X+12, c.Y+iconTop, iconSize, iconSize)
	for _, t := range c.texts() {
		w.f(`<text class="%s" x="%d" y="%d">%s</text>`, t.class, c.X+textLeft, t.baseline, escape(t.text))
	}
	w.f("</g>\n")
}

// edge draws a line with round corners and a head.
func (w *svg) edge(p *Picture, e *Edge) {
	from, to := p.byKey[e.From], p.byKey[e.To]
	title := from.Label + " → " + to.Label
	if e.Code != "" {
		title += ": " + e.Code
	}
	w.f("<g data-from=\"%s\" data-to=\"%s\" data-id=\"%s\" data-state=\"%s\"><title>%s</title>", escape(from.ID), escape(to.ID), escape(from.ID+"→"+to.ID), e.State, escape(title))
	tip := e.Points[len(e.Points)-1]
	w.f(`<path class="edge %s" d="%s"/>`, e.State, curve(e.shaft()))
	w.f(`<path class="head %s" d="M%d %dl%d -6v12z"/>`, e.State, tip.X, tip.Y, -11*e.direction())
	w.f("</g>\n")
}

// cross marks a blocked edge.
func (w *svg) cross(e *Edge) {
	at := e.middle()
	w.f("<g data-kind=\"blocked\"><title>%s</title>", escape(e.Code))
	w.f(`<circle class="cross" cx="%d" cy="%d" r="10"/>`, at.X, at.Y)
	w.f("<path class=\"cross-mark\" d=\"M%d %dl8 8m0-8l-8 8\"/></g>\n", at.X-4, at.Y-4)
}

func (w *svg) badge(b *Badge) {
	w.f("<g data-id=\"%s\" data-kind=\"badge\"><title>%s</title>", escape(b.ID), escape(b.Text))
	w.f(`<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="9"/>`, b.class("badge"), b.X, b.Y, b.Width, b.Height)
	w.f("<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text></g>\n", b.class("badge-text"), b.X+b.Width/2, b.Y+13, escape(b.Text))
}

func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0xFFFE || r == 0xFFFF {
			return ' ' // XML has no such characters
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace(s)
}
