package state

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/culvert-cloud/culvert/internal/resource"
)

type tableKey struct {
	kind resource.Kind
	key  string
}

// Tx is one atomic change. It reads its own writes. It carries the clock and the source of ids, so that a
// function of a Tx is a function of its inputs.
type Tx struct {
	base    *View
	now     time.Time
	changes map[tableKey]Resource // nil: deleted
}

// Revision is the revision that the transaction started from.
func (tx *Tx) Revision() uint64 { return tx.base.revision }

// Region is the region's name.
func (tx *Tx) Region() string { return tx.base.Region() }

// Account is the region's account id.
func (tx *Tx) Account() string { return tx.base.Account() }

// Quota is how much there may be of something.
func (tx *Tx) Quota(name resource.Quota) int { return tx.base.Quota(name) }

// Now is the time of the transaction, UTC.
func (tx *Tx) Now() time.Time { return tx.now }

// NewID makes an id: the prefix, a dash and 17 hex digits.
func (tx *Tx) NewID(prefix string) string { return prefix + "-" + tx.RandomHex(17) }

// RandomHex returns n random hex digits.
func (tx *Tx) RandomHex(n int) string {
	b := make([]byte, (n+1)/2)
	_, _ = rand.Read(b) // never fails: see crypto/rand
	return hex.EncodeToString(b)[:n]
}

// Put stores a resource, new or changed.
func (tx *Tx) Put(r Resource) { tx.changes[tableKey{r.Kind(), r.Key()}] = r }

// Delete removes a resource. Removing what is not there is fine.
func (tx *Tx) Delete(r Resource) {
	k := tableKey{r.Kind(), r.Key()}
	if _, ok := tx.base.lookup(k.kind, k.key); ok {
		tx.changes[k] = nil
	} else {
		delete(tx.changes, k)
	}
}

func (tx *Tx) lookup(kind resource.Kind, key string) (Resource, bool) {
	if r, ok := tx.changes[tableKey{kind, key}]; ok {
		return r, r != nil
	}
	return tx.base.lookup(kind, key)
}

func (tx *Tx) all(kind resource.Kind) map[string]Resource {
	merged := maps.Clone(tx.base.all(kind))
	if merged == nil {
		merged = map[string]Resource{}
	}
	for k, r := range tx.changes {
		if k.kind != kind {
			continue
		}
		if r == nil {
			delete(merged, k.key)
		} else {
			merged[k.key] = r
		}
	}
	return merged
}

func (tx *Tx) entries() ([]Entry, error) {
	var out []Entry
	for k, r := range tx.changes {
		e := Entry{Kind: k.kind, Key: k.key}
		if r != nil {
			v, err := encode(r)
			if err != nil {
				return nil, fmt.Errorf("encode %s %s: %w", k.kind, k.key, err)
			}
			e.Value = v
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
	})
	return out, nil
}

// UsableAddresses returns the first and the last address of a subnet that AWS may hand out. The first four
// addresses and the last are AWS's; see the VPC guide, "Subnet sizing".
func UsableAddresses(p netip.Prefix) (first, last netip.Addr) {
	p = p.Masked()
	first = p.Addr()
	for range 4 {
		first = first.Next()
	}
	b := p.Addr().As4()
	size := uint32(1) << (32 - p.Bits())
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	n += size - 2
	return first, netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}
