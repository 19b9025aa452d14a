package explain

import (
	"fmt"
	"net/netip"
)

// ports is a range of ports, both ends included.
type ports struct{ first, last uint16 }

// The source ports that are taken when nobody chose: by Linux, and by a NAT gateway (NACL guide, "Ephemeral
// ports").
var (
	clientPorts = ports{32768, 60999}
	natPorts    = ports{1024, 65535}
)

func (p ports) String() string {
	if p.first == p.last {
		return fmt.Sprint(p.first)
	}
	return fmt.Sprintf("%d-%d", p.first, p.last)
}

// A packet is the first one of a flow, or of its answer.
type packet struct {
	protocol           int
	src, dst           netip.Addr
	sport, dport       ports
	icmpType, icmpCode int
	// reply packets belong to a connection that security groups and gateways know.
	reply bool
}

// packet is the flow's first one.
func (f Flow) packet(to netip.Addr) packet {
	p := packet{protocol: f.Protocol, src: f.Source, dst: to, icmpType: f.ICMPType, icmpCode: f.ICMPCode}
	if to.Is6() && p.protocol == ICMP { // which is meant, and numbers pings otherwise
		p.protocol = ICMPv6
		if p.icmpType == echoRequest {
			p.icmpType = echoRequest6
		}
	}
	if p.hasPorts() {
		p.sport, p.dport = ports{f.SourcePort, f.SourcePort}, ports{f.Port, f.Port}
		if f.SourcePort == 0 {
			p.sport = clientPorts
		}
	}
	return p
}

// The ICMP types of a ping.
const (
	echoReply    = 0
	echoRequest  = 8
	echoRequest6 = 128
	echoReply6   = 129
)

// answer is the packet that comes back. ICMP other than an echo request is not answered.
func (p packet) answer() (packet, bool) {
	r := p
	r.src, r.dst, r.sport, r.dport, r.reply = p.dst, p.src, p.dport, p.sport, true
	switch p.protocol {
	case ICMP:
		r.icmpType, r.icmpCode = echoReply, 0
		return r, p.icmpType == echoRequest
	case ICMPv6:
		r.icmpType, r.icmpCode = echoReply6, 0
		return r, p.icmpType == echoRequest6
	}
	return r, true
}

func (p packet) isICMP() bool { return p.protocol == ICMP || p.protocol == ICMPv6 }

func (p packet) hasPorts() bool { return p.protocol == TCP || p.protocol == UDP }

// what names the traffic as a rule would: TCP 443.
func (p packet) what() string {
	switch {
	case p.hasPorts():
		return protocolName(p.protocol) + " " + p.dport.String()
	case p.protocol == ICMP && p.icmpType == echoRequest, p.protocol == ICMPv6 && p.icmpType == echoRequest6:
		return protocolName(p.protocol) + " echo requests"
	case p.protocol == ICMP && p.icmpType == echoReply, p.protocol == ICMPv6 && p.icmpType == echoReply6:
		return protocolName(p.protocol) + " echo replies"
	case p.isICMP():
		return fmt.Sprintf("%s type %d code %d", protocolName(p.protocol), p.icmpType, p.icmpCode)
	default:
		return protocolName(p.protocol)
	}
}

func protocolName(p int) string {
	switch p {
	case TCP:
		return "TCP"
	case UDP:
		return "UDP"
	case ICMP:
		return "ICMP"
	case ICMPv6:
		return "ICMPv6"
	default:
		return fmt.Sprintf("protocol %d", p)
	}
}
