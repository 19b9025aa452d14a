package objects

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

const (
	backoffFirst = 50 * time.Millisecond
	backoffMost  = 5 * time.Second
	// A child that lived this long did not fail at its start: the next one is started at once.
	healthyAfter = 10 * time.Second
	stopTimeout  = 5 * time.Second
)

// supervise runs one child after the other until ctx ends.
//
// The kernel ends a child when the thread that started it ends, so the thread is kept for as long as the
// supervisor lives.
func (e *Engine) supervise(ctx context.Context) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(e.done)
	backoff := backoffFirst
	for attempt := 1; ; attempt++ {
		started := time.Now()
		err := e.runChild(ctx)
		if hope := e.setGone(err, attempt); !hope || ctx.Err() != nil {
			return
		}
		e.config.Log.Error("object store ended, starting it again", "error", err, "after", time.Since(started))
		if time.Since(started) > healthyAfter {
			backoff = backoffFirst
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, backoffMost)
	}
}

// runChild starts a child and returns when it has ended.
func (e *Engine) runChild(ctx context.Context) error {
	ready, readyWriter, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make pipe: %w", err)
	}
	defer ready.Close()
	output := &lineLogger{engine: e}
	cmd := e.command(readyWriter, output)
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	readyWriter.Close()
	if err != nil {
		return fmt.Errorf("start child: %w", err)
	}
	stopped := context.AfterFunc(ctx, func() {
		stdin.Close()
		time.Sleep(stopTimeout)
		_ = cmd.Process.Kill() // does nothing once it has been waited for
	})
	defer stopped()
	defer e.transport.base.CloseIdleConnections()
	announced := make(chan struct{})
	go func() {
		defer close(announced)
		e.announce(ready, cmd.Process.Pid)
	}()
	err = e.sendConfig(stdin)
	if err != nil {
		err = fmt.Errorf("configure child: %w", err)
	}
	err = errors.Join(err, cmd.Wait())
	if err != nil && output.last != "" {
		err = fmt.Errorf("%w: %s", err, output.last)
	}
	<-announced // or a child that ends at once could be announced after its end
	return err
}

// announce marks the engine ready when the child says that it listens. If the child ends instead, its end of
// the pipe closes and there is nothing to read.
func (e *Engine) announce(ready io.Reader, pid int) {
	if _, err := io.ReadFull(ready, make([]byte, 1)); err == nil {
		e.setReady(pid)
	}
}

func (e *Engine) command(ready *os.File, output io.Writer) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args[0] = childName
	cmd.Dir = "/"
	// Nothing of our environment: what steers AWS clients must not reach the engine.
	cmd.Env = []string{"GOTRACEBACK=single"}
	cmd.ExtraFiles = []*os.File{e.run, ready} // runFD, readyFD
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    true, // Ctrl-C in the terminal is ours to handle
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
	}
	return cmd
}

// lineLogger passes on what the child prints.
type lineLogger struct {
	engine *Engine
	rest   []byte
	last   string // line; to be read when the child has ended
}

func (l *lineLogger) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		n, line, err := bufio.ScanLines(l.rest, false)
		if err != nil || n == 0 {
			return len(p), nil
		}
		l.engine.config.Log.Debug("object store says", "line", string(line))
		l.last = string(line)
		l.rest = l.rest[n:]
	}
}
