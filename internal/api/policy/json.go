package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxDepth is more than any policy needs: document, statements, statement, condition, operator, values.
const maxDepth = 10

// node is a JSON value that keeps what encoding/json forgets: the order of members and that one came twice.
type node struct {
	kind    nodeKind
	members []member
	items   []node
	text    string // of a string, number or boolean
	from    int64  // where an object begins in the text, in bytes
	to      int64  // and what follows it
}

type member struct {
	name  string
	value node
}

type nodeKind uint8

const (
	nodeNull nodeKind = iota
	nodeObject
	nodeArray
	nodeString
	nodeNumber
	nodeBool
)

// readJSON reads one JSON value and nothing behind it. It refuses a name that comes twice in an object, because
// readers differ in which of the two they believe.
func readJSON(text []byte) (node, error) {
	if !utf8.Valid(text) {
		return node{}, errors.New("not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	n, err := readNode(dec, 0)
	if err != nil {
		return node{}, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return node{}, errors.New("more text after the end")
	}
	return n, nil
}

func readNode(dec *json.Decoder, depth int) (node, error) {
	t, err := dec.Token()
	if err != nil {
		return node{}, err
	}
	switch v := t.(type) {
	case string:
		return node{kind: nodeString, text: v}, nil
	case json.Number:
		return node{kind: nodeNumber, text: v.String()}, nil
	case bool:
		return node{kind: nodeBool, text: fmt.Sprint(v)}, nil
	case json.Delim:
		if depth == maxDepth {
			return node{}, errors.New("nested too deeply")
		}
		if v == '{' {
			return readObject(dec, depth)
		}
		return readArray(dec, depth)
	}
	return node{kind: nodeNull}, nil
}

func readObject(dec *json.Decoder, depth int) (node, error) {
	n := node{kind: nodeObject, from: dec.InputOffset() - 1}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return node{}, err
		}
		name, ok := t.(string)
		if !ok {
			return node{}, errors.New("a member without a name")
		}
		if seen[name] {
			return node{}, fmt.Errorf("%q comes twice", name)
		}
		seen[name] = true
		v, err := readNode(dec, depth+1)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name, v})
	}
	_, err := dec.Token()
	n.to = dec.InputOffset()
	return n, err
}

func readArray(dec *json.Decoder, depth int) (node, error) {
	n := node{kind: nodeArray}
	for dec.More() {
		v, err := readNode(dec, depth+1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, v)
	}
	_, err := dec.Token()
	return n, err
}

// strings returns a string or an array of strings.
func (n *node) strings() ([]string, bool) {
	if n.kind == nodeString {
		return []string{n.text}, true
	}
	if n.kind != nodeArray {
		return nil, false
	}
	var out []string
	for _, item := range n.items {
		if item.kind != nodeString {
			return nil, false
		}
		out = append(out, item.text)
	}
	return out, true
}

// scalars is strings, but numbers and booleans are welcome too, as in condition values.
func (n *node) scalars() ([]string, bool) {
	items := n.items
	if n.kind != nodeArray {
		items = []node{*n}
	}
	var out []string
	for _, item := range items {
		switch item.kind {
		case nodeString, nodeNumber, nodeBool:
			out = append(out, item.text)
		default:
			return nil, false
		}
	}
	return out, true
}
