package linux

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// natTable is the table in a NAT gateway's namespace.
const natTable = "nat"

// natIdle is for how many seconds a NAT gateway remembers a flow without packets ("NAT gateway basics").
const (
	natIdle        = "350"
	natIdleSetting = "net.netfilter.nf_conntrack_tcp_timeout_established"
)

// becomeNATGateway turns the interface's namespace into a NAT gateway: what comes in goes out of the same
// interface from the gateway's address. That a private one cannot reach the internet follows from its
// interface having no public address.
func (e *eni) becomeNATGateway() error {
	e.nat = newNFT(e.ns)
	if err := e.nat.commit(difference(natTable, nil, natRules(e.plan.addresses[0]))); err != nil {
		return fmt.Errorf("load rules of %s: %w", e.plan.natGateway, err)
	}
	err := e.ns.Sysctl(
		"net.ipv4.ip_forward=1",
		"net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.eth0.send_redirects=0",
		"net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth0.rp_filter=0",
		// What belongs to no connection is invalid, and nothing else is.
		"net.netfilter.nf_conntrack_tcp_loose=0", "net.netfilter.nf_conntrack_tcp_be_liberal=1",
		natIdleSetting+"="+natIdle,
		"net.netfilter.nf_conntrack_udp_timeout="+natIdle, "net.netfilter.nf_conntrack_udp_timeout_stream="+natIdle)
	if err != nil {
		return fmt.Errorf("let %s forward: %w", e.plan.natGateway, err)
	}
	return nil
}

// natRules pass TCP, UDP and ICMP only and answer nothing themselves, not even a ping ("NAT gateway basics"). What goes on
// with a connection that was idle for too long is reset.
func natRules(own netip.Addr) *ruleset {
	r := &ruleset{counters: []string{"in", "out"}}
	c := &compiler{rules: r}
	tcp, udp, icmp := protocol(unix.IPPROTO_TCP), protocol(unix.IPPROTO_UDP), protocol(unix.IPPROTO_ICMP)
	c.chain("input", input(expr.VerdictDrop))
	c.chain("forward", forward(0, expr.VerdictDrop),
		makeRule(notIPv4(), drop()),
		makeRule(notReset(), connectionState("invalid", stateInvalid), reset()),
		makeRule(connectionState("invalid", stateInvalid), drop()),
		makeRule(connectionDirection(1), namedCounter("in"), accept()),
		makeRule(tcp, namedCounter("out"), accept()),
		makeRule(udp, namedCounter("out"), accept()),
		makeRule(icmp, namedCounter("out"), accept()))
	c.chain("output", output(expr.VerdictDrop), makeRule(isReset(), accept()))
	c.chain("translate", postrouting("nat", 100),
		makeRule(tcp, translateSource(own, true)),
		makeRule(udp, translateSource(own, true)),
		makeRule(icmp, translateSource(own, false)))
	return r
}

// isReset matches TCP segments that end a connection at once.
func isReset() part { return resetFlag("tcp flags rst", expr.CmpOpNeq) }

func notReset() part { return resetFlag("tcp flags != rst", expr.CmpOpEq) }

func resetFlag(text string, op expr.CmpOp) part {
	const rst = 0x04
	return part{text, append(slices.Clone(protocol(unix.IPPROTO_TCP).exprs),
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: 13, Len: 1},
		&expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 1, Mask: []byte{rst}, Xor: []byte{0}},
		&expr.Cmp{Op: op, Register: register, Data: []byte{0}})}
}

// reset answers a TCP segment in the name of its destination.
func reset() part {
	return part{"reject with tcp reset", []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}}}
}
