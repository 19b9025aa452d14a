package linux

// difference is the one transaction that turns one ruleset into another. From nil, whatever the kernel has
// is replaced.
//
// The order matters: what is named must exist, and what goes must not be named any more. So: new sets, new
// chains, elements out, rules, elements in, then what is left over goes.
func difference(table string, have, want *ruleset) *batch {
	b := &batch{table: table}
	if have == nil {
		// Deleting needs something to delete.
		b.addTable()
		b.deleteTable()
		b.addTable()
		for _, name := range want.counters {
			b.addCounter(name)
		}
		have = &ruleset{}
	}
	haveSets, haveChains := indexSets(have), indexChains(have)
	wantSets, wantChains := indexSets(want), indexChains(want)
	for _, s := range want.sets {
		if haveSets[s.name] == nil {
			b.addSet(s)
		}
	}
	for _, c := range want.chains {
		if haveChains[c.name] == nil {
			b.addChain(c)
		}
	}
	for _, s := range have.sets {
		if w := wantSets[s.name]; w != nil {
			b.elementsOut(s, w)
		}
	}
	for _, c := range want.chains {
		h := haveChains[c.name]
		switch {
		case h == nil:
			b.addRules(c)
		case !h.sameRules(c):
			b.flushChain(c.name)
			b.addRules(c)
		}
	}
	for _, s := range want.sets {
		b.elementsIn(haveSets[s.name], s)
	}
	b.leftOver(have, wantSets, wantChains)
	return b
}

// elementsOut removes what changed, too: an element's value cannot be replaced.
func (b *batch) elementsOut(have, want *set) {
	if have.interval {
		// An interval set is small and its two-ended elements are easier replaced than removed.
		if !sameElements(have, want) && len(have.elements) > 0 {
			b.flushSet(have.name)
		}
		return
	}
	keep := elementTexts(want)
	var out []element
	for _, e := range have.elements {
		if !keep[e.text] {
			out = append(out, e)
		}
	}
	b.deleteElements(have, out)
}

func (b *batch) elementsIn(have, want *set) {
	if have == nil || want.interval && !sameElements(have, want) {
		b.addElements(want, want.elements)
		return
	}
	old := elementTexts(have)
	var in []element
	for _, e := range want.elements {
		if !old[e.text] {
			in = append(in, e)
		}
	}
	b.addElements(want, in)
}

// leftOver empties all chains that go before it removes the first, because they may name each other.
func (b *batch) leftOver(have *ruleset, sets map[string]*set, chains map[string]*chain) {
	for _, c := range have.chains {
		if chains[c.name] == nil && len(c.rules) > 0 {
			b.flushChain(c.name)
		}
	}
	for _, s := range have.sets {
		if sets[s.name] == nil {
			b.deleteSet(s.name)
		}
	}
	for _, c := range have.chains {
		if chains[c.name] == nil {
			b.deleteChain(c.name)
		}
	}
}

// sameKind reports whether one ruleset can be turned into the other by difference: sets keep their types and
// chains their hooks.
func sameKind(have, want *ruleset) bool {
	if have == nil {
		return true
	}
	sets, chains := indexSets(have), indexChains(have)
	for _, s := range want.sets {
		if h := sets[s.name]; h != nil && !h.sameShape(s) {
			return false
		}
	}
	for _, c := range want.chains {
		if h := chains[c.name]; h != nil && !h.sameHook(c) {
			return false
		}
	}
	return true
}

func sameElements(a, b *set) bool {
	if len(a.elements) != len(b.elements) {
		return false
	}
	texts := elementTexts(a)
	for _, e := range b.elements {
		if !texts[e.text] {
			return false
		}
	}
	return true
}

func elementTexts(s *set) map[string]bool {
	m := make(map[string]bool, len(s.elements))
	for _, e := range s.elements {
		m[e.text] = true
	}
	return m
}

func indexSets(r *ruleset) map[string]*set {
	m := make(map[string]*set, len(r.sets))
	for _, s := range r.sets {
		m[s.name] = s
	}
	return m
}

func indexChains(r *ruleset) map[string]*chain {
	m := make(map[string]*chain, len(r.chains))
	for _, c := range r.chains {
		m[c.name] = c
	}
	return m
}

// pieces cuts a batch that is too long for one message. Between two of them the network is neither as before
// nor as wanted, so it must be shut meanwhile.
func (b *batch) pieces(limit int) []*batch {
	var out []*batch
	piece, size := &batch{table: b.table}, 0
	for _, m := range b.messages {
		length := len(m.data) + 24
		if size+length > limit && len(piece.messages) > 0 {
			out, piece, size = append(out, piece), &batch{table: b.table}, 0
		}
		piece.messages = append(piece.messages, m)
		size += length
	}
	return append(out, piece)
}
