// Package sandbox is the contract between the life of an execution environment and what isolates it.
//
// A sandbox is a place for the processes of one execution environment: its own file system, processes, users
// and limits, inside a network that somebody else made. It survives its processes, so that what is in /tmp can
// outlive a crash. The package knows neither Lambda nor an operating system; the one implementation is
// sandbox/namespace, and compute/execution decides what runs when.
package sandbox

import (
	"context"
	"os"
)

// Driver makes sandboxes.
type Driver interface {
	// Start makes an empty sandbox in a network. Nothing runs in it yet.
	Start(context.Context, Spec, Network) (Sandbox, error)
	// Close ends every sandbox and removes what the driver made.
	Close() error
}

// Network is where a sandbox is started. A dataplane.Attachment is one.
type Network interface {
	// Spawn runs f, which starts a process, inside the network, on a thread that outlives the process.
	Spawn(f func() error) error
}

// Sandbox is one sandbox. Its methods may be called by one goroutine at a time, except Close.
type Sandbox interface {
	// Run starts the main process. At most one runs at a time.
	Run(Command) error
	// Kill ends every process in the sandbox. The main process's end is then told by Exits.
	Kill() error
	// Freeze stops all processes where they are, Thaw lets them go on.
	Freeze() error
	Thaw() error
	// Exits tells the end of each main process, after everything it left behind has ended too. It is closed
	// when the sandbox is gone.
	Exits() <-chan Exit
	// Interactive is what an interactive sandbox has beside its output: where the main process reads, and its
	// standard error. Nil for others. Both are closed with the sandbox; input may be closed before.
	Interactive() (input, errors *os.File)
	// Output is what the processes write: standard output and error, and the framed log (see Spec). They
	// belong to the sandbox and are closed with it.
	Output() (lines, frames *os.File)
	// OpenTerminal makes a terminal in a sandbox that has terminals: our side of it, and its path inside, for a
	// command. Who asked closes our side, which hangs up.
	OpenTerminal() (ours *os.File, path string, err error)
	// Join starts a program beside the main process, with which it ends. How it ended is told once.
	Join(Command) (<-chan Exit, error)
	// Usage is how much memory is and was in use.
	Usage() Usage
	// Close ends the sandbox and everything in it, and waits. Closing twice is fine.
	Close() error
}

// Spec is what a sandbox looks like from the inside.
type Spec struct {
	ID       string // unique; for names of kernel objects
	Hostname string
	// Mounts are read-only views of files and directories of the host. They may lie within each other.
	Mounts []Mount
	// Files are small generated files, path to content.
	Files map[string]string
	// Links are symbolic links, path to target.
	Links map[string]string
	// Interactive sandboxes have an input, and their standard error apart from their output.
	Interactive bool
	// Terminals: the sandbox has terminals of its own.
	Terminals bool
	// TmpBytes is the size of /tmp, MemoryBytes of all processes together.
	TmpBytes, MemoryBytes int64
	// OpenFiles and Processes are limits.
	OpenFiles, Processes uint64
}

// Mount shows Source, on the host, at Target.
type Mount struct{ Source, Target string }

// Command is a program to run. Descriptors 0, 1 and 2 are nothing and the log; 3 takes framed log records.
type Command struct {
	Argv []string
	Env  []string
	Dir  string
	// Terminal is the path of the terminal that the program controls, in a session of its own; it is then
	// descriptors 0, 1 and 2, and there is no 3.
	Terminal string
}

// Exit is how a main process ended.
type Exit struct {
	// Err says why the program could not be started; nil: it ran.
	Err error
	// Signal is the name of the signal that ended it, as "segmentation fault"; empty: it exited with Code.
	Signal string
	Code   int
	// OutOfMemory reports that the memory limit ended it.
	OutOfMemory bool
}

// Usage is memory in bytes.
type Usage struct{ Current, Peak int64 }
