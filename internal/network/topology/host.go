package topology

import "github.com/culvert-cloud/culvert/internal/resource"

// addHosts says which interfaces are further ones of an instance. One whose first interface is not in the VPC is left by
// itself, and so is one with a device index that another has taken: nobody is behind it.
func (in *inputs) addHosts(vpc *VPC) {
	first := map[resource.InstanceID]resource.NetworkInterfaceID{}
	for _, n := range in.interfaces[vpc.ID] {
		if a := n.Attachment; a != nil && a.InstanceID != "" && a.DeviceIndex == 0 && vpc.has(n.ID) {
			first[a.InstanceID] = n.ID
		}
	}
	type device struct {
		host  resource.NetworkInterfaceID
		index int
	}
	taken := map[device]bool{}
	for _, n := range in.interfaces[vpc.ID] {
		a, e := n.Attachment, vpc.ENI(n.ID)
		if a == nil || e == nil || a.DeviceIndex <= 0 {
			continue
		}
		d := device{first[a.InstanceID], a.DeviceIndex}
		if d.host == "" || taken[d] {
			continue
		}
		taken[d] = true
		e.Host, e.Device = d.host, d.index
	}
}

// SameMachine reports whether two interfaces are links of one instance: what it sends from one to the other stays inside.
func (e *ENI) SameMachine(o *ENI) bool {
	machine := func(e *ENI) resource.NetworkInterfaceID {
		if e.Host != "" {
			return e.Host
		}
		return e.ID
	}
	return machine(e) == machine(o)
}
