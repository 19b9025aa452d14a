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
}

func newSupervisor(events *json.Encoder) *supervisor {
	s := &supervisor{events: events, started: make(chan struct{}, 1)}
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
	attr := &syscall.ProcAttr{
		Dir:   c.Dir,
		Env:   c.Env,
		Files: []uintptr{0, 1, 2, FramesFD},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}
	pid, err := syscall.ForkExec(c.Argv[0], c.Argv, attr)
	if err != nil {
		s.tellLocked(Event{Kind: Exited, Generation: c.Generation, Error: err.Error()})
		return
	}
	// If memory runs out the kernel is to take the runtime, not us: we report it and keep /tmp.
	_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte("1000"), 0)
	s.main, s.running, s.generation = pid, true, c.Generation
	s.started <- struct{}{}
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

func (s *supervisor) mainGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.main == 0
}

func (s *supervisor) ended(status syscall.WaitStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
	e := Event{Kind: Exited, Generation: s.generation}
	if status.Signaled() {
		e.Signal = int(status.Signal())
	} else {
		e.Code = status.ExitStatus()
	}
	s.tellLocked(e)
}

func (s *supervisor) tellLocked(e Event) {
	if err := s.events.Encode(e); err != nil {
		os.Exit(FailureExit)
	}
}
