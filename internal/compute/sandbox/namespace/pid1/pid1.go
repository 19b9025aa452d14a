// Package pid1 is the first process of a sandbox.
//
// It makes the file system, gives up every privilege for good, starts the function's runtime when it is told
// to, reaps, and kills everything that a runtime leaves behind. It ends, and with it everything in the
// sandbox, when its control socket closes. It never talks to the network and never trusts the function.
//
// It is this same program, started again from a sealed copy. The whole program has hundreds of packages to
// initialise, which takes longer than everything PID 1 does; so the package takes over in its own init, and
// imports nothing but the standard library and x/sys, which makes the linker order it before the others.
// That order is a matter of speed only: about 3 ms instead of 14. See sandbox/namespace for the other end.
package pid1

import (
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func init() {
	if len(os.Args) == 1 && os.Args[0] == Name {
		main()
	}
}

// main never returns.
func main() {
	// Some of what is given up is given up by this thread alone, and this thread alone starts programs.
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(unsafe.StringData(Name+"\x00"))), 0, 0, 0)
	control := os.NewFile(ControlFD, "control")
	events := json.NewEncoder(control)
	if err := prepare(); err != nil {
		_ = events.Encode(Event{Kind: Failed, Error: err.Error()})
		os.Exit(FailureExit)
	}
	if err := events.Encode(Event{Kind: Ready}); err != nil {
		os.Exit(FailureExit)
	}
	newSupervisor(events).serve(json.NewDecoder(control))
	// The socket is closed: the daemon is gone, or wants us gone. The kernel takes the rest of the namespace.
	os.Exit(0)
}

func prepare() error {
	unix.CloseOnExec(ControlFD)
	unix.CloseOnExec(FramesFD)
	_ = unix.Close(ImageFD)
	spec, err := readSpec()
	if err != nil {
		return err
	}
	if err := enterRoot(spec); err != nil {
		return err
	}
	// Notify, not Ignore, which programs would inherit: a signal from the function must neither end this
	// process nor make it write its stacks to the log.
	signal.Notify(make(chan os.Signal, 1))
	// What was inherited by mistake must not reach the function.
	if err := unix.CloseRange(FirstMount, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return wrap("hide descriptors", err)
	}
	return giveUp(spec)
}

func readSpec() (*Spec, error) {
	f := os.NewFile(SpecFD, "spec")
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, wrap("read specification", err)
	}
	spec := &Spec{}
	if err := json.Unmarshal(b, spec); err != nil {
		return nil, wrap("read specification", err)
	}
	return spec, nil
}

// failure keeps package fmt's and errors' weight out of a process that exists once for each sandbox.
type failure struct {
	doing string
	err   error
}

func (f failure) Error() string { return f.doing + ": " + f.err.Error() }
func (f failure) Unwrap() error { return f.err }

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return failure{doing, err}
}

// errno turns a system call's result into an error.
func errno(e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}
