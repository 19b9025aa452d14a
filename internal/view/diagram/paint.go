package diagram

import (
	"image/color"
	"strconv"
	"strings"
)

// paint is what the rules of a style sheet say of one element.
type paint struct {
	fill, stroke color.Color // nil: none
	width        float64
	dashes       []float64
}

// paintOf gathers the rules of some selectors, later ones over earlier ones.
func paintOf(theme Theme, selectors ...string) paint {
	p := paint{width: 1}
	for _, selector := range selectors {
		for _, r := range rules() {
			if r.selector != selector {
				continue
			}
			declarations := r.light
			if theme == ThemeDark {
				declarations = r.dark
			}
			p.declare(declarations)
		}
	}
	return p
}

func (p *paint) declare(declarations string) {
	for d := range strings.SplitSeq(declarations, ";") {
		name, value, _ := strings.Cut(d, ":")
		switch name {
		case "fill":
			p.fill = colour(value)
		case "stroke":
			p.stroke = colour(value)
		case "stroke-width":
			p.width, _ = strconv.ParseFloat(value, 64)
		case "stroke-dasharray":
			p.dashes = nil
			for n := range strings.FieldsSeq(value) {
				f, _ := strconv.ParseFloat(n, 64)
				p.dashes = append(p.dashes, f)
			}
		}
	}
}

// colour reads #rrggbb; anything else is none.
func colour(s string) color.Color {
	v, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32)
	if err != nil || len(s) != 7 {
		return nil
	}
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
}
