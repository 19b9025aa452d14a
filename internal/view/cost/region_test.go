package cost

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/google/go-cmp/cmp"
)

// twoZones is the article's other road in two zones.
func twoZones() Inventory {
	return Inventory{
		Region: "us-west-2", PublicAddresses: 2, Zones: map[string][]string{"vpc-1": {"a", "b"}},
		NATGateways: []NATGateway{{ID: "nat-1", Name: "blue", VPC: "vpc-1", Zone: "a", Addresses: 1}, {ID: "nat-2", VPC: "vpc-1", Zone: "b", Addresses: 1}},
	}
}

func spread(t testing.TB, in Inventory, gb float64) Inventory {
	t.Helper()
	in, err := in.Spread(gb)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func assessed(t testing.TB, in Inventory) Statement {
	t.Helper()
	s, err := Assess(in, known(t), "--gb 500", day())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestARegionIsBilledAsItIsAndAsItCouldBe(t *testing.T) {
	s := assessed(t, spread(t, twoZones(), 500))
	want := [][]string{
		{"as it is", "$0.100", "$73.00", "$22.50", "$95.50", ""},
		{"interface endpoints, NAT gateways kept", "$0.120", "$87.60", "$5.00", "$92.60", "$2.90"},
		{"interface endpoints, NAT gateways removed", "$0.020", "$14.60", "$5.00", "$19.60", "$75.90"},
		{"gateway endpoints, NAT gateways kept", "$0.100", "$73.00", "$0.00", "$73.00", "$22.50"},
		{"gateway endpoints, NAT gateways removed", "$0.000", "$0.00", "$0.00", "$0.00", "$95.50"},
	}
	if diff := cmp.Diff(s.Table().Rows, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	for _, note := range []string{"supposed to go to S3", "208.6 GB a month in one zone, 417.1 in two, 625.7 in three", "--gb 500", "us-west-2 as of 2026-10-02", "Left out: what AWS may charge for data to an interface endpoint"} {
		if !strings.Contains(strings.Join(s.Table().Notes, "\n"), note) {
			t.Errorf("the notes do not say %q: %q", note, s.Table().Notes)
		}
	}
}

func TestARegionOfEndpointsIsComparedWithNAT(t *testing.T) {
	in := spread(t, Inventory{Region: "us-west-2", Endpoints: []Endpoint{{ID: "vpce-1", VPC: "vpc-1", Service: "s3", Zones: []string{"a"}}}}, 7_000_000)
	want := [][]string{
		{"as it is", "$0.010", "$7.30", "$42,680.06", "$42,687.36", ""},
		{"NAT gateways instead of interface endpoints", "$0.050", "$36.50", "$315,000.00", "$315,036.50", "-$272,349.14"},
	}
	if diff := cmp.Diff(assessed(t, in).Table().Rows, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// mixed has traffic of every kind that is paid for: 100 GB to S3 from the zone of the gateway and 50 from another, 20 to
// STS, 300 GB out to the internet and 30 in, and 10 GB between two instances in different zones.
func mixed() Inventory {
	gb := func(n uint64) uint64 { return n * bytesPerGB }
	in := twoZones()
	in.NATGateways = in.NATGateways[:1]
	in.LoadBalancers = 1
	in.Flows = []Flow{
		{Workload: "orders", VPC: "vpc-1", Zone: "a", Service: "s3", Via: "nat-1", In: gb(100)},
		{Workload: "orders", VPC: "vpc-1", Zone: "b", Service: "s3", Via: "nat-1", CrossZone: true, Out: gb(50)},
		{Workload: "orders", VPC: "vpc-1", Zone: "a", Service: "sts", Via: "nat-1", In: gb(20)},
		{Workload: "mail", VPC: "vpc-1", Zone: "a", Service: Internet, Via: "nat-1", Out: gb(300), In: gb(30)},
		{Workload: "db", VPC: "vpc-1", Zone: "a", Via: Local, CrossZone: true, OneSide: true, Out: gb(10)},
		{Workload: "api", VPC: "vpc-1", Zone: "b", Via: Local, CrossZone: true, OneSide: true, In: gb(10)},
	}
	return in
}

func TestEveryKindOfTrafficIsPricedOnce(t *testing.T) {
	s := assessed(t, mixed())
	want := []Line{
		{"NAT gateway nat-1 blue", 730, "hour", 32_850000}, {"public IPv4 addresses", 1460, "hour", 7_300000},
		{"data through nat-1 blue", 500, "GB", 22_500000},
		{"data between zones, each side", 120, "GB", 1_200000}, // 50 GB twice for the NAT gateway, 10 GB once at each end
		{"data out to the internet", 300, "GB", 18_000000},     // 200 GB beyond the free 100
	}
	if diff := cmp.Diff(s.Ways[0].Lines, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	parts := map[string]Money{}
	for _, f := range s.Flows {
		parts[f.Workload] += f.USD
	}
	if diff := cmp.Diff(parts, map[string]Money{"orders": 8_650000, "mail": 32_850000, "db": 100000, "api": 100000}); diff != "" {
		t.Errorf("whose traffic costs what (-got +want):\n%s", diff)
	}
	if s.LostGB != 330 || !strings.Contains(s.LeftOut[0], "1 load balancer(s)") {
		t.Errorf("lost %v, left out %q", s.LostGB, s.LeftOut)
	}
}

func TestEachServiceIsComparedByItself(t *testing.T) {
	want := [][]string{
		{"s3", "150", "$7.75", "$6.75", "$16.10 in 2 zone(s)", "$0.020", "$0.00", "417.1"},
		{"sts", "20", "$0.90", "$0.90", "$7.50 in 1 zone(s)", "$0.010", "-", "208.6"},
	}
	if diff := cmp.Diff(assessed(t, mixed()).ServiceTable().Rows, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func TestEndpointsTakeWhatGoesToServicesAndNothingElse(t *testing.T) {
	s := assessed(t, mixed())
	for i, want := range [][]Line{
		1: {
			{"NAT gateway nat-1 blue", 730, "hour", 32_850000}, {"s3 interface endpoint (new 1), 2 zone(s)", 1460, "hour", 14_600000},
			{"sts interface endpoint (new 2), 1 zone(s)", 730, "hour", 7_300000}, {"public IPv4 addresses", 1460, "hour", 7_300000},
			{"data through nat-1 blue", 330, "GB", 14_850000}, {"data through interface endpoints", 170, "GB", 1_700000},
			{"data between zones, each side", 20, "GB", 200000}, {"data out to the internet", 300, "GB", 18_000000},
		},
		4: {
			{"sts interface endpoint (new 2), 1 zone(s)", 730, "hour", 7_300000}, {"public IPv4 addresses", 730, "hour", 3_650000},
			{"data through s3 gateway endpoint (new 1)", 150, "GB", 0}, {"data through interface endpoints", 20, "GB", 200000},
			{"data between zones, each side", 20, "GB", 200000},
		},
	} {
		if want == nil {
			continue
		}
		if diff := cmp.Diff(s.Ways[i].Lines, want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", s.Ways[i].Road, diff)
		}
	}
}

// An endpoint that is there is used, and grows by the zones that it lacks.
func TestAnEndpointThatIsThereIsExtended(t *testing.T) {
	in := mixed()
	in.Endpoints = []Endpoint{{ID: "vpce-1", VPC: "vpc-1", Service: "s3", Zones: []string{"a"}}}
	var got []Endpoint
	for _, e := range in.withEndpoints(false).Endpoints {
		if e.Service == "s3" {
			got = append(got, e)
		}
	}
	if diff := cmp.Diff(got, []Endpoint{{ID: "vpce-1", VPC: "vpc-1", Service: "s3", Zones: []string{"a", "b"}}}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	if len(in.Endpoints[0].Zones) != 1 {
		t.Error("what is there was changed")
	}
}

func TestARegionWithoutKnownPricesIsRefused(t *testing.T) {
	_, err := Assess(Inventory{Region: "mars-north-1"}, known(t), "", day())
	if err == nil || !strings.Contains(err.Error(), "mars-north-1") || !strings.Contains(err.Error(), "us-east-1, us-west-2, eu-west-1") {
		t.Errorf("got %v", err)
	}
	for _, gb := range []float64{-1, 2e9} {
		if _, err := (Inventory{}).Spread(gb); err == nil {
			t.Errorf("%v GB: no error", gb)
		}
	}
}

func TestWhatWasMeasuredIsExtrapolatedExactly(t *testing.T) {
	flows, err := Scaled([]Flow{{Out: 7, In: 1 << 40}}, 3*time.Second, 6*time.Second)
	if err != nil || flows[0].Out != 14 || flows[0].In != 1<<41 {
		t.Errorf("got %+v, %v", flows, err)
	}
	for _, c := range []struct{ from, to time.Duration }{{0, 1}, {1, 0}, {1, 1 << 62}} {
		if _, err := Scaled([]Flow{{Out: 1 << 40}}, c.from, c.to); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}

// Whatever a region has: each bill is the sum of its lines, the bill for data is the sum of the flows' parts, and more
// traffic never costs less.
func TestBillsAddUpAndNeverFallWithTraffic(t *testing.T) {
	services := []string{"", "s3", "sts", Internet, "dynamodb"}
	check := func(region, nats, zones, endpoints uint8, traffic []uint64, which, more uint8) bool {
		in := Inventory{Region: known(t).regions()[region%3], PublicAddresses: int(nats % 5), Zones: map[string][]string{"vpc-1": []string{"a", "b", "c"}[:zones%4]}}
		via := []string{Local, "igw-1", "pcx-1"}
		for i := range nats % 5 {
			id := "nat-" + string(rune('0'+i))
			in.NATGateways, via = append(in.NATGateways, NATGateway{ID: id, VPC: "vpc-1", Addresses: 1}), append(via, id)
		}
		for i := range endpoints % 5 {
			id := "vpce-" + string(rune('0'+i))
			in.Endpoints = append(in.Endpoints, Endpoint{ID: id, VPC: "vpc-1", Service: services[1+i%2], Gateway: i == 2, Zones: []string{"a"}})
			via = append(via, id)
		}
		for i, n := range traffic {
			f := Flow{VPC: "vpc-1", Via: via[n%uint64(len(via))], Service: services[n/7%5], CrossZone: n/35%2 == 0, OneSide: n/70%2 == 0, Out: n % (1 << 50), In: n / 3 % (1 << 50)}
			if i%2 == 0 {
				f.Zone = "abc"[n/140%3 : n/140%3+1]
			}
			in.Flows = append(in.Flows, f)
		}
		a := assessed(t, in)
		var data, parts Money
		for _, l := range a.Ways[0].Lines {
			if l.Unit == "GB" {
				data += l.USD
			}
		}
		for _, f := range a.Flows {
			parts += f.USD
		}
		if len(in.Flows) > 0 {
			in.Flows[int(which)%len(in.Flows)].Out += uint64(more) << 36
			in.Flows[int(which)%len(in.Flows)].In += uint64(more)
		}
		b := assessed(t, in)
		for i := range a.Ways {
			if a.Ways[i].USD > b.Ways[i].USD || !addsUp(a.Ways[i].Bill) || !addsUp(b.Ways[i].Bill) {
				t.Logf("%+v costs %s for less, %s for more", in, a.Ways[i].USD, b.Ways[i].USD)
				return false
			}
		}
		return data == parts
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

func addsUp(b Bill) bool {
	var sum Money
	for _, l := range b.Lines {
		sum += l.USD
	}
	return sum == b.USD
}

func TestSpreadingLosesNoByte(t *testing.T) {
	in := spread(t, Inventory{NATGateways: make([]NATGateway, 3)}, 1000.7)
	if got, err := total(in.Flows); err != nil || got != bytesOf(1000.7) {
		t.Errorf("got %d bytes, %v, want %d", got, err, bytesOf(1000.7))
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
