package ec2

import (
	"testing"
)

// ingressRule adds a rule and returns its id.
func (w *world) ingressRule(group *string, p IpPermission) *string {
	w.t.Helper()
	return do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{
		GroupId: group, IpPermissions: []IpPermission{p},
		TagSpecifications: []TagSpecification{{ResourceType: new("security-group-rule"), Tags: []Tag{{Key: new("k"), Value: new("v")}}}},
	}).SecurityGroupRules[0].SecurityGroupRuleId
}

func TestAModifiedRuleKeepsItsIDAndTags(t *testing.T) {
	w := newWorld(t)
	g := w.group(w.vpc("10.0.0.0/16"), "web")
	id, other := w.ingressRule(g, tcp(80, "10.0.0.0/8")), w.ingressRule(g, tcp(443, "10.0.0.0/8"))
	modify := func(id *string, r SecurityGroupRuleRequest) ModifySecurityGroupRulesInput {
		return ModifySecurityGroupRulesInput{GroupId: g, SecurityGroupRules: []SecurityGroupRuleUpdate{{SecurityGroupRuleId: id, SecurityGroupRule: &r}}}
	}
	do(w, w.modifySecurityGroupRules, modify(id, SecurityGroupRuleRequest{IpProtocol: new("-1"), ReferencedGroupId: g, Description: new("us")}))
	got := see(w, w.describeSecurityGroupRules, DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{*id}}).SecurityGroupRules
	want := []SecurityGroupRule{{
		Description: new("us"), FromPort: new(int64(-1)), GroupId: g, GroupOwnerId: new("123456789012"), IpProtocol: new("-1"), IsEgress: new(false),
		ReferencedGroupInfo:  &ReferencedSecurityGroup{GroupId: g, UserId: new("123456789012")},
		SecurityGroupRuleArn: new("arn:aws:ec2:us-west-2:123456789012:security-group-rule/" + *id), SecurityGroupRuleId: id,
		Tags: []Tag{{Key: new("k"), Value: new("v")}}, ToPort: new(int64(-1)),
	}}
	if d := diff(got, want); d != "" {
		t.Errorf("rule differs (-got +want):\n%s", d)
	}
	port := new(int64(443))
	https := SecurityGroupRuleRequest{IpProtocol: new("tcp"), FromPort: port, ToPort: port, CidrIpv4: new("10.0.0.0/8")}
	refused(w, w.modifySecurityGroupRules, modify(id, https), "InvalidPermission.Duplicate")
	do(w, w.modifySecurityGroupRules, modify(other, https)) // itself is no duplicate
	both := https
	both.CidrIpv6 = new("::/0")
	refused(w, w.modifySecurityGroupRules, modify(id, both), "InvalidParameterCombination")
	refused(w, w.modifySecurityGroupRules, modify(nowhere("sgr"), https), "InvalidSecurityGroupRuleId.NotFound")
	refused(w, w.modifySecurityGroupRules, modify(new("rule"), https), "InvalidSecurityGroupRuleId.Malformed")
	refused(w, w.modifySecurityGroupRules, modify(nil, https), "MissingParameter")
	refused(w, w.modifySecurityGroupRules, ModifySecurityGroupRulesInput{GroupId: g}, "MissingParameter")
}

func TestDescriptionsOfRulesChange(t *testing.T) {
	w := newWorld(t)
	g := w.group(w.vpc("10.0.0.0/16"), "web")
	id := w.ingressRule(g, tcp(80, "10.0.0.0/8"))
	described := func() string {
		return value(see(w, w.describeSecurityGroupRules, DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{*id}}).SecurityGroupRules[0].Description)
	}
	p := tcp(80, "10.0.0.0/8")
	p.IpRanges[0].Description = new("front")
	do(w, w.updateIngressDescriptions, UpdateSecurityGroupRuleDescriptionsIngressInput{GroupId: g, IpPermissions: []IpPermission{p}})
	if got := described(); got != "front" {
		t.Errorf("description is %q, want front", got)
	}
	byID := []SecurityGroupRuleDescription{{SecurityGroupRuleId: id}}
	do(w, w.updateIngressDescriptions, UpdateSecurityGroupRuleDescriptionsIngressInput{GroupId: g, SecurityGroupRuleDescriptions: byID})
	if got := described(); got != "" {
		t.Errorf("description is %q, want none", got)
	}
	refused(w, w.updateEgressDescriptions, UpdateSecurityGroupRuleDescriptionsEgressInput{GroupId: g, SecurityGroupRuleDescriptions: byID}, "InvalidSecurityGroupRuleId.NotFound")
	refused(w, w.updateEgressDescriptions, UpdateSecurityGroupRuleDescriptionsEgressInput{GroupId: g, IpPermissions: []IpPermission{p}}, "InvalidPermission.NotFound")
	do(w, w.updateEgressDescriptions, UpdateSecurityGroupRuleDescriptionsEgressInput{GroupId: g, IpPermissions: []IpPermission{all("0.0.0.0/0")}})
	refused(w, w.updateIngressDescriptions, UpdateSecurityGroupRuleDescriptionsIngressInput{GroupId: g, IpPermissions: []IpPermission{p}, SecurityGroupRuleDescriptions: byID}, "InvalidParameterCombination")
	refused(w, w.updateIngressDescriptions, UpdateSecurityGroupRuleDescriptionsIngressInput{GroupId: g}, "MissingParameter")
}
