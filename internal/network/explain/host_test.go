package explain

import (
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
)

func TestWhatAnInstanceSendsToItsOtherInterfaceStaysInside(t *testing.T) {
	n := newNetwork()
	n.put(&resource.SecurityGroup{ID: "sg-shut", VPCID: "vpc-1"})
	n.eni("first", "private", "10.0.1.50", resource.InterfaceTypeInterface, "sg-shut").Attachment = &resource.Attachment{InstanceID: "i-a"}
	n.eni("second", "public", "10.0.2.50", resource.InterfaceTypeInterface, "sg-shut").Attachment = &resource.Attachment{InstanceID: "i-a", DeviceIndex: 1}
	n.eni("other", "public", "10.0.2.60", resource.InterfaceTypeInterface, "sg-shut")
	top := n.resolve(t)
	for to, want := range map[string]bool{"10.0.2.50": true, "10.0.2.60": false} {
		got := Explain(top, Flow{From: "eni-first", To: ip(to), Protocol: TCP, Port: 80})
		if got.Reachable != want {
			t.Errorf("eni-first to %s: reachable %t, want %t: %+v", to, got.Reachable, want, got.Hops)
		}
	}
}
