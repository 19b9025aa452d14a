package diagram

import (
	"math"
	"strconv"
)

// vec is a point on a canvas of any scale.
type vec struct{ x, y float64 }

func (a vec) plus(b vec) vec          { return vec{a.x + b.x, a.y + b.y} }
func (a vec) times(f float64) vec     { return vec{a.x * f, a.y * f} }
func (a vec) to(b vec) (n float64)    { return math.Hypot(b.x-a.x, b.y-a.y) }
func (a vec) turned(b vec) (c vec)    { return vec{a.y - b.y, b.x - a.x} } // a quarter turn of a to b
func between(a, b vec, f float64) vec { return vec{a.x + (b.x-a.x)*f, a.y + (b.y-a.y)*f} }

// subpath is a line of points.
type subpath struct {
	points []vec
	closed bool
}

// subpaths reads an SVG path of the commands M, l, h, v, a (not turned), c, Q and z, and of the
// absolute forms M, L, H and V, as the icons have them, and makes straight lines of it. What it cannot read it leaves out.
func subpaths(d string) []subpath {
	r := &pathReader{rest: d}
	for r.command() {
		switch r.last {
		case 'M', 'm':
			r.move(r.point(r.last == 'm'))
		case 'L', 'l':
			r.line(r.point(r.last == 'l'))
		case 'h':
			r.line(vec{r.at.x + r.number(), r.at.y})
		case 'v':
			r.line(vec{r.at.x, r.at.y + r.number()})
		case 'H':
			r.line(vec{r.number(), r.at.y})
		case 'V':
			r.line(vec{r.at.x, r.number()})
		case 'c':
			r.cubic(r.point(true), r.point(true), r.point(true))
		case 'Q':
			r.quadratic(r.point(false), r.point(false))
		case 'a':
			radii := vec{r.number(), r.number()}
			_, large, sweep := r.number(), r.number() != 0, r.number() != 0
			r.arc(radii, large, sweep, r.point(true))
		case 'Z', 'z':
			r.close()
		}
	}
	return r.done
}

type pathReader struct {
	rest string
	last byte
	at   vec
	done []subpath
}

// command finds the next command; numbers without one repeat the last.
func (r *pathReader) command() bool {
	r.skip()
	if r.rest == "" {
		return false
	}
	if c := r.rest[0]; c >= 'A' {
		r.last, r.rest = c, r.rest[1:]
		return true
	}
	if r.last == 0 || r.last == 'z' || r.last == 'Z' {
		return false // numbers that belong to nothing
	}
	return true
}

func (r *pathReader) skip() {
	for r.rest != "" && (r.rest[0] == ' ' || r.rest[0] == ',') {
		r.rest = r.rest[1:]
	}
}

func (r *pathReader) number() float64 {
	r.skip()
	n := 0
	for n < len(r.rest) && (r.rest[n] >= '0' && r.rest[n] <= '9' || r.rest[n] == '.' || r.rest[n] == '-' && n == 0) {
		n++
	}
	if n == 0 {
		r.rest = "" // no path of ours
		return 0
	}
	v, _ := strconv.ParseFloat(r.rest[:n], 64)
	r.rest = r.rest[n:]
	return v
}

func (r *pathReader) point(relative bool) vec {
	p := vec{r.number(), r.number()}
	if relative {
		return r.at.plus(p)
	}
	return p
}

func (r *pathReader) move(to vec) {
	r.at = to
	r.done = append(r.done, subpath{points: []vec{to}})
}

func (r *pathReader) line(to vec) {
	r.at = to
	if n := len(r.done); n > 0 {
		r.done[n-1].points = append(r.done[n-1].points, to)
	}
}

func (r *pathReader) close() {
	if n := len(r.done); n > 0 {
		r.done[n-1].closed = true
		r.at = r.done[n-1].points[0]
	}
}

const curveSteps = 16

func (r *pathReader) cubic(b, c, d vec) {
	a := r.at
	for i := 1; i <= curveSteps; i++ {
		f := float64(i) / curveSteps
		ab, bc, cd := between(a, b, f), between(b, c, f), between(c, d, f)
		r.line(between(between(ab, bc, f), between(bc, cd, f), f))
	}
}

func (r *pathReader) quadratic(b, c vec) {
	a := r.at
	for i := 1; i <= curveSteps; i++ {
		f := float64(i) / curveSteps
		r.line(between(between(a, b, f), between(b, c, f), f))
	}
}

// arc follows an ellipse: SVG 2, appendix B.2.4, without rotation.
func (r *pathReader) arc(radii vec, large, sweep bool, to vec) {
	from := r.at
	half := between(from, to, 0.5)
	d := vec{(from.x - to.x) / 2 / radii.x, (from.y - to.y) / 2 / radii.y}
	n := d.x*d.x + d.y*d.y
	if n == 0 || radii.x <= 0 || radii.y <= 0 {
		r.line(to)
		return
	}
	if n > 1 { // too small for the way: it grows, as in SVG
		radii, d, n = radii.times(math.Sqrt(n)), d.times(1/math.Sqrt(n)), 1
	}
	f := math.Sqrt((1 - n) / n)
	if large == sweep {
		f = -f
	}
	middle := vec{f * d.y, -f * d.x}
	start := math.Atan2(d.y-middle.y, d.x-middle.x)
	angle := math.Atan2(-d.y-middle.y, -d.x-middle.x) - start
	if sweep && angle < 0 {
		angle += 2 * math.Pi
	} else if !sweep && angle > 0 {
		angle -= 2 * math.Pi
	}
	for i := 1; i < curveSteps; i++ {
		a := start + angle*float64(i)/curveSteps
		r.line(vec{half.x + (middle.x+math.Cos(a))*radii.x, half.y + (middle.y+math.Sin(a))*radii.y})
	}
	r.line(to)
}
