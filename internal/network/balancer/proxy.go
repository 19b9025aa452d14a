package balancer

import (
	"encoding/binary"
	"net/netip"
)

// The parts of a header of the proxy protocol, version 2 (haproxy.org, proxy-protocol.txt), and AWS's extension that
// names the endpoint.
const (
	proxySignature = "\r\n\r\n\x00\r\nQUIT\n"
	proxyCommand   = 0x21 // version 2, PROXY
	proxyTCP4      = 0x11
	proxyAWS       = 0xea // a value of AWS's own follows
	proxyVPCE      = 0x01 // of which this is the id of an endpoint
)

// proxyHeader tells a target who its client is and, if there is one, through which endpoint it came.
func proxyHeader(from, to netip.AddrPort, endpoint string) []byte {
	var body []byte
	f, t := from.Addr().As4(), to.Addr().As4()
	body = append(append(body, f[:]...), t[:]...)
	body = binary.BigEndian.AppendUint16(body, from.Port())
	body = binary.BigEndian.AppendUint16(body, to.Port())
	if endpoint != "" {
		body = append(body, proxyAWS)
		body = binary.BigEndian.AppendUint16(body, uint16(1+len(endpoint)))
		body = append(append(body, proxyVPCE), endpoint...)
	}
	out := append([]byte(proxySignature), proxyCommand, proxyTCP4)
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)))
	return append(out, body...)
}
