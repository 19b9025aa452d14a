package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// route is where an operation is found.
type route struct {
	operation Operation
	segments  []string   // a label is in braces; the last one may be greedy: {Key+}
	query     url.Values // parameters that must be there, as in ?List=ALL
}

func newRoute(o Operation) (route, error) {
	if o.Method == "" || !strings.HasPrefix(o.Path, "/") {
		return route{}, fmt.Errorf("make a codec: operation %s has no method or no path", o.Name)
	}
	path, text, _ := strings.Cut(o.Path, "?")
	query, err := url.ParseQuery(text)
	if err != nil {
		return route{}, fmt.Errorf("make a codec: the path of %s: %w", o.Name, err)
	}
	return route{operation: o, segments: segments(path), query: query}, nil
}

// matchQuery reports whether a request has the parameters that the operation's path ends with.
func (r *route) matchQuery(request *http.Request) bool {
	if len(r.query) == 0 {
		return true
	}
	got := request.URL.Query()
	for name := range r.query {
		if got.Get(name) != r.query.Get(name) {
			return false
		}
	}
	return true
}

// segments splits a path. One slash at the end does not count: AWS takes /functions and /functions/ alike.
func segments(path string) []string {
	return strings.Split(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/")
}

// match returns the labels in a request's path, unescaped, and whether the request is for this operation.
func (r *route) match(request *http.Request) (map[string]string, bool) {
	if request.Method != r.operation.Method || !r.matchQuery(request) {
		return nil, false
	}
	got := segments(request.URL.EscapedPath())
	labels := map[string]string{}
	for i, want := range r.segments {
		if i >= len(got) {
			return nil, false
		}
		name, isLabel := labelName(want)
		if !isLabel {
			if got[i] != want {
				return nil, false
			}
			continue
		}
		text := got[i]
		greedy := strings.HasSuffix(name, "+")
		if greedy {
			text, got = strings.Join(got[i:], "/"), got[:i+1]
		}
		value, err := url.PathUnescape(text)
		if err != nil || value == "" || !utf8.ValidString(value) {
			return nil, false
		}
		labels[strings.TrimSuffix(name, "+")] = value
	}
	return labels, len(got) == len(r.segments)
}

func labelName(segment string) (string, bool) {
	if strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}") {
		return segment[1 : len(segment)-1], true
	}
	return "", false
}

// restBinder fills the members that are in path, query and headers.
type restBinder struct {
	dialect dialect
	labels  map[string]string
	request *http.Request
}

func (b *restBinder) bind(p *plan, v reflect.Value) error {
	query, err := url.ParseQuery(b.request.URL.RawQuery)
	if err != nil {
		return b.dialect.malformed("the query string is malformed")
	}
	for i := range p.fields {
		f := &p.fields[i]
		m := v.Field(f.index)
		var texts []string
		switch f.where {
		case inURI:
			if label, ok := b.labels[f.in]; ok {
				texts = []string{label}
			}
		case inQuery:
			texts = query[f.in]
		case inHeader:
			texts = b.request.Header.Values(f.in)
		case inHeaders:
			b.headers(m, f.in)
		}
		if err := b.set(m, f, texts); err != nil {
			return err
		}
	}
	return nil
}

// set gives a member its texts: a list all of them, anything else the first.
func (b *restBinder) set(m reflect.Value, f *field, texts []string) error {
	if len(texts) == 0 {
		return nil
	}
	for _, s := range texts {
		if !utf8.ValidString(s) {
			return b.dialect.invalid(f.in, "?", m.Type())
		}
	}
	switch m.Kind() {
	case reflect.Slice:
		if m.Type() != reflect.TypeFor[[]string]() {
			break
		}
		m.Set(reflect.ValueOf(append([]string(nil), texts...)))
		return nil
	case reflect.Pointer:
		m.Set(reflect.New(m.Type().Elem()))
		if err := parseScalar(texts[0], m.Elem(), f.timeFormat); err != nil {
			return b.dialect.invalid(f.in, strconv.Quote(texts[0]), m.Type())
		}
		return nil
	}
	panic("wire: a member of type " + m.Type().String() + " cannot be in a path, query or header")
}

// headers collects all headers with a prefix into a map.
func (b *restBinder) headers(m reflect.Value, prefix string) {
	found := map[string]string{}
	for name := range b.request.Header {
		if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			found[strings.ToLower(name[len(prefix):])] = b.request.Header.Get(name)
		}
	}
	if len(found) > 0 {
		m.Set(reflect.ValueOf(found))
	}
}

// bindOutput writes the members that are in the headers or are the status.
func bindOutput(p *plan, v reflect.Value, response *Response) {
	for i := range p.fields {
		f := &p.fields[i]
		m := v.Field(f.index)
		if m.IsNil() {
			continue
		}
		switch f.where {
		case inStatus:
			response.Status = int(m.Elem().Int())
		case inHeader:
			response.Header.Set(f.out, headerText(formatScalar(m.Elem(), f, isoMillis)))
		case inHeaders:
			for key := range stringKeys(m) {
				response.Header.Set(f.out+key, headerText(m.MapIndex(reflect.ValueOf(key)).String()))
			}
		}
	}
}

// headerText keeps line breaks out of headers.
func headerText(s string) string {
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(s)
}
