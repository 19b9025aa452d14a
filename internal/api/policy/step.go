package policy

import (
	"fmt"
	"strings"
)

// Step is one statement that was looked at.
type Step struct {
	Kind      Kind
	Document  string
	Statement int // index in the document
	Sid       string
	Effect    Effect
	// Matched: the statement applies to the request. If not, Element is the first element that does not match.
	Matched bool
	Element string // Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition
	// For Condition: which one did not hold.
	Operator, Key string
	Want, Have    []string // Have is nil if the request has no such key

	statement *Statement
}

// Conditions are those of the statement.
func (s Step) Conditions() []Condition {
	if s.statement == nil {
		return nil
	}
	return s.statement.Conditions()
}

// Actions are those of the statement, as written; empty if it has NotAction.
func (s Step) Actions() []string {
	if s.statement == nil {
		return nil
	}
	return s.statement.Actions
}

// Position is where the statement is in its document's text.
func (s Step) Position() (start, end Position) {
	if s.statement == nil {
		return Position{}, Position{}
	}
	return s.statement.Start, s.statement.End
}

// Keys are the condition keys that the statement looks at, as written.
func (s Step) Keys() []string {
	if s.statement == nil {
		return nil
	}
	return s.statement.Keys
}

// Resources are those of the statement, as written.
func (s Step) Resources() []string {
	if s.statement == nil {
		return nil
	}
	return s.statement.Resources
}

// String says in words what became of the statement.
func (s Step) String() string {
	name := fmt.Sprintf("%s policy %s, statement %d", s.Kind.word(), s.Document, s.Statement)
	if s.Sid != "" {
		name += " (" + s.Sid + ")"
	}
	switch {
	case s.Matched && s.Effect == Deny:
		return name + ": denies"
	case s.Matched:
		return name + ": allows"
	case s.Element != "Condition":
		return fmt.Sprintf("%s: %s does not match", name, s.Element)
	}
	have := "the request has no such key"
	if s.Have != nil {
		have = "the request has " + strings.Join(s.Have, ", ")
	}
	return fmt.Sprintf("%s: %s %s wants %s, %s", name, s.Operator, s.Key, strings.Join(s.Want, ", "), have)
}
