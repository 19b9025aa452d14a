package demo

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// picture draws the road that is open now as SVG and PNG, if pictures are wanted.
func (s *story) picture(ctx context.Context, name, title string) error {
	if s.options.Pictures == "" {
		return nil
	}
	if err := os.MkdirAll(s.options.Pictures, 0o755); err != nil {
		return fmt.Errorf("make a place for the pictures: %w", err)
	}
	for _, format := range []string{"svg", "png"} {
		drawn, err := s.client.InspectRaw(ctx, "diagram", url.Values{"title": {title}, "format": {format}})
		if err != nil {
			return err
		}
		file := filepath.Join(s.options.Pictures, name+"."+format)
		if err := os.WriteFile(file, drawn, 0o644); err != nil {
			return fmt.Errorf("write a picture: %w", err)
		}
		s.result.Pictures = append(s.result.Pictures, file)
	}
	return nil
}
