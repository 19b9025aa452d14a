package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
	"github.com/culvert-cloud/culvert/internal/view/cost"
)

// costAnswer is the answer of GET /_culvert/cost.
type costAnswer struct {
	cost.Statement
	Table cost.Table `json:"table"` // the ways, for people
	Lines cost.Table `json:"lines"` // the bill as it is, for people
}

// cost says what the region would cost a month on AWS, as it is and by the other roads. gb= says how much traffic
// to suppose; without it, what has been counted since the region started is taken for a month's.
func (c *Config) cost(r *http.Request) (any, error) {
	measured, err := c.counters(r.Context())
	if err != nil {
		return nil, err
	}
	t := c.Topology()
	in := c.inventory(t, measured)
	traffic := fmt.Sprintf("what was counted in the %s since the region started, taken for a month's and not extrapolated", time.Since(c.Info.Started).Round(time.Second))
	if q := r.URL.Query().Get("gb"); q != "" {
		gb, err := strconv.ParseFloat(q, 64)
		if err != nil {
			return nil, badRequest("gb %q is not a number", q)
		}
		if in, err = in.Spread(gb); err != nil {
			return nil, badRequest("%v", err)
		}
		traffic = fmt.Sprintf("%s GB a month, spread evenly over what carries it", q)
	}
	statement, err := cost.Assess(in, traffic)
	if err != nil {
		return nil, badRequest("%v", err)
	}
	return costAnswer{statement, statement.Table(), statement.Lines()}, nil
}

// counters are the data plane's, as the region gives them.
type counters struct {
	NATGateways      map[resource.NATGatewayID]traffic
	GatewayEndpoints map[resource.VPCEndpointID]traffic
	ENIs             map[resource.NetworkInterfaceID]traffic
}

type traffic struct{ OutBytes, InBytes uint64 }

func (t traffic) both() uint64 { return t.OutBytes + t.InBytes }

func (c *Config) counters(ctx context.Context) (counters, error) {
	var out counters
	stats, err := c.Stats(ctx)
	if err != nil {
		return out, fmt.Errorf("read the counters: %w", err)
	}
	raw, err := json.Marshal(stats)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(raw, &out)
}

// inventory is what of the region costs money.
func (c *Config) inventory(t *topology.Topology, measured counters) cost.Inventory {
	v := c.Store.View()
	in := cost.Inventory{Region: t.Region}
	elastic := map[resource.NetworkInterfaceID]int{}
	public := map[netip.Addr]bool{}
	for _, a := range state.List[*resource.Address](v) {
		public[a.PublicIP] = true
		elastic[a.NetworkInterfaceID]++
	}
	for _, e := range t.ENIs {
		for _, a := range e.Public {
			public[a.Public] = true
		}
	}
	in.PublicAddresses = len(public)
	for _, vpc := range t.VPCs {
		for _, n := range vpc.NATGateways {
			in.NATGateways = append(in.NATGateways, cost.NATGateway{ID: string(n.ID), Addresses: elastic[n.ENI], Bytes: measured.NATGateways[n.ID].both()})
		}
		for _, e := range vpc.Endpoints {
			if e.Type == resource.EndpointTypeGateway {
				in.GatewayEndpoints = append(in.GatewayEndpoints, cost.GatewayEndpoint{ID: string(e.ID), Service: e.Service, Bytes: measured.GatewayEndpoints[e.ID].both()})
				continue
			}
			made := cost.InterfaceEndpoint{ID: string(e.ID), Service: e.Service, Zones: len(e.ENIs)}
			for _, eni := range e.ENIs {
				made.Bytes += measured.ENIs[eni].both()
			}
			in.InterfaceEndpoints = append(in.InterfaceEndpoints, made)
		}
		in.Zones += zonesToCover(vpc)
	}
	return in
}

// zonesToCover is in how many zones of a VPC with NAT gateways something would need an interface of an S3 endpoint
// that it does not have.
func zonesToCover(v *topology.VPC) int {
	if len(v.NATGateways) == 0 {
		return 0
	}
	zones := map[string]bool{}
	zone := func(id resource.SubnetID) string {
		if s := v.Subnet(id); s != nil {
			return s.AZ
		}
		return ""
	}
	for _, e := range v.ENIs {
		if e.Type == resource.InterfaceTypeLambda || e.Type == resource.InterfaceTypeInterface {
			zones[zone(e.SubnetID)] = true
		}
	}
	for _, endpoint := range v.Endpoints {
		for _, e := range v.ENIs {
			if endpoint.Service == "s3" && slices.Contains(endpoint.ENIs, e.ID) {
				delete(zones, zone(e.SubnetID))
			}
		}
	}
	return len(zones)
}
