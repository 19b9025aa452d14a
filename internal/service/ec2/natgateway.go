package ec2

import (
	"net/netip"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// States of what does not change at once in AWS. Here it does.
const (
	stateAvailable = "available"
	stateFailed    = "failed"
	stateDeleted   = "deleted"
)

// keepDeleted is how long a NAT gateway that is deleted or failed can still be seen.
const keepDeleted = time.Hour

func (s *ec2) createNATGateway(tx *state.Tx, _ *api.Call, in *CreateNatGatewayInput) (*CreateNatGatewayOutput, error) {
	forgetOldNATGateways(tx)
	if err := refuseNATOptions(in); err != nil {
		return nil, err
	}
	subnet, err := find[*resource.Subnet](tx, vpcnet.Subnet, "subnetId", in.SubnetId)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, resource.KindNATGateway)
	if err != nil {
		return nil, err
	}
	input := *in
	input.ClientToken = nil
	token, err := newClientToken("CreateNatGateway", in.ClientToken, input)
	if err != nil {
		return nil, err
	}
	id, err := token.seen(tx)
	if err != nil {
		return nil, err
	}
	n, ok := state.Get[*resource.NATGateway](tx, id)
	if !ok {
		if err := limitNATGateways(tx, subnet.AvailabilityZone); err != nil {
			return nil, err
		}
		if n, err = makeNATGateway(tx, in, subnet, tags); err != nil {
			return nil, err
		}
		token.made(tx, string(n.ID))
	}
	return &CreateNatGatewayOutput{ClientToken: token.echo(), NatGateway: new(natGatewayOutput(tx, n))}, nil
}

func refuseNATOptions(in *CreateNatGatewayInput) error {
	if given(in.AvailabilityMode) && *in.AvailabilityMode != "zonal" {
		return unsupported("Regional NAT gateways are not supported in this region.")
	}
	if len(in.SecondaryAllocationIds) > 0 || len(in.SecondaryPrivateIpAddresses) > 0 || value(in.SecondaryPrivateIpAddressCount) > 0 {
		return unsupported("Secondary addresses of NAT gateways are not supported in this region.")
	}
	switch value(in.ConnectivityType) {
	case "", "public":
		if !given(in.AllocationId) {
			return missing("AllocationId")
		}
	case "private":
		if given(in.AllocationId) {
			return api.Errorf("InvalidParameterCombination", "AllocationId cannot be specified for a private NAT gateway")
		}
	default:
		return invalidValue("connectivityType", *in.ConnectivityType)
	}
	return nil
}

// makeNATGateway stores a NAT gateway. What AWS finds out only while it makes one does not fail the call but the
// gateway, which then says why.
func makeNATGateway(tx *state.Tx, in *CreateNatGatewayInput, subnet *resource.Subnet, tags resource.Tags) (*resource.NATGateway, error) {
	n := &resource.NATGateway{
		ID:         resource.NATGatewayID(tx.NewID("nat")),
		VPCID:      subnet.VPCID,
		SubnetID:   subnet.ID,
		Public:     value(in.ConnectivityType) != "private",
		State:      stateAvailable,
		CreateTime: tx.Now(),
		Tags:       tags,
	}
	var address *resource.Address
	if n.Public {
		a, err := find[*resource.Address](tx, nounAddress, "allocationId", in.AllocationId)
		if err != nil {
			return nil, err
		}
		address = a
	}
	addresses, err := natPrivateAddress(in)
	if err != nil {
		return nil, err
	}
	fail(n, whyNATGatewayFails(tx, n, address))
	if n.State == stateAvailable {
		if err := connectNATGateway(tx, n, address, addresses); err != nil {
			return nil, err
		}
	}
	tx.Put(n)
	return n, nil
}

func natPrivateAddress(in *CreateNatGatewayInput) ([]netip.Addr, error) {
	if !given(in.PrivateIpAddress) {
		return nil, nil
	}
	a, err := parseAddress("privateIpAddress", *in.PrivateIpAddress)
	return []netip.Addr{a}, err
}

// connectNATGateway makes the gateway's interface and gives it its public address.
func connectNATGateway(tx *state.Tx, n *resource.NATGateway, address *resource.Address, private []netip.Addr) error {
	eni, err := vpcnet.CreateInterface(tx, vpcnet.InterfaceSpec{
		SubnetID:         n.SubnetID,
		Type:             resource.InterfaceTypeNATGateway,
		Description:      "Interface for NAT Gateway " + string(n.ID),
		Addresses:        private,
		RequesterManaged: true,
		RequesterID:      tx.Account(),
		ServiceAttached:  true,
	})
	switch e := api.AsError(err); {
	case e != nil && e.Code == "InsufficientFreeAddressesInSubnet":
		fail(n, failure{e.Code, "Subnet has insufficient free addresses to create this NAT gateway"})
		return nil
	case err != nil:
		return err
	}
	n.NetworkInterfaceID = eni.ID
	if n.Public {
		n.AllocationID = address.AllocationID
		associateWith(tx, address, eni, eni.PrimaryIP())
	}
	return nil
}

// failure is a code and a text; the zero value is none.
type failure struct{ code, message string }

func whyNATGatewayFails(r state.Reader, n *resource.NATGateway, a *resource.Address) failure {
	if !n.Public {
		return failure{}
	}
	if _, ok := gatewayOf(r, n.VPCID); !ok {
		return failure{"Gateway.NotAttached", "Network " + string(n.VPCID) + " has no Internet gateway attached"}
	}
	if a.AssociationID != "" {
		return failure{"Resource.AlreadyAssociated", "Elastic IP address " + string(a.AllocationID) + " is already associated"}
	}
	return failure{}
}

func fail(n *resource.NATGateway, f failure) {
	if f.code != "" {
		n.State, n.FailureCode, n.FailureMessage = stateFailed, f.code, f.message
	}
}

func (s *ec2) deleteNATGateway(tx *state.Tx, _ *api.Call, in *DeleteNatGatewayInput) (*DeleteNatGatewayOutput, error) {
	forgetOldNATGateways(tx)
	old, err := find[*resource.NATGateway](tx, nounNATGateway, "natGatewayId", in.NatGatewayId)
	if err != nil {
		return nil, err
	}
	if old.State != stateDeleted {
		vpcnet.DeleteInterface(tx, old.NetworkInterfaceID) // and with it its association with the public address
		n := *old
		n.State, n.DeleteTime = stateDeleted, tx.Now()
		n.NetworkInterfaceID, n.AllocationID = "", ""
		tx.Put(&n)
		forgetTokens(tx, string(n.ID))
	}
	return &DeleteNatGatewayOutput{NatGatewayId: new(string(old.ID))}, nil
}

// forgetOldNATGateways drops those that were deleted or failed more than an hour ago.
func forgetOldNATGateways(tx *state.Tx) {
	limit := tx.Now().Add(-keepDeleted)
	for _, n := range state.List[*resource.NATGateway](tx) {
		if n.State == stateDeleted && n.DeleteTime.Before(limit) || n.State == stateFailed && n.CreateTime.Before(limit) {
			deleteNATGatewayRecord(tx, n)
		}
	}
}

// deleteNATGatewayRecord drops what can still be seen of a gateway without an interface.
func deleteNATGatewayRecord(tx *state.Tx, n *resource.NATGateway) {
	forgetTokens(tx, string(n.ID))
	tx.Delete(n)
}

func (s *ec2) describeNATGateways(v *state.View, _ *api.Call, in *DescribeNatGatewaysInput) (*DescribeNatGatewaysOutput, error) {
	found, err := named[*resource.NATGateway](v, nounNATGateway, in.NatGatewayIds)
	if err != nil {
		return nil, err
	}
	var all []NatGateway
	for _, n := range found {
		all = append(all, natGatewayOutput(v, n))
	}
	l := listing[NatGateway]{
		key:  func(n NatGateway) string { return *n.NatGatewayId },
		tags: func(n NatGateway) []Tag { return n.Tags },
		fields: fields[NatGateway]{
			"connectivity-type": func(n NatGateway) []string { return text(n.ConnectivityType) },
			"nat-gateway-id":    func(n NatGateway) []string { return text(n.NatGatewayId) },
			"state":             func(n NatGateway) []string { return text(n.State) },
			"subnet-id":         func(n NatGateway) []string { return text(n.SubnetId) },
			"vpc-id":            func(n NatGateway) []string { return text(n.VpcId) },
		},
	}
	page, next, err := l.answer(all, in.Filter, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeNatGatewaysOutput{NatGateways: page, NextToken: next}, nil
}

func natGatewayOutput(r state.Reader, n *resource.NATGateway) NatGateway {
	out := NatGateway{
		AvailabilityMode:    new("zonal"),
		NatGatewayAddresses: []NatGatewayAddress{},
		ConnectivityType:    new("private"),
		CreateTime:          timestamp(n.CreateTime),
		DeleteTime:          timestamp(n.DeleteTime),
		NatGatewayId:        new(string(n.ID)),
		State:               new(n.State),
		SubnetId:            new(string(n.SubnetID)),
		Tags:                tagSet(n.Tags),
		VpcId:               new(string(n.VPCID)),
	}
	if n.Public {
		out.ConnectivityType = new("public")
	}
	if n.FailureCode != "" {
		out.FailureCode, out.FailureMessage = new(n.FailureCode), new(n.FailureMessage)
	}
	eni, ok := state.Get[*resource.NetworkInterface](r, n.NetworkInterfaceID)
	if !ok {
		return out
	}
	address := NatGatewayAddress{
		IsPrimary:          new(true),
		NetworkInterfaceId: new(string(eni.ID)),
		PrivateIp:          new(eni.PrimaryIP().String()),
		Status:             new("succeeded"),
	}
	if a, ok := state.Get[*resource.Address](r, n.AllocationID); ok {
		address.AllocationId = new(string(a.AllocationID))
		address.AssociationId = new(a.AssociationID)
		address.PublicIp = new(a.PublicIP.String())
	}
	out.NatGatewayAddresses = []NatGatewayAddress{address}
	return out
}
