package logs

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// condition is a part of a JSON pattern. The value is an event, decoded with numbers as float64.
type condition func(event any) bool

// parseJSONPattern reads a pattern such as { $.status = 404 && ($.user.name = "al*" || $.x NOT EXISTS) }.
// Events that are not JSON objects do not match.
func parseJSONPattern(p string) (matcher, error) {
	inner, ok := strings.CutSuffix(strings.TrimPrefix(p, "{"), "}")
	if !ok {
		return nil, errors.New("invalid filter pattern: the closing brace is missing")
	}
	r := &jsonPatternReader{rest: inner}
	c, err := r.or(0)
	if err != nil {
		return nil, err
	}
	if r.space(); r.rest != "" {
		return nil, fmt.Errorf("invalid filter pattern: unexpected '%s'", r.rest)
	}
	return func(message string) bool {
		var event map[string]any
		return json.Unmarshal([]byte(message), &event) == nil && c(event)
	}, nil
}

// jsonPatternReader reads a pattern by descent: or, and, term.
type jsonPatternReader struct{ rest string }

func (r *jsonPatternReader) space() { r.rest = strings.TrimLeft(r.rest, " \t\r\n") }

func (r *jsonPatternReader) take(word string) bool {
	r.space()
	rest, ok := strings.CutPrefix(r.rest, word)
	if ok {
		r.rest = rest
	}
	return ok
}

// maxPatternDepth bounds the nesting of parentheses.
const maxPatternDepth = 32

func (r *jsonPatternReader) or(depth int) (condition, error) {
	left, err := r.and(depth)
	for err == nil && r.take("||") {
		a := left
		var b condition
		b, err = r.and(depth)
		left = func(v any) bool { return a(v) || b(v) }
	}
	return left, err
}

func (r *jsonPatternReader) and(depth int) (condition, error) {
	left, err := r.term(depth)
	for err == nil && r.take("&&") {
		a := left
		var b condition
		b, err = r.term(depth)
		left = func(v any) bool { return a(v) && b(v) }
	}
	return left, err
}

func (r *jsonPatternReader) term(depth int) (condition, error) {
	if r.take("(") {
		if depth == maxPatternDepth {
			return nil, errors.New("invalid filter pattern: parentheses are nested too deeply")
		}
		c, err := r.or(depth + 1)
		if err == nil && !r.take(")") {
			err = errors.New("invalid filter pattern: a parenthesis is not closed")
		}
		return c, err
	}
	steps, err := r.selector()
	if err != nil {
		return nil, err
	}
	test, err := r.comparison()
	if err != nil {
		return nil, err
	}
	return func(event any) bool {
		v, ok := selectValue(event, steps)
		return test(v, ok)
	}, nil
}

// selector reads $.a.b[0].c into its steps: strings and ints.
func (r *jsonPatternReader) selector() ([]any, error) {
	if !r.take("$") {
		return nil, fmt.Errorf("invalid filter pattern: expected a selector such as $.name at '%s'", r.rest)
	}
	var steps []any
	for {
		switch {
		case strings.HasPrefix(r.rest, "["):
			inside, rest, ok := strings.Cut(r.rest[1:], "]")
			if !ok {
				return nil, errors.New("invalid filter pattern: a bracket is not closed")
			}
			step, err := bracketStep(inside)
			if err != nil {
				return nil, err
			}
			steps, r.rest = append(steps, step), rest
		case strings.HasPrefix(r.rest, "."):
			name := r.rest[1:]
			if end := strings.IndexFunc(name, func(c rune) bool { return !isWordRune(c) && c != '-' }); end >= 0 {
				name = name[:end]
			}
			if name == "" {
				return nil, fmt.Errorf("invalid filter pattern: a name is missing at '%s'", r.rest)
			}
			steps, r.rest = append(steps, name), r.rest[1+len(name):]
		case len(steps) == 0:
			return nil, errors.New("invalid filter pattern: a selector needs a name after $")
		default:
			return steps, nil
		}
	}
}

func bracketStep(inside string) (any, error) {
	if n, err := strconv.Atoi(inside); err == nil && n >= 0 {
		return n, nil
	}
	if len(inside) > 2 && (inside[0] == '\'' || inside[0] == '"') && inside[len(inside)-1] == inside[0] {
		return inside[1 : len(inside)-1], nil
	}
	return nil, unsupportedPattern("the selector [" + inside + "]")
}

func selectValue(v any, steps []any) (any, bool) {
	for _, step := range steps {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			next, ok := m[step]
			if !ok {
				return nil, false
			}
			v = next
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil, false
			}
			v = l[step]
		}
	}
	return v, true
}

// valueTest tests what a selector found; ok is false if it found nothing.
type valueTest func(v any, ok bool) bool

func (r *jsonPatternReader) comparison() (valueTest, error) {
	switch {
	case r.take("IS NULL"):
		return func(v any, ok bool) bool { return ok && v == nil }, nil
	case r.take("IS TRUE"):
		return func(v any, ok bool) bool { return v == true }, nil
	case r.take("IS FALSE"):
		return func(v any, ok bool) bool { return v == false }, nil
	case r.take("NOT EXISTS"):
		return func(_ any, ok bool) bool { return !ok }, nil
	}
	for _, op := range []string{"!=", "<=", ">=", "=", "<", ">"} {
		if r.take(op) {
			return r.operand(op)
		}
	}
	return nil, fmt.Errorf("invalid filter pattern: expected a comparison at '%s'", r.rest)
}

func (r *jsonPatternReader) operand(op string) (valueTest, error) {
	r.space()
	if strings.HasPrefix(r.rest, `"`) {
		text, rest, err := cutQuoted(r.rest)
		if err != nil {
			return nil, err
		}
		r.rest = rest
		return textTest(op, text)
	}
	if strings.HasPrefix(r.rest, "%") {
		return r.regexp(op)
	}
	end := strings.IndexAny(r.rest, " \t\r\n()&|")
	if end < 0 {
		end = len(r.rest)
	}
	word := r.rest[:end]
	r.rest = r.rest[end:]
	switch {
	case word == "":
		return nil, errors.New("invalid filter pattern: a comparison needs a value")
	}
	if n, err := strconv.ParseFloat(word, 64); err == nil {
		return numberTest(op, n), nil
	}
	return textTest(op, word)
}

// regexp reads a regular expression between percent signs.
func (r *jsonPatternReader) regexp(op string) (valueTest, error) {
	end := strings.IndexByte(r.rest[1:], '%')
	if end < 0 || op != "=" && op != "!=" {
		return nil, fmt.Errorf("invalid filter pattern: expected a value at '%s'", r.rest)
	}
	re, _, err := parseRegexp(r.rest[:end+2])
	r.rest = r.rest[end+2:]
	return func(v any, _ bool) bool {
		text, ok := v.(string)
		return ok && re.MatchString(text) == (op == "=")
	}, err
}

func numberTest(op string, want float64) valueTest {
	return func(v any, _ bool) bool {
		got, ok := v.(float64)
		if !ok {
			return false
		}
		switch op {
		case "=":
			return got == want
		case "!=":
			return got != want
		case "<":
			return got < want
		case "<=":
			return got <= want
		case ">":
			return got > want
		}
		return got >= want
	}
}

// textTest compares texts; * stands for any characters.
func textTest(op, want string) (valueTest, error) {
	if op != "=" && op != "!=" {
		return nil, fmt.Errorf("invalid filter pattern: '%s' compares numbers only", op)
	}
	// Everything but the star is literal, slashes too: so they are made something that Match does not know.
	literal := strings.NewReplacer(`\`, `\\`, `[`, `\[`, `?`, `\?`, `/`, "\x00")
	glob := literal.Replace(want)
	return func(v any, _ bool) bool {
		got, ok := v.(string)
		if !ok {
			return false
		}
		matched, err := path.Match(glob, strings.ReplaceAll(got, "/", "\x00"))
		return (err == nil && matched) == (op == "=")
	}, nil
}
