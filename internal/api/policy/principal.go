package policy

import "strings"

// principals is a compiled Principal or NotPrincipal element.
type principals struct {
	not      bool
	any      bool // "*" or {"AWS": "*"}
	gateway  bool // of a gateway endpoint's policy: accounts are their roots, and roles match nothing
	accounts []string
	arns     []string // of roles, sessions and users
	services []string
	text     []string
}

// addAWS adds one value of {"AWS": ...}; false: it is no principal.
func (p *principals) addAWS(v string) bool {
	switch {
	case v == "*":
		p.any = true
		return true
	case isAccount(v):
		p.accounts = append(p.accounts, v)
		return true
	}
	parts := strings.SplitN(v, ":", segments)
	if len(parts) != segments || parts[0] != "arn" || parts[1] != "aws" || parts[3] != "" || !isAccount(parts[4]) {
		return false
	}
	if strings.ContainsAny(parts[5], "*?") { // wildcards stand alone or not at all
		return false
	}
	if parts[2] == "iam" && parts[5] == "root" {
		p.accounts = append(p.accounts, parts[4])
		return true
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	if name == "" {
		return false
	}
	switch parts[2] + ":" + kind {
	case "iam:role", "iam:user":
	case "sts:assumed-role":
		if role, session, _ := strings.Cut(name, "/"); role == "" || session == "" {
			return false
		}
	default:
		return false
	}
	p.arns = append(p.arns, v)
	return true
}

// serviceLinked reports whether the principal is a session of a role that belongs to a service.
func (p Principal) serviceLinked() bool {
	return strings.Contains(p.RoleARN, ":role/aws-service-role/")
}

// addService adds one value of {"Service": ...}; false: it is no service's name.
func (p *principals) addService(v string) bool {
	name, ok := strings.CutSuffix(v, ".amazonaws.com")
	if !ok || name == "" || strings.ContainsAny(name, "*?:/ ") {
		return false
	}
	p.services = append(p.services, v)
	return true
}

func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// grant is how directly a statement names the one who asks. It matters for Allow alone.
type grant uint8

const (
	grantNone    grant = iota
	grantAccount       // the account is named: its principals need permission by identity as well
	grantRole          // the role is named: its boundary and the session's policy still limit
	grantSession       // the session or user itself, or everybody
)

// grants says how the element names the principal; NotPrincipal names everybody whom it does not list.
func (p *principals) grants(who Principal) grant {
	switch {
	case p.not:
		if p.match(who, Allow) {
			return grantSession
		}
		return grantNone
	case p.any:
		return grantSession
	case who.Service != "":
		if contains(p.services, who.Service) {
			return grantSession
		}
		return grantNone
	case who.Anonymous:
		return grantNone
	}
	switch {
	case !p.gateway && who.ARN != "" && contains(p.arns, who.ARN):
		return grantSession
	case !p.gateway && who.RoleARN != "" && contains(p.arns, who.RoleARN):
		return grantRole
	case contains(p.accounts, who.Account) && (!p.gateway || who.Root):
		return grantAccount
	}
	return grantNone
}

// match reports whether a statement of that effect applies to the principal.
//
// NotPrincipal spares a session from a Deny only if it lists the session, its role and its account, as the IAM
// guide demands, and a user only if it lists the user and the account; one is enough to keep it out of an Allow.
func (p *principals) match(who Principal, e Effect) bool {
	if !p.not {
		return p.grants(who) != grantNone
	}
	if p.any {
		return false
	}
	if who.Service != "" {
		return !contains(p.services, who.Service)
	}
	if who.Anonymous {
		return true
	}
	listed, facets := 0, 1
	if contains(p.accounts, who.Account) {
		listed++
	}
	if !who.Root {
		facets++
		if who.RoleARN != "" {
			facets++
		}
		if who.RoleARN != "" && contains(p.arns, who.RoleARN) {
			listed++
		}
		if contains(p.arns, who.ARN) {
			listed++
		}
	}
	if e == Deny {
		return listed < facets
	}
	return listed == 0
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
