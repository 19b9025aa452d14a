package linux

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A part is a piece of a rule: what `nft` would print and what the kernel is told. Both are written in one
// place, so that the text tells two rules apart exactly if they differ.
type part struct {
	text  string
	exprs []expr.Any
}

// A rule is a whole rule. Its text is its identity.
type rule struct {
	text  string
	exprs []expr.Any
}

// makeRule joins parts. A verdict may only be the last part: nothing after it in the same rule would run.
func makeRule(parts ...part) rule {
	var r rule
	texts := make([]string, 0, len(parts))
	for _, p := range parts {
		if p.text != "" {
			texts = append(texts, p.text)
		}
		r.exprs = append(r.exprs, p.exprs...)
	}
	r.text = strings.Join(texts, " ")
	return r
}

// Registers: the 16-byte registers begin at 1, the 4-byte ones that overlay them at 8. Concatenated keys use
// the latter.
const (
	register   = 1
	register32 = unix.NFT_REG32_00
)

// The interface of a packet, as matched by name.
func inputName(name string) part {
	return part{"iifname " + name, []expr.Any{load(expr.MetaKeyIIFNAME), equal(interfaceKey(name))}}
}

func outputName(name string) part {
	return part{"oifname " + name, []expr.Any{load(expr.MetaKeyOIFNAME), equal(interfaceKey(name))}}
}

// Names that begin alike; the comparison is shorter than the name and has no final zero.
func inputPrefix(prefix string) part {
	return part{"iifname " + prefix + "*", []expr.Any{load(expr.MetaKeyIIFNAME), equal([]byte(prefix))}}
}

func outputPrefix(prefix string) part {
	return part{"oifname " + prefix + "*", []expr.Any{load(expr.MetaKeyOIFNAME), equal([]byte(prefix))}}
}

func load(key expr.MetaKey) expr.Any { return &expr.Meta{Key: key, Register: register} }

func loadSource(to uint32) expr.Any {
	return &expr.Payload{DestRegister: to, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4}
}

func loadDestination(to uint32) expr.Any {
	return &expr.Payload{DestRegister: to, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 4}
}

func equal(data []byte) expr.Any {
	return &expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: data}
}

func in(set string) expr.Any { return &expr.Lookup{SourceRegister: register, SetName: set} }

// A verdict map's answer goes to the verdict register, 0.
func verdictOf(set string) expr.Any {
	return &expr.Lookup{SourceRegister: register, IsDestRegSet: true, SetName: set}
}

func valueOf(set string) expr.Any {
	return &expr.Lookup{SourceRegister: register, DestRegister: register, IsDestRegSet: true, SetName: set}
}

func interfaceKey(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}

// number is a value in the byte order of this machine, as device groups and marks are.
func number(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

func addressKey(a netip.Addr) []byte { return a.AsSlice() }

// sourceIn and destinationIn match one block. A block of any length is compared with a mask.
func sourceIn(p netip.Prefix) part {
	if p.Addr().Is6() {
		return blockMatch6("ip6 saddr", loadSource6(register), p)
	}
	return blockMatch("ip saddr", loadSource(register), p)
}

func destinationIn(p netip.Prefix) part {
	if p.Addr().Is6() {
		return blockMatch6("ip6 daddr", loadDestination6(register), p)
	}
	return blockMatch("ip daddr", loadDestination(register), p)
}

func blockMatch(what string, loads expr.Any, p netip.Prefix) part {
	if p.Bits() == 0 {
		return part{}
	}
	exprs := []expr.Any{loads}
	if p.Bits() < 32 {
		mask := binary.BigEndian.AppendUint32(nil, ^uint32(0)<<(32-p.Bits()))
		exprs = append(exprs, &expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 4, Mask: mask, Xor: make([]byte, 4)})
	}
	return part{what + " " + p.Masked().String(), append(exprs, equal(p.Masked().Addr().AsSlice()))}
}

func sourceInSet(set string) part {
	return part{"ip saddr @" + set, []expr.Any{loadSource(register), in(set)}}
}

func destinationInSet(set string) part {
	return part{"ip daddr @" + set, []expr.Any{loadDestination(register), in(set)}}
}

func sourceNotInSet(set string) part {
	return part{"ip saddr != @" + set, []expr.Any{loadSource(register), &expr.Lookup{SourceRegister: register, SetName: set, Invert: true}}}
}

// protocol matches the transport protocol by number.
func protocol(p int) part {
	return part{"meta l4proto " + protocolName(p), []expr.Any{load(expr.MetaKeyL4PROTO), equal([]byte{byte(p)})}}
}

func protocolName(p int) string {
	switch p {
	case unix.IPPROTO_TCP:
		return "tcp"
	case unix.IPPROTO_UDP:
		return "udp"
	case unix.IPPROTO_ICMP:
		return "icmp"
	case unix.IPPROTO_ICMPV6:
		return "icmpv6"
	}
	return fmt.Sprint(p)
}

// destinationPorts matches TCP's and UDP's destination port; both have it at the same place.
func destinationPorts(from, to int) part {
	loads := &expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}
	first, last := binary.BigEndian.AppendUint16(nil, uint16(from)), binary.BigEndian.AppendUint16(nil, uint16(to))
	if from == to {
		return part{fmt.Sprintf("th dport %d", from), []expr.Any{loads, equal(first)}}
	}
	return part{fmt.Sprintf("th dport %d-%d", from, to), []expr.Any{
		loads, &expr.Range{Op: expr.CmpOpEq, Register: register, FromData: first, ToData: last}}}
}

// icmpHeader matches one byte of the header of ICMP or ICMPv6, where it is the same: 0 the type, 1 the code.
func icmpHeader(offset uint32, value int) part {
	what := "icmp type"
	if offset == 1 {
		what = "icmp code"
	}
	return part{fmt.Sprintf("%s %d", what, value), []expr.Any{
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 1}, equal([]byte{byte(value)})}}
}

// Connection tracking states, as bits.
const (
	stateInvalid     = 1 << 0
	stateEstablished = 1 << 1
	stateRelated     = 1 << 2
	stateNew         = 1 << 3
)

func connectionState(text string, bits uint32) part {
	return part{"ct state " + text, []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: register}, hasBit(bits), different(0)}}
}

// notTranslated matches packets of connections that have neither address rewritten.
func notTranslated() part {
	const rewritten = 0x30 // IPS_SRC_NAT | IPS_DST_NAT
	return part{"ct status ! snat,dnat", []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATUS, Register: register}, hasBit(rewritten), equal(number(0))}}
}

func connectionDirection(d byte) part {
	text := "original"
	if d == 1 {
		text = "reply"
	}
	return part{"ct direction " + text, []expr.Any{&expr.Ct{Key: expr.CtKeyDIRECTION, Register: register}, equal([]byte{d})}}
}

func hasBit(bits uint32) expr.Any {
	return &expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 4, Mask: number(bits), Xor: number(0)}
}

func different(v uint32) expr.Any {
	return &expr.Cmp{Op: expr.CmpOpNeq, Register: register, Data: number(v)}
}

// What may stand at the end of a rule.
func accept() part  { return part{"accept", []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}} }
func drop() part    { return part{"drop", []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}}} }
func counter() part { return part{"counter", []expr.Any{&expr.Counter{}}} }

func namedCounter(name string) part {
	return part{"counter name " + name, []expr.Any{&expr.Objref{Type: unix.NFT_OBJECT_COUNTER, Name: name}}}
}

func jump(chain string) part {
	return part{"jump " + chain, []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: chain}}}
}

// translateSource rewrites the source to one address, keeping ports where possible and otherwise choosing
// from the range that AWS names; ports 0 leave the choice to the kernel.
func translateSource(to netip.Addr, ports bool) part {
	nat := &expr.NAT{Type: expr.NATTypeSourceNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: register}
	exprs := []expr.Any{&expr.Immediate{Register: register, Data: addressKey(to)}}
	text := "snat ip to " + to.String()
	if ports {
		exprs = append(exprs,
			&expr.Immediate{Register: 2, Data: binary.BigEndian.AppendUint16(nil, 1024)},
			&expr.Immediate{Register: 3, Data: binary.BigEndian.AppendUint16(nil, 65535)})
		nat.RegProtoMin, nat.RegProtoMax, nat.Persistent = 2, 3, true
		text += ":1024-65535 persistent"
	}
	return part{text, append(exprs, nat)}
}

// inputGroup matches what an interface of a subnet sends.
func inputGroup(n uint32) part {
	return part{fmt.Sprintf("iifgroup %d", n), []expr.Any{load(expr.MetaKeyIIFGROUP), equal(number(n))}}
}

// Matches of interfaces and device groups in sets and maps.
func inputIn(set string) part {
	return part{"iifname @" + set, []expr.Any{load(expr.MetaKeyIIFNAME), in(set)}}
}

func outputIn(set string) part {
	return part{"oifname @" + set, []expr.Any{load(expr.MetaKeyOIFNAME), in(set)}}
}

func inputVerdict(set string) part {
	return part{"iifname vmap @" + set, []expr.Any{load(expr.MetaKeyIIFNAME), verdictOf(set)}}
}

func outputVerdict(set string) part {
	return part{"oifname vmap @" + set, []expr.Any{load(expr.MetaKeyOIFNAME), verdictOf(set)}}
}

func groupVerdict(what string, key expr.MetaKey, set string) part {
	return part{what + " vmap @" + set, []expr.Any{load(key), verdictOf(set)}}
}

// markByGroup gives a packet the mark of the subnet it comes from; its route table is chosen by that.
func markByGroup(set string) part {
	return part{"meta mark set iifgroup map @" + set, []expr.Any{
		load(expr.MetaKeyIIFGROUP), valueOf(set),
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: register}}}
}

func translateByMap(text string, key expr.Any, set string, kind expr.NATType) part {
	return part{text, []expr.Any{key, valueOf(set), &expr.NAT{Type: kind, Family: unix.NFPROTO_IPV4, RegAddrMin: register}}}
}

func notIPv4() part {
	return part{"meta nfproto != ipv4", []expr.Any{
		load(expr.MetaKeyNFPROTO), &expr.Cmp{Op: expr.CmpOpNeq, Register: register, Data: []byte{unix.NFPROTO_IPV4}}}}
}
