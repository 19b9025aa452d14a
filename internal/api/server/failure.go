package server

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
)

// The authorization failure message of EC2, as sts:DecodeAuthorizationMessage shows it; see the STS API reference.
type failure struct {
	Allowed           bool             `json:"allowed"`
	ExplicitDeny      bool             `json:"explicitDeny"`
	MatchedStatements items[statement] `json:"matchedStatements"`
	Failures          items[struct{}]  `json:"failures"`
	Context           failureContext   `json:"context"`
}

type items[T any] struct {
	Items []T `json:"items"`
}

type value struct {
	Value string `json:"value"`
}

type statement struct {
	StatementID string           `json:"statementId"`
	Effect      string           `json:"effect"`
	Principals  items[value]     `json:"principals"`
	Groups      items[value]     `json:"principalGroups"`
	Actions     items[value]     `json:"actions"`
	Resources   items[value]     `json:"resources"`
	Conditions  items[condition] `json:"conditions"`
}

type condition struct {
	Key    string       `json:"key"`
	Values items[value] `json:"values"`
}

type failureContext struct {
	Principal struct {
		ID   string `json:"id"`
		Name string `json:"name,omitempty"`
		ARN  string `json:"arn"`
	} `json:"principal"`
	Action     string           `json:"action"`
	Resource   string           `json:"resource"`
	Conditions items[condition] `json:"conditions"`
}

// failureMessage says what was decided, in AWS's JSON. Beside the statement that denied it names where it stands.
func failureMessage(call *api.Call, q Question, d policy.Decision) []byte {
	f := failure{ExplicitDeny: d.Explicit, MatchedStatements: items[statement]{[]statement{}}, Failures: items[struct{}]{[]struct{}{}}}
	if d.Explicit {
		f.MatchedStatements.Items = append(f.MatchedStatements.Items, deciding(call, d))
	}
	f.Context.Principal.ID, f.Context.Principal.Name, f.Context.Principal.ARN = call.Caller.UserID, call.Caller.UserName, call.Caller.ARN
	f.Context.Action, f.Context.Resource = q.Action, q.Resource
	keys := d.Context
	f.Context.Conditions.Items = []condition{}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		f.Context.Conditions.Items = append(f.Context.Conditions.Items, condition{key, values(keys[key])})
	}
	text, err := json.Marshal(f)
	if err != nil {
		return nil
	}
	return text
}

func deciding(call *api.Call, d policy.Decision) statement {
	out := statement{
		StatementID: d.Sid, Effect: "DENY", Principals: values([]string{call.Caller.UserID}), Groups: values(nil),
		Actions: values(nil), Resources: values(nil), Conditions: items[condition]{[]condition{}},
	}
	for _, s := range d.Trace {
		if s.Document != d.Document || s.Statement != d.Statement || !s.Matched {
			continue
		}
		for _, c := range s.Conditions() {
			out.Conditions.Items = append(out.Conditions.Items, condition{c.Key, values(c.Want)})
		}
		out.Actions, out.Resources = values(s.Actions()), values(s.Resources())
		break
	}
	return out
}

func values(list []string) items[value] {
	out := items[value]{[]value{}}
	for _, v := range list {
		out.Items = append(out.Items, value{v})
	}
	return out
}
