package policy

import "strings"

// request is a Request on its way through the statements.
type request struct {
	Request
	action   string   // lower case
	arn      splitARN // of the resource
	expanded []rune   // a pattern's variables, for one match
}

// finding is what one document, or all documents of one kind, say.
type finding struct {
	deny, allow       *Statement
	denyDoc, allowDoc *Document
	denyAt, allowAt   int
	grant             grant // the most direct of all Allows
}

// findings are those of each kind of policy.
type findings struct {
	identity, resource, boundary, session, endpoint finding
	resourceControl, serviceControl                 []finding // of each level
}

// evaluation collects what is found.
type evaluation struct {
	request
	trace []Step
}

// Evaluate decides the request. See the IAM guide, "Policy evaluation logic": any matching Deny denies; every level
// of the organization must allow; then, within an account, the identity's policies or the resource's must allow,
// limited by boundary and session policy, and across accounts both; the policy of the endpoint, if any, must allow
// as well.
func Evaluate(r Request, p Policies) Decision {
	e := &evaluation{request: request{Request: r, action: strings.ToLower(r.Action), arn: splitARNOf(r.Resource)}}
	e.trace = make([]Step, 0, countStatements(p))
	f := &findings{}
	e.lookAtControls(p, f)
	// Identity policies and what limits them do not apply to the account's root, nor to who has no identity.
	if !r.Principal.Root && !r.Principal.Anonymous && r.Principal.Service == "" {
		for _, d := range p.Identity {
			e.look(d, &f.identity)
		}
		e.look(p.Boundary, &f.boundary)
		e.look(p.Session, &f.session)
	}
	e.look(p.Resource, &f.resource)
	e.look(p.Endpoint, &f.endpoint)

	d := decide(r.Principal, p, f)
	d.CrossAccount = crossAccount(r.Principal, p)
	d.Context, d.Trace = r.Context, e.trace
	return d
}

func countStatements(p Policies) int {
	n := 0
	for _, d := range p.Identity {
		n += len(d.Statements)
	}
	for _, list := range [][]*Document{{p.Resource, p.Boundary, p.Session, p.Endpoint}, p.ResourceControl, p.ServiceControl} {
		for _, d := range list {
			if d != nil {
				n += len(d.Statements)
			}
		}
	}
	return n
}

// lookAtControls looks at the organization's policies. They do not limit service-linked roles; and who has no
// account is in no organization, but the resources are.
func (e *evaluation) lookAtControls(p Policies, f *findings) {
	if e.Principal.serviceLinked() {
		return
	}
	f.resourceControl = e.lookAtLevels(p.ResourceControl)
	if !e.Principal.Anonymous && e.Principal.Service == "" {
		f.serviceControl = e.lookAtLevels(p.ServiceControl)
	}
}

func (e *evaluation) lookAtLevels(levels []*Document) []finding {
	if len(levels) == 0 {
		return nil
	}
	out := make([]finding, len(levels))
	for i, d := range levels {
		e.look(d, &out[i])
	}
	return out
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

// record writes a step where it stays: there is room, and copying steps costs as much as finding them.
func (e *evaluation) record(d *Document, i int, element string, failed *condition) {
	e.trace = e.trace[:len(e.trace)+1]
	s, statement := &e.trace[len(e.trace)-1], &d.Statements[i]
	s.Kind, s.Document, s.Statement, s.Sid, s.Effect = d.Kind, d.Name, i, statement.Sid, statement.Effect
	s.Matched, s.Element, s.statement = element == "", element, statement
	if failed != nil {
		s.Operator, s.Key, s.Want, s.Have = failed.operator, failed.keyText, failed.want, e.Context[failed.key]
	}
}

func crossAccount(who Principal, p Policies) bool {
	return p.ResourceAccount != "" && who.Account != "" && who.Account != p.ResourceAccount
}

// denied is the first finding with a Deny, nil if there is none.
func (f *findings) denied() *finding {
	for _, levels := range [][]finding{f.resourceControl, f.serviceControl} {
		for i := range levels {
			if levels[i].deny != nil {
				return &levels[i]
			}
		}
	}
	for _, one := range []*finding{&f.identity, &f.resource, &f.boundary, &f.session, &f.endpoint} {
		if one.deny != nil {
			return one
		}
	}
	return nil
}

func allowedByAll(levels []finding) bool {
	for i := range levels {
		if levels[i].allow == nil {
			return false
		}
	}
	return true
}

func decide(who Principal, p Policies, f *findings) Decision {
	if denied := f.denied(); denied != nil {
		return denied.denied()
	}
	if !allowedByAll(f.resourceControl) {
		return implicit(ResourceControl)
	}
	if !allowedByAll(f.serviceControl) {
		return implicit(ServiceControl)
	}
	d := grants(who, p, f)
	if d.Allowed && p.Endpoint != nil && f.endpoint.allow == nil {
		return implicit(p.Endpoint.Kind)
	}
	return d
}

// grants decides without Deny statements, which there are none of, and without the organization's policies and the
// endpoint's.
func grants(who Principal, p Policies, f *findings) Decision {
	identity, resource, boundary, session := &f.identity, &f.resource, &f.boundary, &f.session
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
