package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
	"github.com/culvert-cloud/culvert/internal/view/cost"
)

// inventory is what of the region costs money, without its traffic.
func (c *Config) inventory(t *topology.Topology) cost.Inventory {
	v := c.Store.View()
	names := c.drawn(t).Names
	in := cost.Inventory{Region: t.Region, LoadBalancers: len(t.LoadBalancers), Zones: map[string][]string{}}
	elastic := map[resource.NetworkInterfaceID]int{}
	public := map[netip.Addr]bool{}
	for _, a := range state.List[*resource.Address](v) {
		public[a.PublicIP] = true
		elastic[a.NetworkInterfaceID]++
	}
	for _, e := range t.ENIs {
		for _, a := range e.Public {
			public[a.Public] = true
		}
	}
	in.PublicAddresses = len(public)
	for _, vpc := range t.VPCs {
		for _, n := range vpc.NATGateways {
			in.NATGateways = append(in.NATGateways, cost.NATGateway{
				ID: string(n.ID), Name: names[string(n.ID)], VPC: string(vpc.ID), Zone: zoneOf(vpc, n.SubnetID), Addresses: elastic[n.ENI],
			})
		}
		for _, e := range vpc.Endpoints {
			made := cost.Endpoint{ID: string(e.ID), Name: names[string(e.ID)], VPC: string(vpc.ID), Service: e.Service, Gateway: e.Type == resource.EndpointTypeGateway}
			for _, eni := range e.ENIs {
				if i := t.ENIs[eni]; i != nil {
					made.Zones = append(made.Zones, zoneOf(vpc, i.SubnetID))
				}
			}
			in.Endpoints = append(in.Endpoints, made)
		}
		in.Zones[string(vpc.ID)] = zonesAtWork(vpc)
	}
	return in
}

func zoneOf(v *topology.VPC, id resource.SubnetID) string {
	if s := v.Subnet(id); s != nil {
		return s.AZ
	}
	return ""
}

// zonesAtWork are those of a VPC in which something works.
func zonesAtWork(v *topology.VPC) []string {
	var zones []string
	for _, e := range v.ENIs {
		if z := zoneOf(v, e.SubnetID); works(e.Type) && !slices.Contains(zones, z) {
			zones = append(zones, z)
		}
	}
	slices.Sort(zones)
	return zones
}

// works reports whether interfaces of a type are those of workloads, and not of the network itself.
func works(kind string) bool {
	return kind == resource.InterfaceTypeLambda || kind == resource.InterfaceTypeInterface
}

// measure is the traffic that has been counted since the region started, by workload, and how it compares with the
// counters of gateways and endpoints.
func (c *Config) measure(ctx context.Context) ([]cost.Flow, []counted, error) {
	byID, err := c.counters(ctx)
	if err != nil {
		return nil, nil, err
	}
	c.Collect()
	users := c.users()
	flows := []cost.Flow{}
	for _, t := range c.Traffic.All() {
		if works(t.Type) && t.BytesOut+t.BytesIn > 0 {
			flows = append(flows, flowOf(t, users))
		}
	}
	return flows, compared(flows, byID), nil
}

func flowOf(t flow.Traffic, users map[resource.NetworkInterfaceID]string) cost.Flow {
	kind, id, found := strings.Cut(t.Via, ":")
	if !found {
		id = cost.Local
	}
	f := cost.Flow{
		Workload: users[t.ENI], Interface: string(t.ENI), VPC: string(t.VPC), Zone: t.AZ, Service: t.Service, Via: id,
		CrossZone: t.CrossAZ, OneSide: kind == "pcx" || !found, Out: t.BytesOut, In: t.BytesIn,
	}
	if f.Service == "" && (kind == "nat" || kind == "igw" || kind == "eigw") {
		f.Service = cost.Internet
	}
	return f
}

// users says which functions and instances use which interface.
func (c *Config) users() map[resource.NetworkInterfaceID]string {
	v := c.Store.View()
	functions := map[resource.NetworkInterfaceID][]string{}
	for _, f := range state.List[*resource.Function](v) {
		if f.VPCConfig == nil {
			continue
		}
		for _, e := range f.VPCConfig.NetworkInterfaceIDs {
			functions[e] = append(functions[e], f.Name)
		}
	}
	users := map[resource.NetworkInterfaceID]string{}
	for e, names := range functions {
		slices.Sort(names)
		users[e] = strings.Join(names, ",")
	}
	for _, n := range state.List[*resource.NetworkInterface](v) {
		if n.Attachment != nil && n.Attachment.InstanceID != "" {
			users[n.ID] = string(n.Attachment.InstanceID)
		}
	}
	return users
}

// counters are what NAT gateways and endpoints counted by themselves, both ways.
func (c *Config) counters(ctx context.Context) (map[string]uint64, error) {
	type both struct{ OutBytes, InBytes uint64 }
	var out struct{ NATGateways, GatewayEndpoints, ENIs map[string]both }
	stats, err := c.Stats(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the counters: %w", err)
	}
	raw, err := json.Marshal(stats)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, err
	}
	byID := map[string]uint64{}
	for _, gateways := range []map[string]both{out.NATGateways, out.GatewayEndpoints} {
		for id, n := range gateways {
			byID[id] = n.OutBytes + n.InBytes
		}
	}
	for _, v := range c.Topology().VPCs {
		for _, e := range v.Endpoints {
			for _, eni := range e.ENIs {
				n := out.ENIs[string(eni)]
				byID[string(e.ID)] += n.OutBytes + n.InBytes
			}
		}
	}
	return byID, nil
}
