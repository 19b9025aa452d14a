package policy

import "strings"

// condition is one key of a Condition block: all conditions of a statement must hold.
type condition struct {
	operator string // as written: ForAnyValue:StringLikeIfExists
	keyText  string // as written
	key      string // lower case
	want     []string

	set      set
	ifExists bool
	null     bool // the operator Null, which has no tests
	negated  bool
	tests    []test // one for each of want
}

// set says how a condition treats a key with several values.
type set uint8

const (
	setNone set = iota
	setAll      // ForAllValues
	setAny      // ForAnyValue
)

// compileCondition compiles one key of one operator; false: there is no such operator.
func compileCondition(name, key string, values []string, s syntax) (condition, bool) {
	c := condition{operator: name, keyText: key, key: strings.ToLower(key), want: values}
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		name, c.set = rest, setAll
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		name, c.set = rest, setAny
	}
	if name == "Null" {
		c.null = true
		return c, true
	}
	name, c.ifExists = strings.CutSuffix(name, "IfExists")
	op, ok := findOperator(name)
	if !ok {
		return condition{}, false
	}
	c.negated = op.negated
	s.variables = s.variables && op.variables
	for _, v := range values {
		c.tests = append(c.tests, op.compile(v, s))
	}
	return c, true
}

// holds decides the condition. See the IAM guide, "Condition operators" and "Multivalued context keys".
func (c *condition) holds(r *request) bool {
	actual, present := r.Context[c.key]
	if c.null {
		return c.holdsNull(present)
	}
	if len(actual) == 0 {
		switch {
		case c.set == setAll:
			return true // of no values, all match
		case c.set == setAny:
			return false // of no values, none matches; IfExists changes nothing
		}
		// What is not there is not equal.
		return c.negated || c.ifExists
	}
	// A negated operator wants that none of the values equals, unless ForAnyValue asks for one that does not.
	all := c.set == setAll || c.set == setNone && c.negated
	for _, a := range actual {
		if c.matchesAny(a, r) != c.negated {
			if !all {
				return true
			}
		} else if all {
			return false
		}
	}
	return all
}

func (c *condition) holdsNull(present bool) bool {
	for _, w := range c.want {
		if absent, ok := parseBool(w); ok && absent != present {
			return true
		}
	}
	return false
}

func (c *condition) matchesAny(actual string, r *request) bool {
	for _, t := range c.tests {
		if t(actual, r) {
			return true
		}
	}
	return false
}

// narrowsCaller reports whether the condition pins down who calls or from where by fixed values, so that a
// statement for everybody is not public. The list is S3's, "The meaning of public".
func (c *condition) narrowsCaller() bool {
	if c.negated || c.null || c.ifExists || c.set == setAll {
		return false
	}
	switch c.key {
	case "aws:sourceip":
		for _, v := range c.want {
			if p, ok := parsePrefix(v); !ok || p.Bits() == 0 {
				return false
			}
		}
	case "aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:userid",
		"aws:username", "aws:sourcearn", "aws:sourceaccount", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn",
		"aws:vpceaccount", "s3:dataaccesspointarn", "s3:dataaccesspointaccount":
		for _, v := range c.want {
			if strings.ContainsAny(v, "*?") || strings.Contains(v, "${") {
				return false
			}
		}
	default:
		return false
	}
	return len(c.want) > 0
}
