package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/culvert-cloud/culvert/internal/api/sigv4"
	"github.com/culvert-cloud/culvert/internal/api/wire"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Config is what a server needs.
type Config struct {
	Store    *state.Store
	Services []service.Definition
	Keys     sigv4.Keys
	// Authorizer is the one that services with a protocol of their own were given.
	Authorizer *Authorizer
	// Settle waits until a revision is real. An error does not fail the call: the change is made, and will be
	// real later. Nil: no waiting.
	Settle        func(ctx context.Context, revision uint64) error
	SettleTimeout time.Duration // 0: 10 s
	// Inspect serves /_culvert/ at the host door only. Nil: there is nothing.
	Inspect http.Handler
	Hosts   []string // further names of this machine, under which Inspect may be called
	// Record gets one record a call, after the answer. Nil: calls are logged only. It must not block.
	Record func(Record)
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
	// MaxBuffered limits the bytes of request bodies that are held at a time; 0: 512 MiB.
	MaxBuffered int64
}

// Server answers calls.
type Server struct {
	config   Config
	services map[string]*served
	objects  string // the service with a protocol of its own, which gets what nobody else claims
	forms    string // the service that gets unsigned forms, which it refuses
	buffered atomic.Int64
	inside   atomic.Int64 // of buffered: from inside the network
}

// served is a service, ready to be called.
type served struct {
	service.Definition
	codec      wire.Codec // nil: Handler serves it
	operations map[string]*service.Operation
}

// New makes a server.
func New(c Config) (*Server, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.SettleTimeout == 0 {
		c.SettleTimeout = 10 * time.Second
	}
	if c.MaxBuffered == 0 {
		c.MaxBuffered = 512 << 20
	}
	if c.Log == nil || c.Store == nil || c.Keys == nil || c.Authorizer == nil {
		return nil, errors.New("make the API server: Store, Keys, Authorizer and Log are needed")
	}
	s := &Server{config: c, services: map[string]*served{}}
	for _, d := range c.Services {
		v, err := newServed(d)
		if err != nil {
			return nil, fmt.Errorf("serve %s: %w", d.Name, err)
		}
		s.services[d.Name] = v
		switch d.Protocol {
		case service.RESTXML:
			s.objects = d.Name
		case service.AWSQuery:
			s.forms = d.Name
		}
	}
	return s, nil
}

func newServed(d service.Definition) (*served, error) {
	v := &served{Definition: d, operations: map[string]*service.Operation{}}
	if d.Handler != nil {
		return v, nil
	}
	about := wire.Service{Protocol: wire.Protocol(d.Protocol), Namespace: d.Namespace, TargetPrefix: d.TargetPrefix}
	for i := range d.Operations {
		o := &d.Operations[i]
		if o.Resources == nil {
			return nil, fmt.Errorf("operation %s does not say on which resources it acts", o.Name)
		}
		if v.operations[o.Name] != nil {
			return nil, fmt.Errorf("operation %s is defined twice", o.Name)
		}
		v.operations[o.Name] = o
		about.Operations = append(about.Operations, wire.Operation{Name: o.Name, Method: o.HTTPMethod, Path: o.HTTPPath, Status: o.Status})
	}
	codec, err := wire.New(about)
	v.codec = codec
	return v, err
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r, body := bePatient(w, r, bodyPatience)
	answer := &answer{ResponseWriter: w, body: body}
	origin := originOf(r)
	if s.isInspection(r, origin) {
		s.inspect(answer, r)
		return
	}
	x := s.newExchange(answer, r, origin)
	defer s.finish(x)
	s.serve(x)
}

// finish ends an exchange, even one whose handler panicked: that is a bug, and must cost no more than this call.
func (s *Server) finish(x *exchange) {
	failed := recover()
	if failed != nil && failed != http.ErrAbortHandler {
		s.config.Log.Error("call panicked", "service", x.call.Service, "operation", x.call.Operation,
			"request", x.call.RequestID, "panic", fmt.Sprint(failed), "stack", string(debug.Stack()))
		if x.answer.status == 0 {
			s.send(x, x.encodeError(x.internalError()))
		}
	}
	s.release(x)
	s.record(x)
	if failed == http.ErrAbortHandler || failed != nil && x.response == nil {
		panic(http.ErrAbortHandler) // half an answer is out; the caller must see that it is half
	}
}

// answer is a ResponseWriter that remembers the status, and hears callers out before it refuses.
type answer struct {
	http.ResponseWriter
	status int
	body   *patientBody
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
		if status >= http.StatusBadRequest {
			a.body.hearOut()
		}
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find what the connection can do.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
