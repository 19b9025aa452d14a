package ec2

import (
	"slices"

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
	return onFound(func(_ state.Reader, in *In) refs { return of(in) })
}

// onFound is on for calls that name what they act on by an association, which has to be looked up.
func onFound[In any](of func(state.Reader, *In) refs) service.Option {
	return service.On(func(r state.Reader, in *In) []string {
		var out []string
		for _, f := range of(r, in) {
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
func peeringRef(id *string) ref   { return ref{"vpc-peering-connection", id} }
func listRef(id *string) ref      { return ref{"prefix-list", id} }

// The resources behind associations. What is not found stands for all of its kind: a caller who may act on one
// only learns nothing of others.

func vpcOfBlock(r state.Reader, id *string) ref {
	for _, v := range state.List[*resource.VPC](r) {
		holds := func(c resource.VPCCIDR) bool { return c.AssociationID == value(id) }
		if slices.ContainsFunc(v.CIDRs, holds) || slices.ContainsFunc(v.IPv6CIDRs, holds) {
			return vpcRef(new(string(v.ID)))
		}
	}
	return made("vpc")
}

func tableAssociationRefs(r state.Reader, id *string) refs {
	t, a, err := findAssociation(r, id)
	if err != nil {
		return refs{made("route-table"), made("subnet")}
	}
	out := refs{tableRef(new(string(t.ID)))}
	if !a.Main {
		out = append(out, subnetRef(new(string(a.SubnetID))))
	}
	return out
}

func subnetOfACL(r state.Reader, id *string) ref {
	for _, s := range state.List[*resource.Subnet](r) {
		if s.NetworkACLAssociationID == value(id) {
			return subnetRef(new(string(s.ID)))
		}
	}
	return made("subnet")
}

func associatedRef(r state.Reader, in *DisassociateAddressInput) ref {
	a, err := associatedAddress(r, in)
	if err != nil {
		return made("elastic-ip")
	}
	return addressRef(new(string(a.AllocationID)))
}

// allocatedRef names an address by its allocation, also where the call has only the address itself.
func allocatedRef(r state.Reader, allocation, publicIP *string) ref {
	if a, err := findAddress(r, allocation, publicIP); err == nil {
		return addressRef(new(string(a.AllocationID)))
	}
	return addressRef(allocation)
}

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
		prefix := prefixOf(id)
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
