package cost

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// HoursPerMonth is the month that AWS's price pages reckon with.
const HoursPerMonth = 730

// Prices older than this are suspect.
const stale = 180 * 24 * time.Hour

//go:embed prices.json
var embedded []byte

// Price is a row of a price table: what one unit costs in a region, from an amount of a month on.
type Price struct {
	Region string `json:"region"`
	Item   string `json:"item"` // see items
	Unit   string `json:"unit"` // hour, GB
	FromGB int64  `json:"from,omitempty"`
	USD    Money  `json:"usd"`
	Source string `json:"source"`
	Date   string `json:"date"` // on which the source said so: 2026-10-02
}

// The items of a price table and their units. Those of which parts of a month have prices of their own have tiers.
const (
	itemNATHour       = "nat-gateway-hour"
	itemNATGB         = "nat-gateway-gb"
	itemEndpointHour  = "interface-endpoint-hour"
	itemEndpointGB    = "interface-endpoint-gb"
	itemGatewayGB     = "gateway-endpoint-gb"
	itemIPv4Hour      = "public-ipv4-hour"
	itemBetweenZones  = "between-zones-gb"
	itemInternetOutGB = "internet-out-gb"
)

func items() []string {
	return []string{itemNATHour, itemNATGB, itemEndpointHour, itemEndpointGB, itemGatewayGB, itemIPv4Hour, itemBetweenZones, itemInternetOutGB}
}

// tieredItem reports whether an item may have several rows in a region.
func tieredItem(item string) bool { return item == itemEndpointGB || item == itemInternetOutGB }

// PriceTable is a list of prices.
type PriceTable []Price

// EmbeddedPrices are those that come with the program.
func EmbeddedPrices() (PriceTable, error) { return ParsePrices(embedded) }

// ParsePrices reads a table, JSON or YAML: a list of rows as those in prices.json.
func ParsePrices(raw []byte) (PriceTable, error) {
	var t PriceTable
	if err := yaml.UnmarshalStrict(raw, &t); err != nil {
		return nil, fmt.Errorf("read the prices: %v", strings.TrimPrefix(err.Error(), "error unmarshaling JSON: while decoding JSON: "))
	}
	if len(t) == 0 {
		return nil, fmt.Errorf("read the prices: there is none")
	}
	seen := map[Price]bool{}
	for i, p := range t {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("read the prices: row %d: %w", i+1, err)
		}
		key := Price{Region: p.Region, Item: p.Item, FromGB: p.FromGB}
		if seen[key] {
			return nil, fmt.Errorf("read the prices: row %d: %s from %d has a price in %s already", i+1, p.Item, p.FromGB, p.Region)
		}
		seen[key] = true
	}
	return t, nil
}

func (p Price) check() error {
	unit := "GB"
	if strings.HasSuffix(p.Item, "-hour") {
		unit = "hour"
	}
	switch _, err := time.Parse(time.DateOnly, p.Date); {
	case p.Region == "":
		return fmt.Errorf("no region")
	case !slices.Contains(items(), p.Item):
		return fmt.Errorf("item %q is none of %s", p.Item, strings.Join(items(), ", "))
	case p.Unit != unit:
		return fmt.Errorf("the unit of %s is %s, not %q", p.Item, unit, p.Unit)
	case p.USD < 0 || p.USD > 1000*dollar:
		return fmt.Errorf("usd %s is no price between 0 and 1000", p.USD)
	case p.FromGB < 0 || p.FromGB > maxGB:
		return fmt.Errorf("from %d is no amount between 0 and %g GB", p.FromGB, maxGB)
	case p.FromGB > 0 && !tieredItem(p.Item):
		return fmt.Errorf("%s has one price, whatever the amount", p.Item)
	case p.Source == "":
		return fmt.Errorf("%s in %s has no source", p.Item, p.Region)
	case err != nil:
		return fmt.Errorf("date %q is not of the form 2026-10-02", p.Date)
	}
	return nil
}

// Prices are a region's list prices in US dollars.
type Prices struct {
	Region         string
	NATHour        Money
	NATGB          Money  // processed, whichever way it goes
	EndpointHour   Money  // an interface endpoint in one availability zone
	EndpointGB     []Tier // of all interface endpoints in the region together
	GatewayGB      Money  // through gateway endpoints
	PublicIPv4Hour Money  // in use or idle
	BetweenZonesGB Money  // charged on both sides
	InternetOutGB  []Tier // of all that leaves for the internet
	Rows           []Price
}

// Tier is the price of the traffic up to an amount; traffic beyond it is the next tier's.
type Tier struct {
	UpToGB int64 // 0: no end
	PerGB  Money
}

// Of returns a region's prices. A region or a price that is not in the table is refused: a guess is no price.
func (t PriceTable) Of(region string) (Prices, error) {
	p := Prices{Region: region}
	for _, row := range t {
		if row.Region == region {
			p.Rows = append(p.Rows, row)
		}
	}
	if len(p.Rows) == 0 {
		return p, fmt.Errorf("the prices of %s are not known here, only those of %s; --prices FILE brings others", region, strings.Join(t.regions(), ", "))
	}
	tiers := map[string][]Tier{}
	for _, item := range items() {
		rows := slices.DeleteFunc(slices.Clone(p.Rows), func(r Price) bool { return r.Item != item })
		slices.SortFunc(rows, func(a, b Price) int { return int(a.FromGB - b.FromGB) })
		if len(rows) == 0 || rows[0].FromGB != 0 {
			return p, fmt.Errorf("the price of %s in %s is not known from the first on", item, region)
		}
		for i, r := range rows {
			tier := Tier{PerGB: r.USD}
			if i+1 < len(rows) {
				tier.UpToGB = rows[i+1].FromGB
			}
			tiers[item] = append(tiers[item], tier)
		}
	}
	one := func(item string) Money { return tiers[item][0].PerGB }
	p.NATHour, p.NATGB, p.EndpointHour, p.EndpointGB = one(itemNATHour), one(itemNATGB), one(itemEndpointHour), tiers[itemEndpointGB]
	p.GatewayGB, p.PublicIPv4Hour, p.BetweenZonesGB, p.InternetOutGB = one(itemGatewayGB), one(itemIPv4Hour), one(itemBetweenZones), tiers[itemInternetOutGB]
	return p, nil
}

func (t PriceTable) regions() []string {
	var regions []string
	for _, p := range t {
		if !slices.Contains(regions, p.Region) {
			regions = append(regions, p.Region)
		}
	}
	return regions
}

// dates are the oldest and the youngest date of a region's prices.
func (p Prices) dates() (oldest, youngest string) {
	for _, r := range p.Rows {
		if oldest == "" || r.Date < oldest {
			oldest = r.Date
		}
		youngest = max(youngest, r.Date)
	}
	return oldest, youngest
}

// warning says that some prices are old; empty: none is.
func (p Prices) warning(now time.Time) string {
	oldest, _ := p.dates()
	day, err := time.Parse(time.DateOnly, oldest)
	if err != nil || now.Sub(day) <= stale {
		return ""
	}
	return fmt.Sprintf("Some prices are of %s, more than %d days old: look whether they still hold, and give --prices FILE if not.", oldest, int(stale.Hours()/24))
}

// UnmarshalJSON reads dollars with at most six digits after the point, as a number or a text.
func (m *Money) UnmarshalJSON(raw []byte) error {
	s := strings.Trim(string(raw), `"`)
	whole, rest, _ := strings.Cut(s, ".")
	if len(rest) > 6 || strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "+") {
		return fmt.Errorf("%s is no amount in dollars with at most six digits after the point", raw)
	}
	v, err := strconv.ParseInt(whole+rest+strings.Repeat("0", 6-len(rest)), 10, 64)
	if err != nil || v > int64(maxMoney) || v < -int64(maxMoney) {
		return fmt.Errorf("%s is no amount in dollars with at most six digits after the point", raw)
	}
	*m = Money(v)
	return nil
}

// maxMoney is more than any price.
const maxMoney = 1_000_000 * dollar
