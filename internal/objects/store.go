package objects

import (
	"context"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/backend/posix"
)

// store is the engine's file store with larger strides: the engine's HTTP server would send an object in pieces
// of 4 KiB, which halves the throughput.
type store struct {
	*posix.Posix
	strides *sync.Pool // of *[]byte
}

func newStrides() *sync.Pool {
	return &sync.Pool{New: func() any { b := make([]byte, copyBuffer); return &b }}
}

// GetObject implements the engine's interface.
func (s store) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	out, err := s.Posix.GetObject(ctx, in)
	if err == nil && out.Body != nil && out.ContentLength != nil && *out.ContentLength > smallObject {
		out.Body = strider{out.Body, s.strides}
	}
	return out, err
}

// smallObject is sent with one write anyway.
const smallObject = 4 << 10

// strider is a body that sends itself.
type strider struct {
	io.ReadCloser
	strides *sync.Pool
}

// WriteTo implements io.WriterTo, which the server prefers to copying by itself.
func (s strider) WriteTo(w io.Writer) (int64, error) {
	buffer := s.strides.Get().(*[]byte)
	defer s.strides.Put(buffer)
	// The structs hide everything but Read and Write, or the copy would be handed on again.
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{s.ReadCloser}, *buffer)
}
