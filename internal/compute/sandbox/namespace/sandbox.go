package namespace

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/compute/sandbox/namespace/pid1"
)

// killLimit is how long the end of a killed process is waited for.
const killLimit = 5 * time.Second

// Sandbox is one sandbox. It implements sandbox.Sandbox.
type Sandbox struct {
	d      *Driver
	id     string
	memory memoryGuard
	group  *controlGroup

	control       *os.File
	lines, frames *os.File
	input, errors *os.File // of interactive ones
	terminals     *os.File // the mount of its terminals
	cmd           *exec.Cmd
	gone          chan struct{} // PID 1 was waited for; nil: never started
	exits         chan sandbox.Exit

	generation atomic.Int64 // of the last Run
	guests     guests
	closing    sync.Once
}

var _ sandbox.Sandbox = (*Sandbox)(nil)

func newSandbox(d *Driver, spec sandbox.Spec) *Sandbox {
	s := &Sandbox{d: d, id: spec.ID, exits: make(chan sandbox.Exit, 1)}
	s.memory.limit = spec.MemoryBytes
	s.memory.exceeded = func() { _ = s.send(pid1.Command{Op: pid1.Kill}) }
	return s
}

// process takes charge of PID 1.
func (s *Sandbox) process(cmd *exec.Cmd) {
	s.cmd, s.gone = cmd, make(chan struct{})
	s.memory.measure = func() int64 { return s.group.memory(cmd.Process.Pid) }
	go func() {
		_ = cmd.Wait() // how it ended is of no interest; that it ended is
		close(s.gone)
	}()
}

// listen passes on exits until the socket closes. Events come from a process that shares its user with the
// function: one that makes no sense is dropped, one that cannot be read ends the sandbox.
func (s *Sandbox) listen(control *bufio.Scanner) {
	defer close(s.exits)
	defer s.guests.forget()
	for {
		e, err := nextEvent(control)
		if err != nil {
			_ = s.cmd.Process.Kill()
			return
		}
		if e.Kind == pid1.Left {
			s.guests.left(e.Generation, told(e))
			continue
		}
		if e.Kind != pid1.Exited || int64(e.Generation) != s.generation.Load() {
			continue
		}
		s.memory.stop()
		select {
		case s.exits <- s.exit(e):
		default: // more ends than starts
		}
	}
}

func (s *Sandbox) exit(e pid1.Event) sandbox.Exit {
	x := told(e)
	x.OutOfMemory = s.memory.takeExceeded() || s.group.takeOutOfMemory()
	return x
}

// told is an end as PID 1 tells it.
func told(e pid1.Event) sandbox.Exit {
	x := sandbox.Exit{Code: e.Code & 0xff}
	if e.Error != "" {
		x.Err = errors.New(e.Error)
	}
	if e.Signal > 0 && e.Signal < 65 {
		x.Signal = syscall.Signal(e.Signal).String()
	}
	return x
}

func (s *Sandbox) send(c pid1.Command) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	// A line far larger than the socket's buffer would wait for a PID 1 that may be frozen.
	_ = s.control.SetWriteDeadline(time.Now().Add(killLimit))
	if _, err := s.control.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("tell sandbox %s to %s: %w", s.id, c.Op, err)
	}
	return nil
}

// Run starts the main process.
func (s *Sandbox) Run(c sandbox.Command) error {
	s.memory.start()
	return s.send(pid1.Command{
		Op:         pid1.Run,
		Generation: int(s.generation.Add(1)),
		Argv:       c.Argv,
		Env:        c.Env,
		Dir:        c.Dir,
		Terminal:   c.Terminal,
	})
}

// Kill ends every process but PID 1.
func (s *Sandbox) Kill() error { return s.send(pid1.Command{Op: pid1.Kill}) }

// Freeze stops all processes where they are.
func (s *Sandbox) Freeze() error {
	s.memory.stop()
	if s.group.canFreeze() {
		return s.group.freeze(true)
	}
	return s.send(pid1.Command{Op: pid1.Stop})
}

// Thaw lets them go on. It fails if they are gone.
func (s *Sandbox) Thaw() error {
	if s.hungUp() {
		return fmt.Errorf("thaw sandbox %s: its first process is gone", s.id)
	}
	s.memory.start()
	if s.group.canFreeze() {
		return s.group.freeze(false)
	}
	return s.send(pid1.Command{Op: pid1.Continue})
}

// hungUp reports whether PID 1 has let go of the control socket, which it does only with its life.
func (s *Sandbox) hungUp() bool {
	raw, err := s.control.SyscallConn()
	if err != nil {
		return true
	}
	poll := []unix.PollFd{{}}
	err = raw.Control(func(fd uintptr) {
		poll[0].Fd = int32(fd)
		_, _ = unix.Poll(poll, 0) // an interrupted call says nothing, like one too early
	})
	return err != nil || poll[0].Revents&unix.POLLHUP != 0
}

// Exits tells the end of each main process.
func (s *Sandbox) Exits() <-chan sandbox.Exit { return s.exits }

// Output is what the processes write.
func (s *Sandbox) Output() (lines, frames *os.File) { return s.lines, s.frames }

// Interactive is where the main process of an interactive sandbox reads, and its standard error.
func (s *Sandbox) Interactive() (input, errors *os.File) { return s.input, s.errors }

// Usage is how much memory is and was in use.
func (s *Sandbox) Usage() sandbox.Usage {
	current, peak := s.memory.usage()
	if p := s.group.peak(); p > 0 {
		peak = min(p, s.memory.limit)
	}
	return sandbox.Usage{Current: current, Peak: peak}
}

// Close ends the sandbox and everything in it.
func (s *Sandbox) Close() (err error) {
	s.closing.Do(func() { err = s.close() })
	return err
}

func (s *Sandbox) close() error {
	defer s.d.forget(s)
	s.memory.stop()
	s.group.kill()
	var err error
	if s.gone != nil {
		_ = s.cmd.Process.Kill() // the kernel takes the whole PID namespace with it
		select {
		case <-s.gone:
		case <-time.After(killLimit):
			err = fmt.Errorf("end sandbox %s: process %d does not die", s.id, s.cmd.Process.Pid)
		}
	}
	for _, f := range []*os.File{s.control, s.lines, s.frames, s.input, s.errors, s.terminals} {
		if f != nil {
			f.Close()
		}
	}
	return errors.Join(err, s.group.remove())
}
