package lambda

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// maxPolicy is how long a resource's policy may be; see "Lambda quotas".
const maxPolicy = 20 << 10

var accountID = regexp.MustCompile(`^\d{12}$`)

// statement is a policy's statement in AWS's order.
type statement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Principal any                          `json:"Principal"`
	Action    string                       `json:"Action"`
	Resource  string                       `json:"Resource"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

func principalOf(text string) any {
	switch {
	case text == "*":
		return text
	case accountID.MatchString(text):
		return map[string]string{"AWS": "arn:aws:iam::" + text + ":root"}
	case strings.HasPrefix(text, "arn:"):
		return map[string]string{"AWS": text}
	}
	return map[string]string{"Service": text}
}

func (s *Service) addPermission(tx *state.Tx, _ *api.Call, in *AddPermissionInput) (*AddPermissionOutput, error) {
	p, n, err := findPolicy(tx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	st := statement{Sid: value(in.StatementId), Effect: "Allow", Principal: principalOf(value(in.Principal)), Action: value(in.Action), Resource: n.arn(tx)}
	for _, c := range []struct {
		operator, key string
		want          *string
	}{
		{"StringEquals", "lambda:FunctionUrlAuthType", in.FunctionUrlAuthType},
		{"Bool", "lambda:InvokedViaFunctionUrl", shown(in.InvokedViaFunctionUrl)},
		{"StringEquals", "lambda:EventSourceToken", in.EventSourceToken},
		{"StringEquals", "aws:PrincipalOrgID", in.PrincipalOrgID},
		{"StringEquals", "AWS:SourceAccount", in.SourceAccount},
		{"ArnLike", "AWS:SourceArn", in.SourceArn},
	} {
		if value(c.want) == "" {
			continue
		}
		if st.Condition == nil {
			st.Condition = map[string]map[string]string{}
		}
		if st.Condition[c.operator] == nil {
			st.Condition[c.operator] = map[string]string{}
		}
		st.Condition[c.operator][c.key] = *c.want
	}
	if in.FunctionUrlAuthType != nil && st.Action != "lambda:InvokeFunctionUrl" {
		return nil, invalid("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
	}
	if in.InvokedViaFunctionUrl != nil && st.Action != "lambda:InvokeFunction" {
		return nil, invalid("InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action")
	}
	if err := checkPolicyRevision(p.RevisionID, in.RevisionId, "GetPolicy"); err != nil {
		return nil, err
	}
	statements, text, err := addStatement(p.Statements, st)
	if err != nil {
		return nil, err
	}
	changed := *p
	changed.Statements, changed.RevisionID = statements, newRevision(tx)
	tx.Put(&changed)
	return &AddPermissionOutput{Statement: &text}, nil
}

// shown is a boolean as conditions write it.
func shown(b *bool) *string {
	if b == nil {
		return nil
	}
	return ptr(strconv.FormatBool(*b))
}

// addStatement adds a statement to a policy that stays one that can be evaluated.
func addStatement(to []resource.PolicyStatement, st statement) ([]resource.PolicyStatement, string, error) {
	if slices.ContainsFunc(to, func(o resource.PolicyStatement) bool { return o.ID == st.Sid }) {
		return nil, "", conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", st.Sid)
	}
	b, err := json.Marshal(st)
	if err != nil {
		return nil, "", fmt.Errorf("write a statement: %w", err)
	}
	statements := append(slices.Clone(to), resource.PolicyStatement{ID: st.Sid, JSON: string(b)})
	document := policyDocument(statements)
	if len(document) > maxPolicy {
		return nil, "", api.Errorf("PolicyLengthExceededException", "The final policy size (%d) is bigger than the limit (%d).", len(document), maxPolicy)
	}
	if _, err := policy.Parse("statement "+st.Sid, policy.Resource, []byte(document)); err != nil {
		return nil, "", invalid("The provided principal was invalid. Please check the principal and try again.")
	}
	return statements, string(b), nil
}

func removeStatement(from []resource.PolicyStatement, id string) ([]resource.PolicyStatement, error) {
	if len(from) == 0 {
		return nil, noPolicy()
	}
	i := slices.IndexFunc(from, func(o resource.PolicyStatement) bool { return o.ID == id })
	if i < 0 {
		return nil, notFound("Statement %s is not found in resource policy.", id)
	}
	return slices.Delete(slices.Clone(from), i, i+1), nil
}

func noPolicy() error { return notFound("No policy is associated with the given resource.") }

// policyDocument is a policy as AWS prints it, empty if it has no statement.
func policyDocument(statements []resource.PolicyStatement) string {
	if len(statements) == 0 {
		return ""
	}
	var texts []string
	for _, s := range statements {
		texts = append(texts, s.JSON)
	}
	return `{"Version":"2012-10-17","Id":"default","Statement":[` + strings.Join(texts, ",") + `]}`
}

func checkPolicyRevision(current string, wanted *string, call string) error {
	if wanted == nil || *wanted == current {
		return nil
	}
	return api.Errorf("PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. "+
		"Call the %s API to retrieve the latest Revision Id", call).WithStatus(412)
}

func (s *Service) removePermission(tx *state.Tx, _ *api.Call, in *RemovePermissionInput) (*RemovePermissionOutput, error) {
	p, _, err := findPolicy(tx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	statements, err := removeStatement(p.Statements, value(in.StatementId))
	if err != nil {
		return nil, err
	}
	if err := checkPolicyRevision(p.RevisionID, in.RevisionId, "GetPolicy"); err != nil {
		return nil, err
	}
	changed := *p
	changed.Statements, changed.RevisionID = statements, newRevision(tx)
	if tx.Put(&changed); len(statements) == 0 {
		tx.Delete(&changed)
	}
	return &RemovePermissionOutput{}, nil
}

func (s *Service) getPolicy(v *state.View, _ *api.Call, in *GetPolicyInput) (*GetPolicyOutput, error) {
	p, _, err := findPolicy(v, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if len(p.Statements) == 0 {
		return nil, noPolicy()
	}
	return &GetPolicyOutput{Policy: ptr(policyDocument(p.Statements)), RevisionId: &p.RevisionID}, nil
}

// findPolicy finds the policy of what a caller names, an empty one if it has none. $LATEST has none of its own.
func findPolicy(r state.Reader, name, qualifier *string) (*resource.FunctionPolicy, functionName, error) {
	f, n, err := findFunction(r, name, qualifier)
	if err != nil {
		return nil, n, err
	}
	if n.Qualifier == latest {
		return nil, n, invalid("We currently do not support adding policies for $LATEST.")
	}
	p := &resource.FunctionPolicy{Function: f.Name, Qualifier: n.Qualifier}
	if there, ok := state.Get[*resource.FunctionPolicy](r, p.Key()); ok {
		return there, n, nil
	}
	return p, n, nil
}

// policyOf is the policy that a call on a function is subject to, if there is one.
func policyOf(r state.Reader, name, qualifier *string) service.Policy {
	n, err := parseFunctionName(value(name))
	if err != nil {
		return service.Policy{}
	}
	if qualifier != nil {
		n.Qualifier = *qualifier
	}
	if n.Qualifier == latest {
		n.Qualifier = ""
	}
	p, ok := state.Get[*resource.FunctionPolicy](r, resource.FunctionPart(n.Name, n.Qualifier))
	if !ok {
		return service.Policy{}
	}
	return service.Policy{Name: "of " + n.arn(r), Text: policyDocument(p.Statements)}
}

func (s *Service) addLayerPermission(tx *state.Tx, _ *api.Call, in *AddLayerVersionPermissionInput) (*AddLayerVersionPermissionOutput, error) {
	v, err := findLayer(tx, in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	if err := checkPolicyRevision(v.RevisionID, in.RevisionId, "GetLayerPolicy"); err != nil {
		return nil, err
	}
	st := statement{Sid: value(in.StatementId), Effect: "Allow", Principal: principalOf(value(in.Principal)), Action: value(in.Action), Resource: layerVersionARN(tx, v)}
	if in.OrganizationId != nil {
		st.Condition = map[string]map[string]string{"StringEquals": {"aws:PrincipalOrgID": *in.OrganizationId}}
	}
	statements, text, err := addStatement(v.Statements, st)
	if err != nil {
		return nil, err
	}
	changed := *v
	changed.Statements, changed.RevisionID = statements, newRevision(tx)
	tx.Put(&changed)
	return &AddLayerVersionPermissionOutput{Statement: &text, RevisionId: &changed.RevisionID}, nil
}

func (s *Service) removeLayerPermission(tx *state.Tx, _ *api.Call, in *RemoveLayerVersionPermissionInput) (*RemoveLayerVersionPermissionOutput, error) {
	v, err := findLayer(tx, in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	statements, err := removeStatement(v.Statements, value(in.StatementId))
	if err != nil {
		return nil, err
	}
	if err := checkPolicyRevision(v.RevisionID, in.RevisionId, "GetLayerPolicy"); err != nil {
		return nil, err
	}
	changed := *v
	changed.Statements, changed.RevisionID = statements, newRevision(tx)
	tx.Put(&changed)
	return &RemoveLayerVersionPermissionOutput{}, nil
}

func (s *Service) getLayerPolicy(v *state.View, _ *api.Call, in *GetLayerVersionPolicyInput) (*GetLayerVersionPolicyOutput, error) {
	l, err := findLayer(v, in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	if len(l.Statements) == 0 {
		return nil, noPolicy()
	}
	return &GetLayerVersionPolicyOutput{Policy: ptr(policyDocument(l.Statements)), RevisionId: &l.RevisionID}, nil
}

// policyOfLayer is the policy that a call on a layer's version is subject to, if there is one.
func policyOfLayer(r state.Reader, name *string, version *int64) service.Policy {
	v, err := findLayer(r, name, version)
	if err != nil {
		return service.Policy{}
	}
	return service.Policy{Name: "of " + layerVersionARN(r, v), Text: policyDocument(v.Statements)}
}
