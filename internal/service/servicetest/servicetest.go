// Package servicetest checks what every service owes, whatever it does: operations that say on what they act, a
// signature and a permission before anything happens, clear refusals of what is unknown, and no input that makes
// it fail. [Run] is called from a test of each service; it goes through the real pipeline of api/server.
package servicetest

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Run checks a service whose protocol is made of operations. newService is called several times; what it returns is
// used with an empty state.
func Run(t *testing.T, newService func() service.Definition) {
	t.Helper()
	RunWithState(t, func(*testing.T, *state.Store) service.Definition { return newService() })
}

// RunWithState is Run for services that hold the store themselves.
func RunWithState(t *testing.T, newService func(*testing.T, *state.Store) service.Definition) {
	t.Helper()
	t.Run("operations are complete", func(t *testing.T) { complete(t, newRegion(t, newService)) })
	t.Run("unknown operations are refused", func(t *testing.T) { unknown(t, newRegion(t, newService)) })
	t.Run("nothing happens unsigned", func(t *testing.T) { unsigned(t, newRegion(t, newService)) })
	t.Run("nothing happens without permission", func(t *testing.T) { unpermitted(t, newRegion(t, newService)) })
	t.Run("no input makes it fail", func(t *testing.T) { anyInput(t, newRegion(t, newService)) })
	t.Run("no history makes it fail", func(t *testing.T) { history(t, newRegion(t, newService)) })
	t.Run("no garbage makes it fail", func(t *testing.T) { garbage(t, newRegion(t, newService)) })
}

func complete(t *testing.T, r *region) {
	d := r.definition
	if d.Handler != nil || len(d.Operations) == 0 {
		t.Fatalf("service %s has no operations to check", d.Name)
	}
	// That they declare their resources, once each, is what server.New has checked.
	for _, o := range d.Operations {
		handlers := 0
		for _, set := range []bool{o.View != nil, o.Update != nil, o.Stream != nil} {
			if set {
				handlers++
			}
		}
		switch {
		case handlers != 1:
			t.Errorf("%s has %d handlers, want one of View, Update and Stream", o.Name, handlers)
		case o.NewInput == nil || reflect.TypeOf(o.NewInput()).Kind() != reflect.Pointer:
			t.Errorf("%s has no input", o.Name)
		case o.Action != "" && !strings.Contains(o.Action, ":"):
			t.Errorf("the action of %s is %q, want service:Action", o.Name, o.Action)
		case d.Protocol == service.RESTJSON && (o.HTTPMethod == "" || o.HTTPPath == ""):
			t.Errorf("%s has no method or no path", o.Name)
		}
	}
}

func unknown(t *testing.T, r *region) {
	code := map[service.Protocol]string{
		service.EC2Query: "InvalidAction", service.AWSQuery: "InvalidAction",
		service.AWSJSON11: "UnknownOperationException", service.RESTJSON: "UnknownOperationException",
	}[r.definition.Protocol]
	request := r.newRequest(service.Operation{Name: "NoSuchOperation", HTTPMethod: "POST", HTTPPath: "/1999-01-01/nothing"}, nil)
	answer := r.do(t, request, operator)
	if answer.status >= 500 || answer.status < 400 || answer.code != code {
		t.Errorf("got %d %s, want 4xx %s: %s", answer.status, answer.code, code, answer.body)
	}
}

func unsigned(t *testing.T, r *region) {
	for _, o := range r.definition.Operations {
		answer := r.do(t, r.newRequest(o, rapid.Custom(func(t *rapid.T) map[string]any { return drawMembers(t, o.NewInput()) }).Example(0)), nobody)
		if answer.status < 400 || answer.status > 403 {
			t.Errorf("%s: got %d %s, want a refusal: %s", o.Name, answer.status, answer.code, answer.body)
		}
	}
	if len(r.asked) != 0 || r.store.View().Revision() != 0 {
		t.Errorf("an unsigned call got as far as %v", r.asked)
	}
}

func unpermitted(t *testing.T, r *region) {
	for _, o := range r.definition.Operations {
		if o.Public {
			continue
		}
		r.asked = nil
		r.check(t, o, stranger, func(t rapid.TB, a answer) {
			if a.status < 400 || a.status >= 500 {
				t.Errorf("%s: got %d %s, want a refusal: %s", o.Name, a.status, a.code, a.body)
			}
		})
		for _, q := range r.asked {
			if !strings.Contains(q.Action, ":") || !isResource(o, q.Resource) {
				t.Errorf("%s asked for %q on %q, want an action and an ARN", o.Name, q.Action, q.Resource)
				break
			}
		}
	}
	if r.store.View().Revision() != 0 {
		t.Error("a call without permission changed the state")
	}
}

// isResource reports whether a text can be what an operation acts on. Where callers themselves give the ARN, it is
// whatever they give.
func isResource(o service.Operation, text string) bool {
	if text == "*" || strings.HasPrefix(text, "arn:") {
		return true
	}
	for f := range reflect.TypeOf(o.NewInput()).Elem().Fields() {
		if strings.Contains(strings.ToUpper(f.Name), "ARN") {
			return text != ""
		}
	}
	return false
}

func anyInput(t *testing.T, r *region) {
	for _, o := range r.definition.Operations {
		r.check(t, o, operator, func(t rapid.TB, a answer) {
			if a.status == http.StatusInternalServerError {
				t.Errorf("%s: got %d %s: %s", o.Name, a.status, a.code, r.lastError())
			}
			if err := wellFormed(a); err != nil {
				t.Errorf("%s: the answer is not well-formed: %v: %s", o.Name, err, a.body)
			}
		})
	}
}

func garbage(t *testing.T, r *region) {
	texts := []string{"", "%", "&&&", "{", "[]", "null", `{"a":`, "\x00\xff", "<xml/>", strings.Repeat("A.", 100) + "=1", strings.Repeat("[", 10_000)}
	for _, o := range r.definition.Operations {
		for _, text := range texts {
			request := r.newRequest(o, map[string]any{})
			request.body = request.body + text
			if a := r.do(t, request, operator); a.status == http.StatusInternalServerError {
				t.Errorf("%s with %.20q: got %d %s: %s", o.Name, text, a.status, a.code, r.lastError())
			}
		}
	}
}

// check makes calls of one operation with any members.
func (r *region) check(t *testing.T, o service.Operation, who string, verify func(rapid.TB, answer)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		verify(t, r.do(t, r.newRequest(o, drawMembers(t, o.NewInput())), who))
	})
}

func wellFormed(a answer) error {
	switch {
	case len(a.body) == 0:
		return nil
	case strings.Contains(a.contentType, "xml"):
		d := xml.NewDecoder(strings.NewReader(a.body))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	case a.code != "" || a.contentType == "application/x-amz-json-1.1":
		if !json.Valid([]byte(a.body)) {
			return api.Errorf("NotJSON", "the body is no JSON")
		}
	}
	return nil
}
