package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/sigv4"
	"github.com/culvert-cloud/culvert/internal/api/wire"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// pipeline is what every call goes through, in this order, until a step fails or has answered. Whatever happens,
// the call is recorded at the end.
func (s *Server) pipeline() []step {
	return []step{
		{"route", s.route},                // which service: the door, host name, signing scope, target header
		{"refuse pages", s.refuseBrowser}, // at the host's door: what a web page of another site sends
		{"authenticate", s.authenticate},  // the signature -> Caller; the Origin came with the connection
		{"hand over", s.handOver},         // a service with a protocol of its own (S3) does the rest itself
		{"decode", s.decode},              // wire -> the operation's typed input
		{"authorize", s.authorize},        // identity, resource and endpoint policies -> allow or deny, and by what
		{"run", s.run},                    // View | Update | Stream
		{"settle", s.settle},              // after an Update: wait, bounded, until its revision is real
		{"encode", s.encode},              // output -> wire
	}
}

// step is one thing that happens to a call.
type step struct {
	name string
	do   func(*exchange) error
}

// exchange is one call on its way, and what the steps found out about it.
type exchange struct {
	answer    *answer
	call      *api.Call
	service   *served
	request   *wire.Request
	signature *sigv4.Result
	web       bool  // for the service's Web
	held      int64 // bytes of body that count against MaxBuffered
	operation *service.Operation
	input     any
	output    any
	revision  uint64
	trail     trail
	response  *wire.Response
	err       error
}

// errAnswered stops the pipeline: the answer is out.
var errAnswered = errors.New("answered")

func (s *Server) serve(x *exchange) {
	for _, step := range s.pipeline() {
		err := step.do(x)
		if errors.Is(err, errAnswered) {
			return
		}
		if err != nil {
			x.err = fmt.Errorf("%s: %w", step.name, err)
			s.send(x, x.encodeError(s.visible(x, err)))
			return
		}
	}
	s.send(x, x.response)
}

// handOver gives the call to a service that has a protocol of its own, or to the addresses that a service gave out.
func (s *Server) handOver(x *exchange) error {
	if x.web {
		x.service.Web.Handler.ServeCall(x.answer, x.call)
		return errAnswered
	}
	if x.service.Handler == nil {
		return nil
	}
	x.service.Handler.ServeCall(x.answer, x.call)
	return errAnswered
}

func (s *Server) decode(x *exchange) error {
	name, err := x.service.codec.Operation(x.request)
	if err != nil {
		return err
	}
	x.call.Operation = shorten(name)
	x.operation = x.service.operations[name]
	if x.operation == nil {
		return unknownOperation(x.service, name)
	}
	x.input = x.operation.NewInput()
	if err := x.service.codec.Decode(x.request, name, x.input); err != nil {
		return err
	}
	if x.operation.Complete != nil {
		x.operation.Complete(&x.call.Caller, x.input)
	}
	return nil
}

func (s *Server) authorize(x *exchange) error {
	if !x.operation.Public {
		if err := s.authorizeOperation(x); err != nil {
			return err
		}
	}
	if x.service.Protocol == service.EC2Query && isDryRun(x.input) {
		return api.Errorf("DryRunOperation", "Request would have succeeded, but DryRun flag is set.").WithStatus(http.StatusPreconditionFailed)
	}
	return nil
}

func (s *Server) run(x *exchange) error {
	var err error
	switch o := x.operation; {
	case o.View != nil:
		x.output, err = o.View(s.config.Store.View(), x.call, x.input)
	case o.Update != nil:
		err = s.update(x)
	case o.Stream != nil:
		x.output, err = o.Stream(x.call.HTTP.Context(), x.call, x.input)
	default:
		return fmt.Errorf("operation %s has no handler", o.Name)
	}
	return err
}

func (s *Server) update(x *exchange) error {
	revision, err := s.config.Store.Update(func(tx *state.Tx) error {
		var err error
		x.output, err = x.operation.Update(tx, x.call, x.input)
		return err
	})
	if err == nil {
		x.revision = revision
	}
	return err
}

func (s *Server) settle(x *exchange) error {
	if x.operation.Update == nil || s.config.Settle == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(x.call.HTTP.Context(), s.config.SettleTimeout)
	defer cancel()
	if err := s.config.Settle(ctx, x.revision); err != nil && x.call.HTTP.Context().Err() == nil {
		s.config.Log.Warn("change is not real yet", "service", x.call.Service, "operation", x.call.Operation,
			"request", x.call.RequestID, "revision", x.revision, "error", err)
	}
	return nil
}

func (s *Server) encode(x *exchange) error {
	var err error
	if out, ok := x.output.(service.Streamer); ok {
		x.answer.Header().Set("X-Amzn-Requestid", x.call.RequestID)
		if err := out.Stream(x.answer); err != nil && x.answer.status == 0 {
			return err
		}
		return errAnswered
	}
	x.response, err = x.service.codec.Output(x.call.RequestID, x.call.Operation, x.output)
	return err
}
