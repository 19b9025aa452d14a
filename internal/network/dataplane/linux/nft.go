package linux

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/culvert-cloud/culvert/internal/netns"
	"golang.org/x/sys/unix"
)

// nft sends batches to one namespace. It asks for one acknowledgement, of the last message, and knows its
// answers by number, so that an answer that came late is never taken for another. A nft is not safe for
// concurrent use.
type nft struct {
	ns       *netns.NS
	fd       int // -1: not open
	limit    int // bytes in one batch
	sequence uint32
	buf      []byte // for the answers to queries
}

func newNFT(ns *netns.NS) *nft { return &nft{ns: ns, fd: -1} }

// errUnknown marks errors after which it is not known whether the batch was taken.
var errUnknown = errors.New("the kernel's answer was lost")

func (n *nft) close() {
	if n.fd >= 0 {
		unix.Close(n.fd)
	}
	n.fd = -1
}

func (n *nft) open() error {
	if n.fd >= 0 {
		return nil
	}
	err := n.ns.Do(func() (err error) {
		n.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
		return err
	})
	if err != nil {
		n.fd = -1
		return fmt.Errorf("open nftables socket in %s: %w", n.ns.Name(), err)
	}
	// Large buffers are asked for, not needed: without privilege the system's limit applies. The kernel
	// doubles what was asked for and refuses batches that are longer than that.
	for _, option := range []int{unix.SO_SNDBUF, unix.SO_RCVBUF} {
		_ = unix.SetsockoptInt(n.fd, unix.SOL_SOCKET, option, 4<<20)
	}
	size, err := unix.GetsockoptInt(n.fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
	if err != nil || size < 1<<16 {
		size = 1 << 16
	}
	n.limit = size - 4096
	_ = unix.SetsockoptInt(n.fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	timeout := unix.Timeval{Sec: 20}
	if err := unix.SetsockoptTimeval(n.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		n.close()
		return fmt.Errorf("open nftables socket in %s: %w", n.ns.Name(), err)
	}
	return nil
}

// commit applies the batch in one transaction. If it does not fit in one, none of it is sent and errTooLong
// is returned.
func (n *nft) commit(b *batch) error {
	if b.err != nil || len(b.messages) == 0 {
		return b.err
	}
	if err := n.open(); err != nil {
		return err
	}
	first := n.sequence + 2 // the mark before the batch has a number too
	buf := n.encode(b)
	if len(buf) > n.limit {
		return errTooLong
	}
	if err := unix.Sendto(n.fd, buf, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		n.close()
		return fmt.Errorf("send nftables batch of %d bytes to %s: %w", len(buf), n.ns.Name(), err)
	}
	failed, err := n.answer(first, first+uint32(len(b.messages))-1)
	if err == nil {
		return nil
	}
	what := "commit"
	if failed >= first {
		what = b.messages[failed-first].what
	}
	return fmt.Errorf("nftables in %s: %s: %w", n.ns.Name(), what, err)
}

var errTooLong = errors.New("nftables batch is too long for one message")

func (n *nft) encode(b *batch) []byte {
	n.sequence++
	buf := appendMessage(nil, unix.NFNL_MSG_BATCH_BEGIN, 0, unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES, n.sequence, nil)
	for i, m := range b.messages {
		flags := m.flags
		if i == len(b.messages)-1 {
			flags |= unix.NLM_F_ACK
		}
		n.sequence++
		buf = appendMessage(buf, unix.NFNL_SUBSYS_NFTABLES<<8|m.kind, flags, unix.NFPROTO_INET, 0, n.sequence, m.data)
	}
	n.sequence++
	return appendMessage(buf, unix.NFNL_MSG_BATCH_END, 0, unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES, n.sequence, nil)
}

// answer reads until the last message is acknowledged or one is refused, and says which. A refusal of the
// whole transaction carries the number of the mark before it.
func (n *nft) answer(first, last uint32) (uint32, error) {
	buf := make([]byte, 1<<16)
	for {
		length, _, err := unix.Recvfrom(n.fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			n.close()
			return 0, fmt.Errorf("%w: %w", errUnknown, err)
		}
		for b := buf[:length]; len(b) >= unix.NLMSG_HDRLEN+4; {
			size := int(binary.NativeEndian.Uint32(b))
			kind, sequence := binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint32(b[8:])
			code := int32(binary.NativeEndian.Uint32(b[unix.NLMSG_HDRLEN:]))
			if kind == unix.NLMSG_ERROR && sequence >= first-1 && sequence <= last {
				if code != 0 {
					return sequence, unix.Errno(-code)
				}
				if sequence == last {
					return last, nil
				}
			}
			b = b[min((size+3)&^3, len(b)):]
		}
	}
}
