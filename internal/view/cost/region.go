package cost

import (
	"fmt"
	"slices"
	"strings"
)

// Inventory is what a region has that these prices are for, and the traffic of a month.
type Inventory struct {
	Region             string
	NATGateways        []NATGateway
	InterfaceEndpoints []InterfaceEndpoint
	GatewayEndpoints   []GatewayEndpoint
	// PublicAddresses are all public IPv4 addresses, in use or idle, those of NAT gateways included.
	PublicAddresses int
	// Zones is in how many zones an endpoint's interface would be needed for what uses NAT gateways now.
	Zones int
}

// NATGateway is one NAT gateway and what went through it, both ways.
type NATGateway struct {
	ID        string
	Addresses int // public ones, which go when it goes
	Bytes     uint64
}

// InterfaceEndpoint is one interface endpoint and what went through it, both ways.
type InterfaceEndpoint struct {
	ID, Service string
	Zones       int
	Bytes       uint64
}

// GatewayEndpoint is free, whatever goes through it.
type GatewayEndpoint struct {
	ID, Service string
	Bytes       uint64
}

// Statement is a region's bill of a month as it is, and as it could be.
type Statement struct {
	Region     string    `json:"region"`
	PricesAsOf string    `json:"pricesAsOf"`
	Traffic    string    `json:"traffic"` // where the amounts come from
	Ways       []Way     `json:"ways"`    // the first is the region as it is
	BreakEven  []float64 `json:"breakEvenGB"`
	LeftOut    []string  `json:"leftOut"`
}

// Way is one way to arrange the region.
type Way struct {
	Bill
	PerHour Money `json:"perHour"` // what is paid with no traffic at all
	Saves   Money `json:"saves"`   // a month, against the region as it is; negative: it costs more
}

// Assess reckons a region's bill. A region whose prices are not known is refused: a guess is no bill.
func Assess(in Inventory, traffic string) (Statement, error) {
	p, found := Lookup(in.Region)
	if !found {
		return Statement{}, fmt.Errorf("the prices of %s are not known here, only those of %s", in.Region, strings.Join(known(), ", "))
	}
	if err := in.check(); err != nil {
		return Statement{}, err
	}
	s := Statement{Region: in.Region, PricesAsOf: PricesAsOf, Traffic: traffic, LeftOut: leftOut()}
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
	return s, nil
}

func (in Inventory) check() error {
	total := in.natBytes() + in.endpointBytes()
	if in.natBytes() > maxGB*bytesPerGB || total > maxGB*bytesPerGB {
		return fmt.Errorf("assess costs: more than %g GB of traffic cannot be reckoned with", maxGB)
	}
	if in.PublicAddresses < 0 || in.Zones < 0 {
		return fmt.Errorf("assess costs: %d addresses in %d zones", in.PublicAddresses, in.Zones)
	}
	return nil
}

func (in Inventory) natBytes() (sum uint64) {
	for _, n := range in.NATGateways {
		sum += n.Bytes
	}
	return sum
}

func (in Inventory) endpointBytes() (sum uint64) {
	for _, e := range in.InterfaceEndpoints {
		sum += e.Bytes
	}
	return sum
}

// ways are the bills of the region as it is and of the other roads for the same traffic.
func ways(p Prices, in Inventory) []Bill {
	all := []Bill{p.bill("as it is", in)}
	if len(in.NATGateways) > 0 {
		all = append(all,
			p.bill("interface endpoint, NAT gateways kept", in.withEndpoint()),
			p.bill("interface endpoint, NAT gateways removed", in.withEndpoint().withoutNAT()),
			p.bill("gateway endpoint, NAT gateways kept", in.withGatewayEndpoint()),
			p.bill("gateway endpoint, NAT gateways removed", in.withGatewayEndpoint().withoutNAT()))
	} else if len(in.InterfaceEndpoints) > 0 {
		all = append(all, p.bill("NAT gateways instead of interface endpoints", in.withNAT()))
	}
	return all
}

// bill adds up what an inventory costs a month.
func (p Prices) bill(road string, in Inventory) Bill {
	var lines []Line
	for _, n := range in.NATGateways {
		lines = append(lines, hourly("NAT gateway "+n.ID, 1, p.NATHour),
			Line{"data through " + n.ID, gigabytes(n.Bytes), "GB", perGB(p.NATGB, n.Bytes)})
	}
	for _, e := range in.InterfaceEndpoints {
		lines = append(lines, hourly(fmt.Sprintf("%s interface endpoint %s, %d zone(s)", e.Service, e.ID, e.Zones), e.Zones, p.EndpointHour))
	}
	// The tiers count all endpoints of the region together.
	lines = append(lines, Line{"data through interface endpoints", gigabytes(in.endpointBytes()), "GB", tiered(p.EndpointGB, in.endpointBytes())})
	for _, g := range in.GatewayEndpoints {
		lines = append(lines, Line{fmt.Sprintf("data through %s gateway endpoint %s", g.Service, g.ID), gigabytes(g.Bytes), "GB", 0})
	}
	return newBill(road, append(lines, hourly("public IPv4 addresses", in.PublicAddresses, p.PublicIPv4Hour))...)
}

// withEndpoint moves what went through NAT gateways to a new interface endpoint.
func (in Inventory) withEndpoint() Inventory {
	e := InterfaceEndpoint{ID: "(new)", Service: "s3", Zones: in.Zones, Bytes: in.natBytes()}
	in.InterfaceEndpoints = append(slices.Clone(in.InterfaceEndpoints), e)
	return in.withIdleNAT()
}

func (in Inventory) withGatewayEndpoint() Inventory {
	in.GatewayEndpoints = append(slices.Clone(in.GatewayEndpoints), GatewayEndpoint{ID: "(new)", Service: "s3", Bytes: in.natBytes()})
	return in.withIdleNAT()
}

func (in Inventory) withIdleNAT() Inventory {
	in.NATGateways = slices.Clone(in.NATGateways)
	for i := range in.NATGateways {
		in.NATGateways[i].Bytes = 0
	}
	return in
}

func (in Inventory) withoutNAT() Inventory {
	for _, n := range in.NATGateways {
		in.PublicAddresses -= n.Addresses
	}
	in.NATGateways = nil
	return in
}

// withNAT moves what goes through interface endpoints to one NAT gateway for each of their zones.
func (in Inventory) withNAT() Inventory {
	zones := 0
	for _, e := range in.InterfaceEndpoints {
		zones = max(zones, e.Zones)
	}
	bytes := in.endpointBytes()
	in.InterfaceEndpoints, in.NATGateways = nil, nil
	for i := range zones {
		in.NATGateways = append(in.NATGateways, NATGateway{ID: fmt.Sprintf("(new %d)", i+1), Addresses: 1, Bytes: share(bytes, i, zones)})
		in.PublicAddresses++
	}
	return in
}

// share is what the i-th of n gets. No share falls when the whole grows.
func share(bytes uint64, i, n int) uint64 {
	of := bytes / uint64(n)
	if uint64(i) < bytes%uint64(n) {
		of++
	}
	return of
}

func leftOut() []string {
	return []string{
		"data between availability zones, and data out to the internet",
		"requests, storage and compute: they cost the same on every road",
		"taxes, discounts and the free tier",
	}
}

// Spread replaces what was measured by an amount of traffic in GB: evenly over the NAT gateways, or if there are
// none over the interface endpoints, or else the gateway endpoints.
func (in Inventory) Spread(gb float64) (Inventory, error) {
	if !(gb >= 0 && gb <= maxGB) {
		return in, fmt.Errorf("%v GB is no amount of traffic between 0 and %g GB", gb, maxGB)
	}
	in.NATGateways, in.InterfaceEndpoints, in.GatewayEndpoints = slices.Clone(in.NATGateways), slices.Clone(in.InterfaceEndpoints), slices.Clone(in.GatewayEndpoints)
	var roads []*uint64
	for i := range in.NATGateways {
		roads = append(roads, &in.NATGateways[i].Bytes)
	}
	endpoints := len(roads) == 0
	for i := range in.InterfaceEndpoints {
		in.InterfaceEndpoints[i].Bytes = 0
		if endpoints {
			roads = append(roads, &in.InterfaceEndpoints[i].Bytes)
		}
	}
	gateways := len(roads) == 0
	for i := range in.GatewayEndpoints {
		in.GatewayEndpoints[i].Bytes = 0
		if gateways {
			roads = append(roads, &in.GatewayEndpoints[i].Bytes)
		}
	}
	bytes := bytesOf(gb)
	for i, road := range roads {
		*road = share(bytes, i, len(roads))
	}
	return in, nil
}
