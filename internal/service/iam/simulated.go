package iam

import (
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api/policy"
)

// The three outcomes of a simulation.
const (
	decisionAllowed  = "allowed"
	decisionExplicit = "explicitDeny"
	decisionImplicit = "implicitDeny"
)

// try decides one call.
func (m *simulation) try(action, on string) EvaluationResult {
	p := m.policies
	p.ResourceAccount = m.owner
	if parts := strings.SplitN(on, ":", 6); len(parts) == 6 && parts[4] != "" && parts[4] != "aws" {
		p.ResourceAccount = parts[4]
	}
	d := policy.Evaluate(policy.Request{Action: action, Resource: on, Principal: m.principal, Context: m.keys}, p)
	decision := outcome(d)
	out := EvaluationResult{
		EvalActionName: &action, EvalResourceName: &on, EvalDecision: &decision,
		MatchedStatements: matched(d), MissingContextValues: m.missing(d), EvalDecisionDetails: details(d),
	}
	if p.Boundary != nil {
		inside := says(d, policy.Boundary) == decisionAllowed
		out.PermissionsBoundaryDecisionDetail = &PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: &inside}
	}
	if on != "*" {
		out.ResourceSpecificResults = []ResourceSpecificResult{{
			EvalResourceName: &on, EvalResourceDecision: &decision, MatchedStatements: out.MatchedStatements,
			MissingContextValues: out.MissingContextValues, EvalDecisionDetails: out.EvalDecisionDetails,
			PermissionsBoundaryDecisionDetail: out.PermissionsBoundaryDecisionDetail,
		}}
	}
	return out
}

func outcome(d policy.Decision) string {
	switch {
	case d.Allowed:
		return decisionAllowed
	case d.Explicit:
		return decisionExplicit
	}
	return decisionImplicit
}

// says is what the policies of one kind come to by themselves.
func says(d policy.Decision, kind policy.Kind) string {
	out := decisionImplicit
	for _, s := range d.Trace {
		switch {
		case s.Kind != kind || !s.Matched:
		case s.Effect == policy.Deny:
			return decisionExplicit
		default:
			out = decisionAllowed
		}
	}
	return out
}

// details tells the two sides of a call to another account apart; within an account there are none.
func details(d policy.Decision) map[string]string {
	if !d.CrossAccount {
		return nil
	}
	return map[string]string{"IAM Policy": says(d, policy.Identity), "Resource Policy": says(d, policy.Resource)}
}

// matched are the statements that brought the outcome about: those that deny, or those that allow if none does. A
// boundary only limits, so what it allows is not among them.
func matched(d policy.Decision) []Statement {
	out := []Statement{}
	for _, s := range d.Trace {
		if !s.Matched || !d.Allowed && !d.Explicit || d.Explicit != (s.Effect == policy.Deny) || s.Kind == policy.Boundary && d.Allowed {
			continue
		}
		id, kind := sourceOf(s)
		from, to := s.Position()
		out = append(out, Statement{SourcePolicyId: &id, SourcePolicyType: &kind, StartPosition: position(from), EndPosition: position(to)})
	}
	return out
}

func position(p policy.Position) *Position {
	line, column := int64(p.Line), int64(p.Column)
	return &Position{Line: &line, Column: &column}
}

// sourceOf names the policy of a statement: PolicyInputList.1, user_ann_reads, or the name of a managed policy.
func sourceOf(s policy.Step) (id, kind string) {
	if s.Kind == policy.Resource {
		return s.Document, "resource"
	}
	if whose, name, ok := strings.Cut(s.Document, " inline "); ok {
		kind, owner, _ := strings.Cut(whose, "/")
		return kind + "_" + owner + "_" + name, kind
	}
	if !strings.HasPrefix(s.Document, "arn:") {
		return s.Document, "none"
	}
	kind = "user-managed"
	if strings.HasPrefix(s.Document, "arn:aws:iam::aws:") {
		kind = "aws-managed"
	}
	return s.Document[strings.LastIndexByte(s.Document, '/')+1:], kind
}

// missing are the keys that the outcome hangs on and nobody gave: of all statements about this action on this
// resource.
func (m *simulation) missing(d policy.Decision) []string {
	out := []string{}
	for _, s := range d.Trace {
		if !s.Matched && s.Element != "Condition" {
			continue
		}
		for _, key := range s.Keys() {
			if _, given := m.keys[strings.ToLower(key)]; !given && !slices.Contains(out, key) {
				out = append(out, key)
			}
		}
	}
	slices.Sort(out)
	return out
}
