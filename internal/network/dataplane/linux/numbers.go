package linux

import (
	"fmt"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// numbers are the kernel's names for the things of one VPC. They are given once and never again to another
// thing: the kernel removes links later than it says, and a name in use twice would be a hole.
type numbers struct {
	subnets   map[resource.SubnetID]uint32 // device group; its routing table is firstTable more
	enis      map[resource.NetworkInterfaceID]string
	endpoints map[resource.VPCEndpointID]string
	peerings  map[resource.PeeringID]string

	lastSubnet, lastENI, lastEndpoint, lastPeering uint32
}

func newNumbers() *numbers {
	return &numbers{
		subnets:   map[resource.SubnetID]uint32{},
		enis:      map[resource.NetworkInterfaceID]string{},
		endpoints: map[resource.VPCEndpointID]string{},
		peerings:  map[resource.PeeringID]string{},
	}
}

// assign numbers everything in the VPC that has no number yet and forgets what is gone.
func (n *numbers) assign(v *topology.VPC) {
	subnets := map[resource.SubnetID]uint32{}
	for _, s := range v.Subnets {
		if n.subnets[s.ID] == 0 {
			n.lastSubnet++
			n.subnets[s.ID] = n.lastSubnet
		}
		subnets[s.ID] = n.subnets[s.ID]
	}
	enis := map[resource.NetworkInterfaceID]string{}
	for _, e := range v.ENIs {
		if n.enis[e.ID] == "" {
			n.lastENI++
			n.enis[e.ID] = fmt.Sprintf("e%d", n.lastENI)
		}
		enis[e.ID] = n.enis[e.ID]
	}
	endpoints := map[resource.VPCEndpointID]string{}
	for _, e := range v.Endpoints {
		if e.Type != resource.EndpointTypeGateway {
			continue
		}
		if n.endpoints[e.ID] == "" {
			n.lastEndpoint++
			n.endpoints[e.ID] = fmt.Sprintf("gwe%d", n.lastEndpoint)
		}
		endpoints[e.ID] = n.endpoints[e.ID]
	}
	peerings := map[resource.PeeringID]string{}
	for _, p := range v.Peerings {
		if n.peerings[p.ID] == "" {
			n.lastPeering++
			n.peerings[p.ID] = fmt.Sprintf("pcx%d", n.lastPeering)
		}
		peerings[p.ID] = n.peerings[p.ID]
	}
	n.subnets, n.enis, n.endpoints, n.peerings = subnets, enis, endpoints, peerings
}
