// Package stream carries the input and output of a command over one connection, in frames: between the region,
// where the command runs, and the terminal that asked for it. It knows neither HTTP nor commands.
package stream

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

// Kind is what a frame holds.
type Kind byte

// The kinds: the first three go to the command, the others come from it.
const (
	Stdin    Kind = iota // what it reads
	StdinEnd             // there is no more to read
	Resize               // the size of the window of the terminal has become this
	Stdout               // what it writes
	Stderr               // and where it complains
	End                  // how it ended, JSON; the last frame
)

// maxFrame is how long a frame may be.
const maxFrame = 64 << 10

// ErrFrame is for what is no frame.
var ErrFrame = errors.New("the connection does not speak of a command")

// Conn writes and reads frames. Writing is safe for several goroutines.
type Conn struct {
	mu sync.Mutex
	w  io.Writer // guarded by mu
	r  *bufio.Reader
}

// New frames what is written to and read from somebody.
func New(r *bufio.Reader, w io.Writer) *Conn { return &Conn{w: w, r: r} }

// Send writes a frame, or several if there is much.
func (c *Conn) Send(k Kind, b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		n := min(len(b), maxFrame)
		head := append([]byte{byte(k)}, binary.BigEndian.AppendUint32(nil, uint32(n))...)
		if _, err := c.w.Write(append(head, b[:n]...)); err != nil {
			return err
		}
		if b = b[n:]; len(b) == 0 {
			return nil
		}
	}
}

// Receive reads a frame.
func (c *Conn) Receive() (Kind, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxFrame || Kind(head[0]) > End {
		return 0, nil, ErrFrame
	}
	b := make([]byte, n)
	_, err := io.ReadFull(c.r, b)
	return Kind(head[0]), b, err
}

// Size is that of a terminal's window, in characters.
type Size = struct{ Rows, Columns uint16 }

// SendSize writes a frame with a size.
func (c *Conn) SendSize(s Size) error {
	return c.Send(Resize, binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, s.Rows), s.Columns))
}

// ReadSize reads the size in a frame.
func ReadSize(b []byte) (Size, error) {
	if len(b) != 4 {
		return Size{}, ErrFrame
	}
	return Size{binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])}, nil
}

// Writer writes all that is written to it as frames of a kind.
func (c *Conn) Writer(k Kind) io.Writer { return writer{c, k} }

type writer struct {
	c *Conn
	k Kind
}

func (w writer) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if err := w.c.Send(w.k, b); err != nil {
		return 0, err
	}
	return len(b), nil
}
