package iam

import (
	"maps"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// holder is the policies of a user or a group, and how messages call it. It points into a copy that may change.
type holder struct {
	kind, name string // user, ann
	quota      string // PoliciesPerUser
	maxInline  int    // characters without white space, all together
	inline     *map[string]string
	attached   *[]string
}

func holderOfUser(u *resource.User) holder {
	return holder{"user", u.Name, "PoliciesPerUser", maxUserInline, &u.InlinePolicies, &u.AttachedPolicies}
}

func holderOfGroup(g *resource.Group) holder {
	return holder{"group", g.Name, "PoliciesPerGroup", maxGroupInline, &g.InlinePolicies, &g.AttachedPolicies}
}

func (h holder) put(name, document string) error {
	if err := checkPolicy(document); err != nil {
		return err
	}
	if *h.inline == nil {
		*h.inline = map[string]string{}
	}
	(*h.inline)[name] = document
	total := 0
	for _, text := range *h.inline {
		total += size(text)
	}
	if total > h.maxInline {
		return limitExceeded("Maximum policy size of %d bytes exceeded for %s %s", h.maxInline, h.kind, h.name)
	}
	return nil
}

func (h holder) get(name string) (*string, error) {
	text, ok := (*h.inline)[name]
	if !ok {
		return nil, noSuch("The %s policy with name %s cannot be found.", h.kind, name)
	}
	return escape(text), nil
}

func (h holder) remove(name string) error {
	if _, err := h.get(name); err != nil {
		return err
	}
	delete(*h.inline, name)
	return nil
}

func (h holder) attach(r state.Reader, arn string) error {
	if err := checkPolicyARN(arn); err != nil {
		return err
	}
	switch _, ok := state.Get[*resource.Policy](r, arn); {
	case !ok:
		return noSuch("Policy %s does not exist or is not attachable.", arn)
	case slices.Contains(*h.attached, arn):
		return nil // attaching twice is fine
	case len(*h.attached) >= maxAttached:
		return limitExceeded("Cannot exceed quota for %s: %d", h.quota, maxAttached)
	}
	*h.attached = append(*h.attached, arn)
	return nil
}

func (h holder) detach(arn string) error {
	if err := checkPolicyARN(arn); err != nil {
		return err
	}
	i := slices.Index(*h.attached, arn)
	if i < 0 {
		return noSuch("Policy %s was not found.", arn)
	}
	*h.attached = slices.Delete(*h.attached, i, i+1)
	return nil
}

// listInline is one page of the names of inline policies; never nil.
func (h holder) listInline(marker *string, most *int64) (page []string, next *string, err error) {
	page, next, err = paginate(slices.Sorted(maps.Keys(*h.inline)), func(n string) string { return n }, marker, most)
	return append([]string{}, page...), next, err
}

// listAttached is one page of the managed policies; never nil.
func (h holder) listAttached(r state.Reader, prefix, marker *string, most *int64) ([]AttachedPolicy, *string, error) {
	all := []AttachedPolicy{}
	for _, arn := range *h.attached {
		if p, ok := state.Get[*resource.Policy](r, arn); ok && strings.HasPrefix(p.Path, value(prefix, "/")) {
			all = append(all, AttachedPolicy{PolicyArn: &p.ARN, PolicyName: &p.Name})
		}
	}
	return paginate(all, func(p AttachedPolicy) string { return *p.PolicyArn }, marker, most)
}

// mayDelete refuses while policies are left.
func (h holder) mayDelete() error {
	switch {
	case len(*h.attached) > 0:
		return conflict("Cannot delete entity, must detach all policies first.")
	case len(*h.inline) > 0:
		return conflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}
