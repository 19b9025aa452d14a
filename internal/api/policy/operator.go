package policy

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// operator is one condition operator without ForAllValues, ForAnyValue and IfExists.
type operator struct {
	negated   bool
	variables bool // policy variables are expanded in its values
	// compile makes the test of one value of the policy. A value that does not make sense for the operator, such
	// as NumericEquals "x", compiles to a test that nothing passes.
	compile func(value string, s syntax) test
}

// test says whether a value of the request passes.
type test func(actual string, r *request) bool

func never(string, *request) bool { return false }

// findOperator finds an operator by its name in the policy.
func findOperator(name string) (operator, bool) {
	if op, ok := findText(name); ok {
		return op, true
	}
	if rest, ok := strings.CutPrefix(name, "Numeric"); ok {
		return findOrder(rest, numberTest)
	}
	if rest, ok := strings.CutPrefix(name, "Date"); ok {
		return findOrder(rest, dateTest)
	}
	switch name {
	case "Bool":
		return operator{compile: boolTest}, true
	case "IpAddress":
		return operator{compile: addressTest}, true
	case "NotIpAddress":
		return operator{compile: addressTest, negated: true}, true
	case "BinaryEquals":
		// Both sides are base64 text.
		return operator{compile: exactTest}, true
	}
	return operator{}, false
}

func findText(name string) (operator, bool) {
	op := operator{variables: true, negated: strings.Contains(name, "Not")}
	switch name {
	case "StringEquals", "StringNotEquals":
		op.compile = exactTest
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		op.compile = foldTest
	case "StringLike", "StringNotLike":
		op.compile = likeTest
	case "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike":
		op.compile = arnTest // AWS matches wildcards with both
	default:
		return operator{}, false
	}
	return op, true
}

// findOrder finds the six comparisons that numbers and dates share.
func findOrder(name string, compile func(accept func(int) bool) func(string, syntax) test) (operator, bool) {
	var accept func(order int) bool
	switch name {
	case "Equals", "NotEquals":
		accept = func(o int) bool { return o == 0 }
	case "LessThan":
		accept = func(o int) bool { return o < 0 }
	case "LessThanEquals":
		accept = func(o int) bool { return o <= 0 }
	case "GreaterThan":
		accept = func(o int) bool { return o > 0 }
	case "GreaterThanEquals":
		accept = func(o int) bool { return o >= 0 }
	default:
		return operator{}, false
	}
	return operator{negated: name == "NotEquals", compile: compile(accept)}, true
}

func exactTest(value string, s syntax) test {
	p := compilePattern(value, syntax{variables: s.variables})
	return p.match
}

func foldTest(value string, s syntax) test {
	p := compilePattern(value, syntax{variables: s.variables})
	if p.kind == patternExact {
		return func(actual string, _ *request) bool { return strings.EqualFold(actual, p.text) }
	}
	return func(actual string, r *request) bool {
		want, ok := p.expand(r)
		return ok && strings.EqualFold(actual, string(want))
	}
}

func likeTest(value string, s syntax) test {
	p := compilePattern(value, syntax{variables: s.variables, wildcards: true})
	return p.match
}

func arnTest(value string, s syntax) test {
	p, ok := compileARN(value, s)
	if !ok {
		return never
	}
	return p.match
}

func numberTest(accept func(int) bool) func(string, syntax) test {
	return func(value string, _ syntax) test {
		want, err := strconv.ParseFloat(value, 64)
		if err != nil || want != want { // NaN compares with nothing
			return never
		}
		return func(actual string, _ *request) bool {
			got, err := strconv.ParseFloat(actual, 64)
			if err != nil || got != got {
				return false
			}
			switch {
			case got < want:
				return accept(-1)
			case got > want:
				return accept(1)
			}
			return accept(0)
		}
	}
}

func dateTest(accept func(int) bool) func(string, syntax) test {
	return func(value string, _ syntax) test {
		want, ok := parseDate(value)
		if !ok {
			return never
		}
		return func(actual string, _ *request) bool {
			got, ok := parseDate(actual)
			return ok && accept(got.Compare(want))
		}
	}
}

// parseDate reads the W3C forms of ISO 8601 and seconds since 1970.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	if len(s) == 4 {
		if t, err := time.Parse("2006", s); err == nil {
			return t, true
		}
	}
	seconds, err := strconv.ParseFloat(s, 64)
	if err != nil || seconds != seconds || seconds < -1e15 || seconds > 1e15 {
		return time.Time{}, false
	}
	whole := int64(seconds)
	return time.Unix(whole, int64((seconds-float64(whole))*1e9)).UTC(), true
}

func boolTest(value string, _ syntax) test {
	want, ok := parseBool(value)
	if !ok {
		return never
	}
	return func(actual string, _ *request) bool {
		got, ok := parseBool(actual)
		return ok && got == want
	}
}

func parseBool(s string) (value, ok bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

func addressTest(value string, _ syntax) test {
	want, ok := parsePrefix(value)
	if !ok {
		return never
	}
	return func(actual string, _ *request) bool {
		got, err := netip.ParseAddr(actual)
		return err == nil && want.Contains(got.Unmap())
	}
}

func parsePrefix(s string) (netip.Prefix, bool) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err == nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen()), true
}
