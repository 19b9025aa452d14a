package cost

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Inventory is what a region has that these prices are for, and the traffic of a month.
type Inventory struct {
	Region      string
	NATGateways []NATGateway
	Endpoints   []Endpoint
	// PublicAddresses are all public IPv4 addresses, in use or idle, those of NAT gateways included.
	PublicAddresses int
	// LoadBalancers are not priced, but said to be left out.
	LoadBalancers int
	// Zones are those of each VPC in which something works that uses NAT gateways or endpoints.
	Zones map[string][]string
	Flows []Flow
}

// NATGateway is one NAT gateway.
type NATGateway struct {
	ID, Name, VPC, Zone string
	Addresses           int // public ones, which go when it goes
}

// Endpoint is an interface endpoint or a gateway endpoint.
type Endpoint struct {
	ID, Name, VPC, Service string
	Gateway                bool
	Zones                  []string // of an interface endpoint
}

// Statement is a region's bill of a month as it is, and as it could be.
type Statement struct {
	Region       string    `json:"region"`
	HoursAMonth  int       `json:"hoursPerMonth"`
	PricesAsOf   string    `json:"pricesAsOf"` // the youngest
	PricesOldest string    `json:"pricesOldest"`
	Prices       []Price   `json:"prices"`
	Traffic      string    `json:"traffic"` // where the amounts come from
	Ways         []Way     `json:"ways"`    // the first is the region as it is
	Services     []Service `json:"services"`
	Flows        []Flow    `json:"flows"`       // the traffic, each with its part of the bill for data
	BreakEven    []float64 `json:"breakEvenGB"` // of one service in one, two and three zones
	// LostGB is what goes to the internet through NAT gateways, and nowhere without them.
	LostGB   float64  `json:"lostWithoutNATGB"`
	Supposed bool     `json:"supposedToS3"` // some of it is not known to go to S3
	LeftOut  []string `json:"leftOut"`
	Warnings []string `json:"warnings"`
}

// Way is one way to arrange the region.
type Way struct {
	Bill
	PerHour Money `json:"perHour"` // what is paid with no traffic at all
	Saves   Money `json:"saves"`   // a month, against the region as it is; negative: it costs more
}

// Assess reckons a region's bill. A region whose prices are not known is refused.
func Assess(in Inventory, table PriceTable, traffic string, now time.Time) (Statement, error) {
	p, err := table.Of(in.Region)
	if err != nil {
		return Statement{}, err
	}
	if _, err := total(in.Flows); err != nil {
		return Statement{}, err
	}
	if in.PublicAddresses < 0 {
		return Statement{}, fmt.Errorf("assess costs: %d addresses", in.PublicAddresses)
	}
	s := Statement{Region: in.Region, HoursAMonth: HoursPerMonth, Prices: p.Rows, Traffic: traffic, LeftOut: in.leftOut(), Warnings: []string{}}
	s.PricesOldest, s.PricesAsOf = p.dates()
	if w := p.warning(now); w != "" {
		s.Warnings = append(s.Warnings, w)
	}
	for zones := 1; zones <= 3; zones++ {
		s.BreakEven = append(s.BreakEven, p.BreakEvenGB(zones))
	}
	for _, b := range ways(p, in) {
		w := Way{Bill: b}
		for _, l := range b.Lines {
			if l.Unit == "hour" {
				w.PerHour += l.USD / HoursPerMonth
			}
		}
		if len(s.Ways) > 0 {
			w.Saves = s.Ways[0].USD - b.USD
		}
		s.Ways = append(s.Ways, w)
	}
	s.Flows, s.Services = p.attribute(in), p.services(in)
	for _, f := range in.Flows {
		if f.byNAT() && f.outward() {
			s.LostGB += gigabytes(f.bytes())
		}
		s.Supposed = s.Supposed || f.byNAT() && f.Service == "" && f.bytes() > 0
	}
	return s, nil
}

func (in Inventory) leftOut() []string {
	left := []string{
		"what AWS may charge for data to an interface endpoint in another availability zone",
		"data between Regions",
		"requests, storage and compute: they cost the same on every road",
		"taxes, discounts and the free tier, except the first 100 GB a month out to the internet",
	}
	if in.LoadBalancers > 0 {
		left = slices.Insert(left, 0, fmt.Sprintf("%d load balancer(s): hours, capacity units and data between their zones", in.LoadBalancers))
	}
	return left
}

// ways are the bills of the region as it is and of the other roads for the same traffic.
func ways(p Prices, in Inventory) []Bill {
	all := []Bill{p.bill("as it is", in)}
	switch {
	case len(in.NATGateways) > 0:
		interfaces, gateways := in.withEndpoints(false), in.withEndpoints(true)
		all = append(all,
			p.bill("interface endpoints, NAT gateways kept", interfaces),
			p.bill("interface endpoints, NAT gateways removed", interfaces.withoutNAT()),
			p.bill("gateway endpoints, NAT gateways kept", gateways),
			p.bill("gateway endpoints, NAT gateways removed", gateways.withoutNAT()))
	case slices.ContainsFunc(in.Endpoints, func(e Endpoint) bool { return !e.Gateway }):
		all = append(all, p.bill("NAT gateways instead of interface endpoints", in.withNAT()))
	}
	return all
}

// withEndpoints moves what goes to services through NAT gateways to endpoints: those that are there, in more zones if
// need be, and new ones; where gateways is set to gateway endpoints if the service has them.
func (in Inventory) withEndpoints(gateways bool) Inventory {
	in.Flows, in.Endpoints = slices.Clone(in.Flows), slices.Clone(in.Endpoints)
	for _, n := range in.NATGateways { // even those that carry nothing have somewhere to go instead
		if !slices.ContainsFunc(in.Flows, func(f Flow) bool { return f.VPC == n.VPC && f.byNAT() }) {
			in.Flows = append(in.Flows, Flow{VPC: n.VPC, Via: n.ID})
		}
	}
	for i := range in.Flows {
		f := &in.Flows[i]
		if !f.byNAT() || f.outward() {
			continue
		}
		service := f.supposed()
		e := in.endpoint(f.VPC, service, gateways && HasGateway(service))
		f.Via, f.CrossZone = e.ID, false
		if e.Gateway {
			continue
		}
		for _, zone := range in.zonesOf(*f) {
			if !slices.Contains(e.Zones, zone) {
				e.Zones = append(slices.Clone(e.Zones), zone)
			}
		}
	}
	return in
}

// supposed is the service of a flow, S3 if it is not known.
func (f Flow) supposed() string {
	if f.Service == "" {
		return "s3"
	}
	return f.Service
}

// HasGateway reports whether there are gateway endpoints for a service.
func HasGateway(service string) bool { return service == "s3" || service == "dynamodb" }

// zonesOf are those in which a flow needs an endpoint's interface.
func (in Inventory) zonesOf(f Flow) []string {
	if f.Zone != "" {
		return []string{f.Zone}
	}
	return in.Zones[f.VPC]
}

// endpoint finds or makes the endpoint of a service in a VPC.
func (in *Inventory) endpoint(vpc, service string, gateway bool) *Endpoint {
	i := slices.IndexFunc(in.Endpoints, func(e Endpoint) bool { return e.VPC == vpc && e.Service == service && e.Gateway == gateway })
	if i < 0 {
		i = len(in.Endpoints)
		in.Endpoints = append(in.Endpoints, Endpoint{ID: fmt.Sprintf("(new %d)", i+1), VPC: vpc, Service: service, Gateway: gateway})
	}
	return &in.Endpoints[i]
}

// withoutNAT takes the NAT gateways away, and with them what went through them still.
func (in Inventory) withoutNAT() Inventory {
	for _, n := range in.NATGateways {
		in.PublicAddresses -= n.Addresses
	}
	in.NATGateways = nil
	in.Flows = slices.DeleteFunc(slices.Clone(in.Flows), Flow.byNAT)
	return in
}

// withNAT moves what goes through interface endpoints to NAT gateways, one for each zone of a VPC that they are in.
func (in Inventory) withNAT() Inventory {
	gateways := map[string][]string{} // by VPC
	var kept []Endpoint
	moved := map[string]bool{}
	for _, e := range in.Endpoints {
		if e.Gateway {
			kept = append(kept, e)
			continue
		}
		moved[e.ID] = true
		for len(gateways[e.VPC]) < max(len(e.Zones), 1) {
			id := fmt.Sprintf("nat-(new %d)", len(in.NATGateways)+1)
			in.NATGateways = append(slices.Clone(in.NATGateways), NATGateway{ID: id, VPC: e.VPC, Addresses: 1})
			gateways[e.VPC] = append(gateways[e.VPC], id)
			in.PublicAddresses++
		}
	}
	in.Endpoints = kept
	var flows []Flow
	for _, f := range in.Flows {
		if !moved[f.Via] {
			flows = append(flows, f)
			continue
		}
		to := gateways[f.VPC]
		for i, id := range to {
			part := f
			part.Via, part.CrossZone, part.Out, part.In = id, false, share(f.Out, i, len(to)), share(f.In, i, len(to))
			flows = append(flows, part)
		}
	}
	in.Flows = flows
	return in
}

// named says what something is called, if it has a name of its own.
func named(id, name string) string {
	if name == "" || strings.Contains(id, name) {
		return id
	}
	return id + " " + name
}
