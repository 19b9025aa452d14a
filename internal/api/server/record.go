package server

import (
	"log/slog"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
)

// Record is what is kept of a call: what CloudTrail would say.
type Record struct {
	Time      time.Time
	Duration  time.Duration
	RequestID string
	Service   string
	Operation string // empty: it was not found
	Caller    api.Caller
	Origin    api.Origin
	UserAgent string
	Decisions []Decided // in order; of many allowed ones only the first
	Revision  uint64    // of an Update; zero: nothing changed
	Status    int
	Code      string // of the error; empty: there was none that the server saw
	Message   string
}

// Decided is one decision about a call.
type Decided struct {
	Action   string
	Resource string
	Decision policy.Decision
}

// trail collects decisions. A call can ask thousands of times (S3 DeleteObjects).
type trail struct{ decisions []Decided }

func (t *trail) add(d Decided) {
	const most = 16
	if len(t.decisions) < most {
		t.decisions = append(t.decisions, d)
	} else if !d.Decision.Allowed {
		t.decisions[most-1] = d
	}
}

// record writes the one line of a call.
func (s *Server) record(x *exchange) {
	r := Record{
		Time: x.call.Time, Duration: s.config.Now().Sub(x.call.Time), RequestID: x.call.RequestID,
		Service: x.call.Service, Operation: x.call.Operation, Caller: x.call.Caller, Origin: x.call.Origin,
		Decisions: x.trail.decisions, Revision: x.revision, Status: x.answer.status,
		UserAgent: x.call.HTTP.UserAgent(),
	}
	if x.err != nil {
		e := api.AsError(x.err)
		if e == nil {
			e = x.internalError()
		}
		r.Code, r.Message = e.Code, e.Message
	}
	s.config.Log.LogAttrs(x.call.HTTP.Context(), slog.LevelInfo, "call", r.attributes()...)
	if s.config.Record != nil {
		s.config.Record(r)
	}
}

func (r *Record) attributes() []slog.Attr {
	attributes := []slog.Attr{
		slog.String("service", r.Service), slog.String("operation", r.Operation),
		slog.String("caller", r.Caller.ARN), slog.String("door", string(r.Origin.Door)),
		slog.Int("status", r.Status), slog.Duration("took", r.Duration), slog.String("request", r.RequestID),
	}
	if r.Origin.VPCEndpointID != "" {
		attributes = append(attributes, slog.String("endpoint", r.Origin.VPCEndpointID))
	}
	if n := len(r.Decisions); n > 0 {
		d := r.Decisions[n-1]
		verdict := "denied"
		if d.Decision.Allowed {
			verdict = "allowed"
		}
		attributes = append(attributes, slog.String("action", d.Action), slog.String("resource", d.Resource),
			slog.String("verdict", verdict), slog.String("by", d.Decision.Kind))
	}
	if r.Revision != 0 {
		attributes = append(attributes, slog.Uint64("revision", r.Revision))
	}
	if r.Code != "" {
		attributes = append(attributes, slog.String("code", r.Code))
	}
	return attributes
}
