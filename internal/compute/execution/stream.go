package execution

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	tailSize   = 4 << 10
	batchBytes = 256 << 10 // that many are sent at once
	batchDelay = 500 * time.Millisecond
	eventSize  = 256 << 10 // CloudWatch's limit; a longer line becomes several events
)

// stream is an environment's log stream: it gathers events and sends them in batches.
type stream struct {
	group, name string
	sink        LogSink
	log         *slog.Logger
	least       int // the lowest level of lines in JSON that are kept

	mu    sync.Mutex
	batch []LogEvent  // guarded by mu
	size  int         // of batch; guarded by mu
	timer *time.Timer // runs while batch is not empty; guarded by mu
	tail  []byte      // guarded by mu

	sending sync.Mutex // held while a batch is sent, so that batches stay in order; taken before mu
}

// add adds an event of a time.
func (s *stream) add(ms int64, message string) {
	s.mu.Lock()
	s.tail = append(s.tail, message...)
	if n := len(s.tail) - tailSize; n > tailSize { // not at every event
		s.tail = append(s.tail[:0], s.tail[n:]...)
	}
	s.batch = append(s.batch, LogEvent{ms, message})
	s.size += len(message)
	full := s.size >= batchBytes
	if s.timer == nil {
		s.timer = time.AfterFunc(batchDelay, s.send)
	}
	s.mu.Unlock()
	if full {
		s.send() // a function that writes faster than the sink takes waits for it
	}
}

// print adds an event of now.
func (s *stream) print(format string, args ...any) {
	s.add(time.Now().UnixMilli(), fmt.Sprintf(format, args...))
}

// send passes on what was gathered.
func (s *stream) send() {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.mu.Lock()
	batch := s.batch
	s.batch, s.size = nil, 0
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	s.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	if err := s.sink.Append(s.group, s.name, batch); err != nil {
		s.log.Warn("log events lost", "stream", s.name, "events", len(batch), "err", err)
	}
}

// restartTail forgets what came before an invocation.
func (s *stream) restartTail() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail = s.tail[:0]
}

// lastOutput is the end of the log since restartTail.
func (s *stream) lastOutput() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]byte(nil), s.tail[max(0, len(s.tail)-tailSize):]...)
}
