package vpcnet

import (
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Noun is how EC2 speaks of a kind of resource: its id prefix and what it answers when an id is of no use.
// AWS's spelling is not regular, so nothing here is derived.
type Noun struct {
	Prefix    string // vpc
	Malformed string // code for an id of the wrong form
	NotFound  string // code for an id that names nothing
	Text      string // text for the latter, with %s for the id
}

// The nouns that more than one service looks up.
var (
	VPC    = Noun{"vpc", "InvalidVpcID.Malformed", "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist"}
	Subnet = Noun{"subnet", "InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist"}
	Group  = Noun{"sg", "InvalidGroupId.Malformed", "InvalidGroup.NotFound", "The security group '%s' does not exist"}
	ENI    = Noun{"eni", "InvalidNetworkInterfaceId.Malformed", "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist"}
)

// Check refuses an id that does not have the noun's form: the prefix, a dash and 17 hex digits, or 8 in ids
// that are older than 2018.
func (n Noun) Check(id string) error {
	digits, ok := strings.CutPrefix(id, n.Prefix+"-")
	if !ok || (len(digits) != 8 && len(digits) != 17) || strings.Trim(digits, "0123456789abcdef") != "" {
		return api.Errorf(n.Malformed, `Invalid id: "%s" (expecting "%s-...")`, id, n.Prefix)
	}
	return nil
}

// Missing is the error for an id that names nothing.
func (n Noun) Missing(id string) error { return api.Errorf(n.NotFound, n.Text, id) }

// Find looks a resource up by its id, which came from a caller.
func Find[T state.Resource](r state.Reader, n Noun, id string) (T, error) {
	var zero T
	if err := n.Check(id); err != nil {
		return zero, err
	}
	v, ok := state.Get[T](r, id)
	if !ok {
		return zero, n.Missing(id)
	}
	return v, nil
}

// FindVPC looks up a VPC.
func FindVPC(r state.Reader, id string) (*resource.VPC, error) {
	return Find[*resource.VPC](r, VPC, id)
}

// FindSubnet looks up a subnet.
func FindSubnet(r state.Reader, id string) (*resource.Subnet, error) {
	return Find[*resource.Subnet](r, Subnet, id)
}

// FindGroup looks up a security group.
func FindGroup(r state.Reader, id string) (*resource.SecurityGroup, error) {
	return Find[*resource.SecurityGroup](r, Group, id)
}

// FindGroups looks up the groups of an interface in a VPC, in the order given and each once.
func FindGroups(r state.Reader, vpc resource.VPCID, ids []string) ([]*resource.SecurityGroup, error) {
	var out []*resource.SecurityGroup
	seen := map[string]bool{}
	for _, id := range ids {
		g, err := FindGroup(r, id)
		if err != nil {
			return nil, err
		}
		if g.VPCID != vpc {
			return nil, api.Errorf("InvalidParameter", "Security group %s and VPC %s belong to different networks.", id, vpc)
		}
		if !seen[id] {
			seen[id] = true
			out = append(out, g)
		}
	}
	if len(out) > r.Quota(resource.QuotaGroupsPerInterface) {
		return nil, api.Errorf("SecurityGroupsPerInterfaceLimitExceeded",
			"The maximum number of security groups per interface has been reached.")
	}
	return out, nil
}

// DefaultGroup finds a VPC's default security group. There is always one: it is made and deleted with the VPC.
func DefaultGroup(r state.Reader, vpc resource.VPCID) (*resource.SecurityGroup, bool) {
	found := state.Select(r, func(g *resource.SecurityGroup) bool { return g.VPCID == vpc && g.Name == DefaultGroupName })
	if len(found) == 0 {
		return nil, false
	}
	return found[0], true
}

// DefaultGroupName is the name that only the default group of a VPC has.
const DefaultGroupName = "default"
