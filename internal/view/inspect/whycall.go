package inspect

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// callAnswer says whether a call whose packets get there is allowed, and by which statement.
type callAnswer struct {
	Action   string     `json:"action"`
	Resource string     `json:"resource"`
	Caller   string     `json:"caller"`
	Origin   callOrigin `json:"origin"`
	Allowed  bool       `json:"allowed"`
	Summary  string     `json:"summary"` // one sentence
	Reason   string     `json:"reason"`  // its second half: what decides
	deciding            // what allowed it, or refused it first
	// Also holds what else refuses it.
	Also     []deciding   `json:"also,omitempty"`
	Remedies []callRemedy `json:"remedies,omitempty"`
	Trace    []string     `json:"trace"` // every statement that was looked at
	Notes    []string     `json:"notes,omitempty"`

	refusals []string // in words, of the deciding and of Also
}

// callOrigin is where the service sees the call come from.
type callOrigin struct {
	Door          api.Door   `json:"door"`
	SourceIP      netip.Addr `json:"sourceIp"`
	VPCEndpointID string     `json:"vpcEndpointId,omitempty"`
	VPCID         string     `json:"vpcId,omitempty"`
}

// deciding names a statement that decides, or the kind of policy that has none that allows.
type deciding struct {
	Code      string `json:"code,omitempty"` // of a refusal
	Kind      string `json:"kind"`
	Explicit  bool   `json:"explicit"` // a statement denies; otherwise none allows
	Document  string `json:"document,omitempty"`
	Statement *int   `json:"statement,omitempty"` // index in the document
	Sid       string `json:"sid,omitempty"`
}

// callRemedy is one change that would help.
type callRemedy struct {
	Text      string `json:"text"`
	Statement string `json:"statement,omitempty"` // JSON, to add to the policy
	CLI       string `json:"cli,omitempty"`       // AWS CLI command
	Terraform string `json:"terraform,omitempty"` // block

	changes, document string // what has the policy that is replaced, and its new text
}

// outside is an address like those of functions that are in no VPC. Which one a function gets cannot be known.
var outside = netip.AddrFrom4([4]byte{100, 64, 0, 2})

// judge decides a call that takes the way of a trace, exactly as the front door would.
func (c *Config) judge(trace explain.Trace, w *wantedCall) (*callAnswer, error) {
	if trace.Service != w.service {
		reached := "no AWS service"
		if trace.Service != "" {
			reached = trace.Service
		}
		return nil, badRequest("%s cannot be called there: what is reached is %s", w.action, reached)
	}
	call := w.call(trace)
	keys := w.keys(call)
	d, err := c.Decide(w.view, call, Question{Action: w.action, Resource: w.resource, Policy: w.policy, Keys: keys})
	switch e := api.AsError(err); {
	case errors.Is(err, state.ErrNotFound):
		return nil, notFound("%v", err)
	case e != nil:
		return nil, badRequest("%s", e.Message)
	case err != nil:
		return nil, fmt.Errorf("decide %s on %s: %w", w.action, w.resource, err)
	}
	a := w.answer(call, d, keys)
	if w.action == "s3:GetObject" && a.Allowed && !c.mayList(w, call, keys) {
		a.Notes = append(a.Notes, "without s3:ListBucket on the bucket, S3 answers AccessDenied for an object that does not exist")
	}
	return a, nil
}

// mayList reports whether the caller may learn which objects there are.
func (c *Config) mayList(w *wantedCall, call *api.Call, keys map[string][]string) bool {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(w.resource, bucketARN), "/")
	d, err := c.Decide(w.view, call, Question{Action: "s3:ListBucket", Resource: bucketARN + bucket, Policy: w.policy, Keys: keys})
	return err == nil && d.Allowed
}

// call is the call as the front door would see it.
func (w *wantedCall) call(trace explain.Trace) *api.Call {
	_, operation, _ := strings.Cut(w.action, ":")
	o := api.Origin{Door: api.DoorInternet, SourceIP: trace.SourceSeen, Secure: trace.Flow.Port == 443, Service: trace.Service}
	if trace.Flow.From == "" {
		o.SourceIP = outside
	}
	if e, ok := state.Get[*resource.VPCEndpoint](w.view, trace.Endpoint); ok {
		o.Door, o.VPCEndpointID, o.VPCID = api.DoorEndpoint, string(e.ID), string(e.VPCID)
	}
	return &api.Call{
		Service: w.service, Operation: operation, Region: w.view.Region(), Account: w.view.Account(), Time: time.Now(),
		Caller: w.caller, Origin: o,
	}
}

// keys are the condition keys of the operation that every SDK's call has.
func (w *wantedCall) keys(call *api.Call) map[string][]string {
	if w.service != "s3" {
		return nil
	}
	keys := map[string][]string{
		"s3:resourceaccount": {w.view.Account()}, "s3:authtype": {"REST-HEADER"}, "s3:signatureversion": {"AWS4-HMAC-SHA256"},
	}
	if call.Origin.Secure {
		keys["s3:tlsversion"] = []string{"1.3"}
	}
	return keys
}

func (w *wantedCall) answer(call *api.Call, d policy.Decision, keys map[string][]string) *callAnswer {
	a := &callAnswer{
		Action: w.action, Resource: w.resource, Caller: call.Caller.ARN, Allowed: d.Allowed, deciding: decidedBy(d), Trace: []string{},
		Origin: callOrigin{Door: call.Origin.Door, SourceIP: call.Origin.SourceIP, VPCEndpointID: call.Origin.VPCEndpointID, VPCID: call.Origin.VPCID},
	}
	for _, s := range d.Trace {
		a.Trace = append(a.Trace, s.String())
	}
	a.Notes = w.unknown(call, d)
	a.Reason = a.text(call)
	if d.Allowed {
		a.Summary = fmt.Sprintf("%s may call %s on %s: %s", call.Caller.ARN, w.action, w.resource, a.Reason)
		return a
	}
	a.Also = alsoRefusing(call, d)
	for _, b := range a.Also {
		a.Reason += "; and " + b.text(call)
	}
	a.Summary = fmt.Sprintf("%s may not call %s on %s: %s", call.Caller.ARN, w.action, w.resource, a.Reason)
	refusing := append([]deciding{a.deciding}, a.Also...)
	for _, b := range refusing {
		r := w.remedy(b, call, d, keys)
		w.replace(&r, b, call, a.Remedies)
		a.Remedies = append(a.Remedies, r)
		a.refusals = append(a.refusals, b.text(call))
	}
	a.Notes = append(a.Notes, nearMisses(refusing, d)...)
	return a
}

// unknown says which condition keys decide, or might have, that only the call itself brings.
func (w *wantedCall) unknown(call *api.Call, d policy.Decision) []string {
	var names []string
	for _, s := range d.Trace {
		if s.Element != "" && s.Element != "Condition" {
			continue
		}
		for _, condition := range s.Conditions() {
			key := strings.ToLower(condition.Key)
			_, known := d.Context[key]
			known = known && key != "aws:sourceip"
			if broughtByCall(key, call.Origin) && !known && !slices.Contains(names, condition.Key) {
				names = append(names, condition.Key)
			}
		}
	}
	var notes []string
	for _, name := range names {
		how := "taken as absent"
		if strings.EqualFold(name, "aws:SourceIp") {
			how = "taken as " + outside.String()
		}
		notes = append(notes, fmt.Sprintf("a policy looks at %s, which only the call itself would show; here it is %s", name, how))
	}
	return notes
}

// broughtByCall reports whether a condition key is a matter of the single call: of its parameters and headers, of
// the thing it is for, or, outside every VPC, of the address that the function happens to have.
func broughtByCall(key string, from api.Origin) bool {
	switch {
	case key == "aws:sourceip":
		return from.SourceIP == outside
	case key == "aws:useragent", key == "aws:referer", key == "aws:tagkeys":
		return true
	}
	return !strings.HasPrefix(key, "aws:") || strings.HasPrefix(key, "aws:requesttag/")
}
