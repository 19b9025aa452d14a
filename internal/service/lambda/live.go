package lambda

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// liveWriter passes a streamed response on while its invocation runs. A runtime can go on writing when the invocation
// is over, and nothing may be written to an answer then. It never fails: that the caller is gone does not stop a
// function.
type liveWriter struct {
	w http.ResponseWriter

	mu   sync.Mutex
	over bool      // guarded by mu
	to   io.Writer // guarded by mu
}

// lastWrite is how long a caller that does not read may hold up the end.
const lastWrite = 10 * time.Second

// begin says where the response goes.
func (l *liveWriter) begin(f func() io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.to = f()
	}
}

// Write implements io.Writer.
func (l *liveWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over && l.to != nil {
		_, _ = l.to.Write(b)
	}
	return len(b), nil
}

// end waits for a write that is on its way, not for ever, and lets no other begin.
func (l *liveWriter) end() {
	control := http.NewResponseController(l.w)
	_ = control.SetWriteDeadline(time.Now().Add(lastWrite))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	_ = control.SetWriteDeadline(time.Time{})
}
