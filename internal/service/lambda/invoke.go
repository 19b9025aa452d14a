package lambda

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// The limits of a payload, and of a client context in base64.
const (
	maxPayload       = 6291556
	maxAsyncPayload  = 1 << 20
	maxClientContext = 3583
)

func (s *Service) invoke(ctx context.Context, call *api.Call, in *InvokeInput) (*InvokeOutput, error) {
	kind, err := checkInvoke(in)
	if err != nil {
		return nil, err
	}
	view := s.config.State.View()
	_, n, err := findFunction(view, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if kind == "DryRun" {
		return &InvokeOutput{StatusCode: ptr(int64(http.StatusNoContent))}, nil
	}
	invocation, err := newInvocation(call, in, n.arn(view))
	if err != nil {
		return nil, err
	}
	if kind == "Event" {
		if err := s.queue.push(queued{name: n, in: invocation}); err != nil {
			return nil, throttling(err)
		}
		return &InvokeOutput{StatusCode: ptr(int64(http.StatusAccepted))}, nil
	}
	result, f, err := s.run(ctx, n, invocation)
	if err != nil {
		return nil, throttling(err)
	}
	out := &InvokeOutput{StatusCode: ptr(int64(http.StatusOK)), Payload: result.Payload, ExecutedVersion: ptr(versionOf(f))}
	if result.FunctionError != "" {
		out.FunctionError = &result.FunctionError
	}
	if value(in.LogType) == "Tail" {
		out.LogResult = ptr(base64.StdEncoding.EncodeToString(result.LogTail))
	}
	return out, nil
}

func checkInvoke(in *InvokeInput) (kind string, err error) {
	limit := maxPayload
	switch kind = value(in.InvocationType); kind {
	case "":
		kind = "RequestResponse"
	case "RequestResponse", "DryRun":
	case "Event":
		limit = maxAsyncPayload
	default:
		return "", constraint(kind, "invocationType", "Member must satisfy enum value set: [Event, RequestResponse, DryRun]")
	}
	if t := value(in.LogType); t != "" && t != "None" && t != "Tail" {
		return "", constraint(t, "logType", "Member must satisfy enum value set: [None, Tail]")
	}
	if len(in.Payload) > limit {
		return "", api.Errorf("RequestEntityTooLargeException", "Request must be smaller than %d bytes for the InvokeFunction operation", limit).
			WithStatus(http.StatusRequestEntityTooLarge)
	}
	if len(in.Payload) > 0 && !json.Valid(in.Payload) {
		var v json.RawMessage
		return "", badContent("Could not parse request body into json: Could not parse payload into json: %v", json.Unmarshal(in.Payload, &v))
	}
	return kind, nil
}

func badContent(format string, args ...any) error {
	return api.Errorf("InvalidRequestContentException", format, args...)
}

func newInvocation(call *api.Call, in *InvokeInput, arn string) (Invocation, error) {
	out := Invocation{RequestID: call.RequestID, Payload: in.Payload, InvokedARN: arn}
	if len(out.Payload) == 0 {
		out.Payload = []byte("{}")
	}
	if call.HTTP != nil {
		out.TraceID = call.HTTP.Header.Get("X-Amzn-Trace-Id")
	}
	if c := value(in.ClientContext); c != "" {
		b, err := base64.StdEncoding.DecodeString(c)
		if err != nil || len(c) > maxClientContext || !json.Valid(b) {
			return out, badContent("Client context must be a valid Base64-encoded JSON object.")
		}
		out.ClientContext = string(b)
	}
	return out, nil
}

// throttling puts an Executor's refusal into AWS's words.
func throttling(err error) error {
	var t *Throttled
	if !errors.As(err, &t) {
		return err
	}
	return api.Errorf("TooManyRequestsException", "Rate Exceeded.").WithStatus(http.StatusTooManyRequests).With("Reason", t.Reason)
}

// run runs a function as it is now, and tells which version it was. Its code stays until the run is over, whatever
// happens to the function.
func (s *Service) run(ctx context.Context, n functionName, in Invocation) (Result, *resource.Function, error) {
	f, releaseCode, err := s.holdFunction(n)
	if err != nil {
		return Result{}, nil, err
	}
	defer releaseCode()
	release, err := s.limits.take(f)
	if err != nil {
		return Result{}, f, err
	}
	defer release()
	result, err := s.config.Executor.Invoke(ctx, f, in)
	return result, f, err
}

// holdFunction finds the version that an invocation goes to and keeps its code and layers from being removed.
func (s *Service) holdFunction(n functionName) (*resource.Function, func(), error) {
	for tried := ""; ; {
		f, err := n.find(s.config.State.View(), chosen)
		if err != nil {
			return nil, nil, err
		}
		if release, ok := s.config.Code.holdAll(codeOf(f)); ok {
			return f, release, nil
		}
		// Between the look and the grasp the function may have got new code; its present code never goes.
		if tried == f.CodeKey {
			return nil, nil, fmt.Errorf("invoke %s: its code %s is missing from the store", n.Name, f.CodeKey)
		}
		tried = f.CodeKey
	}
}

// runQueued runs an asynchronous invocation, unless it has become too old in the queue.
func (s *Service) runQueued(ctx context.Context, q queued) outcome {
	var o outcome
	o.retries, o.age = patience(eventInvokeOf(s.config.State.View(), q.name))
	if time.Since(q.accepted) > o.age {
		o.busy, o.reason = true, "it waited too long"
		return o
	}
	result, f, err := s.run(ctx, q.name, q.in)
	var e *api.Error
	switch {
	case errors.As(err, &e) && e.Code == "ResourceNotFoundException":
		o.gone, o.reason = true, e.Message
	case err != nil && f != nil && f.ReservedConcurrency != nil && *f.ReservedConcurrency == 0:
		o.off, o.reason = true, err.Error()
	case err != nil:
		o.busy, o.reason = true, err.Error()
	default:
		o.version, o.payload = versionOf(f), result.Payload
		o.failed, o.reason = result.FunctionError != "", result.FunctionError
	}
	return o
}

// newRequestID makes an id for an invocation that no call asked for.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
