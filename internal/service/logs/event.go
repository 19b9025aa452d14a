package logs

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// What PutLogEvents takes; see its API reference.
const (
	maxBatchSpan = 24 * time.Hour
	maxAge       = 14 * 24 * time.Hour
	maxAhead     = 2 * time.Hour
	maxEvents    = 10000
)

func (s *Service) putLogEvents(_ context.Context, _ *api.Call, in *PutLogEventsInput) (*PutLogEventsOutput, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	g, err := findGroup(s.state.View(), in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	stream := value(in.LogStreamName)
	if !s.events.Has(g.Name, stream) {
		return nil, noStream()
	}
	if err := checkBatch(in.LogEvents); err != nil {
		return nil, err
	}
	now := s.now()
	accepted, rejected := splitBatch(in.LogEvents, now, g.RetentionInDays)
	if len(accepted) > 0 {
		if err := s.events.Append(g.Name, stream, now, accepted); err != nil {
			return nil, storeError(err)
		}
	}
	// The token is not needed any more, but old clients pass on what they get.
	return &PutLogEventsOutput{NextSequenceToken: sequenceToken(now.UnixNano()), RejectedLogEventsInfo: rejected}, nil
}

func sequenceToken(n int64) *string { return ptr(fmt.Sprintf("%056d", n)) }

func checkBatch(events []InputLogEvent) error {
	if len(events) == 0 || len(events) > maxEvents {
		return invalid("A batch holds between 1 and %d log events.", maxEvents)
	}
	var total int
	for i, e := range events {
		size := len(value(e.Message)) + eventOverhead
		switch {
		case value(e.Message) == "" || value(e.Timestamp) < 0:
			return invalid("1 validation error detected: Value at 'logEvents.%d' failed to satisfy constraint: Member must have a message and a timestamp", i+1)
		case size > maxEventBytes:
			return invalid("Log event too large: %d bytes exceeds limit of %d", size, maxEventBytes)
		case i > 0 && value(e.Timestamp) < value(events[i-1].Timestamp):
			return invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
		total += size
	}
	if total > maxBatchBytes {
		return invalid("Upload too large: %d bytes exceeds limit of %d", total, maxBatchBytes)
	}
	span := value(events[len(events)-1].Timestamp) - value(events[0].Timestamp)
	if span > maxBatchSpan.Milliseconds() {
		return invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// splitBatch takes the events whose time is acceptable. The batch is in order, so what is not is at its ends.
func splitBatch(events []InputLogEvent, now time.Time, retention int) ([]Event, *RejectedLogEventsInfo) {
	oldest, newest := now.Add(-maxAge).UnixMilli(), now.Add(maxAhead).UnixMilli()
	expired := expiry(now, retention)
	var info RejectedLogEventsInfo
	var accepted []Event
	for i, e := range events {
		switch t := value(e.Timestamp); {
		case t < expired:
			info.ExpiredLogEventEndIndex = ptr(int64(i + 1))
		case t < oldest:
			info.TooOldLogEventEndIndex = ptr(int64(i + 1))
		case t > newest:
			if info.TooNewLogEventStartIndex == nil {
				info.TooNewLogEventStartIndex = ptr(int64(i))
			}
		default:
			accepted = append(accepted, Event{t, value(e.Message)})
		}
	}
	if len(accepted) == len(events) {
		return accepted, nil
	}
	return accepted, &info
}

// expiry is the time before which events are gone; the least one if they stay for ever.
func expiry(now time.Time, retention int) int64 {
	if retention == 0 {
		return math.MinInt64
	}
	return now.AddDate(0, 0, -retention).UnixMilli()
}

func (s *Service) getLogEvents(v *state.View, _ *api.Call, in *GetLogEventsInput) (*GetLogEventsOutput, error) {
	g, err := findGroup(v, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	stream := value(in.LogStreamName)
	if !s.events.Has(g.Name, stream) {
		return nil, noStream()
	}
	q := s.query(g, in.StartTime, in.Limit)
	if in.EndTime != nil {
		q.Until = *in.EndTime
	}
	q.Last = !value(in.StartFromHead)
	start := position{0, stream, 0}
	if in.NextToken != nil {
		direction, p, err := decodeStreamToken(*in.NextToken, stream)
		if err != nil {
			return nil, err
		}
		start = p
		if q.Last = direction == "b"; q.Last {
			q.Before = &p
		} else {
			q.After = &p
		}
	}
	records, _, err := s.events.read(g.Name, []string{stream}, q)
	if err != nil {
		return nil, err
	}
	return streamPage(records, in.NextToken, start), nil
}

// streamPage makes the answer. A token that is given back unchanged tells the caller that there is no more.
func streamPage(records []record, token *string, start position) *GetLogEventsOutput {
	out := &GetLogEventsOutput{Events: []OutputLogEvent{}}
	first, last := start, start
	if len(records) == 0 {
		// The event at the token's place was on the page before: going the other way finds it again.
		first.Seq++
		last.Seq = max(last.Seq-1, 0)
		if token == nil || strings.HasPrefix(*token, "f") {
			last = start
		}
		if token != nil && strings.HasPrefix(*token, "b") {
			first = start
		}
	} else {
		first, last = records[0].position, records[len(records)-1].position
	}
	for _, r := range records {
		out.Events = append(out.Events, OutputLogEvent{Timestamp: ptr(r.Timestamp), IngestionTime: ptr(r.Ingested), Message: ptr(r.Message)})
	}
	out.NextForwardToken, out.NextBackwardToken = encodeStreamToken("f", last), encodeStreamToken("b", first)
	return out
}

// query is one for a group's events that have not expired.
func (s *Service) query(g *resource.LogGroup, from, limit *int64) query {
	return query{
		From: max(value(from), expiry(s.now(), g.RetentionInDays)), Until: math.MaxInt64,
		Limit: pageSize(limit, maxEvents),
	}
}

func (s *Service) filterLogEvents(v *state.View, _ *api.Call, in *FilterLogEventsInput) (*FilterLogEventsOutput, error) {
	g, err := findGroup(v, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	streams, err := s.searched(g.Name, in)
	if err != nil {
		return nil, err
	}
	q := s.query(g, in.StartTime, in.Limit)
	if in.EndTime != nil && *in.EndTime < math.MaxInt64 {
		q.Until = *in.EndTime + 1 // unlike in GetLogEvents, events at the end are part of it
	}
	if q.Keep, err = parsePattern(value(in.FilterPattern)); err != nil {
		return nil, invalid("Invalid filter pattern: %v.", err)
	}
	if q.After, err = decodeToken[position](in.NextToken); err != nil {
		return nil, err
	}
	records, more, err := s.events.read(g.Name, streams, q)
	if err != nil {
		return nil, err
	}
	out := &FilterLogEventsOutput{Events: []FilteredLogEvent{}, SearchedLogStreams: []SearchedLogStream{}}
	for _, r := range records {
		out.Events = append(out.Events, FilteredLogEvent{
			EventId: eventID(r.position), LogStreamName: ptr(r.Stream), Message: ptr(r.Message),
			Timestamp: ptr(r.Timestamp), IngestionTime: ptr(r.Ingested),
		})
	}
	if more {
		out.NextToken = encodeToken(records[len(records)-1].position)
	}
	return out, nil
}

// searched returns the streams that a search covers.
func (s *Service) searched(group string, in *FilterLogEventsInput) ([]string, error) {
	if len(in.LogStreamNames) > 0 {
		if in.LogStreamNamePrefix != nil {
			return nil, invalid("LogStreamNames and LogStreamNamePrefix are mutually exclusive parameters.")
		}
		names := slices.Clone(in.LogStreamNames)
		slices.Sort(names)
		names = slices.Compact(names)
		for _, name := range names {
			if !s.events.Has(group, name) {
				return nil, noStream()
			}
		}
		return names, nil
	}
	var names []string
	for _, i := range s.events.Streams(group) {
		if strings.HasPrefix(i.Name, value(in.LogStreamNamePrefix)) {
			names = append(names, i.Name)
		}
	}
	return names, nil
}

// eventID names an event for good: 56 digits, as AWS's do, of its time, its stream and its number.
func eventID(p position) *string {
	h := sha256.Sum256([]byte(p.Stream))
	return ptr(fmt.Sprintf("%014d%020d%022d", p.Timestamp, binary.BigEndian.Uint64(h[:]), p.Seq))
}
