package policy

import (
	"fmt"
	"strings"
)

// request is a Request on its way through the statements.
type request struct {
	Request
	action string // lower case
}

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

// finding is what one document, or all documents of one kind, say.
type finding struct {
	deny, allow       *Statement
	denyDoc, allowDoc *Document
	denyAt, allowAt   int
	grant             grant // the most direct of all Allows
}

// evaluation collects what is found.
type evaluation struct {
	request
	trace []Step
}

// Evaluate decides the request. See the IAM guide, "Policy evaluation logic": any matching Deny denies; then,
// within an account, the identity's policies or the resource's must allow, limited by boundary and session
// policy, and across accounts both; the policy of the endpoint, if any, must allow as well.
func Evaluate(r Request, p Policies) Decision {
	e := &evaluation{request: request{Request: r, action: strings.ToLower(r.Action)}}
	e.trace = make([]Step, 0, countStatements(p))
	// Identity policies and what limits them do not apply to the account's root, nor to who has no identity.
	var identity, boundary, session finding
	if !r.Principal.Root && !r.Principal.Anonymous && r.Principal.Service == "" {
		for _, d := range p.Identity {
			e.look(d, &identity)
		}
		e.look(p.Boundary, &boundary)
		e.look(p.Session, &session)
	}
	var resource, endpoint finding
	e.look(p.Resource, &resource)
	e.look(p.Endpoint, &endpoint)

	d := decide(r.Principal, p, identity, resource, boundary, session, endpoint)
	d.CrossAccount = crossAccount(r.Principal, p)
	d.Trace = e.trace
	return d
}

func countStatements(p Policies) int {
	n := 0
	for _, d := range p.Identity {
		n += len(d.Statements)
	}
	for _, d := range []*Document{p.Resource, p.Boundary, p.Session, p.Endpoint} {
		if d != nil {
			n += len(d.Statements)
		}
	}
	return n
}

// look adds what a document says to f.
func (e *evaluation) look(d *Document, f *finding) {
	if d == nil {
		return
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		element, failed := s.covers(&e.request)
		e.record(d, i, element, failed)
		switch {
		case element != "":
		case s.Effect == Deny:
			if f.deny == nil {
				f.deny, f.denyDoc, f.denyAt = s, d, i
			}
		default:
			g := grantSession
			if s.principals != nil {
				g = s.principals.grants(e.Principal)
			}
			if f.allow == nil || g > f.grant {
				f.allow, f.allowDoc, f.allowAt, f.grant = s, d, i, g
			}
		}
	}
}

func (e *evaluation) record(d *Document, i int, element string, failed *condition) {
	s := Step{
		Kind: d.Kind, Document: d.Name, Statement: i, Sid: d.Statements[i].Sid, Effect: d.Statements[i].Effect,
		Matched: element == "", Element: element, statement: &d.Statements[i],
	}
	if failed != nil {
		s.Operator, s.Key, s.Want, s.Have = failed.operator, failed.keyText, failed.want, e.Context[failed.key]
	}
	e.trace = append(e.trace, s)
}

func crossAccount(who Principal, p Policies) bool {
	return p.ResourceAccount != "" && who.Account != "" && who.Account != p.ResourceAccount
}

func decide(who Principal, p Policies, identity, resource, boundary, session, endpoint finding) Decision {
	for _, f := range []*finding{&identity, &resource, &boundary, &session, &endpoint} {
		if f.deny != nil {
			return f.denied()
		}
	}
	d := grants(who, p, &identity, &resource, &boundary, &session)
	if d.Allowed && p.Endpoint != nil && endpoint.allow == nil {
		return implicit(p.Endpoint.Kind)
	}
	return d
}

// grants decides without Deny statements, which there are none of, and without the endpoint's policy.
func grants(who Principal, p Policies, identity, resource, boundary, session *finding) Decision {
	cross := crossAccount(who, p)
	resourceKind := Resource
	if p.Resource != nil {
		resourceKind = p.Resource.Kind
	}
	if who.Anonymous || who.Service != "" {
		if resource.allow == nil {
			return implicit(resourceKind)
		}
		return resource.allowed()
	}
	if (cross || p.ResourceDecides) && resource.allow == nil {
		return implicit(resourceKind)
	}
	if who.Root {
		if resource.allow != nil {
			return resource.allowed()
		}
		return Decision{Allowed: true, Kind: "root", Statement: -1}
	}
	if !cross && resource.grant == grantSession {
		return resource.allowed() // boundary and session policy do not limit what is given to the session itself
	}
	winner := identity
	if !cross && resource.grant == grantRole {
		winner = resource
	}
	switch {
	case winner.allow == nil:
		return implicit(Identity)
	case p.Boundary != nil && boundary.allow == nil:
		return implicit(Boundary)
	case p.Session != nil && session.allow == nil:
		return implicit(Session)
	}
	return winner.allowed()
}

func (f *finding) denied() Decision {
	return Decision{
		Kind: f.denyDoc.Kind.word(), Explicit: true, Document: f.denyDoc.Name, Statement: f.denyAt, Sid: f.deny.Sid,
	}
}

func (f *finding) allowed() Decision {
	return Decision{
		Allowed: true, Kind: f.allowDoc.Kind.word(), Document: f.allowDoc.Name, Statement: f.allowAt, Sid: f.allow.Sid,
	}
}

func implicit(k Kind) Decision { return Decision{Kind: k.word(), Statement: -1} }
