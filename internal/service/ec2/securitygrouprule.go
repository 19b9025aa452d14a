package ec2

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// kindRule is AWS's resource type of a rule, which is stored within its group.
const kindRule = "security-group-rule"

// ruleCall is what the four calls that add and remove rules have in common.
type ruleCall struct {
	groupID, groupName *string
	egress             bool
	permissions        []IpPermission
	tags               []TagSpecification // authorize only
	ruleIDs            []string           // revoke only
}

// flat is the old form of a permission: four parameters of the call itself.
func flat(permissions []IpPermission, protocol, cidr *string, from, to *int64, sourceGroup *string) ([]IpPermission, error) {
	if given(sourceGroup) {
		return nil, api.Errorf("InvalidParameterValue", "Invalid value '%s' for sourceSecurityGroupName. You may not reference Amazon VPC security groups by name. Please use the corresponding id for this operation.", *sourceGroup)
	}
	if !given(protocol) && !given(cidr) {
		return permissions, nil
	}
	if len(permissions) > 0 {
		return nil, api.Errorf("InvalidParameterCombination", "The parameter ipPermissions may not be used in combination with ipProtocol or cidrIp")
	}
	p := IpPermission{IpProtocol: protocol, FromPort: from, ToPort: to}
	if given(cidr) {
		p.IpRanges = []IpRange{{CidrIp: cidr}}
	}
	return []IpPermission{p}, nil
}

func (s *ec2) authorizeSecurityGroupIngress(tx *state.Tx, _ *api.Call, in *AuthorizeSecurityGroupIngressInput) (*AuthorizeSecurityGroupIngressOutput, error) {
	permissions, err := flat(in.IpPermissions, in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort, in.SourceSecurityGroupName)
	if err != nil {
		return nil, err
	}
	rules, err := authorize(tx, ruleCall{groupID: in.GroupId, groupName: in.GroupName, permissions: permissions, tags: in.TagSpecifications})
	if err != nil {
		return nil, err
	}
	return &AuthorizeSecurityGroupIngressOutput{Return: new(true), SecurityGroupRules: rules}, nil
}

func (s *ec2) authorizeSecurityGroupEgress(tx *state.Tx, _ *api.Call, in *AuthorizeSecurityGroupEgressInput) (*AuthorizeSecurityGroupEgressOutput, error) {
	permissions, err := flat(in.IpPermissions, in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort, in.SourceSecurityGroupName)
	if err != nil {
		return nil, err
	}
	rules, err := authorize(tx, ruleCall{groupID: in.GroupId, egress: true, permissions: permissions, tags: in.TagSpecifications})
	if err != nil {
		return nil, err
	}
	return &AuthorizeSecurityGroupEgressOutput{Return: new(true), SecurityGroupRules: rules}, nil
}

// authorize adds rules to a group: all of them, or none and an error.
func authorize(tx *state.Tx, c ruleCall) ([]SecurityGroupRule, error) {
	old, err := findGroup(tx, c.groupID, c.groupName)
	if err != nil {
		return nil, err
	}
	tags, err := newTagsFor(c.tags, kindRule)
	if err != nil {
		return nil, err
	}
	rules, err := rulesOf(tx, old, c.egress, c.permissions)
	if err == nil {
		err = refuseStale(tx, old, rules)
	}
	if err != nil {
		return nil, err
	}
	g := *old
	g.Rules = slices.Clone(old.Rules)
	var out []SecurityGroupRule
	for i, rule := range rules {
		same := func(r resource.SecurityGroupRule) bool { return sameRule(r, rule) }
		if slices.ContainsFunc(rules[:i], same) {
			return nil, api.Errorf("InvalidParameterValue", "The same permission must not appear multiple times")
		}
		if slices.ContainsFunc(old.Rules, same) {
			return nil, api.Errorf("InvalidPermission.Duplicate", `the specified rule "%s" already exists`, describeRule(rule))
		}
		rule.ID = resource.SecurityGroupRuleID(tx.NewID("sgr"))
		rule.Tags = tags
		g.Rules = append(g.Rules, rule)
		out = append(out, ruleOutput(tx, &g, rule))
	}
	if err := checkRuleCount(tx, &g); err != nil {
		return nil, err
	}
	tx.Put(&g)
	return out, nil
}

// checkRuleCount counts as AWS does: for each direction and address family, a rule with a prefix list as many as
// the list may have entries, and S3's list, whatever its size, as one. Rules that name groups count in both
// families.
func checkRuleCount(r state.Reader, g *resource.SecurityGroup) error {
	for _, egress := range []bool{false, true} {
		four, six := 0, 0
		for _, rule := range g.Rules {
			switch {
			case rule.Egress != egress:
			case rule.GroupID != "":
				four++
				six++
			case rule.PrefixListID != "" && listsIPv6(r, rule.PrefixListID):
				six += weight(r, rule.PrefixListID)
			case rule.PrefixListID != "":
				four += weight(r, rule.PrefixListID)
			case rule.CIDR.Addr().Is6():
				six++
			default:
				four++
			}
		}
		if max(four, six) > r.Quota(resource.QuotaRules) {
			return api.Errorf("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
		}
	}
	return nil
}

func listsIPv6(r state.Reader, id resource.PrefixListID) bool {
	p, ok := state.Get[*resource.PrefixList](r, id)
	return ok && p.IPv6
}

func weight(r state.Reader, id resource.PrefixListID) int {
	p, ok := state.Get[*resource.PrefixList](r, id)
	if !ok || p.AWSManaged {
		return 1
	}
	return p.MaxEntries
}

func (s *ec2) revokeSecurityGroupIngress(tx *state.Tx, _ *api.Call, in *RevokeSecurityGroupIngressInput) (*RevokeSecurityGroupIngressOutput, error) {
	permissions, err := flat(in.IpPermissions, in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort, in.SourceSecurityGroupName)
	if err != nil {
		return nil, err
	}
	gone, err := revoke(tx, ruleCall{groupID: in.GroupId, groupName: in.GroupName, permissions: permissions, ruleIDs: in.SecurityGroupRuleIds})
	if err != nil {
		return nil, err
	}
	return &RevokeSecurityGroupIngressOutput{Return: new(true), RevokedSecurityGroupRules: gone}, nil
}

func (s *ec2) revokeSecurityGroupEgress(tx *state.Tx, _ *api.Call, in *RevokeSecurityGroupEgressInput) (*RevokeSecurityGroupEgressOutput, error) {
	permissions, err := flat(in.IpPermissions, in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort, in.SourceSecurityGroupName)
	if err != nil {
		return nil, err
	}
	gone, err := revoke(tx, ruleCall{groupID: in.GroupId, egress: true, permissions: permissions, ruleIDs: in.SecurityGroupRuleIds})
	if err != nil {
		return nil, err
	}
	return &RevokeSecurityGroupEgressOutput{Return: new(true), RevokedSecurityGroupRules: gone}, nil
}

// revoke removes rules from a group: all of them, or none and an error.
func revoke(tx *state.Tx, c ruleCall) ([]RevokedSecurityGroupRule, error) {
	old, err := findGroup(tx, c.groupID, c.groupName)
	if err != nil {
		return nil, err
	}
	if len(c.ruleIDs) > 0 && len(c.permissions) > 0 {
		return nil, api.Errorf("InvalidParameterCombination", "The parameters securityGroupRuleIds and ipPermissions cannot be used together")
	}
	var drop []int
	if len(c.ruleIDs) > 0 {
		drop, err = rulesByID(old, c)
	} else {
		drop, err = rulesByPermission(tx, old, c)
	}
	if err != nil {
		return nil, err
	}
	g := *old
	g.Rules = nil
	var out []RevokedSecurityGroupRule
	for i, rule := range old.Rules {
		if slices.Contains(drop, i) {
			out = append(out, revokedOutput(old, rule))
		} else {
			g.Rules = append(g.Rules, rule)
		}
	}
	tx.Put(&g)
	return out, nil
}

// rulesByID returns the places of the rules that a call names by id.
func rulesByID(g *resource.SecurityGroup, c ruleCall) ([]int, error) {
	var out []int
	for _, id := range c.ruleIDs {
		if err := nounRule.Check(id); err != nil {
			return nil, err
		}
		at := slices.IndexFunc(g.Rules, func(r resource.SecurityGroupRule) bool {
			return string(r.ID) == id && r.Egress == c.egress
		})
		if at < 0 {
			return nil, nounRule.Missing(id)
		}
		out = append(out, at)
	}
	return out, nil
}

// rulesByPermission returns the places of the rules that a call describes. A description, if given, must match.
func rulesByPermission(r state.Reader, g *resource.SecurityGroup, c ruleCall) ([]int, error) {
	wanted, err := rulesOf(r, g, c.egress, c.permissions)
	if err != nil {
		return nil, err
	}
	var out []int
	for _, w := range wanted {
		at := slices.IndexFunc(g.Rules, func(r resource.SecurityGroupRule) bool {
			return sameRule(r, w) && (w.Description == "" || w.Description == r.Description)
		})
		if at < 0 {
			return nil, api.Errorf("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
		out = append(out, at)
	}
	return out, nil
}

// retagRule changes the tags of one rule.
func retagRule(tx *state.Tx, id string, change func(resource.Tags) error) error {
	if err := nounRule.Check(id); err != nil {
		return err
	}
	for _, old := range state.List[*resource.SecurityGroup](tx) {
		at := slices.IndexFunc(old.Rules, func(r resource.SecurityGroupRule) bool { return string(r.ID) == id })
		if at < 0 {
			continue
		}
		tags, err := changed(old.Rules[at].Tags, change)
		if err != nil {
			return err
		}
		g := *old
		g.Rules = slices.Clone(old.Rules)
		g.Rules[at].Tags = tags
		tx.Put(&g)
		return nil
	}
	return nounRule.Missing(id)
}

func (s *ec2) describeSecurityGroupRules(v *state.View, _ *api.Call, in *DescribeSecurityGroupRulesInput) (*DescribeSecurityGroupRulesOutput, error) {
	found, err := namedRules(v, in.SecurityGroupRuleIds)
	if err != nil {
		return nil, err
	}
	page, next, err := ruleSource(v).answer(ruleListing(), found, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeSecurityGroupRulesOutput{SecurityGroupRules: page, NextToken: next}, nil
}

func ruleListing() listing[SecurityGroupRule] {
	return listing[SecurityGroupRule]{
		key:  func(r SecurityGroupRule) string { return *r.SecurityGroupRuleId },
		tags: func(r SecurityGroupRule) []Tag { return r.Tags },
		fields: fields[SecurityGroupRule]{
			"group-id":               func(r SecurityGroupRule) []string { return text(r.GroupId) },
			"security-group-rule-id": func(r SecurityGroupRule) []string { return text(r.SecurityGroupRuleId) },
		},
	}
}

// placedRule is a rule and the group that it is in.
type placedRule struct {
	group *resource.SecurityGroup
	rule  *resource.SecurityGroupRule
}

// namedRules are the rules that a call names, or all if it names none.
func namedRules(r state.Reader, ids []string) ([]placedRule, error) {
	wanted := map[string]bool{}
	for _, id := range ids {
		if err := nounRule.Check(id); err != nil {
			return nil, err
		}
		wanted[id] = true
	}
	var out []placedRule
	for _, g := range state.List[*resource.SecurityGroup](r) {
		for i := range g.Rules {
			rule := &g.Rules[i]
			if len(ids) == 0 || wanted[string(rule.ID)] {
				out = append(out, placedRule{g, rule})
				delete(wanted, string(rule.ID))
			}
		}
	}
	for _, id := range ids {
		if len(wanted) > 0 && wanted[id] {
			return nil, nounRule.Missing(id)
		}
	}
	return out, nil
}

func ruleSource(r state.Reader) source[placedRule, SecurityGroupRule] {
	return source[placedRule, SecurityGroupRule]{
		key:  func(p placedRule) string { return string(p.rule.ID) },
		item: func(p placedRule) SecurityGroupRule { return ruleOutput(r, p.group, *p.rule) },
		tags: func(p placedRule) resource.Tags { return p.rule.Tags },
		quick: fields[placedRule]{
			"group-id":               func(p placedRule) []string { return []string{string(p.group.ID)} },
			"security-group-rule-id": func(p placedRule) []string { return []string{string(p.rule.ID)} },
		},
	}
}

func ruleOutput(r state.Reader, g *resource.SecurityGroup, rule resource.SecurityGroupRule) SecurityGroupRule {
	out := SecurityGroupRule{
		FromPort:             new(int64(rule.FromPort)),
		GroupId:              new(string(g.ID)),
		GroupOwnerId:         new(r.Account()),
		IpProtocol:           new(protocolName(rule.Protocol)),
		IsEgress:             new(rule.Egress),
		SecurityGroupRuleArn: new(arn(r, kindRule, string(rule.ID))),
		SecurityGroupRuleId:  new(string(rule.ID)),
		Tags:                 tagSet(rule.Tags),
		ToPort:               new(int64(rule.ToPort)),
	}
	if rule.Description != "" {
		out.Description = new(rule.Description)
	}
	switch {
	case rule.GroupID != "":
		out.ReferencedGroupInfo = referencedInfo(r, g, rule)
	case rule.PrefixListID != "":
		out.PrefixListId = new(string(rule.PrefixListID))
	case rule.CIDR.Addr().Is6():
		out.CidrIpv6 = new(rule.CIDR.String())
	default:
		out.CidrIpv4 = new(rule.CIDR.String())
	}
	return out
}

func revokedOutput(g *resource.SecurityGroup, rule resource.SecurityGroupRule) RevokedSecurityGroupRule {
	out := RevokedSecurityGroupRule{
		FromPort:            new(int64(rule.FromPort)),
		GroupId:             new(string(g.ID)),
		IpProtocol:          new(protocolName(rule.Protocol)),
		IsEgress:            new(rule.Egress),
		SecurityGroupRuleId: new(string(rule.ID)),
		ToPort:              new(int64(rule.ToPort)),
	}
	if rule.Description != "" {
		out.Description = new(rule.Description)
	}
	switch {
	case rule.GroupID != "":
		out.ReferencedGroupId = new(string(rule.GroupID))
	case rule.PrefixListID != "":
		out.PrefixListId = new(string(rule.PrefixListID))
	case rule.CIDR.Addr().Is6():
		out.CidrIpv6 = new(rule.CIDR.String())
	default:
		out.CidrIpv4 = new(rule.CIDR.String())
	}
	return out
}
