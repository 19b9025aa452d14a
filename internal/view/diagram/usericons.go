package diagram

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"maps"
	"slices"
	"strings"

	"golang.org/x/image/draw"
)

// UserIcon is a user's own drawing in the place of one of ours: an SVG for SVG pictures, a PNG for PNG pictures.
type UserIcon struct {
	SVG []byte `json:"svg,omitempty"`
	PNG []byte `json:"png,omitempty"`

	decoded image.Image
}

// IconNames are the names that user icons may have.
func IconNames() []string { return slices.Sorted(maps.Keys(icons())) }

// What a user's icon may be at most: bytes, and pixels a side.
const (
	maxIcon     = 1 << 20
	maxIconSide = 2048
)

// CheckIcons reads user icons, which may be anything, and refuses what cannot be drawn.
func CheckIcons(given map[string]UserIcon) (map[string]UserIcon, error) {
	checked := map[string]UserIcon{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		i := given[name]
		if !slices.Contains(IconNames(), name) {
			return nil, fmt.Errorf("icon %q is none of %s", name, strings.Join(IconNames(), ", "))
		}
		if len(i.SVG) > maxIcon || len(i.PNG) > maxIcon {
			return nil, fmt.Errorf("icon %s is larger than %d bytes", name, maxIcon)
		}
		if len(i.SVG) > 0 {
			if err := checkSVG(i.SVG); err != nil {
				return nil, fmt.Errorf("icon %s is no SVG: %w", name, err)
			}
		}
		if len(i.PNG) > 0 {
			size, err := png.DecodeConfig(bytes.NewReader(i.PNG))
			if err == nil && (size.Width > maxIconSide || size.Height > maxIconSide) {
				err = fmt.Errorf("%d by %d pixels are too many", size.Width, size.Height)
			}
			if err == nil {
				i.decoded, err = png.Decode(bytes.NewReader(i.PNG))
			}
			if err != nil {
				return nil, fmt.Errorf("icon %s is no PNG: %w", name, err)
			}
		}
		checked[name] = i
	}
	return checked, nil
}

// checkSVG reads a document to its end. What is in it does not matter: it is shown as an image, where nothing runs.
func checkSVG(raw []byte) error {
	d := xml.NewDecoder(bytes.NewReader(raw))
	root := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && root != "" {
			return nil
		} else if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok && root == "" {
			if root = start.Name.Local; root != "svg" {
				return fmt.Errorf("its root is %s", root)
			}
		}
	}
}

// href is the icon as an address of its own.
func (i UserIcon) href() string {
	kind, raw := "image/svg+xml", i.SVG
	if len(raw) == 0 {
		kind, raw = "image/png", i.PNG
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(raw)
}

// paste draws a picture into a square.
func (c *canvas) paste(from image.Image, x, y, side float64) {
	to := image.Rect(int(x*c.scale), int(y*c.scale), int((x+side)*c.scale), int((y+side)*c.scale))
	draw.CatmullRom.Scale(c.image, to, from, from.Bounds(), draw.Over, nil)
}
