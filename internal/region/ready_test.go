package region_test

import (
	"log/slog"
	"testing"

	"github.com/culvert-cloud/culvert/internal/region"
)

// BenchmarkReady is how long a region takes from nothing to its first answer.
func BenchmarkReady(b *testing.B) {
	for name, data := range map[string]func() string{"in memory": func() string { return "" }, "on disk": b.TempDir} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r, err := region.Open(b.Context(), region.Config{Region: "us-west-2", Listen: "127.0.0.1:0", Data: data(), Log: slog.New(slog.DiscardHandler)})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
