package dataplanetest

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"golang.org/x/sys/unix"
)

// Outcome is what became of a probe.
type Outcome string

// The outcomes there are. Anything else is an error that no packet filter should cause, such as "no route".
const (
	Connected Outcome = "connected"
	Refused   Outcome = "refused"
	TimedOut  Outcome = "timed out"
)

// A Flow is one attempt. TCP connects; UDP sends a datagram and wants one back; ICMP wants an echo.
type Flow struct {
	From       dataplane.Attachment
	Network    string // tcp, udp, icmp
	To         netip.AddrPort
	SourcePort uint16 // 0: any
}

// Probe makes one attempt.
func Probe(from dataplane.Attachment, to string, network string, timeout time.Duration) Outcome {
	address := netip.AddrPort{}
	if network == "icmp" {
		address = netip.AddrPortFrom(netip.MustParseAddr(to), 0)
	} else {
		address = netip.MustParseAddrPort(to)
	}
	return Reach([]Flow{{From: from, Network: network, To: address}}, timeout)[0]
}

// Reach makes all attempts at once and gives their outcomes in the same order. It takes as long as the timeout
// if one of them times out.
func Reach(flows []Flow, timeout time.Duration) []Outcome {
	out := make([]Outcome, len(flows))
	byPlace := map[dataplane.Attachment][]int{}
	for i, f := range flows {
		byPlace[f.From] = append(byPlace[f.From], i)
	}
	var wait sync.WaitGroup
	for from, indexes := range byPlace {
		wait.Add(1)
		go func() {
			defer wait.Done()
			ns, err := netns.Hold("probe", from.FD())
			if err == nil {
				err = ns.Do(func() error { return reachFrom(flows, indexes, out, timeout) })
				ns.Close()
			}
			if err != nil {
				for _, i := range indexes {
					out[i] = Outcome(err.Error())
				}
			}
		}()
	}
	wait.Wait()
	return out
}

// reachFrom makes the attempts of one namespace with one poll.
func reachFrom(flows []Flow, indexes []int, out []Outcome, timeout time.Duration) error {
	poll := make([]unix.PollFd, len(indexes))
	// Echoes with an identifier used before would belong to a flow that is tracked already.
	first := uint16(rand.Uint32())
	left := 0
	for n, i := range indexes {
		fd, err := start(flows[i], first+uint16(n))
		poll[n] = unix.PollFd{Fd: int32(fd), Events: events(flows[i])}
		out[i] = TimedOut
		if err != nil {
			out[i] = Outcome(err.Error())
			poll[n].Fd = -1
			if fd >= 0 {
				unix.Close(fd)
			}
			continue
		}
		left++
	}
	for end := time.Now().Add(timeout); left > 0; {
		remaining := time.Until(end)
		if remaining <= 0 {
			break
		}
		if _, err := unix.Poll(poll, int(remaining.Milliseconds())+1); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("poll: %w", err)
		}
		for n, i := range indexes {
			if poll[n].Fd < 0 || poll[n].Revents == 0 {
				continue
			}
			outcome, done := finish(flows[i], int(poll[n].Fd), first+uint16(n))
			if done {
				out[i] = outcome
				unix.Close(int(poll[n].Fd))
				poll[n].Fd = -1
				left--
			}
		}
	}
	for _, p := range poll {
		if p.Fd >= 0 {
			unix.Close(int(p.Fd))
		}
	}
	return nil
}

func events(f Flow) int16 {
	if f.Network == "tcp" {
		return unix.POLLOUT
	}
	return unix.POLLIN
}

// start sends the first packet.
func start(f Flow, id uint16) (int, error) {
	kind, proto := unix.SOCK_STREAM, unix.IPPROTO_TCP
	switch f.Network {
	case "udp":
		kind, proto = unix.SOCK_DGRAM, unix.IPPROTO_UDP
	case "icmp":
		kind, proto = unix.SOCK_RAW, unix.IPPROTO_ICMP
	}
	family := unix.AF_INET
	if f.To.Addr().Is6() {
		family = unix.AF_INET6
		if f.Network == "icmp" {
			proto = unix.IPPROTO_ICMPV6
		}
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	if f.SourcePort != 0 {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		if err := unix.Bind(fd, socketAddress(netip.AddrPortFrom(unspecified(f.To.Addr()), f.SourcePort))); err != nil {
			return fd, fmt.Errorf("bind: %w", err)
		}
	}
	if f.Network == "tcp" {
		// Reset on close: ports must be free again at once.
		_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	err = unix.Connect(fd, socketAddress(f.To))
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return fd, err
	}
	switch f.Network {
	case "udp":
		_, err = unix.Write(fd, []byte("ping"))
		return fd, err
	case "icmp":
		request := echoRequest(id)
		if f.To.Addr().Is6() {
			request[0] = echoRequest6 // the kernel makes the checksum
		}
		_, err = unix.Write(fd, request)
		return fd, err
	}
	return fd, nil
}

// finish reads what came; for ICMP it may be something else.
func finish(f Flow, fd int, id uint16) (Outcome, bool) {
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return Outcome(err.Error()), true
	}
	if code != 0 {
		return outcomeOf(unix.Errno(code)), true
	}
	if f.Network == "tcp" {
		return Connected, true
	}
	buf := make([]byte, 2048)
	n, err := unix.Read(fd, buf)
	switch {
	case errors.Is(err, unix.EAGAIN):
		return "", false
	case err != nil:
		return outcomeOf(err), true
	case f.Network == "icmp" && f.To.Addr().Is6() && !isEchoReply6(buf[:n], id),
		f.Network == "icmp" && f.To.Addr().Is4() && !isEchoReply(buf[:n], id):
		return "", false
	}
	return Connected, true
}

func outcomeOf(err error) Outcome {
	switch {
	case errors.Is(err, unix.ECONNREFUSED):
		return Refused
	case errors.Is(err, unix.ETIMEDOUT):
		return TimedOut
	}
	return Outcome(err.Error())
}

// The types of a ping in ICMPv6.
const (
	echoRequest6 = 128
	echoReply6   = 129
)

// isEchoReply6 gets no IP header.
func isEchoReply6(b []byte, id uint16) bool {
	return len(b) >= 8 && b[0] == echoReply6 && b[4] == byte(id>>8) && b[5] == byte(id)
}

func unspecified(like netip.Addr) netip.Addr {
	if like.Is6() {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

func socketAddress(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is6() {
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
}

func echoRequest(id uint16) []byte {
	b := []byte{8, 0, 0, 0, byte(id >> 8), byte(id), 0, 1}
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	b[2], b[3] = byte(^sum>>8), byte(^sum)
	return b
}

func isEchoReply(packet []byte, id uint16) bool {
	if len(packet) < 20 {
		return false
	}
	packet = packet[int(packet[0]&15)*4:]
	return len(packet) >= 8 && packet[0] == 0 && packet[4] == byte(id>>8) && packet[5] == byte(id)
}

// Echo accepts connections until the listener is closed. It first sends each the address it sees, as one
// line, then sends everything back.
func Echo(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			fmt.Fprintln(c, c.RemoteAddr())
			io.Copy(c, c)
		}()
	}
}

// EchoPackets sends every datagram back until the socket is closed.
func EchoPackets(c net.PacketConn) {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		c.WriteTo(buf[:n], from)
	}
}
