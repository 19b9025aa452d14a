package ec2

import (
	"fmt"
	"testing"
	"time"
)

func (w *world) peer(vpc, other *string) *string {
	w.t.Helper()
	return do(w, w.createVPCPeeringConnection, CreateVpcPeeringConnectionInput{VpcId: vpc, PeerVpcId: other}).VpcPeeringConnection.VpcPeeringConnectionId
}

func (w *world) activePeer(vpc, other *string) *string {
	w.t.Helper()
	id := w.peer(vpc, other)
	do(w, w.acceptVPCPeeringConnection, AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: id})
	return id
}

func (w *world) peeringNow(id *string) VpcPeeringConnection {
	w.t.Helper()
	return see(w, w.describeVPCPeeringConnections, DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{*id}}).VpcPeeringConnections[0]
}

func TestAPeeringConnectionIsPendingUntilItIsAccepted(t *testing.T) {
	w := newWorld(t)
	a, b := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	id := w.peer(a, b)
	side := func(vpc *string, cidrs ...string) *VpcPeeringConnectionVpcInfo {
		out := &VpcPeeringConnectionVpcInfo{OwnerId: new("123456789012"), Region: new("us-west-2"), VpcId: vpc}
		for _, c := range cidrs {
			out.CidrBlock = new(c)
			out.CidrBlockSet = append(out.CidrBlockSet, CidrBlock{CidrBlock: new(c)})
		}
		return out
	}
	want := VpcPeeringConnection{
		RequesterVpcInfo: side(a, "10.0.0.0/16"), AccepterVpcInfo: side(b), VpcPeeringConnectionId: id,
		Status: &VpcPeeringConnectionStateReason{Code: new("pending-acceptance"), Message: new("Pending Acceptance by 123456789012")},
	}
	if d := diff(w.peeringNow(id), want); d != "" {
		t.Errorf("pending (-got +want):\n%s", d)
	}
	got := *do(w, w.acceptVPCPeeringConnection, AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: id}).VpcPeeringConnection
	want.AccepterVpcInfo = side(b, "10.1.0.0/16")
	want.Status = &VpcPeeringConnectionStateReason{Code: new("active"), Message: new("Active")}
	for _, s := range []*VpcPeeringConnectionVpcInfo{want.RequesterVpcInfo, want.AccepterVpcInfo} {
		s.PeeringOptions = &VpcPeeringConnectionOptionsDescription{
			AllowDnsResolutionFromRemoteVpc: new(false), AllowEgressFromLocalClassicLinkToRemoteVpc: new(false), AllowEgressFromLocalVpcToRemoteClassicLink: new(false),
		}
	}
	if d := diff(got, want); d != "" {
		t.Errorf("active (-got +want):\n%s", d)
	}
}

func TestPeeringConnectionsChangeStateAsAWSLetsThem(t *testing.T) {
	calls := map[string]func(*world, *string) error{
		"accept": func(w *world, id *string) error {
			_, err := try(w, w.acceptVPCPeeringConnection, AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: id})
			return err
		},
		"reject": func(w *world, id *string) error {
			_, err := try(w, w.rejectVPCPeeringConnection, RejectVpcPeeringConnectionInput{VpcPeeringConnectionId: id})
			return err
		},
		"delete": func(w *world, id *string) error {
			_, err := try(w, w.deleteVPCPeeringConnection, DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: id})
			return err
		},
	}
	for _, tt := range []struct {
		name, cidr string
		before     []string // calls that lead to the state
		state      string
		allowed    map[string]string // call to next state; the others are refused
	}{
		{"pending", "10.1.0.0/16", nil, "pending-acceptance", map[string]string{"accept": "active", "reject": "rejected", "delete": "deleted"}},
		{"active", "10.1.0.0/16", []string{"accept"}, "active", map[string]string{"delete": "deleted"}},
		{"rejected", "10.1.0.0/16", []string{"reject"}, "rejected", nil},
		{"deleted", "10.1.0.0/16", []string{"accept", "delete"}, "deleted", nil},
		{"overlapping", "10.0.128.0/20", nil, "failed", nil},
	} {
		for call, make := range calls {
			w := newWorld(t)
			id := w.peer(w.vpc("10.0.0.0/16"), w.vpc(tt.cidr))
			for _, b := range tt.before {
				if err := calls[b](w, id); err != nil {
					t.Fatal(err)
				}
			}
			if got := *w.peeringNow(id).Status.Code; got != tt.state {
				t.Errorf("%s is %s", tt.name, got)
			}
			want, allowed := tt.allowed[call]
			if !allowed {
				want = tt.state
			}
			if err := make(w, id); (err == nil) != allowed || !allowed && code(err) != "InvalidStateTransition" {
				t.Errorf("%s %s: %v", call, tt.name, err)
			}
			if got := *w.peeringNow(id).Status.Code; got != want {
				t.Errorf("after %s, %s is %s, want %s", call, tt.name, got, want)
			}
		}
	}
}

func TestAFailedPeeringSaysWhyAndIsForgotten(t *testing.T) {
	w := newWorld(t)
	a := w.vpc("10.0.0.0/16")
	same, itself := w.peer(a, w.vpc("10.0.0.0/16")), w.peer(a, a)
	for _, id := range []*string{same, itself} {
		if s := w.peeringNow(id).Status; *s.Code != "failed" || *s.Message != "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range" {
			t.Errorf("status is %s: %s", *s.Code, *s.Message)
		}
	}
	gone := w.activePeer(a, w.vpc("10.1.0.0/16"))
	do(w, w.deleteVPCPeeringConnection, DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: gone})
	w.now = w.now.Add(3 * time.Hour)
	w.peer(a, w.vpc("10.2.0.0/16"))
	notSeen(w, w.describeVPCPeeringConnections, DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{*gone}}, "InvalidVpcPeeringConnectionID.NotFound")
	w.peeringNow(same)
	w.now = w.now.Add(48 * time.Hour)
	w.peer(a, w.vpc("10.3.0.0/16"))
	notSeen(w, w.describeVPCPeeringConnections, DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{*same}}, "InvalidVpcPeeringConnectionID.NotFound")
}

func TestBadPeeringCallsAreRefused(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16"), w.vpc("10.2.0.0/16")
	id := w.activePeer(a, b)
	for want, ins := range map[string][]CreateVpcPeeringConnectionInput{
		"MissingParameter":                  {{}, {VpcId: a}, {PeerVpcId: b}},
		"InvalidVpcID.NotFound":             {{VpcId: a, PeerVpcId: nowhere("vpc")}, {VpcId: nowhere("vpc"), PeerVpcId: b}},
		"VpcPeeringConnectionAlreadyExists": {{VpcId: a, PeerVpcId: b}, {VpcId: b, PeerVpcId: a}},
		"UnsupportedOperation": {
			{VpcId: a, PeerVpcId: c, PeerOwnerId: new("210987654321")}, {VpcId: a, PeerVpcId: c, PeerRegion: new("eu-west-1")},
		},
	} {
		for _, in := range ins {
			refused(w, w.createVPCPeeringConnection, in, want)
		}
	}
	refused(w, w.acceptVPCPeeringConnection, AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: nowhere("pcx")}, "InvalidVpcPeeringConnectionID.NotFound")
	refused(w, w.acceptVPCPeeringConnection, AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: new("peering")}, "InvalidVpcPeeringConnectionId.Malformed")
	refused(w, w.deleteVPC, DeleteVpcInput{VpcId: b}, "DependencyViolation")
	refused(w, w.associateVPCCIDRBlock, AssociateVpcCidrBlockInput{VpcId: a, CidrBlock: new("10.1.0.0/20")}, "InvalidVpc.Range")
	own := do(w, w.createVPCPeeringConnection, CreateVpcPeeringConnectionInput{VpcId: a, PeerVpcId: c, PeerOwnerId: new("123456789012"), PeerRegion: new("us-west-2")})
	pending := own.VpcPeeringConnection.VpcPeeringConnectionId
	options := &PeeringConnectionOptionsRequest{AllowDnsResolutionFromRemoteVpc: new(true)}
	for want, in := range map[string]ModifyVpcPeeringConnectionOptionsInput{
		"MissingParameter":      {VpcPeeringConnectionId: id},
		"OperationNotPermitted": {VpcPeeringConnectionId: pending, AccepterPeeringConnectionOptions: options},
		"UnsupportedOperation":  {VpcPeeringConnectionId: id, AccepterPeeringConnectionOptions: &PeeringConnectionOptionsRequest{AllowEgressFromLocalVpcToRemoteClassicLink: new(true)}},
	} {
		refused(w, w.modifyVPCPeeringConnectionOptions, in, want)
	}
	do(w, w.deleteVPCPeeringConnection, DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: id})
	do(w, w.associateVPCCIDRBlock, AssociateVpcCidrBlockInput{VpcId: a, CidrBlock: new("10.1.0.0/20")})
	do(w, w.deleteVPC, DeleteVpcInput{VpcId: b})
	w.peeringNow(id) // is still there to be seen
}

func TestEachSideOfAPeeringAllowsDNSResolutionByItself(t *testing.T) {
	w := newWorld(t)
	id := w.activePeer(w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16"))
	out := do(w, w.modifyVPCPeeringConnectionOptions, ModifyVpcPeeringConnectionOptionsInput{
		VpcPeeringConnectionId: id, AccepterPeeringConnectionOptions: &PeeringConnectionOptionsRequest{AllowDnsResolutionFromRemoteVpc: new(true)},
	})
	if out.RequesterPeeringConnectionOptions != nil || !*out.AccepterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc {
		t.Errorf("answer is %+v", out)
	}
	p := w.peeringNow(id)
	if *p.RequesterVpcInfo.PeeringOptions.AllowDnsResolutionFromRemoteVpc || !*p.AccepterVpcInfo.PeeringOptions.AllowDnsResolutionFromRemoteVpc {
		t.Errorf("the connection is %+v", p)
	}
}

func TestPeeringConnectionsAreFoundByWhatTheyAre(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16"), w.vpc("10.2.0.0/16")
	first, second := w.activePeer(a, b), w.peer(b, c)
	do(w, w.createTags, CreateTagsInput{Resources: []string{*second}, Tags: []Tag{{Key: new("Name"), Value: new("second")}}})
	for name, row := range map[string]struct {
		value string
		want  *string
	}{
		"status-code":                   {"active", first},
		"status-message":                {"Pending*", second},
		"requester-vpc-info.vpc-id":     {*b, second},
		"accepter-vpc-info.vpc-id":      {*b, first},
		"requester-vpc-info.cidr-block": {"10.0.0.0/16", first},
		"accepter-vpc-info.cidr-block":  {"10.1.0.0/16", first},
		"vpc-peering-connection-id":     {*second, second},
		"tag:Name":                      {"second", second},
	} {
		got := see(w, w.describeVPCPeeringConnections, DescribeVpcPeeringConnectionsInput{Filters: filter(name, row.value)}).VpcPeeringConnections
		if len(got) != 1 || *got[0].VpcPeeringConnectionId != *row.want {
			t.Errorf("%s=%s found %d", name, row.value, len(got))
		}
	}
	notSeen(w, w.describeVPCPeeringConnections, DescribeVpcPeeringConnectionsInput{Filters: filter("colour", "red")}, "InvalidParameterValue")
}

func TestARouteToAPeeringIsABlackholeUnlessItIsActive(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16"), w.vpc("10.2.0.0/16")
	id, table := w.peer(a, b), w.routeTable(a)
	state := func(want string) {
		t.Helper()
		r := see(w, w.describeRouteTables, DescribeRouteTablesInput{Filters: filter("route.vpc-peering-connection-id", *id)}).RouteTables[0].Routes[1]
		if *r.State != want || *r.VpcPeeringConnectionId != *id {
			t.Errorf("route is %s to %s, want %s", *r.State, *r.VpcPeeringConnectionId, want)
		}
	}
	do(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("10.1.0.0/16"), VpcPeeringConnectionId: id})
	state("blackhole")
	do(w, w.acceptVPCPeeringConnection, AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: id})
	state("active")
	do(w, w.replaceRoute, ReplaceRouteInput{RouteTableId: table, DestinationCidrBlock: new("10.1.0.0/16"), VpcPeeringConnectionId: id})
	do(w, w.deleteVPCPeeringConnection, DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: id})
	state("blackhole")
	to := func(table, id *string) CreateRouteInput {
		return CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("10.9.0.0/16"), VpcPeeringConnectionId: id}
	}
	refused(w, w.createRoute, to(table, id), "InvalidVpcPeeringConnectionID.NotFound")
	refused(w, w.createRoute, to(table, nowhere("pcx")), "InvalidVpcPeeringConnectionID.NotFound")
	refused(w, w.createRoute, to(table, w.peer(b, c)), "InvalidParameterValue")
	refused(w, w.createRoute, to(table, w.peer(a, a)), "InvalidParameterValue")
}

func TestRulesMayNameGroupsOfActivePeersOnly(t *testing.T) {
	w := newWorld(t)
	a, b := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	web, db := w.group(a, "web"), w.group(b, "db")
	names := func(port int64, p *string) AuthorizeSecurityGroupIngressInput {
		return AuthorizeSecurityGroupIngressInput{GroupId: db, IpPermissions: []IpPermission{{
			IpProtocol: new("tcp"), FromPort: &port, ToPort: &port, UserIdGroupPairs: []UserIdGroupPair{{GroupId: web, VpcPeeringConnectionId: p}},
		}}}
	}
	refused(w, w.authorizeSecurityGroupIngress, names(5432, nil), "InvalidGroup.NotFound")
	id := w.peer(a, b)
	refused(w, w.authorizeSecurityGroupIngress, names(5432, nil), "InvalidGroup.NotFound")
	do(w, w.acceptVPCPeeringConnection, AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: id})
	refused(w, w.authorizeSecurityGroupIngress, names(5432, nowhere("pcx")), "InvalidGroup.NotFound")
	rule := do(w, w.authorizeSecurityGroupIngress, names(5432, id)).SecurityGroupRules[0]
	refused(w, w.authorizeSecurityGroupIngress, names(5432, nil), "InvalidPermission.Duplicate")
	want := &ReferencedSecurityGroup{GroupId: web, UserId: new("123456789012"), VpcId: a, VpcPeeringConnectionId: id, PeeringStatus: new("active")}
	if d := diff(rule.ReferencedGroupInfo, want); d != "" {
		t.Errorf("rule names (-got +want):\n%s", d)
	}
	pair := UserIdGroupPair{GroupId: web, UserId: new("123456789012"), VpcId: a, VpcPeeringConnectionId: id, PeeringStatus: new("active")}
	if d := diff(w.groupNow(db).IpPermissions[0].UserIdGroupPairs[0], pair); d != "" {
		t.Errorf("permission names (-got +want):\n%s", d)
	}
	// Neither the connection nor the group is held by the rule: it becomes stale, allows nothing and can be revoked.
	do(w, w.deleteVPCPeeringConnection, DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: id})
	if got := *w.groupNow(db).IpPermissions[0].UserIdGroupPairs[0].PeeringStatus; got != "deleted" {
		t.Errorf("peering status is %s", got)
	}
	refused(w, w.authorizeSecurityGroupIngress, names(22, nil), "InvalidGroup.NotFound")
	do(w, w.deleteSecurityGroup, DeleteSecurityGroupInput{GroupId: web})
	refused(w, w.authorizeSecurityGroupIngress, names(22, nil), "InvalidGroup.NotFound")
	if found := findDangling(w.store.View()); len(found) > 0 {
		t.Errorf("dangling: %v", found)
	}
	do(w, w.revokeSecurityGroupIngress, RevokeSecurityGroupIngressInput{GroupId: db, IpPermissions: names(5432, nil).IpPermissions})
	if left := w.groupNow(db).IpPermissions; len(left) > 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestAVPCHasAtMostFiftyActivePeerings(t *testing.T) {
	w := newWorld(t)
	hub := w.vpc("10.200.0.0/16")
	for i := range 50 {
		w.activePeer(hub, w.vpc(fmt.Sprintf("10.%d.0.0/16", i)))
	}
	last := w.peer(w.vpc("10.100.0.0/16"), hub)
	refused(w, w.acceptVPCPeeringConnection, AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: last}, "VpcPeeringConnectionsPerVpcLimitExceeded")
}
