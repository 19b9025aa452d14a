package vpcnet

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// InterfaceSpec says what interface to make.
type InterfaceSpec struct {
	SubnetID    resource.SubnetID
	Type        string // resource.InterfaceType...
	Description string
	// GroupIDs are the interface's groups; none: the VPC's default group. A NAT gateway's interface never has any, and a
	// load balancer's need not.
	GroupIDs []resource.SecurityGroupID
	// Addresses are wanted addresses, the first becomes the primary; none: the lowest free one.
	Addresses []netip.Addr
	// Secondary is how many further addresses to choose.
	Secondary        int
	RequesterManaged bool
	RequesterID      string
	// ServiceAttached makes the interface look as AWS's services leave theirs: held by amazon-aws, in use.
	ServiceAttached bool
	Tags            resource.Tags
}

// CreateInterface makes an interface and stores it.
func CreateInterface(tx *state.Tx, spec InterfaceSpec) (*resource.NetworkInterface, error) {
	subnet, err := FindSubnet(tx, string(spec.SubnetID))
	if err != nil {
		return nil, err
	}
	groups, err := interfaceGroups(tx, subnet.VPCID, spec)
	if err != nil {
		return nil, err
	}
	if state.Count(tx, func(*resource.NetworkInterface) bool { return true }) >= tx.Quota(resource.QuotaInterfaces) {
		return nil, api.Errorf("NetworkInterfaceLimitExceeded", "The maximum number of network interfaces has been reached.")
	}
	addresses, err := chooseAddresses(tx, subnet, spec.Addresses, spec.Secondary)
	if err != nil {
		return nil, err
	}
	eni := &resource.NetworkInterface{
		ID:               resource.NetworkInterfaceID(tx.NewID("eni")),
		VPCID:            subnet.VPCID,
		SubnetID:         subnet.ID,
		AvailabilityZone: subnet.AvailabilityZone,
		Description:      spec.Description,
		InterfaceType:    spec.Type,
		PrivateIPs:       addresses,
		MAC:              newMAC(tx),
		GroupIDs:         groups,
		// A NAT gateway passes on what is not addressed to it.
		SourceDestCheck:  spec.Type != resource.InterfaceTypeNATGateway,
		RequesterManaged: spec.RequesterManaged,
		RequesterID:      spec.RequesterID,
		Tags:             spec.Tags,
	}
	if spec.ServiceAttached {
		eni.Attachment = &resource.Attachment{
			ID:              tx.NewID("ela-attach"),
			InstanceOwnerID: "amazon-aws",
			DeviceIndex:     1,
			AttachTime:      tx.Now(),
		}
	}
	tx.Put(eni)
	return eni, nil
}

func interfaceGroups(r state.Reader, vpc resource.VPCID, spec InterfaceSpec) ([]resource.SecurityGroupID, error) {
	if spec.Type == resource.InterfaceTypeNATGateway || spec.Type == resource.InterfaceTypeLoadBalancer && len(spec.GroupIDs) == 0 {
		return nil, nil
	}
	if len(spec.GroupIDs) == 0 {
		g, ok := DefaultGroup(r, vpc)
		if !ok {
			return nil, api.Errorf("VPCResourceNotSpecified", "No default security group for VPC '%s'", vpc)
		}
		return []resource.SecurityGroupID{g.ID}, nil
	}
	var ids []string
	for _, id := range spec.GroupIDs {
		ids = append(ids, string(id))
	}
	groups, err := FindGroups(r, vpc, ids)
	if err != nil {
		return nil, err
	}
	var out []resource.SecurityGroupID
	for _, g := range groups {
		out = append(out, g.ID)
	}
	return out, nil
}

// chooseAddresses checks the wanted addresses and adds free ones: one if none is wanted, and more of them.
func chooseAddresses(tx *state.Tx, s *resource.Subnet, wanted []netip.Addr, more int) ([]netip.Addr, error) {
	used := usedAddresses(tx, s.ID)
	out := []netip.Addr{}
	for _, a := range wanted {
		if err := checkAddress(s, a); err != nil {
			return nil, err
		}
		if used[a] {
			return nil, api.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", a)
		}
		used[a] = true
		out = append(out, a)
	}
	if len(wanted) == 0 {
		more++
	}
	first, last := state.UsableAddresses(s.CIDR)
	reserved := reservedIn(tx, s.ID)
	for a := first; more > 0; a = a.Next() {
		if a.Compare(last) > 0 {
			return nil, api.Errorf("InsufficientFreeAddressesInSubnet",
				"The specified subnet does not have enough free addresses to satisfy the request.")
		}
		if !used[a] && !reserved(a) {
			used[a] = true
			out = append(out, a)
			more--
		}
	}
	return out, nil
}

func usedAddresses(r state.Reader, subnet resource.SubnetID) map[netip.Addr]bool {
	used := map[netip.Addr]bool{}
	for _, eni := range Interfaces(r, subnet) {
		for _, a := range eni.PrivateIPs {
			used[a] = true
		}
	}
	return used
}

func checkAddress(s *resource.Subnet, a netip.Addr) error {
	if !s.CIDR.Contains(a) {
		return api.Errorf("InvalidParameterValue", "Address %s does not fall within the subnet's address range", a)
	}
	first, last := state.UsableAddresses(s.CIDR)
	if a.Compare(first) < 0 || a.Compare(last) > 0 {
		return api.Errorf("InvalidParameterValue", "Address %s is in subnet's reserved address range", a)
	}
	return nil
}

// AddAddresses gives an interface further addresses: the wanted ones and so many free ones.
func AddAddresses(tx *state.Tx, eni *resource.NetworkInterface, wanted []netip.Addr, more int) (*resource.NetworkInterface, error) {
	subnet, err := FindSubnet(tx, string(eni.SubnetID))
	if err != nil {
		return nil, err
	}
	if len(wanted) == 0 && more == 0 {
		return eni, nil
	}
	if len(wanted) == 0 {
		more-- // chooseAddresses adds one where none is wanted
	}
	added, err := chooseAddresses(tx, subnet, wanted, more)
	if err != nil {
		return nil, err
	}
	changed := *eni
	changed.PrivateIPs = append(slices.Clone(eni.PrivateIPs), added...)
	tx.Put(&changed)
	return &changed, nil
}

// FreeAddresses counts the addresses of a subnet that can still be handed out.
func FreeAddresses(r state.Reader, s *resource.Subnet) int {
	return 1<<(32-s.CIDR.Bits()) - 5 - len(usedAddresses(r, s.ID))
}

// Interfaces returns the interfaces in a subnet, ordered by id.
func Interfaces(r state.Reader, subnet resource.SubnetID) []*resource.NetworkInterface {
	return interfacesBySubnet().Find(r, string(subnet))
}

func interfacesBySubnet() state.Index[*resource.NetworkInterface] {
	return state.Index[*resource.NetworkInterface]{Name: "subnet", Of: func(n *resource.NetworkInterface) []string { return []string{string(n.SubnetID)} }}
}

// DeleteInterface removes an interface. Elastic IP addresses it had stay allocated and are free again. Removing
// what is gone succeeds.
func DeleteInterface(tx *state.Tx, id resource.NetworkInterfaceID) {
	eni, ok := state.Get[*resource.NetworkInterface](tx, id)
	if !ok {
		return
	}
	for _, a := range state.Select(tx, func(a *resource.Address) bool { return a.NetworkInterfaceID == id }) {
		Disassociate(tx, a)
	}
	ForgetFlowLogs(tx, eni.Key())
	tx.Delete(eni)
}

// Disassociate takes an Elastic IP address from whatever has it.
func Disassociate(tx *state.Tx, a *resource.Address) {
	if a.AutoAssigned { // nobody owns it
		tx.Delete(a)
		return
	}
	free := *a
	free.AssociationID, free.NetworkInterfaceID, free.PrivateIP = "", "", netip.Addr{}
	tx.Put(&free)
}

// newMAC makes a locally administered unicast address.
func newMAC(tx *state.Tx) string {
	h := tx.RandomHex(10)
	parts := []string{"02"}
	for i := 0; i < len(h); i += 2 {
		parts = append(parts, h[i:i+2])
	}
	return strings.Join(parts, ":")
}
