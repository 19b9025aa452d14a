package ec2

import (
	"net/netip"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// explicitReservation is the type of reservation that is for addresses which are asked for one by one. The other,
// prefix, is for delegated prefixes, which no interface here can have.
const explicitReservation = "explicit"

func (s *ec2) reservationOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateSubnetCidrReservation", s.createSubnetReservation, on(func(in *CreateSubnetCidrReservationInput) refs { return refs{subnetRef(in.SubnetId)} })),
		service.Update("DeleteSubnetCidrReservation", s.deleteSubnetReservation, service.OnAny()),
		service.View("GetSubnetCidrReservations", s.getSubnetReservations, service.OnAny()),
	}
}

func (s *ec2) createSubnetReservation(tx *state.Tx, _ *api.Call, in *CreateSubnetCidrReservationInput) (*CreateSubnetCidrReservationOutput, error) {
	subnet, err := find[*resource.Subnet](tx, vpcnet.Subnet, "subnetId", in.SubnetId)
	if err != nil {
		return nil, err
	}
	switch value(in.ReservationType) {
	case "":
		return nil, missing("reservationType")
	case explicitReservation:
	case "prefix":
		return nil, unsupported("Delegated prefixes of interfaces are not supported in this region, so there is nothing to reserve them for.")
	default:
		return nil, invalidValue("reservationType", *in.ReservationType)
	}
	block, err := parseReservedBlock(in.Cidr)
	if err != nil {
		return nil, err
	}
	if err := checkReservedBlock(tx, subnet, block); err != nil {
		return nil, err
	}
	if len(value(in.Description)) > 255 {
		return nil, api.Errorf("InvalidParameterValue", "Invalid value for parameter description: it is longer than 255 characters.")
	}
	tags, err := newTags(in.TagSpecifications, resource.KindSubnetReservation)
	if err != nil {
		return nil, err
	}
	made := &resource.SubnetReservation{
		ID: resource.SubnetReservationID(tx.NewID("scr")), SubnetID: subnet.ID, CIDR: block, Description: value(in.Description), Tags: tags,
	}
	tx.Put(made)
	return &CreateSubnetCidrReservationOutput{SubnetCidrReservation: new(reservationOutput(tx, made))}, nil
}

// parseReservedBlock reads a block of either family.
func parseReservedBlock(text *string) (netip.Prefix, error) {
	if strings.Contains(value(text), ":") {
		return parseIPv6CIDR("cidr", *text)
	}
	return parseCIDR("cidr", text)
}

func checkReservedBlock(r state.Reader, subnet *resource.Subnet, block netip.Prefix) error {
	whole := subnet.CIDR
	if block.Addr().Is6() {
		whole = subnet.IPv6CIDR
	}
	if !whole.IsValid() || !within(block, whole) {
		return api.Errorf("InvalidParameterValue", "The CIDR %s is not within a CIDR of the subnet %s.", block, subnet.ID)
	}
	for _, other := range vpcnet.Reservations(r, subnet.ID) {
		if other.CIDR.Overlaps(block) {
			return api.Errorf("InvalidSubnetCidrReservation.Conflict", "The CIDR %s conflicts with the reservation %s.", block, other.ID)
		}
	}
	return nil
}

func (s *ec2) deleteSubnetReservation(tx *state.Tx, _ *api.Call, in *DeleteSubnetCidrReservationInput) (*DeleteSubnetCidrReservationOutput, error) {
	found, err := find[*resource.SubnetReservation](tx, nounReservation(), "subnetCidrReservationId", in.SubnetCidrReservationId)
	if err != nil {
		return nil, err
	}
	tx.Delete(found)
	return &DeleteSubnetCidrReservationOutput{DeletedSubnetCidrReservation: new(reservationOutput(tx, found))}, nil
}

func nounReservation() vpcnet.Noun {
	return vpcnet.Noun{
		Prefix: "scr", Malformed: "InvalidSubnetCidrReservationID.Malformed", NotFound: "InvalidSubnetCidrReservationID.NotFound",
		Text: "The subnet CIDR reservation ID '%s' does not exist",
	}
}

func (s *ec2) getSubnetReservations(v *state.View, _ *api.Call, in *GetSubnetCidrReservationsInput) (*GetSubnetCidrReservationsOutput, error) {
	subnet, err := find[*resource.Subnet](v, vpcnet.Subnet, "subnetId", in.SubnetId)
	if err != nil {
		return nil, err
	}
	var all []SubnetCidrReservation
	for _, r := range vpcnet.Reservations(v, subnet.ID) {
		all = append(all, reservationOutput(v, r))
	}
	l := listing[SubnetCidrReservation]{
		key:  func(r SubnetCidrReservation) string { return *r.SubnetCidrReservationId },
		tags: func(r SubnetCidrReservation) []Tag { return r.Tags },
		fields: fields[SubnetCidrReservation]{
			"reservationType": func(r SubnetCidrReservation) []string { return text(r.ReservationType) },
			"subnet-id":       func(r SubnetCidrReservation) []string { return text(r.SubnetId) },
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &GetSubnetCidrReservationsOutput{SubnetIpv4CidrReservations: []SubnetCidrReservation{}, SubnetIpv6CidrReservations: []SubnetCidrReservation{}, NextToken: next}
	for _, r := range page {
		if strings.Contains(*r.Cidr, ":") {
			out.SubnetIpv6CidrReservations = append(out.SubnetIpv6CidrReservations, r)
		} else {
			out.SubnetIpv4CidrReservations = append(out.SubnetIpv4CidrReservations, r)
		}
	}
	return out, nil
}

func reservationOutput(r state.Reader, s *resource.SubnetReservation) SubnetCidrReservation {
	return SubnetCidrReservation{
		Cidr: new(s.CIDR.String()), Description: new(s.Description), OwnerId: new(r.Account()), ReservationType: new(explicitReservation),
		SubnetCidrReservationId: new(string(s.ID)), SubnetId: new(string(s.SubnetID)), Tags: tagSet(s.Tags),
	}
}
