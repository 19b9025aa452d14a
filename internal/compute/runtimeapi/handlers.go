package runtimeapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
)

// Headers of the protocol.
const (
	errorTypeHeader = "Lambda-Runtime-Function-Error-Type"
	errorBodyHeader = "Lambda-Runtime-Function-Error-Body"
	modeHeader      = "Lambda-Runtime-Function-Response-Mode"
	prefix          = "/2018-06-01/"
)

// Error types of functions are passed on as they are; those in AWS's own name space must be well formed.
var errorType = regexp.MustCompile(`^[A-Za-z0-9_.<>:$ -]{1,256}$`)

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"runtime/invocation/next", s.next)
	mux.HandleFunc("POST "+prefix+"runtime/invocation/{id}/response", s.response)
	mux.HandleFunc("POST "+prefix+"runtime/invocation/{id}/error", s.failure)
	mux.HandleFunc("POST "+prefix+"runtime/init/error", s.initError)
	mux.HandleFunc("GET "+prefix+"ping", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "pong") })
	return mux
}

// gone ends the connection of a process that should no longer be.
func gone() { panic(http.ErrAbortHandler) }

// next waits for an event. Asking again while one is being worked on gives the same one again.
func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	if !s.lockFor(r) {
		gone()
	}
	switch s.state {
	case responseSent:
		s.current, s.delivered = nil, make(chan struct{})
		fallthrough
	case started:
		s.state = ready
		s.tellLocked(Event{Kind: Next})
	case ready, running:
	default:
		s.refuseLocked(w, ready)
		s.mu.Unlock()
		return
	}
	delivered := s.delivered
	s.mu.Unlock()

	select {
	case <-delivered:
	case <-r.Context().Done():
		return
	}
	if !s.lockFor(r) {
		gone()
	}
	inv := s.current
	if inv != nil && s.state == ready {
		s.state = running
	}
	s.mu.Unlock()
	if inv == nil { // another connection has answered it meanwhile
		gone()
	}
	deliver(w, inv)
}

func deliver(w http.ResponseWriter, inv *Invocation) {
	// Set by hand, in the spelling that AWS sends; absent rather than empty.
	set := func(name, value string) {
		if value != "" {
			w.Header()[name] = []string{value}
		}
	}
	set("Content-Type", "application/json")
	set("Content-Length", strconv.Itoa(len(inv.Payload)))
	set("Lambda-Runtime-Aws-Request-Id", inv.RequestID)
	set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.Deadline.UnixMilli(), 10))
	set("Lambda-Runtime-Invoked-Function-Arn", inv.FunctionARN)
	set("Lambda-Runtime-Trace-Id", inv.TraceID)
	set("Lambda-Runtime-Client-Context", inv.ClientContext)
	_, _ = w.Write(inv.Payload)
}

func (s *Server) response(w http.ResponseWriter, r *http.Request) { s.answer(w, r, responding) }
func (s *Server) failure(w http.ResponseWriter, r *http.Request)  { s.answer(w, r, failing) }

// answer takes the answer to the event being worked on.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, as state) {
	if !s.lockFor(r) {
		gone()
	}
	if s.current == nil || s.current.RequestID != r.PathValue("id") {
		s.mu.Unlock()
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	if s.state != running {
		s.refuseLocked(w, as)
		s.mu.Unlock()
		return
	}
	s.state = as
	stream := s.current.Stream
	if as != responding || r.Header.Get(modeHeader) != "streaming" {
		stream = nil
	}
	s.streamed = stream != nil
	s.mu.Unlock()

	var event Event
	if stream != nil {
		event = copyStream(r, stream(r.Header.Get("Content-Type")))
	} else {
		event = read(r, as)
	}
	if !s.lockFor(r) {
		gone()
	}
	s.state = responseSent
	s.tellLocked(event)
	s.mu.Unlock()
	switch event.Kind {
	case Truncated:
		refuse(w, http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
	case TooLarge:
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", MaxPayload))
	default:
		accept(w)
	}
}

// read reads an answer's body, and no more of it than is allowed.
func read(r *http.Request, as state) Event {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxPayload+1))
	switch {
	case err != nil:
		return Event{Kind: Truncated, ErrorType: "Runtime.TruncatedResponse"}
	case len(body) > MaxPayload:
		// The runtime must be able to finish writing before it can read the refusal.
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 64<<20))
		return Event{Kind: TooLarge, ErrorType: "Function.ResponseSizeTooLarge"}
	case as == failing:
		return Event{Kind: Failure, ErrorType: typeOf(r.Header.Get(errorTypeHeader)), Payload: body}
	}
	if e, failed := failedAtEnd(r); failed {
		return e
	}
	return Event{Kind: Response, Payload: body}
}

// copyStream passes a response on as it comes. The writer does not fail: see service/lambda.
func copyStream(r *http.Request, to io.Writer) Event {
	n, err := io.Copy(to, io.LimitReader(r.Body, MaxStream+1))
	switch {
	case err != nil:
		return Event{Kind: Truncated, ErrorType: "Runtime.TruncatedResponse"}
	case n > MaxStream:
		return Event{Kind: TooLarge, ErrorType: "Function.ResponseSizeTooLarge"}
	}
	if e, failed := failedAtEnd(r); failed {
		return e
	}
	return Event{Kind: Response, Payload: []byte{}}
}

// failedAtEnd reads the trailers of a streamed response, in which it says that it failed.
func failedAtEnd(r *http.Request) (Event, bool) {
	if t := r.Trailer.Get(errorTypeHeader); t != "" {
		detail, err := base64.StdEncoding.DecodeString(r.Trailer.Get(errorBodyHeader))
		if err != nil || !json.Valid(detail) {
			detail, _ = json.Marshal(map[string]string{"errorType": typeOf(t), "errorMessage": ""})
		}
		return Event{Kind: Failure, ErrorType: typeOf(t), Payload: detail}, true
	}
	return Event{}, false
}

func (s *Server) initError(w http.ResponseWriter, r *http.Request) {
	// Before the body, which is held in memory, and again after it.
	if !s.lockFor(r) {
		gone()
	}
	if s.state != started || s.reporting {
		s.refuseLocked(w, initError)
		s.mu.Unlock()
		return
	}
	s.reporting = true
	s.mu.Unlock()
	defer func() {
		if s.lockFor(r) {
			s.reporting = false
			s.mu.Unlock()
		}
	}()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxPayload))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", MaxPayload))
		return
	}
	if !s.lockFor(r) {
		gone()
	}
	defer s.mu.Unlock()
	if s.state != started {
		s.refuseLocked(w, initError)
		return
	}
	s.state = initError
	s.tellLocked(Event{Kind: InitError, ErrorType: typeOf(r.Header.Get(errorTypeHeader)), Payload: body})
	accept(w)
}

// typeOf is the error type that a runtime named.
func typeOf(header string) string {
	if errorType.MatchString(header) {
		return header
	}
	return "Runtime.Unknown"
}

func (s *Server) refuseLocked(w http.ResponseWriter, to state) {
	refuse(w, http.StatusForbidden, "InvalidStateTransition",
		fmt.Sprintf("State transition from %s to %s failed for runtime. Error: State transition is not allowed", s.state, to))
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	reply(w, status, map[string]string{"errorMessage": message, "errorType": kind})
}

func accept(w http.ResponseWriter) {
	reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

func reply(w http.ResponseWriter, status int, v map[string]string) {
	b, _ := json.Marshal(v) // a map of strings always can be
	b = append(b, '\n')
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
