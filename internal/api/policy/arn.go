package policy

import (
	"slices"
	"strings"
)

// segments is how many parts an ARN has: arn, partition, service, region, account, resource. Only the last may
// contain a colon.
const segments = 6

// arnPattern matches ARNs part by part, so that a wildcard never reaches over the colon that ends its part.
type arnPattern struct {
	all   bool // "*"
	parts []pattern
}

// compileARN compiles an ARN pattern; false: it is neither "*" nor of six parts, and would match nothing.
func compileARN(text string, s syntax) (arnPattern, bool) {
	if text == "*" {
		return arnPattern{all: true}, true
	}
	s.wildcards = true
	parts := splitParts(scan(text, s))
	if len(parts) != segments {
		return arnPattern{}, false
	}
	a := arnPattern{parts: make([]pattern, segments)}
	for i, p := range parts {
		a.parts[i] = newPattern(p)
	}
	return a, true
}

// splitParts cuts at the first five colons. A colon in a variable's name or value is none of them.
func splitParts(parts []part) [][]part {
	out := [][]part{nil}
	for _, p := range parts {
		for p.variable == "" && len(out) < segments {
			colon := slices.Index(p.runes, ':')
			if colon < 0 {
				break
			}
			last := len(out) - 1
			out[last] = append(out[last], part{runes: p.runes[:colon]})
			out = append(out, nil)
			p.runes = p.runes[colon+1:]
		}
		if p.variable != "" || len(p.runes) > 0 {
			last := len(out) - 1
			out[last] = append(out[last], p)
		}
	}
	for i := range out {
		if len(out[i]) == 0 {
			out[i] = []part{{}}
		}
	}
	return out
}

func (a *arnPattern) match(arn string, r *request) bool {
	if a.all {
		return true
	}
	if a.parts == nil {
		return false
	}
	for i := range segments - 1 {
		segment, rest, ok := strings.Cut(arn, ":")
		if !ok || !a.parts[i].match(segment, r) {
			return false
		}
		arn = rest
	}
	return a.parts[segments-1].match(arn, r)
}
