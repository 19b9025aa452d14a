package test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// shownLimit is how long a dialogue waits for what must be shown.
const shownLimit = 20 * time.Second

// dialogue sits at a terminal at which a command runs. The lines of the file are what happens, in turn: "> PATTERN" is
// shown, after all that was shown before; "< TEXT" is typed, with Go's escapes; "size ROWS COLUMNS" is what the window
// becomes; "signal" terminates the command from outside. Then it waits for the command's end, keeps all that was shown
// as stdout, and looks whether the terminal is as it was.
func dialogue(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: dialogue FILE COMMAND...")
	}
	s := openScreen(ts)
	defer s.keyboard.Close()
	before, err := unix.IoctlGetTermios(int(s.terminal.Fd()), unix.TCGETS)
	ts.Check(err)
	c := exec.Command(args[1], args[2:]...)
	c.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TERM", "CULVERT_ENDPOINT"} {
		c.Env = append(c.Env, name+"="+ts.Getenv(name))
	}
	c.Stdin, c.Stdout, c.Stderr = s.terminal, s.terminal, s.terminal
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	ts.Check(c.Start())
	defer func() { _ = c.Process.Kill() }()
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		s.step(ts, c.Process, strings.TrimSuffix(line, "\n"))
	}
	err = c.Wait()
	after, modeErr := unix.IoctlGetTermios(int(s.terminal.Fd()), unix.TCGETS)
	ts.Check(modeErr)
	s.terminal.Close()
	<-s.done // what was written last
	fmt.Fprint(ts.Stdout(), s.text())
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed) && neg:
		fmt.Fprintln(ts.Stderr(), failed)
	case err != nil || neg:
		ts.Fatalf("%v ended: %v; shown:\n%s", args[1:], err, s.text())
	}
	if *before != *after {
		ts.Fatalf("the terminal is not as it was: %+v, not %+v", *after, *before)
	}
}

// screen is a terminal and what it shows.
type screen struct {
	keyboard, terminal *os.File
	done               chan struct{}
	seen               int // how much of what is shown was waited for

	mu    sync.Mutex
	shown bytes.Buffer // guarded by mu
}

func openScreen(ts *testscript.TestScript) *screen {
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	ts.Check(err)
	fd := int(keyboard.Fd())
	ts.Check(unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	ts.Check(err)
	ts.Check(unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100}))
	terminal, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	ts.Check(err)
	s := &screen{keyboard: keyboard, terminal: terminal, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		b := make([]byte, 4096)
		for {
			n, err := keyboard.Read(b)
			s.mu.Lock()
			s.shown.Write(b[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return s
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

func (s *screen) step(ts *testscript.TestScript, p *os.Process, line string) {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case ">":
		s.await(ts, regexp.MustCompile(rest))
	case "<":
		text, err := strconv.Unquote(`"` + rest + `"`)
		ts.Check(err)
		_, err = s.keyboard.WriteString(text)
		ts.Check(err)
	case "size":
		var w unix.Winsize
		_, err := fmt.Sscan(rest, &w.Row, &w.Col)
		ts.Check(err)
		ts.Check(unix.IoctlSetWinsize(int(s.keyboard.Fd()), unix.TIOCSWINSZ, &w))
	case "signal":
		ts.Check(p.Signal(syscall.SIGTERM))
	default:
		ts.Fatalf("dialogue: what is %q?", line)
	}
}

// await waits until a pattern is shown.
func (s *screen) await(ts *testscript.TestScript, pattern *regexp.Regexp) {
	for deadline := time.Now().Add(shownLimit); ; time.Sleep(5 * time.Millisecond) {
		text := s.text()
		if found := pattern.FindStringIndex(text[s.seen:]); found != nil {
			s.seen += found[1]
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s is not shown, but:\n%s", pattern, text[s.seen:])
		}
	}
}
