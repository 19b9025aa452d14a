package policy

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Wildcards as they stand in a compiled pattern. No rune is negative.
const (
	star rune = -1 // any number of characters
	one  rune = -2 // one character
)

// pattern is text with wildcards and policy variables, compiled once.
//
// What a variable stands for is always literal: a session name cannot smuggle in a wildcard.
type pattern struct {
	kind  patternKind
	text  string // patternExact: the whole; patternPrefix: what stands before the star
	parts []part // patternGlob has one part without variable
}

type patternKind uint8

const (
	patternGlob patternKind = iota
	patternExact
	patternPrefix
	patternVariable // has variables: expanded for each request
)

// part is literal runes and wildcards, or one variable.
type part struct {
	runes    []rune
	variable string  // lower-case condition key; empty: runes
	fallback *string // what stands for an absent variable; nil: the pattern then matches nothing
}

// syntax says what a pattern's text may contain.
type syntax struct {
	wildcards bool
	variables bool // Version 2012-10-17 only
}

func compilePattern(text string, s syntax) pattern { return newPattern(scan(text, s)) }

// scan splits text into parts.
func scan(text string, s syntax) []part {
	var parts []part
	var runes []rune
	for i := 0; i < len(text); {
		if s.variables && strings.HasPrefix(text[i:], "${") {
			if p, n, ok := scanVariable(text[i:]); ok {
				i += n
				if p.variable == "" { // an escape: ${*}
					runes = append(runes, p.runes...)
					continue
				}
				if len(runes) > 0 {
					parts = append(parts, part{runes: runes})
					runes = nil
				}
				parts = append(parts, p)
				continue
			}
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		switch {
		case s.wildcards && r == '*':
			r = star
		case s.wildcards && r == '?':
			r = one
		}
		runes = append(runes, r)
	}
	if len(runes) > 0 || len(parts) == 0 {
		parts = append(parts, part{runes: runes})
	}
	return parts
}

// scanVariable reads ${key}, ${key, 'default'} or an escape, ${*}, ${?}, ${$}, at the start of text.
func scanVariable(text string) (p part, length int, ok bool) {
	end := strings.IndexByte(text, '}')
	if end < 0 {
		return part{}, 0, false
	}
	inner := text[2:end]
	switch inner {
	case "*", "?", "$":
		return part{runes: []rune(inner)}, end + 1, true
	}
	key, rest, hasDefault := strings.Cut(inner, ",")
	p.variable = strings.ToLower(strings.TrimSpace(key))
	if p.variable == "" {
		return part{}, 0, false
	}
	if hasDefault {
		rest = strings.TrimSpace(rest)
		if len(rest) < 2 || rest[0] != '\'' || rest[len(rest)-1] != '\'' {
			return part{}, 0, false
		}
		d := rest[1 : len(rest)-1]
		p.fallback = &d
	}
	return p, end + 1, true
}

// newPattern chooses the cheapest way to match the parts.
func newPattern(parts []part) pattern {
	for _, p := range parts {
		if p.variable != "" {
			return pattern{kind: patternVariable, parts: parts}
		}
	}
	runes := parts[0].runes
	wild := slices.IndexFunc(runes, func(r rune) bool { return r < 0 })
	switch {
	case wild < 0:
		return pattern{kind: patternExact, text: string(runes)}
	case wild == len(runes)-1 && runes[wild] == star:
		return pattern{kind: patternPrefix, text: string(runes[:wild])}
	}
	return pattern{kind: patternGlob, parts: parts}
}

// is reports whether the pattern is that text and nothing else.
func (p *pattern) is(text string) bool { return p.kind == patternExact && p.text == text }

func (p *pattern) match(s string, r *request) bool {
	switch p.kind {
	case patternExact:
		return s == p.text
	case patternPrefix:
		return strings.HasPrefix(s, p.text)
	case patternGlob:
		return glob(p.parts[0].runes, s)
	}
	runes, ok := p.expand(r)
	return ok && glob(runes, s)
}

// expand puts the request's values for the variables, false if one has none: such a pattern matches nothing. What it
// returns is good until the next call.
func (p *pattern) expand(r *request) ([]rune, bool) {
	out := r.expanded[:0]
	for i := range p.parts {
		part := &p.parts[i]
		if part.variable == "" {
			out = append(out, part.runes...)
			continue
		}
		values := r.Context[part.variable]
		switch {
		case len(values) == 1:
			out = appendRunes(out, values[0])
		case len(values) == 0 && part.fallback != nil:
			out = appendRunes(out, *part.fallback)
		default: // absent, or a list, which a variable cannot stand for
			return nil, false
		}
	}
	r.expanded = out
	return out, true
}

func appendRunes(to []rune, text string) []rune {
	for _, c := range text {
		to = append(to, c)
	}
	return to
}

// glob matches greedily with one point to go back to, so it is never exponential.
func glob(pattern []rune, s string) bool {
	p, i := 0, 0
	backPattern, back := -1, 0
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case p < len(pattern) && pattern[p] == star:
			backPattern, back = p, i
			p++
			continue
		case p < len(pattern) && (pattern[p] == one || pattern[p] == r):
			p++
			i += n
			continue
		case backPattern < 0:
			return false
		}
		_, n = utf8.DecodeRuneInString(s[back:])
		back += n
		p, i = backPattern+1, back
	}
	for p < len(pattern) && pattern[p] == star {
		p++
	}
	return p == len(pattern)
}
