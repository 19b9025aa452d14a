package cost

import (
	"fmt"
	"strings"
)

// Table lays a statement out: a row for each way.
func (s Statement) Table() Table {
	t := Table{Header: []string{"way", "per hour", "fixed/month", "data/month", "total/month", "saves"}}
	for i, w := range s.Ways {
		fixed, data := w.split()
		saves := ""
		if i > 0 {
			saves = w.Saves.String()
		}
		t.Rows = append(t.Rows, []string{w.Road, fmt.Sprintf("$%.3f", w.PerHour.Dollars()), fixed.String(), data.String(), w.USD.String(), saves})
	}
	if len(s.Ways) > 1 && strings.HasPrefix(s.Ways[1].Road, "interface endpoint") {
		t.Notes = append(t.Notes, "The ways with an endpoint suppose that all that NAT gateways carry goes to S3. Without them, nothing else gets out.")
	}
	t.Notes = append(t.Notes,
		fmt.Sprintf("Beside a NAT gateway an interface endpoint pays from %.1f GB a month in one zone, %.1f in two, %.1f in three.", s.BreakEven[0], s.BreakEven[1], s.BreakEven[2]),
		"Traffic: "+s.Traffic+".",
		fmt.Sprintf("List prices of %s as of %s in USD, %d hours a month.", s.Region, s.PricesAsOf, HoursPerMonth),
		"Left out: "+strings.Join(s.LeftOut, "; ")+".")
	return t
}

// split is what is paid by the hour, and what by the GB.
func (b Bill) split() (fixed, data Money) {
	for _, l := range b.Lines {
		if l.Unit == "hour" {
			fixed += l.USD
		} else {
			data += l.USD
		}
	}
	return fixed, data
}

// Lines lays the bill of the region as it is out.
func (s Statement) Lines() Table {
	t := Table{Header: []string{"as it is", "quantity", "month"}}
	for _, l := range s.Ways[0].Lines {
		quantity := fmt.Sprintf("%.0f h", l.Quantity)
		if l.Unit == "GB" {
			quantity = fmt.Sprintf("%.6g GB", l.Quantity)
		}
		t.Rows = append(t.Rows, []string{l.What, quantity, l.USD.String()})
	}
	return t
}
