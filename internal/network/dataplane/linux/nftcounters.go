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
	if err := n.open(); err != nil {
		return nil, err
	}
	query, err := netlink.MarshalAttributes([]netlink.Attribute{text(unix.NFTA_OBJ_TABLE, table)})
	if err != nil {
		return nil, err
	}
	n.sequence++
	buf := appendMessage(nil, unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETOBJ, unix.NLM_F_DUMP, unix.NFPROTO_INET, 0, n.sequence, query)
	if err := unix.Sendto(n.fd, buf, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		n.close()
		return nil, fmt.Errorf("read counters in %s: %w", n.ns.Name(), err)
	}
	out := map[string]tally{}
	if err := n.dump(out); err != nil {
		n.close()
		return nil, fmt.Errorf("read counters in %s: %w", n.ns.Name(), err)
	}
	return out, nil
}

// dump reads answers to the last query until the kernel says that it is done.
func (n *nft) dump(out map[string]tally) error {
	buf := make([]byte, 1<<16)
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
				if err := readCounter(b[unix.NLMSG_HDRLEN+4:size], out); err != nil {
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
