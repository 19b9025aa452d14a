package ec2

import (
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// attach attaches an interface and returns the attachment's id.
func (w *world) attach(eni, instance *string, index int64) *string {
	w.t.Helper()
	return do(w, w.attachNetworkInterface, AttachNetworkInterfaceInput{NetworkInterfaceId: eni, InstanceId: instance, DeviceIndex: &index}).AttachmentId
}

func (w *world) described(instance *string) Instance {
	w.t.Helper()
	return see(w, w.describeInstances, DescribeInstancesInput{InstanceIds: []string{*instance}}).Reservations[0].Instances[0]
}

func TestInterfacesAreAttachedToInstancesAndDetached(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	front, back := w.subnet(vpc, "10.0.1.0/24", "a"), w.subnet(vpc, "10.0.2.0/24", "a")
	i := w.start(RunInstancesInput{SubnetId: front, InstanceType: new("t3.small")})
	second, third := w.eni(back), w.eni(front)
	w.attach(third, i.InstanceId, 2)
	attachment := w.attach(second, i.InstanceId, 1)
	got := w.described(i.InstanceId)
	want := []string{*i.NetworkInterfaces[0].NetworkInterfaceId, *second, *third}
	for n, eni := range got.NetworkInterfaces {
		if *eni.NetworkInterfaceId != want[n] || *eni.Attachment.DeviceIndex != int64(n) || *eni.Status != "in-use" || *eni.Attachment.DeleteOnTermination != (n == 0) {
			t.Errorf("interface %d is %s at device index %d, %s", n, *eni.NetworkInterfaceId, *eni.Attachment.DeviceIndex, *eni.Status)
		}
	}
	if len(got.NetworkInterfaces) != 3 || *got.PrivateIpAddress != *i.PrivateIpAddress || *got.SubnetId != *front {
		t.Errorf("%d interfaces, address %s in %s", len(got.NetworkInterfaces), *got.PrivateIpAddress, *got.SubnetId)
	}
	found := see(w, w.describeInstances, DescribeInstancesInput{Filters: filter("network-interface.subnet-id", *back)}).Reservations
	if len(found) != 1 {
		t.Errorf("%d reservations have an interface in %s", len(found), *back)
	}
	refused(w, w.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: second}, "InvalidParameterValue")
	do(w, w.detachNetworkInterface, DetachNetworkInterfaceInput{AttachmentId: attachment, Force: new(true)})
	refused(w, w.detachNetworkInterface, DetachNetworkInterfaceInput{AttachmentId: attachment}, "InvalidAttachmentID.NotFound")
	if got := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*second}}).NetworkInterfaces[0]; got.Attachment != nil || *got.Status != "available" {
		t.Errorf("the detached interface is %+v", got)
	}
	do(w, w.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: second})
}

func TestAttachmentsThatAWSRefusesAreRefused(t *testing.T) {
	w := newWorld(t)
	vpc, other := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	subnet, far := w.subnet(vpc, "10.0.1.0/24", "a"), w.subnet(vpc, "10.0.2.0/24", "b")
	i := w.start(RunInstancesInput{SubnetId: subnet, InstanceType: new("t3.micro")})
	eni, elsewhere, abroad := w.eni(subnet), w.eni(far), w.eni(w.subnet(other, "10.1.1.0/24", "a"))
	refuse := func(eni, instance *string, index *int64, code string) {
		t.Helper()
		refused(w, w.attachNetworkInterface, AttachNetworkInterfaceInput{NetworkInterfaceId: eni, InstanceId: instance, DeviceIndex: index}, code)
	}
	one := new(int64(1))
	refuse(nowhere("eni"), i.InstanceId, one, "InvalidNetworkInterfaceID.NotFound")
	refuse(eni, nowhere("i"), one, "InvalidInstanceID.NotFound")
	refuse(eni, i.InstanceId, nil, "MissingParameter")
	refuse(eni, i.InstanceId, new(int64(-1)), "InvalidParameterValue")
	refuse(eni, i.InstanceId, new(int64(0)), "InvalidParameterValue") // which the primary interface has
	refuse(elsewhere, i.InstanceId, one, "InvalidParameterCombination")
	refuse(abroad, i.InstanceId, one, "UnsupportedOperation")
	refuse(i.NetworkInterfaces[0].NetworkInterfaceId, i.InstanceId, one, "InvalidNetworkInterface.InUse")
	w.attach(eni, i.InstanceId, 1)
	refuse(w.eni(subnet), i.InstanceId, one, "InvalidParameterValue")
	refuse(w.eni(subnet), i.InstanceId, new(int64(2)), "AttachmentLimitExceeded")
	refused(w, w.detachNetworkInterface, DetachNetworkInterfaceInput{}, "MissingParameter")
	refused(w, w.detachNetworkInterface, DetachNetworkInterfaceInput{AttachmentId: i.NetworkInterfaces[0].Attachment.AttachmentId}, "OperationNotPermitted")

	// With two interfaces, a call that means one must name it.
	refused(w, w.modifyInstanceAttribute, ModifyInstanceAttributeInput{InstanceId: i.InstanceId, SourceDestCheck: &AttributeBooleanValue{Value: new(false)}}, "InvalidInstanceID")
	refused(w, w.associateAddress, AssociateAddressInput{AllocationId: w.address(), InstanceId: i.InstanceId}, "InvalidInstanceID")
	do(w, w.terminateInstances, TerminateInstancesInput{InstanceIds: []string{*i.InstanceId}})
	refuse(w.eni(subnet), i.InstanceId, new(int64(2)), "IncorrectState")
}

func TestAServiceKeepsItsAttachments(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	e := do(w, w.createVPCEndpoint, CreateVpcEndpointInput{VpcId: vpc, VpcEndpointType: new("Interface"), ServiceName: new(s3Service), PrivateDnsEnabled: new(false), SubnetIds: []string{*subnet}}).VpcEndpoint
	eni := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{NetworkInterfaceIds: e.NetworkInterfaceIds}).NetworkInterfaces[0]
	refused(w, w.detachNetworkInterface, DetachNetworkInterfaceInput{AttachmentId: eni.Attachment.AttachmentId}, "OperationNotPermitted")
	i := w.start(RunInstancesInput{SubnetId: subnet})
	refused(w, w.attachNetworkInterface, AttachNetworkInterfaceInput{NetworkInterfaceId: eni.NetworkInterfaceId, InstanceId: i.InstanceId, DeviceIndex: new(int64(1))}, "OperationNotPermitted")
}

func TestAnInstanceIsLaunchedWithSeveralInterfaces(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	w.gateway(vpc)
	front, back := w.subnet(vpc, "10.0.1.0/24", "a"), w.subnet(vpc, "10.0.2.0/24", "a")
	do(w, w.modifySubnetAttribute, ModifySubnetAttributeInput{SubnetId: front, MapPublicIpOnLaunch: &AttributeBooleanValue{Value: new(true)}})
	group, existing := w.group(vpc, "web"), w.eni(back)
	type specs = []InstanceNetworkInterfaceSpecification
	zero, one, two := new(int64(0)), new(int64(1)), new(int64(2))
	i := w.start(RunInstancesInput{InstanceType: new("t3.medium"), NetworkInterfaces: specs{
		{DeviceIndex: two, SubnetId: back, DeleteOnTermination: new(true)},
		{DeviceIndex: one, NetworkInterfaceId: existing},
		{DeviceIndex: zero, SubnetId: front, Groups: []string{*group}},
	}})
	got := w.described(i.InstanceId)
	if len(got.NetworkInterfaces) != 3 || *got.SubnetId != *front || *got.NetworkInterfaces[1].NetworkInterfaceId != *existing || *got.SecurityGroups[0].GroupId != *group {
		t.Fatalf("launched %+v", got)
	}
	if got.PublicIpAddress != nil {
		t.Error("an instance with several interfaces was given a public address")
	}
	do(w, w.terminateInstances, TerminateInstancesInput{InstanceIds: []string{*i.InstanceId}})
	w.change(func(tx *state.Tx) { InstanceEnded(tx, resource.InstanceID(*i.InstanceId)) })
	left := state.List[*resource.NetworkInterface](w.store.View())
	if len(left) != 1 || left[0].Key() != *existing || left[0].Attachment != nil {
		t.Errorf("after termination there are %+v, want %s alone, and free", left, *existing)
	}
	far := w.subnet(vpc, "10.0.3.0/24", "b")
	abroad := w.subnet(w.vpc("10.1.0.0/16"), "10.1.1.0/24", "a")
	for want, bad := range map[string][]specs{
		"InvalidParameterValue": {{{SubnetId: front}, {SubnetId: back}}, {{DeviceIndex: zero, SubnetId: front}, {DeviceIndex: zero, SubnetId: back}}},
		"InvalidParameterCombination": {
			{{DeviceIndex: one, SubnetId: front}, {DeviceIndex: two, SubnetId: back}}, {{DeviceIndex: zero, SubnetId: front}, {DeviceIndex: one, SubnetId: far}},
			{{DeviceIndex: zero, SubnetId: front, AssociatePublicIpAddress: new(true)}, {DeviceIndex: one, SubnetId: back}},
		},
		"UnsupportedOperation":          {{{DeviceIndex: zero, SubnetId: front}, {DeviceIndex: one, SubnetId: abroad}}, {{DeviceIndex: zero, SubnetId: front, NetworkCardIndex: one}}},
		"InvalidNetworkInterface.InUse": {{{DeviceIndex: zero, NetworkInterfaceId: existing}, {DeviceIndex: one, NetworkInterfaceId: existing}}},
		"AttachmentLimitExceeded":       {{{DeviceIndex: zero, SubnetId: front}, {DeviceIndex: one, SubnetId: front}, {DeviceIndex: two, SubnetId: front}}},
	} {
		for _, s := range bad {
			refused(w, w.runInstances, RunInstancesInput{ImageId: new(images()[0].id), InstanceType: new("t3.micro"), MinCount: one, MaxCount: one, NetworkInterfaces: s}, want)
		}
	}
}

func TestAStoppedInstanceKeepsItsInterfacesAndCannotBecomeTooSmallForThem(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	w.gateway(vpc)
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	do(w, w.modifySubnetAttribute, ModifySubnetAttributeInput{SubnetId: subnet, MapPublicIpOnLaunch: &AttributeBooleanValue{Value: new(true)}})
	i := w.start(RunInstancesInput{SubnetId: subnet, InstanceType: new("t3.medium")})
	one := []string{*i.InstanceId}
	do(w, w.stopInstances, StopInstancesInput{InstanceIds: one})
	w.change(func(tx *state.Tx) { InstanceEnded(tx, resource.InstanceID(one[0])) })
	w.attach(w.eni(subnet), i.InstanceId, 1)
	w.attach(w.eni(subnet), i.InstanceId, 2)
	refused(w, w.modifyInstanceAttribute, ModifyInstanceAttributeInput{InstanceId: i.InstanceId, InstanceType: &AttributeValue{Value: new("t3.micro")}}, "AttachmentLimitExceeded")
	do(w, w.startInstances, StartInstancesInput{InstanceIds: one})
	if got := w.described(i.InstanceId); len(got.NetworkInterfaces) != 3 || got.PublicIpAddress != nil {
		t.Errorf("started again with %d interfaces and the public address %v", len(got.NetworkInterfaces), got.PublicIpAddress)
	}
}
