package ec2

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// modifySecurityGroupRules replaces rules of a group; each keeps its id, its direction and its tags.
func (s *ec2) modifySecurityGroupRules(tx *state.Tx, _ *api.Call, in *ModifySecurityGroupRulesInput) (*ModifySecurityGroupRulesOutput, error) {
	old, err := findGroup(tx, in.GroupId, nil)
	if err != nil {
		return nil, err
	}
	if len(in.SecurityGroupRules) == 0 {
		return nil, missing("SecurityGroupRule")
	}
	g := *old
	g.Rules = slices.Clone(old.Rules)
	for _, u := range in.SecurityGroupRules {
		if err := modifyRule(tx, &g, u); err != nil {
			return nil, err
		}
	}
	if err := checkRuleCount(tx, &g); err != nil {
		return nil, err
	}
	tx.Put(&g)
	return &ModifySecurityGroupRulesOutput{Return: new(true)}, nil
}

func modifyRule(r state.Reader, g *resource.SecurityGroup, u SecurityGroupRuleUpdate) error {
	at, err := ruleByID(g, u.SecurityGroupRuleId)
	if err != nil {
		return err
	}
	if u.SecurityGroupRule == nil {
		return missing("SecurityGroupRule")
	}
	old := g.Rules[at]
	rules, err := rulesOf(r, g, old.Egress, []IpPermission{permissionOf(*u.SecurityGroupRule)})
	if err == nil {
		err = refuseStale(r, g, rules)
	}
	if err != nil {
		return err
	}
	if len(rules) != 1 {
		return api.Errorf("InvalidParameterCombination", "A rule has exactly one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupId")
	}
	rule := rules[0]
	rule.ID, rule.Tags = old.ID, old.Tags
	if slices.ContainsFunc(g.Rules, func(o resource.SecurityGroupRule) bool { return o.ID != rule.ID && sameRule(o, rule) }) {
		return api.Errorf("InvalidPermission.Duplicate", `the specified rule "%s" already exists`, describeRule(rule))
	}
	g.Rules[at] = rule
	return nil
}

// permissionOf is a rule in the form in which Authorize has it.
func permissionOf(r SecurityGroupRuleRequest) IpPermission {
	p := IpPermission{IpProtocol: r.IpProtocol, FromPort: r.FromPort, ToPort: r.ToPort}
	if given(r.CidrIpv4) {
		p.IpRanges = []IpRange{{CidrIp: r.CidrIpv4, Description: r.Description}}
	}
	if given(r.CidrIpv6) {
		p.Ipv6Ranges = []Ipv6Range{{CidrIpv6: r.CidrIpv6, Description: r.Description}}
	}
	if given(r.PrefixListId) {
		p.PrefixListIds = []PrefixListId{{PrefixListId: r.PrefixListId, Description: r.Description}}
	}
	if given(r.ReferencedGroupId) {
		p.UserIdGroupPairs = []UserIdGroupPair{{GroupId: r.ReferencedGroupId, Description: r.Description}}
	}
	return p
}

// ruleByID returns the place of a group's rule.
func ruleByID(g *resource.SecurityGroup, id *string) (int, error) {
	if !given(id) {
		return 0, missing("SecurityGroupRuleId")
	}
	if err := nounRule.Check(*id); err != nil {
		return 0, err
	}
	at := slices.IndexFunc(g.Rules, func(r resource.SecurityGroupRule) bool { return string(r.ID) == *id })
	if at < 0 {
		return 0, nounRule.Missing(*id)
	}
	return at, nil
}

func (s *ec2) updateIngressDescriptions(tx *state.Tx, _ *api.Call, in *UpdateSecurityGroupRuleDescriptionsIngressInput) (*UpdateSecurityGroupRuleDescriptionsIngressOutput, error) {
	err := describeRules(tx, ruleCall{groupID: in.GroupId, groupName: in.GroupName, permissions: in.IpPermissions}, in.SecurityGroupRuleDescriptions)
	if err != nil {
		return nil, err
	}
	return &UpdateSecurityGroupRuleDescriptionsIngressOutput{Return: new(true)}, nil
}

func (s *ec2) updateEgressDescriptions(tx *state.Tx, _ *api.Call, in *UpdateSecurityGroupRuleDescriptionsEgressInput) (*UpdateSecurityGroupRuleDescriptionsEgressOutput, error) {
	err := describeRules(tx, ruleCall{groupID: in.GroupId, groupName: in.GroupName, egress: true, permissions: in.IpPermissions}, in.SecurityGroupRuleDescriptions)
	if err != nil {
		return nil, err
	}
	return &UpdateSecurityGroupRuleDescriptionsEgressOutput{Return: new(true)}, nil
}

// describeRules gives rules new descriptions; they are named by id or by what they allow.
func describeRules(tx *state.Tx, c ruleCall, byID []SecurityGroupRuleDescription) error {
	old, err := findGroup(tx, c.groupID, c.groupName)
	if err != nil {
		return err
	}
	g := *old
	g.Rules = slices.Clone(old.Rules)
	if len(byID) == 0 {
		err = describeByPermission(tx, &g, c)
	} else if len(c.permissions) > 0 {
		err = api.Errorf("InvalidParameterCombination", "The parameters ipPermissions and securityGroupRuleDescriptions cannot be used together")
	}
	if err != nil {
		return err
	}
	for _, d := range byID {
		at, err := ruleByID(&g, d.SecurityGroupRuleId)
		if err != nil {
			return err
		}
		if g.Rules[at].Egress != c.egress {
			return nounRule.Missing(*d.SecurityGroupRuleId)
		}
		if err := checkRuleDescription(value(d.Description)); err != nil {
			return err
		}
		g.Rules[at].Description = value(d.Description)
	}
	tx.Put(&g)
	return nil
}

func describeByPermission(r state.Reader, g *resource.SecurityGroup, c ruleCall) error {
	wanted, err := rulesOf(r, g, c.egress, c.permissions)
	if err != nil {
		return err
	}
	for _, w := range wanted {
		at := slices.IndexFunc(g.Rules, func(r resource.SecurityGroupRule) bool { return sameRule(r, w) })
		if at < 0 {
			return api.Errorf("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
		g.Rules[at].Description = w.Description
	}
	return nil
}
