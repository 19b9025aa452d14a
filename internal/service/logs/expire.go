package logs

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"errors"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// expireEvery is how often events are removed that are older than their group keeps them. Nobody sees them meanwhile:
// every reading starts where the retention begins. AWS takes up to 72 hours.
const expireEvery = 10 * time.Minute

// Expire removes events that are older than their groups keep them, now and from time to time, until ctx is over.
// report is told what could not be removed.
func (s *Service) Expire(ctx context.Context, report func(error)) {
	ticks := time.NewTicker(expireEvery)
	defer ticks.Stop()
	for {
		if err := s.expireOnce(); err != nil {
			report(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

func (s *Service) expireOnce() error {
	var errs []error
	for _, g := range state.List[*resource.LogGroup](s.state.View()) {
		if g.RetentionInDays > 0 {
			errs = append(errs, s.events.Expire(g.Name, expiry(s.now(), g.RetentionInDays)))
		}
	}
	return errors.Join(errs...)
}

// Expire removes the blocks of a group's streams of which every event is older than a time, in ms. The streams stay,
// as on AWS.
func (e *Events) Expire(group string, before int64) error {
	e.mu.RLock()
	var all []*stream
	for _, s := range e.groups[group] {
		all = append(all, s)
	}
	e.mu.RUnlock()
	for _, s := range all {
		if err := e.expire(s, before); err != nil {
			return fmt.Errorf("remove old events of log stream %s of %s: %w", s.name, group, err)
		}
	}
	return nil
}

// expire writes a stream anew without its old blocks. Who reads it meanwhile has the old file open.
func (e *Events) expire(s *stream, before int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := func(b block) bool { return b.last < before }
	if s.deleted || !slices.ContainsFunc(s.blocks, old) {
		return nil
	}
	r, err := e.medium.Open(s.key, s.size)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer r.Close()
	head := s.blocks[0].offset // what comes before is the stream's own record
	next := stream{size: head, next: s.next, info: StreamInfo{Name: s.info.Name, Created: s.info.Created, LastIngestion: s.info.LastIngestion}}
	parts := []io.Reader{io.NewSectionReader(r, 0, head)}
	for i, b := range s.blocks {
		if old(b) {
			continue
		}
		end, following := s.size, s.next
		if i+1 < len(s.blocks) {
			end, following = s.blocks[i+1].offset, s.blocks[i+1].seq
		}
		parts = append(parts, io.NewSectionReader(r, b.offset, end-b.offset))
		next.keep(b, end-b.offset, following-b.seq)
	}
	if err := e.medium.Replace(s.key, io.MultiReader(parts...)); err != nil {
		return err
	}
	s.size, s.blocks, s.info = next.size, next.blocks, next.info
	return nil
}

// keep takes a block that stays into the index of the stream that is written anew.
func (s *stream) keep(b block, size, events int64) {
	i := &s.info
	if i.Events == 0 {
		i.FirstEvent, i.LastEvent = b.first, b.last
	}
	i.FirstEvent, i.LastEvent = min(i.FirstEvent, b.first), max(i.LastEvent, b.last)
	i.Events += events
	i.Bytes += size - events*(recordPrefix+recordTimes) + events*eventOverhead
	b.offset = s.size
	s.blocks = append(s.blocks, b)
	s.size += size
}
