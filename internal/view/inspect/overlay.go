package inspect

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/view/cost"
	"github.com/culvert-cloud/culvert/internal/view/diagram"
)

// overlays adds what is asked for: overlay=flows is what passed and what did not, overlay=cost money a month.
func (c *Config) overlays(ctx context.Context, in *diagram.Input, q url.Values) error {
	asked := q["overlay"]
	for _, o := range asked {
		if o != "flows" && o != "cost" {
			return badRequest("overlay %q is neither flows nor cost", o)
		}
	}
	in.Bytes, in.Money = slices.Contains(asked, "flows"), slices.Contains(asked, "cost")
	if !in.Money && q.Get("gb")+q.Get("scale") != "" {
		return badRequest("gb and scale are for overlay=cost")
	}
	if !in.Bytes && !in.Money {
		return nil
	}
	load := func(f cost.Flow) *diagram.Load {
		in.Loads = append(in.Loads, diagram.Load{From: resource.NetworkInterfaceID(f.Interface), VPC: resource.VPCID(f.VPC), Via: f.Via, Service: f.Service})
		return &in.Loads[len(in.Loads)-1]
	}
	if in.Money {
		have := c.inventory(in.Topology)
		if _, _, err := c.monthly(ctx, &have, q, ""); err != nil {
			return err
		}
		if err := c.price(in, &have); err != nil {
			return err
		}
		for _, f := range have.Flows {
			load(f).USD = f.USD
		}
	}
	if in.Bytes { // what passed, whatever is supposed for the money
		flows, _, err := c.measure(ctx)
		if err != nil {
			return err
		}
		for _, f := range flows {
			load(f).Bytes = f.Out + f.In
		}
		in.Rejects = c.rejects(in)
	}
	return nil
}

// price finds what the traffic costs, and what gateways and endpoints cost without any.
func (c *Config) price(in *diagram.Input, have *cost.Inventory) error {
	table, err := cost.EmbeddedPrices()
	if err != nil {
		return err
	}
	statement, err := cost.Assess(*have, table, "", time.Now())
	if err != nil {
		return badRequest("%v", err)
	}
	p, err := table.Of(have.Region)
	if err != nil {
		return badRequest("%v", err)
	}
	have.Flows, in.Standing = statement.Flows, map[string]cost.Money{}
	for _, n := range have.NATGateways {
		in.Standing[n.ID] = cost.HoursPerMonth * (p.NATHour + cost.Money(n.Addresses)*p.PublicIPv4Hour)
	}
	for _, e := range have.Endpoints {
		if !e.Gateway { // a card is one interface, in one zone
			in.Standing[e.ID] = cost.HoursPerMonth * p.EndpointHour
		}
	}
	return nil
}

// rejects adds up what was dropped by its ends and what decided.
func (c *Config) rejects(in *diagram.Input) []diagram.Reject {
	records, _, _ := c.Flows.Newer(0)
	var out []diagram.Reject
	for _, r := range records {
		if r.Accepted {
			continue
		}
		made := diagram.Reject{Code: r.Code}
		if e := flow.Holder(in.Topology, r.VPC, r.Source.Addr()); e != nil {
			made.From = e.ID
		}
		if e := flow.Holder(in.Topology, r.VPC, r.Destination.Addr()); e != nil {
			made.To = e.ID
		}
		made.Service, made.Outside = flow.ServiceAt(in.Topology, r.Destination.Addr()), !r.Destination.Addr().IsPrivate()
		i := slices.IndexFunc(out, func(o diagram.Reject) bool { o.Packets = 0; return o == made })
		if i < 0 {
			i, out = len(out), append(out, made)
		}
		out[i].Packets += int(r.Packets)
	}
	return out
}
