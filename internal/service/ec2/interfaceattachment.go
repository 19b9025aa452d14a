package ec2

import (
	"cmp"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) attachmentOperations() []service.Operation {
	return []service.Operation{
		service.Update("AttachNetworkInterface", s.attachNetworkInterface, on(func(in *AttachNetworkInterfaceInput) refs {
			return refs{instanceRef(in.InstanceId), interfaceRef(in.NetworkInterfaceId)}
		})),
		service.Update("DetachNetworkInterface", s.detachNetworkInterface, onFound(func(r state.Reader, in *DetachNetworkInterfaceInput) refs {
			n, ok := attached(r, in.AttachmentId)
			if !ok || n.Attachment.InstanceID == "" {
				return refs{made("instance"), made("network-interface")}
			}
			return refs{instanceRef(new(string(n.Attachment.InstanceID))), interfaceRef(new(n.Key()))}
		})),
	}
}

func (s *ec2) attachNetworkInterface(tx *state.Tx, _ *api.Call, in *AttachNetworkInterfaceInput) (*AttachNetworkInterfaceOutput, error) {
	if value(in.NetworkCardIndex) != 0 || in.EnaSrdSpecification != nil {
		return nil, unsupported("An instance has one network card, without ENA Express, in this region.")
	}
	old, err := userInterface(tx, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	i, err := find[*resource.Instance](tx, nounInstance, "instanceId", in.InstanceId)
	if err != nil {
		return nil, err
	}
	if i.State != resource.InstanceRunning && i.State != resource.InstanceStopped {
		return nil, api.Errorf("IncorrectState", "Instance '%s' is not 'running' or 'stopped'.", i.ID)
	}
	index, err := deviceIndex(in.DeviceIndex)
	if err != nil {
		return nil, err
	}
	held := InterfacesOf(tx, i.ID)
	switch {
	case old.Attachment != nil:
		return nil, inUse(old)
	case slices.ContainsFunc(held, func(n *resource.NetworkInterface) bool { return n.Attachment.DeviceIndex == index }):
		return nil, api.Errorf("InvalidParameterValue", "Instance '%s' already has an interface attached at device index '%d'.", i.ID, index)
	case old.AvailabilityZone != i.AvailabilityZone:
		return nil, api.Errorf("InvalidParameterCombination", "You may not attach a network interface to an instance if they are not in the same availability zone")
	case old.VPCID != i.VPCID:
		return nil, unsupported("The interfaces of an instance are in one VPC in this region.")
	}
	if err := mayHold(i.InstanceType, len(held)+1); err != nil {
		return nil, err
	}
	eni := attach(tx, old, i.ID, index, false)
	return &AttachNetworkInterfaceOutput{AttachmentId: new(eni.Attachment.ID), NetworkCardIndex: new(int64(0))}, nil
}

// attach ties an interface to an instance.
func attach(tx *state.Tx, old *resource.NetworkInterface, i resource.InstanceID, index int, goes bool) *resource.NetworkInterface {
	eni := *old
	eni.Attachment = &resource.Attachment{
		ID: tx.NewID("eni-attach"), InstanceOwnerID: tx.Account(), InstanceID: i, DeviceIndex: index, AttachTime: tx.Now(), DeleteOnTermination: goes,
	}
	tx.Put(&eni)
	return &eni
}

// release makes an interface free again. A public address that came with the instance does not stay.
func release(tx *state.Tx, old *resource.NetworkInterface) {
	for _, a := range state.Select(tx, func(a *resource.Address) bool { return a.AutoAssigned && a.NetworkInterfaceID == old.ID }) {
		vpcnet.Disassociate(tx, a)
	}
	eni := *old
	eni.Attachment = nil
	tx.Put(&eni)
}

func inUse(n *resource.NetworkInterface) error {
	return api.Errorf("InvalidNetworkInterface.InUse", "Interface: [%s] in use.", n.ID)
}

// maxDeviceIndex is far above the number of interfaces of any type.
const maxDeviceIndex = 31

func deviceIndex(given *int64) (int, error) {
	if given == nil {
		return 0, missing("deviceIndex")
	}
	if *given < 0 || *given > maxDeviceIndex {
		return 0, api.Errorf("InvalidParameterValue", "Value (%d) for parameter deviceIndex is invalid. It must be between 0 and %d.", *given, maxDeviceIndex)
	}
	return int(*given), nil
}

// mayHold checks a number of interfaces against what a type of instance can have.
func mayHold(kind string, count int) error {
	t, err := findInstanceType(kind)
	if err != nil {
		return err
	}
	if count > int(t.interfaces) {
		return api.Errorf("AttachmentLimitExceeded", "Interface count %d exceeds the limit for %s", count, t.name)
	}
	return nil
}

// InterfacesOf returns the interfaces of an instance, the primary one first.
func InterfacesOf(r state.Reader, id resource.InstanceID) []*resource.NetworkInterface {
	found := slices.Clone(interfacesByInstance().Find(r, string(id)))
	slices.SortFunc(found, func(a, b *resource.NetworkInterface) int {
		return cmp.Compare(a.Attachment.DeviceIndex, b.Attachment.DeviceIndex)
	})
	return found
}

func interfacesByInstance() state.Index[*resource.NetworkInterface] {
	return state.Index[*resource.NetworkInterface]{Name: "instance", Of: func(n *resource.NetworkInterface) []string {
		if n.Attachment == nil || n.Attachment.InstanceID == "" {
			return nil
		}
		return []string{string(n.Attachment.InstanceID)}
	}}
}

// onlyInterface is the interface that a call means which names an instance.
func onlyInterface(r state.Reader, i *resource.Instance) (*resource.NetworkInterface, error) {
	if len(InterfacesOf(r, i.ID)) > 1 {
		return nil, api.Errorf("InvalidInstanceID", "There are multiple interfaces attached to instance '%s'. Please specify an interface ID for the operation instead.", i.ID)
	}
	eni, ok := state.Get[*resource.NetworkInterface](r, i.InterfaceID)
	if !ok {
		return nil, api.Errorf("InvalidInstanceID", "The instance '%s' is not in a valid state for this operation.", i.ID)
	}
	return eni, nil
}

func attached(r state.Reader, id *string) (*resource.NetworkInterface, bool) {
	found := state.Select(r, func(n *resource.NetworkInterface) bool { return n.Attachment != nil && n.Attachment.ID == value(id) })
	if len(found) == 0 {
		return nil, false
	}
	return found[0], true
}

// detachNetworkInterface takes an interface from an instance, whether that is ready for it or not: Force changes nothing.
func (s *ec2) detachNetworkInterface(tx *state.Tx, _ *api.Call, in *DetachNetworkInterfaceInput) (*DetachNetworkInterfaceOutput, error) {
	if !given(in.AttachmentId) {
		return nil, missing("attachmentId")
	}
	eni, ok := attached(tx, in.AttachmentId)
	switch {
	case !ok:
		return nil, api.Errorf("InvalidAttachmentID.NotFound", "The attachment ID '%s' does not exist", *in.AttachmentId)
	case eni.Attachment.InstanceID == "":
		return nil, notYours()
	case eni.Attachment.DeviceIndex == 0:
		return nil, api.Errorf("OperationNotPermitted", "The network interface at device index 0 cannot be detached.")
	}
	release(tx, eni)
	return &DetachNetworkInterfaceOutput{}, nil
}
