package cost

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"
)

// byNAT is the article's other road in two zones, and 500 GB over it.
func byNAT(t *testing.T) Inventory {
	in, err := Inventory{
		Region: "us-west-2", PublicAddresses: 2, Zones: 2, NATGateways: []NATGateway{{ID: "nat-1", Addresses: 1}, {ID: "nat-2", Addresses: 1}},
	}.Spread(500)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestARegionIsBilledAsItIsAndAsItCouldBe(t *testing.T) {
	s, err := Assess(byNAT(t), "--gb 500")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"as it is", "$0.100", "$73.00", "$22.50", "$95.50", ""},
		{"interface endpoint, NAT gateways kept", "$0.120", "$87.60", "$5.00", "$92.60", "$2.90"},
		{"interface endpoint, NAT gateways removed", "$0.020", "$14.60", "$5.00", "$19.60", "$75.90"},
		{"gateway endpoint, NAT gateways kept", "$0.100", "$73.00", "$0.00", "$73.00", "$22.50"},
		{"gateway endpoint, NAT gateways removed", "$0.000", "$0.00", "$0.00", "$0.00", "$95.50"},
	}
	if diff := cmp.Diff(s.Table().Rows, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	for _, note := range []string{"208.6 GB a month in one zone, 417.1 in two, 625.7 in three", "--gb 500", "us-west-2 as of", "Left out: data between availability zones"} {
		if !strings.Contains(strings.Join(s.Table().Notes, "\n"), note) {
			t.Errorf("the notes do not say %q: %q", note, s.Table().Notes)
		}
	}
}

func TestARegionOfEndpointsIsComparedWithNAT(t *testing.T) {
	in, err := Inventory{Region: "us-west-2", InterfaceEndpoints: []InterfaceEndpoint{{ID: "vpce-1", Service: "s3", Zones: 1}}}.Spread(7_000_000)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Assess(in, "")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"as it is", "$0.010", "$7.30", "$42,680.06", "$42,687.36", ""},
		{"NAT gateways instead of interface endpoints", "$0.050", "$36.50", "$315,000.00", "$315,036.50", "-$272,349.14"},
	}
	if diff := cmp.Diff(s.Table().Rows, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func TestARegionWithoutKnownPricesIsRefused(t *testing.T) {
	_, err := Assess(Inventory{Region: "mars-north-1"}, "")
	if err == nil || !strings.Contains(err.Error(), "mars-north-1") || !strings.Contains(err.Error(), "us-east-1, us-west-2, eu-west-1") {
		t.Errorf("got %v", err)
	}
	for _, gb := range []float64{-1, 2e9} {
		if _, err := (Inventory{}).Spread(gb); err == nil {
			t.Errorf("%v GB: no error", gb)
		}
	}
}

// Whatever a region has: each bill is the sum of its lines, and more traffic never costs less.
func TestBillsAddUpAndNeverFallWithTraffic(t *testing.T) {
	check := func(region, nats, zones, endpoints uint8, less, more uint32) bool {
		in := Inventory{Region: known()[int(region)%3], Zones: int(zones % 4), PublicAddresses: int(nats % 5)}
		for range nats % 5 {
			in.NATGateways = append(in.NATGateways, NATGateway{ID: "nat", Addresses: 1})
		}
		for range endpoints % 5 {
			in.InterfaceEndpoints = append(in.InterfaceEndpoints, InterfaceEndpoint{ID: "vpce", Service: "s3", Zones: 1 + int(zones%3)})
		}
		if len(in.NATGateways)+len(in.InterfaceEndpoints) == 0 {
			in.GatewayEndpoints = []GatewayEndpoint{{ID: "vpce", Service: "s3"}}
		}
		// Up to four hundred million GB, in steps that are no whole GB.
		a, b := assessed(t, in, float64(min(less, more))/10.3), assessed(t, in, float64(max(less, more))/10.3)
		for i := range a.Ways {
			if a.Ways[i].USD > b.Ways[i].USD || !addsUp(a.Ways[i].Bill) || !addsUp(b.Ways[i].Bill) {
				t.Logf("%+v costs %s for less, %s for more", in, a.Ways[i].USD, b.Ways[i].USD)
				return false
			}
		}
		return a.Ways[0].USD > 0 || len(in.NATGateways)+len(in.InterfaceEndpoints) == 0
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

func assessed(t *testing.T, in Inventory, gb float64) Statement {
	in, err := in.Spread(gb)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Assess(in, "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func addsUp(b Bill) bool {
	var sum Money
	for _, l := range b.Lines {
		sum += l.USD
	}
	return sum == b.USD
}

func TestSpreadingLosesNoByte(t *testing.T) {
	in := Inventory{NATGateways: make([]NATGateway, 3)}
	in, err := in.Spread(1000.7)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := in.natBytes(), bytesOf(1000.7); got != want {
		t.Errorf("got %d bytes, want %d", got, want)
	}
}

func TestMoneyIsWrittenExactly(t *testing.T) {
	for m, want := range map[Money][2]string{
		0: {"$0.00", "0"}, 42680_064000: {"$42,680.06", "42680.064"}, -1_500000: {"-$1.50", "-1.5"}, 5_000: {"$0.01", "0.005"}, 1_234567_890000: {"$1,234,567.89", "1234567.89"},
	} {
		b, err := json.Marshal(m)
		if m.String() != want[0] || string(b) != want[1] || err != nil {
			t.Errorf("%d: got %s and %s, want %v", m, m, b, want)
		}
	}
}
