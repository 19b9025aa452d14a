package iam

import (
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/state"
)

// scenario is what the two simulations' requests have in common.
type scenario struct {
	actions, resources []string
	caller, owner      *string
	callerKnown        bool // the policies are those of a user, who calls unless the request says otherwise
	resourcePolicy     *string
	boundary           []string
	entries            []ContextEntry
	handling, marker   *string
	most               *int64
}

// run checks the scenario and tries each action on each resource.
func (m *simulation) run(r state.Reader, c *scenario) (*SimulatePolicyResponse, error) {
	for _, set := range []func(state.Reader, *scenario) error{m.setCalls, m.setCaller, m.setResourcePolicy, m.setBoundary, m.setKeys} {
		if err := set(r, c); err != nil {
			return nil, err
		}
	}
	var all []EvaluationResult
	for _, action := range m.actions {
		for _, on := range m.resources {
			all = append(all, m.try(action, on))
		}
	}
	page, next, err := paginate(all, func(e EvaluationResult) string { return *e.EvalActionName + " " + *e.EvalResourceName }, c.marker, c.most)
	if err != nil {
		return nil, err
	}
	return &SimulatePolicyResponse{EvaluationResults: page, IsTruncated: truncated(next), Marker: next}, nil
}

func (m *simulation) setCalls(_ state.Reader, c *scenario) error {
	if c.handling != nil {
		return invalidInput("ResourceHandlingOption is not supported: name in ResourceArns what the call is about.")
	}
	for _, a := range c.actions {
		if !actionName.MatchString(a) {
			return invalidInput("Invalid action name: %s. It is a service and an operation, such as iam:CreateUser, without wildcards.", a)
		}
	}
	m.actions, m.resources = distinct(c.actions), distinct(c.resources)
	if len(m.resources) == 0 {
		m.resources = []string{"*"}
	}
	for _, on := range m.resources {
		if on != "*" && (!strings.HasPrefix(on, "arn:") || strings.Count(on, ":") < 5) {
			return invalidInput("Invalid resource ARN: %s", on)
		}
	}
	return nil
}

// distinct is a list with each text once, as it comes first.
func distinct(list []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, text := range list {
		if !seen[text] {
			seen[text] = true
			out = append(out, text)
		}
	}
	return out
}

// setCaller makes the user that CallerArn names the principal.
func (m *simulation) setCaller(r state.Reader, c *scenario) error {
	m.owner = m.principal.Account
	if c.caller == nil {
		if c.resourcePolicy != nil && !c.callerKnown {
			return invalidInput("CallerArn is needed with a ResourcePolicy, and names a user.")
		}
	} else {
		parts := userARNOf.FindStringSubmatch(*c.caller)
		if parts == nil {
			return invalidInput("Invalid CallerArn: %s. It is the ARN of a user.", *c.caller)
		}
		caller := api.Caller{Type: api.User, Account: parts[1], ARN: *c.caller}
		if caller.Account == r.Account() { // of others only the ARN is known
			caller.UserName = parts[2]
			if u, ok := findUser(r, parts[2]); ok && u.ARN == *c.caller {
				caller.UserID = u.ID
			}
		}
		m.caller(r, caller)
		m.keys["aws:username"] = []string{parts[2]}
		m.owner = caller.Account
	}
	if c.owner != nil {
		parts := accountOf.FindStringSubmatch(*c.owner)
		if parts == nil {
			return invalidInput("Invalid ResourceOwner: %s", *c.owner)
		}
		m.owner = parts[1]
	}
	return nil
}

func (m *simulation) setResourcePolicy(_ state.Reader, c *scenario) error {
	if c.resourcePolicy == nil {
		return nil
	}
	d, err := policy.Parse("ResourcePolicy", policy.Resource, []byte(*c.resourcePolicy))
	if err != nil {
		return invalidInput("The policy ResourcePolicy is not valid: %v", err)
	}
	m.policies.Resource = d
	return nil
}

// setBoundary puts the request's boundary into the place of the principal's own.
func (m *simulation) setBoundary(_ state.Reader, c *scenario) error {
	if len(c.boundary) > 1 {
		return invalidInput("PermissionsBoundaryPolicyInputList holds at most one policy.")
	}
	for i, text := range c.boundary {
		d, err := inputDocument("PermissionsBoundaryPolicyInputList", i, policy.Boundary, text)
		if err != nil {
			return err
		}
		m.policies.Boundary = d
	}
	return nil
}

// setKeys adds the keys that the request brings, which go before those that follow from the principal.
func (m *simulation) setKeys(_ state.Reader, c *scenario) error {
	for _, e := range c.entries {
		name, kind := value(e.ContextKeyName, ""), value(e.ContextKeyType, "string")
		if name == "" {
			return invalidInput("A context entry has no ContextKeyName.")
		}
		if len(e.ContextKeyValues) > 1 && !strings.HasSuffix(kind, "List") {
			return invalidInput("The context key %s is of type %s and has more than one value.", name, kind)
		}
		m.keys[strings.ToLower(name)] = e.ContextKeyValues
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
