package policy

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// Statement is one statement of a document. The lists are the document's own text.
type Statement struct {
	Sid          string
	Effect       Effect
	Actions      []string // empty if NotActions are given
	NotActions   []string
	Resources    []string // empty if NotResources are given, and in trust policies
	NotResources []string
	// Start and End are where the statement is in the text: its first character, and what follows its last.
	Start, End Position
	// Keys are the condition keys that it looks at, in conditions and in policy variables, as written and each once.
	Keys []string

	principals *principals // nil: the document kind has none
	actions    []pattern   // lower case
	resources  []arnPattern
	conditions []condition
}

// Position is a place in a text. Both count from one.
type Position struct{ Line, Column int }

// after is the place that follows some text which begins here.
func (p Position) after(text []byte) Position {
	lines := bytes.Count(text, []byte("\n"))
	column := utf8.RuneCount(text[bytes.LastIndexByte(text, '\n')+1:])
	if lines == 0 {
		column += p.Column - 1
	}
	return Position{Line: p.Line + lines, Column: 1 + column}
}

// keys collects the keys that a statement looks at.
func (s *Statement) keys(variables bool) []string {
	var out []string
	add := func(key string) {
		if !slices.ContainsFunc(out, func(k string) bool { return strings.EqualFold(k, key) }) {
			out = append(out, key)
		}
	}
	texts := slices.Concat(s.Resources, s.NotResources)
	for i := range s.conditions {
		add(s.conditions[i].keyText)
		texts = append(texts, s.conditions[i].want...)
	}
	for _, text := range texts {
		for rest := text; variables; {
			_, after, found := strings.Cut(rest, "${")
			if !found {
				break
			}
			rest = after
			name, _, closed := strings.Cut(after, "}")
			if name, _, _ = strings.Cut(name, ","); closed && strings.Trim(name, "*?$") != "" {
				add(strings.TrimSpace(name))
			}
		}
	}
	return out
}

// Principals are the principals that the statement names, as written; nil for NotPrincipal.
func (s *Statement) Principals() []string {
	if s.principals == nil || s.principals.not {
		return nil
	}
	return s.principals.text
}

// Condition is one key of a statement's conditions, as written.
type Condition struct {
	Operator string // StringEquals
	Key      string // aws:SourceVpce
	Want     []string
}

// Conditions are what must hold for the statement to apply.
func (s *Statement) Conditions() []Condition {
	var out []Condition
	for i := range s.conditions {
		c := &s.conditions[i]
		out = append(out, Condition{Operator: c.operator, Key: c.keyText, Want: c.want})
	}
	return out
}

// Public reports whether the document allows something to anybody at all without a condition that narrows who
// it is or where they come from: S3's notion of a public bucket policy.
func (d *Document) Public() bool {
	for i := range d.Statements {
		if s := &d.Statements[i]; s.Effect == Allow && s.public() {
			return true
		}
	}
	return false
}

func (s *Statement) public() bool {
	if s.principals == nil || !s.principals.any && !s.principals.not {
		return false
	}
	for i := range s.conditions {
		if s.conditions[i].narrowsCaller() {
			return false
		}
	}
	return true
}

// covers reports whether the statement applies to the request, and if not, which element does not match.
func (s *Statement) covers(r *request) (element string, failed *condition) {
	if s.principals != nil && !s.principals.match(r.Principal, s.Effect) {
		if s.principals.not {
			return "NotPrincipal", nil
		}
		return "Principal", nil
	}
	if !s.coversAction(r) {
		if len(s.NotActions) > 0 {
			return "NotAction", nil
		}
		return "Action", nil
	}
	if !s.coversResource(r) {
		if len(s.NotResources) > 0 {
			return "NotResource", nil
		}
		return "Resource", nil
	}
	for i := range s.conditions {
		if c := &s.conditions[i]; !c.holds(r) {
			return "Condition", c
		}
	}
	return "", nil
}

func (s *Statement) coversAction(r *request) bool {
	matched := false
	for i := range s.actions {
		if s.actions[i].match(r.action, r) {
			matched = true
			break
		}
	}
	return matched != (len(s.NotActions) > 0)
}

func (s *Statement) coversResource(r *request) bool {
	if len(s.resources) == 0 {
		return true // a trust policy: the resource is the role that carries it
	}
	matched := false
	for i := range s.resources {
		if s.resources[i].matchSplit(&r.arn, r) {
			matched = true
			break
		}
	}
	return matched != (len(s.NotResources) > 0)
}

// Join makes one document of several of a kind, of which any may allow and any may deny; nil of none.
func Join(name string, documents []*Document) *Document {
	switch len(documents) {
	case 0:
		return nil
	case 1:
		return documents[0]
	}
	out := &Document{Name: name, Kind: documents[0].Kind, Version: documents[0].Version}
	for _, d := range documents {
		out.Statements = append(out.Statements, d.Statements...)
	}
	return out
}
