package diagram

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// canvas is a picture of pixels. Its measures are those of the SVG; each of them is some pixels.
type canvas struct {
	image *image.RGBA
	scale float64
	faces map[face]font.Face
}

type face struct {
	size int
	bold bool
}

func newCanvas(width, height int, scale float64) (*canvas, error) {
	c := &canvas{image.NewRGBA(image.Rect(0, 0, int(math.Ceil(float64(width)*scale)), int(math.Ceil(float64(height)*scale)))), scale, map[face]font.Face{}}
	for bold, ttf := range map[bool][]byte{false: goregular.TTF, true: gobold.TTF} {
		f, err := opentype.Parse(ttf)
		if err != nil {
			return nil, fmt.Errorf("read the font: %w", err)
		}
		for _, size := range []int{labelSize, detailSize, boxSize, titleSize, summarySize} {
			made, err := opentype.NewFace(f, &opentype.FaceOptions{Size: float64(size) * scale, DPI: 72, Hinting: font.HintingNone})
			if err != nil {
				return nil, fmt.Errorf("scale the font: %w", err)
			}
			c.faces[face{size, bold}] = made
		}
	}
	return c, nil
}

// fill fills shapes. All must turn the same way: what turns the other way cuts holes.
func (c *canvas) fill(shapes [][]vec, with color.Color) {
	low, high := vec{math.Inf(1), math.Inf(1)}, vec{math.Inf(-1), math.Inf(-1)}
	for _, shape := range shapes {
		for _, p := range shape {
			low = vec{min(low.x, p.x), min(low.y, p.y)}
			high = vec{max(high.x, p.x), max(high.y, p.y)}
		}
	}
	if with == nil || !(low.x <= high.x) {
		return
	}
	left, top := math.Floor(low.x*c.scale), math.Floor(low.y*c.scale)
	area := image.Rect(int(left), int(top), int(math.Ceil(high.x*c.scale)), int(math.Ceil(high.y*c.scale)))
	r := vector.NewRasterizer(area.Dx(), area.Dy())
	at := func(p vec) (x, y float32) { return float32(p.x*c.scale - left), float32(p.y*c.scale - top) }
	for _, shape := range shapes {
		r.MoveTo(at(shape[0]))
		for _, p := range shape[1:] {
			r.LineTo(at(p))
		}
		r.ClosePath()
	}
	r.Draw(c.image, area, image.NewUniform(with), image.Point{})
}

// stroke draws a line with round joins and ends.
func (c *canvas) stroke(lines []subpath, width float64, dashes []float64, with color.Color) {
	var shapes [][]vec
	for _, l := range lines {
		points := l.points
		if l.closed {
			points = append(points[:len(points):len(points)], points[0])
		}
		for _, part := range dashed(points, dashes) {
			shapes = append(shapes, outline(part, width/2)...)
		}
	}
	c.fill(shapes, with)
}

// outline are the shapes that a line covers: a bar for each part and a disc at each turn.
func outline(points []vec, radius float64) [][]vec {
	var shapes [][]vec
	for i, p := range points {
		shapes = append(shapes, disc(p, radius))
		if i == 0 || p == points[i-1] {
			continue
		}
		a := points[i-1]
		aside := a.turned(p).times(radius / a.to(p))
		shapes = append(shapes, []vec{a.plus(aside.times(-1)), p.plus(aside.times(-1)), p.plus(aside), a.plus(aside)})
	}
	return shapes
}

func disc(at vec, radius float64) []vec {
	const steps = 16
	points := make([]vec, steps)
	for i := range points {
		a := 2 * math.Pi * float64(i) / steps
		points[i] = vec{at.x + radius*math.Cos(a), at.y + radius*math.Sin(a)}
	}
	return points
}

// dashed cuts a line into its dashes.
func dashed(points []vec, dashes []float64) [][]vec {
	if len(dashes) < 2 || len(points) < 2 {
		return [][]vec{points}
	}
	var parts [][]vec
	part, left, i := []vec{points[0]}, dashes[0], 0
	for n := 1; n < len(points); n++ {
		a, b := points[n-1], points[n]
		for a.to(b) > left {
			a = between(a, b, left/a.to(b))
			if i%2 == 0 {
				parts = append(parts, append(part, a))
			}
			part, i = []vec{a}, i+1
			left = dashes[i%len(dashes)]
		}
		left -= a.to(b)
		part = append(part, b)
	}
	if i%2 == 0 {
		parts = append(parts, part)
	}
	return parts
}

// box draws a rectangle with round corners, filled and with a line around it.
func (c *canvas) box(x, y, width, height, radius float64, p paint) {
	corner := func(d string) []subpath { return subpaths(d) }
	line := corner(fmt.Sprintf("M%g %gh%ga%g %g 0 0 1 %g %gv%ga%g %g 0 0 1 %g %gh%ga%g %g 0 0 1 %g %gv%ga%g %g 0 0 1 %g %gz",
		x+radius, y, width-2*radius, radius, radius, radius, radius, height-2*radius, radius, radius, -radius, radius,
		2*radius-width, radius, radius, -radius, -radius, 2*radius-height, radius, radius, radius, -radius))
	c.fill([][]vec{line[0].points}, p.fill)
	if p.stroke != nil {
		c.stroke(line, p.width, p.dashes, p.stroke)
	}
}

// drawable replaces what the font does not have.
var drawable = strings.NewReplacer("✕", "×")

// width is how wide a line of text is.
func (c *canvas) width(s string, size int, bold bool) float64 {
	return float64(font.MeasureString(c.faces[face{size, bold}], drawable.Replace(s))) / 64 / c.scale
}

// text writes a line with its baseline.
func (c *canvas) text(s string, x, y float64, size int, bold bool, with color.Color) {
	d := font.Drawer{
		Dst: c.image, Src: image.NewUniform(with), Face: c.faces[face{size, bold}],
		Dot: fixed.Point26_6{X: fixed.Int26_6(x * c.scale * 64), Y: fixed.Int26_6(y * c.scale * 64)},
	}
	d.DrawString(drawable.Replace(s))
}
