package linux

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A tally is a named counter's value.
type tally struct{ packets, bytes uint64 }

// counters reads all named counters of a table.
func (n *nft) counters(table string) (map[string]tally, error) {
	out := map[string]tally{}
	err := n.query(unix.NFT_MSG_GETOBJ, table, []netlink.Attribute{text(unix.NFTA_OBJ_TABLE, table)}, func(message []byte) error {
		return readCounter(message, out)
	})
	return out, err
}

// query asks for a list and hands on its messages.
func (n *nft) query(kind uint16, table string, about []netlink.Attribute, each func([]byte) error) error {
	if err := n.open(); err != nil {
		return err
	}
	question, err := netlink.MarshalAttributes(about)
	if err != nil {
		return err
	}
	n.sequence++
	buf := appendMessage(nil, unix.NFNL_SUBSYS_NFTABLES<<8|kind, unix.NLM_F_DUMP, unix.NFPROTO_INET, 0, n.sequence, question)
	err = unix.Sendto(n.fd, buf, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	if err == nil {
		err = n.dump(each)
	}
	if err != nil {
		n.close()
		return fmt.Errorf("read table %s in %s: %w", table, n.ns.Name(), err)
	}
	return nil
}

// dump reads answers to the last query until the kernel says that it is done.
func (n *nft) dump(each func([]byte) error) error {
	if n.buf == nil {
		n.buf = make([]byte, 1<<16)
	}
	buf := n.buf
	for {
		length, _, err := unix.Recvfrom(n.fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		for b := buf[:length]; len(b) >= unix.NLMSG_HDRLEN+4; {
			size := int(binary.NativeEndian.Uint32(b))
			if size < unix.NLMSG_HDRLEN+4 || size > len(b) {
				return fmt.Errorf("message of %d bytes in %d", size, len(b))
			}
			kind, sequence := binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint32(b[8:])
			switch {
			case sequence != n.sequence:
			case kind == unix.NLMSG_DONE:
				return nil
			case kind == unix.NLMSG_ERROR:
				return unix.Errno(-int32(binary.NativeEndian.Uint32(b[unix.NLMSG_HDRLEN:])))
			default:
				if err := each(b[unix.NLMSG_HDRLEN+4 : size]); err != nil {
					return err
				}
			}
			b = b[min((size+3)&^3, len(b)):]
		}
	}
}

func readCounter(data []byte, out map[string]tally) error {
	attributes, err := netlink.NewAttributeDecoder(data)
	if err != nil {
		return err
	}
	attributes.ByteOrder = binary.BigEndian
	var name string
	var value tally
	for attributes.Next() {
		switch attributes.Type() {
		case unix.NFTA_OBJ_NAME:
			name = attributes.String()
		case unix.NFTA_OBJ_DATA:
			attributes.Nested(func(inner *netlink.AttributeDecoder) error {
				for inner.Next() {
					switch inner.Type() {
					case unix.NFTA_COUNTER_PACKETS:
						value.packets = inner.Uint64()
					case unix.NFTA_COUNTER_BYTES:
						value.bytes = inner.Uint64()
					}
				}
				return nil
			})
		}
	}
	out[name] = value
	return attributes.Err()
}
