package pid1

// Name is the argv[0] by which a program learns that it is to be PID 1 of a sandbox.
const Name = "culvert-init"

// The descriptors PID 1 is started with. 0 is /dev/null; 1 and 2 are the log. Mounts follow from FirstMount.
const (
	SpecFD      = 3 // a pipe with a Spec; the end of it is the signal to begin
	ControlFD   = 4 // a socket: Commands in, Events out, a line of JSON each
	FramesFD    = 5 // a pipe for framed log records; the main process's descriptor 3
	ImageFD     = 6 // the program itself, sealed
	FirstMount  = 7
	MaxLine     = 1 << 20 // of JSON, in either direction
	FailureExit = 70
)

// Spec is everything PID 1 needs to know to make the sandbox.
type Spec struct {
	Hostname             string
	Mounts               []Mount
	Links                map[string]string // path to target
	Files                map[string]string // path to content
	MemInfo              string            // what /proc/meminfo says
	TmpBytes             int64
	UID, GID             int
	SingleID             bool // the only mapped id is UID; there is no root inside
	OpenFiles, Processes uint64
}

// Mount is a detached mount, already with its flags, and where it goes.
type Mount struct {
	FD     int
	Target string
	Dir    bool
}

// Op is what PID 1 is told to do.
type Op string

// The operations.
const (
	Run      Op = "run"
	Join     Op = "join" // as Run, beside the main process
	Kill     Op = "kill"
	Stop     Op = "stop"
	Continue Op = "continue"
)

// Command tells PID 1 to do something.
type Command struct {
	Op         Op
	Generation int      `json:",omitempty"` // of Run and Join: given back with the exit
	Argv       []string `json:",omitempty"`
	Env        []string `json:",omitempty"`
	Dir        string   `json:",omitempty"`
	Terminal   string   `json:",omitempty"` // what it controls, instead of the inherited descriptors
}

// EventKind is what PID 1 tells.
type EventKind string

// The kinds of events.
const (
	Ready  EventKind = "ready"  // the sandbox is made
	Failed EventKind = "failed" // it is not, see Error
	Exited EventKind = "exited" // the main process and all others ended, or could not be started, see Error
	Left   EventKind = "left"   // a program that joined ended, or could not be started, see Error
)

// Event is what PID 1 tells. Whoever reads it must not trust it: PID 1 shares a user with the function.
type Event struct {
	Kind       EventKind
	Generation int    `json:",omitempty"`
	Code       int    `json:",omitempty"`
	Signal     int    `json:",omitempty"`
	Error      string `json:",omitempty"`
}
