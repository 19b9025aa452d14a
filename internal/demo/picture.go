package demo

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// picture draws the road that is open now, if pictures are wanted.
func (s *story) picture(ctx context.Context, file, title string) error {
	if s.options.Pictures == "" {
		return nil
	}
	svg, err := s.client.InspectRaw(ctx, "diagram", url.Values{"title": {title}})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.options.Pictures, 0o755); err != nil {
		return fmt.Errorf("make a place for the pictures: %w", err)
	}
	file = filepath.Join(s.options.Pictures, file)
	if err := os.WriteFile(file, svg, 0o644); err != nil {
		return fmt.Errorf("write a picture: %w", err)
	}
	s.result.Pictures = append(s.result.Pictures, file)
	return nil
}
