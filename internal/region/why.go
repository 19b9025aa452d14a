package region

import (
	"context"
	"fmt"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/api/server"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
	"github.com/culvert-cloud/culvert/internal/view/inspect"
)

// session is as whom a function calls: the answer of the vault to credentials such as the function gets.
func (r *Region) session(f *resource.Function) (api.Caller, error) {
	c, err := r.credentials(context.Background(), f, f.Name)
	if err != nil {
		return api.Caller{}, err
	}
	known, err := r.vault.Lookup(c.AccessKeyID, c.SessionToken, time.Now())
	return known.Caller, err
}

// decideAsked decides about a call that nobody makes, as the front door or the service itself would decide it.
func (r *Region) decideAsked(view state.Reader, call *api.Call, q inspect.Question) (policy.Decision, error) {
	if q.Action == "sts:AssumeRole" {
		role, ok := roleByARN(view, q.Resource)
		if !ok {
			return policy.Decision{}, fmt.Errorf("find role %s: %w", q.Resource, state.ErrNotFound)
		}
		return r.iam.DecideAssume(view, call, role, q.Keys)
	}
	if r.isPublic(q.Action) {
		return policy.Decision{Allowed: true, Kind: "public", Statement: -1}, nil
	}
	return r.decide(view, call, server.Question(q))
}

// isPublic reports whether an action is one that needs no permission.
func (r *Region) isPublic(action string) bool {
	for _, d := range r.services {
		for _, o := range d.Operations {
			if o.Public && action == d.Name+":"+o.Name {
				return true
			}
		}
	}
	return false
}
