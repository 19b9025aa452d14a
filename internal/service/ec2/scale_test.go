package ec2

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/wire"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// The size of the account that the numbers in docs/performance.md are for.
const (
	manyVPCs       = 200
	groupsPerVPC   = 5
	rulesPerGroup  = 60
	enisPerVPC     = 50
	subnetsPerVPC  = 5
	secondGroupGap = 1 // each interface carries its own group and the next
)

// large puts 200 VPCs with 1,000 groups of 60 rules and 10,000 interfaces into a world.
func large(tb testing.TB) *world {
	tb.Helper()
	w := newWorldWith(tb, "us-west-2", resource.Quotas{resource.QuotaVPCs: manyVPCs, resource.QuotaInterfaces: 20_000})
	if _, err := w.store.Update(func(tx *state.Tx) error {
		for i := range manyVPCs {
			putNetwork(tx, i)
		}
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
	return w
}

func putNetwork(tx *state.Tx, i int) {
	id := func(prefix string, n int) string { return fmt.Sprintf("%s-%09x%08x", prefix, i, n) }
	v := &resource.VPC{
		ID: resource.VPCID(id("vpc", 0)), CIDRs: []resource.VPCCIDR{{AssociationID: id("vpc-cidr-assoc", 0), Prefix: netip.MustParsePrefix("10.0.0.0/16")}},
		DHCPOptionsID: defaultDHCPOptionsID(tx), InstanceTenancy: "default", EnableDNSSupport: true, EnableDNSHostnames: true,
	}
	tx.Put(v)
	tx.Put(mainRouteTable(tx, v.ID))
	acl := defaultNetworkACL(tx, v.ID)
	tx.Put(acl)
	tx.Put(defaultGroup(tx, v.ID))
	groups := make([]resource.SecurityGroupID, groupsPerVPC)
	for n := range groups {
		groups[n] = resource.SecurityGroupID(id("sg", n))
	}
	for n, group := range groups {
		g := &resource.SecurityGroup{ID: group, VPCID: v.ID, Name: fmt.Sprint("group", n), Description: "d", Rules: []resource.SecurityGroupRule{openEgress(tx)}}
		for port := range rulesPerGroup {
			rule := resource.SecurityGroupRule{ID: resource.SecurityGroupRuleID(tx.NewID("sgr")), Protocol: protocolTCP, FromPort: port, ToPort: port}
			if port%3 == 0 {
				rule.GroupID = groups[(n+1)%groupsPerVPC]
			} else {
				rule.CIDR = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(port), 0, 0}), 16)
			}
			g.Rules = append(g.Rules, rule)
		}
		tx.Put(g)
	}
	for n := range subnetsPerVPC {
		tx.Put(&resource.Subnet{
			ID: resource.SubnetID(id("subnet", n)), VPCID: v.ID, CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(n), 0}), 24),
			AvailabilityZone: "us-west-2a", AvailabilityZoneID: "usw2-az1", HostnameType: "ip-name", NetworkACLID: acl.ID, NetworkACLAssociationID: tx.NewID("aclassoc"),
		})
	}
	for n := range enisPerVPC {
		subnet := n % subnetsPerVPC
		tx.Put(&resource.NetworkInterface{
			ID: resource.NetworkInterfaceID(id("eni", n)), VPCID: v.ID, SubnetID: resource.SubnetID(id("subnet", subnet)), AvailabilityZone: "us-west-2a",
			InterfaceType: resource.InterfaceTypeInterface, PrivateIPs: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, byte(subnet), byte(4 + n/subnetsPerVPC)})},
			MAC: "02:00:00:00:00:01", GroupIDs: []resource.SecurityGroupID{groups[n%groupsPerVPC], groups[(n+secondGroupGap)%groupsPerVPC]},
			SourceDestCheck: true, Tags: resource.Tags{"Name": fmt.Sprint("eni", n)},
		})
	}
}

// described are the calls that clients make of a large account: Terraform by id and by VPC, people page by page.
func described() map[string]any {
	vpc, eni, group := "vpc-00000000700000000", "eni-00000000700000003", "sg-00000000700000002"
	page := new(int64(1000))
	return map[string]any{
		"DescribeNetworkInterfaces/id":      &DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{eni}},
		"DescribeNetworkInterfaces/vpc":     &DescribeNetworkInterfacesInput{Filters: filter("vpc-id", vpc)},
		"DescribeNetworkInterfaces/group":   &DescribeNetworkInterfacesInput{Filters: filter("group-id", group)},
		"DescribeNetworkInterfaces/subnet":  &DescribeNetworkInterfacesInput{Filters: filter("subnet-id", "subnet-00000000700000001")},
		"DescribeNetworkInterfaces/tag":     &DescribeNetworkInterfacesInput{Filters: filter("tag:Name", "eni7")},
		"DescribeNetworkInterfaces/address": &DescribeNetworkInterfacesInput{Filters: filter("addresses.private-ip-address", "10.0.1.7")},
		"DescribeNetworkInterfaces/page":    &DescribeNetworkInterfacesInput{MaxResults: page},
		"DescribeSecurityGroups/id":         &DescribeSecurityGroupsInput{GroupIds: []string{group}},
		"DescribeSecurityGroups/vpc":        &DescribeSecurityGroupsInput{Filters: filter("vpc-id", vpc)},
		"DescribeSecurityGroups/name":       &DescribeSecurityGroupsInput{Filters: filter("group-name", "default")},
		"DescribeSecurityGroups/page":       &DescribeSecurityGroupsInput{MaxResults: new(int64(100))},
		"DescribeSecurityGroupRules/group":  &DescribeSecurityGroupRulesInput{Filters: filter("group-id", group)},
		"DescribeSecurityGroupRules/page":   &DescribeSecurityGroupRulesInput{MaxResults: page},
		"DescribeSubnets/vpc":               &DescribeSubnetsInput{Filters: filter("vpc-id", vpc)},
		"DescribeSubnets/all":               &DescribeSubnetsInput{},
		"DescribeVpcs/all":                  &DescribeVpcsInput{},
		"DescribeVpcs/id":                   &DescribeVpcsInput{VpcIds: []string{vpc}},
		"DescribeRouteTables/vpc":           &DescribeRouteTablesInput{Filters: filter("vpc-id", vpc)},
		"DescribeNetworkAcls/vpc":           &DescribeNetworkAclsInput{Filters: filter("vpc-id", vpc)},
		"DescribeNetworkAcls/all":           &DescribeNetworkAclsInput{},
		"DescribeTags/resource":             &DescribeTagsInput{Filters: filter("resource-id", eni)},
	}
}

// BenchmarkDescribeLarge reports the worst of all calls, from the decoded input to the encoded answer, and the
// memory that state and network of such an account take.
func BenchmarkDescribeLarge(b *testing.B) {
	before := heap()
	w := large(b)
	network := topology.Resolve(w.store.View(), topology.Options{})
	held := heap() - before
	codec, err := wire.New(wire.Service{Protocol: wire.EC2Query, Namespace: "http://ec2.amazonaws.com/doc/2016-11-15/"})
	if err != nil {
		b.Fatal(err)
	}
	calls := described()
	took := map[string][]time.Duration{}
	for b.Loop() {
		for name, in := range calls {
			start := time.Now()
			describe(b, w, codec, name, in)
			took[name] = append(took[name], time.Since(start))
		}
	}
	worst, where := time.Duration(0), ""
	for name, all := range took {
		slices.Sort(all)
		if p99 := all[len(all)*99/100]; p99 > worst {
			worst, where = p99, name
		}
	}
	b.Logf("the worst is %s, p50 %v; %d interfaces", where, took[where][len(took[where])/2], len(network.ENIs))
	b.ReportMetric(float64(worst.Microseconds())/1000, "ms-p99")
	b.ReportMetric(float64(held)/1e6, "MB")
}

func describe(tb testing.TB, w *world, codec wire.Codec, name string, in any) {
	tb.Helper()
	operation, _, _ := strings.Cut(name, "/")
	out, err := w.view(operation)(w.store.View(), nil, in)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	if _, err := codec.Output("id", operation, out); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
}

// view finds the handler of an operation that reads.
func (w *world) view(name string) func(*state.View, *api.Call, any) (any, error) {
	for _, o := range w.operations() {
		if o.Name == name {
			return o.View
		}
	}
	w.t.Fatalf("there is no %s", name)
	return nil
}

// heap is how much memory is in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkResolveLarge is the network of the same account, made anew after a change.
func BenchmarkResolveLarge(b *testing.B) {
	view := large(b).store.View()
	for b.Loop() {
		if t := topology.Resolve(view, topology.Options{}); len(t.ENIs) != manyVPCs*enisPerVPC {
			b.Fatal(len(t.ENIs))
		}
	}
}

// TestALargeAccountIsDescribed holds that the calls of the benchmark find something.
func TestALargeAccountIsDescribed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	w := large(t)
	for name, in := range described() {
		operation, _, _ := strings.Cut(name, "/")
		l := lister{w: w}
		for _, o := range w.operations() {
			if o.Name == operation {
				l.Operation = o
			}
		}
		items, _, err := l.list(in)
		if err != nil || len(items) == 0 {
			t.Errorf("%s: %d items, %v", name, len(items), err)
		}
	}
}
