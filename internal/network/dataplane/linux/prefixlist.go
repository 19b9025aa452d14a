package linux

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/topology"
)

// A span is a range of IPv4 addresses as numbers, the end not included.
type span struct{ start, end uint64 }

// prefixList is an interval set. The kernel refuses overlaps, so blocks are joined first.
func (c *compiler) prefixList(l *topology.PrefixList) {
	s := c.set(prefixSet(l.ID), dataType{}, typeAddress)
	s.interval = true
	for _, p := range joined(l.Prefixes) {
		e := element{text: p.String(), key: binary.BigEndian.AppendUint32(nil, uint32(p.start))}
		if p.end <= 1<<32-1 { // otherwise it is open
			e.end = binary.BigEndian.AppendUint32(nil, uint32(p.end))
		}
		s.elements = append(s.elements, e)
	}
}

// joined are the blocks as ranges that neither overlap nor touch.
func joined(blocks []netip.Prefix) []span {
	var spans []span
	for _, p := range blocks {
		if p.Addr().Is4() {
			first := p.Masked().Addr().As4()
			start := uint64(binary.BigEndian.Uint32(first[:]))
			spans = append(spans, span{start, start + 1<<(32-p.Bits())})
		}
	}
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
	})
	var out []span
	for _, s := range spans {
		if last := len(out) - 1; last >= 0 && s.start <= out[last].end {
			out[last].end = max(out[last].end, s.end)
			continue
		}
		out = append(out, s)
	}
	return out
}

// String is the range as `nft` prints it.
func (s span) String() string {
	address := func(n uint64) netip.Addr {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(n))
		return netip.AddrFrom4(b)
	}
	return address(s.start).String() + "-" + address(s.end-1).String()
}
