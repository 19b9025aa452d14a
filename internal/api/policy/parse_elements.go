package policy

import (
	"fmt"
	"strings"
)

func (p *parser) actions(e map[string]*node, s *Statement) error {
	values, not, err := p.either(e, "Action")
	if err != nil {
		return err
	}
	if len(values) == 0 {
		return p.fail(flawNoAction, "", "there is no Action")
	}
	for _, v := range values {
		if !p.validAction(v) {
			return p.fail(flawAction, v, "action %q", v)
		}
		s.actions = append(s.actions, compilePattern(strings.ToLower(v), syntax{wildcards: true}))
	}
	if not {
		s.NotActions = values
	} else {
		s.Actions = values
	}
	return nil
}

func (p *parser) validAction(v string) bool {
	vendor, ok := vendorOf(v)
	switch {
	case p.kind == Trust:
		return strings.EqualFold(vendor, "sts")
	case v == "*" || v == "*:*":
		return true
	case !ok || vendor == "":
		return false
	case !p.identity() && strings.ContainsAny(v, " \t\r\n"):
		return false // IAM takes it, and it matches nothing
	}
	return strings.IndexFunc(vendor, func(r rune) bool { return r != '-' && notAlphanumeric(r) }) < 0
}

// vendorOf is the service's prefix of an action.
func vendorOf(action string) (string, bool) {
	vendor, _, ok := strings.Cut(action, ":")
	return vendor, ok
}

func (p *parser) resources(e map[string]*node, s *Statement) error {
	values, not, err := p.either(e, "Resource")
	if err != nil {
		return err
	}
	if p.kind == Trust {
		if e["Resource"] != nil || e["NotResource"] != nil {
			name := "Resource"
			if e["Resource"] == nil {
				name = "NotResource"
			}
			return p.fail(flawResourceForbidden, name, "the role that carries a trust policy is its resource")
		}
		return nil
	}
	if len(values) == 0 {
		return p.fail(flawNoResource, "", "there is no Resource")
	}
	for _, v := range values {
		a, ok := compileARN(v, p.syntax)
		if !ok || !a.plausible() {
			return p.fail(flawResource, v, "resource %q is neither an ARN nor *", v)
		}
		s.resources = append(s.resources, a)
	}
	if not {
		s.NotResources = values
	} else {
		s.Resources = values
	}
	return nil
}

// plausible reports whether the pattern may be of this partition: no other is valid here.
func (a *arnPattern) plausible() bool {
	return a.all || a.parts[0].is("arn") && a.parts[1].kind != patternVariable && a.parts[1].match("aws", nil)
}

// resourceARNMessage is IAM's text for what is no ARN.
func resourceARNMessage(resource string) string {
	parts := strings.SplitN(resource, ":", segments)
	switch {
	case len(parts) == 1:
		return fmt.Sprintf(`Resource %s must be in ARN format or "*".`, resource)
	case parts[0] == "arn" && len(parts) < segments:
		return "The policy failed legacy parsing"
	case parts[0] == "arn":
		return fmt.Sprintf("Partition %q is not valid for resource %q.", parts[1], resource)
	}
	// IAM reads what it has as if "arn" stood in the first place and fills up with wildcards.
	parts[0] = "arn"
	for len(parts) < segments {
		parts = append(parts, "*")
	}
	return fmt.Sprintf("Partition %q is not valid for resource %q.", parts[1], strings.Join(parts, ":"))
}

func (p *parser) conditions(e map[string]*node, s *Statement) error {
	block := e["Condition"]
	if block == nil {
		return nil
	}
	if block.kind != nodeObject {
		return p.fail(flawSyntax, "", "Condition is an object")
	}
	for _, operator := range block.members {
		if operator.value.kind != nodeObject {
			return p.fail(flawSyntax, "", "%s is an object of condition keys", operator.name)
		}
		for _, key := range operator.value.members {
			values, ok := key.value.scalars()
			if !ok || key.name == "" {
				return p.fail(flawSyntax, "", "%s %s has a value that is neither string, number nor boolean", operator.name, key.name)
			}
			c, ok := compileCondition(operator.name, key.name, values, p.syntax)
			if !ok {
				return p.fail(flawCondition, operator.name, "unknown condition operator %q", operator.name)
			}
			s.conditions = append(s.conditions, c)
		}
	}
	return nil
}

func (p *parser) principal(e map[string]*node, s *Statement) error {
	n, negated := e["Principal"], e["NotPrincipal"]
	switch {
	case p.identity() && (n != nil || negated != nil):
		return p.fail(flawPrincipalForbidden, "", "an identity's policy names no principal")
	case p.identity():
		return nil
	case n != nil && negated != nil:
		return p.fail(flawSyntax, "", "both Principal and NotPrincipal")
	case negated != nil && p.kind == Trust:
		return p.fail(flawNotPrincipal, string(s.Effect), "a trust policy has no NotPrincipal")
	case n == nil && negated == nil:
		return p.fail(flawNoPrincipal, "", "there is no Principal")
	}
	s.principals = &principals{gateway: p.kind == GatewayEndpoint}
	if negated != nil {
		n, s.principals.not = negated, true
	}
	if n.kind == nodeString && n.text == "*" {
		s.principals.any = true
		s.principals.text = []string{"*"}
		return nil
	}
	if n.kind == nodeNull || n.kind == nodeObject && len(n.members) == 0 {
		return p.fail(flawEmptyPrincipal, "", "Principal is empty")
	}
	if n.kind != nodeObject {
		return p.fail(flawPrincipal, "", `Principal is "*" or an object such as {"AWS": ...}`)
	}
	for _, m := range n.members {
		if err := p.principalValues(s.principals, m); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) principalValues(to *principals, m member) error {
	values, ok := m.value.strings()
	if !ok || len(values) == 0 {
		return p.fail(flawPrincipal, "", "%s is a string or a list of strings", m.name)
	}
	var add func(string) bool
	switch m.name {
	case "AWS":
		add = to.addAWS
	case "Service":
		add = to.addService
	case "Federated":
		// There are no federated identities here, so it matches nobody.
		add = func(v string) bool { return p.kind == Trust && v != "" }
	default:
		return p.fail(flawPrincipal, fmt.Sprintf(`: "%s"`, m.name), "%s is no kind of principal here", m.name)
	}
	for _, v := range values {
		if !add(v) {
			return p.fail(flawPrincipal, fmt.Sprintf(`: "%s":"%s"`, strings.ToUpper(m.name), v), "principal %s %q", m.name, v)
		}
		to.text = append(to.text, v)
	}
	return nil
}
