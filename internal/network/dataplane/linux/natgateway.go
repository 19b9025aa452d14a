package linux

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// natTable is the table in a NAT gateway's namespace.
const natTable = "nat"

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
		"net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth0.rp_filter=0")
	if err != nil {
		return fmt.Errorf("let %s forward: %w", e.plan.natGateway, err)
	}
	return nil
}

// natRules pass TCP, UDP and ICMP only and answer nothing themselves, not even a ping ("NAT gateway basics").
func natRules(own netip.Addr) *ruleset {
	r := &ruleset{counters: []string{"in", "out"}}
	c := &compiler{rules: r}
	tcp, udp, icmp := protocol(unix.IPPROTO_TCP), protocol(unix.IPPROTO_UDP), protocol(unix.IPPROTO_ICMP)
	c.chain("input", input(expr.VerdictDrop))
	c.chain("forward", forward(0, expr.VerdictDrop),
		makeRule(notIPv4(), drop()),
		makeRule(connectionState("invalid", stateInvalid), drop()),
		makeRule(connectionDirection(1), namedCounter("in"), accept()),
		makeRule(tcp, namedCounter("out"), accept()),
		makeRule(udp, namedCounter("out"), accept()),
		makeRule(icmp, namedCounter("out"), accept()))
	c.chain("output", output(expr.VerdictDrop))
	c.chain("translate", postrouting("nat", 100),
		makeRule(tcp, translateSource(own, true)),
		makeRule(udp, translateSource(own, true)),
		makeRule(icmp, translateSource(own, false)))
	return r
}
