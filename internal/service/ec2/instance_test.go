package ec2

import (
	"encoding/base64"
	"testing"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// instances launches some in a subnet, with all they can have, and returns their ids, and those of their interfaces and keys.
func (w *world) instances(subnet string) []string {
	w.t.Helper()
	w.change(func(tx *state.Tx) {
		tx.Put(&resource.Role{Name: "role", ARN: "arn:aws:iam::123456789012:role/role"})
		tx.Put(&resource.InstanceProfile{Name: "profile", ID: "AIPA1", ARN: "arn:aws:iam::123456789012:instance-profile/profile", Role: "role"})
	})
	var ids []string
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		ids = append(ids, *do(w, w.createKeyPair, CreateKeyPairInput{KeyName: &name, KeyType: new(keyEd25519)}).KeyPairId)
	}
	var launched []string
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		i := w.start(RunInstancesInput{
			InstanceType: new("t3.micro"), KeyName: new(key), ClientToken: new(key), SubnetId: &subnet,
			IamInstanceProfile: &IamInstanceProfileSpecification{Name: new("profile")},
			TagSpecifications:  []TagSpecification{{ResourceType: new("volume"), Tags: []Tag{{Key: new("Name"), Value: new("disk")}}}},
		})
		launched = append(launched, *i.InstanceId)
		ids = append(ids, *i.InstanceId, *i.NetworkInterfaces[0].NetworkInterfaceId)
	}
	eip := do(w, w.allocateAddress, AllocateAddressInput{}).AllocationId
	do(w, w.associateAddress, AssociateAddressInput{AllocationId: eip, InstanceId: &launched[0]})
	do(w, w.stopInstances, StopInstancesInput{InstanceIds: launched[6:]})
	return ids
}

// change changes the state as the region does.
func (w *world) change(f func(*state.Tx)) {
	w.t.Helper()
	if _, err := w.store.Update(func(tx *state.Tx) error { f(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// neverOfInstances are the documented filters of instances that nothing here has a value for.
func neverOfInstances() map[string]string {
	out := map[string]string{}
	for _, f := range []string{
		"affinity", "boot-mode", "capacity-reservation-id", "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id",
		"capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn", "client-token", "current-instance-boot-mode",
		"host-id", "instance-lifecycle", "kernel-id", "outpost-arn", "placement-group-name", "placement-partition-number", "platform",
		"product-code", "product-code.type", "ramdisk-id", "requester-id", "spot-instance-request-id", "tpm-support", "usage-operation-update-time",
		"network-interface.addresses.association.carrier-ip", "network-interface.addresses.association.customer-owned-ip", "network-interface.association.carrier-ip",
		"network-interface.association.customer-owned-ip", "network-interface.deny-all-igw-traffic", "network-interface.description",
		"network-interface.ipv4-prefixes.ipv4-prefix",
		"network-interface.ipv6-prefixes.ipv6-prefix", "network-interface.outpost-arn", "network-interface.requester-id",
	} {
		out["DescribeInstances "+f] = "an instance here never has one"
	}
	out["DescribeInstances tag:&lt;key&gt;"] = "no filter, but how the documentation writes tag"
	for _, f := range []string{"event.code", "event.description", "event.instance-event-id", "event.not-after", "event.not-before", "event.not-before-deadline"} {
		out["DescribeInstanceStatus "+f] = "nobody maintains this machine by appointment"
	}
	for _, f := range []string{"kernel-id", "platform", "product-code", "product-code.type", "ramdisk-id", "source-instance-id", "state-reason-code", "state-reason-message", "tag:Name", "tag-key"} {
		out["DescribeImages "+f] = "AWS's images have none"
	}
	for f := range (fields[InstanceTypeInfo]{}).without(typeFiltersWithoutValues()...) {
		out["DescribeInstanceTypes "+f] = "hardware that there is none of"
	}
	return out
}

// start launches one instance and says that it runs.
func (w *world) start(in RunInstancesInput) *Instance {
	w.t.Helper()
	in.ImageId, in.MinCount, in.MaxCount = new(images()[0].id), new(int64(1)), new(int64(1))
	i := do(w, w.runInstances, in).Instances[0]
	w.change(func(tx *state.Tx) { InstanceStarted(tx, resource.InstanceID(*i.InstanceId)) })
	return &i
}

func (w *world) stateOf(id *string) string {
	w.t.Helper()
	return *see(w, w.describeInstances, DescribeInstancesInput{InstanceIds: []string{*id}}).Reservations[0].Instances[0].State.Name
}

func TestAnInstanceLivesAsOnAWS(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	i := w.start(RunInstancesInput{SubnetId: subnet, UserData: new(base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\n")))})
	id, eni := i.InstanceId, i.NetworkInterfaces[0].NetworkInterfaceId
	one := []string{*id}
	steps := []struct {
		act  func() error
		told func(*state.Tx)
		want string
	}{
		{func() error { _, err := try(w, w.rebootInstances, RebootInstancesInput{InstanceIds: one}); return err }, nil, "running"},
		{func() error { _, err := try(w, w.startInstances, StartInstancesInput{InstanceIds: one}); return err }, nil, "running"},
		{func() error { _, err := try(w, w.stopInstances, StopInstancesInput{InstanceIds: one}); return err }, nil, "stopping"},
		{func() error { return nil }, func(tx *state.Tx) { InstanceEnded(tx, resource.InstanceID(*id)) }, "stopped"},
		{func() error { _, err := try(w, w.startInstances, StartInstancesInput{InstanceIds: one}); return err }, nil, "pending"},
		{func() error { return nil }, func(tx *state.Tx) { InstanceStarted(tx, resource.InstanceID(*id)) }, "running"},
		{func() error { return nil }, func(tx *state.Tx) { InstanceEnded(tx, resource.InstanceID(*id)) }, "stopped"}, // it switched itself off
		{func() error {
			_, err := try(w, w.terminateInstances, TerminateInstancesInput{InstanceIds: one})
			return err
		}, nil, "terminated"},
	}
	for n, s := range steps {
		if err := s.act(); err != nil {
			t.Fatalf("step %d: %v", n, err)
		}
		if s.told != nil {
			w.change(s.told)
		}
		if got := w.stateOf(id); got != s.want {
			t.Fatalf("step %d: the instance is %s, want %s", n, got, s.want)
		}
	}
	refusedView(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*eni}}, "InvalidNetworkInterfaceID.NotFound")
	refused(w, w.startInstances, StartInstancesInput{InstanceIds: one}, "IncorrectInstanceState")
	do(w, w.deleteSubnet, DeleteSubnetInput{SubnetId: subnet})
	w.now = w.now.Add(2 * keepTerminated)
	w.change(forgetOldInstances)
	refusedView(w, w.describeInstances, DescribeInstancesInput{InstanceIds: one}, "InvalidInstanceID.NotFound")
}

func TestWhatAnInstanceCannotBeIsRefused(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	script := base64.StdEncoding.EncodeToString([]byte("#cloud-config\n"))
	for want, ins := range map[string][]RunInstancesInput{
		"MissingInput":          {{}},
		"InvalidAMIID.NotFound": {{SubnetId: subnet, ImageId: new("ami-1")}},
		"MissingParameter":      {{SubnetId: subnet, ImageId: new("")}},
		"InvalidParameterValue": {
			{SubnetId: subnet, InstanceType: new("t9.none")}, {SubnetId: subnet, UserData: new("no base64")},
			{SubnetId: subnet, InstanceInitiatedShutdownBehavior: new("explode")}, {SubnetId: subnet, MinCount: new(int64(0))},
			{SubnetId: subnet, MinCount: new(int64(2))}, {SubnetId: subnet, IamInstanceProfile: &IamInstanceProfileSpecification{Name: new("none")}},
			{SubnetId: subnet, MetadataOptions: &InstanceMetadataOptionsRequest{HttpTokens: new("perhaps")}},
			{SubnetId: subnet, TagSpecifications: []TagSpecification{{ResourceType: new("vpc"), Tags: []Tag{{Key: new("a"), Value: new("b")}}}}},
		},
		"InstanceLimitExceeded":       {{SubnetId: subnet, MaxCount: new(int64(21))}},
		"InvalidKeyPair.NotFound":     {{SubnetId: subnet, KeyName: new("none")}},
		"InvalidSubnetID.NotFound":    {{SubnetId: nowhere("subnet")}},
		"InvalidGroup.NotFound":       {{SubnetId: subnet, SecurityGroupIds: []string{*nowhere("sg")}}},
		"UnsupportedOperation":        {{SubnetId: subnet, UserData: &script}, {SubnetId: subnet, LaunchTemplate: &LaunchTemplateSpecification{}}, {SubnetId: subnet, EnablePrimaryIpv6: new(true)}},
		"InvalidParameterCombination": {{SubnetId: subnet, NetworkInterfaces: []InstanceNetworkInterfaceSpecification{{SubnetId: subnet}}}},
	} {
		for _, in := range ins {
			if in.ImageId == nil {
				in.ImageId = new(images()[0].id)
			}
			if in.MinCount == nil {
				in.MinCount = new(int64(1))
			}
			if in.MaxCount == nil {
				in.MaxCount = new(int64(1))
			}
			refused(w, w.runInstances, in, want)
		}
	}
	if n := len(state.List[*resource.NetworkInterface](w.store.View())); n != 0 {
		t.Errorf("%d interfaces are left of refused launches", n)
	}
}

func TestAPublicAddressComesAndGoesWithTheInstance(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	w.gateway(vpc)
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	do(w, w.modifySubnetAttribute, ModifySubnetAttributeInput{SubnetId: subnet, MapPublicIpOnLaunch: &AttributeBooleanValue{Value: new(true)}})
	i := w.start(RunInstancesInput{SubnetId: subnet})
	public := func() *string {
		return see(w, w.describeInstances, DescribeInstancesInput{InstanceIds: []string{*i.InstanceId}}).Reservations[0].Instances[0].PublicIpAddress
	}
	if public() == nil {
		t.Fatal("the instance has no public address")
	}
	if a := see(w, w.describeAddresses, DescribeAddressesInput{}).Addresses; len(a) != 0 {
		t.Errorf("the address is told to be an Elastic IP address: %+v", a)
	}
	refused(w, w.releaseAddress, ReleaseAddressInput{PublicIp: public()}, "InvalidAddress.NotFound")
	do(w, w.stopInstances, StopInstancesInput{InstanceIds: []string{*i.InstanceId}})
	w.change(func(tx *state.Tx) { InstanceEnded(tx, resource.InstanceID(*i.InstanceId)) })
	if p := public(); p != nil {
		t.Errorf("a stopped instance has the public address %s", *p)
	}
	do(w, w.startInstances, StartInstancesInput{InstanceIds: []string{*i.InstanceId}})
	if public() == nil {
		t.Error("a started instance has no public address again")
	}
}

func TestKeyPairsHaveAWSFingerprints(t *testing.T) {
	w := newWorld(t)
	public := "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPdXI+FYH/VUwHQTlmXVnhx5wOeBvtiNRKDFoCmGmnNC me"
	made := do(w, w.importKeyPair, ImportKeyPairInput{KeyName: new("k"), PublicKeyMaterial: []byte(public)})
	if *made.KeyFingerprint == "" || len(*made.KeyFingerprint) != 44 {
		t.Errorf("fingerprint %q", *made.KeyFingerprint)
	}
	refused(w, w.importKeyPair, ImportKeyPairInput{KeyName: new("k"), PublicKeyMaterial: []byte(public)}, "InvalidKeyPair.Duplicate")
	refused(w, w.importKeyPair, ImportKeyPairInput{KeyName: new("l"), PublicKeyMaterial: []byte("nonsense")}, "InvalidKey.Format")
	rsa := do(w, w.createKeyPair, CreateKeyPairInput{KeyName: new("r")})
	if len(*rsa.KeyFingerprint) != 59 { // SHA-1
		t.Errorf("fingerprint %q", *rsa.KeyFingerprint)
	}
	do(w, w.deleteKeyPair, DeleteKeyPairInput{KeyName: new("k")})
	do(w, w.deleteKeyPair, DeleteKeyPairInput{KeyName: new("k")})
	refusedView(w, w.describeKeyPairs, DescribeKeyPairsInput{KeyNames: []string{"k"}}, "InvalidKeyPair.NotFound")
}

// refusedView makes a call that reads and must fail.
func refusedView[In, Out any](w *world, h func(*state.View, *api.Call, *In) (*Out, error), in In, want string) {
	w.t.Helper()
	if _, err := h(w.store.View(), &api.Call{}, &in); code(err) != want {
		w.t.Errorf("%T: got %v, want %s", in, err, want)
	}
}
