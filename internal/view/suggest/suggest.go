package suggest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/calls"
)

// Seen is one thing that somebody was allowed to do.
type Seen struct {
	Principal string `json:"principal"` // ARN of a role, a user or the root; empty: nobody
	Action    string `json:"action"`
	Resource  string `json:"resource"`
}

// Log is what of the calls matters here.
type Log struct {
	Wanted map[Seen]bool // allowed, of the role or through the endpoint
	Others map[Seen]bool // asked for by anybody or any way, and not among those
	Calls  int           // how many calls there were of the role or through the endpoint
}

// NewLog makes an empty log.
func NewLog() *Log { return &Log{Wanted: map[Seen]bool{}, Others: map[Seen]bool{}} }

// Add adds one event; wanted: it is of the role or through the endpoint.
func (l *Log) Add(e *calls.Event, wanted bool) {
	if wanted {
		l.Calls++
	}
	for _, d := range e.AdditionalEventData.Decisions {
		s := Seen{e.UserIdentity.Principal(), d.Action, d.Resource}
		if wanted && d.Allowed {
			l.Wanted[s] = true
		} else {
			l.Others[s] = true
		}
	}
}

// Suggestion is a document and what is known of it.
type Suggestion struct {
	Document json.RawMessage `json:"document"`
	Calls    int             `json:"calls"`
	Allows   []Seen          `json:"allows"` // each was seen, and each was tried against the document
	// AlsoAllows are other things from the log that the document allows, because it is wider than what was seen.
	AlsoAllows []Seen   `json:"alsoAllows"`
	Notes      []string `json:"notes"`
}

// The longest documents, in characters: of a managed policy without white space, and of an endpoint's policy.
const (
	maxIdentity = 6144
	maxEndpoint = 20480
)

// ForRole writes an identity policy.
func (l *Log) ForRole() (*Suggestion, error) {
	return l.suggest(policy.Identity, maxIdentity, func(seen []Seen) []statement {
		return statements(seen, nil)
	})
}

// ForEndpoint writes the policy of a VPC endpoint. Roles are named by a condition, which gateway endpoints demand and
// interface endpoints understand.
func (l *Log) ForEndpoint() (*Suggestion, error) {
	return l.suggest(policy.GatewayEndpoint, maxEndpoint, func(seen []Seen) []statement {
		by := map[string][]Seen{}
		for _, s := range seen {
			by[s.Principal] = append(by[s.Principal], s)
		}
		var out []statement
		for _, principal := range slices.Sorted(maps.Keys(by)) {
			out = append(out, statements(by[principal], &principal)...)
		}
		return out
	})
}

func (l *Log) suggest(kind policy.Kind, limit int, write func([]Seen) []statement) (*Suggestion, error) {
	if len(l.Wanted) == 0 {
		return nil, fmt.Errorf("nothing was allowed among %d calls: there is nothing to write a policy from", l.Calls)
	}
	seen := sorted(l.Wanted)
	out := &Suggestion{Calls: l.Calls, Allows: seen, AlsoAllows: []Seen{}, Notes: []string{}}
	text, err := document(write(seen))
	if err == nil && size(text) > limit {
		out.Notes = append(out.Notes, fmt.Sprintf("Object by object it would be longer than the %d characters that a policy may have: whole buckets are allowed instead.", limit))
		text, err = document(write(wholeBuckets(seen)))
	}
	if err != nil {
		return nil, err
	}
	if size(text) > limit {
		out.Notes = append(out.Notes, fmt.Sprintf("The document is longer than the %d characters that a policy may have: split it.", limit))
	}
	out.Document = text
	parsed, err := policy.Parse("suggested", kind, text)
	if err != nil {
		return nil, fmt.Errorf("read the suggested document: %w", err)
	}
	for _, s := range seen {
		if !allows(parsed, kind, s) {
			return nil, fmt.Errorf("the suggested document does not allow %s on %s, which was seen", s.Action, s.Resource)
		}
	}
	for _, s := range sorted(l.Others) {
		if !l.Wanted[s] && allows(parsed, kind, s) {
			out.AlsoAllows = append(out.AlsoAllows, s)
		}
	}
	return out, nil
}

// allows asks the evaluator. For a role the principal does not matter: whoever has the document may.
func allows(d *policy.Document, kind policy.Kind, s Seen) bool {
	account := "000000000000"
	who := policy.Principal{Account: account, ARN: s.Principal, RoleARN: s.Principal}
	p := policy.Policies{Identity: []*policy.Document{d}}
	context := map[string][]string{}
	if kind != policy.Identity {
		everything, err := policy.Parse("everything", policy.Identity, []byte(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`))
		if err != nil {
			return false
		}
		p = policy.Policies{Identity: []*policy.Document{everything}, Endpoint: d}
		context["aws:principalarn"] = []string{s.Principal}
	}
	return policy.Evaluate(policy.Request{Action: s.Action, Resource: s.Resource, Principal: who, Context: context}, p).Allowed
}

func sorted(set map[Seen]bool) []Seen {
	return slices.SortedFunc(maps.Keys(set), func(a, b Seen) int {
		return strings.Compare(a.Principal+"\x00"+a.Resource+"\x00"+a.Action, b.Principal+"\x00"+b.Resource+"\x00"+b.Action)
	})
}

// size is a document's length as quotas count it: without white space.
func size(text []byte) int {
	n := 0
	for _, r := range string(text) {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}
