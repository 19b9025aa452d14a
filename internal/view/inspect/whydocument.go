package inspect

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// holder is where a policy document is kept: its text, and how it is replaced.
type holder struct {
	id        string // of the thing that has it
	text      string // empty: it has none
	cli       string // with one verb, for the document
	terraform string // with one verb, for the document in jsonencode; empty: it is part of a larger block
	within    string // that block
}

// holder finds the document that a refusal comes from. Documents of the role itself are not replaced: they may be
// other people's too, and a new one does.
func (w *wantedCall) holder(b deciding, call *api.Call) (holder, bool) {
	switch policy.Kind(b.Kind) {
	case policy.Endpoint:
		id := call.Origin.VPCEndpointID
		e, ok := state.Get[*resource.VPCEndpoint](w.view, id)
		if !ok {
			return holder{}, false
		}
		return holder{
			id: id, text: e.PolicyDocument, cli: "aws ec2 modify-vpc-endpoint --vpc-endpoint-id " + id + " --policy-document %s",
			terraform: fmt.Sprintf("resource \"aws_vpc_endpoint_policy\" %q {\n  vpc_endpoint_id = %q\n", strings.ReplaceAll(id, "-", "_"), id) + "  policy          = jsonencode(%s)\n}",
		}, true
	case policy.Resource:
		name, isBucket := strings.CutPrefix(w.resource, bucketARN)
		name, _, _ = strings.Cut(name, "/")
		bucket, ok := state.Get[*resource.Bucket](w.view, name)
		if !isBucket || !ok {
			return holder{}, false
		}
		return holder{
			id: name, text: bucket.Policy, cli: "aws s3api put-bucket-policy --bucket " + name + " --policy %s",
			terraform: fmt.Sprintf("resource \"aws_s3_bucket_policy\" \"allow\" {\n  bucket = %q\n", name) + "  policy = jsonencode(%s)\n}",
		}, true
	case policy.Trust:
		_, name, _ := strings.Cut(w.resource, ":role/")
		name = name[strings.LastIndex(name, "/")+1:]
		role, ok := state.Get[*resource.Role](w.view, name)
		if !ok {
			return holder{}, false
		}
		return holder{
			id: role.Name, text: role.AssumeRolePolicyDocument, cli: "aws iam update-assume-role-policy --role-name " + role.Name + " --policy-document %s",
			within: "assume_role_policy in the aws_iam_role " + role.Name,
		}, true
	case policy.Boundary:
		role, _ := state.Get[*resource.Role](w.view, w.caller.RoleName)
		if role == nil {
			return holder{}, false
		}
		p, ok := state.Get[*resource.Policy](w.view, role.PermissionsBoundary)
		if !ok || p.AWSManaged {
			return holder{}, false
		}
		return holder{
			id: p.ARN, text: p.Document(), cli: "aws iam create-policy-version --set-as-default --policy-arn " + p.ARN + " --policy-document %s",
			within: "policy in the aws_iam_policy " + p.Name,
		}, true
	}
	return holder{}, false
}

// document is a policy with its statements as they were written.
type document struct {
	Version   string            `json:",omitempty"`
	ID        string            `json:"Id,omitempty"`
	Statement []json.RawMessage `json:"Statement"`
}

// readDocument reads a text that was accepted before.
func readDocument(text string) (document, bool) {
	if text == "" {
		return document{Version: "2012-10-17"}, true
	}
	var d struct {
		document
		Statement json.RawMessage
	}
	if json.Unmarshal([]byte(text), &d) != nil {
		return document{}, false
	}
	out := document{Version: d.Version, ID: d.ID}
	if json.Unmarshal(d.Statement, &out.Statement) != nil {
		out.Statement = []json.RawMessage{d.Statement} // one may stand alone
	}
	return out, true
}

// with adds a statement.
func (d document) with(statement string) (document, bool) {
	if d.Version != "2012-10-17" && strings.Contains(statement, "${") {
		return d, false // the older language has no variables, and what stands in the others must stay as it is
	}
	d.Statement = append(slices.Clone(d.Statement), json.RawMessage(statement))
	return d, true
}

// except lets a statement that denies apply to everybody but a role.
func (d document) except(statement int, role string) (document, bool) {
	if statement >= len(d.Statement) || role == "" {
		return d, false
	}
	var s map[string]any
	if json.Unmarshal(d.Statement[statement], &s) != nil {
		return d, false
	}
	condition, _ := s["Condition"].(map[string]any)
	condition = maps.Clone(condition)
	if condition == nil {
		condition = map[string]any{}
	}
	for operator := range condition {
		if strings.EqualFold(operator, "ArnNotEquals") {
			return d, false // it has exceptions already: which to add to is for a person to see
		}
	}
	condition["ArnNotEquals"] = map[string]any{"aws:PrincipalArn": role}
	s["Condition"] = condition
	text, err := json.Marshal(s)
	if err != nil {
		return d, false
	}
	d.Statement = slices.Clone(d.Statement)
	d.Statement[statement] = text
	return d, true
}

func (d document) String() string {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if e.Encode(d) != nil { // cannot be: it was read
		return ""
	}
	return strings.TrimSpace(text.String())
}

// replace completes a remedy by the changed document of the refusing policy. Two changes of one document are one
// command, the later remedy's.
func (w *wantedCall) replace(r *callRemedy, b deciding, call *api.Call, before []callRemedy) {
	h, ok := w.holder(b, call)
	if !ok {
		return
	}
	for _, o := range before {
		if o.changes == h.id && o.document != "" {
			h.text = o.document
		}
	}
	d, ok := readDocument(h.text)
	if !ok {
		return
	}
	if b.Explicit {
		d, ok = d.except(*b.Statement, call.Caller.RoleARN)
		r.Text += "; the change printed here exempts " + call.Caller.RoleARN
	} else {
		d, ok = d.with(r.Statement)
	}
	if !ok {
		r.Text, _, _ = strings.Cut(r.Text, "; the change printed")
		return
	}
	for i, o := range before {
		if o.changes == h.id {
			before[i].CLI, before[i].Terraform = "", ""
		}
	}
	r.changes, r.document = h.id, d.String()
	r.CLI = fmt.Sprintf(h.cli, shellQuoted(r.document))
	if h.terraform != "" {
		r.Terraform = fmt.Sprintf(h.terraform, hclText(r.document))
	} else {
		r.Terraform = fmt.Sprintf("# %s:\n#   jsonencode(%s)", h.within, hclText(r.document))
	}
}

// shellQuoted is one word of a shell.
func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// hclText is JSON as an expression of Terraform's, which would take ${ in a string for another.
func hclText(s string) string { return strings.ReplaceAll(s, "${", "$${") }

// freePolicyName is a name that none of a role's own policies has.
func (w *wantedCall) freePolicyName(operation string) string {
	name := "allow-" + operation
	role, ok := state.Get[*resource.Role](w.view, w.caller.RoleName)
	for n := 2; ok && role.InlinePolicies[name] != ""; n++ {
		name = fmt.Sprintf("allow-%s-%d", operation, n)
	}
	return name
}
