package ec2

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// documentedListing is what AWS documents of an operation that lists something.
type documentedListing struct {
	least, most int64 // of a page; zero: not said
	filters     []string
}

func documentedListings(t *testing.T) map[string]documentedListing {
	t.Helper()
	f, err := os.Open("testdata/listings.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]documentedListing{}
	for s := bufio.NewScanner(f); s.Scan(); {
		words := strings.Fields(s.Text())
		if words[0] == "#" {
			continue
		}
		least, _ := strconv.ParseInt(words[1], 10, 64)
		most, _ := strconv.ParseInt(words[2], 10, 64)
		out[words[0]] = documentedListing{least, most, words[3:]}
	}
	return out
}

// neverHere are the documented filters that no resource of furnish has a value for, with the reason.
func neverHere() map[string]string {
	out := neverOfInstances()
	maps.Copy(out, map[string]string{
		"outpost-arn": "no Outposts", "customer-owned-ipv4-pool": "no Outposts", "enable-lni-at-device-index": "no Outposts",
		"route.instance-id": "routes lead to interfaces here",
		"message":           "zones have no messages", "parent-zone-id": "no local zones", "parent-zone-name": "no local zones",
		"route.transit-gateway-id": "no transit gateways", "expiration-time": "requests do not expire",
		"DescribeAddressTransfers":          "there is no other account",
		"operator.principal":                "no service manages an interface openly",
		"association.gateway-id":            "no route tables of gateways",
		"route.destination-ipv6-cidr-block": "IPv6", "route.egress-only-internet-gateway-id": "IPv6",
		"ipv6-addresses.ipv6-address": "IPv6", "entry.ipv6-cidr": "IPv6", "ip-permission.ipv6-cidr": "IPv6", "egress.ip-permission.ipv6-cidr": "IPv6",
		"ipv6-cidr-block-association.ipv6-cidr-block": "IPv6", "ipv6-cidr-block-association.ipv6-pool": "IPv6",
		"ipv6-cidr-block-association.association-id": "IPv6", "ipv6-cidr-block-association.state": "IPv6",
		"ip-permission.group-name": "AWS names groups of other accounts by id only", "egress.ip-permission.group-name": "AWS names groups of other accounts by id only",
	})
	return out
}

// lister calls an operation that lists something.
type lister struct {
	w *world
	service.Operation
}

// call lists with some members of the input set, and returns the items, each as JSON.
func (l lister) call(members map[string]any) (items []string, next *string, err error) {
	in := reflect.ValueOf(l.NewInput()).Elem()
	for name, v := range members {
		f := in.FieldByName(name)
		if name == "Filters" && !f.IsValid() {
			f = in.FieldByName("Filter")
		}
		if f.IsValid() {
			f.Set(reflect.ValueOf(v))
		}
	}
	return l.list(in.Addr().Interface())
}

// list lists with an input, and returns the items, each as JSON.
func (l lister) list(in any) (items []string, next *string, err error) {
	out, err := l.View(l.w.store.View(), nil, in)
	if err != nil {
		return nil, nil, err
	}
	o := reflect.ValueOf(out).Elem()
	for i := range o.NumField() {
		list := o.Field(i)
		if list.Kind() != reflect.Slice || list.Type().Elem().Kind() != reflect.Struct {
			continue
		}
		for j := range list.Len() {
			b, err := json.Marshal(list.Index(j).Interface())
			if err != nil {
				return nil, nil, err
			}
			items = append(items, string(b))
		}
		break
	}
	if f := o.FieldByName("NextToken"); f.IsValid() {
		next = f.Interface().(*string)
	}
	return items, next, nil
}

func (l lister) takes(member string) bool {
	_, ok := reflect.TypeOf(l.NewInput()).Elem().FieldByName(member)
	return ok
}

// with adds a member to those that the furnished world's listings need.
func (l lister) with(name string, v any) map[string]any {
	out := map[string]any{}
	for _, parameter := range []string{"VpcId", "PrefixListId", "SubnetId", "ServiceId"} {
		if id, ok := l.w.known[parameter]; ok && l.takes(parameter) {
			out[parameter] = new(id)
		}
	}
	out[name] = v
	return out
}

// listers are all operations that list something, in a world with some of everything.
func listers(t *testing.T) []lister {
	w := furnished(t)
	var out []lister
	for _, o := range New(Config{}).Operations {
		l := lister{w, o}
		if o.View != nil && (l.takes("Filters") || l.takes("Filter") || l.takes("MaxResults")) {
			out = append(out, l)
		}
	}
	return out
}

func TestEveryDocumentedFilterFilters(t *testing.T) {
	listings, never := documentedListings(t), neverHere()
	for _, l := range listers(t) {
		all, _, err := l.call(l.with("Unset", nil))
		if err != nil || len(all) == 0 && never[l.Name] == "" {
			t.Errorf("%s: %d items, %v; there should be some", l.Name, len(all), err)
			continue
		}
		for _, name := range listings[l.Name].filters {
			if name == "tag" {
				name = "tag:Name"
			}
			matched, _, err := l.call(l.with("Filters", filter(name, "*")))
			if err != nil {
				t.Errorf("%s does not take the filter %s: %v", l.Name, name, err)
				continue
			}
			if len(matched) == 0 && never[name] == "" && never[l.Name] == "" && never[l.Name+" "+name] == "" {
				t.Errorf("%s: no item has a value for the filter %s", l.Name, name)
			}
			if left, _, err := l.call(l.with("Filters", filter(name, "no-such-value"))); err != nil || len(left) > 0 {
				t.Errorf("%s: the filter %s leaves %d items, %v", l.Name, name, len(left), err)
			}
		}
		if !l.takes("Filters") && !l.takes("Filter") {
			continue
		}
		_, _, err = l.call(l.with("Filters", filter("no-such-filter", "x")))
		if err == nil || err.Error() != "InvalidParameterValue: The filter 'no-such-filter' is invalid" {
			t.Errorf("%s takes a filter that does not exist: %v", l.Name, err)
		}
	}
}

func TestPagesHoldWhatAWSLetsThem(t *testing.T) {
	listings := documentedListings(t)
	for _, l := range listers(t) {
		d := listings[l.Name]
		for _, size := range []int64{d.least - 1, d.most + 1} {
			if _, _, err := l.call(l.with("MaxResults", &size)); d.least > 0 && code(err) != "InvalidParameterValue" {
				t.Errorf("%s: a page of %d: got %v, want InvalidParameterValue", l.Name, size, err)
			}
		}
		for _, size := range []int64{d.least, d.most} {
			if _, _, err := l.call(l.with("MaxResults", &size)); d.least > 0 && err != nil {
				t.Errorf("%s: a page of %d: %v", l.Name, size, err)
			}
		}
	}
}

func TestPagesTogetherAreTheWholeListing(t *testing.T) {
	for _, l := range listers(t) {
		if !l.takes("MaxResults") || !l.takes("NextToken") {
			continue
		}
		want, _, err := l.call(l.with("Unset", nil))
		if err != nil {
			t.Errorf("%s: %v", l.Name, err)
			continue
		}
		var got []string
		var token *string
		for pages := 0; pages <= len(want); pages++ {
			in := l.with("MaxResults", new(int64(5+rand.IntN(4))))
			in["NextToken"] = token
			page, next, err := l.call(in)
			if err != nil {
				t.Fatalf("%s: %v", l.Name, err)
			}
			got = append(got, page...)
			if token = next; token == nil {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: pages have %d items, the whole %d", l.Name, len(got), len(want))
		}
		in := l.with("NextToken", new("nonsense"))
		in["MaxResults"] = new(int64(5))
		if _, _, err := l.call(in); code(err) != "InvalidNextToken" {
			t.Errorf("%s: a token of no use: got %v, want InvalidNextToken", l.Name, err)
		}
	}
}

func TestInterfacesAreListedByIdOrInPages(t *testing.T) {
	w := newWorld(t)
	id := w.eni(w.subnet(w.vpc("10.0.0.0/16"), "10.0.0.0/24", "a"))
	notSeen(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*id}, MaxResults: new(int64(5))}, "InvalidParameterCombination")
}

// furnished makes a world with some of everything, each with a tag.
func furnished(t *testing.T) *world {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	w.known = map[string]string{"VpcId": *vpc}
	w.dnsOn(vpc)
	gateway, acl := w.gateway(vpc), do(w, w.createNetworkACL, CreateNetworkAclInput{VpcId: vpc}).NetworkAcl.NetworkAclId
	ids := []string{*vpc, *gateway, *acl}
	do(w, w.createNetworkACLEntry, CreateNetworkAclEntryInput{NetworkAclId: acl, RuleNumber: new(int64(1)), Protocol: new("6"), RuleAction: new("allow"), Egress: new(false),
		CidrBlock: new("0.0.0.0/0"), PortRange: &PortRange{From: new(int64(1)), To: new(int64(2))}})
	do(w, w.createNetworkACLEntry, CreateNetworkAclEntryInput{NetworkAclId: acl, RuleNumber: new(int64(2)), Protocol: new("1"), RuleAction: new("allow"), Egress: new(false),
		CidrBlock: new("0.0.0.0/0"), IcmpTypeCode: &IcmpTypeCode{Type: new(int64(8)), Code: new(int64(0))}})
	list := do(w, w.createManagedPrefixList, CreateManagedPrefixListInput{AddressFamily: new("IPv4"), PrefixListName: new("list"), MaxEntries: new(int64(20))}).PrefixList.PrefixListId
	w.known["PrefixListId"] = *list
	var entries []AddPrefixListEntry
	for i := range 8 {
		entries = append(entries, AddPrefixListEntry{Cidr: new(fmt.Sprintf("10.9.%d.0/24", i))})
	}
	do(w, w.modifyManagedPrefixList, ModifyManagedPrefixListInput{PrefixListId: list, CurrentVersion: new(int64(1)), AddEntries: entries})
	ids = append(ids, *list)
	options := CreateDhcpOptionsInput{DhcpConfigurations: []NewDhcpConfiguration{{Key: new("domain-name-servers"), Values: []string{"AmazonProvidedDNS"}}}}
	for i := range 8 {
		subnet := w.subnet(vpc, fmt.Sprintf("10.0.%d.0/24", i), string(rune('a'+i%4)))
		group, table, eni, address := w.group(vpc, fmt.Sprint("g", i)), w.routeTable(vpc), w.eni(subnet), w.address()
		w.known["SubnetId"] = *subnet
		nat := do(w, w.createNATGateway, CreateNatGatewayInput{SubnetId: subnet, AllocationId: address}).NatGateway.NatGatewayId
		elastic := w.address()
		do(w, w.associateAddress, AssociateAddressInput{AllocationId: elastic, NetworkInterfaceId: eni})
		do(w, w.associateRouteTable, AssociateRouteTableInput{RouteTableId: table, SubnetId: subnet})
		route := func(in CreateRouteInput) { in.RouteTableId = table; do(w, w.createRoute, in) }
		route(CreateRouteInput{DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: gateway})
		route(CreateRouteInput{DestinationPrefixListId: list, NatGatewayId: nat})
		permission := []IpPermission{
			{IpProtocol: new("tcp"), FromPort: new(int64(1)), ToPort: new(int64(2)), IpRanges: []IpRange{{CidrIp: new("10.0.0.0/8")}}},
			{IpProtocol: new("udp"), FromPort: new(int64(1)), ToPort: new(int64(2)), PrefixListIds: []PrefixListId{{PrefixListId: list}}},
			{IpProtocol: new("-1"), UserIdGroupPairs: []UserIdGroupPair{{GroupId: group}}},
		}
		do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: group, IpPermissions: permission})
		do(w, w.authorizeSecurityGroupEgress, AuthorizeSecurityGroupEgressInput{GroupId: group, IpPermissions: permission})
		ids = append(ids, do(w, w.createFlowLogs, flowLogOf(subnet)).FlowLogIds...)
		endpoint := do(w, w.createVPCEndpoint, gatewayEndpoint(vpc)).VpcEndpoint.VpcEndpointId
		other := w.vpc(fmt.Sprintf("10.%d.0.0/16", i+20))
		peering := w.activePeer(vpc, other)
		far := w.group(other, "far")
		do(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: group, IpPermissions: []IpPermission{{IpProtocol: new("-1"), UserIdGroupPairs: []UserIdGroupPair{{GroupId: far}}}}})
		do(w, w.deleteSecurityGroup, DeleteSecurityGroupInput{GroupId: far}) // the rule is stale
		route(CreateRouteInput{DestinationCidrBlock: new(fmt.Sprintf("10.%d.0.0/16", i+20)), VpcPeeringConnectionId: peering})
		dhcp := do(w, w.createDHCPOptions, options).DhcpOptions.DhcpOptionsId
		ids = append(ids, *subnet, *group, *table, *eni, *address, *nat, *elastic, *endpoint, *other, *peering, *dhcp, *w.gateway(other),
			*do(w, w.createNetworkACL, CreateNetworkAclInput{VpcId: vpc}).NetworkAcl.NetworkAclId)
	}
	for i := range 6 {
		made := do(w, w.createSubnetReservation, CreateSubnetCidrReservationInput{SubnetId: new(w.known["SubnetId"]), Cidr: new(fmt.Sprintf("10.0.7.%d/32", 200+i)), ReservationType: new("explicit")})
		ids = append(ids, *made.SubnetCidrReservation.SubnetCidrReservationId)
	}
	ids = append(ids, w.instances(w.known["SubnetId"])...)
	from, to := w.eni(new(w.known["SubnetId"])), w.eni(new(w.known["SubnetId"]))
	for i := range 8 {
		path := w.insightsPath(from, to, 1+i)
		ids = append(ids, *path, *do(w, w.startNetworkInsightsAnalysis, StartNetworkInsightsAnalysisInput{NetworkInsightsPathId: path}).NetworkInsightsAnalysis.NetworkInsightsAnalysisId)
	}
	eni := do(w, w.createVPCEndpoint, CreateVpcEndpointInput{VpcId: vpc, VpcEndpointType: new("Interface"), ServiceName: new("com.amazonaws.us-west-2.lambda"), SubnetIds: []string{w.known["SubnetId"]}})
	ids = append(ids, *eni.VpcEndpoint.VpcEndpointId)
	ids = append(ids, w.furnishService(vpc)...)
	for _, r := range see(w, w.describeSecurityGroupRules, DescribeSecurityGroupRulesInput{}).SecurityGroupRules {
		ids = append(ids, *r.SecurityGroupRuleId)
	}
	do(w, w.createTags, CreateTagsInput{Resources: ids, Tags: []Tag{{Key: new("Name"), Value: new("furniture")}}})
	return w
}

func TestQuickFiltersAreThoseOfTheItem(t *testing.T) {
	w := furnished(t)
	v := w.store.View()
	quick(t, interfaceSource(v), interfaceListing(), state.List[*resource.NetworkInterface](v))
	quick(t, groupSource(v), securityGroupListing(), state.List[*resource.SecurityGroup](v))
	quick(t, subnetSource(v), subnetListing(), state.List[*resource.Subnet](v))
	rules, err := namedRules(v, nil)
	if err != nil {
		t.Fatal(err)
	}
	quick(t, ruleSource(v), ruleListing(), rules)
}

func quick[R, T any](t *testing.T, s source[R, T], l listing[T], all []R) {
	t.Helper()
	for _, r := range all {
		item := s.item(r)
		if s.key(r) != l.key(item) {
			t.Errorf("key is %s, that of the item %s", s.key(r), l.key(item))
		}
		for name, of := range s.quick {
			if got, want := slices.Sorted(slices.Values(of(r))), slices.Sorted(slices.Values(l.fields[name](item))); !slices.Equal(got, want) {
				t.Errorf("%s of %s is %v, of the item %v", name, s.key(r), got, want)
			}
		}
		if got, want := tagValue(s.tags(r), "Name"), tagValues(l.tags(item), "Name"); !slices.Equal(got, want) {
			t.Errorf("tag of %s is %v, of the item %v", s.key(r), got, want)
		}
	}
}
