package linux

import (
	"encoding/binary"
	"fmt"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A batch is a list of nf_tables messages that the kernel takes as one transaction.
type batch struct {
	table    string
	messages []message
	sets     uint32 // numbers given to new sets; the kernel wants one
	err      error  // the first message that could not be encoded
}

// A message is one step. What it is about is kept for the error.
type message struct {
	what  string
	kind  uint16
	flags uint16
	data  []byte
}

const (
	create     = unix.NLM_F_CREATE
	createLast = unix.NLM_F_CREATE | unix.NLM_F_APPEND
)

// Elements go in messages of this many: an attribute ends at 64 KiB.
const elementsPerMessage = 400

func (b *batch) add(what string, kind, flags uint16, attributes ...netlink.Attribute) {
	data, err := netlink.MarshalAttributes(attributes)
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("encode %s: %w", what, err)
	}
	b.messages = append(b.messages, message{what, kind, flags, data})
}

func (b *batch) addTable() {
	b.add("add table "+b.table, unix.NFT_MSG_NEWTABLE, create,
		text(unix.NFTA_TABLE_NAME, b.table), word(unix.NFTA_TABLE_FLAGS, 0))
}

func (b *batch) deleteTable() {
	b.add("delete table "+b.table, unix.NFT_MSG_DELTABLE, 0, text(unix.NFTA_TABLE_NAME, b.table))
}

func (b *batch) addChain(c *chain) {
	attributes := []netlink.Attribute{text(unix.NFTA_CHAIN_TABLE, b.table), text(unix.NFTA_CHAIN_NAME, c.name)}
	if c.base != nil {
		attributes = append(attributes,
			nest(unix.NFTA_CHAIN_HOOK, word(unix.NFTA_HOOK_HOOKNUM, c.base.number), word(unix.NFTA_HOOK_PRIORITY, uint32(c.base.priority))),
			word(unix.NFTA_CHAIN_POLICY, uint32(c.base.policy)),
			text(unix.NFTA_CHAIN_TYPE, c.base.kind))
	}
	b.add("add chain "+c.name, unix.NFT_MSG_NEWCHAIN, create, attributes...)
}

func (b *batch) flushChain(name string) {
	b.add("flush chain "+name, unix.NFT_MSG_DELRULE, 0, text(unix.NFTA_RULE_TABLE, b.table), text(unix.NFTA_RULE_CHAIN, name))
}

func (b *batch) deleteChain(name string) {
	b.add("delete chain "+name, unix.NFT_MSG_DELCHAIN, 0, text(unix.NFTA_CHAIN_TABLE, b.table), text(unix.NFTA_CHAIN_NAME, name))
}

func (b *batch) addRules(c *chain) {
	for _, r := range c.rules {
		what := "add rule to " + c.name + ": " + r.text
		var list []netlink.Attribute
		for _, e := range r.exprs {
			data, err := expr.Marshal(unix.NFPROTO_IPV4, e)
			if err != nil && b.err == nil {
				b.err = fmt.Errorf("encode %s: %w", what, err)
			}
			list = append(list, netlink.Attribute{Type: unix.NLA_F_NESTED | unix.NFTA_LIST_ELEM, Data: data})
		}
		b.add(what, unix.NFT_MSG_NEWRULE, createLast,
			text(unix.NFTA_RULE_TABLE, b.table), text(unix.NFTA_RULE_CHAIN, c.name), nest(unix.NFTA_RULE_EXPRESSIONS, list...))
	}
}

func (b *batch) addSet(s *set) {
	b.sets++
	var flags, kind, size uint32
	for _, t := range s.key {
		kind, size = kind<<6|t.number, size+t.size
	}
	attributes := []netlink.Attribute{
		text(unix.NFTA_SET_TABLE, b.table), text(unix.NFTA_SET_NAME, s.name), word(unix.NFTA_SET_ID, b.sets),
		word(unix.NFTA_SET_KEY_TYPE, kind), word(unix.NFTA_SET_KEY_LEN, size),
	}
	if s.interval {
		flags |= unix.NFT_SET_INTERVAL
	}
	switch s.value {
	case dataType{}:
	case typeVerdict:
		flags |= unix.NFT_SET_MAP
		attributes = append(attributes, word(unix.NFTA_SET_DATA_TYPE, unix.NFT_DATA_VERDICT), word(unix.NFTA_SET_DATA_LEN, 16))
	default:
		flags |= unix.NFT_SET_MAP
		attributes = append(attributes, word(unix.NFTA_SET_DATA_TYPE, s.value.number), word(unix.NFTA_SET_DATA_LEN, s.value.size))
	}
	if len(s.key) == 1 && s.key[0] != typeAddress && s.key[0] != typeAddress6 {
		attributes = append(attributes, keyInHostOrder())
	}
	attributes = append(attributes, word(unix.NFTA_SET_FLAGS, flags))
	b.add("add set "+s.name, unix.NFT_MSG_NEWSET, create, attributes...)
}

func (b *batch) addCounter(name string) {
	b.add("add counter "+name, unix.NFT_MSG_NEWOBJ, create,
		text(unix.NFTA_OBJ_TABLE, b.table), text(unix.NFTA_OBJ_NAME, name), word(unix.NFTA_OBJ_TYPE, unix.NFT_OBJECT_COUNTER),
		nest(unix.NFTA_OBJ_DATA))
}

// keyInHostOrder lets those who list the set read its keys; the kernel does not care.
func keyInHostOrder() netlink.Attribute {
	return netlink.Attribute{Type: unix.NFTA_SET_USERDATA, Data: append([]byte{0, 4}, number(1)...)}
}

func (b *batch) deleteSet(name string) {
	b.add("delete set "+name, unix.NFT_MSG_DELSET, 0, text(unix.NFTA_SET_TABLE, b.table), text(unix.NFTA_SET_NAME, name))
}

func (b *batch) flushSet(name string) {
	b.add("flush set "+name, unix.NFT_MSG_DELSETELEM, 0, text(unix.NFTA_SET_ELEM_LIST_TABLE, b.table), text(unix.NFTA_SET_ELEM_LIST_SET, name))
}

func (b *batch) addElements(s *set, elements []element) {
	b.elements("add elements to ", s, elements, unix.NFT_MSG_NEWSETELEM, create)
}

func (b *batch) deleteElements(s *set, elements []element) {
	b.elements("delete elements from ", s, elements, unix.NFT_MSG_DELSETELEM, 0)
}

func (b *batch) elements(verb string, s *set, elements []element, kind, flags uint16) {
	for len(elements) > 0 {
		n := min(len(elements), elementsPerMessage)
		var list []netlink.Attribute
		for _, e := range elements[:n] {
			list = append(list, e.encode()...)
		}
		b.add(verb+s.name+" (first: "+elements[0].text+")", kind, flags,
			text(unix.NFTA_SET_ELEM_LIST_TABLE, b.table), text(unix.NFTA_SET_ELEM_LIST_SET, s.name),
			nest(unix.NFTA_SET_ELEM_LIST_ELEMENTS, list...))
		elements = elements[n:]
	}
}

// encode gives one element, or the two ends of an interval.
func (e *element) encode() []netlink.Attribute {
	parts := []netlink.Attribute{nest(unix.NFTA_SET_ELEM_KEY, netlink.Attribute{Type: unix.NFTA_DATA_VALUE, Data: e.key})}
	switch {
	case e.chain != "":
		parts = append(parts, nest(unix.NFTA_SET_ELEM_DATA, nest(unix.NFTA_DATA_VERDICT,
			word(unix.NFTA_VERDICT_CODE, uint32(e.verdict)), text(unix.NFTA_VERDICT_CHAIN, e.chain))))
	case e.value != nil:
		parts = append(parts, nest(unix.NFTA_SET_ELEM_DATA, netlink.Attribute{Type: unix.NFTA_DATA_VALUE, Data: e.value}))
	}
	out := []netlink.Attribute{nest(unix.NFTA_LIST_ELEM, parts...)}
	if e.end != nil {
		out = append(out, nest(unix.NFTA_LIST_ELEM,
			nest(unix.NFTA_SET_ELEM_KEY, netlink.Attribute{Type: unix.NFTA_DATA_VALUE, Data: e.end}),
			word(unix.NFTA_SET_ELEM_FLAGS, unix.NFT_SET_ELEM_INTERVAL_END)))
	}
	return out
}

func text(kind uint16, s string) netlink.Attribute {
	return netlink.Attribute{Type: kind, Data: append([]byte(s), 0)}
}

func word(kind uint16, v uint32) netlink.Attribute {
	return netlink.Attribute{Type: kind, Data: binary.BigEndian.AppendUint32(nil, v)}
}

// nest cannot fail but for length, which elementsPerMessage keeps in bounds.
func nest(kind uint16, attributes ...netlink.Attribute) netlink.Attribute {
	data, err := netlink.MarshalAttributes(attributes)
	if err != nil {
		panic(fmt.Sprintf("encode netlink attribute %d: %v", kind, err))
	}
	return netlink.Attribute{Type: kind | unix.NLA_F_NESTED, Data: data}
}

// appendMessage encodes a netfilter message. The resource number is used by the marks around a batch.
func appendMessage(buf []byte, kind, flags uint16, family byte, resource uint16, sequence uint32, data []byte) []byte {
	length := unix.NLMSG_HDRLEN + 4 + len(data)
	buf = binary.NativeEndian.AppendUint32(buf, uint32(length))
	buf = binary.NativeEndian.AppendUint16(buf, kind)
	buf = binary.NativeEndian.AppendUint16(buf, flags|unix.NLM_F_REQUEST)
	buf = binary.NativeEndian.AppendUint32(buf, sequence)
	buf = binary.NativeEndian.AppendUint32(buf, 0)
	buf = append(buf, family, unix.NFNETLINK_V0)
	buf = binary.BigEndian.AppendUint16(buf, resource)
	buf = append(buf, data...)
	for len(buf)%4 != 0 {
		buf = append(buf, 0)
	}
	return buf
}
