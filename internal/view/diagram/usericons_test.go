package diagram

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strings"
	"testing"
)

func square(t *testing.T, side int, with color.Color) []byte {
	t.Helper()
	i := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.Draw(i, i.Bounds(), image.NewUniform(with), image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := png.Encode(&b, i); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestUserIconsAreDrawnInThePlaceOfOurs(t *testing.T) {
	pink := color.RGBA{255, 0, 255, 255}
	in := articleByNAT(t)
	icons, err := CheckIcons(map[string]UserIcon{"nat": {SVG: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), PNG: square(t, 48, pink)}, "function": {PNG: square(t, 8, pink)}})
	if err != nil {
		t.Fatal(err)
	}
	in.Icons = icons
	p := Draw(in)
	svg := string(p.SVG(ThemeLight))
	for _, want := range []string{`<symbol id="icon-nat" viewBox="0 0 40 40"><image href="data:image/svg+xml;base64,`, `<symbol id="icon-function" viewBox="0 0 40 40"><image href="data:image/png;base64,`, `<path class="icon"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("there is no %s", want)
		}
	}
	i := decoded(t, p, ThemeLight)
	for _, c := range p.Cards {
		want := c.Icon == "nat" || c.Icon == "function"
		if got := holds(i, Rect{c.X + 20, c.Y + iconTop + 8, 24, 24}, pink); got != want {
			t.Errorf("%s: pink %v, want %v", c.Key, got, want)
		}
	}
}

func TestIconsThatCannotBeDrawnAreRefused(t *testing.T) {
	for want, i := range map[string]map[string]UserIcon{
		`icon "cat" is none of balancer, egress-only`: {"cat": {}},
		"no SVG: its root is html":                    {"nat": {SVG: []byte("<html/>")}},
		"no SVG: EOF":                                 {"nat": {SVG: []byte("text")}},
		"icon nat is no SVG":                          {"nat": {SVG: []byte("<svg>")}},
		"icon nat is no PNG":                          {"nat": {PNG: []byte("<svg/>")}},
		"are too many":                                {"nat": {PNG: square(t, maxIconSide+1, color.Black)}},
		"larger than":                                 {"nat": {SVG: make([]byte, maxIcon+1)}},
	} {
		if _, err := CheckIcons(i); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
