package s3

import (
	"maps"
	"slices"
)

// Operations returns the names of the operations that are served, in order, for the coverage page.
func (s *Service) Operations() []string {
	names := map[string]bool{}
	for _, o := range s.routes {
		names[o.name] = true
	}
	delete(names, "Preflight") // HTTP's word, not an operation
	for _, c := range configurations() {
		if c.accept == nil { // answers NotImplemented
			delete(names, c.put)
		}
	}
	return slices.Sorted(maps.Keys(names))
}
