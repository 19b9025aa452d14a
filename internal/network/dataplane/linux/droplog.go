package linux

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Dropped packets are told by the kernel: every rule that drops for a reason of AWS's first copies the head of the
// packet to a socket, under a prefix that names what decided. What is accepted passes no such rule, so it costs
// nothing. Who floods the network with packets that are dropped fills the socket's buffer, of which the kernel then
// says that it overflowed: it neither waits nor takes memory for more.
const (
	dropGroup     = 1
	headBytes     = 64   // of a packet: both headers, without options
	headsInOne    = 64   // packets in a message, at most
	headsDelay    = 10   // hundredths of a second until a message is sent that is not full
	readsInSecond = 2000 // messages; more wait in the buffer, or are lost
)

// Of linux/netfilter/nfnetlink_log.h.
const (
	nfulConfig      = unix.NFNL_SUBSYS_ULOG<<8 | 1
	nfulPacket      = unix.NFNL_SUBSYS_ULOG << 8
	nfulConfigCmd   = 1
	nfulConfigMode  = 2
	nfulConfigDelay = 4
	nfulConfigMany  = 5
	nfulInput       = 4
	nfulOutput      = 5
	nfulPayload     = 9
	nfulPrefix      = 10
)

// tell copies a packet that is about to be dropped to whoever watches. The words are read by parsePrefix.
func tell(words ...string) part {
	prefix := strings.Join(words, " ")
	return part{fmt.Sprintf("log prefix %q group %d", prefix, dropGroup), []expr.Any{
		&expr.Log{Key: 1<<unix.NFTA_LOG_GROUP | 1<<unix.NFTA_LOG_PREFIX, Group: dropGroup, Data: []byte(prefix)}}}
}

// directionWord is out for what leaves an interface.
func directionWord(egress bool) string {
	if egress {
		return "out"
	}
	return "in"
}

// parsePrefix reads what tell wrote: stage, direction, and for an ACL its id and the entry.
func parsePrefix(prefix string, d *dataplane.Drop) bool {
	words := strings.Fields(prefix)
	if len(words) < 2 {
		return false
	}
	d.Stage, d.Egress = dataplane.Stage(words[0]), words[1] == "out"
	if d.Stage != dataplane.StageACL {
		return true
	}
	if len(words) != 4 {
		return false
	}
	d.ACL, d.Entry = resource.NetworkACLID(words[2]), words[3]
	return true
}

// A dropLog reads what a router dropped until it is closed.
type dropLog struct {
	socket *os.File
	done   chan struct{}
}

// watch starts to read what the router drops.
func (r *router) watch(dropped func(dataplane.Drop), skipped func()) error {
	if r.silent {
		return nil
	}
	socket, err := openDropLog(r.ns)
	if err != nil {
		return fmt.Errorf("watch what %s drops: %w", r.vpc, err)
	}
	r.drops = &dropLog{socket, make(chan struct{})}
	go func() {
		defer close(r.drops.done)
		r.drops.read(func(message []byte) {
			if d, ok := r.readDrop(message); ok {
				dropped(d)
			}
		}, skipped)
	}()
	return nil
}

func (l *dropLog) close() {
	if l != nil {
		l.socket.Close()
		<-l.done
	}
}

// read hands on one packet after the other, and rests when there are too many.
func (l *dropLog) read(each func([]byte), skipped func()) {
	buf := make([]byte, 1<<17)
	started, reads := time.Now(), 0
	for {
		n, err := l.socket.Read(buf)
		if errors.Is(err, unix.ENOBUFS) {
			skipped()
		} else if err != nil {
			return // closed
		}
		for b := buf[:max(n, 0)]; len(b) >= unix.NLMSG_HDRLEN+4; {
			size := int(binary.NativeEndian.Uint32(b))
			if size < unix.NLMSG_HDRLEN+4 || size > len(b) {
				break
			}
			if binary.NativeEndian.Uint16(b[4:]) == nfulPacket {
				each(b[unix.NLMSG_HDRLEN+4 : size])
				reads++
			}
			b = b[min((size+3)&^3, len(b)):]
		}
		if rest := time.Second - time.Since(started); rest <= 0 {
			started, reads = time.Now(), 0
		} else if reads >= readsInSecond {
			time.Sleep(rest)
		}
	}
}

func openDropLog(ns *netns.NS) (*os.File, error) {
	var fd int
	err := ns.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_NETFILTER)
		return err
	})
	if err != nil {
		return nil, err
	}
	// The buffer bounds what waits to be read.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20)
	mode := append(binary.BigEndian.AppendUint32(nil, headBytes), 2, 0) // copy the packet's head
	var buf []byte
	for i, m := range [][]byte{
		attribute(nfulConfigCmd, []byte{1}), // bind
		attribute(nfulConfigMode, mode),
		attribute(nfulConfigDelay, binary.BigEndian.AppendUint32(nil, headsDelay)),
		attribute(nfulConfigMany, binary.BigEndian.AppendUint32(nil, headsInOne)),
	} {
		buf = appendMessage(buf[:0], nfulConfig, unix.NLM_F_ACK, unix.AF_UNSPEC, dropGroup, uint32(i+1), m)
		if err := unix.Sendto(fd, buf, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			unix.Close(fd)
			return nil, err
		}
		if err := acknowledged(fd); err != nil {
			unix.Close(fd)
			return nil, err
		}
	}
	return os.NewFile(uintptr(fd), "dropped packets"), nil
}

// acknowledged reads the answer to a setting, which is there when sending returns. Packets may stand before it.
func acknowledged(fd int) error {
	buf := make([]byte, 1<<17)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return err
		}
		if n >= unix.NLMSG_HDRLEN+4 && binary.NativeEndian.Uint16(buf[4:]) == unix.NLMSG_ERROR {
			if code := int32(binary.NativeEndian.Uint32(buf[unix.NLMSG_HDRLEN:])); code != 0 {
				return unix.Errno(-code)
			}
			return nil
		}
	}
}

func attribute(kind uint16, data []byte) []byte {
	out := binary.NativeEndian.AppendUint16(nil, uint16(4+len(data)))
	out = append(binary.NativeEndian.AppendUint16(out, kind), data...)
	for len(out)%4 != 0 {
		out = append(out, 0)
	}
	return out
}

// readDrop decodes one packet's attributes.
func (r *router) readDrop(b []byte) (dataplane.Drop, bool) {
	d := dataplane.Drop{VPC: r.vpc, Time: time.Now()}
	var prefix string
	var input, output int
	known := false
	for len(b) >= 4 {
		size := int(binary.NativeEndian.Uint16(b))
		if size < 4 || size > len(b) {
			return d, false
		}
		data := b[4:size]
		switch kind := binary.NativeEndian.Uint16(b[2:]) & 0x3fff; {
		case kind == nfulInput && len(data) == 4:
			input = int(binary.BigEndian.Uint32(data))
		case kind == nfulOutput && len(data) == 4:
			output = int(binary.BigEndian.Uint32(data))
		case kind == nfulPrefix:
			prefix = strings.TrimRight(string(data), "\x00")
		case kind == nfulPayload:
			known = readHead(data, &d)
			d.TCPFlags = flagsOf(flagsOfHead(data))
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	if !known || !parsePrefix(prefix, &d) {
		return d, false
	}
	d.Sender = r.behind(input)
	if d.Egress {
		d.ENI = d.Sender
	} else {
		d.ENI = r.behind(output)
	}
	return d, true
}

// behind finds the interface at a link of the router.
func (r *router) behind(index int) resource.NetworkInterfaceID {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, e := range r.enis {
		if e.index == index {
			return id
		}
	}
	return ""
}

// readHead decodes an IPv4 header and what follows.
func readHead(b []byte, d *dataplane.Drop) bool {
	if len(b) < 20 || b[0]>>4 != 4 {
		return false
	}
	d.Bytes, d.Protocol = int(binary.BigEndian.Uint16(b[2:])), int(b[9])
	source, destination := netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	var from, to uint16
	rest := b[min(int(b[0]&15)*4, len(b)):]
	first := binary.BigEndian.Uint16(b[6:])&0x1fff == 0 // later fragments have no ports
	switch {
	case !first || len(rest) < 4:
	case d.Protocol == unix.IPPROTO_TCP || d.Protocol == unix.IPPROTO_UDP:
		from, to = binary.BigEndian.Uint16(rest), binary.BigEndian.Uint16(rest[2:])
	case d.Protocol == unix.IPPROTO_ICMP:
		d.ICMPType, d.ICMPCode = int(rest[0]), int(rest[1])
	}
	d.Source, d.Destination = netip.AddrPortFrom(source, from), netip.AddrPortFrom(destination, to)
	return true
}

// tryTelling finds out whether this kernel can copy packets; one that cannot filters all the same, and is silent.
func (r *router) tryTelling() {
	b := &batch{table: "telling"}
	b.addTable()
	c := &chain{name: "telling", rules: []rule{makeRule(tell("test", "out"))}}
	b.addChain(c)
	b.addRules(c)
	b.deleteTable()
	r.silent = r.nft.commit(b) != nil
}

// untold is the ruleset without its logging.
func (s *ruleset) untold() {
	for _, c := range s.chains {
		for i, r := range c.rules {
			var rest []expr.Any
			for _, e := range r.exprs {
				if _, telling := e.(*expr.Log); !telling {
					rest = append(rest, e)
				}
			}
			c.rules[i].exprs = rest
		}
	}
}
