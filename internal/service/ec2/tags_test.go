package ec2

import (
	"fmt"
	"strings"
	"testing"
)

func TestEveryKindOfResourceTakesTags(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet, g := w.subnet(vpc, "10.0.1.0/24", "a"), w.group(vpc, "web")
	rule := see(w, w.describeSecurityGroupRules, DescribeSecurityGroupRulesInput{Filters: filter("group-id", *g)}).SecurityGroupRules[0].SecurityGroupRuleId
	ids := map[string]*string{
		"vpc": vpc, "subnet": subnet, "security-group": g, "security-group-rule": rule, "route-table": w.routeTable(vpc), "network-acl": w.acl(vpc),
		"internet-gateway": w.gateway(vpc), "network-interface": w.eni(subnet), "elastic-ip": w.address(),
		"natgateway":   do(w, w.createNATGateway, CreateNatGatewayInput{SubnetId: subnet, ConnectivityType: new("private")}).NatGateway.NatGatewayId,
		"vpc-endpoint": do(w, w.createVPCEndpoint, gatewayEndpoint(vpc)).VpcEndpoint.VpcEndpointId,
		"prefix-list":  do(w, w.createManagedPrefixList, CreateManagedPrefixListInput{AddressFamily: new("IPv4"), MaxEntries: new(int64(1)), PrefixListName: new("x")}).PrefixList.PrefixListId,
		"dhcp-options": see(w, w.describeDHCPOptions, DescribeDhcpOptionsInput{}).DhcpOptions[0].DhcpOptionsId,
	}
	var all []string
	for _, id := range ids {
		all = append(all, *id)
	}
	do(w, w.createTags, CreateTagsInput{Resources: all, Tags: []Tag{{Key: new("team"), Value: new("net")}}})
	for kind, id := range ids {
		got := see(w, w.describeTags, DescribeTagsInput{Filters: append(filter("resource-type", kind), filter("tag:team", "n*")...)}).Tags
		want := []TagDescription{{Key: new("team"), ResourceId: id, ResourceType: &kind, Value: new("net")}}
		if d := diff(got, want); d != "" {
			t.Errorf("%s: tags differ (-got +want):\n%s", kind, d)
		}
	}
	do(w, w.deleteTags, DeleteTagsInput{Resources: all, Tags: []Tag{{Key: new("team"), Value: new("other")}}})
	if n := len(see(w, w.describeTags, DescribeTagsInput{}).Tags); n != len(ids) {
		t.Errorf("deleting another value left %d tags, want %d", n, len(ids))
	}
	do(w, w.deleteTags, DeleteTagsInput{Resources: all[1:], Tags: []Tag{{Key: new("team")}}})
	do(w, w.deleteTags, DeleteTagsInput{Resources: all[:1]})
	if left := see(w, w.describeTags, DescribeTagsInput{}).Tags; len(left) != 0 {
		t.Errorf("tags are left: %+v", left)
	}
}

func TestBadTagsAreRefused(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	tag := func(k, v string) []Tag { return []Tag{{Key: &k, Value: &v}} }
	var many []Tag
	for i := range 51 {
		many = append(many, tag(fmt.Sprint(i), "")...)
	}
	res := []string{*vpc}
	for want, ins := range map[string][]CreateTagsInput{
		"InvalidParameterValue": {
			{Resources: res, Tags: tag("aws:mine", "x")}, {Resources: res, Tags: tag("", "x")}, {Resources: res, Tags: []Tag{{Key: new("x")}}},
			{Resources: res, Tags: tag(strings.Repeat("é", 129), "x")}, {Resources: res, Tags: tag("x", strings.Repeat("é", 257))},
		},
		"TagLimitExceeded":       {{Resources: res, Tags: many}},
		"MissingParameter":       {{Resources: res}, {Tags: many}},
		"InvalidVpcID.NotFound":  {{Resources: []string{*vpc, *nowhere("vpc")}, Tags: tag("a", "b")}},
		"InvalidVpcID.Malformed": {{Resources: []string{"vpc-x"}, Tags: tag("a", "b")}},
		"InvalidID":              {{Resources: []string{"zzz-0123456789abcdef0"}, Tags: tag("a", "b")}},
	} {
		for _, in := range ins {
			refused(w, w.createTags, in, want)
		}
	}
	do(w, w.createTags, CreateTagsInput{Resources: res, Tags: many[:50]})
	do(w, w.createTags, CreateTagsInput{Resources: res, Tags: tag("7", "new")}) // a change is no more tags
	refused(w, w.createTags, CreateTagsInput{Resources: res, Tags: tag("new", "")}, "TagLimitExceeded")
	twice := []TagSpecification{{ResourceType: new("vpc"), Tags: append(tag("a", "1"), tag("a", "2")...)}}
	refused(w, w.createVPC, CreateVpcInput{CidrBlock: new("10.0.0.0/16"), TagSpecifications: twice}, "InvalidParameterValue")
}
