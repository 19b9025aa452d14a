package vpcnet

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// LambdaPlace says where a function is to be.
type LambdaPlace struct {
	Function  string
	SubnetIDs []resource.SubnetID
	GroupIDs  []resource.SecurityGroupID
	DualStack bool // each interface has an IPv6 address too
}

// LambdaInterfaces finds or makes the interfaces through which a function reaches its VPC: one in each subnet,
// in the order of the subnets. All functions with the same set of groups and families share a subnet's interface, as
// AWS's Hyperplane interfaces are shared. Subnets and groups must be in one VPC, whose id is returned.
//
// The caller keeps the ids in the function's FunctionVPCConfig: an interface lives while a function names it.
func LambdaInterfaces(tx *state.Tx, p LambdaPlace) (resource.VPCID, []*resource.NetworkInterface, error) {
	vpc, err := lambdaVPC(tx, p.SubnetIDs)
	if err != nil {
		return "", nil, err
	}
	ids, err := interfaceGroups(tx, vpc, InterfaceSpec{GroupIDs: p.GroupIDs})
	if err != nil {
		return "", nil, err
	}
	six := 0
	if p.DualStack {
		six = 1
	}
	var out []*resource.NetworkInterface
	for _, s := range p.SubnetIDs {
		if eni, ok := sharedInterface(tx, s, ids, six); ok {
			out = append(out, eni)
			continue
		}
		eni, err := CreateInterface(tx, InterfaceSpec{
			SubnetID:        s,
			Type:            resource.InterfaceTypeLambda,
			Description:     "AWS Lambda VPC ENI-" + p.Function,
			GroupIDs:        ids,
			IPv6Count:       &six,
			ServiceAttached: true,
		})
		if err != nil {
			return "", nil, err
		}
		out = append(out, eni)
	}
	return vpc, out, nil
}

// ErrDifferentVPCs is returned for subnets that are not all in one VPC.
type ErrDifferentVPCs struct{ Subnet, Other resource.SubnetID }

func (e ErrDifferentVPCs) Error() string {
	return "subnets " + string(e.Subnet) + " and " + string(e.Other) + " are in different VPCs"
}

func lambdaVPC(r state.Reader, subnets []resource.SubnetID) (resource.VPCID, error) {
	var vpc resource.VPCID
	for _, id := range subnets {
		s, err := FindSubnet(r, string(id))
		if err != nil {
			return "", err
		}
		if vpc != "" && vpc != s.VPCID {
			return "", ErrDifferentVPCs{subnets[0], id}
		}
		vpc = s.VPCID
	}
	return vpc, nil
}

func sharedInterface(r state.Reader, subnet resource.SubnetID, groups []resource.SecurityGroupID, six int) (*resource.NetworkInterface, bool) {
	want := slices.Sorted(slices.Values(groups))
	for _, eni := range Interfaces(r, subnet) {
		if eni.InterfaceType == resource.InterfaceTypeLambda && len(eni.IPv6Addresses) == six && slices.Equal(slices.Sorted(slices.Values(eni.GroupIDs)), want) {
			return eni, true
		}
	}
	return nil, false
}

// ReleaseLambdaInterfaces removes those of the interfaces that no function names any more. Call it after the
// function was deleted or stored with its new configuration, with the ids that it had before.
func ReleaseLambdaInterfaces(tx *state.Tx, ids []resource.NetworkInterfaceID) {
	used := map[resource.NetworkInterfaceID]bool{}
	for _, f := range state.List[*resource.Function](tx) {
		if f.VPCConfig == nil {
			continue
		}
		for _, id := range f.VPCConfig.NetworkInterfaceIDs {
			used[id] = true
		}
	}
	for _, id := range ids {
		if !used[id] {
			DeleteInterface(tx, id)
		}
	}
}
