package topology

import (
	"net/netip"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
)

func TestFurtherInterfacesOfAnInstanceAreLinksOfItsFirst(t *testing.T) {
	resources := append(article(), publicSubnet()...)
	held := func(id, address string, subnet resource.SubnetID, a *resource.Attachment) {
		resources = append(resources, &resource.NetworkInterface{
			ID: resource.NetworkInterfaceID("eni-" + id), VPCID: "vpc-1", SubnetID: subnet, InterfaceType: resource.InterfaceTypeInterface,
			PrivateIPs: []netip.Addr{ip(address)}, GroupIDs: []resource.SecurityGroupID{"sg-fn"}, Attachment: a,
		})
	}
	at := func(i resource.InstanceID, device int) *resource.Attachment {
		return &resource.Attachment{InstanceID: i, DeviceIndex: device}
	}
	held("a0", "10.0.1.50", "subnet-private", at("i-a", 0))
	held("a1", "10.0.2.51", "subnet-public", at("i-a", 1))
	held("a2", "10.0.2.52", "subnet-public", at("i-a", 2))
	held("a2-too", "10.0.2.53", "subnet-public", at("i-a", 2))
	held("b1", "10.0.2.54", "subnet-public", at("i-b", 1)) // whose first is gone
	held("free", "10.0.2.55", "subnet-public", nil)
	held("service", "10.0.2.56", "subnet-public", &resource.Attachment{DeviceIndex: 1}) // as services hold theirs
	top := Resolve(store(t, resources...).View(), Options{})
	for id, want := range map[resource.NetworkInterfaceID]int{"eni-a0": 0, "eni-a1": 1, "eni-a2": 2, "eni-a2-too": 0, "eni-b1": 0, "eni-free": 0, "eni-service": 0, "eni-fn": 0} {
		e := top.ENIs[id]
		if host := e.Host; (host == "eni-a0") != (want > 0) || host != "" && host != "eni-a0" || e.Device != want {
			t.Errorf("%s is device %d of %q, want device %d", id, e.Device, host, want)
		}
		if same := e.SameMachine(top.ENIs["eni-a1"]); same != (want > 0 || id == "eni-a0") {
			t.Errorf("%s and eni-a1 are of one machine: %t", id, same)
		}
	}
}
