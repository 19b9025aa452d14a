package vpcnet

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Reservations returns the reservations of a subnet, ordered by id.
func Reservations(r state.Reader, subnet resource.SubnetID) []*resource.SubnetReservation {
	return state.Select(r, func(s *resource.SubnetReservation) bool { return s.SubnetID == subnet })
}

// reservedIn says which addresses of a subnet are handed out only to who asks for them.
func reservedIn(r state.Reader, subnet resource.SubnetID) func(netip.Addr) bool {
	all := Reservations(r, subnet)
	return func(a netip.Addr) bool {
		return slices.ContainsFunc(all, func(s *resource.SubnetReservation) bool { return s.CIDR.Contains(a) })
	}
}
