package namespace

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/compute/sandbox/namespace/pid1"
)

// readyLimit is how long making a sandbox may take. It takes a few milliseconds.
const readyLimit = 20 * time.Second

// launching is a sandbox on its way to being one.
type launching struct {
	d       *Driver
	s       *Sandbox
	cmd     *exec.Cmd
	attr    *syscall.SysProcAttr
	specIn  *os.File   // our end of the specification's pipe
	theirs  []*os.File // descriptors that belong to the child
	control *bufio.Scanner
}

// start makes a sandbox. Whether a process may be born into a control group is known only by trying; where it
// may not, sandboxes do without.
func (d *Driver) start(ctx context.Context, spec sandbox.Spec, at sandbox.Network) (*Sandbox, error) {
	s, err := d.startOnce(ctx, spec, at)
	if err == nil || !errors.Is(err, errFork) || d.groups == nil || d.groups.v2 == "" || d.groups.unusable.Swap(true) {
		return s, err
	}
	d.log.Warn("sandboxes do without version 2 control groups", "err", err)
	return d.startOnce(ctx, spec, at)
}

var errFork = errors.New("fork")

func (d *Driver) startOnce(ctx context.Context, spec sandbox.Spec, at sandbox.Network) (*Sandbox, error) {
	v, err := newView(spec)
	if err != nil {
		return nil, err
	}
	defer v.close()
	l := &launching{d: d, s: newSandbox(d, spec), attr: &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true,
	}}
	single := d.ids.apply(l.attr)
	if spec.Terminals {
		if l.s.terminals, err = v.addTerminals(l.attr); err != nil {
			return nil, l.abandon(err)
		}
	}
	if err := l.prepare(v, spec.Interactive); err != nil {
		return nil, l.abandon(err)
	}
	if l.s.group, err = d.groups.create(spec); err != nil {
		return nil, l.abandon(err)
	}
	l.s.group.enter(l.attr)
	if err := at.Spawn(l.cmd.Start); err != nil {
		return nil, l.abandon(fmt.Errorf("%w: %w", errFork, err))
	}
	l.s.process(l.cmd)
	l.release()
	// In its groups before it begins: the specification is what it waits for.
	if err := l.s.group.add(l.cmd.Process.Pid); err != nil {
		return nil, l.abandon(err)
	}
	if err := l.begin(ctx, v.pid1Spec(spec, single)); err != nil {
		return nil, l.abandon(err)
	}
	go l.s.listen(l.control)
	return l.s, nil
}

// abandon undoes whatever was done.
func (l *launching) abandon(err error) error {
	l.release()
	if l.specIn != nil {
		l.specIn.Close()
	}
	return errors.Join(err, l.s.Close())
}

func (l *launching) release() {
	for _, f := range l.theirs {
		f.Close()
	}
	l.theirs = nil
}

// prepare makes the pipes and the command.
func (l *launching) prepare(v *view, interactive bool) error {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("make control socket: %w", err)
	}
	l.s.control = os.NewFile(uintptr(pair[0]), "control")
	control := os.NewFile(uintptr(pair[1]), "control of PID 1")
	l.theirs = append(l.theirs, control)
	specOut, err := l.pipe(&l.specIn)
	if err != nil {
		return err
	}
	lines, err := l.outPipe(&l.s.lines)
	if err != nil {
		return err
	}
	frames, err := l.outPipe(&l.s.frames)
	if err != nil {
		return err
	}
	// Descriptors as in pid1: the image is its own descriptor in the child, whatever it is in here.
	l.cmd = &exec.Cmd{
		Path: "/proc/self/fd/" + strconv.Itoa(pid1.ImageFD),
		Args: []string{pid1.Name},
		// It allocates next to nothing once it runs, unless somebody makes it.
		Env:         []string{"GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=16MiB"},
		Dir:         "/",
		Stdout:      lines,
		Stderr:      lines,
		ExtraFiles:  append([]*os.File{specOut, control, frames, l.d.image}, v.files...),
		SysProcAttr: l.attr,
	}
	if interactive {
		return l.connect()
	}
	return nil
}

// connect gives the main process an input, and a standard error of its own.
func (l *launching) connect() error {
	in, err := l.pipe(&l.s.input)
	if err != nil {
		return err
	}
	out, err := l.outPipe(&l.s.errors)
	if err != nil {
		return err
	}
	l.cmd.Stdin, l.cmd.Stderr = in, out
	return nil
}

// pipe makes a pipe of which we keep the writing end.
func (l *launching) pipe(ours **os.File) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	*ours = w
	l.theirs = append(l.theirs, r)
	return r, nil
}

// outPipe makes a pipe of which we keep the reading end.
func (l *launching) outPipe(ours **os.File) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	*ours = r
	l.theirs = append(l.theirs, w)
	return w, nil
}

// begin sends the specification and waits until the sandbox is made.
func (l *launching) begin(ctx context.Context, spec pid1.Spec) error {
	deadline := time.Now().Add(readyLimit)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	_ = l.s.control.SetReadDeadline(deadline)
	_ = l.specIn.SetWriteDeadline(deadline)
	err := json.NewEncoder(l.specIn).Encode(spec)
	l.specIn.Close()
	l.specIn = nil
	if err != nil {
		return fmt.Errorf("send specification: %w", err)
	}
	l.control = bufio.NewScanner(l.s.control)
	l.control.Buffer(make([]byte, 0, 4096), pid1.MaxLine)
	e, err := nextEvent(l.control)
	switch {
	case err != nil:
		return fmt.Errorf("PID 1 ended: %w", err)
	case e.Kind != pid1.Ready:
		return fmt.Errorf("PID 1: %s", e.Error)
	}
	return l.s.control.SetReadDeadline(time.Time{})
}

// nextEvent reads one event. What it says is checked by whoever uses it.
func nextEvent(lines *bufio.Scanner) (pid1.Event, error) {
	var e pid1.Event
	if !lines.Scan() {
		if err := lines.Err(); err != nil {
			return e, err
		}
		return e, errors.New("the control socket closed")
	}
	if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
		return e, fmt.Errorf("read event: %w", err)
	}
	return e, nil
}
