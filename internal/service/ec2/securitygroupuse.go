package ec2

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// groupUseOperations say where security groups are used, and may be.
func (s *ec2) groupUseOperations() []service.Operation {
	return []service.Operation{
		service.View("DescribeStaleSecurityGroups", s.describeStaleSecurityGroups, service.OnAny()),
		service.View("DescribeSecurityGroupReferences", s.describeSecurityGroupReferences, service.OnAny()),
		service.View("GetSecurityGroupsForVpc", s.getSecurityGroupsForVPC, on(func(in *GetSecurityGroupsForVpcInput) refs { return refs{vpcRef(in.VpcId)} })),
	}
}

// describeStaleSecurityGroups lists the groups of a VPC with rules that name a group of a peer which is gone, or
// out of reach because the peering connection is not active any more.
func (s *ec2) describeStaleSecurityGroups(v *state.View, _ *api.Call, in *DescribeStaleSecurityGroupsInput) (*DescribeStaleSecurityGroupsOutput, error) {
	vpc, err := find[*resource.VPC](v, vpcnet.VPC, "vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	all := []StaleSecurityGroup{}
	for _, g := range state.Select(v, func(g *resource.SecurityGroup) bool { return g.VPCID == vpc.ID }) {
		stale := *g
		stale.Rules = slices.DeleteFunc(slices.Clone(g.Rules), func(r resource.SecurityGroupRule) bool {
			return r.GroupVPCID == "" || refuseStale(v, g, []resource.SecurityGroupRule{r}) == nil
		})
		if len(stale.Rules) == 0 {
			continue
		}
		all = append(all, StaleSecurityGroup{
			Description: new(g.Description), GroupId: new(string(g.ID)), GroupName: new(g.Name), VpcId: new(string(g.VPCID)),
			StaleIpPermissions: stalePermissions(v, &stale, false), StaleIpPermissionsEgress: stalePermissions(v, &stale, true),
		})
	}
	l := listing[StaleSecurityGroup]{key: func(g StaleSecurityGroup) string { return *g.GroupId }, pages: pages{most: 255}}
	page, next, err := l.answer(all, nil, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeStaleSecurityGroupsOutput{StaleSecurityGroupSet: page, NextToken: next}, nil
}

func stalePermissions(r state.Reader, g *resource.SecurityGroup, egress bool) []StaleIpPermission {
	out := []StaleIpPermission{}
	for _, p := range permissions(r, g, egress) {
		out = append(out, StaleIpPermission{
			FromPort: p.FromPort, ToPort: p.ToPort, IpProtocol: p.IpProtocol, UserIdGroupPairs: p.UserIdGroupPairs,
			IpRanges: []string{}, PrefixListIds: []string{},
		})
	}
	return out
}

// describeSecurityGroupReferences lists the VPCs on the other side of a peering connection with rules that name a
// group.
func (s *ec2) describeSecurityGroupReferences(v *state.View, _ *api.Call, in *DescribeSecurityGroupReferencesInput) (*DescribeSecurityGroupReferencesOutput, error) {
	if len(in.GroupId) == 0 {
		return nil, missing("groupId")
	}
	out := &DescribeSecurityGroupReferencesOutput{SecurityGroupReferenceSet: []SecurityGroupReference{}}
	for _, id := range idsOf[string](in.GroupId) {
		g, err := vpcnet.FindGroup(v, id)
		if err != nil {
			return nil, err
		}
		var from []resource.VPCID
		for _, other := range state.List[*resource.SecurityGroup](v) {
			named := slices.ContainsFunc(other.Rules, func(r resource.SecurityGroupRule) bool { return r.GroupID == g.ID && r.GroupVPCID != "" })
			if !named || slices.Contains(from, other.VPCID) {
				continue
			}
			if p := peeringBetween(v, g.VPCID, other.VPCID); p != nil {
				from = append(from, other.VPCID)
				out.SecurityGroupReferenceSet = append(out.SecurityGroupReferenceSet, SecurityGroupReference{
					GroupId: new(id), ReferencingVpcId: new(string(other.VPCID)), VpcPeeringConnectionId: new(string(p.ID)),
				})
			}
		}
	}
	return out, nil
}

// getSecurityGroupsForVPC lists the groups that an interface in a VPC may carry: the VPC's own. None is shared here.
func (s *ec2) getSecurityGroupsForVPC(v *state.View, _ *api.Call, in *GetSecurityGroupsForVpcInput) (*GetSecurityGroupsForVpcOutput, error) {
	vpc, err := find[*resource.VPC](v, vpcnet.VPC, "vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	var all []SecurityGroupForVpc
	for _, g := range state.Select(v, func(g *resource.SecurityGroup) bool { return g.VPCID == vpc.ID }) {
		all = append(all, SecurityGroupForVpc{
			Description: new(g.Description), GroupId: new(string(g.ID)), GroupName: new(g.Name),
			OwnerId: new(v.Account()), PrimaryVpcId: new(string(g.VPCID)), Tags: tagSet(g.Tags),
		})
	}
	l := listing[SecurityGroupForVpc]{
		key:  func(g SecurityGroupForVpc) string { return *g.GroupId },
		tags: func(g SecurityGroupForVpc) []Tag { return g.Tags },
		fields: fields[SecurityGroupForVpc]{
			"description":    func(g SecurityGroupForVpc) []string { return text(g.Description) },
			"group-id":       func(g SecurityGroupForVpc) []string { return text(g.GroupId) },
			"group-name":     func(g SecurityGroupForVpc) []string { return text(g.GroupName) },
			"owner-id":       func(g SecurityGroupForVpc) []string { return text(g.OwnerId) },
			"primary-vpc-id": func(g SecurityGroupForVpc) []string { return text(g.PrimaryVpcId) },
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &GetSecurityGroupsForVpcOutput{SecurityGroupForVpcs: page, NextToken: next}, nil
}
