package inspect

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// The codes of refused calls. AWS's Reachability Analyzer has none: it looks at no policy.
const (
	codeIdentity = "x:IDENTITY_POLICY_DENIES"
	codeResource = "x:RESOURCE_POLICY_DENIES"
	codeEndpoint = "x:VPCE_POLICY_DENIES"
)

func refusalCode(kind string) string {
	switch policy.Kind(kind) {
	case policy.Endpoint:
		return codeEndpoint
	case policy.Resource, policy.Trust:
		return codeResource
	}
	return codeIdentity // the role's own policies, and what limits them
}

func decidedBy(d policy.Decision) deciding {
	by := deciding{Kind: d.Kind, Explicit: d.Explicit, Document: d.Document, Sid: d.Sid}
	if d.Statement >= 0 && d.Document != "" {
		by.Statement = &d.Statement
	}
	if !d.Allowed {
		by.Code = refusalCode(d.Kind)
	}
	return by
}

// alsoRefusing finds what would refuse the call still, were the first refusal mended: every other statement that
// denies it, a VPC endpoint whose policy does not allow it, and that no policy allows it at all.
func alsoRefusing(call *api.Call, d policy.Decision) []deciding {
	var out []deciding
	endpointAllows, allowed := false, false
	for _, s := range d.Trace {
		kind := wordOf(s.Kind)
		// Who may assume a role is decided otherwise: then nothing is said of it here.
		allowed = allowed || s.Kind == policy.Trust || s.Matched && s.Effect == policy.Allow && (s.Kind == policy.Identity || s.Kind == policy.Resource)
		if s.Matched && s.Effect == policy.Allow && kind == string(policy.Endpoint) {
			endpointAllows = true
		}
		if !s.Matched || s.Effect != policy.Deny || s.Document == d.Document && s.Statement == d.Statement {
			continue
		}
		out = append(out, decidedBy(policy.Decision{Kind: kind, Explicit: true, Document: s.Document, Statement: s.Statement, Sid: s.Sid}))
	}
	if call.Origin.Door == api.DoorEndpoint && !endpointAllows && (d.Explicit || d.Kind != string(policy.Endpoint)) {
		out = append(out, decidedBy(policy.Decision{Kind: string(policy.Endpoint), Statement: -1}))
	}
	if !allowed && (d.Explicit || d.Kind == string(policy.Endpoint)) {
		out = append(out, decidedBy(policy.Decision{Kind: string(policy.Identity), Statement: -1}))
	}
	return out
}

// wordOf is the kind as decisions name it.
func wordOf(k policy.Kind) string {
	if k == policy.GatewayEndpoint {
		k = policy.Endpoint
	}
	return string(k)
}

// text says what decides, in words: statement 0 (Read) of the identity-based policy X allows it.
func (b deciding) text(call *api.Call) string {
	switch {
	case b.Code == "" && b.Statement == nil:
		return "nobody needs a permission for it"
	case b.Statement != nil:
		verb := "allows"
		if b.Code != "" {
			verb = "denies"
		}
		return fmt.Sprintf("%s %s it", b.place(), verb)
	case b.Code == codeEndpoint:
		return fmt.Sprintf("the policy of %s does not allow it", call.Origin.VPCEndpointID)
	case policy.Kind(b.Kind) == policy.Boundary:
		return fmt.Sprintf("the permissions boundary of role %s does not allow it", call.Caller.RoleName)
	case b.Code == codeIdentity:
		return fmt.Sprintf("no %s policy of role %s allows it", b.Kind, call.Caller.RoleName)
	}
	return fmt.Sprintf("no %s policy allows it", b.Kind)
}

// place is the statement: statement 0 (Read) of the identity-based policy role/reader inline read.
func (b deciding) place() string {
	sid := ""
	if b.Sid != "" {
		sid = " (" + b.Sid + ")"
	}
	word := b.Kind
	if policy.Kind(b.Kind) != policy.Boundary {
		word += " policy"
	}
	return fmt.Sprintf("statement %d%s of the %s %s", *b.Statement, sid, word, b.Document)
}

// remedy says what to change about one refusal.
func (w *wantedCall) remedy(b deciding, call *api.Call, d policy.Decision, keys map[string][]string) callRemedy {
	if b.Explicit {
		return callRemedy{Text: fmt.Sprintf("narrow or remove %s%s", b.place(), because(b, call, d, keys))}
	}
	r := callRemedy{Statement: w.allowing(b)}
	switch policy.Kind(b.Kind) {
	case policy.Endpoint:
		r.Text = "add a statement to the policy of " + call.Origin.VPCEndpointID
	case policy.Boundary:
		r.Text = fmt.Sprintf("add a statement to the permissions boundary of role %s%s", call.Caller.RoleName, w.boundary())
	case policy.Resource:
		r.Text = "add a statement to the policy of " + w.resource
	case policy.Trust:
		r.Text = "add a statement to the trust policy of " + w.resource
	default:
		r.Text = fmt.Sprintf("add a statement to a policy of role %s", call.Caller.RoleName)
		_, operation, _ := strings.Cut(w.action, ":")
		document := `{"Version":"2012-10-17","Statement":[` + r.Statement + "]}"
		name := w.freePolicyName(operation)
		r.CLI = fmt.Sprintf("aws iam put-role-policy --role-name %s --policy-name %s --policy-document %s", call.Caller.RoleName, name, shellQuoted(document))
		r.Terraform = fmt.Sprintf("resource \"aws_iam_role_policy\" %q {\n  name   = %q\n  role   = %q\n  policy = jsonencode(%s)\n}", strings.ReplaceAll(name, "-", "_"), name,
			call.Caller.RoleName, hclText(document))
	}
	return r
}

// hcl is the Terraform block, or the statement that belongs into one that there is.
func (r callRemedy) hcl() string {
	if r.Terraform == "" && r.Statement != "" {
		return "# add to the policy document: " + r.Statement
	}
	return r.Terraform
}

// boundary names the policy that limits the role.
func (w *wantedCall) boundary() string {
	if role, ok := state.Get[*resource.Role](w.view, w.caller.RoleName); ok {
		return ", " + role.PermissionsBoundary
	}
	return ""
}

// allowing is the smallest statement that allows the call, in a policy of the kind.
func (w *wantedCall) allowing(b deciding) string {
	s := struct {
		Effect    policy.Effect
		Principal any `json:",omitempty"`
		Action    string
		Resource  string `json:",omitempty"`
	}{Effect: policy.Allow, Action: w.action, Resource: literal(w.resource)}
	switch policy.Kind(b.Kind) {
	case policy.Endpoint:
		s.Principal = "*"
	case policy.Resource:
		s.Principal = map[string]string{"AWS": w.caller.RoleARN}
	case policy.Trust:
		s.Principal, s.Resource = map[string]string{"AWS": w.caller.RoleARN}, ""
	}
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil { // cannot be: it is text alone
		return ""
	}
	return strings.TrimSpace(text.String())
}

// literal writes an ARN so that a policy takes its characters for what they are; see the IAM guide, "Special
// characters".
func literal(arn string) string {
	if arn == "*" {
		return arn
	}
	return strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}").Replace(arn)
}

// because says under which conditions a statement denies, and what the call has.
func because(b deciding, call *api.Call, d policy.Decision, keys map[string][]string) string {
	i := slices.IndexFunc(d.Trace, func(s policy.Step) bool { return s.Matched && s.Document == b.Document && s.Statement == *b.Statement })
	if i < 0 {
		return ""
	}
	context := policy.Context(call)
	var reasons []string
	for _, c := range d.Trace[i].Conditions() {
		have := context[strings.ToLower(c.Key)]
		if have == nil {
			have = keys[strings.ToLower(c.Key)]
		}
		is := "is absent"
		if have != nil {
			is = "is " + strings.Join(have, ", ")
		}
		reasons = append(reasons, fmt.Sprintf("%s %s %s, and here it %s", c.Operator, c.Key, strings.Join(c.Want, ", "), is))
	}
	if reasons == nil {
		return ""
	}
	return ": it applies where " + strings.Join(reasons, "; ")
}

// nearMisses are statements that allow the action, but not there or not so, in policies of the kinds that refuse.
func nearMisses(refusing []deciding, d policy.Decision) []string {
	var out []string
	for _, b := range refusing {
		for _, s := range d.Trace {
			if !b.Explicit && wordOf(s.Kind) == b.Kind && s.Effect == policy.Allow && !s.Matched && s.Element != "Action" && s.Element != "NotAction" {
				out = append(out, s.String())
			}
		}
	}
	return out
}
