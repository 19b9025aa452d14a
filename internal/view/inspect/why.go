package inspect

import (
	"fmt"
	"net/http"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// whyAnswer is the answer of GET /_culvert/why.
type whyAnswer struct {
	explain.Trace
	Function  string                      `json:"function,omitempty"`
	Interface resource.NetworkInterfaceID `json:"sourceInterface,omitempty"`
	Target    string                      `json:"target"`
	Port      int                         `json:"port"`
	Protocol  string                      `json:"protocol"`
	// Blockers are all that stops it, in one list: names, routes, filters there and back, and then the policies.
	Blockers []explain.Hop `json:"blockers,omitempty"`
	// Details say of what did not serve why it did not: each route that leads elsewhere, for one.
	Details []explain.Hop `json:"details,omitempty"`
	// Fix is the smallest set of changes that lifts them. All are needed.
	Fix   []explain.Remedy `json:"fix,omitempty"`
	Notes []string         `json:"notes,omitempty"`
	Call  *callAnswer      `json:"call,omitempty"` // if one was asked for, and the packets get there
}

// why explains a connection from one end (source=, see ends) to another (service=), and whether a call there would
// be allowed, if one is asked for: action= and resource=, or service=s3://bucket/key. A function in several subnets
// runs in any of them, so its worst way counts.
func (c *Config) why(r *http.Request) (any, error) {
	q := r.URL.Query()
	a := whyAnswer{Target: q.Get("service"), Port: 443}
	e := &ends{view: c.Store.View(), topology: c.Topology()}
	if err := e.from(q); err != nil {
		return nil, err
	}
	a.Function = e.function
	if e.function != "" {
		q.Set("function", e.function)
	}
	wanted, err := c.wantedCall(q)
	if err != nil {
		return nil, err
	}
	if err := e.to(a.Target); err != nil {
		return nil, err
	}
	if err := e.traffic(q); err != nil {
		return nil, err
	}
	a.Port, a.Protocol = int(e.flow.Port), protocolNames[e.flow.Protocol]
	if err := c.worstWay(&a, e, wanted); err != nil {
		return nil, err
	}
	if e.meant != "" && a.Reachable && a.Trace.Interface != string(e.meant) {
		return nil, badRequest("seen from %s, %s means %s: nothing can be sent to %s from there", a.Interface, a.To, a.Trace.Interface, e.meant)
	}
	if err := c.mend(&a, e.topology, wanted); err != nil {
		return nil, err
	}
	a.Notes = append(e.notes, c.notes(e, a)...)
	return a, nil
}

// worstWay explains the flow from each source, and keeps the first from which it ends worst.
func (c *Config) worstWay(a *whyAnswer, e *ends, wanted *wantedCall) error {
	worst := -1
	for _, source := range e.sources {
		flow := e.flow
		flow.From, flow.Source = source.eni, source.address
		trace := explain.Explain(e.topology, flow)
		var call *callAnswer
		how := 0
		switch {
		case !trace.Reachable:
			how = 2
		case wanted != nil:
			var err error
			if call, err = c.judge(trace, wanted); err != nil {
				return err
			}
			if !call.Allowed {
				how = 1
			}
		}
		if how > worst {
			worst, a.Trace, a.Interface, a.Call = how, trace, source.eni, call
		}
	}
	return nil
}

// mend adds all that stops the flow and the call, and what lifts it.
func (c *Config) mend(a *whyAnswer, t *topology.Topology, wanted *wantedCall) error {
	call := a.Call
	if !a.Reachable {
		plan := explain.Mend(t, a.Flow)
		a.Blockers, a.Details, a.Fix = plan.Blockers, plan.Details, plan.Fix()
		if wanted == nil || len(plan.Edits) == 0 || plan.Trace.Service != wanted.service {
			return nil
		}
		var err error
		if call, err = c.judge(plan.Trace, wanted); err != nil {
			return err
		}
	}
	if call == nil || call.Allowed {
		return nil
	}
	for i, b := range append([]deciding{call.deciding}, call.Also...) {
		a.Blockers = append(a.Blockers, explain.Hop{
			Component: explain.Component{Kind: "policy", ID: b.Kind}, Verdict: explain.Deny, Code: b.Code, Rule: b.Document,
			Text: fmt.Sprintf("%s on %s, called as %s: %s", call.Action, call.Resource, call.Caller, call.refusals[i]),
		})
	}
	for _, r := range call.Remedies {
		a.Fix = append(a.Fix, explain.Remedy{Text: r.Text, CLI: r.CLI, Terraform: r.hcl()})
	}
	return nil
}

func (c *Config) notes(e *ends, a whyAnswer) []string {
	var notes []string
	if len(e.sources) > 1 && (!a.Reachable || a.Call != nil && !a.Call.Allowed) {
		notes = append(notes, fmt.Sprintf("the function runs in any of %d subnets; this is what happens to it behind %s", len(e.sources), a.Interface))
	}
	if e.topology.AssumePrivateDNS {
		notes = append(notes, "this region assumes private DNS for every interface endpoint (--assume-private-dns); AWS does not, and may answer otherwise")
	}
	if a.Reachable && a.Service != "" && a.Call == nil {
		notes = append(notes, "permissions were not checked; add --action, or ask for s3://bucket/key")
	}
	return notes
}
