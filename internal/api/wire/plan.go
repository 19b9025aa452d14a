package wire

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// location is where in a request or answer a member is.
type location string

const (
	inBody    location = ""
	inHeader  location = "header"
	inHeaders location = "headers"
	inURI     location = "uri"
	inQuery   location = "query"
	inStatus  location = "status"
	inPayload location = "payload"
)

// field is one member of a structure, as its tag describes it.
type field struct {
	index      int
	goName     string
	in, out    string
	item       string
	flat       bool
	where      location
	required   bool
	min, max   *float64
	timeFormat string
	pattern    *regexp.Regexp
	enum       []string
}

// itemOr returns the name of list elements.
func (f *field) itemOr(otherwise string) string { return orDefault(f.item, otherwise) }

// plan is a structure, as its tags describe it.
type plan struct {
	fields []field
}

// payload is the member that is the whole body, nil if there is none.
func (p *plan) payload() *field {
	for i := range p.fields {
		if p.fields[i].where == inPayload {
			return &p.fields[i]
		}
	}
	return nil
}

// hasBody reports whether a member is in the body.
func (p *plan) hasBody() bool {
	for i := range p.fields {
		if p.fields[i].where == inBody {
			return true
		}
	}
	return false
}

// planner reads the tags of each type once.
type planner struct {
	plans sync.Map // reflect.Type -> *plan
}

func (p *planner) of(t reflect.Type) *plan {
	if known, ok := p.plans.Load(t); ok {
		return known.(*plan)
	}
	made := new(plan)
	for i := range t.NumField() {
		made.fields = append(made.fields, parseField(t, i))
	}
	known, _ := p.plans.LoadOrStore(t, made)
	return known.(*plan)
}

// parseField reads a tag. Tags are generated: a wrong one is a bug, found by the first test that uses the type.
func parseField(t reflect.Type, index int) field {
	sf := t.Field(index)
	tag, ok := sf.Tag.Lookup("wire")
	if !ok {
		panic(fmt.Sprintf("wire: %s.%s has no tag", t, sf.Name))
	}
	parts := strings.Split(tag, ",")
	f := field{index: index, goName: sf.Name, in: parts[0], out: parts[0]}
	for _, option := range parts[1:] {
		if err := f.set(option); err != nil {
			panic(fmt.Sprintf("wire: tag of %s.%s: %v", t, sf.Name, err))
		}
	}
	if p := sf.Tag.Get("pattern"); p != "" {
		// AWS's patterns hold for the whole value.
		f.pattern = regexp.MustCompile(`\A(?:` + p + `)\z`)
	}
	if e := sf.Tag.Get("enum"); e != "" {
		f.enum = strings.Split(e, "|")
	}
	return f
}

func (f *field) set(option string) error {
	name, value, _ := strings.Cut(option, "=")
	switch name {
	case "out":
		f.out = value
	case "item":
		f.item = value
	case "flat":
		f.flat = true
	case "required":
		f.required = true
	case "time":
		f.timeFormat = value
	case "header", "headers", "uri", "query", "status", "payload":
		f.where = location(name)
	case "min", "max":
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return err
		}
		if name == "min" {
			f.min = &n
		} else {
			f.max = &n
		}
	default:
		return fmt.Errorf("the option %q is unknown", option)
	}
	return nil
}

// patternText is the pattern as the model has it.
func (f *field) patternText() string {
	s := f.pattern.String()
	return s[len(`\A(?:`) : len(s)-len(`)\z`)]
}

func isTime(t reflect.Type) bool { return t == reflect.TypeFor[time.Time]() }

func isBlob(t reflect.Type) bool { return t == reflect.TypeFor[[]byte]() }
