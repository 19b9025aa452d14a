package state

import "github.com/culvert-cloud/culvert/internal/resource"

// Index finds resources by something else than their key. Of says under which texts a resource is found; Name tells
// the indexes of a kind apart.
//
// A view makes an index when it is first asked, and keeps it: the view never changes. A transaction has none and
// looks at every resource, because what it reads it may have just written.
type Index[T Resource] struct {
	Name string
	Of   func(T) []string
}

// Find returns the resources found under a text, ordered by key.
func (x Index[T]) Find(r Reader, text string) []T {
	v, ok := r.(*View)
	if !ok {
		return Select(r, func(t T) bool {
			for _, o := range x.Of(t) {
				if o == text {
					return true
				}
			}
			return false
		})
	}
	var zero T
	place := indexPlace{zero.Kind(), x.Name}
	made, ok := v.indexes.Load(place)
	if !ok {
		made, _ = v.indexes.LoadOrStore(place, x.build(v))
	}
	return made.(map[string][]T)[text]
}

// build groups the resources of a view. The slices are shared by all who ask, with no room to append in place.
func (x Index[T]) build(v *View) map[string][]T {
	out := map[string][]T{}
	for _, t := range List[T](v) {
		for _, text := range x.Of(t) {
			out[text] = append(out[text], t)
		}
	}
	for text, list := range out {
		out[text] = list[:len(list):len(list)]
	}
	return out
}

type indexPlace struct {
	kind resource.Kind
	name string
}
