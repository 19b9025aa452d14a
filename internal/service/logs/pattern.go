package logs

import (
	"fmt"
	"strings"
)

// matcher decides whether an event's message matches a filter pattern.
type matcher func(message string) bool

// parsePattern reads a filter pattern; nil matches everything. Known are terms (a b), phrases ("a b"),
// exclusions (-a), alternatives (?a ?b), a regular expression (%a.*b%), fields between blanks ([a, b = 1, ...]) and
// conditions on JSON events ({ $.a = 1 }). Anything else is an error,
// because a pattern that is misread would hide events.
func parsePattern(pattern string) (matcher, error) {
	p := strings.TrimSpace(pattern)
	switch {
	case p == "":
		return nil, nil
	case strings.HasPrefix(p, "{"):
		return parseJSONPattern(p)
	case strings.HasPrefix(p, "["):
		return parseSpacePattern(p)
	case strings.HasPrefix(p, "%"):
		re, _, err := parseRegexp(p)
		if err != nil {
			return nil, err
		}
		return re.MatchString, nil
	}
	return parseTerms(p)
}

func unsupportedPattern(what string) error {
	return fmt.Errorf("culvert does not support %s in filter patterns", what)
}

// terms is a pattern for unstructured events. Matching is by substring and minds the case.
type terms struct{ all, any, none []string }

func parseTerms(p string) (matcher, error) {
	var t terms
	for p != "" {
		list := &t.all
		switch p[0] {
		case '-':
			list, p = &t.none, p[1:]
		case '?':
			list, p = &t.any, p[1:]
		}
		term, rest, err := cutTerm(p)
		if err != nil {
			return nil, err
		}
		*list = append(*list, term)
		p = strings.TrimLeft(rest, " \t")
	}
	if len(t.any) > 0 && len(t.all)+len(t.none) > 0 {
		return nil, unsupportedPattern("terms with ? beside terms without")
	}
	return t.match, nil
}

func cutTerm(p string) (term, rest string, err error) {
	if strings.HasPrefix(p, `"`) {
		return cutQuoted(p)
	}
	end := strings.IndexAny(p, " \t")
	if end < 0 {
		end = len(p)
	}
	term, rest = p[:end], p[end:]
	// AWS wants everything but letters, digits and underscores in quotes, and so says of such a term.
	if i := strings.IndexFunc(term, func(r rune) bool { return !isWordRune(r) }); term == "" || i >= 0 {
		return "", "", fmt.Errorf("invalid character(s) in term '%s'", term)
	}
	return term, rest, nil
}

func isWordRune(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127
}

// cutQuoted cuts a text in double quotes off p; a backslash takes the next character literally.
func cutQuoted(p string) (text, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(p); i++ {
		switch p[i] {
		case '"':
			return b.String(), p[i+1:], nil
		case '\\':
			i++
			if i == len(p) {
				break
			}
			fallthrough
		default:
			b.WriteByte(p[i])
		}
	}
	return "", "", fmt.Errorf("invalid filter pattern: a quotation mark is not closed")
}

func (t terms) match(message string) bool {
	for _, s := range t.all {
		if !strings.Contains(message, s) {
			return false
		}
	}
	for _, s := range t.none {
		if strings.Contains(message, s) {
			return false
		}
	}
	for _, s := range t.any {
		if strings.Contains(message, s) {
			return true
		}
	}
	return len(t.any) == 0
}
