package server

import (
	"io"
	"net/http"
	"time"
)

// bodyPatience is how long a caller may pause within a body. S3 waits about as long.
const bodyPatience = 20 * time.Second

// bePatient lets the body of r take as long as it needs, but not stand still: who announces a body and sends none
// would hold a connection, and what belongs to it, for ever. It returns a copy: the server looks at the body of its
// own request to know whether a caller who expects "100 Continue" was told so.
func bePatient(w http.ResponseWriter, r *http.Request, patience time.Duration) *http.Request {
	if r.ContentLength == 0 {
		return r
	}
	patient := r.WithContext(r.Context())
	patient.Body = &patientBody{ReadCloser: r.Body, connection: http.NewResponseController(w), patience: patience}
	return patient
}

type patientBody struct {
	io.ReadCloser
	connection *http.ResponseController
	patience   time.Duration
}

// Read fails with os.ErrDeadlineExceeded when nothing came for too long.
func (b *patientBody) Read(p []byte) (int, error) {
	b.setDeadline(time.Now().Add(b.patience))
	n, err := b.ReadCloser.Read(p)
	// The server goes on reading behind the body, to learn whether the caller is still there.
	b.setDeadline(time.Time{})
	return n, err
}

// setDeadline does nothing on connections that have no deadlines, which are those of tests.
func (b *patientBody) setDeadline(t time.Time) { _ = b.connection.SetReadDeadline(t) }
