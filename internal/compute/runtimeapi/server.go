// Package runtimeapi is the HTTP interface between one execution environment and the runtime in it: the Lambda
// Runtime API of 2018-06-01.
//
// A runtime asks for the next event, answers, and asks again. There is one server for each environment, on a
// listener that exists in that environment's network namespace only, so there is nothing to authenticate. The
// package keeps the protocol's state and turns it into events; what they mean for the environment's life is
// decided in compute/execution. It never starts or stops a process.
package runtimeapi

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of a peer that is not trusted.
const (
	// MaxPayload is the largest answer: 6 MB and a little, as on AWS.
	MaxPayload = 6<<20 + 100
	// MaxStream is the largest answer that is streamed.
	MaxStream      = 200 << 20
	maxHeader      = 256 << 10
	maxConnections = 64
)

// Invocation is an event on its way to the runtime.
type Invocation struct {
	RequestID     string
	FunctionARN   string
	TraceID       string
	ClientContext string // JSON
	Deadline      time.Time
	Payload       []byte
	// Stream is where a response goes that the runtime streams; it is told its type. Nil: responses are gathered.
	Stream func(contentType string) io.Writer
}

// Kind is what a runtime did.
type Kind int

// What a runtime can do.
const (
	Next      Kind = iota // it asks for an event, and has finished the one before
	InitError             // it could not start; see ErrorType and Payload
	Response              // it answered; see Payload
	Failure               // the function failed; see ErrorType and Payload
	TooLarge              // it answered more than MaxPayload
	Truncated             // it broke off in the middle of its answer
)

// Event is one thing a runtime did.
type Event struct {
	Kind      Kind
	ErrorType string
	Payload   []byte
}

// state is what the runtime may do next. The names are those that AWS's error messages show.
type state string

const (
	started      state = "Started"
	ready        state = "Ready"
	running      state = "Running"
	responding   state = "InvocationResponse"
	failing      state = "InvocationErrorResponse"
	responseSent state = "RuntimeResponseSentState"
	initError    state = "InitError"
)

// Server is the Runtime API of one environment.
type Server struct {
	http *http.Server
	done chan struct{} // serving has ended

	mu         sync.Mutex
	generation int           // of the runtime process; guarded by mu
	state      state         // guarded by mu
	reporting  bool          // an initialization error is being read; guarded by mu
	current    *Invocation   // guarded by mu
	streamed   bool          // the answer to the last event goes or went to its Stream; guarded by mu
	delivered  chan struct{} // closed when current is set; guarded by mu
	events     chan Event    // of this generation; guarded by mu
}

// Serve answers on a listener until Close.
func Serve(l net.Listener) *Server {
	s := &Server{done: make(chan struct{})}
	s.Reset()
	s.http = &http.Server{
		Handler:        s.routes(),
		MaxHeaderBytes: maxHeader,
		ConnContext:    s.connection,
		// No time limits: a runtime waits for its next event for hours, and the function's own limit ends it.
	}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(&limitedListener{Listener: l, slots: make(chan struct{}, maxConnections)})
	}()
	return s
}

// Close ends all connections.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}

// Reset prepares for a new runtime process. What the one before still says is not heard.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation++
	s.state, s.reporting, s.current, s.delivered = started, false, nil, make(chan struct{})
	// A runtime cannot do more than this between two events given to it.
	s.events = make(chan Event, 8)
}

// Events tells what the runtime process of this generation does.
func (s *Server) Events() <-chan Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events
}

// Deliver gives an event to the runtime, which must have asked for it.
func (s *Server) Deliver(inv *Invocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current, s.streamed = inv, false
	close(s.delivered)
}

// Streamed reports whether the answer to the last event went to its Stream.
func (s *Server) Streamed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streamed
}

// tellLocked never waits: the events' order is the protocol's, and there is room for what it allows.
func (s *Server) tellLocked(e Event) {
	select {
	case s.events <- e:
	default:
	}
}

type generationKey struct{}

// connection remembers which runtime process made a connection. A request on an older one is not answered.
func (s *Server) connection(ctx context.Context, _ net.Conn) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return context.WithValue(ctx, generationKey{}, s.generation)
}

// lockFor locks the state for a request, unless it comes from a process of the past.
func (s *Server) lockFor(r *http.Request) bool {
	s.mu.Lock()
	if r.Context().Value(generationKey{}) == s.generation {
		return true
	}
	s.mu.Unlock()
	return false
}

// limitedListener bounds the number of open connections.
type limitedListener struct {
	net.Listener
	slots chan struct{}
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			return &limitedConn{Conn: c, release: sync.OnceFunc(func() { <-l.slots })}, nil
		default:
			c.Close()
		}
	}
}

type limitedConn struct {
	net.Conn
	release func()
}

func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
