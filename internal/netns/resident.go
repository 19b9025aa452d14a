package netns

import (
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// A job for the spawner thread.
type job struct {
	ns   *NS
	f    func() error
	done chan error
}

var spawner struct {
	once sync.Once
	jobs chan job
}

// Spawn runs f, which starts a process, inside the namespace, on the one thread of this program that never
// ends. A child's parent-death signal is tied to the thread that forked it, so a child started from a
// throw-away thread would be killed at once. Between jobs the thread rests in an empty namespace of its own.
// If the way back there fails the program ends: a stray thread in a function's namespace must never be used
// for anything else.
func Spawn(ns *NS, f func() error) error {
	spawner.once.Do(func() {
		spawner.jobs = make(chan job)
		go spawn(spawner.jobs)
	})
	j := job{ns: ns, f: f, done: make(chan error, 1)}
	spawner.jobs <- j
	return <-j.done
}

func spawn(jobs <-chan job) {
	runtime.LockOSThread()
	// Home is a namespace of our own: without root the host's cannot be entered again.
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		for j := range jobs {
			j.done <- fmt.Errorf("spawn: create home namespace: %w", err)
		}
		return
	}
	home, err := unix.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		panic(fmt.Sprintf("netns: open home namespace: %v", err))
	}
	for j := range jobs {
		if err := j.ns.enter(); err != nil {
			j.done <- fmt.Errorf("spawn: %w", err)
			continue
		}
		err := j.f()
		if back := unix.Setns(home, unix.CLONE_NEWNET); back != nil {
			panic(fmt.Sprintf("netns: leave %s: %v", j.ns.name, back))
		}
		j.done <- err
	}
}
