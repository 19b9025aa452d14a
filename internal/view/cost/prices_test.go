package cost

import (
	"strings"
	"testing"
	"time"
)

// day is when the tests are run: soon after the prices were read.
func day() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }

func TestEveryPriceHasASourceAndADate(t *testing.T) {
	for _, region := range []string{"us-east-1", "us-west-2", "eu-west-1"} {
		p := prices(t, region)
		for _, r := range p.Rows {
			if r.Source == "" || r.Unit == "" || r.Date < "2026-01-01" {
				t.Errorf("%+v", r)
			}
		}
	}
}

func TestPricesOfAFileReplaceTheEmbeddedOnes(t *testing.T) {
	var file strings.Builder
	for _, item := range items() {
		unit := "GB"
		if strings.HasSuffix(item, "-hour") {
			unit = "hour"
		}
		file.WriteString("- {region: mars-north-1, item: " + item + ", unit: " + unit + ", usd: '0.123456', source: a letter, date: 2026-10-02}\n")
	}
	table, err := ParsePrices([]byte(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	p, err := table.Of("mars-north-1")
	if err != nil || p.NATHour != 123456 || p.InternetOutGB[0].PerGB != 123456 {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, err := table.Of("us-east-1"); err == nil || !strings.Contains(err.Error(), "only those of mars-north-1") {
		t.Errorf("the embedded prices are still there: %v", err)
	}
	short, err := ParsePrices([]byte(strings.Join(strings.SplitAfter(file.String(), "\n")[1:], "")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := short.Of("mars-north-1"); err == nil || !strings.Contains(err.Error(), "the price of nat-gateway-hour in mars-north-1 is not known") {
		t.Errorf("a price that is missing: %v", err)
	}
}

func TestPricesThatCannotBeAreRefused(t *testing.T) {
	for row, want := range map[string]string{
		"":     "there is none",
		"a: b": "read the prices",
		"- {region: x, item: gold, unit: GB, usd: 1, source: s, date: 2026-10-02}":                                `item "gold" is none of`,
		"- {item: nat-gateway-gb, unit: GB, usd: 1, source: s, date: 2026-10-02}":                                 "no region",
		"- {region: x, item: nat-gateway-gb, unit: hour, usd: 1, source: s, date: 2026-10-02}":                    `the unit of nat-gateway-gb is GB, not "hour"`,
		"- {region: x, item: nat-gateway-gb, unit: GB, usd: -1, source: s, date: 2026-10-02}":                     "no price between",
		"- {region: x, item: nat-gateway-gb, unit: GB, usd: a, source: s, date: 2026-10-02}":                      "no amount in dollars",
		"- {region: x, item: nat-gateway-gb, unit: GB, usd: '0.0000001', source: s, date: 2026-10-02}":            "no amount in dollars",
		"- {region: x, item: nat-gateway-gb, unit: GB, usd: 1, date: 2026-10-02}":                                 "has no source",
		"- {region: x, item: nat-gateway-gb, unit: GB, usd: 1, source: s, date: yesterday}":                       `date "yesterday"`,
		"- {region: x, item: nat-gateway-gb, unit: GB, usd: 1, from: 5, source: s, date: 2026-10-02}":             "has one price",
		"- {region: x, item: interface-endpoint-gb, unit: GB, usd: 1, from: -5, source: s, date: 2026-10-02}":     "from -5",
		"- {region: x, item: nat-gateway-gb, unit: GB, usd: 1, colour: red, source: s, date: 2026-10-02}":         "colour",
		strings.Repeat("- {region: x, item: nat-gateway-gb, unit: GB, usd: 1, source: s, date: 2026-10-02}\n", 2): "has a price in x already",
	} {
		if _, err := ParsePrices([]byte(row)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", row, err, want)
		}
	}
}

func TestOldPricesAreWarnedOf(t *testing.T) {
	for at, want := range map[time.Time]int{day(): 0, day().AddDate(1, 0, 0): 1} {
		s, err := Assess(Inventory{Region: "us-west-2"}, known(t), "", at)
		if err != nil || len(s.Warnings) != want {
			t.Errorf("on %s: got %q, %v, want %d", at, s.Warnings, err, want)
		}
	}
}
