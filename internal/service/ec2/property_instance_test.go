package ec2

import (
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (r *random) attachment() *string {
	ids := []string{""}
	for _, n := range state.List[*resource.NetworkInterface](r.store.View()) {
		if n.Attachment != nil {
			ids = append(ids, n.Attachment.ID)
		}
	}
	return r.pick(ids...)
}

// device is an index that is given or free, or none at all.
func (r *random) device() *int64 {
	return map[string]*int64{"0": new(int64(0)), "1": new(int64(1)), "2": new(int64(2)), "": nil}[*r.pick("0", "1", "2", "")]
}

func (r *random) instanceCalls() map[string]func() {
	one, none := new(int64(1)), new(int64(0))
	run := func(specs ...InstanceNetworkInterfaceSpecification) {
		send(r, r.runInstances, RunInstancesInput{ImageId: new(images()[0].id), InstanceType: r.pick("t3.micro", "t3.small"), MinCount: one, MaxCount: one, NetworkInterfaces: specs})
	}
	return map[string]func(){
		"run": func() {
			run(InstanceNetworkInterfaceSpecification{DeviceIndex: none, SubnetId: id[*resource.Subnet](r), DeleteOnTermination: r.flip()})
		},
		"run with two interfaces": func() {
			run(InstanceNetworkInterfaceSpecification{DeviceIndex: r.device(), SubnetId: id[*resource.Subnet](r)},
				InstanceNetworkInterfaceSpecification{DeviceIndex: r.device(), NetworkInterfaceId: id[*resource.NetworkInterface](r), DeleteOnTermination: r.flip()})
		},
		"started": func() { r.told(InstanceStarted) },
		"stop":    func() { send(r, r.stopInstances, StopInstancesInput{InstanceIds: r.some(id[*resource.Instance](r))}) },
		"start":   func() { send(r, r.startInstances, StartInstancesInput{InstanceIds: r.some(id[*resource.Instance](r))}) },
		"ended":   func() { r.told(InstanceEnded) },
		"terminate": func() {
			send(r, r.terminateInstances, TerminateInstancesInput{InstanceIds: r.some(id[*resource.Instance](r))})
		},
		"attach": func() {
			send(r, r.attachNetworkInterface, AttachNetworkInterfaceInput{NetworkInterfaceId: id[*resource.NetworkInterface](r), InstanceId: id[*resource.Instance](r), DeviceIndex: r.device()})
		},
		"detach": func() { send(r, r.detachNetworkInterface, DetachNetworkInterfaceInput{AttachmentId: r.attachment()}) },
		"instance type": func() {
			send(r, r.modifyInstanceAttribute, ModifyInstanceAttributeInput{InstanceId: id[*resource.Instance](r), InstanceType: &AttributeValue{Value: r.pick("t3.micro", "t3.small")}})
		},
	}
}

// told is what the region says of some instance.
func (r *random) told(of func(*state.Tx, resource.InstanceID)) {
	i := resource.InstanceID(*id[*resource.Instance](r))
	r.change(func(tx *state.Tx) { of(tx, i) })
}

// attachment checks who holds an interface: an instance that is there, in its zone and VPC, with room for it.
func (d *dangling) attachment(n *resource.NetworkInterface) {
	a := n.Attachment
	if a == nil || a.InstanceID == "" {
		return
	}
	i, ok := state.Get[*resource.Instance](d.v, a.InstanceID)
	d.check(ok && !i.Gone(), "%s: held by %s, which is gone", n.ID, a.InstanceID)
	if !ok {
		return
	}
	d.check(i.AvailabilityZone == n.AvailabilityZone && i.VPCID == n.VPCID, "%s: held by %s elsewhere", n.ID, i.ID)
	d.check((a.DeviceIndex == 0) == (i.InterfaceID == n.ID), "%s: device %d of %s, whose first is %s", n.ID, a.DeviceIndex, i.ID, i.InterfaceID)
	d.check(mayHold(i.InstanceType, len(InterfacesOf(d.v, i.ID))) == nil, "%s: it has more interfaces than it can", i.ID)
	d.check(count(d.v, func(o *resource.NetworkInterface) bool {
		return o.Attachment != nil && o.Attachment.InstanceID == i.ID && o.Attachment.DeviceIndex == a.DeviceIndex
	}) == 1, "%s: device index %d is taken twice", i.ID, a.DeviceIndex)
}

// terminateAll ends every instance.
func terminateAll(w *world) {
	for _, i := range state.List[*resource.Instance](w.store.View()) {
		do(w, w.terminateInstances, TerminateInstancesInput{InstanceIds: []string{i.Key()}})
		w.change(func(tx *state.Tx) { InstanceEnded(tx, i.ID) })
	}
}
