package ec2

import "testing"

func TestRulesBecomeStaleWithThePeersGroupOrThePeering(t *testing.T) {
	w := newWorld(t)
	here, there := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	web, db, back := w.group(here, "web"), w.group(there, "db"), w.group(there, "back")
	peering := w.activePeer(here, there)
	for _, of := range []*string{db, back} {
		do(w, w.authorizeSecurityGroupEgress, AuthorizeSecurityGroupEgressInput{GroupId: web, IpPermissions: []IpPermission{{
			IpProtocol: new("tcp"), FromPort: new(int64(5432)), ToPort: new(int64(5432)), UserIdGroupPairs: []UserIdGroupPair{{GroupId: of}},
		}}})
	}
	stale := func(vpc *string) []StaleSecurityGroup {
		t.Helper()
		return see(w, w.describeStaleSecurityGroups, DescribeStaleSecurityGroupsInput{VpcId: vpc}).StaleSecurityGroupSet
	}
	if got := stale(here); len(got) != 0 {
		t.Errorf("nothing is gone, and yet stale: %+v", got)
	}
	references := see(w, w.describeSecurityGroupReferences, DescribeSecurityGroupReferencesInput{GroupId: []string{*db, *web}}).SecurityGroupReferenceSet
	if len(references) != 1 || *references[0].GroupId != *db || *references[0].ReferencingVpcId != *here || *references[0].VpcPeeringConnectionId != *peering {
		t.Errorf("references are %+v", references)
	}
	do(w, w.deleteSecurityGroup, DeleteSecurityGroupInput{GroupId: db})
	got := stale(here)
	if len(got) != 1 || *got[0].GroupId != *web || len(got[0].StaleIpPermissions) != 0 || len(got[0].StaleIpPermissionsEgress) != 1 || len(got[0].StaleIpPermissionsEgress[0].UserIdGroupPairs) != 1 {
		t.Fatalf("stale are %+v", got)
	}
	if pair := got[0].StaleIpPermissionsEgress[0].UserIdGroupPairs[0]; *pair.GroupId != *db || *pair.VpcId != *there {
		t.Errorf("stale is %+v", pair)
	}
	do(w, w.deleteVPCPeeringConnection, DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: peering})
	if got := stale(here); len(got) != 1 || len(got[0].StaleIpPermissionsEgress[0].UserIdGroupPairs) != 2 {
		t.Errorf("without the peering, stale are %+v", got)
	}
	if got := stale(there); len(got) != 0 {
		t.Errorf("on the other side, stale are %+v", got)
	}
	notSeen(w, w.describeStaleSecurityGroups, DescribeStaleSecurityGroupsInput{}, "MissingParameter")
	notSeen(w, w.describeStaleSecurityGroups, DescribeStaleSecurityGroupsInput{VpcId: nowhere("vpc")}, "InvalidVpcID.NotFound")
	notSeen(w, w.describeSecurityGroupReferences, DescribeSecurityGroupReferencesInput{}, "MissingParameter")
	notSeen(w, w.describeSecurityGroupReferences, DescribeSecurityGroupReferencesInput{GroupId: []string{*nowhere("sg")}}, "InvalidGroup.NotFound")
}

func TestTheGroupsOfAVPCAreItsOwn(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	w.vpc("10.1.0.0/16")
	group := w.group(vpc, "web")
	got := see(w, w.getSecurityGroupsForVPC, GetSecurityGroupsForVpcInput{VpcId: vpc}).SecurityGroupForVpcs
	if len(got) != 2 || *got[0].PrimaryVpcId != *vpc || *got[1].PrimaryVpcId != *vpc {
		t.Errorf("got %+v", got)
	}
	got = see(w, w.getSecurityGroupsForVPC, GetSecurityGroupsForVpcInput{VpcId: vpc, Filters: filter("group-name", "w*")}).SecurityGroupForVpcs
	if len(got) != 1 || *got[0].GroupId != *group {
		t.Errorf("by name: got %+v", got)
	}
	notSeen(w, w.getSecurityGroupsForVPC, GetSecurityGroupsForVpcInput{VpcId: new("vpc-x")}, "InvalidVpcID.Malformed")
}
