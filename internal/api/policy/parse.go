package policy

import (
	"fmt"
	"slices"
	"strings"
)

// The versions of the policy language.
const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// maxSize is a bound for any document, in bytes; the limits of each kind are much lower and the caller's matter.
const maxSize = 131072

// parser reads one document.
type parser struct {
	kind   Kind
	at     int // statement, -1: none yet
	syntax syntax
	sids   map[string]bool
	text   []byte
}

// Parse reads a document of a kind. The error is an [*Error] with AWS's message. The name is for messages.
func Parse(name string, kind Kind, text []byte) (*Document, error) {
	p := &parser{kind: kind, at: -1, sids: map[string]bool{}, text: text}
	if len(text) > maxSize {
		return nil, p.fail(flawSyntax, "", "%d bytes are more than any policy may have", len(text))
	}
	root, err := readJSON(text)
	if err != nil {
		return nil, p.fail(flawJSON, "", "%v", err)
	}
	if root.kind != nodeObject {
		return nil, p.fail(flawJSON, "", "a policy is a JSON object")
	}
	d := &Document{Name: name, Kind: kind, Version: version2008}
	var statements *node
	for i := range root.members {
		m := &root.members[i]
		switch m.name {
		case "Version":
			if m.value.kind != nodeString || m.value.text != version2008 && m.value.text != version2012 {
				return nil, p.fail(flawVersion, "", "Version is %s or %s", version2012, version2008)
			}
			d.Version = m.value.text
		case "Id":
			if m.value.kind != nodeString {
				return nil, p.fail(flawSyntax, "", "Id is a string")
			}
			d.ID = m.value.text
		case "Statement":
			statements = &m.value
		default:
			return nil, p.fail(flawSyntax, "", "unknown element %q", m.name)
		}
	}
	p.syntax.variables = d.Version == version2012
	d.Statements, err = p.statements(statements)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (p *parser) fail(f flaw, value, format string, args ...any) error {
	detail := fmt.Sprintf(format, args...)
	if p.at >= 0 {
		detail = fmt.Sprintf("statement %d: %s", p.at, detail)
	}
	return &Error{Kind: p.kind, Message: message(p.kind, f, value), Detail: detail}
}

// statements reads one statement or a list of them.
func (p *parser) statements(n *node) ([]Statement, error) {
	if n == nil || n.kind == nodeNull {
		return nil, p.fail(flawNoStatement, "", "there is no Statement")
	}
	items := n.items
	if n.kind == nodeObject {
		items = []node{*n}
	} else if n.kind != nodeArray {
		return nil, p.fail(flawSyntax, "", "Statement is an object or a list of objects")
	}
	if len(items) == 0 {
		return nil, p.fail(flawNoStatement, "", "Statement is empty")
	}
	out := make([]Statement, len(items))
	place, seen := Position{1, 1}, int64(0)
	for i := range items {
		p.at = i
		out[i].Start = place.after(p.text[seen:max(seen, items[i].from)])
		out[i].End = out[i].Start.after(p.text[items[i].from:items[i].to])
		place, seen = out[i].End, max(seen, items[i].to)
		if err := p.statement(&items[i], &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p *parser) statement(n *node, s *Statement) error {
	if n.kind != nodeObject {
		return p.fail(flawSyntax, "", "a statement is an object")
	}
	elements := map[string]*node{}
	for i := range n.members {
		elements[n.members[i].name] = &n.members[i].value
	}
	for name := range elements {
		if !slices.Contains([]string{
			"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
		}, name) {
			return p.fail(flawSyntax, "", "unknown element %q", name)
		}
	}
	for _, read := range []func(map[string]*node, *Statement) error{
		p.sid, p.effect, p.principal, p.actions, p.resources, p.conditions,
	} {
		if err := read(elements, s); err != nil {
			return err
		}
	}
	s.Keys = s.keys(p.syntax.variables)
	return nil
}

func (p *parser) sid(e map[string]*node, s *Statement) error {
	n := e["Sid"]
	if n == nil {
		return nil
	}
	if n.kind != nodeString {
		return p.fail(flawSyntax, "", "Sid is a string")
	}
	s.Sid = n.text
	if s.Sid == "" {
		return nil
	}
	if p.identity() && strings.IndexFunc(s.Sid, notAlphanumeric) >= 0 {
		return p.fail(flawSid, "", "Sid %q", s.Sid)
	}
	if p.sids[s.Sid] {
		return p.fail(flawDuplicateSid, "", "Sid %q comes twice", s.Sid)
	}
	p.sids[s.Sid] = true
	return nil
}

func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// identity reports whether the document belongs to an identity, which is then not named in it.
func (p *parser) identity() bool {
	return p.kind == Identity || p.kind == Boundary || p.kind == Session || p.kind == ServiceControl
}

func (p *parser) effect(e map[string]*node, s *Statement) error {
	n := e["Effect"]
	if n == nil {
		return p.fail(flawNoEffect, "", "there is no Effect")
	}
	if n.kind != nodeString {
		return p.fail(flawSyntax, "", "Effect is a string")
	}
	s.Effect = Effect(n.text)
	if s.Effect != Allow && s.Effect != Deny {
		return p.fail(flawEffect, n.text, "Effect is Allow or Deny, not %q", n.text)
	}
	return nil
}

// either reads Name or NotName, of which a statement has exactly one. It returns nil if there is neither.
func (p *parser) either(e map[string]*node, name string) (values []string, not bool, err error) {
	n, negated := e[name], e["Not"+name]
	if n != nil && negated != nil {
		return nil, false, p.fail(flawSyntax, "", "both %s and Not%s", name, name)
	}
	if n == nil {
		n, not = negated, true
	}
	if n == nil {
		return nil, false, nil
	}
	values, ok := n.strings()
	if !ok {
		return nil, false, p.fail(flawSyntax, "", "%s is a string or a list of strings", name)
	}
	return values, not, nil
}
