package linux

import (
	"net"
	"net/netip"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

func isIPv6() part {
	return part{"meta nfproto ipv6", []expr.Any{load(expr.MetaKeyNFPROTO), equal([]byte{unix.NFPROTO_IPV6})}}
}

func loadSource6(to uint32) expr.Any {
	return &expr.Payload{DestRegister: to, Base: expr.PayloadBaseNetworkHeader, Offset: 8, Len: 16}
}

func loadDestination6(to uint32) expr.Any {
	return &expr.Payload{DestRegister: to, Base: expr.PayloadBaseNetworkHeader, Offset: 24, Len: 16}
}

// blockMatch6 is blockMatch for IPv6.
func blockMatch6(what string, loads expr.Any, p netip.Prefix) part {
	if p.Bits() == 0 {
		return part{}
	}
	exprs := []expr.Any{loads}
	if p.Bits() < 128 {
		exprs = append(exprs, &expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 16,
			Mask: net.CIDRMask(p.Bits(), 128), Xor: make([]byte, 16)})
	}
	return part{what + " " + p.Masked().String(), append(exprs, equal(p.Masked().Addr().AsSlice()))}
}

func sourceInSet6(set string) part {
	return part{"ip6 saddr @" + set, []expr.Any{loadSource6(register), in(set)}}
}

func destinationInSet6(set string) part {
	return part{"ip6 daddr @" + set, []expr.Any{loadDestination6(register), in(set)}}
}

func ownSource6() part {
	return part{"iifname . ip6 saddr @own_address6", []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: register32}, loadSource6(register32 + 4),
		&expr.Lookup{SourceRegister: register32, SetName: "own_address6"}}}
}

func ownDestination6() part {
	return part{"oifname . ip6 daddr @own_address6", []expr.Any{
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: register32}, loadDestination6(register32 + 4),
		&expr.Lookup{SourceRegister: register32, SetName: "own_address6"}}}
}

// masquerade rewrites the source to an address of the link, whichever it has at the moment.
func masquerade() part { return part{"masquerade", []expr.Any{&expr.Masq{}}} }

// goTo is a jump that does not come back: at the end of the chain the base chain's policy decides.
func goTo(chain string) part {
	return part{"goto " + chain, []expr.Any{&expr.Verdict{Kind: expr.VerdictGoto, Chain: chain}}}
}
