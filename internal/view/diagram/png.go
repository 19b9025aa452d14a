package diagram

import (
	"bytes"
	"fmt"
	"image/png"
)

// pngScale is how many pixels a unit of the picture has: enough for sharp screens, and for print at half size.
const pngScale = 2

// maxPixels bounds a PNG; a picture that is larger has fewer pixels for each unit.
const maxPixels = 64 << 20

// PNG is the picture in pixels: the SVG's drawing, by the same rules. It has no title to be read aloud.
func (p *Picture) PNG(theme Theme) ([]byte, error) {
	scale := float64(pngScale)
	for scale > 0.25 && float64(p.Width)*float64(p.Height)*scale*scale > maxPixels {
		scale /= 2
	}
	c, err := newCanvas(p.Width, p.Height, scale)
	if err != nil {
		return nil, err
	}
	w := &pixels{canvas: c, picture: p, theme: theme}
	w.canvas.box(0, 0, float64(p.Width), float64(p.Height), 0, paintOf(theme, ".canvas"))
	w.heading()
	for _, b := range p.Boxes {
		w.container(b)
	}
	for _, e := range p.drawn() {
		w.edge(e)
	}
	for _, card := range p.Cards {
		w.card(card)
	}
	for _, e := range p.Edges {
		if e.State == StateBlocked {
			w.cross(e)
		}
	}
	for _, b := range p.Badges {
		w.badge(b)
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.DefaultCompression}
	if err := encoder.Encode(&out, c.image); err != nil {
		return nil, fmt.Errorf("encode the picture: %w", err)
	}
	return out.Bytes(), nil
}

type pixels struct {
	*canvas
	picture *Picture
	theme   Theme
}

// write writes a line in the colour of a selector.
func (w *pixels) write(s string, x, y, size int, bold bool, selectors ...string) {
	w.text(s, float64(x), float64(y), size, bold, paintOf(w.theme, selectors...).fill)
}

func (w *pixels) heading() {
	p := w.picture
	y := margin
	if p.Title != "" {
		w.write(p.Title, margin, y+20, titleSize, true, ".title")
		y += 28
	}
	selectors := []string{".summary"}
	if p.Blocked {
		selectors = append(selectors, ".summary.blocked")
	}
	for _, line := range p.Heading {
		w.write(line, margin, y+15, summarySize, false, selectors...)
		y += 20
	}
}

func (w *pixels) container(b *Box) {
	w.box(float64(b.X), float64(b.Y), float64(b.Width), float64(b.Height), 8, paintOf(w.theme, ".box", ".box."+b.Kind))
	y := b.Y + padding/2 + 14
	for _, line := range b.Lines {
		w.write(line, b.X+padding, y, boxSize, true, ".box-label")
		y += boxLine
	}
	if b.Detail != "" {
		w.write(b.shownDetail(), b.X+padding, y-2, detailSize, false, ".box-detail")
	}
}

func (w *pixels) card(c *Card) {
	selectors := []string{".card rect.face"}
	for _, class := range c.classes() {
		selectors = append(selectors, ".card."+class+" rect.face")
	}
	w.box(float64(c.X), float64(c.Y), float64(c.Width), float64(c.Height), 10, paintOf(w.theme, selectors...))
	w.icon(c.Icon, float64(c.X+12), float64(c.Y+iconTop))
	for _, line := range c.texts() {
		w.write(line.text, c.X+textLeft, line.baseline, line.size, line.bold, ".card ."+line.class)
	}
}

func (w *pixels) icon(name string, x, y float64) {
	if own := w.picture.icons[name]; own.decoded != nil {
		w.paste(own.decoded, x, y, iconSize)
		return
	}
	i := icons()[name]
	w.box(x, y, iconSize, iconSize, 9, paintOf(w.theme, "."+i.category))
	lines := subpaths(i.path)
	for _, l := range lines {
		for n := range l.points {
			l.points[n] = l.points[n].plus(vec{x, y})
		}
	}
	w.stroke(lines, 2, nil, colour("#ffffff"))
}

func (w *pixels) edge(e *Edge) {
	p := paintOf(w.theme, ".edge", ".edge."+e.State)
	w.stroke(subpaths(curve(e.shaft())), p.width, p.dashes, p.stroke)
	end := e.Points[len(e.Points)-1]
	tip := vec{float64(end.X), float64(end.Y)}
	back := tip.x - 11*float64(e.direction())
	shape := []vec{tip, {back, tip.y - 6}, {back, tip.y + 6}}
	w.fill([][]vec{shape}, paintOf(w.theme, ".head", ".head."+e.State).fill)
}

func (w *pixels) badge(b *Badge) {
	class, text := []string{".badge"}, []string{".badge-text"}
	if b.Rejected {
		class, text = append(class, ".badge.rejected"), append(text, ".badge-text.rejected")
	}
	w.box(float64(b.X), float64(b.Y), float64(b.Width), float64(b.Height), 9, paintOf(w.theme, class...))
	left := float64(b.X) + (float64(b.Width)-w.width(b.Text, detailSize, true))/2
	w.text(b.Text, left, float64(b.Y+13), detailSize, true, paintOf(w.theme, text...).fill)
}

func (w *pixels) cross(e *Edge) {
	at := e.middle()
	x, y := float64(at.X), float64(at.Y)
	p := paintOf(w.theme, ".cross")
	w.fill([][]vec{disc(vec{x, y}, 11)}, p.stroke)
	w.fill([][]vec{disc(vec{x, y}, 9)}, p.fill)
	mark := paintOf(w.theme, ".cross-mark").stroke
	w.stroke(subpaths(fmt.Sprintf("M%g %gl8 8M%g %gl-8 8", x-4, y-4, x+4, y-4)), 2.5, nil, mark)
}
