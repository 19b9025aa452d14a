package s3

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"

	"github.com/culvert-cloud/culvert/internal/api"
)

// callerBody remembers why reading the caller's body failed: behind the transport to the engine, the caller's
// faults and ours look the same.
type callerBody struct {
	io.ReadCloser

	mu  sync.Mutex // hearOut reads while the transport may do so too
	err error      // other than io.EOF; guarded by mu
}

func (b *callerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF && err != http.ErrBodyReadAfterClose {
		b.mu.Lock()
		b.err = err
		b.mu.Unlock()
	}
	return n, err
}

// failure is what is to be said to the caller, nil if the body was well as far as it was read.
func (b *callerBody) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.err == nil:
		return nil
	case errors.Is(b.err, os.ErrDeadlineExceeded):
		return api.Errorf("RequestTimeout", "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.")
	}
	return incompleteBody()
}

// send hands the request itself to the engine, with these headers.
func (s *Service) send(r *request, h http.Header) (*http.Response, error) {
	from := &callerBody{ReadCloser: r.call.HTTP.Body}
	// A copy: the server looks at the body of its own request to know what it owes the caller.
	r.call.HTTP = r.call.HTTP.WithContext(r.call.HTTP.Context())
	r.call.HTTP.Body = from
	body, length, err := s.bodyFor(r, h)
	if err != nil {
		return nil, err
	}
	res, err := s.engine(r.call.HTTP.Context(), r.method, enginePath(r.bucket, r.key), r.query, h, body, length)
	if err != nil || res.StatusCode >= 300 {
		r.hearOut()
	}
	if err == nil {
		return res, nil
	}
	// The transport wraps what reading the body said; a wrong chunk is the caller's fault.
	if e := api.AsError(err); e != nil {
		return nil, e
	}
	if e := from.failure(); e != nil {
		return nil, e
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, incompleteBody()
	}
	return nil, err
}

// maxHeardOut bounds what is read of a body that nobody needs.
const maxHeardOut = 64 << 20

// hearOut reads the rest of a body that was refused before its end. A caller that was told to go on sending would
// otherwise find the connection closed, and never look for the answer.
func (r *request) hearOut() {
	_, _ = io.CopyN(io.Discard, r.call.HTTP.Body, maxHeardOut) // an error is the caller's, who is gone then
}
