package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// chunkSize bounds one part of a streamed response, as SDKs bound a message.
const chunkSize = 1 << 20

// invokeWithStream finds what is to run. It runs while the answer is written.
func (s *Service) invokeWithStream(ctx context.Context, call *api.Call, in *InvokeWithResponseStreamInput) (*responseStream, error) {
	plain := &InvokeInput{
		ClientContext: in.ClientContext, FunctionName: in.FunctionName, InvocationType: in.InvocationType, LogType: in.LogType,
		Payload: in.Payload, Qualifier: in.Qualifier,
	}
	kind, err := checkInvoke(plain)
	if err != nil {
		return nil, err
	}
	if kind == "Event" {
		return nil, constraint(kind, "invocationType", "Member must satisfy enum value set: [RequestResponse, DryRun]")
	}
	view := s.config.State.View()
	_, n, err := findFunction(view, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if kind == "DryRun" {
		return &responseStream{dry: true}, nil
	}
	invocation, err := newInvocation(call, plain, n.arn(view))
	if err != nil {
		return nil, err
	}
	return &responseStream{s: s, ctx: ctx, name: n, in: invocation, tail: value(in.LogType) == "Tail"}, nil
}

// responseStream is an invocation whose answer goes out while it is made.
type responseStream struct {
	s    *Service
	ctx  context.Context // of the call: its answer is written within it
	name functionName
	in   Invocation
	tail bool
	dry  bool
}

// Stream implements service.Streamer.
func (r *responseStream) Stream(w http.ResponseWriter) error {
	if r.dry {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	out := &eventWriter{w: w}
	in := r.in
	live := &liveWriter{w: w}
	in.Stream = func(f *resource.Function, _ string) io.Writer {
		live.begin(func() io.Writer { out.begin(f); return out })
		return live
	}
	result, f, err := r.s.run(r.ctx, r.name, in)
	live.end()
	if err != nil && !out.begun {
		return throttling(err)
	}
	complete := map[string]string{}
	switch {
	case err != nil:
		complete["ErrorCode"], complete["ErrorDetails"] = "ServiceException", "An internal error occurred in the service."
	case !result.Streamed:
		out.begin(f)
		_, _ = out.Write(result.Payload)
	}
	if result.FunctionError != "" {
		complete["ErrorCode"], complete["ErrorDetails"] = result.FunctionError, string(result.Payload)
	}
	if r.tail {
		complete["LogResult"] = base64.StdEncoding.EncodeToString(result.LogTail)
	}
	b, err := json.Marshal(complete)
	if err != nil {
		return err
	}
	out.send("InvokeComplete", "application/json", b)
	return nil
}

// eventWriter makes an event of each part that is written.
type eventWriter struct {
	w     http.ResponseWriter
	begun bool
}

func (e *eventWriter) begin(f *resource.Function) {
	if e.begun {
		return
	}
	e.begun = true
	h := e.w.Header()
	h.Set("Content-Type", "application/vnd.amazon.eventstream")
	h.Set("X-Amz-Executed-Version", versionOf(f))
	e.w.WriteHeader(http.StatusOK)
}

// Write never fails: that the caller is gone does not stop a function.
func (e *eventWriter) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		m := min(len(b), chunkSize)
		e.send("PayloadChunk", "application/octet-stream", b[:m])
		b = b[m:]
	}
	return n, nil
}

func (e *eventWriter) send(kind, contentType string, payload []byte) {
	_, _ = e.w.Write(eventMessage(kind, contentType, payload))
	_ = http.NewResponseController(e.w).Flush()
}
