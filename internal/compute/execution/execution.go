// Package execution runs Lambda functions: it makes execution environments, keeps them warm, and drives each
// one through its life.
//
//	new ──start──▶ initializing ──next──▶ ready (frozen) ──invoke──▶ busy ──next──▶ ready
//	                    │                                             │
//	                    └── error, exit, 10 s ──▶ broken ◀── exit, limit ──┘
//	broken ──invoke──▶ initializes inside the invocation; same sandbox, /tmp kept
//
// An environment is a sandbox, a place in the network, a Runtime API and a log stream of its own. One
// goroutine at a time drives it: whoever invokes. The texts that functions' owners see, in answers and in the
// log, are AWS's. The package knows no HTTP API and stores nothing; see service/lambda for the first and
// compute/sandbox for what isolates.
package execution

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Attacher finds places in the network. dataplane.Driver is one.
type Attacher interface {
	Attach(context.Context, dataplane.Seat) (dataplane.Attachment, error)
}

// LogSink takes log events.
type LogSink interface {
	Append(group, stream string, events []LogEvent) error
}

// LogEvent is one.
type LogEvent struct {
	TimestampMS int64
	Message     string
}

// Credentials are a role session's.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// Config is what a pool needs.
type Config struct {
	Log     *slog.Logger
	Network Attacher
	Sandbox sandbox.Driver
	// Credentials makes the session of one environment. It must be valid for longer than MaxAge.
	Credentials func(ctx context.Context, f *resource.Function, sessionName string) (Credentials, error)
	Logs        LogSink
	// Code gives the directory of unpacked code. Its files must be readable for everybody.
	Code func(key string) (dir string, err error)
	// CABundle is a PEM file that everybody may read: the certificates functions trust.
	CABundle string
	// Resolver tells a function's name servers and search domain.
	Resolver func(*resource.Function) (nameservers []string, search string)
	Region   string
	Account  string
	// TimedOut is told of invocations that ran out of time on an interface, and since when they ran. Nil: nobody is.
	TimedOut func(f *resource.Function, eni resource.NetworkInterfaceID, began time.Time)

	Dir             string        // for files of the pool's own; empty: the system's temporary directory
	MaxEnvironments int           // of all functions; 0: 100
	IdleTTL         time.Duration // how long an unused environment is kept; 0: 10 minutes
	MaxAge          time.Duration // after which an environment is not used again; 0: 45 minutes
}

// Defaults and AWS's limits.
const (
	defaultEnvironments = 100
	defaultIdleTTL      = 10 * time.Minute
	defaultMaxAge       = 45 * time.Minute
	initLimit           = 10 * time.Second
	defaultTmpMB        = 512
	maxOpenFiles        = 1024
	maxProcesses        = 1024
	runtimeAPIAddress   = "169.254.100.1:9001"
	latest              = "$LATEST"
)

// versionOf is a function's version as AWS writes it.
func versionOf(f *resource.Function) string {
	if f.Version == "" {
		return latest
	}
	return f.Version
}

// Invocation is one call of a function.
type Invocation struct {
	RequestID     string
	Payload       []byte
	ClientContext string // JSON; empty: none
	TraceID       string // empty: one is made
	InvokedARN    string // as the caller named the function; empty: without a qualifier
	// Stream is where a response goes that the runtime streams; it is told its type. Nil: responses are gathered.
	Stream func(contentType string) io.Writer
}

// Result is how it went.
type Result struct {
	Payload         []byte
	FunctionError   string // "Unhandled"; empty: the function succeeded
	Streamed        bool   // the response went to Invocation.Stream
	LogTail         []byte // the last 4 KB of this invocation's log
	ExecutedVersion string
	Duration        time.Duration
	InitDuration    time.Duration // 0: the environment was there
	BilledMS        int64
	MaxMemoryMB     int
	Cold            bool
}
