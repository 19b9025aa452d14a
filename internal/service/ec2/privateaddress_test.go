package ec2

import (
	"fmt"
	"testing"
)

func TestAddressesAreAssignedAndTakenAway(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	w.gateway(vpc)
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	one, two := w.eni(subnet), w.eni(subnet) // 10.0.1.4 and .5
	addresses := func(eni *string) string {
		n := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*eni}}).NetworkInterfaces[0]
		return fmt.Sprint(each(n.PrivateIpAddresses, func(a NetworkInterfacePrivateIpAddress) *string { return a.PrivateIpAddress }))
	}
	out := do(w, w.assignPrivateIPAddresses, AssignPrivateIpAddressesInput{NetworkInterfaceId: one, SecondaryPrivateIpAddressCount: new(int64(2))})
	if len(out.AssignedPrivateIpAddresses) != 2 || addresses(one) != "[10.0.1.4 10.0.1.6 10.0.1.7]" {
		t.Errorf("assigned %+v; it has %s", out.AssignedPrivateIpAddresses, addresses(one))
	}
	elastic := w.address()
	do(w, w.associateAddress, AssociateAddressInput{AllocationId: elastic, NetworkInterfaceId: one, PrivateIpAddress: new("10.0.1.7")})
	take := AssignPrivateIpAddressesInput{NetworkInterfaceId: two, PrivateIpAddresses: []string{"10.0.1.7"}}
	refused(w, w.assignPrivateIPAddresses, take, "InvalidIPAddress.InUse")
	take.AllowReassignment = new(true)
	do(w, w.assignPrivateIPAddresses, take)
	if addresses(one) != "[10.0.1.4 10.0.1.6]" || addresses(two) != "[10.0.1.5 10.0.1.7]" {
		t.Errorf("they have %s and %s", addresses(one), addresses(two))
	}
	do(w, w.releaseAddress, ReleaseAddressInput{AllocationId: elastic}) // it did not follow
	primary := take
	primary.PrivateIpAddresses = []string{"10.0.1.4"}
	refused(w, w.assignPrivateIPAddresses, primary, "InvalidIPAddress.InUse")

	do(w, w.unassignPrivateIPAddresses, UnassignPrivateIpAddressesInput{NetworkInterfaceId: one, PrivateIpAddresses: []string{"10.0.1.6"}})
	if addresses(one) != "[10.0.1.4]" {
		t.Errorf("it has %s", addresses(one))
	}
	for want, ins := range map[string][]UnassignPrivateIpAddressesInput{
		"InvalidParameterValue":              {{NetworkInterfaceId: one, PrivateIpAddresses: []string{"10.0.1.4"}}, {NetworkInterfaceId: one, PrivateIpAddresses: []string{"10.0.1.6"}}, {NetworkInterfaceId: one, PrivateIpAddresses: []string{"x"}}},
		"MissingParameter":                   {{NetworkInterfaceId: one}, {PrivateIpAddresses: []string{"10.0.1.6"}}},
		"InvalidNetworkInterfaceID.NotFound": {{NetworkInterfaceId: nowhere("eni"), PrivateIpAddresses: []string{"10.0.1.6"}}},
	} {
		for _, in := range ins {
			refused(w, w.unassignPrivateIPAddresses, in, want)
		}
	}
	for want, ins := range map[string][]AssignPrivateIpAddressesInput{
		"InvalidParameterCombination":   {{NetworkInterfaceId: one}, {NetworkInterfaceId: one, PrivateIpAddresses: []string{"10.0.1.9"}, SecondaryPrivateIpAddressCount: new(int64(1))}},
		"PrivateIpAddressLimitExceeded": {{NetworkInterfaceId: one, SecondaryPrivateIpAddressCount: new(int64(50))}, {NetworkInterfaceId: one, SecondaryPrivateIpAddressCount: new(int64(9223372036854775807))}},
		"UnsupportedOperation":          {{NetworkInterfaceId: one, Ipv4PrefixCount: new(int64(1))}},
	} {
		for _, in := range ins {
			refused(w, w.assignPrivateIPAddresses, in, want)
		}
	}
}
