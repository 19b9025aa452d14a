package policy

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// printed writes a document from what it was compiled to.
func printed(d *Document) string {
	var statements []map[string]any
	for i := range d.Statements {
		s := &d.Statements[i]
		m := map[string]any{"Effect": s.Effect}
		put := func(name string, list []string) {
			if len(list) > 0 {
				m[name] = list
			}
		}
		put("Action", s.Actions)
		put("NotAction", s.NotActions)
		put("Resource", s.Resources)
		put("NotResource", s.NotResources)
		if s.Sid != "" {
			m["Sid"] = s.Sid
		}
		if p := s.principals; p != nil && p.not {
			m["NotPrincipal"] = p.printed()
		} else if p != nil {
			m["Principal"] = p.printed()
		}
		if conditions := s.Conditions(); len(conditions) > 0 {
			block := map[string]map[string][]string{}
			for _, c := range conditions {
				if block[c.Operator] == nil {
					block[c.Operator] = map[string][]string{}
				}
				block[c.Operator][c.Key] = append([]string{}, c.Want...)
			}
			m["Condition"] = block
		}
		statements = append(statements, m)
	}
	out := map[string]any{"Version": d.Version, "Statement": statements}
	if d.ID != "" {
		out["Id"] = d.ID
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (p *principals) printed() any {
	out := map[string][]string{}
	add := func(kind string, list []string) {
		if len(list) > 0 {
			out[kind] = append(out[kind], list...)
		}
	}
	if p.any {
		add("AWS", []string{"*"})
	}
	add("AWS", p.accounts)
	add("AWS", p.arns)
	add("Service", p.services)
	for _, text := range p.text {
		known := isAccount(text) || text == "*" || slices.Contains(p.arns, text) || slices.Contains(p.services, text)
		if _, root := rootOf(text); !known && !root {
			add("Federated", []string{text})
		}
	}
	return out
}

// rootOf is the account that an ARN of a root names.
func rootOf(text string) (string, bool) {
	var p principals
	if !p.addAWS(text) || len(p.accounts) != 1 {
		return "", false
	}
	return p.accounts[0], true
}

// checkPrint checks that what is printed of a document reads as the same document.
func checkPrint(t interface{ Fatalf(string, ...any) }, d *Document) {
	text := printed(d)
	again, err := Parse(d.Name, d.Kind, []byte(text))
	if err != nil {
		t.Fatalf("a printed %s document is refused: %v (%s)\n%s", d.Kind, err, err.(*Error).Detail, text)
	}
	if second := printed(again); second != text {
		t.Fatalf("printed\n%s\nreads as\n%s", text, second)
	}
	if d.Public() != again.Public() {
		t.Fatalf("public %v, printed and read %v\n%s", d.Public(), again.Public(), text)
	}
}

func TestWhatIsPrintedReadsAsTheSameDocument(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]Kind{Identity, Resource, Boundary, Session, Endpoint, ServiceControl, ResourceControl}).Draw(t, "kind")
		d := drawDocument(t, kind)
		checkPrint(t, d)
		again, err := Parse(d.Name, kind, []byte(printed(d)))
		if err != nil {
			t.Fatalf("parse: %v", err)
		}
		for range 10 {
			r := drawRequest(t)
			a := Evaluate(r, Policies{Identity: []*Document{d}, Resource: d})
			b := Evaluate(r, Policies{Identity: []*Document{again}, Resource: again})
			if a.Allowed != b.Allowed || a.Explicit != b.Explicit || a.Statement != b.Statement {
				t.Fatalf("%+v, and read again %+v", a, b)
			}
		}
	})
}
