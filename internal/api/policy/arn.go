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

// splitARN is an ARN in its parts, for many patterns to look at.
type splitARN struct {
	parts [segments]string
	ok    bool // there are that many
}

func splitARNOf(arn string) splitARN {
	var out splitARN
	for i := range segments - 1 {
		part, rest, ok := strings.Cut(arn, ":")
		if !ok {
			return out
		}
		out.parts[i], arn = part, rest
	}
	out.parts[segments-1], out.ok = arn, true
	return out
}

func (a *arnPattern) match(arn string, r *request) bool {
	split := splitARNOf(arn)
	return a.matchSplit(&split, r)
}

// matchSplit begins at the end, where ARNs differ most.
func (a *arnPattern) matchSplit(arn *splitARN, r *request) bool {
	if a.all {
		return true
	}
	if a.parts == nil || !arn.ok {
		return false
	}
	for i := segments - 1; i >= 0; i-- {
		if !a.parts[i].match(arn.parts[i], r) {
			return false
		}
	}
	return true
}
