package linux

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A ruleset is one nftables table. Two of them are compared by name and text.
type ruleset struct {
	sets     []*set   // ordered by name
	chains   []*chain // base chains first, then the others by name
	counters []string // named counters; they never change
}

// A set is a set or, with values, a map.
type set struct {
	name     string
	key      []dataType // more than one: concatenated
	value    dataType   // zero for a set
	interval bool
	elements []element // ordered as planned
}

// An element's text is its identity.
type element struct {
	text    string // key, and value of a map
	key     []byte
	end     []byte // first address after an interval; nil if it has no end
	value   []byte
	verdict expr.VerdictKind // for verdict maps, with chain
	chain   string
}

// A chain is a list of rules. Base chains have a hook.
type chain struct {
	name  string
	base  *hook
	rules []rule
}

// A hook is where in the kernel a base chain runs.
type hook struct {
	kind     string // filter, nat
	name     string
	number   uint32
	priority int32
	policy   expr.VerdictKind
}

// A dataType is the type of a key or value.
type dataType struct {
	name   string
	number uint32 // for those who list the rules
	size   uint32
}

var (
	typeInterface = dataType{"ifname", nftables.TypeIFName.GetNFTMagic(), unix.IFNAMSIZ}
	typeGroup     = dataType{"devgroup", nftables.TypeDevGroup.GetNFTMagic(), 4}
	typeMark      = dataType{"mark", nftables.TypeMark.GetNFTMagic(), 4}
	typeAddress   = dataType{"ipv4_addr", nftables.TypeIPAddr.GetNFTMagic(), 4}
	typeAddress6  = dataType{"ipv6_addr", nftables.TypeIP6Addr.GetNFTMagic(), 16}
	typeVerdict   = dataType{"verdict", unix.NFT_DATA_VERDICT, 0}
)

func prerouting(kind string, priority int32) *hook {
	return &hook{kind, "prerouting", unix.NF_INET_PRE_ROUTING, priority, expr.VerdictAccept}
}

func postrouting(kind string, priority int32) *hook {
	return &hook{kind, "postrouting", unix.NF_INET_POST_ROUTING, priority, expr.VerdictAccept}
}

func forward(priority int32, policy expr.VerdictKind) *hook {
	return &hook{"filter", "forward", unix.NF_INET_FORWARD, priority, policy}
}

func input(policy expr.VerdictKind) *hook {
	return &hook{"filter", "input", unix.NF_INET_LOCAL_IN, 0, policy}
}

func output(policy expr.VerdictKind) *hook {
	return &hook{"filter", "output", unix.NF_INET_LOCAL_OUT, 0, policy}
}

// sort brings a ruleset into its one form: no element twice, one order. Base chains stay as planned: their order tells the packet's way.
func (r *ruleset) sort() {
	for _, s := range r.sets {
		seen := map[string]bool{}
		s.elements = slices.DeleteFunc(s.elements, func(e element) bool {
			twice := seen[e.text]
			seen[e.text] = true
			return twice
		})
	}
	slices.SortFunc(r.sets, func(a, b *set) int { return strings.Compare(a.name, b.name) })
	slices.SortStableFunc(r.chains, func(a, b *chain) int {
		switch {
		case a.base != nil && b.base != nil:
			return 0
		case a.base != nil:
			return -1
		case b.base != nil:
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
}

// String is the ruleset as `nft list table` would show it, more or less.
func (r *ruleset) String() string {
	var b strings.Builder
	for _, s := range r.sets {
		s.write(&b)
	}
	for _, c := range r.chains {
		fmt.Fprintf(&b, "chain %s {\n", c.name)
		if c.base != nil {
			fmt.Fprintf(&b, "\ttype %s hook %s priority %d; policy %s;\n", c.base.kind, c.base.name, c.base.priority, policyName(c.base.policy))
		}
		for _, r := range c.rules {
			fmt.Fprintf(&b, "\t%s\n", r.text)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func (s *set) write(b *strings.Builder) {
	kind, types := "set", s.typeName()
	if s.value != (dataType{}) {
		kind, types = "map", types+" : "+s.value.name
	}
	fmt.Fprintf(b, "%s %s { type %s;", kind, s.name, types)
	if s.interval {
		b.WriteString(" flags interval;")
	}
	if len(s.elements) > 0 {
		texts := make([]string, len(s.elements))
		for i, e := range s.elements {
			texts[i] = e.text
		}
		fmt.Fprintf(b, " elements = { %s };", strings.Join(texts, ", "))
	}
	b.WriteString(" }\n")
}

func (s *set) typeName() string {
	names := make([]string, len(s.key))
	for i, t := range s.key {
		names[i] = t.name
	}
	return strings.Join(names, " . ")
}

// sameShape reports whether the sets differ in elements at most.
func (s *set) sameShape(o *set) bool {
	return slices.Equal(s.key, o.key) && s.value == o.value && s.interval == o.interval
}

func (c *chain) sameRules(o *chain) bool {
	return slices.EqualFunc(c.rules, o.rules, func(a, b rule) bool { return a.text == b.text })
}

// sameHook reports whether the chains are hooked alike.
func (c *chain) sameHook(o *chain) bool {
	if c.base == nil || o.base == nil {
		return c.base == o.base
	}
	return *c.base == *o.base
}

func policyName(v expr.VerdictKind) string {
	if v == expr.VerdictAccept {
		return "accept"
	}
	return "drop"
}
