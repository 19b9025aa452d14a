package cost

import (
	"cmp"
	"slices"
)

// services compares the roads for each service that there is traffic to, or an endpoint of.
func (p Prices) services(in Inventory) []Service {
	found := []Service{}
	bytes, zones := map[string]uint64{}, map[string]map[string]bool{}
	at := func(name string) *Service {
		i := slices.IndexFunc(found, func(s Service) bool { return s.Service == name })
		if i < 0 {
			i = len(found)
			found = append(found, Service{Service: name})
			zones[name] = map[string]bool{}
		}
		return &found[i]
	}
	for _, e := range in.Endpoints {
		s := at(e.Service)
		for _, z := range e.Zones {
			zones[s.Service][e.VPC+"/"+z] = true
		}
	}
	for _, f := range p.attribute(in) {
		if f.outward() || f.Via == Local || f.Service == "" && !f.byNAT() {
			continue
		}
		s := at(f.supposed())
		s.USD += f.USD
		bytes[s.Service] += f.bytes()
		for _, z := range in.zonesOf(f) {
			zones[s.Service][f.VPC+"/"+z] = true
		}
	}
	for i := range found {
		s := &found[i]
		n := bytes[s.Service]
		s.GB, s.Zones = gigabytes(n), max(len(zones[s.Service]), 1)
		s.NAT = perGB(p.NATGB, n)
		s.PerHour = Money(s.Zones) * p.EndpointHour
		s.Interface = s.PerHour*HoursPerMonth + tiered(p.EndpointGB, n)
		if HasGateway(s.Service) {
			gateway := perGB(p.GatewayGB, n)
			s.Gateway = &gateway
		}
		s.BreakEvenGB = p.BreakEvenGB(s.Zones)
	}
	slices.SortFunc(found, func(a, b Service) int { return cmp.Or(-cmp.Compare(a.GB, b.GB), cmp.Compare(a.Service, b.Service)) })
	return found
}
