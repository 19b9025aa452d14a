package cost

import (
	"fmt"
	"math/bits"
)

// charge is a line of the bill that flows cause, and how many bytes of each count.
type charge struct {
	line  Line
	bytes []uint64 // by flow
}

// bill adds up what an inventory costs a month.
func (p Prices) bill(road string, in Inventory) Bill {
	var lines []Line
	for _, n := range in.NATGateways {
		lines = append(lines, hourly("NAT gateway "+named(n.ID, n.Name), 1, p.NATHour))
	}
	for _, e := range in.Endpoints {
		if !e.Gateway {
			lines = append(lines, hourly(fmt.Sprintf("%s interface endpoint %s, %d zone(s)", e.Service, named(e.ID, e.Name), len(e.Zones)), len(e.Zones), p.EndpointHour))
		}
	}
	lines = append(lines, hourly("public IPv4 addresses", in.PublicAddresses, p.PublicIPv4Hour))
	for _, c := range p.charges(in) {
		lines = append(lines, c.line)
	}
	return newBill(road, lines...)
}

// charges are what is paid for data.
func (p Prices) charges(in Inventory) []charge {
	var all []charge
	add := func(what string, price func(bytes uint64) Money, counts func(Flow) uint64) {
		c := charge{bytes: make([]uint64, len(in.Flows))}
		var sum uint64
		for i, f := range in.Flows {
			c.bytes[i] = counts(f)
			sum += c.bytes[i]
		}
		c.line = Line{what, gigabytes(sum), "GB", price(sum)}
		all = append(all, c)
	}
	through := func(id string) func(Flow) uint64 {
		return func(f Flow) uint64 {
			if f.Via == id {
				return f.bytes()
			}
			return 0
		}
	}
	one := func(price Money) func(uint64) Money { return func(bytes uint64) Money { return perGB(price, bytes) } }
	for _, n := range in.NATGateways {
		add("data through "+named(n.ID, n.Name), one(p.NATGB), through(n.ID))
	}
	interfaces := map[string]bool{}
	for _, e := range in.Endpoints {
		if e.Gateway {
			add(fmt.Sprintf("data through %s gateway endpoint %s", e.Service, named(e.ID, e.Name)), one(p.GatewayGB), through(e.ID))
		} else {
			interfaces[e.ID] = true
		}
	}
	// The tiers count all endpoints of the region together.
	add("data through interface endpoints", func(bytes uint64) Money { return tiered(p.EndpointGB, bytes) }, func(f Flow) uint64 {
		if interfaces[f.Via] {
			return f.bytes()
		}
		return 0
	})
	add("data between zones, each side", one(p.BetweenZonesGB), func(f Flow) uint64 {
		switch {
		case !f.CrossZone || interfaces[f.Via]:
			return 0
		case f.OneSide:
			return f.bytes()
		default:
			return 2 * f.bytes()
		}
	})
	add("data out to the internet", func(bytes uint64) Money { return tiered(p.InternetOutGB, bytes) }, func(f Flow) uint64 {
		if f.outward() {
			return f.Out
		}
		return 0
	})
	return all
}

// attribute gives every flow its part of the bill for data. The parts add up to the whole.
func (p Prices) attribute(in Inventory) []Flow {
	flows := append([]Flow{}, in.Flows...)
	for _, c := range p.charges(in) {
		var sum uint64
		for _, n := range c.bytes {
			sum += n
		}
		var before uint64
		var paid Money
		for i, n := range c.bytes {
			if n == 0 {
				continue
			}
			before += n
			upTo := fraction(c.line.USD, before, sum)
			flows[i].USD += upTo - paid
			paid = upTo
		}
	}
	return flows
}

// fraction is a part of an amount.
func fraction(of Money, part, whole uint64) Money {
	high, low := bits.Mul64(uint64(of), part)
	q, _ := bits.Div64(high, low, whole) // part is not more than whole
	return Money(q)
}

// Service is what one service's traffic of a month costs by each road, for itself alone.
type Service struct {
	Service string  `json:"service"`
	GB      float64 `json:"gb"`
	Zones   int     `json:"zones"` // in which an endpoint is, or would have to be
	USD     Money   `json:"usd"`   // for data, as it is
	NAT     Money   `json:"natDataUSD"`
	// Interface is an interface endpoint's hours and data; PerHour is what it costs with no traffic.
	Interface Money  `json:"interfaceEndpointUSD"`
	PerHour   Money  `json:"interfaceEndpointPerHour"`
	Gateway   *Money `json:"gatewayEndpointUSD,omitempty"` // nil: there is none for this service
	// BreakEvenGB is from where the interface endpoint costs less than the data charge of a NAT gateway.
	BreakEvenGB float64 `json:"breakEvenGB"`
}
