package cost

// Line is one item of a month's bill.
type Line struct {
	What     string  `json:"what"`
	Quantity float64 `json:"quantity"`
	Unit     string  `json:"unit"` // hour, GB
	USD      Money   `json:"usd"`
}

// Bill is what one road costs a month.
type Bill struct {
	Road  string `json:"road"`
	Lines []Line `json:"lines"`
	USD   Money  `json:"usd"`
}

func newBill(road string, lines ...Line) Bill {
	b := Bill{Road: road, Lines: []Line{}}
	for _, l := range lines {
		if l.Quantity != 0 {
			b.Lines = append(b.Lines, l)
			b.USD += l.USD
		}
	}
	return b
}

// hourly is the line of some things that are paid for by the hour, for a month.
func hourly(what string, count int, price Money) Line {
	return Line{what, float64(count) * HoursPerMonth, "hour", Money(count) * HoursPerMonth * price}
}

// Traffic is what goes to the service in a month, and from where.
type Traffic struct {
	GB float64 `json:"gb"` // both ways together
	// Zones is in how many availability zones the workloads are, with the traffic spread evenly.
	Zones int `json:"zones"`
	// NATGateways is how many there are, each in a zone of its own and with one public address.
	NATGateways int `json:"natGateways"`
}

// NAT is the road through NAT gateways and the internet gateway. The service is in the same region, so leaving
// the VPC costs nothing; what comes from a zone without a NAT gateway pays for the way between the zones.
func (p Prices) NAT(t Traffic) Bill {
	crossing := t.GB * float64(max(t.Zones-t.NATGateways, 0)) / float64(t.Zones)
	return newBill("NAT gateway",
		hourly("NAT gateways", t.NATGateways, p.NATHour),
		hourly("public IPv4 addresses", t.NATGateways, p.PublicIPv4Hour),
		Line{"data through NAT gateways", t.GB, "GB", perGB(p.NATGB, bytesOf(t.GB))},
		Line{"data between zones", crossing, "GB", perGB(2*p.BetweenZonesGB, bytesOf(crossing))},
	)
}

// InterfaceEndpoint is the road through one interface endpoint with an interface in every zone.
func (p Prices) InterfaceEndpoint(t Traffic) Bill {
	return newBill("interface endpoint",
		hourly("endpoint interfaces", t.Zones, p.EndpointHour),
		Line{"data through interface endpoints", t.GB, "GB", tiered(p.EndpointGB, bytesOf(t.GB))},
	)
}

// GatewayEndpoint is the road through a gateway endpoint, which S3 and DynamoDB have. It is free.
func (p Prices) GatewayEndpoint(Traffic) Bill { return newBill("gateway endpoint") }
