package ec2

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) createSecurityGroup(tx *state.Tx, _ *api.Call, in *CreateSecurityGroupInput) (*CreateSecurityGroupOutput, error) {
	v, err := vpcOrDefault(tx, in.VpcId)
	if err != nil {
		return nil, err
	}
	if err := checkGroupName(tx, v.ID, in.GroupName); err != nil {
		return nil, err
	}
	if !given(in.Description) {
		return nil, missing("GroupDescription")
	}
	if err := checkGroupText("GroupDescription", *in.Description); err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, resource.KindSecurityGroup)
	if err != nil {
		return nil, err
	}
	if err := limitSecurityGroups(tx); err != nil {
		return nil, err
	}
	g := &resource.SecurityGroup{
		ID:          resource.SecurityGroupID(tx.NewID("sg")),
		VPCID:       v.ID,
		Name:        strings.TrimSpace(*in.GroupName),
		Description: *in.Description,
		Rules:       []resource.SecurityGroupRule{openEgress(tx)},
		Tags:        tags,
	}
	if len(v.IPv6CIDRs) > 0 {
		g.Rules = append(g.Rules, openIPv6Egress(tx))
	}
	tx.Put(g)
	return &CreateSecurityGroupOutput{
		GroupId:          new(string(g.ID)),
		SecurityGroupArn: new(arn(tx, "security-group", string(g.ID))),
		Tags:             tagSet(g.Tags),
	}, nil
}

func checkGroupName(r state.Reader, vpc resource.VPCID, wanted *string) error {
	name := strings.TrimSpace(value(wanted))
	if name == "" {
		return missing("GroupName")
	}
	if err := checkGroupText("groupName", name); err != nil {
		return err
	}
	if strings.HasPrefix(name, "sg-") {
		return api.Errorf("InvalidParameterValue", "invalid value for parameter groupName: %s. Group names may not be in the format sg-*.", name)
	}
	if name == vpcnet.DefaultGroupName {
		return api.Errorf("InvalidParameterValue", "Cannot use reserved security group name: %s", name)
	}
	if exists(r, func(g *resource.SecurityGroup) bool { return g.VPCID == vpc && g.Name == name }) {
		return api.Errorf("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, vpc)
	}
	return nil
}

// groupCharacters may be in names and descriptions besides letters, digits and spaces.
const groupCharacters = "._-:/()#,@[]+=&;{}!$*"

func checkGroupText(parameter, s string) error {
	bad := strings.IndexFunc(s, func(c rune) bool {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		return !letter && c != ' ' && !strings.ContainsRune(groupCharacters, c)
	})
	if bad >= 0 || len(s) > 255 {
		return api.Errorf("InvalidParameterValue", "Value (%s) for parameter %s is invalid. Character sets beyond ASCII are not supported.", s, parameter)
	}
	return nil
}

// allTraffic is a rule for every protocol that lacks its peer.
func allTraffic(tx *state.Tx) resource.SecurityGroupRule {
	return resource.SecurityGroupRule{
		ID:       resource.SecurityGroupRuleID(tx.NewID("sgr")),
		Protocol: resource.AllProtocols,
		FromPort: -1,
		ToPort:   -1,
	}
}

// openEgress is the rule that every group begins with.
func openEgress(tx *state.Tx) resource.SecurityGroupRule {
	r := allTraffic(tx)
	r.Egress = true
	r.CIDR = netip.MustParsePrefix(everyIPv4)
	return r
}

func (s *ec2) deleteSecurityGroup(tx *state.Tx, _ *api.Call, in *DeleteSecurityGroupInput) (*DeleteSecurityGroupOutput, error) {
	g, err := findGroup(tx, in.GroupId, in.GroupName)
	if err != nil {
		return nil, err
	}
	if g.Name == vpcnet.DefaultGroupName {
		return nil, api.Errorf("CannotDelete", `the specified group: "%s" name: "%s" cannot be deleted by a user`, g.ID, g.Name)
	}
	if groupInUse(tx, g.ID) {
		return nil, api.Errorf("DependencyViolation", "resource %s has a dependent object", g.ID)
	}
	tx.Delete(g)
	return &DeleteSecurityGroupOutput{}, nil
}

// groupInUse reports whether an interface or an endpoint carries the group or another group's rule names it. A
// group's own rules do not hold it, and neither do those of a peered VPC, which become stale.
func groupInUse(r state.Reader, id resource.SecurityGroupID) bool {
	return exists(r, func(n *resource.NetworkInterface) bool { return slices.Contains(n.GroupIDs, id) }) ||
		exists(r, func(e *resource.VPCEndpoint) bool { return slices.Contains(e.GroupIDs, id) }) ||
		exists(r, func(f *resource.Function) bool {
			return f.VPCConfig != nil && slices.Contains(f.VPCConfig.GroupIDs, id)
		}) ||
		exists(r, func(g *resource.SecurityGroup) bool {
			return g.ID != id && slices.ContainsFunc(g.Rules, func(r resource.SecurityGroupRule) bool { return r.GroupID == id && r.GroupVPCID == "" })
		})
}

// findGroup looks a group up by id. A name alone means a group of the default VPC.
func findGroup(r state.Reader, id, name *string) (*resource.SecurityGroup, error) {
	if !given(id) && given(name) {
		return groupOfDefaultVPC(r, *name)
	}
	return find[*resource.SecurityGroup](r, vpcnet.Group, "groupId", id)
}

func (s *ec2) describeSecurityGroups(v *state.View, _ *api.Call, in *DescribeSecurityGroupsInput) (*DescribeSecurityGroupsOutput, error) {
	ids := in.GroupIds
	for _, name := range in.GroupNames {
		g, err := groupOfDefaultVPC(v, name)
		if err != nil {
			return nil, err
		}
		ids = append(slices.Clone(ids), string(g.ID))
	}
	found, err := named[*resource.SecurityGroup](v, vpcnet.Group, ids)
	if err != nil {
		return nil, err
	}
	page, next, err := groupSource(v).answer(securityGroupListing(), found, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeSecurityGroupsOutput{SecurityGroups: page, NextToken: next}, nil
}

func groupSource(r state.Reader) source[*resource.SecurityGroup, SecurityGroup] {
	return source[*resource.SecurityGroup, SecurityGroup]{
		key:  (*resource.SecurityGroup).Key,
		item: func(g *resource.SecurityGroup) SecurityGroup { return securityGroupOutput(r, g) },
		tags: func(g *resource.SecurityGroup) resource.Tags { return g.Tags },
		quick: fields[*resource.SecurityGroup]{
			"description": func(g *resource.SecurityGroup) []string { return []string{g.Description} },
			"group-id":    func(g *resource.SecurityGroup) []string { return []string{string(g.ID)} },
			"group-name":  func(g *resource.SecurityGroup) []string { return []string{g.Name} },
			"vpc-id":      func(g *resource.SecurityGroup) []string { return []string{string(g.VPCID)} },
		},
	}
}

func securityGroupListing() listing[SecurityGroup] {
	f := fields[SecurityGroup]{
		"description": func(g SecurityGroup) []string { return text(g.Description) },
		"group-id":    func(g SecurityGroup) []string { return text(g.GroupId) },
		"group-name":  func(g SecurityGroup) []string { return text(g.GroupName) },
		"owner-id":    func(g SecurityGroup) []string { return text(g.OwnerId) },
		"vpc-id":      func(g SecurityGroup) []string { return text(g.VpcId) },
	}
	for name, of := range permissionFields() {
		f["ip-permission."+name] = func(g SecurityGroup) []string { return of(g.IpPermissions) }
		f["egress.ip-permission."+name] = func(g SecurityGroup) []string { return of(g.IpPermissionsEgress) }
	}
	return listing[SecurityGroup]{
		key:    func(g SecurityGroup) string { return *g.GroupId },
		tags:   func(g SecurityGroup) []Tag { return g.Tags },
		fields: f,
	}
}

// permissionFields are the filters by rule.
func permissionFields() map[string]func([]IpPermission) []string {
	over := func(of func(IpPermission) []string) func([]IpPermission) []string {
		return func(ps []IpPermission) []string {
			var out []string
			for _, p := range ps {
				out = append(out, of(p)...)
			}
			return out
		}
	}
	pairs := func(of func(UserIdGroupPair) *string) func([]IpPermission) []string {
		return over(func(p IpPermission) []string { return each(p.UserIdGroupPairs, of) })
	}
	return map[string]func([]IpPermission) []string{
		"protocol":  over(func(p IpPermission) []string { return text(p.IpProtocol) }),
		"from-port": over(func(p IpPermission) []string { return number(p.FromPort) }),
		"to-port":   over(func(p IpPermission) []string { return number(p.ToPort) }),
		"cidr": over(func(p IpPermission) []string {
			return each(p.IpRanges, func(r IpRange) *string { return r.CidrIp })
		}),
		"ipv6-cidr": over(func(p IpPermission) []string {
			return each(p.Ipv6Ranges, func(r Ipv6Range) *string { return r.CidrIpv6 })
		}),
		"prefix-list-id": over(func(p IpPermission) []string {
			return each(p.PrefixListIds, func(l PrefixListId) *string { return l.PrefixListId })
		}),
		"group-id":   pairs(func(u UserIdGroupPair) *string { return u.GroupId }),
		"group-name": pairs(func(u UserIdGroupPair) *string { return u.GroupName }),
		"user-id":    pairs(func(u UserIdGroupPair) *string { return u.UserId }),
	}
}

func securityGroupOutput(r state.Reader, g *resource.SecurityGroup) SecurityGroup {
	return SecurityGroup{
		Description:         new(g.Description),
		GroupId:             new(string(g.ID)),
		GroupName:           new(g.Name),
		IpPermissions:       permissions(r, g, false),
		IpPermissionsEgress: permissions(r, g, true),
		OwnerId:             new(r.Account()),
		SecurityGroupArn:    new(arn(r, "security-group", string(g.ID))),
		Tags:                tagSet(g.Tags),
		VpcId:               new(string(g.VPCID)),
	}
}
