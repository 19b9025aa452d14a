package lambda

import (
	"encoding/json"
	"time"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// maxChain is how many functions may hand on to each other's destinations. AWS stops recursive loops after about as
// many.
const maxChain = 16

// record is what a destination gets; see the Lambda guide, "Capturing records of Lambda asynchronous invocations".
type record struct {
	Version         string          `json:"version"`
	Timestamp       string          `json:"timestamp"`
	RequestContext  requestContext  `json:"requestContext"`
	RequestPayload  json.RawMessage `json:"requestPayload,omitempty"`
	ResponseContext *responseInfo   `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage `json:"responsePayload,omitempty"`
}

type requestContext struct {
	RequestID   string `json:"requestId"`
	FunctionARN string `json:"functionArn"`
	Condition   string `json:"condition"` // Success, RetriesExhausted, EventAgeExceeded
	Invocations int    `json:"approximateInvokeCount"`
}

type responseInfo struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

// handOn tells the destination of an asynchronous invocation, if it has one, what became of it.
func (s *Service) handOn(q queued, o outcome) {
	view := s.config.State.View()
	f, err := q.name.find(view, func(a *resource.FunctionAlias) string { return a.Version })
	if err != nil {
		return
	}
	c := eventInvokeOf(view, q.name)
	to := c.OnSuccess
	if o.condition != "Success" {
		to = c.OnFailure
	}
	if to == "" {
		return
	}
	log := s.config.Log.With("function", q.name.Name, "request", q.in.RequestID, "destination", to)
	if !s.config.Roles.AllowsOn(view, f.Role, "lambda:InvokeFunction", to) {
		log.Warn("destination not told: the function's role does not allow lambda:InvokeFunction on it")
		return
	}
	target, err := resolveName(view, to, nil)
	if err != nil || q.chain >= maxChain {
		log.Warn("destination not told", "chain", q.chain, "error", err)
		return
	}
	payload, err := recordOf(view.Region(), view.Account(), q, o, time.Now())
	if err != nil {
		log.Warn("destination not told", "error", err)
		return
	}
	next := queued{name: target, chain: q.chain + 1, in: Invocation{RequestID: newRequestID(), Payload: payload, InvokedARN: to}}
	if err := s.queue.push(next); err != nil {
		log.Warn("destination not told", "error", err)
	}
}

// recordOf is the record of an invocation. What would make it too long is left out.
func recordOf(region, account string, q queued, o outcome, now time.Time) ([]byte, error) {
	qualifier := q.name.Qualifier
	if qualifier == "" {
		qualifier = latest
	}
	r := record{
		Version: "1.0", Timestamp: now.UTC().Format("2006-01-02T15:04:05.000Z"),
		RequestContext: requestContext{
			RequestID: q.in.RequestID, Condition: o.condition, Invocations: q.runs,
			FunctionARN: "arn:aws:lambda:" + region + ":" + account + ":function:" + q.name.Name + ":" + qualifier,
		},
		RequestPayload: q.in.Payload,
	}
	if o.version != "" {
		r.ResponseContext = &responseInfo{StatusCode: 200, ExecutedVersion: o.version}
		if o.failed {
			r.ResponseContext.FunctionError = o.reason
		}
		if r.ResponsePayload = o.payload; !json.Valid(o.payload) {
			r.ResponsePayload, _ = json.Marshal(string(o.payload)) // a text always can be
		}
	}
	for _, shorten := range []func(){func() {}, func() { r.ResponsePayload = nil }, func() { r.RequestPayload = nil }} {
		shorten()
		b, err := json.Marshal(r)
		if err != nil || len(b) <= maxAsyncPayload {
			return b, err
		}
	}
	return json.Marshal(r)
}
