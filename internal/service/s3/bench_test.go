package s3_test

import (
	"crypto/rand"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
)

// BenchmarkGet1KiB and BenchmarkGet16MiB read through the front, over TLS on loopback. The request is presigned
// once and sent by a plain client, so that the numbers are the server's and not the SDK's.
func BenchmarkGet1KiB(b *testing.B)  { benchmarkGet(b, 1<<10) }
func BenchmarkGet16MiB(b *testing.B) { benchmarkGet(b, 16<<20) }

func benchmarkGet(b *testing.B, size int) {
	r := newRegion(b)
	bucket := r.bucket("bench")
	data := make([]byte, size)
	_, _ = rand.Read(data)
	r.put(bucket, "k", string(data))
	in, err := client.NewPresignClient(r.as("root")).PresignGetObject(b.Context(), &client.GetObjectInput{Bucket: &bucket, Key: aws.String("k")})
	if err != nil {
		b.Fatal(err)
	}
	fetchAll(b, r.Client(), in.URL, size)
}

func fetchAll(b *testing.B, c *http.Client, url string, size int) {
	c.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
	b.SetBytes(int64(size))
	b.SetParallelism(2)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		buffer := make([]byte, 256<<10)
		for pb.Next() {
			res, err := c.Get(url)
			if err != nil {
				b.Error(err)
				return
			}
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, res.Body, buffer)
			res.Body.Close()
			if err != nil || n != int64(size) {
				b.Errorf("got %d bytes, status %d, %v; want %d", n, res.StatusCode, err, size)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
