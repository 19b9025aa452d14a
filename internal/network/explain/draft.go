package explain

import (
	"maps"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// draft is a topology to try edits on. What is not changed it shares with the one it was made from, which stays
// as it is.
type draft struct {
	top *topology.Topology
	own map[resource.VPCID]*topology.VPC
	// enisOwned: the map of all interfaces is this draft's.
	enisOwned bool
}

// tried is a topology with edits made.
func tried(t *topology.Topology, edits ...Edit) *topology.Topology {
	c := *t
	d := &draft{top: &c, own: map[resource.VPCID]*topology.VPC{}}
	for _, e := range edits {
		e.try(d)
	}
	return d.top
}

// vpc is a VPC whose fields may be set. Edits name VPCs that are there.
func (d *draft) vpc(id resource.VPCID) *topology.VPC {
	if d.own[id] != nil {
		return d.own[id]
	}
	d.top.VPCs = changed(d.top.VPCs, func(v *topology.VPC) bool { return v.ID == id }, func(v *topology.VPC) { d.own[id] = v })
	if d.own[id] == nil {
		d.own[id] = &topology.VPC{ID: id} // of no consequence
	}
	return d.own[id]
}

// changed is a list with a changed copy of what matches.
func changed[T any](all []*T, matches func(*T) bool, change func(*T)) []*T {
	out := slices.Clone(all)
	for i, p := range out {
		if matches(p) {
			c := *p
			change(&c)
			// The copy is the one that change saw, so that it may keep it.
			out[i] = &c
		}
	}
	return out
}

// eni changes an interface, which the topology knows twice.
func (d *draft) eni(vpc resource.VPCID, id resource.NetworkInterfaceID, change func(*topology.ENI)) {
	v := d.vpc(vpc)
	v.ENIs = changed(v.ENIs, func(e *topology.ENI) bool { return e.ID == id }, func(e *topology.ENI) {
		change(e)
		d.ownENIs()[id] = e
	})
}

// ownENIs may be written to.
func (d *draft) ownENIs() map[resource.NetworkInterfaceID]*topology.ENI {
	if !d.enisOwned {
		d.top.ENIs, d.enisOwned = maps.Clone(d.top.ENIs), true
	}
	return d.top.ENIs
}

// table changes the routes of a table, in every subnet that uses it.
func (d *draft) table(vpc resource.VPCID, id resource.RouteTableID, change func([]topology.Route) []topology.Route) {
	v := d.vpc(vpc)
	v.Subnets = changed(v.Subnets, func(s *topology.Subnet) bool { return s.RouteTableID == id }, func(s *topology.Subnet) {
		s.Routes = slices.DeleteFunc(change(slices.Clone(s.Routes)), func(r topology.Route) bool {
			return r.Kind != topology.TargetLocal && s.Covers(r.Destination)
		})
	})
}

// usePrefixList lets a VPC know one of AWS's lists.
func (d *draft) usePrefixList(v *topology.VPC, id resource.PrefixListID) {
	if id == "" || v.PrefixList(id) != nil {
		return
	}
	for _, l := range topology.AWSPrefixLists(d.top.Region) {
		if l.ID != id {
			continue
		}
		list := &topology.PrefixList{ID: l.ID, Name: l.Name}
		for _, e := range l.Entries {
			list.Prefixes = append(list.Prefixes, e.CIDR)
		}
		v.PrefixLists = append(slices.Clone(v.PrefixLists), list)
	}
}
