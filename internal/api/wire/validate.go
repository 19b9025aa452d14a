package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// violation is a member that breaks a constraint of the model.
type violation struct {
	key        string // as in requests: TagSpecification.1.ResourceType
	path       string // as in AWS's texts: tagSpecifications.1.member.resourceType
	value      string // empty if missing
	missing    bool
	constraint string
	expecting  string // for EC2, where it says what a number should be
}

// validator checks a decoded input against its tags.
type validator struct {
	planner    *planner
	emptyLists bool // whether an empty list satisfies required
	found      []violation
}

func (c *validator) structure(v reflect.Value, key, path string) {
	fields := c.planner.of(v.Type()).fields
	for i := range fields {
		f := &fields[i]
		name := strings.ToLower(f.goName[:1]) + f.goName[1:]
		c.member(v.Field(f.index), f, join(key, f.in), join(path, name))
	}
}

func (c *validator) member(v reflect.Value, f *field, key, path string) {
	if v.IsNil() || v.Kind() == reflect.Slice && v.Len() == 0 && !c.emptyLists && !isBlob(v.Type()) {
		if f.required {
			c.found = append(c.found, violation{key: key, path: path, missing: true, constraint: "Member must not be null"})
		}
		return
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	c.value(v, f, key, path)
}

func (c *validator) value(v reflect.Value, f *field, key, path string) {
	switch {
	case isTime(v.Type()):
	case isBlob(v.Type()):
		c.limit(float64(v.Len()), "length", f, violation{key: key, path: path, value: "..."})
	case v.Kind() == reflect.Struct:
		c.structure(v, key, path)
	case v.Kind() == reflect.Slice:
		c.limit(float64(v.Len()), "length", f, violation{key: key, path: path, value: listText(v)})
		for i := range v.Len() {
			n := strconv.Itoa(i + 1)
			c.element(v.Index(i), key+"."+n, path+"."+n+".member")
		}
	case v.Kind() == reflect.Map:
		c.limit(float64(v.Len()), "length", f, violation{key: key, path: path, value: "..."})
	case v.Kind() == reflect.String:
		c.text(v.String(), f, violation{key: key, path: path, value: v.String()})
	case v.Kind() == reflect.Int64:
		c.limit(float64(v.Int()), "value", f, violation{key: key, path: path, value: formatScalar(v, f, isoMillis)})
	}
}

// element checks an element of a list. Its constraints are those of its own members only.
func (c *validator) element(v reflect.Value, key, path string) {
	if v.Kind() == reflect.Struct && !isTime(v.Type()) {
		c.structure(v, key, path)
	}
}

func (c *validator) text(s string, f *field, v violation) {
	c.limit(float64(utf8.RuneCountInString(s)), "length", f, v)
	if f.pattern != nil && !f.pattern.MatchString(s) {
		v.constraint = "Member must satisfy regular expression pattern: " + f.patternText()
		c.found = append(c.found, v)
	}
	if f.enum != nil && !slices.Contains(f.enum, s) {
		v.constraint = "Member must satisfy enum value set: [" + strings.Join(f.enum, ", ") + "]"
		c.found = append(c.found, v)
	}
}

func (c *validator) limit(n float64, what string, f *field, v violation) {
	if f.min != nil && n < *f.min {
		v.constraint = fmt.Sprintf("Member must have %s greater than or equal to %s", what, plain(*f.min))
		v.expecting = "greater than or equal to " + plain(*f.min)
		c.found = append(c.found, v)
	}
	if f.max != nil && n > *f.max {
		v.constraint = fmt.Sprintf("Member must have %s less than or equal to %s", what, plain(*f.max))
		v.expecting = "less than or equal to " + plain(*f.max)
		c.found = append(c.found, v)
	}
}

func plain(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func listText(v reflect.Value) string {
	if v.Type().Elem().Kind() != reflect.String {
		return "[...]"
	}
	var items []string
	for i := range v.Len() {
		items = append(items, v.Index(i).String())
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
