package linux

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// What passes is counted by the kernel: behind all filters stands a table of its own whose rules keep, for each flow
// and direction, an element with a counter. Nothing is copied to anybody; who wants to know reads the set. Unlike the
// counters of connection tracking these count what passed and not what came, know both links, and tell the two
// crossings of a middlebox apart. An element that was idle goes, so the set must be read more often than that.
const (
	flowTable = "flows"
	flowIdle  = 30 * time.Second
	flowsKept = 1 << 17 // elements of one set; what has no room is counted as lost
	lostFlows = "lost"  // counter
	allFlows  = "all"   // counter
	flowSet4  = "flows4"
	flowSet6  = "flows6"
	flagsKept = 0x17 // FIN, SYN, RST, ACK
	afterAll  = 100  // priority: behind the last filter
	firstFlow = register32
)

// flowRules count IPv4 and IPv6 alike. The flags of TCP are part of the key, so that they cost no second rule.
func flowRules() []rule {
	out := []rule{makeRule(namedCounter(allFlows))} // tells who reads that there is something new
	for _, family := range []byte{unix.NFPROTO_IPV4, unix.NFPROTO_IPV6} {
		out = append(out,
			makeRule(networkProtocol(family), protocol(unix.IPPROTO_TCP), countFlow(family, true, true), accept()),
			makeRule(networkProtocol(family), protocol(unix.IPPROTO_UDP), countFlow(family, true, false), accept()),
			makeRule(networkProtocol(family), notProtocol(unix.IPPROTO_TCP), notProtocol(unix.IPPROTO_UDP), countFlow(family, false, false), accept()))
	}
	return append(out, makeRule(namedCounter(lostFlows))) // a set that is full ends its rule
}

func networkProtocol(family byte) part {
	return part{fmt.Sprintf("meta nfproto %d", family), []expr.Any{load(expr.MetaKeyNFPROTO), equal([]byte{family})}}
}

func notProtocol(p int) part {
	return part{"meta l4proto != " + protocolName(p), []expr.Any{
		load(expr.MetaKeyL4PROTO), &expr.Cmp{Op: expr.CmpOpNeq, Register: register, Data: []byte{byte(p)}}}}
}

// countFlow adds the packet to its flow's element. The key is read by parseFlowKey.
func countFlow(family byte, ports, flags bool) part {
	set, source, length := flowSet4, uint32(12), uint32(8) // both addresses, which are neighbours in the header
	if family == unix.NFPROTO_IPV6 {
		set, source, length = flowSet6, 8, 32
	}
	at := uint32(firstFlow)
	next := func() uint32 { at++; return at - 1 }
	exprs := []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIF, Register: next()}, &expr.Meta{Key: expr.MetaKeyOIF, Register: next()},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: next()},
	}
	if ports {
		exprs = append(exprs, &expr.Payload{DestRegister: next(), Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 4})
	} else {
		exprs = append(exprs, &expr.Immediate{Register: next(), Data: make([]byte, 4)})
	}
	to := next()
	if flags {
		exprs = append(exprs, &expr.Payload{DestRegister: to, Base: expr.PayloadBaseTransportHeader, Offset: 13, Len: 1},
			&expr.Bitwise{SourceRegister: to, DestRegister: to, Len: 4, Mask: []byte{flagsKept, 0, 0, 0}, Xor: make([]byte, 4)})
	} else {
		exprs = append(exprs, &expr.Immediate{Register: to, Data: make([]byte, 4)})
	}
	exprs = append(exprs, &expr.Payload{DestRegister: at, Base: expr.PayloadBaseNetworkHeader, Offset: source, Len: length},
		&expr.Dynset{SrcRegKey: firstFlow, SetName: set, Operation: unix.NFT_DYNSET_OP_UPDATE, Timeout: flowIdle, Exprs: []expr.Any{&expr.Counter{}}})
	return part{"update @" + set + " { iif . oif . l4proto . ports . flags . addresses counter }", exprs}
}

// countFlows loads the table. A kernel that cannot do it forwards all the same.
func (n *nft) countFlows() error {
	b := &batch{table: flowTable}
	b.addTable()
	b.addCounter(allFlows)
	b.addCounter(lostFlows)
	b.addFlowSet(flowSet4, flowKeyLength(4))
	b.addFlowSet(flowSet6, flowKeyLength(16))
	c := &chain{name: "passed", base: forward(afterAll, expr.VerdictAccept), rules: flowRules()}
	b.addChain(c)
	b.addRules(c)
	return n.commit(b)
}

func flowKeyLength(address int) int { return 20 + 2*address }

func (b *batch) addFlowSet(name string, key int) {
	b.sets++
	b.add("add set "+name, unix.NFT_MSG_NEWSET, create,
		text(unix.NFTA_SET_TABLE, b.table), text(unix.NFTA_SET_NAME, name), word(unix.NFTA_SET_ID, b.sets),
		word(unix.NFTA_SET_KEY_TYPE, 0), word(unix.NFTA_SET_KEY_LEN, uint32(key)),
		word(unix.NFTA_SET_FLAGS, unix.NFT_SET_EVAL|unix.NFT_SET_TIMEOUT),
		long(unix.NFTA_SET_TIMEOUT, uint64(flowIdle.Milliseconds())), word(unix.NFTA_SET_GC_INTERVAL, 10_000),
		nest(unix.NFTA_SET_DESC, word(unix.NFTA_SET_DESC_SIZE, flowsKept)))
}

func long(kind uint16, v uint64) netlink.Attribute {
	return netlink.Attribute{Type: kind, Data: binary.BigEndian.AppendUint64(nil, v)}
}

// A flowKey is an element's key.
type flowKey struct {
	in, out             int // indexes of links
	protocol            uint8
	flags               uint8
	source, destination netip.AddrPort
}

func parseFlowKey(b []byte) (flowKey, bool) {
	address := (len(b) - 20) / 2
	if address != 4 && address != 16 || len(b) != flowKeyLength(address) {
		return flowKey{}, false
	}
	source, _ := netip.AddrFromSlice(b[20 : 20+address])
	destination, _ := netip.AddrFromSlice(b[20+address:])
	return flowKey{
		in: int(binary.NativeEndian.Uint32(b)), out: int(binary.NativeEndian.Uint32(b[4:])), protocol: b[8], flags: b[16],
		source:      netip.AddrPortFrom(source, binary.BigEndian.Uint16(b[12:])),
		destination: netip.AddrPortFrom(destination, binary.BigEndian.Uint16(b[14:])),
	}, true
}

// A flowElement is one element as the kernel tells of it.
type flowElement struct {
	key flowKey
	tally
	idle time.Duration // since its last packet
}

// flowElements hands on all elements of a set. An element may come twice while the set grows, or not at all.
func (n *nft) flowElements(set string, each func(flowElement)) error {
	return n.query(unix.NFT_MSG_GETSETELEM, flowTable, []netlink.Attribute{
		text(unix.NFTA_SET_ELEM_LIST_TABLE, flowTable), text(unix.NFTA_SET_ELEM_LIST_SET, set)}, func(message []byte) error {
		return attributesOf(message, func(kind uint16, list []byte) error {
			if kind != unix.NFTA_SET_ELEM_LIST_ELEMENTS {
				return nil
			}
			return attributesOf(list, func(_ uint16, element []byte) error {
				e, ok := parseFlowElement(element)
				if ok {
					each(e)
				}
				return nil
			})
		})
	})
}

func parseFlowElement(b []byte) (e flowElement, ok bool) {
	left := flowIdle
	err := attributesOf(b, func(kind uint16, data []byte) error {
		switch kind {
		case unix.NFTA_SET_ELEM_KEY:
			return attributesOf(data, func(kind uint16, key []byte) error {
				if kind == unix.NFTA_DATA_VALUE {
					e.key, ok = parseFlowKey(key)
				}
				return nil
			})
		case unix.NFTA_SET_ELEM_EXPIRATION:
			if len(data) == 8 {
				left = time.Duration(binary.BigEndian.Uint64(data)) * time.Millisecond
			}
		case unix.NFTA_SET_ELEM_EXPR:
			return e.readCounterExpression(data)
		}
		return nil
	})
	e.idle = max(flowIdle-left, 0)
	return e, ok && err == nil
}

func (e *flowElement) readCounterExpression(b []byte) error {
	return attributesOf(b, func(kind uint16, data []byte) error {
		if kind != unix.NFTA_EXPR_DATA {
			return nil
		}
		return attributesOf(data, func(kind uint16, value []byte) error {
			switch {
			case len(value) != 8:
			case kind == unix.NFTA_COUNTER_PACKETS:
				e.packets = binary.BigEndian.Uint64(value)
			case kind == unix.NFTA_COUNTER_BYTES:
				e.bytes = binary.BigEndian.Uint64(value)
			}
			return nil
		})
	})
}

// attributesOf goes through a list of attributes without copying.
func attributesOf(b []byte, each func(kind uint16, data []byte) error) error {
	for len(b) >= 4 {
		size := int(binary.NativeEndian.Uint16(b))
		if size < 4 || size > len(b) {
			return fmt.Errorf("attribute of %d bytes in %d", size, len(b))
		}
		if err := each(binary.NativeEndian.Uint16(b[2:])&0x3fff, b[4:size]); err != nil {
			return err
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return nil
}
