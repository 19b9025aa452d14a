package elbv2

import (
	"encoding/base64"
	"slices"
)

const defaultPage = 400

// page returns the items after the marker, which names the last item of the page before, so that the list may grow
// between two calls.
func page[T any](items []T, key func(T) string, marker *string, size *int64) ([]T, *string, error) {
	if marker != nil {
		last, err := base64.RawURLEncoding.DecodeString(*marker)
		i := slices.IndexFunc(items, func(t T) bool { return key(t) == string(last) })
		if err != nil || i < 0 {
			return nil, nil, invalid("Invalid marker '%s'", *marker)
		}
		items = items[i+1:]
	}
	n := int(or(size, defaultPage))
	if n >= len(items) {
		return append([]T{}, items...), nil, nil
	}
	return items[:n], new(base64.RawURLEncoding.EncodeToString([]byte(key(items[n-1])))), nil
}
