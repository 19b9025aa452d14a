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

// prefixList is an interval set for each family. The kernel refuses overlaps, so blocks are joined first.
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
	if !c.ipv6 {
		return
	}
	s = c.set(prefixSet(l.ID)+"6", dataType{}, typeAddress6)
	s.interval = true
	for _, p := range joined6(l.Prefixes) {
		e := element{text: p.String(), key: addressKey(p.first)}
		if next := p.last.Next(); next.IsValid() {
			e.end = addressKey(next)
		}
		s.elements = append(s.elements, e)
	}
}

// A span6 is a range of IPv6 addresses, both ends included.
type span6 struct{ first, last netip.Addr }

// joined6 is joined for IPv6.
func joined6(blocks []netip.Prefix) []span6 {
	var spans []span6
	for _, p := range blocks {
		if p.Addr().Is6() {
			last := p.Masked().Addr().As16()
			for bit := p.Bits(); bit < 128; bit++ {
				last[bit/8] |= 1 << (7 - bit%8)
			}
			spans = append(spans, span6{p.Masked().Addr(), netip.AddrFrom16(last)})
		}
	}
	slices.SortFunc(spans, func(a, b span6) int { return cmp.Or(a.first.Compare(b.first), a.last.Compare(b.last)) })
	var out []span6
	for _, s := range spans {
		if n := len(out); n > 0 && (s.first.Compare(out[n-1].last) <= 0 || s.first == out[n-1].last.Next()) {
			if s.last.Compare(out[n-1].last) > 0 {
				out[n-1].last = s.last
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// String is the range as `nft` prints it.
func (s span6) String() string { return s.first.String() + "-" + s.last.String() }

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
