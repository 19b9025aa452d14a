package vpcnet

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const (
	vpcA, vpcB = resource.VPCID("vpc-0000000000000000a"), resource.VPCID("vpc-0000000000000000b")
	front      = resource.SubnetID("subnet-0000000000000000a") // 10.0.1.0/28, eleven addresses
	back       = resource.SubnetID("subnet-0000000000000000b")
	other      = resource.SubnetID("subnet-0000000000000000c") // of the other VPC
	defaultSG  = resource.SecurityGroupID("sg-0000000000000000a")
	webSG      = resource.SecurityGroupID("sg-0000000000000000b")
	otherSG    = resource.SecurityGroupID("sg-0000000000000000c")
)

func newStore(t *testing.T) *state.Store {
	t.Helper()
	s, err := state.Open(state.Config{Region: "us-west-2", Account: "000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *state.Tx) error {
		for _, v := range []resource.VPCID{vpcA, vpcB} {
			tx.Put(&resource.VPC{ID: v})
		}
		tx.Put(&resource.Subnet{ID: front, VPCID: vpcA, CIDR: netip.MustParsePrefix("10.0.1.0/28"), AvailabilityZone: "us-west-2a"})
		tx.Put(&resource.Subnet{ID: back, VPCID: vpcA, CIDR: netip.MustParsePrefix("10.0.2.0/28"), AvailabilityZone: "us-west-2b"})
		tx.Put(&resource.Subnet{ID: other, VPCID: vpcB, CIDR: netip.MustParsePrefix("10.0.1.0/28")})
		tx.Put(&resource.SecurityGroup{ID: defaultSG, VPCID: vpcA, Name: DefaultGroupName})
		tx.Put(&resource.SecurityGroup{ID: webSG, VPCID: vpcA, Name: "web"})
		tx.Put(&resource.SecurityGroup{ID: otherSG, VPCID: vpcB, Name: DefaultGroupName})
		return nil
	})
	return s
}

func update(t *testing.T, s *state.Store, f func(*state.Tx) error) {
	t.Helper()
	if _, err := s.Update(f); err != nil {
		t.Fatal(err)
	}
}

func code(err error) string {
	if e := api.AsError(err); e != nil {
		return e.Code
	}
	if err != nil {
		return "internal: " + err.Error()
	}
	return ""
}

func TestAnInterfaceGetsTheLowestFreeAddressAndTheDefaultGroup(t *testing.T) {
	s := newStore(t)
	update(t, s, func(tx *state.Tx) error {
		eni, err := CreateInterface(tx, InterfaceSpec{SubnetID: front, Type: resource.InterfaceTypeInterface, Secondary: 1})
		if err != nil {
			return err
		}
		want := &resource.NetworkInterface{
			VPCID: vpcA, SubnetID: front, AvailabilityZone: "us-west-2a", InterfaceType: "interface",
			PrivateIPs: []netip.Addr{netip.MustParseAddr("10.0.1.4"), netip.MustParseAddr("10.0.1.5")},
			GroupIDs:   []resource.SecurityGroupID{defaultSG}, SourceDestCheck: true,
		}
		ignore := cmpopts.IgnoreFields(resource.NetworkInterface{}, "ID", "MAC")
		if d := cmp.Diff(eni, want, ignore, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
			t.Errorf("interface differs (-got +want):\n%s", d)
		}
		if len(eni.MAC) != 17 || !strings.HasPrefix(eni.MAC, "02:") {
			t.Errorf("MAC is %q, want a locally administered one", eni.MAC)
		}
		return nil
	})
}

func TestASubnetHandsOutAllButFiveAddresses(t *testing.T) {
	s := newStore(t)
	update(t, s, func(tx *state.Tx) error {
		for i := range 11 {
			eni, err := CreateInterface(tx, InterfaceSpec{SubnetID: front})
			if err != nil {
				t.Fatalf("interface %d: %v", i, err)
			}
			if i == 10 && eni.PrimaryIP() != netip.MustParseAddr("10.0.1.14") {
				t.Errorf("last address is %s, want 10.0.1.14", eni.PrimaryIP())
			}
		}
		sub, _ := state.Get[*resource.Subnet](tx, front)
		if got := FreeAddresses(tx, sub); got != 0 {
			t.Errorf("%d addresses are free, want 0", got)
		}
		if _, err := CreateInterface(tx, InterfaceSpec{SubnetID: front}); code(err) != "InsufficientFreeAddressesInSubnet" {
			t.Errorf("twelfth interface: %v, want InsufficientFreeAddressesInSubnet", err)
		}
		return nil
	})
}

func TestBadInterfacesAreRefused(t *testing.T) {
	six := []resource.SecurityGroupID{}
	s := newStore(t)
	update(t, s, func(tx *state.Tx) error {
		for range 6 {
			g := &resource.SecurityGroup{ID: resource.SecurityGroupID(tx.NewID("sg")), VPCID: vpcA}
			tx.Put(g)
			six = append(six, g.ID)
		}
		_, err := CreateInterface(tx, InterfaceSpec{SubnetID: front, Addresses: []netip.Addr{netip.MustParseAddr("10.0.1.9")}})
		return err
	})
	addr := func(a string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(a)} }
	for name, c := range map[string]struct {
		spec InterfaceSpec
		want string
	}{
		"unknown subnet":           {InterfaceSpec{SubnetID: "subnet-00000000000000999"}, "InvalidSubnetID.NotFound"},
		"no subnet id":             {InterfaceSpec{SubnetID: "front"}, "InvalidSubnetID.Malformed"},
		"unknown group":            {InterfaceSpec{SubnetID: front, GroupIDs: []resource.SecurityGroupID{"sg-00000000000000999"}}, "InvalidGroup.NotFound"},
		"group of another VPC":     {InterfaceSpec{SubnetID: front, GroupIDs: []resource.SecurityGroupID{otherSG}}, "InvalidParameter"},
		"six groups":               {InterfaceSpec{SubnetID: front, GroupIDs: six}, "SecurityGroupsPerInterfaceLimitExceeded"},
		"address in use":           {InterfaceSpec{SubnetID: front, Addresses: addr("10.0.1.9")}, "InvalidIPAddress.InUse"},
		"address of the resolver":  {InterfaceSpec{SubnetID: front, Addresses: addr("10.0.1.2")}, "InvalidParameterValue"},
		"broadcast address":        {InterfaceSpec{SubnetID: front, Addresses: addr("10.0.1.15")}, "InvalidParameterValue"},
		"address of other subnets": {InterfaceSpec{SubnetID: front, Addresses: addr("10.0.2.9")}, "InvalidParameterValue"},
	} {
		before := s.View().Revision()
		_, err := s.Update(func(tx *state.Tx) error {
			_, err := CreateInterface(tx, c.spec)
			return err
		})
		if code(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if s.View().Revision() != before {
			t.Errorf("%s: state changed", name)
		}
	}
}

func TestFunctionsWithTheSameGroupsShareAnInterface(t *testing.T) {
	s := newStore(t)
	create := func(tx *state.Tx, name string, groups ...resource.SecurityGroupID) []resource.NetworkInterfaceID {
		vpc, enis, err := LambdaInterfaces(tx, LambdaPlace{Function: name, SubnetIDs: []resource.SubnetID{back, front}, GroupIDs: groups})
		if err != nil || vpc != vpcA || len(enis) != 2 || enis[0].SubnetID != back || enis[1].SubnetID != front {
			t.Fatalf("LambdaInterfaces(%s) = %s, %v, %v", name, vpc, enis, err)
		}
		ids := []resource.NetworkInterfaceID{enis[0].ID, enis[1].ID}
		tx.Put(&resource.Function{Name: name, VPCConfig: &resource.FunctionVPCConfig{NetworkInterfaceIDs: ids}})
		return ids
	}
	update(t, s, func(tx *state.Tx) error {
		one := create(tx, "one", webSG, defaultSG)
		two := create(tx, "two", defaultSG, webSG)
		three := create(tx, "three", webSG)
		if d := cmp.Diff(two, one); d != "" {
			t.Errorf("equal sets of groups do not share (-got +want):\n%s", d)
		}
		if three[0] == one[0] || three[1] == one[1] {
			t.Error("different sets of groups share an interface")
		}
		f, _ := state.Get[*resource.Function](tx, "one")
		tx.Delete(f)
		ReleaseLambdaInterfaces(tx, one)
		if _, ok := state.Get[*resource.NetworkInterface](tx, one[0]); !ok {
			t.Error("an interface was removed while a function used it")
		}
		f, _ = state.Get[*resource.Function](tx, "two")
		tx.Delete(f)
		ReleaseLambdaInterfaces(tx, two)
		if left := state.List[*resource.NetworkInterface](tx); len(left) != 2 {
			t.Errorf("%d interfaces are left, want the two of function three", len(left))
		}
		return nil
	})
}

func TestADualStackFunctionHasInterfacesOfItsOwnKind(t *testing.T) {
	s := newStore(t)
	place := LambdaPlace{Function: "four", SubnetIDs: []resource.SubnetID{front}, GroupIDs: []resource.SecurityGroupID{webSG}}
	dual := place
	dual.Function, dual.DualStack = "both", true
	if _, err := s.Update(func(tx *state.Tx) error { _, _, err := LambdaInterfaces(tx, dual); return err }); code(err) != "InvalidParameterValue" {
		t.Errorf("a subnet without IPv6: %v, want InvalidParameterValue", err)
	}
	update(t, s, func(tx *state.Tx) error {
		subnet, _ := state.Get[*resource.Subnet](tx, front)
		six := *subnet
		six.IPv6CIDR, six.AssignIPv6AddressOnCreation = netip.MustParsePrefix("2001:db8::/64"), true // which is for the user's own
		tx.Put(&six)
		_, a, _ := LambdaInterfaces(tx, place)
		_, b, _ := LambdaInterfaces(tx, dual)
		_, c, err := LambdaInterfaces(tx, dual)
		if err != nil {
			return err
		}
		if len(a[0].IPv6Addresses) != 0 || len(b[0].IPv6Addresses) != 1 || !six.IPv6CIDR.Contains(b[0].IPv6Addresses[0]) {
			t.Errorf("addresses are %v and %v", a[0].IPv6Addresses, b[0].IPv6Addresses)
		}
		if a[0].ID == b[0].ID || b[0].ID != c[0].ID {
			t.Error("an interface is shared by functions of different kinds, or not by those of one")
		}
		return nil
	})
}

func TestALambdaInterfaceLooksAsAWSLeavesIt(t *testing.T) {
	s := newStore(t)
	update(t, s, func(tx *state.Tx) error {
		_, enis, err := LambdaInterfaces(tx, LambdaPlace{Function: "demo", SubnetIDs: []resource.SubnetID{front}, GroupIDs: []resource.SecurityGroupID{webSG}})
		if err != nil {
			return err
		}
		a := enis[0].Attachment
		if enis[0].Description != "AWS Lambda VPC ENI-demo" || enis[0].InterfaceType != "lambda" || enis[0].RequesterManaged {
			t.Errorf("interface is %+v", enis[0])
		}
		if a == nil || a.InstanceOwnerID != "amazon-aws" || !strings.HasPrefix(a.ID, "ela-attach-") {
			t.Errorf("attachment is %+v", a)
		}
		return nil
	})
}

func TestSubnetsOfTwoVPCsAreRefused(t *testing.T) {
	s := newStore(t)
	_, err := s.Update(func(tx *state.Tx) error {
		_, _, err := LambdaInterfaces(tx, LambdaPlace{Function: "f", SubnetIDs: []resource.SubnetID{front, other}, GroupIDs: []resource.SecurityGroupID{webSG}})
		return err
	})
	if !errors.As(err, &ErrDifferentVPCs{}) {
		t.Errorf("got %v, want ErrDifferentVPCs", err)
	}
}

func TestDeletingAnInterfaceFreesItsElasticAddress(t *testing.T) {
	s := newStore(t)
	update(t, s, func(tx *state.Tx) error {
		eni, err := CreateInterface(tx, InterfaceSpec{SubnetID: front})
		if err != nil {
			return err
		}
		tx.Put(&resource.Address{AllocationID: "eipalloc-1", AssociationID: "eipassoc-1", NetworkInterfaceID: eni.ID, PrivateIP: eni.PrimaryIP()})
		DeleteInterface(tx, eni.ID)
		DeleteInterface(tx, eni.ID)
		a, ok := state.Get[*resource.Address](tx, "eipalloc-1")
		if !ok || a.AssociationID != "" || a.NetworkInterfaceID != "" || a.PrivateIP.IsValid() {
			t.Errorf("address is %+v", a)
		}
		return nil
	})
}
