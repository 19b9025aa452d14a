package server

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// bodyPatience is how long a caller may pause within a body. S3 waits about as long.
	bodyPatience = 20 * time.Second
	// maxHeardOut bounds what is read of a body that nobody needs.
	maxHeardOut = 256 << 20
)

// bePatient lets the body of r take as long as it needs, but not stand still: who announces a body and sends none
// would hold a connection, and what belongs to it, for ever. It returns a copy: the server looks at the body of its
// own request to know whether a caller who expects "100 Continue" was told so.
func bePatient(w http.ResponseWriter, r *http.Request, patience time.Duration) (*http.Request, *patientBody) {
	if r.ContentLength == 0 {
		return r, nil
	}
	body := &patientBody{
		ReadCloser: r.Body, connection: http.NewResponseController(w), patience: patience, waits: r.Header.Get("Expect") != "",
		endless: r.ContentLength > maxHeardOut,
	}
	patient := r.WithContext(r.Context())
	patient.Body = body
	return patient, body
}

type patientBody struct {
	io.ReadCloser
	connection *http.ResponseController
	patience   time.Duration
	waits      bool // the caller waits to be told to continue, which the first Read does
	endless    bool // more than anybody would hear out

	begun, ended atomic.Bool // who passes the body on may still be reading it when somebody else answers
}

// Read fails with os.ErrDeadlineExceeded when nothing came for too long.
func (b *patientBody) Read(p []byte) (int, error) {
	b.begun.Store(true)
	b.setDeadline(time.Now().Add(b.patience))
	n, err := b.ReadCloser.Read(p)
	// The server goes on reading behind the body, to learn whether the caller is still there.
	b.setDeadline(time.Time{})
	if err != nil {
		b.ended.Store(true)
	}
	return n, err
}

// hearOut reads what is left of a body that is refused. A caller who is sending it would otherwise find the connection
// closed, and never look for the answer.
func (b *patientBody) hearOut() {
	if b == nil || b.endless || b.ended.Load() || b.waits && !b.begun.Load() {
		return
	}
	_, _ = io.CopyN(io.Discard, b, maxHeardOut) // an error is the caller's, who is gone then
}

// setDeadline does nothing on connections that have no deadlines, which are those of tests.
func (b *patientBody) setDeadline(t time.Time) { _ = b.connection.SetReadDeadline(t) }
