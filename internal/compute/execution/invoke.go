package execution

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/runtimeapi"
	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
)

// killLimit is how long the end of a killed runtime is waited for before the sandbox is given up.
const killLimit = 3 * time.Second

// initialize starts the runtime and waits until it asks for its first event. The result is nil, or why it did
// not; then the environment is broken, and the next invocation tries again. The limit goes on running: inside an
// invocation it is the invocation's.
func (e *environment) initialize(limit *time.Timer, phase string) *fault {
	begin := time.Now()
	if phase == "init" {
		e.logInitStart()
		for _, w := range e.plan.Warnings {
			e.stream.print("[WARNING] %s\n", w)
		}
	}
	f := e.startRuntime(limit)
	e.initTime = time.Since(begin)
	if f == nil {
		e.life = ready
		e.logInitReport(phase, nil)
		if phase == "init" {
			e.freeze()
		}
		return nil
	}
	e.endOutput()
	e.logInitReport(phase, f)
	return f
}

// startRuntime leaves the environment with a runtime that waits, or broken, or gone.
func (e *environment) startRuntime(limit *time.Timer) *fault {
	e.api.Reset()
	if err := e.box.Run(e.command()); err != nil {
		return e.lost()
	}
	select {
	case event := <-e.api.Events():
		if event.Kind == runtimeapi.Next {
			return nil
		}
		e.killRuntime()
		return &fault{kind: event.ErrorType, payload: event.Payload}
	case x, ok := <-e.box.Exits():
		if !ok {
			return e.lost()
		}
		// What it said before it ended counts for more than how it ended.
		if event, ok := pending(e.api); ok && event.Kind == runtimeapi.InitError {
			e.life = broken
			return &fault{kind: event.ErrorType, payload: event.Payload}
		}
		return e.exited(x)
	case <-limit.C:
		e.killRuntime()
		return &fault{kind: timedOut}
	}
}

// errNotBegun is of invocations of which the function has heard nothing.
var errNotBegun = errors.New("the invocation did not begin")

// invoke runs the function once.
func (e *environment) invoke(inv Invocation) (Result, error) {
	cold := !e.invoked
	e.invoked = true
	r := Result{ExecutedVersion: versionOf(e.function), Cold: cold}
	if cold && e.life == ready {
		r.InitDuration = e.initTime
	}
	if err := e.thaw(); err != nil {
		e.life = gone
		return r, fmt.Errorf("%w: thaw an environment of %s: %w", errNotBegun, e.function.Name, err)
	}
	limit := time.Duration(e.function.Timeout) * time.Second
	begin := time.Now()
	timer := time.NewTimer(limit)
	defer timer.Stop()

	e.stream.restartTail()
	var f *fault
	if e.life != ready {
		f = e.initialize(timer, "invoke")
	}
	e.logStart(inv.RequestID)
	if f == nil {
		e.api.Deliver(e.event(inv, begin.Add(limit)))
		r.Payload, r.FunctionError, f = e.await(timer)
		r.Streamed = e.api.Streamed()
	}
	if e.closed.Load() {
		return Result{}, errClosed
	}
	r.Duration = min(time.Since(begin), limit)
	e.finish(inv, &r, f)
	if f != nil && f.kind == timedOut && e.eni != "" && e.cfg.TimedOut != nil {
		e.cfg.TimedOut(e.function, e.eni, begin)
	}
	return r, nil
}

func (e *environment) event(inv Invocation, deadline time.Time) *runtimeapi.Invocation {
	trace := inv.TraceID
	if trace == "" {
		trace = newTrace(time.Now())
	}
	payload := inv.Payload
	if len(payload) == 0 {
		payload = []byte("{}") // as AWS does
	}
	return &runtimeapi.Invocation{
		RequestID:     inv.RequestID,
		FunctionARN:   cmp.Or(inv.InvokedARN, e.function.ARN),
		TraceID:       trace,
		ClientContext: inv.ClientContext,
		Deadline:      deadline,
		Payload:       payload,
		Stream:        inv.Stream,
	}
}

// await waits for the answer, and then until the runtime asks for the next event, which ends the invocation.
// An answer counts even if the runtime then ends; the fault that is returned beside it is for the report.
func (e *environment) await(timer *time.Timer) (payload []byte, functionError string, f *fault) {
	for {
		select {
		case event := <-e.api.Events():
			if event.Kind == runtimeapi.Next {
				return payload, functionError, f
			}
			payload, functionError, f = outcome(event)
		case x, ok := <-e.box.Exits():
			if event, told := pending(e.api); told && payload == nil {
				payload, functionError, f = outcome(event)
			}
			if !ok {
				return payload, functionError, firstFault(f, e.lost())
			}
			return payload, functionError, firstFault(f, e.exited(x))
		case <-timer.C:
			e.killRuntime()
			return payload, functionError, firstFault(f, &fault{kind: timedOut})
		}
	}
}

// outcome is what an answer means for the caller.
func outcome(event runtimeapi.Event) (payload []byte, functionError string, f *fault) {
	switch event.Kind {
	case runtimeapi.Response:
		return event.Payload, "", nil
	case runtimeapi.Failure:
		return event.Payload, unhandled, nil
	case runtimeapi.TooLarge:
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", runtimeapi.MaxPayload)
		return errorBody(event.ErrorType, message), unhandled, &fault{kind: event.ErrorType}
	}
	message := "The runtime broke off in the middle of its response."
	return errorBody(event.ErrorType, message), unhandled, &fault{kind: event.ErrorType}
}

// firstFault prefers what the answer itself was, but b has been brought about in any case.
func firstFault(a, b *fault) *fault {
	if a != nil {
		return a
	}
	return b
}

// pending is an event that has been told already.
func pending(api *runtimeapi.Server) (runtimeapi.Event, bool) {
	select {
	case event := <-api.Events():
		return event, true
	default:
		return runtimeapi.Event{}, false
	}
}

// exited is the end of the runtime process by itself.
func (e *environment) exited(x sandbox.Exit) *fault {
	e.life = broken
	if x.Err != nil && e.function.Environment[wrapperKey] != "" {
		// AWS's bootstrap is a shell script, and this is what a shell says of a missing program.
		x = sandbox.Exit{Code: 127}
	}
	if x.Err != nil {
		x.Err = fmt.Errorf("fork/exec %s: %w", e.plan.Argv[0], x.Err)
	}
	return exitFault(x)
}

// lost is the end of the whole sandbox, which nothing in it should be able to bring about.
func (e *environment) lost() *fault {
	e.life = gone
	return exitFault(sandbox.Exit{Signal: "killed"})
}

// killRuntime ends the runtime process and all it has started, and keeps the sandbox.
func (e *environment) killRuntime() {
	e.life = broken
	if err := e.box.Kill(); err != nil {
		e.life = gone
		return
	}
	select {
	case _, ok := <-e.box.Exits():
		if !ok {
			e.life = gone
		}
	case <-time.After(killLimit):
		e.life = gone
	}
}
