package cost

import "math"

// HoursPerMonth is the month that AWS's price pages reckon with.
const HoursPerMonth = 730

// Prices are a region's list prices in US dollars.
type Prices struct {
	Region         string // whose prices these are
	NATHour        float64
	NATGB          float64 // processed, whichever way it goes
	EndpointHour   float64 // an interface endpoint in one availability zone
	EndpointGB     []Tier  // of all interface endpoints in the region together
	PublicIPv4Hour float64 // in use or idle
	BetweenZonesGB float64 // charged on both sides
}

// Tier is the price of the traffic up to an amount; traffic beyond it is the next tier's.
type Tier struct {
	UpToGB float64
	PerGB  float64
}

// Lookup returns a region's prices. For a region whose prices are not known it returns those of us-east-1, whose
// name they bear, and false.
func Lookup(region string) (p Prices, known bool) {
	for _, p := range priceList() {
		if p.Region == region {
			return p, true
		}
	}
	return priceList()[0], false
}

// priceList holds what is known, us-east-1 first.
//
// NAT gateway: us-east-1 0.045 USD an hour and a GB, us-west-2 the same (usage type USW2-NatGateway-Hours, 32.85 USD
// for 730 hours); eu-west-1 0.048 (AWS price list of AmazonEC2, published 2026-09-25).
// Interface endpoint: https://aws.amazon.com/privatelink/pricing/, 0.010 USD an hour and zone; eu-west-1 0.011.
// Public IPv4: AWS News Blog, "AWS Public IPv4 Address Charge", in force since 2024-02-01, the same in all regions.
// Between zones: https://aws.amazon.com/ec2/pricing/on-demand/, "Data Transfer", 0.01 USD a GB in each direction.
// Gateway endpoints: AWS PrivateLink guide, "Gateway endpoints": no additional charge, hence no price here.
func priceList() []Prices {
	return []Prices{
		{"us-east-1", 0.045, 0.045, 0.010, endpointTiers(), 0.005, 0.01},
		{"us-west-2", 0.045, 0.045, 0.010, endpointTiers(), 0.005, 0.01},
		{"eu-west-1", 0.048, 0.048, 0.011, endpointTiers(), 0.005, 0.01},
	}
}

// endpointTiers are the prices of data through interface endpoints: the first petabyte, the next four, the rest.
// See https://aws.amazon.com/privatelink/pricing/.
func endpointTiers() []Tier {
	return []Tier{{1 << 20, 0.010}, {5 << 20, 0.006}, {math.Inf(1), 0.004}}
}

// tiered is what an amount of traffic costs.
func tiered(tiers []Tier, gb float64) float64 {
	var total, from float64
	for _, t := range tiers {
		if gb <= from {
			break
		}
		total += (min(gb, t.UpToGB) - from) * t.PerGB
		from = t.UpToGB
	}
	return total
}
