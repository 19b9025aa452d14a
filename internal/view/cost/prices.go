package cost

// HoursPerMonth is the month that AWS's price pages reckon with.
const HoursPerMonth = 730

// PricesAsOf is the day on which the youngest of the sources below was read.
const PricesAsOf = "2026-10-02"

// Prices are a region's list prices in US dollars.
type Prices struct {
	Region         string // whose prices these are
	NATHour        Money
	NATGB          Money  // processed, whichever way it goes
	EndpointHour   Money  // an interface endpoint in one availability zone
	EndpointGB     []Tier // of all interface endpoints in the region together
	PublicIPv4Hour Money  // in use or idle
	BetweenZonesGB Money  // charged on both sides
}

// Tier is the price of the traffic up to an amount; traffic beyond it is the next tier's.
type Tier struct {
	UpToGB int64 // 0: no end
	PerGB  Money
}

// Lookup returns a region's prices. For a region whose prices are not known it returns those of us-east-1, whose
// name they bear, and false.
func Lookup(region string) (p Prices, found bool) {
	for _, p := range priceList() {
		if p.Region == region {
			return p, true
		}
	}
	return priceList()[0], false
}

// known are the regions whose prices are known.
func known() []string {
	var regions []string
	for _, p := range priceList() {
		regions = append(regions, p.Region)
	}
	return regions
}

// priceList holds what is known, us-east-1 first, in millionths of a US dollar.
//
// NAT gateway: us-east-1 0.045 USD an hour and a GB, us-west-2 the same (usage type USW2-NatGateway-Hours, 32.85 USD
// for 730 hours); eu-west-1 0.048 (AWS price list of AmazonEC2, published 2026-09-25).
// Interface endpoint: https://aws.amazon.com/privatelink/pricing/, 0.010 USD an hour and zone; eu-west-1 0.011.
// Public IPv4: AWS News Blog, "AWS Public IPv4 Address Charge", in force since 2024-02-01, the same in all regions.
// Between zones: https://aws.amazon.com/ec2/pricing/on-demand/, "Data Transfer", 0.01 USD a GB in each direction.
// Gateway endpoints: AWS PrivateLink guide, "Gateway endpoints": no additional charge, hence no price here.
func priceList() []Prices {
	return []Prices{
		{"us-east-1", 45_000, 45_000, 10_000, endpointTiers(), 5_000, 10_000},
		{"us-west-2", 45_000, 45_000, 10_000, endpointTiers(), 5_000, 10_000},
		{"eu-west-1", 48_000, 48_000, 11_000, endpointTiers(), 5_000, 10_000},
	}
}

// endpointTiers are the prices of data through interface endpoints: the first petabyte, the next four, the rest.
// See https://aws.amazon.com/privatelink/pricing/.
func endpointTiers() []Tier {
	return []Tier{{1 << 20, 10_000}, {5 << 20, 6_000}, {0, 4_000}}
}
