package diagram

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"testing"

	"golang.org/x/image/font"
)

func decoded(t *testing.T, p *Picture, theme Theme) image.Image {
	t.Helper()
	b, err := p.PNG(theme)
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.PNG(theme)
	if err != nil || !bytes.Equal(b, again) {
		t.Fatalf("the same picture has other bytes, error %v", err)
	}
	i, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// holds reports whether a colour is anywhere in a place of the picture.
func holds(i image.Image, r Rect, want color.Color) bool {
	a, b, c, _ := want.RGBA()
	for y := r.Y * pngScale; y < r.bottom()*pngScale; y++ {
		for x := r.X * pngScale; x < r.right()*pngScale; x++ {
			if d, e, f, _ := i.At(x, y).RGBA(); a == d && b == e && c == f {
				return true
			}
		}
	}
	return false
}

func TestThePNGShowsWhatTheSVGShows(t *testing.T) {
	for _, theme := range []Theme{ThemeLight, ThemeDark} {
		p := Draw(blockedInput(t))
		i := decoded(t, p, theme)
		if got, want := i.Bounds().Size(), (image.Point{p.Width * pngScale, p.Height * pngScale}); got != want {
			t.Errorf("got a picture of %v, want %v", got, want)
		}
		for _, b := range p.Boxes {
			if !holds(i, labelRect(b), paintOf(theme, ".box-label").fill) {
				t.Errorf("%s: %s has no label", theme, b.Key)
			}
		}
		for _, c := range p.Cards {
			if text := (Rect{c.X + textLeft, c.Y, c.Width - textLeft, c.Height}); !holds(i, text, paintOf(theme, ".card .label").fill) {
				t.Errorf("%s: %s has no text", theme, c.Key)
			}
			if tile := (Rect{c.X + 12, c.Y + iconTop, iconSize, iconSize}); !holds(i, tile, paintOf(theme, "."+icons()[c.Icon].category).fill) || !holds(i, tile, color.White) {
				t.Errorf("%s: %s has no icon", theme, c.Key)
			}
		}
		for _, e := range p.Edges {
			at := e.middle()
			if !holds(i, Rect{at.X - 12, at.Y - 12, 24, 24}, paintOf(theme, ".edge", ".edge."+e.State).stroke) {
				t.Errorf("%s: there is no line from %s to %s", theme, e.From, e.To)
			}
		}
	}
}

// What is measured is never narrower than what is drawn.
func TestNoTextOfAPNGIsWiderThanMeasured(t *testing.T) {
	c, err := newCanvas(1, 1, pngScale)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		text := make([]byte, 1+rng.IntN(40))
		for i := range text {
			text[i] = byte(' ' + rng.IntN('~'-' '))
		}
		for f, drawn := range c.faces {
			if got, most := font.MeasureString(drawn, string(text)).Ceil(), textWidth(string(text), f.size)*pngScale+1; got > most {
				t.Fatalf("%q in %+v takes %d pixels, measured %d", text, f, got, most)
			}
		}
	}
}

func TestEveryIconIsDrawnWithinItsTile(t *testing.T) {
	for name, i := range icons() {
		lines := subpaths(i.path)
		if len(lines) == 0 {
			t.Errorf("%s is empty", name)
		}
		for _, l := range lines {
			for _, p := range l.points {
				if len(l.points) < 2 || !(p.x >= 6 && p.x <= 34 && p.y >= 6 && p.y <= 34) {
					t.Errorf("%s: %v of %v is outside", name, p, l.points)
				}
			}
		}
	}
}
