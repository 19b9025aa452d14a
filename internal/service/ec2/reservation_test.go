package ec2

import "testing"

func TestAReservedAddressIsHandedOutOnlyIfAskedFor(t *testing.T) {
	w := newWorld(t)
	subnet := w.subnet(w.vpc("10.0.0.0/16"), "10.0.0.0/27", "a")
	reserve := func(cidr, kind string) CreateSubnetCidrReservationInput {
		return CreateSubnetCidrReservationInput{SubnetId: subnet, Cidr: &cidr, ReservationType: &kind}
	}
	made := do(w, w.createSubnetReservation, reserve("10.0.0.0/28", "explicit")).SubnetCidrReservation
	next := func() string {
		t.Helper()
		return *do(w, w.createNetworkInterface, CreateNetworkInterfaceInput{SubnetId: subnet}).NetworkInterface.PrivateIpAddress
	}
	if got := next(); got != "10.0.0.16" {
		t.Errorf("got %s, want the first that is not reserved", got)
	}
	if got := *do(w, w.createNetworkInterface, CreateNetworkInterfaceInput{SubnetId: subnet, PrivateIpAddress: new("10.0.0.9")}).NetworkInterface.PrivateIpAddress; got != "10.0.0.9" {
		t.Errorf("got %s, want what was asked for", got)
	}
	for want, ins := range map[string][]CreateSubnetCidrReservationInput{
		"UnsupportedOperation":                  {reserve("10.0.0.16/28", "prefix")},
		"InvalidParameterValue":                 {reserve("10.0.1.0/28", "explicit"), reserve("10.0.0.0/26", "explicit"), reserve("10.0.0.16/28", "other"), reserve("x", "explicit")},
		"InvalidSubnetCidrReservation.Conflict": {reserve("10.0.0.8/29", "explicit")},
		"MissingParameter":                      {{SubnetId: subnet, Cidr: new("10.0.0.16/28")}, {}},
		"InvalidSubnetID.NotFound":              {{SubnetId: nowhere("subnet"), Cidr: new("10.0.0.16/28"), ReservationType: new("explicit")}},
	} {
		for _, in := range ins {
			refused(w, w.createSubnetReservation, in, want)
		}
	}
	got := see(w, w.getSubnetReservations, GetSubnetCidrReservationsInput{SubnetId: subnet}).SubnetIpv4CidrReservations
	if len(got) != 1 || *got[0].Cidr != "10.0.0.0/28" || *got[0].SubnetCidrReservationId != *made.SubnetCidrReservationId {
		t.Errorf("got %+v", got)
	}
	do(w, w.deleteSubnetReservation, DeleteSubnetCidrReservationInput{SubnetCidrReservationId: made.SubnetCidrReservationId})
	refused(w, w.deleteSubnetReservation, DeleteSubnetCidrReservationInput{SubnetCidrReservationId: made.SubnetCidrReservationId}, "InvalidSubnetCidrReservationID.NotFound")
	if got := next(); got != "10.0.0.4" {
		t.Errorf("got %s, want the lowest", got)
	}
}
