package ec2

import (
	"testing"
)

func (w *world) acl(vpc *string) *string {
	w.t.Helper()
	return do(w, w.createNetworkACL, CreateNetworkAclInput{VpcId: vpc}).NetworkAcl.NetworkAclId
}

func (w *world) aclNow(id *string) NetworkAcl {
	w.t.Helper()
	return see(w, w.describeNetworkACLs, DescribeNetworkAclsInput{NetworkAclIds: []string{*id}}).NetworkAcls[0]
}

// allowPort is an ingress entry for one TCP port.
func allowPort(acl *string, number, port int64) CreateNetworkAclEntryInput {
	return CreateNetworkAclEntryInput{NetworkAclId: acl, RuleNumber: &number, Protocol: new("6"), RuleAction: new("allow"), Egress: new(false),
		CidrBlock: new("0.0.0.0/0"), PortRange: &PortRange{From: &port, To: &port}}
}

func TestANewNetworkACLDeniesEverything(t *testing.T) {
	w := newWorld(t)
	got := w.aclNow(w.acl(w.vpc("10.0.0.0/16")))
	final := func(egress bool) NetworkAclEntry {
		return NetworkAclEntry{CidrBlock: new("0.0.0.0/0"), Egress: &egress, Protocol: new("-1"), RuleAction: new("deny"), RuleNumber: new(int64(32767))}
	}
	if d := diff(got.Entries, []NetworkAclEntry{final(true), final(false)}); d != "" {
		t.Errorf("entries differ (-got +want):\n%s", d)
	}
	if *got.IsDefault {
		t.Error("it says it is the default one")
	}
}

func TestEntriesAreOrderedByNumber(t *testing.T) {
	w := newWorld(t)
	acl := w.acl(w.vpc("10.0.0.0/16"))
	do(w, w.createNetworkACLEntry, allowPort(acl, 200, 80))
	do(w, w.createNetworkACLEntry, allowPort(acl, 100, 443))
	do(w, w.createNetworkACLEntry, CreateNetworkAclEntryInput{NetworkAclId: acl, RuleNumber: new(int64(150)), Protocol: new("1"), RuleAction: new("deny"),
		CidrBlock: new("10.9.8.7/8"), IcmpTypeCode: &IcmpTypeCode{Type: new(int64(8)), Code: new(int64(-1))}})
	do(w, w.createNetworkACLEntry, CreateNetworkAclEntryInput{NetworkAclId: acl, RuleNumber: new(int64(100)), Egress: new(true), Protocol: new("-1"), RuleAction: new("allow"), Ipv6CidrBlock: new("::/0")})
	want := []NetworkAclEntry{
		{Egress: new(true), Ipv6CidrBlock: new("::/0"), Protocol: new("-1"), RuleAction: new("allow"), RuleNumber: new(int64(100))},
		{Egress: new(true), CidrBlock: new("0.0.0.0/0"), Protocol: new("-1"), RuleAction: new("deny"), RuleNumber: new(int64(32767))},
		{Egress: new(false), CidrBlock: new("0.0.0.0/0"), Protocol: new("6"), RuleAction: new("allow"), RuleNumber: new(int64(100)), PortRange: &PortRange{From: new(int64(443)), To: new(int64(443))}},
		{Egress: new(false), CidrBlock: new("10.0.0.0/8"), Protocol: new("1"), RuleAction: new("deny"), RuleNumber: new(int64(150)), IcmpTypeCode: &IcmpTypeCode{Type: new(int64(8)), Code: new(int64(-1))}},
		{Egress: new(false), CidrBlock: new("0.0.0.0/0"), Protocol: new("6"), RuleAction: new("allow"), RuleNumber: new(int64(200)), PortRange: &PortRange{From: new(int64(80)), To: new(int64(80))}},
		{Egress: new(false), CidrBlock: new("0.0.0.0/0"), Protocol: new("-1"), RuleAction: new("deny"), RuleNumber: new(int64(32767))},
	}
	if d := diff(w.aclNow(acl).Entries, want); d != "" {
		t.Errorf("entries differ (-got +want):\n%s", d)
	}
}

func TestBadEntriesAreRefused(t *testing.T) {
	w := newWorld(t)
	acl := w.acl(w.vpc("10.0.0.0/16"))
	do(w, w.createNetworkACLEntry, allowPort(acl, 100, 80))
	with := func(change func(*CreateNetworkAclEntryInput)) CreateNetworkAclEntryInput {
		in := allowPort(acl, 101, 80)
		change(&in)
		return in
	}
	for want, ins := range map[string][]CreateNetworkAclEntryInput{
		"NetworkAclEntryAlreadyExists": {allowPort(acl, 100, 443)},
		"InvalidNetworkAclID.NotFound": {allowPort(nowhere("acl"), 101, 443)},
		"InvalidParameterValue": {
			allowPort(acl, 0, 80), allowPort(acl, 32767, 80), allowPort(acl, 101, 70000),
			with(func(in *CreateNetworkAclEntryInput) { in.RuleAction = new("maybe") }),
			with(func(in *CreateNetworkAclEntryInput) { in.CidrBlock = new("all") }),
			with(func(in *CreateNetworkAclEntryInput) { in.Protocol = new("smoke") }),
		},
		"InvalidParameterCombination": {with(func(in *CreateNetworkAclEntryInput) { in.Ipv6CidrBlock = new("::/0") })},
		"MissingParameter": {
			with(func(in *CreateNetworkAclEntryInput) { in.RuleNumber = nil }),
			with(func(in *CreateNetworkAclEntryInput) { in.CidrBlock = nil }),
			with(func(in *CreateNetworkAclEntryInput) { in.PortRange = nil }),
			with(func(in *CreateNetworkAclEntryInput) { in.Protocol = nil }),
			with(func(in *CreateNetworkAclEntryInput) { in.Protocol = new("1") }),
		},
	} {
		for _, in := range ins {
			refused(w, w.createNetworkACLEntry, in, want)
		}
	}
	for i := range int64(19) {
		do(w, w.createNetworkACLEntry, allowPort(acl, 200+i, 80))
	}
	refused(w, w.createNetworkACLEntry, allowPort(acl, 300, 80), "NetworkAclEntryLimitExceeded")
}

func TestEntriesAreReplacedAndDeleted(t *testing.T) {
	w := newWorld(t)
	acl := w.acl(w.vpc("10.0.0.0/16"))
	refused(w, w.replaceNetworkACLEntry, ReplaceNetworkAclEntryInput(allowPort(acl, 100, 80)), "InvalidNetworkAclEntry.NotFound")
	do(w, w.createNetworkACLEntry, allowPort(acl, 100, 80))
	do(w, w.replaceNetworkACLEntry, ReplaceNetworkAclEntryInput(allowPort(acl, 100, 443)))
	if e := w.aclNow(acl).Entries[1]; *e.PortRange.From != 443 {
		t.Errorf("the entry is for port %d, want 443", *e.PortRange.From)
	}
	del := DeleteNetworkAclEntryInput{NetworkAclId: acl, RuleNumber: new(int64(100)), Egress: new(false)}
	refused(w, w.deleteNetworkACLEntry, DeleteNetworkAclEntryInput{NetworkAclId: acl, RuleNumber: new(int64(100)), Egress: new(true)}, "InvalidNetworkAclEntry.NotFound")
	do(w, w.deleteNetworkACLEntry, del)
	refused(w, w.deleteNetworkACLEntry, del, "InvalidNetworkAclEntry.NotFound")
}

func TestASubnetMovesBetweenNetworkACLs(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet, acl := w.subnet(vpc, "10.0.1.0/24", "a"), w.acl(vpc)
	bySubnet := func() NetworkAcl {
		found := see(w, w.describeNetworkACLs, DescribeNetworkAclsInput{Filters: filter("association.subnet-id", *subnet)}).NetworkAcls
		if len(found) != 1 {
			t.Fatalf("the subnet has %d network ACLs, want 1", len(found))
		}
		return found[0]
	}
	first := bySubnet()
	if !*first.IsDefault {
		t.Error("a new subnet does not have the default network ACL")
	}
	move := ReplaceNetworkAclAssociationInput{AssociationId: first.Associations[0].NetworkAclAssociationId, NetworkAclId: acl}
	moved := do(w, w.replaceNetworkACLAssociation, move)
	now := bySubnet()
	if *now.NetworkAclId != *acl || *now.Associations[0].NetworkAclAssociationId != *moved.NewAssociationId {
		t.Errorf("the subnet has %s, want %s", *now.NetworkAclId, *acl)
	}
	refused(w, w.replaceNetworkACLAssociation, move, "InvalidAssociationID.NotFound")
	foreign := w.acl(w.vpc("10.0.0.0/16"))
	refused(w, w.replaceNetworkACLAssociation, ReplaceNetworkAclAssociationInput{AssociationId: moved.NewAssociationId, NetworkAclId: foreign}, "InvalidParameterValue")
	refused(w, w.deleteNetworkACL, DeleteNetworkAclInput{NetworkAclId: acl}, "DependencyViolation")
	do(w, w.replaceNetworkACLAssociation, ReplaceNetworkAclAssociationInput{AssociationId: moved.NewAssociationId, NetworkAclId: first.NetworkAclId})
	do(w, w.deleteNetworkACL, DeleteNetworkAclInput{NetworkAclId: acl})
	refused(w, w.deleteNetworkACL, DeleteNetworkAclInput{NetworkAclId: first.NetworkAclId}, "InvalidParameterValue")
	notSeen(w, w.describeNetworkACLs, DescribeNetworkAclsInput{NetworkAclIds: []string{*acl}}, "InvalidNetworkAclID.NotFound")
}
