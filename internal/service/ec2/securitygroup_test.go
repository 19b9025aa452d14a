package ec2

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"
)

// tcp is a permission for one port from one block.
func tcp(port int64, cidr string) IpPermission {
	return IpPermission{IpProtocol: new("tcp"), FromPort: &port, ToPort: &port, IpRanges: []IpRange{{CidrIp: &cidr}}}
}

func all(cidr string) IpPermission {
	return IpPermission{IpProtocol: new("-1"), IpRanges: []IpRange{{CidrIp: &cidr}}}
}

func (w *world) groupNow(id *string) SecurityGroup {
	w.t.Helper()
	return see(w, w.describeSecurityGroups, DescribeSecurityGroupsInput{GroupIds: []string{*id}}).SecurityGroups[0]
}

func TestANewGroupAllowsNothingInAndEverythingOut(t *testing.T) {
	w := newWorld(t)
	g := w.groupNow(w.group(w.vpc("10.0.0.0/16"), "web"))
	if len(g.IpPermissions) != 0 {
		t.Errorf("ingress is %+v, want nothing", g.IpPermissions)
	}
	if d := diff(g.IpPermissionsEgress, []IpPermission{all("0.0.0.0/0")}); d != "" {
		t.Errorf("egress differs (-got +want):\n%s", d)
	}
	if *g.SecurityGroupArn != "arn:aws:ec2:us-west-2:123456789012:security-group/"+*g.GroupId {
		t.Errorf("ARN is %s", *g.SecurityGroupArn)
	}
}

func TestTerraformEmptiesANewGroup(t *testing.T) {
	w := newWorld(t)
	g := w.group(w.vpc("10.0.0.0/16"), "web")
	zero := new(int64(0))
	// The provider says ports 0 to 0 for a rule that has none.
	do(w, w.revokeSecurityGroupEgress, RevokeSecurityGroupEgressInput{GroupId: g, IpPermissions: []IpPermission{
		{IpProtocol: new("-1"), FromPort: zero, ToPort: zero, IpRanges: []IpRange{{CidrIp: new("0.0.0.0/0")}}},
	}})
	if out := w.groupNow(g).IpPermissionsEgress; len(out) != 0 {
		t.Errorf("egress is %+v, want nothing", out)
	}
	refused(w, w.revokeSecurityGroupEgress, RevokeSecurityGroupEgressInput{GroupId: g, IpPermissions: []IpPermission{
		{IpProtocol: new("-1"), FromPort: zero, ToPort: zero, Ipv6Ranges: []Ipv6Range{{CidrIpv6: new("::/0")}}},
	}}, "InvalidPermission.NotFound")
}

func TestBadGroupsAreRefused(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	w.group(vpc, "web")
	d := new("a group")
	for want, ins := range map[string][]CreateSecurityGroupInput{
		"InvalidGroup.Duplicate": {{VpcId: vpc, GroupName: new("web"), Description: d}},
		"InvalidParameterValue":  {{VpcId: vpc, GroupName: new("sg-web"), Description: d}, {VpcId: vpc, GroupName: new("default"), Description: d}, {VpcId: vpc, GroupName: new("wéb"), Description: d}, {VpcId: vpc, GroupName: new(strings.Repeat("x", 256)), Description: d}},
		"MissingParameter":       {{VpcId: vpc, Description: d}, {VpcId: vpc, GroupName: new("x")}},
		"VPCIdNotSpecified":      {{GroupName: new("x"), Description: d}},
		"InvalidVpcID.NotFound":  {{VpcId: nowhere("vpc"), GroupName: new("x"), Description: d}},
	} {
		for _, in := range ins {
			refused(w, w.createSecurityGroup, in, want)
		}
	}
	do(w, w.createSecurityGroup, CreateSecurityGroupInput{VpcId: w.vpc("10.0.0.0/16"), GroupName: new("web"), Description: d})
}

func TestPermissionsWithEqualPortsAreMerged(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	g, peer := w.group(vpc, "web"), w.group(vpc, "peer")
	port := new(int64(443))
	out := do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{
		{IpProtocol: new("6"), FromPort: port, ToPort: port, IpRanges: []IpRange{{CidrIp: new("10.0.1.9/24"), Description: new("front")}}},
		{IpProtocol: new("icmp"), FromPort: new(int64(8)), ToPort: new(int64(-1)), IpRanges: []IpRange{{CidrIp: new("10.0.0.0/16")}}},
	}})
	if len(out.SecurityGroupRules) != 2 || !*out.Return {
		t.Fatalf("made %d rules, want 2", len(out.SecurityGroupRules))
	}
	do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{
		{IpProtocol: new("tcp"), FromPort: port, ToPort: port,
			UserIdGroupPairs: []UserIdGroupPair{{GroupId: peer, Description: new("peers")}},
			Ipv6Ranges:       []Ipv6Range{{CidrIpv6: new("::/0")}},
			PrefixListIds:    []PrefixListId{{PrefixListId: new("pl-68a54001")}}},
	}})
	want := []IpPermission{
		{IpProtocol: new("tcp"), FromPort: port, ToPort: port,
			IpRanges:         []IpRange{{CidrIp: new("10.0.1.0/24"), Description: new("front")}},
			Ipv6Ranges:       []Ipv6Range{{CidrIpv6: new("::/0")}},
			PrefixListIds:    []PrefixListId{{PrefixListId: new("pl-68a54001")}},
			UserIdGroupPairs: []UserIdGroupPair{{GroupId: peer, UserId: new("123456789012"), Description: new("peers")}}},
		{IpProtocol: new("icmp"), FromPort: new(int64(8)), ToPort: new(int64(-1)), IpRanges: []IpRange{{CidrIp: new("10.0.0.0/16")}}},
	}
	if d := diff(w.groupNow(g).IpPermissions, want); d != "" {
		t.Errorf("ingress differs (-got +want):\n%s", d)
	}
}

func TestEachPeerIsARuleOfItsOwn(t *testing.T) {
	w := newWorld(t)
	g := w.group(w.vpc("10.0.0.0/16"), "web")
	made := do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{
		GroupId: g, IpProtocol: new("tcp"), FromPort: new(int64(80)), ToPort: new(int64(81)), CidrIp: new("10.0.0.0/8"),
		TagSpecifications: []TagSpecification{{ResourceType: new("security-group-rule"), Tags: []Tag{{Key: new("Name"), Value: new("http")}}}},
	}).SecurityGroupRules[0]
	seen := see(w, w.describeSecurityGroupRules, DescribeSecurityGroupRulesInput{Filters: filter("tag:Name", "http")}).SecurityGroupRules
	want := []SecurityGroupRule{{
		CidrIpv4: new("10.0.0.0/8"), FromPort: new(int64(80)), GroupId: g, GroupOwnerId: new("123456789012"), IpProtocol: new("tcp"),
		IsEgress: new(false), SecurityGroupRuleArn: new("arn:aws:ec2:us-west-2:123456789012:security-group-rule/" + *made.SecurityGroupRuleId),
		Tags: []Tag{{Key: new("Name"), Value: new("http")}}, ToPort: new(int64(81)),
	}}
	if d := diff(seen, want, cmpopts.IgnoreFields(SecurityGroupRule{}, "SecurityGroupRuleId")); d != "" {
		t.Errorf("rule differs (-got +want):\n%s", d)
	}
	refused(w, w.revokeSecurityGroupEgress, RevokeSecurityGroupEgressInput{GroupId: g, SecurityGroupRuleIds: []string{*made.SecurityGroupRuleId}}, "InvalidSecurityGroupRuleId.NotFound")
	gone := do(w, w.revokeSecurityGroupIngress, RevokeSecurityGroupIngressInput{GroupId: g, SecurityGroupRuleIds: []string{*made.SecurityGroupRuleId}})
	if len(gone.RevokedSecurityGroupRules) != 1 || *gone.RevokedSecurityGroupRules[0].CidrIpv4 != "10.0.0.0/8" {
		t.Errorf("revoked %+v", gone.RevokedSecurityGroupRules)
	}
	notSeen(w, w.describeSecurityGroupRules, DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{*made.SecurityGroupRuleId}}, "InvalidSecurityGroupRuleId.NotFound")
}

func TestARuleThatIsThereIsRefusedWithAWSsWords(t *testing.T) {
	w := newWorld(t)
	g := w.group(w.vpc("10.0.0.0/16"), "web")
	for want, p := range map[string]IpPermission{
		`the specified rule "peer: 0.0.0.0/0, TCP, from port: 443, to port: 443, ALLOW" already exists`: tcp(443, "0.0.0.0/0"),
		`the specified rule "peer: 10.0.0.0/19, ALL, ALLOW" already exists`:                             all("10.0.0.0/19"),
	} {
		in := AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{p}}
		do(w, w.authorizeSecurityGroupIngress, in)
		_, err := try(w, w.authorizeSecurityGroupIngress, in)
		if err == nil || err.Error() != "InvalidPermission.Duplicate: "+want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	refused(w, w.authorizeSecurityGroupEgress, AuthorizeSecurityGroupEgressInput{GroupId: g, IpPermissions: []IpPermission{all("0.0.0.0/0")}}, "InvalidPermission.Duplicate")
	// One bad permission refuses all of them.
	refused(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{tcp(80, "10.0.0.0/8"), tcp(443, "0.0.0.0/0")}}, "InvalidPermission.Duplicate")
}

func TestBadPermissionsAreRefused(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	g, foreign := w.group(vpc, "web"), w.group(w.vpc("10.0.0.0/16"), "web")
	n := func(i int64) *int64 { return &i }
	world := []IpRange{{CidrIp: new("0.0.0.0/0")}}
	for want, ps := range map[string][]IpPermission{
		"InvalidParameterValue": {
			tcp(65536, "0.0.0.0/0"), tcp(-1, "0.0.0.0/0"), tcp(80, "10.0.0.0/33"), tcp(80, "::/0"), tcp(80, "anywhere"),
			{IpProtocol: new("tcp"), IpRanges: world},
			{IpProtocol: new("tcp"), FromPort: n(2), ToPort: n(1), IpRanges: world},
			{IpProtocol: new("icmp"), FromPort: n(-1), ToPort: n(3), IpRanges: world},
			{IpProtocol: new("icmp"), FromPort: n(256), ToPort: n(-1), IpRanges: world},
			{IpProtocol: new("carrier-pigeon"), IpRanges: world},
			{IpProtocol: new("256"), IpRanges: world},
			{IpProtocol: new("-1"), Ipv6Ranges: []Ipv6Range{{CidrIpv6: new("10.0.0.0/8")}}},
			{IpProtocol: new("-1"), IpRanges: []IpRange{{CidrIp: new("10.0.0.0/8"), Description: new(strings.Repeat("x", 256))}}},
			{IpProtocol: new("-1"), UserIdGroupPairs: []UserIdGroupPair{{GroupName: new("web")}}},
		},
		"MissingParameter":             {{IpProtocol: new("-1")}, {IpRanges: world}},
		"InvalidGroup.NotFound":        {{IpProtocol: new("-1"), UserIdGroupPairs: []UserIdGroupPair{{GroupId: nowhere("sg")}}}, {IpProtocol: new("-1"), UserIdGroupPairs: []UserIdGroupPair{{GroupId: foreign}}}},
		"InvalidPrefixListID.NotFound": {{IpProtocol: new("-1"), PrefixListIds: []PrefixListId{{PrefixListId: nowhere("pl")}}}},
		"UnsupportedOperation":         {{IpProtocol: new("-1"), UserIdGroupPairs: []UserIdGroupPair{{GroupId: g, UserId: new("999999999999")}}}},
	} {
		for _, p := range ps {
			refused(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{p}}, want)
		}
	}
	twice := []IpPermission{tcp(80, "10.0.0.0/8"), tcp(80, "10.1.0.0/8")}
	refused(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: twice}, "InvalidParameterValue")
	refused(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupName: new("web"), IpPermissions: twice[:1]}, "InvalidGroup.NotFound")
}

func TestADescriptionMustMatchToRevoke(t *testing.T) {
	w := newWorld(t)
	g := w.group(w.vpc("10.0.0.0/16"), "web")
	p := tcp(80, "10.0.0.0/8")
	p.IpRanges[0].Description = new("front")
	do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{p}})
	other := tcp(80, "10.0.0.0/8")
	other.IpRanges[0].Description = new("back")
	refused(w, w.revokeSecurityGroupIngress, RevokeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{other}}, "InvalidPermission.NotFound")
	do(w, w.revokeSecurityGroupIngress, RevokeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{tcp(80, "10.0.0.0/8")}})
}

func TestAGroupHasSixtyRulesInEachDirection(t *testing.T) {
	w := newWorld(t)
	g := w.group(w.vpc("10.0.0.0/16"), "web")
	var ps []IpPermission
	for i := range 60 {
		ps = append(ps, tcp(80, fmt.Sprintf("10.0.%d.0/24", i)))
	}
	do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: ps})
	more := AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{tcp(81, "10.0.0.0/24")}}
	refused(w, w.authorizeSecurityGroupIngress, more, "RulesPerSecurityGroupLimitExceeded")
	do(w, w.authorizeSecurityGroupEgress, AuthorizeSecurityGroupEgressInput{GroupId: g, IpPermissions: more.IpPermissions})
	six := IpPermission{IpProtocol: new("-1"), Ipv6Ranges: []Ipv6Range{{CidrIpv6: new("::/0")}}} // counted apart
	do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{six}})
	list := func(size int64) AuthorizeSecurityGroupIngressInput {
		made := do(w, w.createManagedPrefixList, CreateManagedPrefixListInput{AddressFamily: new("IPv6"), PrefixListName: new("six"), MaxEntries: &size})
		return AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{{IpProtocol: new("-1"), PrefixListIds: []PrefixListId{{PrefixListId: made.PrefixList.PrefixListId}}}}}
	}
	refused(w, w.authorizeSecurityGroupIngress, list(60), "RulesPerSecurityGroupLimitExceeded")
	do(w, w.authorizeSecurityGroupIngress, list(59))
}

func TestAGroupInUseIsNotDeleted(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	g, other := w.group(vpc, "web"), w.group(vpc, "other")
	self := IpPermission{IpProtocol: new("-1"), UserIdGroupPairs: []UserIdGroupPair{{GroupId: g}}}
	do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{self}})
	del := DeleteSecurityGroupInput{GroupId: g}

	eni := do(w, w.createNetworkInterface, CreateNetworkInterfaceInput{SubnetId: subnet, Groups: []string{*g}}).NetworkInterface.NetworkInterfaceId
	refused(w, w.deleteSecurityGroup, del, "DependencyViolation")
	do(w, w.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: eni})

	do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: other, IpPermissions: []IpPermission{self}})
	refused(w, w.deleteSecurityGroup, del, "DependencyViolation")
	do(w, w.revokeSecurityGroupIngress, RevokeSecurityGroupIngressInput{GroupId: other, IpPermissions: []IpPermission{self}})

	endpoint := do(w, w.createVPCEndpoint, CreateVpcEndpointInput{VpcId: vpc, VpcEndpointType: new("Interface"),
		ServiceName: new("com.amazonaws.us-west-2.s3"), SecurityGroupIds: []string{*g}}).VpcEndpoint.VpcEndpointId
	refused(w, w.deleteSecurityGroup, del, "DependencyViolation")
	do(w, w.deleteVPCEndpoints, DeleteVpcEndpointsInput{VpcEndpointIds: []string{*endpoint}})

	do(w, w.deleteSecurityGroup, del) // its rule that names itself does not hold it
	refused(w, w.deleteSecurityGroup, del, "InvalidGroup.NotFound")
	notSeen(w, w.describeSecurityGroups, DescribeSecurityGroupsInput{GroupIds: []string{*g}}, "InvalidGroup.NotFound")
	first := see(w, w.describeSecurityGroups, DescribeSecurityGroupsInput{Filters: filter("group-name", "default")}).SecurityGroups[0]
	refused(w, w.deleteSecurityGroup, DeleteSecurityGroupInput{GroupId: first.GroupId}, "CannotDelete")
}

func TestGroupsAreFoundByTheirRules(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	g, peer := w.group(vpc, "web"), w.group(vpc, "peer")
	p := tcp(443, "192.0.2.0/24")
	p.UserIdGroupPairs = []UserIdGroupPair{{GroupId: peer}}
	do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{p}})
	for name, v := range map[string]string{
		"ip-permission.cidr": "192.0.2.0/24", "ip-permission.from-port": "443", "ip-permission.to-port": "443",
		"ip-permission.protocol": "tcp", "ip-permission.group-id": *peer, "group-name": "w*b", "description": "a group",
	} {
		found := see(w, w.describeSecurityGroups, DescribeSecurityGroupsInput{Filters: append(filter(name, v), filter("group-name", "web")...)}).SecurityGroups
		if len(found) != 1 || *found[0].GroupId != *g {
			t.Errorf("%s=%s found %d groups, want the one", name, v, len(found))
		}
	}
}
