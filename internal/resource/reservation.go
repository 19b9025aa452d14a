package resource

import "net/netip"

// SubnetReservationID is the id of a reservation: scr-.
type SubnetReservationID string

// KindSubnetReservation is the table of reservations.
const KindSubnetReservation Kind = "subnet-cidr-reservation"

// SubnetReservation keeps a block of a subnet from being handed out without being asked for.
type SubnetReservation struct {
	ID          SubnetReservationID
	SubnetID    SubnetID
	CIDR        netip.Prefix
	Description string
	Tags        Tags
}

func (*SubnetReservation) Kind() Kind    { return KindSubnetReservation }
func (s *SubnetReservation) Key() string { return string(s.ID) }
