package topology

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/resource"
)

func supposable() *Topology {
	subnet := &Subnet{ID: "subnet-1", CIDR: netip.MustParsePrefix("10.0.1.0/28")}
	there := &ENI{ID: "eni-1", VPCID: "vpc-1", SubnetID: subnet.ID, Addresses: []netip.Addr{netip.MustParseAddr("10.0.1.4")}}
	v := &VPC{
		ID: "vpc-1", Subnets: []*Subnet{subnet}, ENIs: []*ENI{there},
		SecurityGroups: []*SecurityGroup{{ID: "sg-1"}, {ID: "sg-2", Members: []netip.Addr{netip.MustParseAddr("10.0.1.4")}}},
	}
	return &Topology{VPCs: []*VPC{v}, ENIs: map[resource.NetworkInterfaceID]*ENI{there.ID: there}}
}

func TestASupposedWorkloadIsLikeOneThatIsThereAndChangesNothing(t *testing.T) {
	before := supposable()
	got, err := Suppose(before, "subnet-1", []resource.SecurityGroupID{"sg-2"})
	if err != nil {
		t.Fatal(err)
	}
	eni, free := got.ENIs[Supposed], netip.MustParseAddr("10.0.1.5")
	if eni == nil || eni.Address() != free || !eni.SourceDestCheck || !slices.Contains(got.VPCs[0].ENIs, eni) {
		t.Errorf("the interface is %+v", eni)
	}
	if members := got.VPCs[0].SecurityGroup("sg-2").Members; !slices.Contains(members, free) || len(members) != 2 {
		t.Errorf("the members of its group are %v", members)
	}
	if diff := cmp.Diff(supposable(), before, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("the topology it was made from changed:\n%s", diff)
	}
}

func TestAWorkloadIsNotSupposedWhereItCannotBe(t *testing.T) {
	for name, in := range map[string]struct {
		subnet resource.SubnetID
		group  resource.SecurityGroupID
	}{"no subnet": {"subnet-2", "sg-1"}, "no group": {"subnet-1", "sg-3"}} {
		if _, err := Suppose(supposable(), in.subnet, []resource.SecurityGroupID{in.group}); err == nil {
			t.Errorf("%s: it was supposed", name)
		}
	}
	full := supposable()
	for a := netip.MustParseAddr("10.0.1.5"); a.Compare(netip.MustParseAddr("10.0.1.14")) <= 0; a = a.Next() {
		full.VPCs[0].ENIs[0].Addresses = append(full.VPCs[0].ENIs[0].Addresses, a)
	}
	if _, err := Suppose(full, "subnet-1", nil); err == nil {
		t.Error("it was supposed in a full subnet")
	}
}

func TestASupposedWorkloadHasAnIPv6AddressWhereTheSubnetHasABlock(t *testing.T) {
	before := supposable()
	v, block := before.VPCs[0], netip.MustParsePrefix("2600:1f14:1:101::/64")
	v.Subnets[0].IPv6CIDR = block
	first, err := Suppose(before, "subnet-1", []resource.SecurityGroupID{"sg-2"})
	if err != nil {
		t.Fatal(err)
	}
	address := first.ENIs[Supposed].IPv6[0]
	if len(first.ENIs[Supposed].IPv6) != 1 || !block.Contains(address) || !slices.Contains(first.VPCs[0].SecurityGroup("sg-2").Members, address) {
		t.Errorf("the interface is %+v", first.ENIs[Supposed])
	}
	v.ENIs[0].IPv6 = []netip.Addr{address}
	again, err := Suppose(before, "subnet-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if other := again.ENIs[Supposed].IPv6; len(other) != 1 || other[0] == address || !block.Contains(other[0]) {
		t.Errorf("with %s taken it has %v", address, other)
	}
}
