package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tag is the struct tag of a member; its form is described in package wire.
func (e *emitter) tag(s *shape, member string) (string, error) {
	r := s.Members[member]
	target := e.model.Shapes[r.Shape]
	in, out := e.wireNames(member, r)
	parts := []string{in}
	if out != in {
		parts = append(parts, "out="+out)
	}
	where, err := location(s, member, r)
	if err != nil {
		return "", err
	}
	parts = append(parts, where...)
	parts = append(parts, e.listOptions(r, target)...)
	if slices.Contains(s.Required, member) {
		parts = append(parts, "required")
	}
	if target.Type != "structure" {
		parts = append(parts, bounds(target)...)
	}
	return strings.Join(append(parts, e.timeFormat(r)...), ","), nil
}

// wireNames returns a member's name in requests and in answers.
func (e *emitter) wireNames(member string, r *ref) (in, out string) {
	out = member
	if r.LocationName != "" {
		out = r.LocationName
	}
	if e.model.Metadata.Protocol != "ec2" {
		return out, out
	}
	switch {
	case r.QueryName != "":
		return r.QueryName, out
	case r.LocationName != "":
		return upperFirst(r.LocationName), out
	}
	return member, out
}

func location(s *shape, member string, r *ref) ([]string, error) {
	if s.Payload == member {
		return []string{"payload"}, nil
	}
	switch r.Location {
	case "":
		return nil, nil
	case "header", "headers", "uri":
		return []string{r.Location}, nil
	case "querystring":
		return []string{"query"}, nil
	case "statusCode":
		return []string{"status"}, nil
	}
	return nil, fmt.Errorf("location %s is unknown", r.Location)
}

func (e *emitter) listOptions(r *ref, target *shape) []string {
	if target.Type != "list" || !slices.Contains([]string{"ec2", "query"}, e.model.Metadata.Protocol) {
		return nil
	}
	var options []string
	item := "member"
	if target.Member.LocationName != "" {
		item = target.Member.LocationName
	}
	if item != defaultItem(e.model.Metadata.Protocol) {
		options = append(options, "item="+item)
	}
	if target.Flattened || r.Flattened {
		options = append(options, "flat")
	}
	return options
}

// constraints are the tags pattern and enum. EC2 words each of its own, so its handlers check them.
func (e *emitter) constraints(name string) string {
	s := e.model.Shapes[name]
	if s.Type != "string" || e.model.Metadata.Protocol == "ec2" {
		return ""
	}
	tags := ""
	if p, ok := goPattern(s.Pattern); ok {
		tags += " pattern:" + strconv.Quote(p)
	}
	if len(s.Enum) > 0 {
		tags += " enum:" + strconv.Quote(strings.Join(s.Enum, "|"))
	}
	return tags
}

// goPattern turns a pattern of the models, which are Java's, into one of Go's. Those that Go cannot express, or
// that a struct tag cannot hold, are left to the handlers.
func goPattern(p string) (string, bool) {
	if p == "" || strings.Contains(p, "`") {
		return "", false
	}
	p = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`).ReplaceAllString(p, `\x{$1}`)
	if _, err := regexp.Compile(p); err != nil {
		fmt.Fprintf(os.Stderr, "apigen: left out the pattern %s: %v\n", p, err)
		return "", false
	}
	return p, true
}

// defaultItem is the element of lists that api/wire uses where a tag says nothing.
func defaultItem(protocol string) string {
	if protocol == "ec2" {
		return "item"
	}
	return "member"
}

// bounds are the limits of a string's or list's length or of a number.
func bounds(s *shape) []string {
	var options []string
	if s.Min != nil {
		options = append(options, "min="+number(*s.Min))
	}
	if s.Max != nil {
		options = append(options, "max="+number(*s.Max))
	}
	return options
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func (e *emitter) timeFormat(r *ref) []string {
	leaf := e.model.Shapes[e.leaf(r.Shape)]
	format := leaf.TimestampFormat
	if r.TimestampFormat != "" {
		format = r.TimestampFormat
	}
	if leaf.Type != "timestamp" || format == "" {
		return nil
	}
	return []string{"time=" + format}
}
