package ec2

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
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
