package wire

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a form. They are far above what any AWS operation takes.
const (
	maxPairs = 10_000
	maxDepth = 16
	maxIndex = 1_000
)

// node is a part of a form's tree: the key A.1.B is the child B of the child 1 of the child A.
type node struct {
	key      string // in full
	value    *string
	children map[string]*node
	used     bool
}

// parseForm makes a tree of the query string and the body.
func parseForm(r *Request) (*node, error) {
	if r.form != nil {
		return r.form, nil
	}
	root := &node{}
	text := r.HTTP.URL.RawQuery
	if len(r.Body) > 0 {
		media, _, _ := strings.Cut(r.HTTP.Header.Get("Content-Type"), ";")
		if media = strings.TrimSpace(media); media != "" && !strings.EqualFold(media, "application/x-www-form-urlencoded") {
			return nil, fmt.Errorf("the content type %q is not that of a form", media)
		}
		text += "&" + string(r.Body)
	}
	if strings.Count(text, "&") > maxPairs {
		return nil, errors.New("the form has too many parameters")
	}
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		if err := root.add(pair); err != nil {
			return nil, err
		}
	}
	r.form = root
	return root, nil
}

// add puts a pair name=value into the tree.
func (n *node) add(pair string) error {
	name, value, _ := strings.Cut(pair, "=")
	key, err := unescapeForm(name)
	if err != nil {
		return err
	}
	if strings.HasPrefix(key, "X-Amz-") {
		return nil // a signature in the query; read before
	}
	text, err := unescapeForm(value)
	if err != nil {
		return err
	}
	parts := strings.Split(key, ".")
	if len(parts) > maxDepth {
		return errors.New("a parameter is nested too deeply")
	}
	for i, part := range parts {
		if part == "" {
			return fmt.Errorf("the parameter name %q is malformed", key)
		}
		n = n.child(part, strings.Join(parts[:i+1], "."))
	}
	if n.value != nil {
		return fmt.Errorf("the parameter %s occurs more than once", key)
	}
	n.value = &text
	return nil
}

func (n *node) child(name, key string) *node {
	c := n.children[name]
	if c == nil {
		c = &node{key: key}
		if n.children == nil {
			n.children = map[string]*node{}
		}
		n.children[name] = c
	}
	return c
}

func unescapeForm(s string) (string, error) {
	text, err := url.QueryUnescape(s)
	if err != nil || !utf8.ValidString(text) {
		return "", errors.New("the query string is malformed")
	}
	return text, nil
}

// take returns the text of a child without children, and marks it as used.
func (n *node) take(name string) string {
	c := n.children[name]
	if c == nil || c.value == nil {
		return ""
	}
	c.used = true
	return *c.value
}

// list returns the children 1, 2, ... in order. Gaps are fine, as they are to AWS.
func (n *node) list() ([]*node, error) {
	type numbered struct {
		index int
		node  *node
	}
	var found []numbered
	for name, c := range n.children {
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i > maxIndex || strconv.Itoa(i) != name {
			return nil, fmt.Errorf("%s is not an index between 1 and %d", c.key, maxIndex)
		}
		found = append(found, numbered{i, c})
	}
	slices.SortFunc(found, func(a, b numbered) int { return cmp.Compare(a.index, b.index) })
	var out []*node
	for _, f := range found {
		out = append(out, f.node)
	}
	return out, nil
}

// unused returns the first key, in alphabetical order, whose value nobody took; empty: all were taken.
func (n *node) unused() string {
	if n.value != nil && !n.used {
		return n.key
	}
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		if key := n.children[name].unused(); key != "" {
			return key
		}
	}
	return ""
}
