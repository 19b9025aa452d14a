package pid1

import (
	"encoding/json"
	"os"
	"strconv"
	"sync"
	"syscall"
)

// supervisor starts, reaps and kills. Commands come one by one on the main thread; a goroutine reaps.
type supervisor struct {
	started chan struct{} // a child was started

	mu         sync.Mutex
	events     *json.Encoder
	main       int // the main process; 0: none
	running    bool
	generation int
	joined     map[int]int // process to its number
}

func newSupervisor(events *json.Encoder) *supervisor {
	s := &supervisor{events: events, started: make(chan struct{}, 1), joined: map[int]int{}}
	go s.reap()
	return s
}

// serve obeys until the socket closes or speaks nonsense.
func (s *supervisor) serve(commands *json.Decoder) {
	for {
		var c Command
		if err := commands.Decode(&c); err != nil {
			return
		}
		switch c.Op {
		case Run:
			s.run(c)
		case Join:
			s.join(c)
		case Kill:
			_ = syscall.Kill(-1, syscall.SIGKILL)
		case Stop:
			_ = syscall.Kill(-1, syscall.SIGSTOP)
		case Continue:
			_ = syscall.Kill(-1, syscall.SIGCONT)
		}
	}
}

func (s *supervisor) run(c Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running || len(c.Argv) == 0 {
		s.tellLocked(Event{Kind: Exited, Generation: c.Generation, Error: "a program is running already"})
		return
	}
	pid, err := begin(c)
	if err != nil {
		s.tellLocked(Event{Kind: Exited, Generation: c.Generation, Error: err.Error()})
		return
	}
	s.main, s.running, s.generation = pid, true, c.Generation
	s.started <- struct{}{}
}

// join starts a program beside the main process.
func (s *supervisor) join(c Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.main == 0 || len(c.Argv) == 0 {
		s.tellLocked(Event{Kind: Left, Generation: c.Generation, Error: "nothing runs here"})
		return
	}
	pid, err := begin(c)
	if err != nil {
		s.tellLocked(Event{Kind: Left, Generation: c.Generation, Error: err.Error()})
		return
	}
	s.joined[pid] = c.Generation
}

// begin starts a program in a session of its own.
func begin(c Command) (int, error) {
	attr := &syscall.ProcAttr{
		Dir:   c.Dir,
		Env:   c.Env,
		Files: []uintptr{0, 1, 2, FramesFD},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}
	if c.Terminal != "" {
		fd, err := syscall.Open(c.Terminal, syscall.O_RDWR|syscall.O_NOCTTY|syscall.O_CLOEXEC, 0)
		if err != nil {
			return 0, wrap("open "+c.Terminal, err)
		}
		defer syscall.Close(fd) // else nobody would learn that the program has let go of it
		attr.Files = []uintptr{uintptr(fd), uintptr(fd), uintptr(fd)}
		attr.Sys.Setctty = true
	}
	pid, err := syscall.ForkExec(c.Argv[0], c.Argv, attr)
	if err != nil {
		return 0, err
	}
	// If memory runs out the kernel is to take the runtime, not us: we report it and keep /tmp.
	_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte("1000"), 0)
	return pid, nil
}

// reap waits for every process of the namespace. When the main process is gone it kills the others, and only
// when all are gone does it say so: what a runtime left behind must never meet the next one.
func (s *supervisor) reap() {
	var last syscall.WaitStatus
	for range s.started {
		for {
			var status syscall.WaitStatus
			pid, err := syscall.Wait4(-1, &status, 0, nil)
			if err == syscall.EINTR {
				continue
			}
			if err != nil { // ECHILD: nobody is left
				break
			}
			if s.isMain(pid) {
				last = status
			}
			s.left(pid, status)
			if s.mainGone() {
				_ = syscall.Kill(-1, syscall.SIGKILL)
			}
		}
		s.ended(last)
	}
}

func (s *supervisor) isMain(pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pid != s.main {
		return false
	}
	s.main = 0
	return true
}

// left tells the end of a program that joined.
func (s *supervisor) left(pid int, status syscall.WaitStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number, ok := s.joined[pid]
	if !ok {
		return
	}
	delete(s.joined, pid)
	s.tellLocked(ending(Left, number, status))
}

func (s *supervisor) mainGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.main == 0
}

func (s *supervisor) ended(status syscall.WaitStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
	s.tellLocked(ending(Exited, s.generation, status))
}

// ending is the event that a process ended.
func ending(kind EventKind, generation int, status syscall.WaitStatus) Event {
	e := Event{Kind: kind, Generation: generation}
	if status.Signaled() {
		e.Signal = int(status.Signal())
	} else {
		e.Code = status.ExitStatus()
	}
	return e
}

func (s *supervisor) tellLocked(e Event) {
	if err := s.events.Encode(e); err != nil {
		os.Exit(FailureExit)
	}
}
