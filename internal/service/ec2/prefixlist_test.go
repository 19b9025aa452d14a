package ec2

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"

	"github.com/culvert-cloud/culvert/internal/network/topology"
)

func TestAWSsPrefixListsAreThereFromTheStart(t *testing.T) {
	w := newWorld(t)
	got := see(w, w.describePrefixLists, DescribePrefixListsInput{Filters: filter("prefix-list-name", s3Service)}).PrefixLists
	if len(got) != 1 || *got[0].PrefixListId != "pl-68a54001" || !slices.Contains(got[0].Cidrs, "52.218.128.0/17") {
		t.Errorf("S3's list is %+v", got)
	}
	managed := see(w, w.describeManagedPrefixLists, DescribeManagedPrefixListsInput{PrefixListIds: []string{"pl-68a54001"}}).PrefixLists
	if *managed[0].OwnerId != "AWS" || *managed[0].PrefixListArn != "arn:aws:ec2:us-west-2:aws:prefix-list/pl-68a54001" {
		t.Errorf("managed list is %+v", managed[0])
	}
	refused(w, w.deleteManagedPrefixList, DeleteManagedPrefixListInput{PrefixListId: new("pl-68a54001")}, "UnauthorizedOperation")
	refused(w, w.modifyManagedPrefixList, ModifyManagedPrefixListInput{PrefixListId: new("pl-68a54001"), PrefixListName: new("mine")}, "UnauthorizedOperation")
	before := w.store.View().Revision()
	if _, err := w.store.Update(Bootstrap); err != nil || w.store.View().Revision() != before {
		t.Errorf("starting again changed the state (%v)", err)
	}
}

func TestS3sPublicAddressesLieInItsPrefixListInEveryRegion(t *testing.T) {
	for _, region := range []string{"us-west-2", "us-east-1", "eu-central-1", "mars-north-1"} {
		w := newWorldIn(t, region)
		list := see(w, w.describePrefixLists, DescribePrefixListsInput{Filters: filter("prefix-list-name", "com.amazonaws."+region+".s3")}).PrefixLists[0]
		var blocks []netip.Prefix
		for _, c := range list.Cidrs {
			blocks = append(blocks, netip.MustParsePrefix(c))
		}
		for _, s := range topology.Catalog(region) {
			for _, n := range s.Names {
				for _, a := range n.Addresses {
					if s.Service == "s3" && a.Is4() && !slices.ContainsFunc(blocks, func(p netip.Prefix) bool { return p.Contains(a) }) {
						t.Errorf("%s: %s of %s is outside of %v", region, a, n.Pattern, blocks)
					}
				}
			}
		}
	}
}

func TestACustomersPrefixListHasVersions(t *testing.T) {
	w := newWorld(t)
	in := CreateManagedPrefixListInput{AddressFamily: new("IPv4"), MaxEntries: new(int64(3)), PrefixListName: new("offices"), ClientToken: new("t"),
		Entries: []AddPrefixListEntry{{Cidr: new("192.0.2.7/24"), Description: new("one")}}}
	list := do(w, w.createManagedPrefixList, in).PrefixList
	id := list.PrefixListId
	if again := do(w, w.createManagedPrefixList, in).PrefixList; *again.PrefixListId != *id || *list.Version != 1 {
		t.Errorf("created %+v, then %+v", list, again)
	}
	change := ModifyManagedPrefixListInput{PrefixListId: id, CurrentVersion: new(int64(1)),
		AddEntries:    []AddPrefixListEntry{{Cidr: new("198.51.100.0/24")}, {Cidr: new("203.0.113.0/24")}},
		RemoveEntries: []RemovePrefixListEntry{{Cidr: new("192.0.2.0/24")}}}
	do(w, w.modifyManagedPrefixList, change)
	refused(w, w.modifyManagedPrefixList, change, "PrefixListVersionMismatch")
	entries := see(w, w.getManagedPrefixListEntries, GetManagedPrefixListEntriesInput{PrefixListId: id}).Entries
	want := []PrefixListEntry{{Cidr: new("198.51.100.0/24"), Description: new("")}, {Cidr: new("203.0.113.0/24"), Description: new("")}}
	if d := diff(entries, want); d != "" {
		t.Errorf("entries differ (-got +want):\n%s", d)
	}
	got := see(w, w.describeManagedPrefixLists, DescribeManagedPrefixListsInput{Filters: filter("prefix-list-name", "offices")}).PrefixLists[0]
	if *got.Version != 2 || *got.State != "modify-complete" || *got.MaxEntries != 3 {
		t.Errorf("list is %+v", got)
	}
	two := new(int64(2))
	block := func(c string) []AddPrefixListEntry { return []AddPrefixListEntry{{Cidr: &c}} }
	for want, ins := range map[string][]ModifyManagedPrefixListInput{
		"PrefixListMaxEntriesExceeded": {{PrefixListId: id, CurrentVersion: two, AddEntries: append(block("10.0.0.0/8"), block("11.0.0.0/8")...)}},
		"InvalidParameterCombination":  {{PrefixListId: id, CurrentVersion: two, MaxEntries: new(int64(9)), AddEntries: block("10.0.0.0/8")}},
		"MissingParameter":             {{PrefixListId: id, AddEntries: block("10.0.0.0/8")}},
		"InvalidParameterValue":        {{PrefixListId: id, CurrentVersion: two, AddEntries: block("ten")}, {PrefixListId: id, MaxEntries: new(int64(1))}, {PrefixListId: id, CurrentVersion: two, RemoveEntries: []RemovePrefixListEntry{{Cidr: new("10.0.0.0/8")}}}},
		"InvalidPrefixListID.NotFound": {{PrefixListId: nowhere("pl"), PrefixListName: new("x")}},
	} {
		for _, in := range ins {
			refused(w, w.modifyManagedPrefixList, in, want)
		}
	}
	notSeen(w, w.getManagedPrefixListEntries, GetManagedPrefixListEntriesInput{PrefixListId: id, TargetVersion: new(int64(3))}, "InvalidParameterValue")
}

func TestAPrefixListIsPutBackToAnEarlierVersion(t *testing.T) {
	w := newWorld(t)
	one, two, three := new(int64(1)), new(int64(2)), new(int64(3))
	id := do(w, w.createManagedPrefixList, CreateManagedPrefixListInput{AddressFamily: new("IPv4"), MaxEntries: two, PrefixListName: new("x"), Entries: []AddPrefixListEntry{{Cidr: new("10.0.0.0/8")}}}).PrefixList.PrefixListId
	do(w, w.modifyManagedPrefixList, ModifyManagedPrefixListInput{PrefixListId: id, CurrentVersion: one, AddEntries: []AddPrefixListEntry{{Cidr: new("11.0.0.0/8")}}})
	blocks := func(version *int64) []string {
		return each(see(w, w.getManagedPrefixListEntries, GetManagedPrefixListEntriesInput{PrefixListId: id, TargetVersion: version}).Entries, func(e PrefixListEntry) *string { return e.Cidr })
	}
	if d := diff(blocks(one), []string{"10.0.0.0/8"}); d != "" {
		t.Errorf("version 1 differs (-got +want):\n%s", d)
	}
	restore := RestoreManagedPrefixListVersionInput{PrefixListId: id, PreviousVersion: one, CurrentVersion: two}
	if got := do(w, w.restoreManagedPrefixListVersion, restore).PrefixList; *got.Version != 3 || *got.State != "restore-in-progress" {
		t.Errorf("got %+v", got)
	}
	if d := diff(blocks(nil), []string{"10.0.0.0/8"}); d != "" {
		t.Errorf("restored differs (-got +want):\n%s", d)
	}
	if d := diff(blocks(two), []string{"10.0.0.0/8", "11.0.0.0/8"}); d != "" {
		t.Errorf("version 2 differs (-got +want):\n%s", d)
	}
	refused(w, w.restoreManagedPrefixListVersion, restore, "PrefixListVersionMismatch")
	refused(w, w.restoreManagedPrefixListVersion, RestoreManagedPrefixListVersionInput{PrefixListId: id, PreviousVersion: new(int64(9)), CurrentVersion: three}, "InvalidParameterValue")
	refused(w, w.restoreManagedPrefixListVersion, RestoreManagedPrefixListVersionInput{PrefixListId: id, CurrentVersion: three}, "MissingParameter")
	do(w, w.modifyManagedPrefixList, ModifyManagedPrefixListInput{PrefixListId: id, MaxEntries: one})
	refused(w, w.restoreManagedPrefixListVersion, RestoreManagedPrefixListVersionInput{PrefixListId: id, PreviousVersion: two, CurrentVersion: three}, "PrefixListMaxEntriesExceeded")
	amazons := see(w, w.describeManagedPrefixLists, DescribeManagedPrefixListsInput{Filters: filter("owner-id", "AWS")}).PrefixLists[0]
	refused(w, w.restoreManagedPrefixListVersion, RestoreManagedPrefixListVersionInput{PrefixListId: amazons.PrefixListId, PreviousVersion: one, CurrentVersion: one}, "UnauthorizedOperation")
}

func TestWhatNamesAPrefixListIsListed(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	g, table := w.group(vpc, "web"), w.routeTable(vpc)
	id := do(w, w.createManagedPrefixList, CreateManagedPrefixListInput{AddressFamily: new("IPv4"), MaxEntries: new(int64(10)), PrefixListName: new("x")}).PrefixList.PrefixListId
	associations := func() []string {
		return each(see(w, w.getManagedPrefixListAssociations, GetManagedPrefixListAssociationsInput{PrefixListId: id}).PrefixListAssociations, func(a PrefixListAssociation) *string { return a.ResourceId })
	}
	if got := associations(); len(got) != 0 {
		t.Errorf("nothing names it, got %v", got)
	}
	do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: []IpPermission{{IpProtocol: new("-1"), PrefixListIds: []PrefixListId{{PrefixListId: id}}}}})
	do(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationPrefixListId: id, GatewayId: w.gateway(vpc)})
	if d := diff(associations(), []string{*table, *g}); d != "" {
		t.Errorf("associations differ (-got +want):\n%s", d)
	}
	notSeen(w, w.getManagedPrefixListAssociations, GetManagedPrefixListAssociationsInput{PrefixListId: nowhere("pl")}, "InvalidPrefixListID.NotFound")
}

func TestARouteToAPrefixListCountsWithItsSize(t *testing.T) {
	quotas := roomy()
	quotas[resource.QuotaRoutes] = 10
	w := newWorldWith(t, "us-west-2", quotas)
	vpc := w.vpc("10.0.0.0/16")
	table, gateway := w.routeTable(vpc), w.gateway(vpc)
	list := func(size int64) *string {
		return do(w, w.createManagedPrefixList, CreateManagedPrefixListInput{AddressFamily: new("IPv4"), MaxEntries: &size, PrefixListName: new("x")}).PrefixList.PrefixListId
	}
	eight := list(8)
	do(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationPrefixListId: eight, GatewayId: gateway})
	refused(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationPrefixListId: list(3), GatewayId: gateway}, "RouteLimitExceeded")
	refused(w, w.modifyManagedPrefixList, ModifyManagedPrefixListInput{PrefixListId: eight, MaxEntries: new(int64(11))}, "RouteLimitExceeded")
	do(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: gateway})
}

func TestAPrefixListInUseIsNotDeletedAndCountsWithItsSize(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	g, table := w.group(vpc, "web"), w.routeTable(vpc)
	list := func(size int64) *string {
		return do(w, w.createManagedPrefixList, CreateManagedPrefixListInput{AddressFamily: new("IPv4"), MaxEntries: &size, PrefixListName: new("x")}).PrefixList.PrefixListId
	}
	id := list(60)
	permission := func(id *string) []IpPermission {
		return []IpPermission{{IpProtocol: new("-1"), PrefixListIds: []PrefixListId{{PrefixListId: id}}}}
	}
	do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: permission(id)})
	refused(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: g, IpPermissions: permission(list(1))}, "RulesPerSecurityGroupLimitExceeded")
	refused(w, w.modifyManagedPrefixList, ModifyManagedPrefixListInput{PrefixListId: id, MaxEntries: new(int64(61))}, "RulesPerSecurityGroupLimitExceeded")
	refused(w, w.deleteManagedPrefixList, DeleteManagedPrefixListInput{PrefixListId: id}, "DependencyViolation")
	do(w, w.revokeSecurityGroupIngress, RevokeSecurityGroupIngressInput{GroupId: g, IpPermissions: permission(id)})
	do(w, w.createRoute, CreateRouteInput{RouteTableId: table, DestinationPrefixListId: id, GatewayId: w.gateway(vpc)})
	refused(w, w.deleteManagedPrefixList, DeleteManagedPrefixListInput{PrefixListId: id}, "DependencyViolation")
	do(w, w.deleteRoute, DeleteRouteInput{RouteTableId: table, DestinationPrefixListId: id})
	do(w, w.deleteManagedPrefixList, DeleteManagedPrefixListInput{PrefixListId: id})
	refused(w, w.deleteManagedPrefixList, DeleteManagedPrefixListInput{PrefixListId: id}, "InvalidPrefixListID.NotFound")
}

func TestBadPrefixListsAreRefused(t *testing.T) {
	w := newWorld(t)
	ok := CreateManagedPrefixListInput{AddressFamily: new("IPv4"), MaxEntries: new(int64(1)), PrefixListName: new("x")}
	with := func(change func(*CreateManagedPrefixListInput)) CreateManagedPrefixListInput {
		in := ok
		change(&in)
		return in
	}
	type in = CreateManagedPrefixListInput
	for want, ins := range map[string][]in{
		"MissingParameter":             {with(func(i *in) { i.AddressFamily = nil }), with(func(i *in) { i.PrefixListName = nil })},
		"InvalidParameterValue":        {with(func(i *in) { i.MaxEntries = new(int64(0)) }), with(func(i *in) { i.PrefixListName = new("com.amazonaws.mine") }), with(func(i *in) { i.AddressFamily = new("IPX") })},
		"PrefixListMaxEntriesExceeded": {with(func(i *in) { i.Entries = []AddPrefixListEntry{{Cidr: new("10.0.0.0/8")}, {Cidr: new("11.0.0.0/8")}} })},
	} {
		for _, i := range ins {
			refused(w, w.createManagedPrefixList, i, want)
		}
	}
}

func TestAPrefixListHoldsBlocksOfItsFamilyOnly(t *testing.T) {
	w := newWorld(t)
	create := func(family string, block string) CreateManagedPrefixListInput {
		return CreateManagedPrefixListInput{AddressFamily: &family, PrefixListName: &family, MaxEntries: new(int64(2)), Entries: []AddPrefixListEntry{{Cidr: &block}}}
	}
	refused(w, w.createManagedPrefixList, create("IPv6", "10.0.0.0/8"), "InvalidParameterValue")
	refused(w, w.createManagedPrefixList, create("IPv4", "2001:db8::/32"), "InvalidParameterValue")
	refused(w, w.createManagedPrefixList, create("IPX", "2001:db8::/32"), "InvalidParameterValue")
	list := do(w, w.createManagedPrefixList, create("IPv6", "2001:db8::1/32")).PrefixList
	if *list.AddressFamily != "IPv6" {
		t.Errorf("family is %s", *list.AddressFamily)
	}
	change := ModifyManagedPrefixListInput{PrefixListId: list.PrefixListId, CurrentVersion: new(int64(1)),
		AddEntries: []AddPrefixListEntry{{Cidr: new("2001:db9::/32")}}, RemoveEntries: []RemovePrefixListEntry{{Cidr: new("2001:db8::/32")}}}
	do(w, w.modifyManagedPrefixList, change)
	entries := see(w, w.getManagedPrefixListEntries, GetManagedPrefixListEntriesInput{PrefixListId: list.PrefixListId}).Entries
	if len(entries) != 1 || *entries[0].Cidr != "2001:db9::/32" {
		t.Errorf("entries are %+v", entries)
	}
	if got := see(w, w.describeManagedPrefixLists, DescribeManagedPrefixListsInput{PrefixListIds: []string{*list.PrefixListId}}).PrefixLists[0]; *got.AddressFamily != "IPv6" {
		t.Errorf("family is described as %s", *got.AddressFamily)
	}
}
