package execution

import (
	"bytes"
	"encoding/binary"
	"os"
	"sync"
	"syscall"
	"time"
)

// drain reads what a function writes to a pipe. A goroutine does so whenever there is something; besides,
// flush takes at once what is there, so that everything a function wrote before it called the Runtime API is
// in the log before the END of the invocation.
type drain struct {
	pipe *os.File
	cut  func(rest []byte, end bool) []byte // consumes whole records

	mu     sync.Mutex
	rest   []byte // guarded by mu
	buffer []byte // guarded by mu
	done   chan struct{}
}

func newDrain(pipe *os.File, cut func([]byte, bool) []byte) *drain {
	d := &drain{pipe: pipe, cut: cut, done: make(chan struct{}), buffer: make([]byte, 32<<10)}
	go d.run()
	return d
}

func (d *drain) run() {
	defer close(d.done)
	raw, err := d.pipe.SyscallConn()
	if err != nil {
		return
	}
	// Until the pipe is closed. It must be read empty each time: only what comes after that wakes us again.
	_ = raw.Read(func(fd uintptr) bool {
		for {
			if more, ended := d.take(int(fd)); !more {
				return ended
			}
		}
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rest = d.cut(d.rest, true)
}

// flush takes what is in the pipe now.
func (d *drain) flush() {
	raw, err := d.pipe.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { d.take(int(fd)) })
}

// endRecord closes an unfinished record: its writer is gone, or has finished an invocation.
func (d *drain) endRecord() {
	d.flush()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rest = d.cut(d.rest, true)
}

// take reads some, and reports whether there may be more now, and whether there never will be.
func (d *drain) take(fd int) (more, ended bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	// Bounded, so that a function that writes without end cannot hold up its own END.
	for range 64 {
		n, err := syscall.Read(fd, d.buffer)
		switch {
		case n > 0:
			d.rest = d.cut(append(d.rest, d.buffer[:n]...), false)
		case err == syscall.EINTR:
		default:
			return false, err != syscall.EAGAIN
		}
	}
	return true, false
}

// lines makes an event of each line.
func (s *stream) lines(b []byte, end bool) []byte {
	now := time.Now().UnixMilli()
	for {
		i := bytes.IndexByte(b, '\n')
		switch {
		case i >= 0 && i < eventSize:
			if i > 0 && s.wanted(string(b[:i])) {
				s.add(now, string(b[:i+1]))
			}
			b = b[i+1:]
		case len(b) >= eventSize:
			s.add(now, string(b[:eventSize]))
			b = b[eventSize:]
		case end && len(b) > 0:
			s.add(now, string(b)+"\n")
			return nil
		default:
			// A copy: what was cut off would stay in memory.
			return append([]byte(nil), b...)
		}
	}
}

// A frame of the telemetry pipe: type, length, microseconds, and the record; big endian.
const (
	frameHead  = 16
	frameMagic = 0xa55a
)

// frames makes an event of each framed record. What is no frame, or too long for one, is dropped: the function
// can write here too.
func (s *stream) frames(b []byte, end bool) []byte {
	for len(b) >= frameHead {
		n := int(binary.BigEndian.Uint32(b[4:]))
		if binary.BigEndian.Uint16(b) != frameMagic || n > 4*eventSize {
			return nil
		}
		if len(b) < frameHead+n {
			break
		}
		ms := int64(binary.BigEndian.Uint64(b[8:]) / 1000)
		if now := time.Now().UnixMilli(); ms > now || ms < now-24*3600*1000 {
			ms = now
		}
		for record := b[frameHead : frameHead+n]; len(record) > 0; {
			m := min(len(record), eventSize)
			s.add(ms, string(record[:m]))
			record = record[m:]
		}
		b = b[frameHead+n:]
	}
	if end {
		return nil
	}
	return append([]byte(nil), b...)
}
