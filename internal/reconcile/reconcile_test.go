package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// counter is a source whose revisions a test makes.
type counter struct {
	mu       sync.Mutex
	revision uint64
	changed  chan struct{}
}

func (c *counter) Changed(revision uint64) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.revision > revision {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	return c.changed
}

func (c *counter) bump() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revision++
	close(c.changed)
	c.changed = make(chan struct{})
	return c.revision
}

func (c *counter) now() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.revision
}

func TestSettleReturnsOnceTheRevisionWasApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &counter{changed: make(chan struct{})}
		loop := New(source, func(context.Context) (uint64, error) {
			revision := source.now()
			time.Sleep(time.Second)
			return revision, nil
		}, time.Minute, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go loop.Start(ctx)
		source.bump()
		synctest.Wait()
		second := source.bump() // while the first run is under way: it must not count
		start := time.Now()
		if err := loop.Settle(ctx, second); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("settled after %s, want 2s: the rest of the first run and the second", took)
		}
	})
}

func TestAFailedRunIsRepeatedAndSettleTellsOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &counter{changed: make(chan struct{})}
		refused := errors.New("refused")
		runs := 0
		loop := New(source, func(context.Context) (uint64, error) {
			runs++
			if runs == 1 {
				return source.now(), refused
			}
			return source.now(), nil
		}, 5*time.Second, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go loop.Start(ctx)
		revision := source.bump()
		if err := loop.Settle(ctx, revision); !errors.Is(err, refused) {
			t.Errorf("settle = %v, want the run's error", err)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if applied, err := loop.Status(); applied != revision || err != nil {
			t.Errorf("status after the retry = %d, %v", applied, err)
		}
	})
}

func TestSettleGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &counter{changed: make(chan struct{})}
		loop := New(source, func(context.Context) (uint64, error) { return 0, nil }, time.Minute, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := loop.Settle(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("settle = %v, want the context's error", err)
		}
	})
}
