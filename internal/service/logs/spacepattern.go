package logs

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A pattern in brackets is for events whose fields have blanks between them: one part for each field, a name or
// conditions on it, and an ellipsis for any number of fields. See the CloudWatch Logs guide, "Filter pattern syntax".

const (
	maxFields  = 100
	anyFields  = "..."
	maxPattern = 1024 // as AWS bounds patterns
)

type fieldTest func(field string) bool

// parseSpacePattern reads a pattern such as [ip, user != "-", ..., status = 4*, bytes > 1000].
func parseSpacePattern(p string) (matcher, error) {
	inside, ok := strings.CutSuffix(strings.TrimPrefix(p, "["), "]")
	if !ok {
		return nil, errors.New("invalid filter pattern: a bracket is not closed")
	}
	parts, err := cutOutside(inside, ",")
	if err != nil || len(parts) > maxFields || len(p) > maxPattern {
		return nil, errors.Join(errors.New("invalid filter pattern: its fields cannot be told"), err)
	}
	var before, after []fieldTest
	open := false
	for _, part := range parts {
		part = strings.TrimSpace(part)
		if part == anyFields {
			if open {
				return nil, errors.New("invalid filter pattern: there is more than one ellipsis")
			}
			open = true
			continue
		}
		test, err := parseField(part)
		if err != nil {
			return nil, err
		}
		if open {
			after = append(after, test)
		} else {
			before = append(before, test)
		}
	}
	return func(message string) bool { return matchFields(splitFields(message), before, after, open) }, nil
}

func matchFields(fields []string, before, after []fieldTest, open bool) bool {
	if n := len(before) + len(after); len(fields) < n || !open && len(fields) != n {
		return false
	}
	for i, test := range before {
		if !test(fields[i]) {
			return false
		}
	}
	for i, test := range after {
		if !test(fields[len(fields)-len(after)+i]) {
			return false
		}
	}
	return true
}

// splitFields takes an event apart at blanks. What is in quotes or in brackets is one field, without them.
func splitFields(message string) []string {
	var fields []string
	for rest := strings.TrimSpace(message); rest != ""; rest = strings.TrimLeft(rest, " \t\r\n") {
		closing := ""
		switch rest[0] {
		case '"':
			closing = `"`
		case '[':
			closing = "]"
		}
		if closing != "" {
			if i := strings.Index(rest[1:], closing); i >= 0 {
				fields, rest = append(fields, rest[1:1+i]), rest[i+2:]
				continue
			}
		}
		end := strings.IndexAny(rest, " \t\r\n")
		if end < 0 {
			end = len(rest)
		}
		fields, rest = append(fields, rest[:end]), rest[end:]
	}
	return fields
}

// parseField reads a field's name, or conditions on it: alternatives of conditions that hold together.
func parseField(part string) (fieldTest, error) {
	alternatives, err := cutOutside(part, "||")
	if err != nil {
		return nil, err
	}
	var any []fieldTest
	for _, a := range alternatives {
		conditions, err := cutOutside(a, "&&")
		if err != nil {
			return nil, err
		}
		var all []fieldTest
		for _, c := range conditions {
			test, err := parseCondition(strings.TrimSpace(c))
			if err != nil {
				return nil, err
			}
			all = append(all, test)
		}
		any = append(any, func(field string) bool { return !slices.ContainsFunc(all, func(t fieldTest) bool { return !t(field) }) })
	}
	return func(field string) bool { return slices.ContainsFunc(any, func(t fieldTest) bool { return t(field) }) }, nil
}

func parseCondition(c string) (fieldTest, error) {
	end := strings.IndexFunc(c, func(r rune) bool { return !isWordRune(r) && r != '-' && r != '.' })
	if end < 0 {
		end = len(c)
	}
	name, rest := c[:end], strings.TrimSpace(c[end:])
	if rest == "" && name != "" {
		return func(string) bool { return true }, nil
	}
	for _, op := range []string{"!=", "<=", ">=", "=", "<", ">"} {
		want, ok := strings.CutPrefix(rest, op)
		if !ok {
			continue
		}
		if name == "" {
			break
		}
		return compareField(op, strings.TrimSpace(want))
	}
	return nil, fmt.Errorf("invalid filter pattern: '%s' is no condition on a field", c)
}

func compareField(op, want string) (fieldTest, error) {
	if op != "=" && op != "!=" {
		n, err := strconv.ParseFloat(want, 64)
		if err != nil {
			return nil, fmt.Errorf("invalid filter pattern: '%s' compares numbers only", op)
		}
		test := numberTest(op, n)
		return func(field string) bool {
			got, err := strconv.ParseFloat(field, 64)
			return err == nil && test(got, true)
		}, nil
	}
	if re, ok, err := parseRegexp(want); ok || err != nil {
		return func(field string) bool { return re.MatchString(field) == (op == "=") }, err
	}
	if strings.HasPrefix(want, `"`) {
		text, rest, err := cutQuoted(want)
		if err != nil || rest != "" {
			return nil, errors.Join(fmt.Errorf("invalid filter pattern: '%s' is no value", want), err)
		}
		want = text
	}
	if want == "" {
		return nil, errors.New("invalid filter pattern: a comparison needs a value")
	}
	test, err := textTest(op, want)
	return func(field string) bool { return test(field, true) }, err
}

// parseRegexp reads a regular expression between percent signs, if there is one.
func parseRegexp(text string) (re *regexp.Regexp, ok bool, err error) {
	if !strings.HasPrefix(text, "%") {
		return nil, false, nil
	}
	inside, closed := strings.CutSuffix(text[1:], "%")
	if !closed || inside == "" {
		return nil, false, errors.New("invalid filter pattern: a regular expression is not closed")
	}
	re, err = regexp.Compile(inside)
	if err != nil {
		return nil, false, fmt.Errorf("invalid filter pattern: %w", err)
	}
	return re, true, nil
}

// cutOutside splits a text at a separator that is neither in quotes nor in a regular expression.
func cutOutside(text, separator string) ([]string, error) {
	var out []string
	start, inside := 0, byte(0)
	for i := 0; i < len(text); i++ {
		switch {
		case inside != 0 && text[i] == '\\':
			i++
		case inside != 0:
			if text[i] == inside {
				inside = 0
			}
		case text[i] == '"' || text[i] == '%':
			inside = text[i]
		case strings.HasPrefix(text[i:], separator):
			out = append(out, text[start:i])
			start = i + len(separator)
			i = start - 1
		}
	}
	if inside != 0 {
		return nil, errors.New("invalid filter pattern: a quotation mark or a percent sign is not closed")
	}
	return append(out, text[start:]), nil
}
