package lambda

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Config says what the service works with. Fields are needed unless they say otherwise.
type Config struct {
	State    *state.Store
	Code     *CodeStore
	Executor Executor
	Roles    Roles
	Log      *slog.Logger
	// Settle waits, bounded, until the drivers report a revision applied. nil: nothing to wait for.
	Settle func(ctx context.Context, revision uint64) error
	// FetchObject reads a package from S3 on behalf of the call. nil: packages in S3 are refused.
	FetchObject func(ctx context.Context, call *api.Call, bucket, key, version string) (io.ReadCloser, error)
	// Authorize decides whether a call may do something to a resource that has a policy of its own; nil: it may not.
	Authorize func(r state.Reader, call *api.Call, action, resource string, own *policy.Document, keys map[string][]string) error
	// Architecture is Lambda's name of the architecture that functions run on. Empty: this machine's.
	Architecture string
	// Retries are the delays before an asynchronous invocation is tried again. nil: AWS's, one and two minutes.
	Retries []time.Duration
}

// Roles answers what the service has to know about roles.
type Roles interface {
	// AssumableBy reports whether a role exists and trusts a service, such as lambda.amazonaws.com.
	AssumableBy(r state.Reader, roleARN, service string) bool
	// Allows reports whether a role's policies allow an action on all resources.
	Allows(r state.Reader, roleARN, action string) bool
	// AllowsOn reports whether a role's policies allow an action on one resource.
	AllowsOn(r state.Reader, roleARN, action, on string) bool
}

// Executor runs functions.
type Executor interface {
	// Invoke runs a function once and waits for it. An *api.Error goes to the caller as it is; a Throttled
	// becomes AWS's answer for it.
	Invoke(ctx context.Context, f *resource.Function, in Invocation) (Result, error)
	// Drain is told that a function's version was changed or deleted (see resource.Function.Qualified): environments
	// that were made for it before take no more invocations. It does not wait for those that are running.
	Drain(qualified string)
	// Provision says what is to be kept initialized, all of it. It does not wait.
	Provision(all []Provision)
	// Provisioned tells how far that is for one version.
	Provisioned(qualified string) Provisioned
}

// Invocation is one run of a function.
type Invocation struct {
	RequestID     string
	Payload       []byte // JSON, never empty
	ClientContext string // JSON, or empty
	TraceID       string // value of X-Amzn-Trace-Id, or empty
	InvokedARN    string // as the caller named the function
	// Stream is where the response goes while it is made, if the runtime streams it; it is told which version runs and
	// of what type the response is. Nil: the response is a Result's.
	Stream func(f *resource.Function, contentType string) io.Writer
}

// Result is what came of an invocation.
type Result struct {
	Payload       []byte
	FunctionError string // Unhandled, or empty
	LogTail       []byte // the last of what was logged, at most 4 KB
	Streamed      bool   // the response went to Invocation.Stream; Payload is an error's, if there was one
}

// Throttled is an Executor's error when it has no room for one more invocation.
type Throttled struct{ Reason string }

func (t *Throttled) Error() string { return "throttled: " + t.Reason }

// Service serves Lambda.
type Service struct {
	config Config
	limits *limits
	queue  *queue
	// downloadKey signs the addresses of packages.
	downloadKey [32]byte
}

// New makes the service. Close it to let asynchronous invocations finish.
func New(c Config) (*Service, error) {
	if c.State == nil || c.Code == nil || c.Executor == nil || c.Roles == nil || c.Log == nil {
		return nil, errors.New("make the Lambda service: state, code, executor, roles and log are needed")
	}
	if c.Architecture == "" {
		c.Architecture = architecture(runtime.GOARCH)
	}
	if c.Retries == nil {
		c.Retries = []time.Duration{time.Minute, 2 * time.Minute}
	}
	s := &Service{config: c, limits: newLimits()}
	_, _ = rand.Read(s.downloadKey[:]) // never fails: see crypto/rand
	s.queue = newQueue(s.runQueued, s.handOn, c.Retries, c.Log)
	return s, nil
}

// Resume has the executor make what is provisioned, when it can: the network is there.
func (s *Service) Resume() { s.provision() }

// Close takes no more asynchronous invocations and waits for those that are queued or running, but not for
// retries that lie in the future. What is left when ctx is over is dropped.
func (s *Service) Close(ctx context.Context) error { return s.queue.close(ctx) }

// commit runs a transaction and waits until it is settled. That it does not settle in time is no error of the
// call: the change is made, and will be real later.
func (s *Service) commit(ctx context.Context, change func(*state.Tx) error) error {
	revision, err := s.config.State.Update(change)
	if err != nil || s.config.Settle == nil {
		return err
	}
	if err := s.config.Settle(ctx, revision); err != nil {
		s.config.Log.Warn("change is not applied yet", "revision", revision, "error", err)
	}
	return nil
}
