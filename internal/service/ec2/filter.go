package ec2

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
)

// fields are the filters of a Describe operation: for each filter name, the values an item has.
type fields[T any] map[string]func(T) []string

// maxFilterValues is AWS's limit for one request.
const maxFilterValues = 200

// keep returns the items that pass all filters. An item passes a filter if one of its values matches one of the
// filter's. tags is nil for what has no tags.
func (f fields[T]) keep(items []T, filters []Filter, tags func(T) []Tag) ([]T, error) {
	total := 0
	for _, in := range filters {
		of, err := f.field(value(in.Name), tags)
		if err != nil {
			return nil, err
		}
		if total += len(in.Values); total > maxFilterValues {
			return nil, api.Errorf("FilterLimitExceeded", "The maximum number of filter values specified on a single call is %d", maxFilterValues)
		}
		items = slices.DeleteFunc(slices.Clone(items), func(t T) bool { return !anyMatches(of(t), in.Values) })
	}
	return items, nil
}

func (f fields[T]) field(name string, tags func(T) []Tag) (func(T) []string, error) {
	if of, ok := f[name]; ok {
		return of, nil
	}
	if tags != nil {
		if key, ok := strings.CutPrefix(name, "tag:"); ok {
			return func(t T) []string { return tagValues(tags(t), key) }, nil
		}
		switch name {
		case "tag-key":
			return func(t T) []string { return tagKeys(tags(t)) }, nil
		case "tag-value":
			return func(t T) []string { return allTagValues(tags(t)) }, nil
		}
	}
	return nil, api.Errorf("InvalidParameterValue", "The filter '%s' is invalid", name)
}

func tagValues(tags []Tag, key string) []string {
	var out []string
	for _, t := range tags {
		if value(t.Key) == key {
			out = append(out, value(t.Value))
		}
	}
	return out
}

func tagKeys(tags []Tag) []string {
	var out []string
	for _, t := range tags {
		out = append(out, value(t.Key))
	}
	return out
}

func allTagValues(tags []Tag) []string {
	var out []string
	for _, t := range tags {
		out = append(out, value(t.Value))
	}
	return out
}

func anyMatches(have, patterns []string) bool {
	return slices.ContainsFunc(have, func(h string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, h) })
	})
}

// matches reports whether a text matches a pattern with * (any text) and ? (one character); a backslash takes
// the meaning from the next character. It goes back to the last star only, so it is linear in practice and never
// worse than the product of the lengths.
func matches(pattern, text string) bool {
	p, t := 0, 0
	star, mark := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p+1 < len(pattern) && pattern[p] == '\\' && pattern[p+1] == text[t]:
			p += 2
			t++
		case p < len(pattern) && pattern[p] != '\\' && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// text, flag and number make field values; nothing for what is not set.
func text(p *string) []string {
	if p == nil {
		return nil
	}
	return []string{*p}
}

func flag(p *bool) []string { return []string{strconv.FormatBool(value(p))} }

func number(p *int64) []string {
	if p == nil {
		return nil
	}
	return []string{strconv.FormatInt(*p, 10)}
}

// moment is a time as filters have it.
func moment(t *time.Time) []string {
	if t == nil {
		return nil
	}
	return []string{t.UTC().Format("2006-01-02T15:04:05.000Z")}
}

// each collects the values of a field over a list.
func each[T any](items []T, of func(T) *string) []string {
	var out []string
	for _, i := range items {
		out = append(out, text(of(i))...)
	}
	return out
}
