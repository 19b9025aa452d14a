package cost

import (
	"fmt"
	"math"
	"strconv"
)

// Comparison is the month's bill of each road for the same traffic.
type Comparison struct {
	Region     string  `json:"region"`     // whose prices these are
	Traffic    Traffic `json:"traffic"`    //
	Roads      []Bill  `json:"roads"`      // NAT gateway, interface endpoint, gateway endpoint
	ZonesOfNAT float64 `json:"zonesOfNAT"` // see Prices.ZonesOfNAT
	// BreakEvenGB is the traffic from which an interface endpoint beside the NAT gateway saves money.
	BreakEvenGB float64 `json:"breakEvenGB"`
	// BreakEvenWithoutNATGB is the same if nothing else needs the NAT gateway, so that it can go.
	BreakEvenWithoutNATGB float64 `json:"breakEvenWithoutNATGB"`
}

// Compare reckons the roads of a region by the prices that come with the program. A region that they are not of is
// refused.
func Compare(region string, t Traffic) (Comparison, error) {
	if !(t.GB >= 0 && t.GB <= maxGB) {
		return Comparison{}, fmt.Errorf("compare costs: %v GB is no amount of traffic", t.GB)
	}
	if t.Zones < 1 || t.NATGateways < 1 || t.NATGateways > t.Zones {
		return Comparison{}, fmt.Errorf("compare costs: %d NAT gateways in %d zones: at least one, and at most one in each zone", t.NATGateways, t.Zones)
	}
	table, err := EmbeddedPrices()
	if err != nil {
		return Comparison{}, err
	}
	p, err := table.Of(region)
	if err != nil {
		return Comparison{}, err
	}
	return Comparison{
		Region: region, Traffic: t,
		Roads:                 []Bill{p.NAT(t), p.InterfaceEndpoint(t), p.GatewayEndpoint(t)},
		ZonesOfNAT:            p.ZonesOfNAT(),
		BreakEvenGB:           p.BreakEvenGB(t.Zones),
		BreakEvenWithoutNATGB: p.BreakEvenWithoutNATGB(t.Zones, t.NATGateways),
	}, nil
}

// ZonesOfNAT is in how many zones one interface endpoint can be for the hourly price of one NAT gateway.
func (p Prices) ZonesOfNAT() float64 { return float64(p.NATHour) / float64(p.EndpointHour) }

// BreakEvenGB is the traffic from which an interface endpoint costs less than the data charge of a NAT gateway
// that stays for other traffic.
func (p Prices) BreakEvenGB(zones int) float64 {
	return p.breakEven(Money(zones) * HoursPerMonth * p.EndpointHour)
}

// BreakEvenWithoutNATGB is the traffic from which an interface endpoint costs less than NAT gateways, with their
// addresses, that go when it comes. Zero: it costs less from the first byte.
func (p Prices) BreakEvenWithoutNATGB(zones, natGateways int) float64 {
	endpoint := Money(zones) * HoursPerMonth * p.EndpointHour
	return p.breakEven(endpoint - Money(natGateways)*HoursPerMonth*(p.NATHour+p.PublicIPv4Hour))
}

// breakEven is how much traffic saves a fixed amount by the difference of the data charges.
func (p Prices) breakEven(fixed Money) float64 {
	if fixed <= 0 {
		return 0
	}
	var from int64
	for _, t := range p.EndpointGB {
		if p.NATGB <= t.PerGB {
			break
		}
		saved := Money(t.UpToGB-from) * (p.NATGB - t.PerGB)
		if t.UpToGB == 0 || saved >= fixed {
			return float64(from) + float64(fixed)/float64(p.NATGB-t.PerGB)
		}
		fixed -= saved
		from = t.UpToGB
	}
	return math.Inf(1) // the data charge never differs enough
}

// Table is a comparison for people to read.
type Table struct {
	Header []string   `json:"header"`
	Rows   [][]string `json:"rows"`
	Notes  []string   `json:"notes,omitempty"`
}

// Table lays a comparison out: a row for each road.
func (c Comparison) Table() Table {
	t := Table{Header: []string{"road", "fixed/month", "data/month", "total/month"}}
	for _, b := range c.Roads {
		fixed, data := b.split()
		t.Rows = append(t.Rows, []string{b.Road, fixed.String(), data.String(), b.USD.String()})
	}
	t.Notes = append(t.Notes, c.breakEvenNote(), c.priceNote())
	return t
}

func (c Comparison) breakEvenNote() string {
	instead := "from " + oneDecimal(c.BreakEvenWithoutNATGB) + " GB"
	if c.BreakEvenWithoutNATGB == 0 {
		instead = "at once"
	}
	return fmt.Sprintf("An interface endpoint in %d zone(s) pays from %s GB a month beside a NAT gateway, %s in its place; a gateway endpoint is free.",
		c.Traffic.Zones, oneDecimal(c.BreakEvenGB), instead)
}

func (c Comparison) priceNote() string {
	return fmt.Sprintf("List prices of %s in USD, %d hours a month.", c.Region, HoursPerMonth)
}

func oneDecimal(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
