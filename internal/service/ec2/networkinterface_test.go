package ec2

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func TestAnInterfaceIsDescribedWithItsNamesAndGroups(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	w.dnsOn(vpc)
	subnet, g := w.subnet(vpc, "10.0.1.0/24", "a"), w.group(vpc, "web")
	id := do(w, w.createNetworkInterface, CreateNetworkInterfaceInput{
		SubnetId: subnet, Groups: []string{*g}, Description: new("mine"),
		PrivateIpAddresses: []PrivateIpAddressSpecification{
			{PrivateIpAddress: new("10.0.1.20")}, {PrivateIpAddress: new("10.0.1.10"), Primary: new(true)},
		},
	}).NetworkInterface.NetworkInterfaceId
	got := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*id}}).NetworkInterfaces
	want := []NetworkInterface{{
		AvailabilityZone: new("us-west-2a"), Description: new("mine"), Groups: []GroupIdentifier{{GroupId: g, GroupName: new("web")}},
		InterfaceType: new("interface"), Ipv6Native: new(false), NetworkInterfaceId: id, OwnerId: new("123456789012"),
		PrivateDnsName: new("ip-10-0-1-10.us-west-2.compute.internal"), PrivateIpAddress: new("10.0.1.10"),
		PrivateIpAddresses: []NetworkInterfacePrivateIpAddress{
			{Primary: new(true), PrivateDnsName: new("ip-10-0-1-10.us-west-2.compute.internal"), PrivateIpAddress: new("10.0.1.10")},
			{Primary: new(false), PrivateDnsName: new("ip-10-0-1-20.us-west-2.compute.internal"), PrivateIpAddress: new("10.0.1.20")},
		},
		RequesterManaged: new(false), SourceDestCheck: new(true), Status: new("available"), SubnetId: subnet, TagSet: []Tag{}, VpcId: vpc,
	}}
	if d := diff(got, want, cmpopts.IgnoreFields(NetworkInterface{}, "MacAddress")); d != "" {
		t.Errorf("interface differs (-got +want):\n%s", d)
	}
}

func TestInterfaceAttributesChangeOneAtATime(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	id, g := w.eni(w.subnet(vpc, "10.0.1.0/24", "a")), w.group(vpc, "web")
	off := &AttributeBooleanValue{Value: new(false)}
	do(w, w.modifyNetworkInterfaceAttribute, ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: id, SourceDestCheck: off})
	do(w, w.modifyNetworkInterfaceAttribute, ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: id, Groups: []string{*g}})
	do(w, w.modifyNetworkInterfaceAttribute, ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: id, Description: &AttributeValue{Value: new("appliance")}})
	attribute := func(name string) *DescribeNetworkInterfaceAttributeOutput {
		return see(w, w.describeNetworkInterfaceAttribute, DescribeNetworkInterfaceAttributeInput{NetworkInterfaceId: id, Attribute: &name})
	}
	if *attribute("sourceDestCheck").SourceDestCheck.Value || *attribute("description").Description.Value != "appliance" || *attribute("groupSet").Groups[0].GroupId != *g {
		t.Error("the changes were not made")
	}
	for want, ins := range map[string][]ModifyNetworkInterfaceAttributeInput{
		"InvalidParameterCombination":        {{NetworkInterfaceId: id}, {NetworkInterfaceId: id, SourceDestCheck: off, Groups: []string{*g}}},
		"InvalidGroup.NotFound":              {{NetworkInterfaceId: id, Groups: []string{*nowhere("sg")}}},
		"InvalidParameter":                   {{NetworkInterfaceId: id, Groups: []string{*w.group(w.vpc("10.0.0.0/16"), "x")}}},
		"InvalidNetworkInterfaceID.NotFound": {{NetworkInterfaceId: nowhere("eni"), SourceDestCheck: off}},
		"UnsupportedOperation":               {{NetworkInterfaceId: id, EnablePrimaryIpv6: new(true)}},
	} {
		for _, in := range ins {
			refused(w, w.modifyNetworkInterfaceAttribute, in, want)
		}
	}
	notSeen(w, w.describeNetworkInterfaceAttribute, DescribeNetworkInterfaceAttributeInput{NetworkInterfaceId: id, Attribute: new("mood")}, "InvalidParameterValue")
}

func TestBadInterfacesAreRefused(t *testing.T) {
	w := newWorld(t)
	subnet := w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")
	two := []PrivateIpAddressSpecification{{PrivateIpAddress: new("10.0.1.20")}, {PrivateIpAddress: new("10.0.1.21")}}
	for want, ins := range map[string][]CreateNetworkInterfaceInput{
		"MissingParameter":              {{}},
		"InvalidSubnetID.NotFound":      {{SubnetId: nowhere("subnet")}},
		"InvalidParameterValue":         {{SubnetId: subnet, PrivateIpAddress: new("10.0.1.1")}, {SubnetId: subnet, PrivateIpAddress: new("ten")}, {SubnetId: subnet, PrivateIpAddresses: two}},
		"InvalidParameterCombination":   {{SubnetId: subnet, PrivateIpAddress: new("10.0.1.9"), PrivateIpAddresses: two}},
		"PrivateIpAddressLimitExceeded": {{SubnetId: subnet, SecondaryPrivateIpAddressCount: new(int64(50))}},
		"UnsupportedOperation":          {{SubnetId: subnet, EnablePrimaryIpv6: new(true)}, {SubnetId: subnet, Ipv6PrefixCount: new(int64(1))}, {SubnetId: subnet, InterfaceType: new("efa")}, {SubnetId: subnet, Ipv4PrefixCount: new(int64(1))}},
	} {
		for _, in := range ins {
			refused(w, w.createNetworkInterface, in, want)
		}
	}
}

func TestTheSourceDestinationCheckIsTurnedOnAgain(t *testing.T) {
	w := newWorld(t)
	eni := w.eni(w.subnet(w.vpc("10.0.0.0/16"), "10.0.0.0/24", "a"))
	do(w, w.modifyNetworkInterfaceAttribute, ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: eni, SourceDestCheck: &AttributeBooleanValue{Value: new(false)}})
	refused(w, w.resetNetworkInterfaceAttribute, ResetNetworkInterfaceAttributeInput{NetworkInterfaceId: eni}, "MissingParameter")
	refused(w, w.resetNetworkInterfaceAttribute, ResetNetworkInterfaceAttributeInput{NetworkInterfaceId: nowhere("eni"), SourceDestCheck: new("true")}, "InvalidNetworkInterfaceID.NotFound")
	do(w, w.resetNetworkInterfaceAttribute, ResetNetworkInterfaceAttributeInput{NetworkInterfaceId: eni, SourceDestCheck: new("true")})
	if got := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{}).NetworkInterfaces[0]; !*got.SourceDestCheck {
		t.Error("it is off")
	}
}

func TestAnInterfaceOutlivesItsInstanceIfItIsTold(t *testing.T) {
	w := newWorld(t)
	subnet := w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")
	for _, goes := range []bool{true, false} {
		i := w.start(RunInstancesInput{SubnetId: subnet})
		eni := i.NetworkInterfaces[0]
		change := func(attachment *string, goes *bool) ModifyNetworkInterfaceAttributeInput {
			return ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: eni.NetworkInterfaceId, Attachment: &NetworkInterfaceAttachmentChanges{AttachmentId: attachment, DeleteOnTermination: goes}}
		}
		refused(w, w.modifyNetworkInterfaceAttribute, change(nil, &goes), "MissingParameter")
		refused(w, w.modifyNetworkInterfaceAttribute, change(eni.Attachment.AttachmentId, nil), "MissingParameter")
		refused(w, w.modifyNetworkInterfaceAttribute, change(nowhere("eni-attach"), &goes), "InvalidAttachmentID.NotFound")
		do(w, w.modifyNetworkInterfaceAttribute, change(eni.Attachment.AttachmentId, &goes))
		found := see(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{Filters: filter("attachment.delete-on-termination", strconv.FormatBool(goes))}).NetworkInterfaces
		if len(found) != 1 {
			t.Errorf("%d interfaces go with their instance: %v; want 1", len(found), goes)
		}
		do(w, w.terminateInstances, TerminateInstancesInput{InstanceIds: []string{*i.InstanceId}})
		w.change(func(tx *state.Tx) { InstanceEnded(tx, resource.InstanceID(*i.InstanceId)) })
		left, err := look(w, w.describeNetworkInterfaces, DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*eni.NetworkInterfaceId}})
		if (err == nil) == goes || err == nil && *left.NetworkInterfaces[0].Status != "available" {
			t.Errorf("told that it goes: %v; then %+v, %v", goes, left, err)
		}
	}
}
