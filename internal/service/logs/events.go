package logs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
)

// Events keeps the events of log streams. What Append accepted survives the end of the process, however it
// comes about; a write that was cut off leaves no trace. Memory use does not grow with the number of events but
// for an index of one entry for every 64 KB.
type Events struct {
	medium medium

	mu     sync.RWMutex
	groups map[string]map[string]*stream // group -> stream; guarded by mu
}

// stream is what is known of a stream without reading it.
type stream struct {
	name    string
	key     string
	created int64

	mu     sync.RWMutex
	info   StreamInfo // guarded by mu
	size   int64      // valid bytes; guarded by mu
	blocks []block    // guarded by mu
	next   int64      // the next event's number; guarded by mu
	// deleted keeps an Append that already holds the stream from making its file again.
	deleted bool // guarded by mu
}

// StreamInfo sums up a stream. Times are in ms since 1970; zero while there are no events.
type StreamInfo struct {
	Name                  string
	Created               int64
	FirstEvent, LastEvent int64
	LastIngestion         int64
	Events, Bytes         int64
}

// block is a run of records that a reader can pass over.
type block struct {
	offset      int64
	seq         int64 // of its first record
	first, last int64 // earliest and latest timestamp
}

const blockSize = 64 << 10

var (
	errStreamExists = errors.New("log stream exists")
	errNoStream     = errors.New("log stream does not exist")
)

// OpenEvents opens the events kept in a directory, making it if need be. It reads all of them once.
func OpenEvents(dir string) (*Events, error) {
	d, err := openDirectory(dir)
	if err != nil {
		return nil, err
	}
	e := newEvents(d)
	if err := d.Keys(e.load); err != nil {
		return nil, fmt.Errorf("read log events in %s: %w", dir, err)
	}
	return e, nil
}

func newEvents(m medium) *Events {
	return &Events{medium: m, groups: map[string]map[string]*stream{}}
}

// header is the message of a stream's first record.
type header struct {
	Group, Stream string
	Created       int64
}

// load takes up a stream that is already there.
func (e *Events) load(key string) error {
	r, err := e.medium.Open(key, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	scan := newScanner(io.NewSectionReader(r, 0, 1<<62))
	created, _, message, size, err := scan.next()
	var h header
	if err == nil {
		err = json.Unmarshal(message, &h)
	}
	if err != nil || streamKey(h.Group, h.Stream) != key {
		return e.medium.Remove(key) // cut off while it was made, so nobody was told that it exists
	}
	s := newStream(h.Group, h.Stream, created)
	s.size = size
	for {
		timestamp, ingested, message, size, err := scan.next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errTorn):
			e.put(h.Group, s)
			return nil
		case err != nil:
			return err
		}
		s.addLocked(timestamp, ingested, len(message), size)
	}
}

func newStream(group, name string, created int64) *stream {
	return &stream{
		name: name, key: streamKey(group, name), created: created,
		info: StreamInfo{Name: name, Created: created}, next: 1,
	}
}

func (e *Events) put(group string, s *stream) {
	if e.groups[group] == nil {
		e.groups[group] = map[string]*stream{}
	}
	e.groups[group][s.name] = s
}

// addLocked takes a record at the end of the stream into the index.
func (s *stream) addLocked(timestamp, ingested int64, message int, size int64) {
	if n := len(s.blocks); n == 0 || s.size-s.blocks[n-1].offset >= blockSize {
		s.blocks = append(s.blocks, block{offset: s.size, seq: s.next, first: timestamp, last: timestamp})
	}
	b := &s.blocks[len(s.blocks)-1]
	b.first, b.last = min(b.first, timestamp), max(b.last, timestamp)
	i := &s.info
	if i.Events == 0 {
		i.FirstEvent, i.LastEvent = timestamp, timestamp
	}
	i.FirstEvent, i.LastEvent = min(i.FirstEvent, timestamp), max(i.LastEvent, timestamp)
	i.LastIngestion = max(i.LastIngestion, ingested)
	i.Events++
	s.next++
	i.Bytes += int64(message) + eventOverhead
	s.size += size
}

// CreateStream makes an empty stream.
func (e *Events) CreateStream(group, name string, now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.groups[group][name] != nil {
		return errStreamExists
	}
	s := newStream(group, name, now.UnixMilli())
	h, err := json.Marshal(header{group, name, s.created})
	if err != nil {
		return err
	}
	b := appendRecord(nil, Event{s.created, string(h)}, s.created)
	if err := e.medium.WriteAt(s.key, b, 0); err != nil {
		return fmt.Errorf("create log stream %s in %s: %w", name, group, err)
	}
	s.size = int64(len(b))
	e.put(group, s)
	return nil
}

// Append writes events at the end of a stream, all or none.
func (e *Events) Append(group, name string, now time.Time, events []Event) error {
	s := e.stream(group, name)
	if s == nil {
		return errNoStream
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deleted {
		return errNoStream
	}
	var b []byte
	ingested := now.UnixMilli()
	for _, event := range events {
		b = appendRecord(b, event, ingested)
	}
	if err := e.medium.WriteAt(s.key, b, s.size); err != nil {
		return fmt.Errorf("append to log stream %s in %s: %w", name, group, err)
	}
	for _, event := range events {
		size := int64(recordPrefix + recordTimes + len(event.Message))
		s.addLocked(event.Timestamp, ingested, len(event.Message), size)
	}
	return nil
}

func (e *Events) stream(group, name string) *stream {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.groups[group][name]
}

// Streams sums up the streams of a group, ordered by name.
func (e *Events) Streams(group string) []StreamInfo {
	e.mu.RLock()
	defer e.mu.RUnlock()
	var out []StreamInfo
	for _, s := range e.groups[group] {
		s.mu.RLock()
		out = append(out, s.info)
		s.mu.RUnlock()
	}
	slices.SortFunc(out, func(a, b StreamInfo) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Has reports whether there is such a stream.
func (e *Events) Has(group, name string) bool { return e.stream(group, name) != nil }

// DeleteStream removes a stream with its events.
func (e *Events) DeleteStream(group, name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.groups[group][name]
	if s == nil {
		return errNoStream
	}
	s.markDeleted()
	if err := e.medium.Remove(s.key); err != nil {
		return fmt.Errorf("delete log stream %s of %s: %w", name, group, err)
	}
	delete(e.groups[group], name)
	return nil
}

// DeleteGroup removes all streams of a group. Removing what is not there is fine.
func (e *Events) DeleteGroup(group string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.groups[group] {
		s.markDeleted()
	}
	if err := e.medium.Remove(hash(group)); err != nil {
		return fmt.Errorf("delete the log events of %s: %w", group, err)
	}
	delete(e.groups, group)
	return nil
}

func (s *stream) markDeleted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deleted = true
}

// Groups returns the names of the groups that have streams.
func (e *Events) Groups() []string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	var out []string
	for g, streams := range e.groups {
		if len(streams) > 0 {
			out = append(out, g)
		}
	}
	slices.Sort(out)
	return out
}

// read returns the events of some streams of a group that a query asks for, in order, and whether more follow.
func (e *Events) read(group string, names []string, q query) ([]record, bool, error) {
	c := newCollector(q)
	for _, name := range names {
		if s := e.stream(group, name); s != nil {
			if err := e.collect(s, c); err != nil {
				return nil, false, fmt.Errorf("read log stream %s of %s: %w", name, group, err)
			}
		}
	}
	records, more := c.page()
	return records, more, nil
}

// collect offers a stream's events to a collector, passing over the blocks that cannot hold any it wants.
func (e *Events) collect(s *stream, c *collector) error {
	s.mu.RLock()
	blocks, size := slices.Clone(s.blocks), s.size
	if len(blocks) == 0 {
		s.mu.RUnlock()
		return nil
	}
	r, err := e.medium.Open(s.key, size) // under the lock: the file can be replaced, and the blocks with it
	s.mu.RUnlock()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	defer r.Close()
	order := blocks
	if c.q.Last {
		order = slices.Clone(blocks)
		slices.Reverse(order)
	}
	for _, b := range order {
		if c.skips(b.first, b.last) {
			continue
		}
		if err := collectBlock(r, s.name, b, blockEnd(blocks, b, size), c); err != nil {
			return err
		}
	}
	return nil
}

func blockEnd(blocks []block, b block, size int64) int64 {
	i, _ := slices.BinarySearchFunc(blocks, b.offset+1, func(b block, offset int64) int { return int(b.offset - offset) })
	if i == len(blocks) {
		return size
	}
	return blocks[i].offset
}

func collectBlock(r io.ReaderAt, name string, b block, end int64, c *collector) error {
	scan := newScanner(io.NewSectionReader(r, b.offset, end-b.offset))
	for seq := b.seq; ; seq++ {
		timestamp, ingested, message, _, err := scan.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		c.offer(position{timestamp, name, seq}, ingested, message)
	}
}

// streamKey is where a stream is kept. Names may hold any character, file names may not.
func streamKey(group, name string) string { return hash(group) + "/" + hash(name) }

func hash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:16])
}
