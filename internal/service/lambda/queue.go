package lambda

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// queue runs asynchronous invocations in the background. It lives in memory: what it holds when the process ends
// without warning is lost, so it is bounded and does not promise more than AWS's "at least once, usually".
type queue struct {
	run     func(context.Context, queued) outcome
	ended   func(queued, outcome) // is told how each ended that was not given up at the end of the region
	retries []time.Duration
	log     *slog.Logger
	ctx     context.Context // of the invocations; over when close gives up
	cancel  context.CancelFunc
	work    sync.WaitGroup

	mu      sync.Mutex
	waiting []queued               // guarded by mu
	delayed map[*time.Timer]queued // guarded by mu
	count   int                    // waiting, delayed or running; guarded by mu
	bytes   int                    // of their payloads; guarded by mu
	workers int                    // guarded by mu
	closed  bool                   // guarded by mu
}

// queued is one asynchronous invocation.
type queued struct {
	name     functionName
	in       Invocation
	accepted time.Time
	failures int // runs that ended with a function error
	runs     int // all that came about
	chain    int // how many destinations led here
	refusals int // runs that did not come about
}

// outcome says what came of a run; none of the four: it went well.
type outcome struct {
	failed, busy, gone bool
	off                bool // nothing is to run: its reserved concurrency is 0
	reason             string
	version            string // that ran; empty: none did
	payload            []byte
	// retries and age are how often after a function error, and for how long, the invocation is tried.
	retries int
	age     time.Duration
	// condition is how it ended at last, as destinations are told.
	condition string
}

const (
	maxQueued      = 1000
	maxQueuedBytes = 64 << 20
	maxWorkers     = 32
	firstBackOff   = time.Second
	lastBackOff    = 5 * time.Minute
)

func newQueue(run func(context.Context, queued) outcome, ended func(queued, outcome), retries []time.Duration, log *slog.Logger) *queue {
	q := &queue{run: run, ended: ended, retries: retries, log: log, delayed: map[*time.Timer]queued{}}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	return q
}

var errQueueClosed = errors.New("the region is shutting down")

// push takes an invocation, or says that there is no room.
func (q *queue) push(e queued) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return errQueueClosed
	}
	if q.count == maxQueued || q.bytes+len(e.in.Payload) > maxQueuedBytes {
		return &Throttled{"CallerRateLimitExceeded"}
	}
	e.accepted = time.Now()
	q.count++
	q.bytes += len(e.in.Payload)
	q.enqueueLocked(e)
	return nil
}

func (q *queue) enqueueLocked(e queued) {
	q.waiting = append(q.waiting, e)
	if q.workers < maxWorkers {
		q.workers++
		q.work.Go(q.worker)
	}
}

func (q *queue) worker() {
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			q.workers--
			q.mu.Unlock()
			return
		}
		e := q.waiting[0]
		q.waiting[0] = queued{} // let go of the payload
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
		o := q.run(q.ctx, e)
		if o.version != "" {
			e.runs++
		}
		if condition := q.finish(e, o); condition != "" {
			o.condition = condition
			q.ended(e, o)
		}
	}
}

// finish ends an invocation or arranges for it to be tried again: after a function error as often as AWS does,
// after a refusal for as long as AWS does. The condition is empty unless it ended.
func (q *queue) finish(e queued, o outcome) (condition string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	young := time.Since(e.accepted) < o.age
	switch {
	case o.off:
		q.dropLocked(e, o.reason)
		return "ZeroReservedConcurrency"
	case o.failed && young && e.failures < min(o.retries, len(q.retries)):
		delay := q.retries[e.failures]
		e.failures++
		q.delayLocked(e, delay, o)
	case o.busy && young:
		delay := lastBackOff
		if e.refusals < 9 {
			delay = min(firstBackOff<<e.refusals, lastBackOff)
		}
		e.refusals++
		q.delayLocked(e, delay, o)
	case o.gone:
		q.dropLocked(e, o.reason)
	case !young && (o.busy || o.failed):
		q.dropLocked(e, o.reason)
		return "EventAgeExceeded"
	case o.failed, o.busy:
		q.dropLocked(e, o.reason)
		return "RetriesExhausted"
	default:
		q.forgetLocked(e)
		return "Success"
	}
	return ""
}

func (q *queue) delayLocked(e queued, delay time.Duration, o outcome) {
	if q.closed {
		q.dropLocked(e, o.reason)
		return
	}
	q.log.Info("asynchronous invocation is tried again", "function", e.name.Name, "request", e.in.RequestID, "in", delay, "reason", o.reason)
	var timer *time.Timer
	timer = time.AfterFunc(delay, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if _, ok := q.delayed[timer]; ok {
			delete(q.delayed, timer)
			q.enqueueLocked(e)
		}
	})
	q.delayed[timer] = e
}

func (q *queue) dropLocked(e queued, reason string) {
	q.log.Warn("asynchronous invocation is given up", "function", e.name.Name, "request", e.in.RequestID, "reason", reason)
	q.forgetLocked(e)
}

func (q *queue) forgetLocked(e queued) {
	q.count--
	q.bytes -= len(e.in.Payload)
}

// close takes nothing new, gives up what waits for another try, and waits for the rest until ctx is over.
func (q *queue) close(ctx context.Context) error {
	defer q.cancel()
	q.mu.Lock()
	q.closed = true
	for timer, e := range q.delayed {
		timer.Stop()
		q.dropLocked(e, errQueueClosed.Error())
	}
	clear(q.delayed)
	q.mu.Unlock()
	done := make(chan struct{})
	go func() {
		q.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	for _, e := range q.waiting {
		q.dropLocked(e, errQueueClosed.Error())
	}
	q.waiting = nil
	q.mu.Unlock()
	return ctx.Err()
}
