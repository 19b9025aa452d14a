package ec2

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// listing is how a Describe operation narrows and cuts what it found.
type listing[T any] struct {
	key    func(T) string // orders the items; unique
	tags   func(T) []Tag  // nil: the items have no tags
	fields fields[T]
	pages  pages // the zero value: as most listings have it
}

// pages are the sizes of a page that AWS allows.
type pages struct{ least, most int64 }

// smallPages are those of the calls for prefix lists.
func smallPages() pages { return pages{1, 100} }

// The sizes of a page that AWS allows most calls.
const (
	minPage int64 = 5
	maxPage int64 = 1000
)

// answer applies the filters and returns one page, with the token for the next if there is more. A token names
// the last key of its page, so that a listing stays right when resources come and go in between.
func (l listing[T]) answer(items []T, filters []Filter, size *int64, token *string) ([]T, *string, error) {
	items, err := l.fields.keep(items, filters, l.tags)
	if err != nil {
		return nil, nil, err
	}
	if items == nil {
		items = []T{} // an empty list is said, as AWS says it; nil would not be
	}
	if err := l.pages.check(size); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(items, func(a, b T) int { return strings.Compare(l.key(a), l.key(b)) })
	if given(token) {
		last, err := decodeToken(*token)
		if err != nil {
			return nil, nil, err
		}
		items = slices.DeleteFunc(items, func(t T) bool { return l.key(t) <= last })
	}
	if size == nil || int64(len(items)) <= *size {
		return items, nil, nil
	}
	items = items[:*size]
	return items, new(encodeToken(l.key(items[len(items)-1]))), nil
}

func (p pages) check(size *int64) error {
	if size == nil {
		return nil
	}
	least, most := cmp.Or(p.least, minPage), cmp.Or(p.most, maxPage)
	if *size < least {
		return api.Errorf("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value greater than %d.", *size, least)
	}
	if *size > most {
		return api.Errorf("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value less than %d.", *size, most)
	}
	return nil
}

// source is what the items of a listing are made of, for listings that can be long: an item is made only if it may
// be in the answer.
type source[R, T any] struct {
	key   func(R) string        // that of the item
	quick fields[R]             // those of the listing's filters that need no item
	tags  func(R) resource.Tags // nil: the items have none
	item  func(R) T
}

// answer is what the listing answers for the items of all these.
func (s source[R, T]) answer(l listing[T], all []R, filters []Filter, size *int64, token *string) ([]T, *string, error) {
	early, late, err := s.split(l, filters)
	if err != nil {
		return nil, nil, err
	}
	if err := l.pages.check(size); err != nil {
		return nil, nil, err
	}
	last := ""
	if given(token) {
		if last, err = decodeToken(*token); err != nil {
			return nil, nil, err
		}
	}
	need := len(all)
	if size != nil && len(late) == 0 {
		need = int(*size) + 1 // one more says that there is another page
	}
	out, end := []T{}, last
	for _, r := range s.first(all, need, func(r R) bool { return s.key(r) > last && passes(r, early) }) {
		t := s.item(r)
		if !passes(t, late) {
			continue
		}
		if size != nil && int64(len(out)) == *size {
			return out, new(encodeToken(end)), nil
		}
		out, end = append(out, t), s.key(r)
	}
	return out, nil, nil
}

// first returns the first so many, by key, of those to keep. Of a long list it sorts what may be among them only.
func (s source[R, T]) first(all []R, need int, keep func(R) bool) []R {
	var left []R
	cut := func() {
		slices.SortFunc(left, func(a, b R) int { return strings.Compare(s.key(a), s.key(b)) })
		left = left[:min(need, len(left))]
	}
	limit := "" // beyond this, there are enough
	for _, r := range all {
		if !keep(r) || limit != "" && s.key(r) > limit {
			continue
		}
		if left = append(left, r); len(left) >= 4*need {
			cut()
			limit = s.key(left[need-1])
		}
	}
	cut()
	return left
}

// test is one filter of a call: one of the values must match one of the patterns.
type test[T any] struct {
	of       func(T) []string
	patterns []string
}

func passes[T any](t T, tests []test[T]) bool {
	for _, one := range tests {
		if !anyMatches(one.of(t), one.patterns) {
			return false
		}
	}
	return true
}

// split sorts the filters of a call into those that need no item and those that do.
func (s source[R, T]) split(l listing[T], filters []Filter) (early []test[R], late []test[T], err error) {
	if _, err := l.fields.keep(nil, filters, l.tags); err != nil {
		return nil, nil, err
	}
	for _, f := range filters {
		name := value(f.Name)
		if of, ok := s.quick[name]; ok {
			early = append(early, test[R]{of, f.Values})
		} else if key, ok := strings.CutPrefix(name, "tag:"); ok && s.tags != nil {
			early = append(early, test[R]{func(r R) []string { return tagValue(s.tags(r), key) }, f.Values})
		} else {
			of, _ := l.fields.field(name, l.tags) // it is there: keep says so
			late = append(late, test[T]{of, f.Values})
		}
	}
	return early, late, nil
}

func tagValue(tags resource.Tags, key string) []string {
	if v, ok := tags[key]; ok {
		return []string{v}
	}
	return nil
}

// tokenMark tells our tokens from any other text.
const tokenMark = "after:"

func encodeToken(key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(tokenMark + key))
}

func decodeToken(token string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	key, ok := strings.CutPrefix(string(b), tokenMark)
	if err != nil || !ok {
		return "", api.Errorf("InvalidNextToken", "The token '%s' is invalid", token)
	}
	return key, nil
}
