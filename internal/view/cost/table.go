package cost

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
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
	t.Notes = s.notes()
	return t
}

func (s Statement) notes() []string {
	notes := slices.Clone(s.Warnings)
	if s.Supposed {
		notes = append(notes, "What goes through NAT gateways to a service that is not known is supposed to go to S3.")
	}
	if s.LostGB > 0 {
		notes = append(notes, fmt.Sprintf("%s GB a month goes to the internet through NAT gateways: where they are removed it gets nowhere.", amount(s.LostGB)))
	} else if len(s.Ways) > 2 {
		notes = append(notes, "Where NAT gateways are removed, nothing gets to the internet.")
	}
	return append(notes,
		fmt.Sprintf("Beside a NAT gateway an interface endpoint pays from %.1f GB a month in one zone, %.1f in two, %.1f in three.", s.BreakEven[0], s.BreakEven[1], s.BreakEven[2]),
		"Traffic: "+s.Traffic+".",
		fmt.Sprintf("List prices of %s as of %s in USD, %d hours a month.", s.Region, s.asOf(), HoursPerMonth),
		"Left out: "+strings.Join(s.LeftOut, "; ")+".")
}

func (s Statement) asOf() string {
	if s.PricesOldest == s.PricesAsOf {
		return s.PricesAsOf
	}
	return s.PricesOldest + " to " + s.PricesAsOf
}

// ServiceTable compares the roads for each service.
func (s Statement) ServiceTable() Table {
	t := Table{Header: []string{"service", "GB/month", "data now", "by NAT gateway", "interface endpoint", "per hour", "gateway endpoint", "pays from GB"}}
	for _, v := range s.Services {
		gateway := "-"
		if v.Gateway != nil {
			gateway = v.Gateway.String()
		}
		t.Rows = append(t.Rows, []string{
			v.Service, amount(v.GB), v.USD.String(), v.NAT.String(), fmt.Sprintf("%s in %d zone(s)", v.Interface, v.Zones),
			fmt.Sprintf("$%.3f", v.PerHour.Dollars()), gateway, fmt.Sprintf("%.1f", v.BreakEvenGB),
		})
	}
	return t
}

// FlowTable says whose traffic costs what.
func (s Statement) FlowTable() Table {
	t := Table{Header: []string{"who", "zone", "to", "via", "GB out", "GB in", "month"}}
	for _, f := range s.Flows {
		if f.bytes() == 0 {
			continue
		}
		zone := f.Zone
		if f.CrossZone {
			zone += " (to another)"
		}
		t.Rows = append(t.Rows, []string{
			cmp.Or(f.Workload, f.Interface, "-"), cmp.Or(zone, "-"), cmp.Or(f.Service, "-"), cmp.Or(f.Via, "-"),
			amount(gigabytes(f.Out)), amount(gigabytes(f.In)), f.USD.String(),
		})
	}
	return t
}

// amount writes GB with as many digits as say something.
func amount(gb float64) string {
	digits := 1
	switch {
	case gb < 1:
		digits = 6
	case gb < 1000:
		digits = 3
	}
	s := strconv.FormatFloat(gb, 'f', digits, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
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
			quantity = amount(l.Quantity) + " GB"
		}
		t.Rows = append(t.Rows, []string{l.What, quantity, l.USD.String()})
	}
	return t
}
