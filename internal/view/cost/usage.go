package cost

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Usage is a month's traffic as a file says it. The keys below resource_usage and resource_type_default_usage are
// Infracost's; those below traffic are ours, and say more.
type Usage struct {
	Version  string                 `json:"version"`
	Resource map[string]usageValues `json:"resource_usage"`
	Default  map[string]usageValues `json:"resource_type_default_usage"`
	Traffic  []usageFlow            `json:"traffic"`
}

// usageValues are what Infracost knows of a resource, as far as it matters here.
type usageValues map[string]any

const processed = "monthly_data_processed_gb"

// usageFlow is what somebody sends to a service in a month, and gets from it.
type usageFlow struct {
	From      string  `json:"from"`    // a function, an instance, anybody; only to be shown
	Service   string  `json:"service"` // s3 ..., internet
	Via       string  `json:"via"`     // id or Name tag of a NAT gateway or an endpoint; empty: evenly over those that could
	Zone      string  `json:"zone"`    // where an endpoint would be needed
	CrossZone bool    `json:"cross_zone"`
	GB        float64 `json:"monthly_gb"` // both ways together
	OutGB     float64 `json:"monthly_out_gb"`
	InGB      float64 `json:"monthly_in_gb"`
}

// ParseUsage reads a traffic file, YAML or JSON.
func ParseUsage(raw []byte) (Usage, error) {
	var u Usage
	if err := yaml.UnmarshalStrict(raw, &u); err != nil {
		return u, fmt.Errorf("read the traffic: %v", strings.TrimPrefix(err.Error(), "error unmarshaling JSON: while decoding JSON: "))
	}
	if len(u.Resource)+len(u.Default)+len(u.Traffic) == 0 {
		return u, fmt.Errorf("read the traffic: there is nothing below traffic, resource_usage or resource_type_default_usage")
	}
	return u, nil
}

// carrier is what Infracost's keys speak of: a NAT gateway or an endpoint.
type carrier struct {
	kind, id, name string
	flow           Flow
}

func (in Inventory) carriers() []carrier {
	var all []carrier
	for _, n := range in.NATGateways {
		all = append(all, carrier{"aws_nat_gateway", n.ID, n.Name, Flow{VPC: n.VPC, Via: n.ID}})
	}
	for _, e := range in.Endpoints {
		all = append(all, carrier{"aws_vpc_endpoint", e.ID, e.Name, Flow{VPC: e.VPC, Via: e.ID, Service: e.Service}})
	}
	return all
}

// With replaces an inventory's traffic by that of a file. It also returns which of the file's resources are none of
// those that are priced here.
func (in Inventory) With(u Usage) (Inventory, []string, error) {
	in.Flows = nil
	carriers := in.carriers()
	var ignored []string
	given := map[string]bool{}
	for _, address := range slices.Sorted(maps.Keys(u.Resource)) {
		kind, name, ok := splitAddress(address)
		if !ok {
			ignored = append(ignored, address)
			continue
		}
		i, err := match(carriers, kind, name, address)
		if err != nil {
			return in, nil, err
		}
		if given[carriers[i].id] {
			return in, nil, fmt.Errorf("%s: the traffic of %s is given twice", address, carriers[i].id)
		}
		given[carriers[i].id] = true
		if err := in.carry(address, u.Resource[address], carriers[i]); err != nil {
			return in, nil, err
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(u.Default)) {
		if kind != "aws_nat_gateway" && kind != "aws_vpc_endpoint" {
			ignored = append(ignored, kind)
			continue
		}
		for _, c := range carriers {
			if c.kind == kind && !given[c.id] {
				if err := in.carry(kind, u.Default[kind], c); err != nil {
					return in, nil, err
				}
			}
		}
	}
	for i, f := range u.Traffic {
		if err := in.send(f, carriers); err != nil {
			return in, nil, fmt.Errorf("traffic %d: %w", i+1, err)
		}
	}
	_, err := total(in.Flows)
	return in, ignored, err
}

// splitAddress takes an address of Terraform's apart: module.x.aws_nat_gateway.main["a"].
func splitAddress(address string) (kind, name string, ok bool) {
	bare, _, _ := strings.Cut(address, "[")
	for _, kind := range []string{"aws_nat_gateway", "aws_vpc_endpoint"} {
		if before, name, found := strings.Cut(bare, kind+"."); found && (before == "" || strings.HasSuffix(before, ".")) {
			return kind, name, true
		}
	}
	return "", "", false
}

// match finds what an address means: by its id or Name tag, or because there is no other of its kind.
func match(all []carrier, kind, name, address string) (int, error) {
	only := -1
	for i, c := range all {
		switch {
		case c.kind != kind:
		case c.id == name || c.name == name && name != "":
			return i, nil
		case only == -1:
			only = i
		default:
			only = -2
		}
	}
	switch only {
	case -1:
		return 0, fmt.Errorf("%s: there is no %s in this region", address, kind)
	case -2:
		return 0, fmt.Errorf("%s: no %s has this id or Name tag, and there is more than one", address, kind)
	}
	return only, nil
}

// carry puts what Infracost says goes through something into the traffic.
func (in *Inventory) carry(address string, values usageValues, c carrier) error {
	value, found := values[processed]
	if !found {
		return fmt.Errorf("%s: there is no %s", address, processed)
	}
	gb, ok := value.(float64)
	if !ok || !(gb >= 0 && gb <= maxGB) {
		return fmt.Errorf("%s: %s %v is no amount of traffic between 0 and %g GB", address, processed, value, maxGB)
	}
	f := c.flow
	f.In = bytesOf(gb)
	in.Flows = append(in.Flows, f)
	return nil
}

// send puts a flow of ours into the traffic.
func (in *Inventory) send(f usageFlow, carriers []carrier) error {
	for _, gb := range []float64{f.GB, f.OutGB, f.InGB} {
		if !(gb >= 0 && gb <= maxGB) {
			return fmt.Errorf("%v is no amount of traffic between 0 and %g GB", gb, maxGB)
		}
	}
	if f.Service == "" {
		return fmt.Errorf("no service: say s3, sts, ... or internet")
	}
	if f.GB > 0 && f.OutGB+f.InGB > 0 {
		return fmt.Errorf("monthly_gb is both ways together: give it, or monthly_out_gb and monthly_in_gb")
	}
	if f.GB > 0 && f.Service == Internet {
		return fmt.Errorf("to the internet only what goes out is paid for: give monthly_out_gb and monthly_in_gb")
	}
	made := Flow{Workload: f.From, Service: f.Service, Zone: f.Zone, CrossZone: f.CrossZone, Out: bytesOf(f.OutGB), In: bytesOf(f.InGB + f.GB)}
	if f.Via != "" {
		i := slices.IndexFunc(carriers, func(c carrier) bool { return c.id == f.Via || c.name == f.Via })
		if i < 0 {
			return fmt.Errorf("via %q is neither the id nor the Name tag of a NAT gateway or an endpoint", f.Via)
		}
		if at := carriers[i].flow; at.Service != "" && at.Service != f.Service {
			return fmt.Errorf("via %q leads to %s, not to %s", f.Via, at.Service, f.Service)
		}
		made.VPC, made.Via = carriers[i].flow.VPC, carriers[i].id
		in.Flows = append(in.Flows, made)
		return nil
	}
	roads := in.over(0, f.Service)
	if len(roads) == 0 {
		return fmt.Errorf("nothing in this region leads to %s: there is neither a NAT gateway nor an endpoint of it", cmp.Or(f.Service, Internet))
	}
	for i, road := range roads {
		part := made
		part.VPC, part.Via = road.VPC, road.Via
		part.Out, part.In = share(made.Out, i, len(roads)), share(made.In, i, len(roads))
		in.Flows = append(in.Flows, part)
	}
	return nil
}
