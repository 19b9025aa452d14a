package agree

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/network/explain"
)

// An outcome is what became of a probe. Either it got an answer, which says who answered and which source address
// it saw (not for ICMP), or it says why not.
type outcome struct {
	answered bool
	who      string
	seen     netip.Addr
	failure  string
}

// attempt is a probe being made.
type attempt struct {
	flow    explain.Flow
	fd      int
	text    []byte
	outcome outcome
	done    bool
}

// probeAll makes all flows at once, each from its seat, and takes no longer than the timeout if they all answer.
func probeAll(seats map[string]*netns.NS, flows map[string][]explain.Flow, timeout time.Duration) map[string][]outcome {
	out := map[string][]outcome{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for seat, list := range flows {
		wait.Go(func() {
			var got []outcome
			err := seats[seat].Do(func() error {
				got = probeFrom(list, timeout)
				return nil
			})
			if err != nil {
				got = make([]outcome, len(list))
				for i := range got {
					got[i].failure = err.Error()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			out[seat] = got
		})
	}
	wait.Wait()
	return out
}

// probeFrom makes the attempts of one namespace with one poll. It must run inside.
func probeFrom(flows []explain.Flow, timeout time.Duration) []outcome {
	attempts := make([]*attempt, len(flows))
	for i, f := range flows {
		attempts[i] = &attempt{flow: f, fd: -1, outcome: outcome{failure: "timed out"}}
		if err := attempts[i].start(); err != nil {
			attempts[i].fail(err)
		}
	}
	end := time.Now().Add(timeout)
	for time.Now().Before(end) && !allDone(attempts) {
		poll(attempts, time.Until(end))
	}
	out := make([]outcome, len(flows))
	for i, a := range attempts {
		out[i] = a.outcome
		if a.fd >= 0 {
			unix.Close(a.fd)
		}
	}
	return out
}

func allDone(attempts []*attempt) bool {
	for _, a := range attempts {
		if !a.done {
			return false
		}
	}
	return true
}

func poll(attempts []*attempt, timeout time.Duration) {
	var fds []unix.PollFd
	var waiting []*attempt
	for _, a := range attempts {
		if !a.done {
			fds = append(fds, unix.PollFd{Fd: int32(a.fd), Events: unix.POLLIN})
			waiting = append(waiting, a)
		}
	}
	if _, err := unix.Poll(fds, int(timeout.Milliseconds())+1); err != nil {
		return // interrupted: the caller polls again
	}
	for i, p := range fds {
		if p.Revents != 0 {
			waiting[i].read()
		}
	}
}

func (a *attempt) fail(err error) {
	a.done, a.outcome = true, outcome{failure: err.Error()}
}

// start sends the first packet.
func (a *attempt) start() error {
	kind, protocol := unix.SOCK_STREAM, unix.IPPROTO_TCP
	switch a.flow.Protocol {
	case udp:
		kind, protocol = unix.SOCK_DGRAM, unix.IPPROTO_UDP
	case icmp:
		kind, protocol = unix.SOCK_RAW, unix.IPPROTO_ICMP
	case icmpv6:
		kind, protocol = unix.SOCK_RAW, unix.IPPROTO_ICMPV6
	}
	family := unix.AF_INET
	if a.flow.To.Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	a.fd = fd
	if a.flow.Protocol != icmp && a.flow.Protocol != icmpv6 {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		if err := unix.Bind(fd, socketAddress(unspecified(a.flow.To), a.flow.SourcePort)); err != nil {
			return fmt.Errorf("bind to %d: %w", a.flow.SourcePort, err)
		}
	}
	if a.flow.Protocol == tcp {
		_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // no TIME_WAIT
	}
	err = unix.Connect(fd, socketAddress(a.flow.To, a.flow.Port))
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return fmt.Errorf("connect: %w", err)
	}
	switch a.flow.Protocol {
	case udp:
		question := []byte("who\n")
		if a.flow.Port == portDNS {
			question = query()
		}
		_, err = unix.Write(fd, question)
	case icmp:
		_, err = unix.Write(fd, echoRequest(a.flow.SourcePort))
	case icmpv6:
		request := echoRequest(a.flow.SourcePort)
		request[0] = 128 // the kernel makes the checksum
		_, err = unix.Write(fd, request)
	default:
		return nil
	}
	return err
}

func unspecified(like netip.Addr) netip.Addr {
	if like.Is6() {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

func socketAddress(a netip.Addr, port uint16) unix.Sockaddr {
	if a.Is6() {
		return &unix.SockaddrInet6{Port: int(port), Addr: a.As16()}
	}
	return &unix.SockaddrInet4{Port: int(port), Addr: a.As4()}
}

// read takes what came.
func (a *attempt) read() {
	buf := make([]byte, 2048)
	n, err := unix.Read(a.fd, buf)
	switch {
	case errors.Is(err, unix.EAGAIN):
	case err != nil:
		a.fail(err)
	case a.flow.Protocol == icmp:
		if isEchoReply(buf[:n], a.flow.SourcePort) {
			a.done, a.outcome = true, outcome{answered: true}
		}
	case a.flow.Protocol == icmpv6:
		if n >= 8 && buf[0] == 129 && binary.BigEndian.Uint16(buf[4:]) == a.flow.SourcePort { // there is no IP header
			a.done, a.outcome = true, outcome{answered: true}
		}
	case a.flow.Protocol == udp && a.flow.Port == portDNS:
		a.done, a.outcome = true, outcome{answered: n > 0}
	case n == 0 && a.flow.Protocol == tcp:
		a.fail(errors.New("closed without a word"))
	default:
		a.text = append(a.text, buf[:n]...)
		if line, _, ok := strings.Cut(string(a.text), "\n"); ok {
			a.finish(line)
		}
	}
}

// finish reads the answer: who answered, and which source it saw.
func (a *attempt) finish(line string) {
	who, from, _ := strings.Cut(line, " ")
	seen, err := netip.ParseAddrPort(from)
	if err != nil {
		a.fail(fmt.Errorf("answer %q: %w", line, err))
		return
	}
	a.done, a.outcome = true, outcome{answered: true, who: who, seen: seen.Addr().Unmap()}
}

// echoRequest is a ping whose id is unique among all of a run, as connection tracking would take it for an old one.
func echoRequest(id uint16) []byte {
	b := []byte{8, 0, 0, 0, 0, 0, 0, 1}
	binary.BigEndian.PutUint16(b[4:], id)
	sum := uint32(8)<<8 + uint32(id) + 1
	binary.BigEndian.PutUint16(b[2:], ^uint16(sum+sum>>16))
	return b
}

func isEchoReply(b []byte, id uint16) bool {
	if len(b) < 20 {
		return false
	}
	b = b[min(len(b), int(b[0]&15)*4):]
	return len(b) >= 8 && b[0] == 0 && binary.BigEndian.Uint16(b[4:]) == id
}
