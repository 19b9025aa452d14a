package ec2

import (
	"strings"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// ref names a resource that a call acts on. Without an id it stands for all of its kind: for one that the call
// makes, or that it names in a way which only the state can resolve.
type ref struct {
	kind string
	id   *string
}

type refs []ref

// on says which resources an operation acts on; a caller must be allowed to act on all of them.
func on[In any](of func(*In) refs) service.Option {
	return service.On(func(r state.Reader, in *In) []string {
		var out []string
		for _, f := range of(in) {
			out = append(out, f.arn(r))
		}
		if len(out) == 0 {
			return []string{"*"}
		}
		return out
	})
}

func (f ref) arn(r state.Reader) string {
	id := value(f.id)
	if id == "" {
		id = "*"
	}
	if p, ok := state.Get[*resource.PrefixList](r, id); ok && p.AWSManaged {
		return "arn:aws:ec2:" + r.Region() + ":aws:prefix-list/" + id
	}
	return arn(r, f.kind, id)
}

func made(kind string) ref { return ref{kind, nil} }

func vpcRef(id *string) ref       { return ref{"vpc", id} }
func subnetRef(id *string) ref    { return ref{"subnet", id} }
func tableRef(id *string) ref     { return ref{"route-table", id} }
func groupRef(id *string) ref     { return ref{"security-group", id} }
func aclRef(id *string) ref       { return ref{"network-acl", id} }
func gatewayRef(id *string) ref   { return ref{"internet-gateway", id} }
func addressRef(id *string) ref   { return ref{"elastic-ip", id} }
func interfaceRef(id *string) ref { return ref{"network-interface", id} }
func listRef(id *string) ref      { return ref{"prefix-list", id} }

func many(kind string, ids []string) refs {
	var out refs
	for _, id := range ids {
		out = append(out, ref{kind, new(id)})
	}
	return out
}

// anyKind finds the kind of each id by its prefix.
func anyKind(ids []string) refs {
	var out refs
	for _, id := range ids {
		kind := "*"
		prefix, _, _ := strings.Cut(id, "-")
		if prefix == nounRule.Prefix {
			kind = kindRule
		}
		for _, t := range taggables() {
			if t.noun.Prefix == prefix {
				kind = t.kind
			}
		}
		out = append(out, ref{kind, new(id)})
	}
	return out
}
