package state

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// Resource is what a table holds.
type Resource interface {
	Kind() resource.Kind
	Key() string
}

// ErrNotFound is returned by lookups of what does not exist.
var ErrNotFound = errors.New("not found")

// Reader is a View or a Tx.
type Reader interface {
	lookup(kind resource.Kind, key string) (Resource, bool)
	all(kind resource.Kind) map[string]Resource
	Revision() uint64
	Region() string
	Account() string
	Quota(resource.Quota) int
}

// Get finds a resource by its key. T is a pointer to a resource: Get[*resource.VPC](view, id).
func Get[T Resource, K ~string](r Reader, key K) (T, bool) {
	var zero T
	v, ok := r.lookup(zero.Kind(), string(key))
	if !ok {
		return zero, false
	}
	return v.(T), true
}

// Lookup finds a resource by kind and key, where its type does not matter.
func Lookup(r Reader, kind resource.Kind, key string) (Resource, bool) { return r.lookup(kind, key) }

// List returns all resources of a kind, ordered by key.
func List[T Resource](r Reader) []T {
	return Select(r, func(T) bool { return true })
}

// Select returns the resources of a kind for which keep is true, ordered by key.
func Select[T Resource](r Reader, keep func(T) bool) []T {
	var zero T
	var out []T
	for _, v := range r.all(zero.Kind()) {
		if t := v.(T); keep(t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b T) int { return strings.Compare(a.Key(), b.Key()) })
	return out
}

// Count is how many resources of a kind there are for which is is true.
func Count[T Resource](r Reader, is func(T) bool) int {
	var zero T
	n := 0
	for _, v := range r.all(zero.Kind()) {
		if is(v.(T)) {
			n++
		}
	}
	return n
}

type tables map[resource.Kind]map[string]Resource

// View is an immutable snapshot of the state.
type View struct {
	config   Config
	revision uint64
	tables   tables
	indexes  sync.Map // indexPlace to map[string][]T
}

// Revision is the number of the commit that the view shows.
func (v *View) Revision() uint64 { return v.revision }

// Region is the region's name, such as us-west-2.
func (v *View) Region() string { return v.config.Region }

// Account is the region's account id, twelve digits.
func (v *View) Account() string { return v.config.Account }

// Quota is how much there may be of something.
func (v *View) Quota(name resource.Quota) int { return v.config.Quotas.Of(name) }

func (v *View) lookup(kind resource.Kind, key string) (Resource, bool) {
	r, ok := v.tables[kind][key]
	return r, ok
}

func (v *View) all(kind resource.Kind) map[string]Resource { return v.tables[kind] }

// Config says what a store is for.
type Config struct {
	Region  string
	Account string
	Quotas  resource.Quotas  // nil: AWS's usual ones
	Journal Journal          // nil: the state lives in memory only
	Now     func() time.Time // nil: time.Now
}

// Store holds the state.
type Store struct {
	config Config
	view   atomic.Pointer[View]

	mu      sync.Mutex    // one writer
	changed chan struct{} // closed at the next commit; guarded by mu
}

// Open makes a store and fills it from the journal.
func Open(c Config) (*Store, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Store{config: c, changed: make(chan struct{})}
	v := &View{config: c, tables: tables{}}
	if c.Journal != nil {
		revision, err := c.Journal.Load(func(e Entry) error {
			r, err := decode(e)
			if err != nil {
				return err
			}
			if v.tables[e.Kind] == nil {
				v.tables[e.Kind] = map[string]Resource{}
			}
			v.tables[e.Kind][e.Key] = r
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("load state: %w", err)
		}
		v.revision = revision
	}
	s.view.Store(v)
	return s, nil
}

// View returns the current snapshot.
func (s *Store) View() *View { return s.view.Load() }

// Changed returns a channel that is closed once the state is newer than the given revision.
func (s *Store) Changed(revision uint64) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.view.Load().revision > revision {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	return s.changed
}

// Update runs f in a transaction and commits what it did, unless it returns an error, which is then Update's.
// It returns the revision that holds the change; a transaction that changed nothing makes no new one.
func (s *Store) Update(f func(*Tx) error) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.view.Load()
	tx := &Tx{base: old, now: s.config.Now().UTC(), changes: map[tableKey]Resource{}}
	if err := f(tx); err != nil {
		return old.revision, err
	}
	if len(tx.changes) == 0 {
		return old.revision, nil
	}
	next := tx.apply()
	if s.config.Journal != nil {
		entries, err := tx.entries()
		if err != nil {
			return old.revision, err
		}
		if err := s.config.Journal.Append(next.revision, entries); err != nil {
			return old.revision, fmt.Errorf("write journal: %w", err)
		}
	}
	s.view.Store(next)
	close(s.changed)
	s.changed = make(chan struct{})
	return next.revision, nil
}

// apply makes the snapshot after the transaction. Tables that were not touched are shared with the old one.
func (tx *Tx) apply() *View {
	next := &View{config: tx.base.config, revision: tx.base.revision + 1, tables: maps.Clone(tx.base.tables)}
	copied := map[resource.Kind]bool{}
	for k, r := range tx.changes {
		if !copied[k.kind] {
			copied[k.kind] = true
			t := maps.Clone(next.tables[k.kind])
			if t == nil {
				t = map[string]Resource{}
			}
			next.tables[k.kind] = t
		}
		if r == nil {
			delete(next.tables[k.kind], k.key)
		} else {
			next.tables[k.kind][k.key] = r
		}
	}
	return next
}
