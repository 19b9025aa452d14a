package iam

import (
	"encoding/base64"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
)

const defaultPage = 100

// paginate returns the items after the marker, at most max of them, and the marker of the next page, nil if there
// is none. The marker names the last item of the page, so that the list may grow between two calls.
func paginate[T any](items []T, key func(T) string, marker *string, max *int64) (page []T, next *string, err error) {
	if marker != nil {
		last, err := base64.RawURLEncoding.DecodeString(*marker)
		i := slices.IndexFunc(items, func(t T) bool { return key(t) == string(last) })
		if err != nil || i < 0 {
			return nil, nil, api.Errorf("ValidationError", "Invalid Marker.")
		}
		items = items[i+1:]
	}
	n := int(value(max, defaultPage))
	if n >= len(items) {
		return items, nil, nil
	}
	page = items[:n]
	m := base64.RawURLEncoding.EncodeToString([]byte(key(page[n-1])))
	return page, &m, nil
}

// truncated is the member IsTruncated, which answers always have.
func truncated(next *string) *bool {
	more := next != nil
	return &more
}
