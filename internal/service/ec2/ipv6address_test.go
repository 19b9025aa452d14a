package ec2

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// dualSubnet makes a VPC and a subnet with a block of each family, and returns the subnet and its IPv6 block.
func (w *world) dualSubnet() (subnet *string, block netip.Prefix) {
	w.t.Helper()
	vpc := w.vpc("10.0.0.0/16")
	text := subnetOf(w.ipv6(vpc), 1)
	subnet = w.subnet(vpc, "10.0.1.0/24", "a")
	w.subnetIPv6(subnet, text)
	return subnet, netip.MustParsePrefix(text)
}

// host is an address of a /64.
func host(block netip.Prefix, n int) string { return fmt.Sprintf("%s%x", block.Addr(), n) }

func (w *world) ipv6Of(eni *string) []string {
	w.t.Helper()
	found := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*eni}}).NetworkInterfaces[0]
	return each(found.Ipv6Addresses, func(a NetworkInterfaceIpv6Address) *string { return a.Ipv6Address })
}

func TestAnInterfaceGetsTheIPv6AddressesItsCreatorWants(t *testing.T) {
	w := newWorld(t)
	subnet, block := w.dualSubnet()
	create := func(in CreateNetworkInterfaceInput) NetworkInterface {
		in.SubnetId = subnet
		return *do(w, w.createNetworkInterface, in).NetworkInterface
	}
	if got := create(CreateNetworkInterfaceInput{}); len(got.Ipv6Addresses) != 0 || got.Ipv6Address != nil {
		t.Errorf("unasked: %+v", got.Ipv6Addresses)
	}
	two := create(CreateNetworkInterfaceInput{Ipv6AddressCount: new(int64(2))})
	addresses := w.ipv6Of(two.NetworkInterfaceId)
	if len(addresses) != 2 || addresses[0] == addresses[1] || *two.Ipv6Address != addresses[0] {
		t.Errorf("asked for two: %v", addresses)
	}
	for _, a := range addresses {
		if !block.Contains(netip.MustParseAddr(a)) {
			t.Errorf("%s is not in %s", a, block)
		}
	}
	named := create(CreateNetworkInterfaceInput{Ipv6Addresses: []InstanceIpv6Address{{Ipv6Address: new(host(block, 0x10))}}})
	found := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{Filters: filter("ipv6-addresses.ipv6-address", host(block, 0x10))}).NetworkInterfaces
	if len(found) != 1 || *found[0].NetworkInterfaceId != *named.NetworkInterfaceId {
		t.Errorf("found by its address: %+v", found)
	}
	want := []NetworkInterfaceIpv6Address{{Ipv6Address: new(host(block, 0x10)), IsPrimaryIpv6: new(false)}}
	if d := diff(found[0].Ipv6Addresses, want); d != "" {
		t.Errorf("addresses differ (-got +want):\n%s", d)
	}
	do(w, w.modifySubnetAttribute, ModifySubnetAttributeInput{SubnetId: subnet, AssignIpv6AddressOnCreation: &AttributeBooleanValue{Value: new(true)}})
	if got := create(CreateNetworkInterfaceInput{}); len(got.Ipv6Addresses) != 1 {
		t.Errorf("the subnet gives one to each: %+v", got.Ipv6Addresses)
	}
	if got := create(CreateNetworkInterfaceInput{Ipv6AddressCount: new(int64(0))}); len(got.Ipv6Addresses) != 0 {
		t.Errorf("none wanted: %+v", got.Ipv6Addresses)
	}
}

func TestBadIPv6AddressesAreRefused(t *testing.T) {
	w := newWorld(t)
	subnet, block := w.dualSubnet()
	eni := w.eni(subnet)
	do(w, w.assignIPv6Addresses, AssignIpv6AddressesInput{NetworkInterfaceId: eni, Ipv6Addresses: []string{host(block, 0x10)}})
	four := w.eni(w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a"))
	in := func(addresses ...string) AssignIpv6AddressesInput {
		return AssignIpv6AddressesInput{NetworkInterfaceId: eni, Ipv6Addresses: addresses}
	}
	last := block.Addr().String() + "ffff:ffff:ffff:ffff" // ends in ::
	last = strings.Replace(last, "::", ":", 1)
	for want, ins := range map[string][]AssignIpv6AddressesInput{
		"MissingParameter":                   {in(), {Ipv6AddressCount: new(int64(1))}},
		"InvalidParameterValue":              {in("10.0.1.9"), in("nonsense"), in("fe80::1%eth0"), in("2001:db8:ffff::10"), in(host(block, 1)), in(host(block, 3)), in(last), {NetworkInterfaceId: four, Ipv6AddressCount: new(int64(1))}},
		"InvalidIPAddress.InUse":             {in(host(block, 0x10)), in(host(block, 0x11), host(block, 0x11))},
		"PrivateIpAddressLimitExceeded":      {{NetworkInterfaceId: eni, Ipv6AddressCount: new(int64(50))}, {NetworkInterfaceId: eni, Ipv6AddressCount: new(int64(-1))}},
		"InvalidParameterCombination":        {{NetworkInterfaceId: eni, Ipv6Addresses: []string{host(block, 0x11)}, Ipv6AddressCount: new(int64(1))}},
		"UnsupportedOperation":               {{NetworkInterfaceId: eni, Ipv6PrefixCount: new(int64(1))}},
		"InvalidNetworkInterfaceID.NotFound": {{NetworkInterfaceId: nowhere("eni"), Ipv6AddressCount: new(int64(1))}},
	} {
		for _, in := range ins {
			refused(w, w.assignIPv6Addresses, in, want)
		}
	}
}

func TestIPv6AddressesComeAndGo(t *testing.T) {
	w := newWorld(t)
	subnet, block := w.dualSubnet()
	eni := w.eni(subnet)
	one := do(w, w.assignIPv6Addresses, AssignIpv6AddressesInput{NetworkInterfaceId: eni, Ipv6Addresses: []string{host(block, 0x10)}})
	more := do(w, w.assignIPv6Addresses, AssignIpv6AddressesInput{NetworkInterfaceId: eni, Ipv6AddressCount: new(int64(2))})
	if d := diff(one.AssignedIpv6Addresses, []string{host(block, 0x10)}); d != "" || *one.NetworkInterfaceId != *eni || len(more.AssignedIpv6Addresses) != 2 {
		t.Errorf("assigned %v and %v", one.AssignedIpv6Addresses, more.AssignedIpv6Addresses)
	}
	gone := UnassignIpv6AddressesInput{NetworkInterfaceId: eni, Ipv6Addresses: []string{host(block, 0x10)}}
	if got := do(w, w.unassignIPv6Addresses, gone); diff(got.UnassignedIpv6Addresses, gone.Ipv6Addresses) != "" {
		t.Errorf("unassigned %v", got.UnassignedIpv6Addresses)
	}
	if d := diff(w.ipv6Of(eni), more.AssignedIpv6Addresses); d != "" {
		t.Errorf("addresses left differ (-got +want):\n%s", d)
	}
	refused(w, w.unassignIPv6Addresses, gone, "InvalidParameterValue")
	refused(w, w.unassignIPv6Addresses, UnassignIpv6AddressesInput{NetworkInterfaceId: eni}, "MissingParameter")
	refused(w, w.unassignIPv6Addresses, UnassignIpv6AddressesInput{NetworkInterfaceId: eni, Ipv6Prefixes: []string{"2001:db8::/80"}}, "UnsupportedOperation")
}

func TestAnInstanceHasTheIPv6AddressesOfItsInterface(t *testing.T) {
	w := newWorld(t)
	subnet, block := w.dualSubnet()
	run := func(change func(*RunInstancesInput)) (*Instance, error) {
		in := RunInstancesInput{ImageId: new(images()[0].id), MinCount: new(int64(1)), MaxCount: new(int64(1)), SubnetId: subnet}
		change(&in)
		out, err := try(w, w.runInstances, in)
		if err != nil {
			return nil, err
		}
		return &see(w, w.describeInstances, DescribeInstancesInput{InstanceIds: []string{*out.Instances[0].InstanceId}}).Reservations[0].Instances[0], nil
	}
	got, err := run(func(in *RunInstancesInput) {
		in.Ipv6Addresses = []InstanceIpv6Address{{Ipv6Address: new(host(block, 0x20))}}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []InstanceIpv6Address{{Ipv6Address: new(host(block, 0x20)), IsPrimaryIpv6: new(false)}}
	if d := diff(got.NetworkInterfaces[0].Ipv6Addresses, want); d != "" || value(got.Ipv6Address) != host(block, 0x20) {
		t.Errorf("addresses differ (-got +want):\n%s; Ipv6Address is %v", d, got.Ipv6Address)
	}
	for _, name := range []string{"ipv6-address", "network-interface.ipv6-address", "network-interface.ipv6-addresses.ipv6-address"} {
		if found := see(w, w.describeInstances, DescribeInstancesInput{Filters: filter(name, host(block, 0x20))}).Reservations; len(found) != 1 {
			t.Errorf("%s finds %d reservations, want 1", name, len(found))
		}
	}
	counted, err := run(func(in *RunInstancesInput) {
		in.SubnetId, in.NetworkInterfaces = nil, []InstanceNetworkInterfaceSpecification{{DeviceIndex: new(int64(0)), SubnetId: subnet, Ipv6AddressCount: new(int64(2))}}
	})
	if err != nil || len(counted.NetworkInterfaces[0].Ipv6Addresses) != 2 {
		t.Errorf("asked for two: %+v, %v", counted, err)
	}
	for want, change := range map[string]func(*RunInstancesInput){
		"InvalidIPAddress.InUse": func(in *RunInstancesInput) {
			in.Ipv6Addresses = []InstanceIpv6Address{{Ipv6Address: new(host(block, 0x20))}}
		},
		"InvalidParameterCombination": func(in *RunInstancesInput) {
			in.Ipv6Addresses, in.MaxCount = []InstanceIpv6Address{{Ipv6Address: new(host(block, 0x21))}}, new(int64(2))
		},
		"PrivateIpAddressLimitExceeded": func(in *RunInstancesInput) { in.Ipv6AddressCount = new(int64(51)) },
	} {
		if _, err := run(change); code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
