package iam

import (
	"fmt"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// TestADecisionCostsNoMoreWhereThereAreManyOthers: what others have is neither read nor copied.
func TestADecisionCostsNoMoreWhereThereAreManyOthers(t *testing.T) {
	r := newRegion(t)
	r.role(t, "reader")
	must[PutRolePolicyOutput](t, r, "PutRolePolicy", &PutRolePolicyInput{RoleName: p("reader"), PolicyName: p("reads"), PolicyDocument: p(readB)})
	call := r.session(t, "reader")
	cost := func() float64 {
		view := r.store.View()
		return testing.AllocsPerRun(200, func() {
			d, err := r.Decide(view, call, Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"})
			if err != nil || !d.Allowed {
				t.Fatal(err, d)
			}
		})
	}
	alone := cost()
	if _, err := r.store.Update(func(tx *state.Tx) error {
		for i := range 500 {
			name := fmt.Sprintf("other-%d", i)
			tx.Put(&resource.Role{Name: name, InlinePolicies: map[string]string{"p": allS3}, AttachedPolicies: []string{vpcAccess}})
			tx.Put(&resource.User{Name: name, InlinePolicies: map[string]string{"p": allS3}})
			tx.Put(&resource.Policy{ARN: "arn:aws:iam::" + account + ":policy/" + name, Name: name})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if among := cost(); among != alone {
		t.Errorf("a decision makes %.0f allocations, and %.0f among 1,500 others", alone, among)
	}
}
