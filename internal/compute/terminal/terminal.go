// Package terminal lets somebody outside sit at a terminal of a sandbox: it carries what they type and what they are
// shown, and the size of their window. It makes no terminal and starts no program; sandbox does both.
//
// The terminal is the sandbox's own. Nothing inside ever holds one of the machine's, so there is none to read from or
// to type into (TIOCSTI) but the program's own.
package terminal

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
)

// Size is that of a window, in characters.
type Size = struct{ Rows, Columns uint16 }

// Seat is who sits at a terminal.
type Seat struct {
	Type      string // of their terminal, as in $TERM
	Size      Size
	Sizes     <-chan Size // what it becomes
	Input     io.Reader
	Output    io.Writer
	Abandoned <-chan struct{} // closed when nobody sits there any more
}

// Start makes a terminal in a sandbox and runs a program on it with run, which is the sandbox's Run or Join.
func Start(box sandbox.Sandbox, c sandbox.Command, s Seat, run func(sandbox.Command) (<-chan sandbox.Exit, error)) (*Session, error) {
	ours, path, err := box.OpenTerminal()
	if err != nil {
		return nil, err
	}
	c.Terminal = path
	if s.Type != "" {
		c.Env = append(c.Env, "TERM="+s.Type)
	}
	resize(ours, s.Size) // before the program asks
	exits, err := run(c)
	if err != nil {
		ours.Close()
		return nil, err
	}
	return &Session{seat: s, ours: ours, exits: exits}, nil
}

// Session is a program on a terminal.
type Session struct {
	seat  Seat
	ours  *os.File
	exits <-chan sandbox.Exit
	over  atomic.Bool // the program has ended
}

// Attend carries until the program ends or nobody sits there; then it hangs up.
func (s *Session) Attend(ctx context.Context) (sandbox.Exit, error) {
	ended := make(chan struct{})
	defer close(ended)
	defer s.ours.Close()
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		s.show()
	}()
	go func() { _, _ = io.Copy(s.ours, s.seat.Input) }()
	go s.follow(ended)
	select {
	case x, ok := <-s.exits:
		if !ok {
			return sandbox.Exit{}, errors.New("the sandbox is gone")
		}
		if x.Err != nil {
			return x, nil
		}
		return x, s.wait(ctx, shown)
	case <-s.seat.Abandoned:
		return sandbox.Exit{Signal: unix.SIGHUP.String()}, nil
	case <-ctx.Done():
		return sandbox.Exit{}, ctx.Err()
	}
}

// quiet is how long nothing must come from a terminal whose program has ended, but that others hold still. The kernel
// passes on what was written in its own time, and says only that nobody holds it any more.
const quiet = 100 * time.Millisecond

// show shows what is written, until the last program lets go of the terminal, which is an error of input and output,
// or the one that matters has ended.
func (s *Session) show() {
	b := make([]byte, 32<<10)
	for {
		began, over := time.Now(), s.over.Load()
		if over {
			_ = s.ours.SetReadDeadline(began.Add(quiet))
		}
		n, err := s.ours.Read(b)
		if n > 0 {
			if _, err := s.seat.Output.Write(b[:n]); err != nil {
				return
			}
		}
		woken := errors.Is(err, os.ErrDeadlineExceeded) && !(over && time.Since(began) >= quiet)
		if err != nil && !woken {
			return
		}
	}
}

// wait waits for what the program has written before it ended.
func (s *Session) wait(ctx context.Context, shown <-chan struct{}) error {
	s.over.Store(true)
	_ = s.ours.SetReadDeadline(time.Unix(1, 0)) // wakes who shows it
	select {
	case <-shown:
	case <-s.seat.Abandoned:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// follow lets the terminal have the size of the window.
func (s *Session) follow(ended <-chan struct{}) {
	for {
		select {
		case size, ok := <-s.seat.Sizes:
			if !ok {
				return
			}
			resize(s.ours, size)
		case <-ended:
			return
		}
	}
}

func resize(ours *os.File, size Size) {
	raw, err := ours.SyscallConn()
	if err != nil {
		return // it is closed
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: size.Rows, Col: size.Columns})
	})
}
