package cost

import (
	"encoding/json"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"
)

func known(t testing.TB) PriceTable {
	t.Helper()
	table, err := embeddedOnce()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

var embeddedOnce = sync.OnceValues(EmbeddedPrices)

func prices(t *testing.T, region string) Prices {
	t.Helper()
	p, err := known(t).Of(region)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

func TestFixedPricesOfAMonthAreTheKnownOnes(t *testing.T) {
	for _, c := range []struct {
		region        string
		nat, endpoint float64
	}{{"us-east-1", 32.85, 7.30}, {"us-west-2", 32.85, 7.30}, {"eu-west-1", 35.04, 8.03}} {
		p := prices(t, c.region)
		nat := p.NAT(Traffic{Zones: 1, NATGateways: 1})
		if !near(nat.Lines[0].USD.Dollars(), c.nat, 1e-9) || !near(nat.USD.Dollars(), c.nat+3.65, 1e-9) {
			t.Errorf("%s: NAT costs %v, %v with its address; want %v and 3.65 more", c.region, nat.Lines[0].USD, nat.USD, c.nat)
		}
		if got := p.InterfaceEndpoint(Traffic{Zones: 1}).USD.Dollars(); !near(got, c.endpoint, 1e-9) {
			t.Errorf("%s: an endpoint costs %v, want %v", c.region, got, c.endpoint)
		}
		if got := p.GatewayEndpoint(Traffic{GB: 1e6, Zones: 3}).USD; got != 0 {
			t.Errorf("%s: a gateway endpoint costs %v, want nothing", c.region, got)
		}
	}
}

func TestAnEndpointPaysFromTheKnownTraffic(t *testing.T) {
	for region, want := range map[string][]float64{
		"us-east-1": {208.6, 417.1, 625.7}, "us-west-2": {208.6, 417.1, 625.7}, "eu-west-1": {211.3, 422.6, 633.9},
	} {
		p := prices(t, region)
		for i, gb := range want {
			if got := p.BreakEvenGB(i + 1); !near(got, gb, 0.06) {
				t.Errorf("%s in %d zones: got %.2f GB, want %.1f", region, i+1, got, gb)
			}
		}
	}
}

func TestANATGatewayPaysForTheKnownNumberOfEndpoints(t *testing.T) {
	if got := prices(t, "us-east-1").ZonesOfNAT(); !near(got, 4.5, 1e-9) {
		t.Errorf("us-east-1: got %v, want 4.5", got)
	}
	if got := 3 * prices(t, "us-east-1").ZonesOfNAT(); !near(got, 13.5, 1e-9) {
		t.Errorf("us-east-1 in three zones: got %v, want 13.5", got)
	}
	if got := prices(t, "eu-west-1").ZonesOfNAT(); !near(got, 4.36, 0.005) {
		t.Errorf("eu-west-1: got %v, want 4.36", got)
	}
}

// Just below the break-even the endpoint costs more, just above it costs less, in every tier.
func TestTheBreakEvenIsWhereTheBillsMeet(t *testing.T) {
	check := func(zones uint16, region uint8) bool {
		p := prices(t, known(t).regions()[region%3])
		n := int(zones)*20 + 1 // enough to reach the last tier
		gb := p.BreakEvenGB(n)
		endpoint := p.InterfaceEndpoint(Traffic{GB: gb, Zones: n}).USD.Dollars()
		return near(endpoint, gb*p.NATGB.Dollars(), 1e-6*endpoint)
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
	p := prices(t, "us-east-1")
	if got := p.BreakEvenGB(1 << 20); got < 5<<20 {
		t.Errorf("a million zones pay from %v GB: the last tier is not reached", got)
	}
	if got := p.BreakEvenWithoutNATGB(4, 1); got != 0 {
		t.Errorf("four zones instead of a NAT gateway: got %v GB, want to pay at once", got)
	}
	if got, want := p.BreakEvenWithoutNATGB(6, 1), (6*7.30-36.50)/0.035; !near(got, want, 1e-6) {
		t.Errorf("six zones instead of a NAT gateway: got %v GB, want %v", got, want)
	}
}

func TestDataIsChargedByTier(t *testing.T) {
	for gb, want := range map[float64]Money{
		0: 0, 100: 1_000_000, 1 << 20: 10485_760000, 2 << 20: 16777_216000, 6 << 20: 39845_888000, 7_000_000: 42680_064000, 0.5: 5_000,
	} {
		if got := tiered(prices(t, "us-east-1").EndpointGB, bytesOf(gb)); got != want {
			t.Errorf("%v GB: got %d, want %d", gb, got, want)
		}
	}
	if got := tiered(prices(t, "us-east-1").EndpointGB, bytesOf(7_000_000)).String(); got != "$42,680.06" {
		t.Errorf("7,000,000 GB through endpoints: got %s", got)
	}
}

func TestZonesWithoutANATGatewayPayForTheWayToOne(t *testing.T) {
	b := prices(t, "us-west-2").NAT(Traffic{GB: 300, Zones: 3, NATGateways: 1})
	want := Bill{Road: "NAT gateway", Lines: []Line{
		{"NAT gateways", 730, "hour", 32_850000}, {"public IPv4 addresses", 730, "hour", 3_650000},
		{"data through NAT gateways", 300, "GB", 13_500000}, {"data between zones", 200, "GB", 4_000000},
	}, USD: 54_000000}
	if diff := cmp.Diff(b, want); diff != "" {
		t.Error(diff)
	}
}

func TestTheTableSaysWhosePricesItHas(t *testing.T) {
	c, err := Compare("us-west-2", Traffic{GB: 1000, Zones: 1, NATGateways: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := Table{
		Header: []string{"road", "fixed/month", "data/month", "total/month"},
		Rows: [][]string{
			{"NAT gateway", "$36.50", "$45.00", "$81.50"},
			{"interface endpoint", "$7.30", "$10.00", "$17.30"},
			{"gateway endpoint", "$0.00", "$0.00", "$0.00"},
		},
		Notes: []string{
			"An interface endpoint in 1 zone(s) pays from 208.6 GB a month beside a NAT gateway, at once in its place; a gateway endpoint is free.",
			"List prices of us-west-2 in USD, 730 hours a month.",
		},
	}
	if diff := cmp.Diff(c.Table(), want); diff != "" {
		t.Error(diff)
	}
	if _, err := json.Marshal(c); err != nil {
		t.Errorf("as JSON: %v", err)
	}
	if _, err := Compare("mars-north-1", Traffic{GB: 1, Zones: 1, NATGateways: 1}); err == nil || !strings.Contains(err.Error(), "the prices of mars-north-1 are not known here, only those of us-east-1, us-west-2, eu-west-1") {
		t.Errorf("an unknown region: got %v", err)
	}
}

func TestTrafficThatCannotBeIsRefused(t *testing.T) {
	for _, bad := range []Traffic{
		{GB: -1, Zones: 1, NATGateways: 1}, {GB: math.NaN(), Zones: 1, NATGateways: 1}, {GB: math.Inf(1), Zones: 1, NATGateways: 1}, {GB: 2e9, Zones: 1, NATGateways: 1},
		{Zones: 0, NATGateways: 1}, {Zones: 1, NATGateways: 0}, {Zones: 1, NATGateways: 2},
	} {
		if _, err := Compare("us-west-2", bad); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}
