package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// networkAttacks are on what is around the function's network interface. The event names a neighbour's address, the
// host's door and, inside a VPC, the resolver.
func networkAttacks() []attack {
	return []attack{
		{"connect to what is not there", connectElsewhere},
		{"spoofed sources", spoof},
		{"IPv6", ipv6},
		{"broadcast and multicast", broadcast},
		{"odd transports", oddTransports},
		{"the resolver as a relay", relay},
	}
}

func connectElsewhere(ctx context.Context, e event) (string, error) {
	host := strings.TrimPrefix(e.Host, "http://")
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		return through("the event does not say the host's door: %v", err)
	}
	targets := []string{
		host, "0.0.0.0:" + port, "127.1.2.3:" + port, "[::1]:" + port, "[::ffff:127.0.0.1]:" + port, "169.254.169.254:80", "169.254.170.2:80", "169.254.169.253:80",
		"192.0.2.1:443", "1.1.1.1:53", "10.0.0.1:80", "10.0.1.1:53", "10.1.0.2:53", "172.17.0.1:" + port, "192.168.0.1:80", "100.64.0.1:80",
	}
	for _, a := range strings.Fields(e.Neighbours) {
		targets = append(targets, net.JoinHostPort(a, "9001"), net.JoinHostPort(a, "443"), net.JoinHostPort(a, "22"))
	}
	type result struct {
		target string
		err    error
	}
	results := make(chan result, len(targets))
	for _, t := range targets {
		go func() {
			c, err := (&net.Dialer{Timeout: 400 * time.Millisecond}).DialContext(ctx, "tcp", t)
			if err == nil {
				c.Close()
			}
			results <- result{t, err}
		}()
	}
	for range targets {
		if r := <-results; r.err == nil {
			return through("connected to %s", r.target)
		}
	}
	return fmt.Sprintf("%d targets", len(targets)), nil
}

// spoof sends with a source that is not the interface's, in the ways that an ordinary process has.
func spoof(context.Context, event) (string, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return through("no socket: %v", err)
	}
	defer unix.Close(fd)
	for name, option := range map[string][2]int{
		"IP_TRANSPARENT": {unix.SOL_IP, unix.IP_TRANSPARENT}, "IP_HDRINCL": {unix.SOL_IP, unix.IP_HDRINCL}, "SO_MARK": {unix.SOL_SOCKET, unix.SO_MARK},
		"SO_DEBUG": {unix.SOL_SOCKET, unix.SO_DEBUG}, "SO_RCVBUFFORCE": {unix.SOL_SOCKET, unix.SO_RCVBUFFORCE},
	} {
		if unix.SetsockoptInt(fd, option[0], option[1], 1) == nil {
			return through("may set %s", name)
		}
	}
	// Binding to a foreign address is allowed to all; sending from it is what must not be.
	_ = unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_FREEBIND, 1)
	_ = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{10, 0, 1, 77}, Port: 4000})
	to := &unix.SockaddrInet4{Addr: [4]byte{10, 0, 0, 2}, Port: 53}
	bound, err := unix.Getsockname(fd)
	if err == nil && bound.(*unix.SockaddrInet4).Addr == [4]byte{10, 0, 1, 77} && unix.Sendto(fd, []byte("x"), 0, to) == nil {
		return through("sent from 10.0.1.77")
	}
	fresh, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return through("no socket: %v", err)
	}
	defer unix.Close(fresh)
	control := unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: [4]byte{10, 0, 1, 77}})
	if unix.Sendmsg(fresh, []byte("x"), control, to, 0) == nil {
		return through("sent from 10.0.1.77 by packet information")
	}
	return "the kernel refuses", nil
}

func ipv6(ctx context.Context, _ event) (string, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return through("no list: %v", err)
	}
	for _, i := range interfaces {
		addresses, _ := i.Addrs()
		for _, a := range addresses {
			p, err := netip.ParsePrefix(a.String())
			if err == nil && p.Addr().Is6() && !p.Addr().IsLoopback() {
				return through("%s has %s", i.Name, a)
			}
		}
	}
	for _, target := range []string{"[2001:db8::1]:443", "[fd00:ec2::254]:80", "[fd00:ec2::253]:53", "[64:ff9b::7f00:1]:80"} {
		c, err := (&net.Dialer{Timeout: 300 * time.Millisecond}).DialContext(ctx, "tcp6", target)
		if err == nil {
			c.Close()
			return through("connected to %s", target)
		}
	}
	return "there is none", nil
}

// broadcast asks whoever is near. Nobody may answer.
func broadcast(context.Context, event) (string, error) {
	c, err := net.ListenPacket("udp4", ":0")
	if err != nil {
		return through("no socket: %v", err)
	}
	defer c.Close()
	raw, err := c.(*net.UDPConn).SyscallConn()
	if err != nil {
		return through("no socket: %v", err)
	}
	_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 1) })
	query := question("example.org", 1)
	for _, a := range []string{"255.255.255.255:53", "10.0.1.255:53", "10.0.255.255:53", "224.0.0.1:53", "224.0.0.251:5353", "239.255.255.250:1900"} {
		to, _ := net.ResolveUDPAddr("udp4", a)
		_, _ = c.WriteTo(query, to)
	}
	_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	n, from, err := c.ReadFrom(make([]byte, 1500))
	if err == nil {
		return through("%d bytes from %v", n, from)
	}
	return "nobody answers", nil
}

// oddTransports try protocols that rules for TCP and UDP do not name.
func oddTransports(_ context.Context, e event) (string, error) {
	neighbours := strings.Fields(e.Neighbours)
	if len(neighbours) == 0 {
		return "no neighbour", nil
	}
	address := netip.MustParseAddr(neighbours[0]).As4()
	for name, s := range map[string][2]int{
		"SCTP": {unix.SOCK_STREAM, unix.IPPROTO_SCTP}, "DCCP": {unix.SOCK_DCCP, unix.IPPROTO_DCCP}, "MPTCP": {unix.SOCK_STREAM, unix.IPPROTO_MPTCP},
	} {
		fd, err := unix.Socket(unix.AF_INET, s[0]|unix.SOCK_NONBLOCK, s[1])
		if err != nil {
			continue
		}
		err = unix.Connect(fd, &unix.SockaddrInet4{Addr: address, Port: 443})
		time.Sleep(200 * time.Millisecond)
		_, notYet := unix.Getpeername(fd)
		_ = unix.Close(fd)
		if err == nil || notYet == nil {
			return through("%s connects to %s", name, neighbours[0])
		}
	}
	return "none connects", nil
}

// relay asks the resolver for what only the world or the host knows, and for everything at once.
func relay(_ context.Context, _ event) (string, error) {
	resolver, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return through("no resolver: %v", err)
	}
	server := ""
	for line := range strings.Lines(string(resolver)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "nameserver" {
			server = f[1]
		}
	}
	hostname, _ := os.Hostname()
	for _, name := range []string{"example.org", "localhost.localdomain", "host.docker.internal", hostname + ".local", "_http._tcp.local", "version.bind"} {
		answers, err := ask(server, question(name, 1))
		if err == nil && answers > 0 {
			return through("the resolver knows %s", name)
		}
	}
	for _, kind := range []byte{252, 255} { // AXFR, ANY
		if answers, err := ask(server, question("us-west-2.amazonaws.com", kind)); err == nil && answers > 0 {
			return through("the resolver answers type %d", kind)
		}
	}
	if _, err := ask(server, []byte("not a question")); err == nil {
		return through("the resolver answers nonsense")
	}
	if answers, err := ask(server, question("s3.us-west-2.amazonaws.com", 1)); err != nil || answers == 0 {
		return through("the resolver does not answer any more: %v", err)
	}
	return "it knows AWS only", nil
}

// question is a DNS question by hand.
func question(name string, kind byte) []byte {
	q := []byte{0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	for label := range strings.SplitSeq(name, ".") {
		q = append(append(q, byte(len(label))), label...)
	}
	return append(q, 0, 0, kind, 0, 1)
}

// ask sends a question and counts the records of the answer.
func ask(server string, q []byte) (int, error) {
	c, err := net.Dial("udp4", net.JoinHostPort(server, "53"))
	if err != nil {
		return 0, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(300 * time.Millisecond))
	if _, err := c.Write(q); err != nil {
		return 0, err
	}
	answer := make([]byte, 1500)
	n, err := c.Read(answer)
	if err != nil || n < 12 {
		return 0, errors.Join(err, errors.New("no answer"))
	}
	if answer[3]&0x0f != 0 { // an error, such as that there is no such name
		return 0, fmt.Errorf("error %d", answer[3]&0x0f)
	}
	return int(answer[6])<<8 | int(answer[7]), nil
}

// changeNetwork asks the kernel, over the netlink that functions may open, to change the function's network.
func changeNetwork(context.Context, event) (string, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)
	if err != nil {
		return "no netlink", nil
	}
	defer unix.Close(fd)
	for name, kind := range map[string]uint16{
		"RTM_NEWLINK": unix.RTM_NEWLINK, "RTM_NEWADDR": unix.RTM_NEWADDR, "RTM_NEWROUTE": unix.RTM_NEWROUTE, "RTM_NEWNEIGH": unix.RTM_NEWNEIGH,
		"RTM_NEWRULE": unix.RTM_NEWRULE, "RTM_DELLINK": unix.RTM_DELLINK, "RTM_NEWNSID": unix.RTM_NEWNSID,
	} {
		message := make([]byte, 48)
		message[0] = byte(len(message))
		message[4], message[5] = byte(kind), byte(kind>>8)
		message[6] = unix.NLM_F_REQUEST | unix.NLM_F_ACK
		if err := unix.Sendto(fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			continue
		}
		answer := make([]byte, 4096)
		n, _, err := unix.Recvfrom(fd, answer, 0)
		if err != nil || n < 20 {
			return through("%s: no answer: %v", name, err)
		}
		if e := unix.Errno(-int32(binary.NativeEndian.Uint32(answer[16:]))); e != unix.EPERM {
			return through("%s: %v", name, e)
		}
	}
	return "not permitted", nil
}
