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
	echoReply   = 0
	echoRequest = 8
)

// answer is the packet that comes back. ICMP other than an echo request is not answered.
func (p packet) answer() (packet, bool) {
	r := p
	r.src, r.dst, r.sport, r.dport, r.reply = p.dst, p.src, p.dport, p.sport, true
	if p.protocol == ICMP {
		r.icmpType, r.icmpCode = echoReply, 0
		return r, p.icmpType == echoRequest
	}
	return r, true
}

func (p packet) hasPorts() bool { return p.protocol == TCP || p.protocol == UDP }

// what names the traffic as a rule would: TCP 443.
func (p packet) what() string {
	switch {
	case p.hasPorts():
		return protocolName(p.protocol) + " " + p.dport.String()
	case p.protocol == ICMP && p.icmpType == echoRequest:
		return "ICMP echo requests"
	case p.protocol == ICMP && p.icmpType == echoReply:
		return "ICMP echo replies"
	case p.protocol == ICMP:
		return fmt.Sprintf("ICMP type %d code %d", p.icmpType, p.icmpCode)
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
	default:
		return fmt.Sprintf("protocol %d", p)
	}
}
