// Package reconcile is the loop that makes the world match the desired state.
//
// A wake-up carries no input: the loop reads the newest state each time, so news, restart and repair are one
// path. It runs when the state changed, and on a timer after a failure; there are no retries inside a run, the
// next run is the retry. The package knows neither what the state is nor what is done about it.
package reconcile

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Source is where the desired state comes from.
type Source interface {
	// Changed returns a channel that is closed once there is something newer than the revision.
	Changed(revision uint64) <-chan struct{}
}

// Run makes the world match and returns the revision that it saw.
type Run func(context.Context) (revision uint64, err error)

// Loop calls Run.
type Loop struct {
	source Source
	run    Run
	retry  time.Duration
	log    *slog.Logger

	mu      sync.Mutex
	applied uint64        // newest revision of a finished run; guarded by mu
	err     error         // of that run; guarded by mu
	done    chan struct{} // closed at the end of each run; guarded by mu
}

// New makes a loop that does nothing until Start.
func New(source Source, run Run, retry time.Duration, log *slog.Logger) *Loop {
	return &Loop{source: source, run: run, retry: retry, log: log, done: make(chan struct{})}
}

// Once does one run, for a start that must not be answered before the network is there.
func (l *Loop) Once(ctx context.Context) error {
	revision, err := l.run(ctx)
	l.finish(revision, err)
	return err
}

// Start runs until the context ends.
func (l *Loop) Start(ctx context.Context) {
	for {
		l.mu.Lock()
		revision, failed := l.applied, l.err != nil
		l.mu.Unlock()
		var retry <-chan time.Time
		if failed {
			retry = time.After(l.retry)
		}
		select {
		case <-ctx.Done():
			return
		case <-l.source.Changed(revision):
		case <-retry:
		}
		if err := l.Once(ctx); err != nil && ctx.Err() == nil {
			l.log.Error("the network does not match the state", "error", err)
		}
	}
}

func (l *Loop) finish(revision uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.applied, l.err = max(l.applied, revision), err
	close(l.done)
	l.done = make(chan struct{})
}

// Settle waits until a run saw at least the given revision, and returns that run's error. It gives up with the
// context's.
func (l *Loop) Settle(ctx context.Context, revision uint64) error {
	for {
		l.mu.Lock()
		applied, err, done := l.applied, l.err, l.done
		l.mu.Unlock()
		if applied >= revision {
			return err
		}
		select {
		case <-done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Status returns the newest revision that a run saw, and how that run ended.
func (l *Loop) Status() (applied uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.applied, l.err
}
