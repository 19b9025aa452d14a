package calls

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
)

// MaxFile is how long one of the two files gets, in bytes.
const MaxFile = 16 << 20

// Log is the calls of one region.
type Log struct {
	dir string
	max int64

	queue chan func()   // what Later was given, in order
	done  chan struct{} // closed by Close
	ended chan struct{} // closed when the last of the queue is written

	mu     sync.Mutex
	file   *os.File      // guarded by mu
	size   int64         // guarded by mu
	closed bool          // guarded by mu
	added  chan struct{} // closed, and made anew, with every event; guarded by mu
	lines  uint64        // since Open; guarded by mu
	recent [][]byte      // the newest lines, for who follows; guarded by mu
}

// maxRecent is how many lines somebody who follows may lag behind.
const maxRecent = 4096

// Open opens the log in a directory, which is there.
func Open(dir string) (*Log, error) { return open(dir, MaxFile) }

func open(dir string, limit int64) (*Log, error) {
	l := &Log{
		dir: dir, max: limit, added: make(chan struct{}),
		queue: make(chan func(), waiting), done: make(chan struct{}), ended: make(chan struct{}),
	}
	if err := l.openFile(); err != nil {
		return nil, err
	}
	go l.work()
	return l, nil
}

// waiting is how many events may wait to be written.
const waiting = 1024

// work writes what waits, until the log is closed and nothing waits any more.
func (l *Log) work() {
	defer close(l.ended)
	for {
		select {
		case f := <-l.queue:
			f()
			continue
		default:
		}
		select {
		case f := <-l.queue:
			f()
		case <-l.done:
			return
		}
	}
}

// Later adds the event that f makes, in order and soon: who called need not wait for the line. With too many waiting,
// they do.
func (l *Log) Later(f func() *Event, failed func(error)) {
	add := func() {
		if err := l.Add(f()); err != nil {
			failed(err)
		}
	}
	select {
	case l.queue <- add:
	case <-l.done: // the region is ending
	}
}

// settle waits until everything that Later was given is written.
func (l *Log) settle() {
	written := make(chan struct{})
	select {
	case l.queue <- func() { close(written) }:
		select {
		case <-written:
		case <-l.ended:
		}
	case <-l.done:
		<-l.ended
	}
}

func (l *Log) current() string { return filepath.Join(l.dir, "calls.jsonl") }
func (l *Log) older() string   { return filepath.Join(l.dir, "calls.1.jsonl") }

// openFile opens the current file at its end. A line that a crash cut off is ended, so that it spoils no other.
func (l *Log) openFile() error {
	f, err := os.OpenFile(l.current(), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of calls: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("open the log of calls: %w", err), f.Close())
	}
	l.file, l.size = f, info.Size()
	if l.size == 0 {
		return nil
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, l.size-1); err != nil {
		return errors.Join(fmt.Errorf("open the log of calls: %w", err), f.Close())
	}
	if last[0] != '\n' {
		n, err := f.Write([]byte{'\n'})
		l.size += int64(n)
		if err != nil {
			return errors.Join(fmt.Errorf("open the log of calls: %w", err), f.Close())
		}
	}
	return nil
}

// Add writes one event.
func (l *Log) Add(e *Event) error {
	e.UserAgent, e.ErrorMessage = shorten(e.UserAgent), shorten(e.ErrorMessage)
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return fmt.Errorf("write a call to the log: %w", err)
	}
	line := b.Bytes()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil // the region is ending
	}
	l.recent = append(l.recent, bytes.TrimSuffix(line, []byte{'\n'}))
	if len(l.recent) > 2*maxRecent {
		l.recent = append([][]byte(nil), l.recent[len(l.recent)-maxRecent:]...)
	}
	l.lines++
	close(l.added)
	l.added = make(chan struct{})
	if l.size > 0 && l.size+int64(len(line)) > l.max {
		if err := l.rotateLocked(); err != nil {
			return err
		}
	}
	n, err := l.file.Write(line)
	l.size += int64(n)
	if err != nil {
		return fmt.Errorf("write a call to the log: %w", err)
	}
	return nil
}

func (l *Log) rotateLocked() error {
	if err := os.Rename(l.current(), l.older()); err != nil {
		return fmt.Errorf("turn over the log of calls: %w", err)
	}
	old := l.file
	err := l.openFile()
	return errors.Join(err, old.Close())
}

// Since returns the lines after the first n since the region started, how many there are now, and a channel that is
// closed when there are more.
func (l *Log) Since(n uint64) (lines [][]byte, now uint64, more <-chan struct{}) {
	l.settle()
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < l.lines {
		missing := min(l.lines-n, uint64(len(l.recent)))
		lines = append(lines, l.recent[uint64(len(l.recent))-missing:]...)
	}
	return lines, l.lines, l.added
}

// Each calls f with every line that is kept, oldest first, until it returns false. now is how many lines there have
// been since the region started.
func (l *Log) Each(f func(line []byte) bool) (now uint64, err error) {
	l.settle()
	parts, now, err := l.parts()
	if err != nil {
		return 0, err
	}
	more := true
	for _, p := range parts {
		if more && err == nil {
			more, err = p.each(f)
		}
		err = errors.Join(err, p.file.Close())
	}
	return now, err
}

// part is a file as far as it had been written.
type part struct {
	file *os.File
	size int64
}

func (l *Log) parts() (parts []part, now uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, path := range []string{l.older(), l.current()} {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, 0, fmt.Errorf("read the log of calls: %w", err)
		}
		size := l.size
		if path == l.older() {
			size = math.MaxInt64 // nobody writes to it
		}
		parts = append(parts, part{f, size})
	}
	return parts, l.lines, nil
}

func (p part) each(f func(line []byte) bool) (more bool, err error) {
	scanner := bufio.NewScanner(io.LimitReader(p.file, p.size))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		if line := scanner.Bytes(); len(line) > 0 && !f(line) {
			return false, nil
		}
	}
	if err := scanner.Err(); err != nil {
		return false, fmt.Errorf("read the log of calls: %w", err)
	}
	return true, nil
}

// Close writes what waits, and ends the log. It is called once.
func (l *Log) Close() error {
	close(l.done)
	<-l.ended
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	return l.file.Close()
}
