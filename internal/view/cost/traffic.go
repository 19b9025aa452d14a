package cost

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// Flow is what one workload sent and got by one way to one service in a month.
type Flow struct {
	Workload  string `json:"workload,omitempty"`  // function, instance or interface
	Interface string `json:"interface,omitempty"` //
	VPC       string `json:"vpc,omitempty"`
	Zone      string `json:"zone,omitempty"`
	Service   string `json:"service,omitempty"` // s3 ..., internet; empty: not known
	Via       string `json:"via,omitempty"`     // id of a gateway, endpoint or peering connection; local; empty: not known
	CrossZone bool   `json:"crossZone,omitempty"`
	// OneSide: the other end has a flow of its own for the same bytes.
	OneSide bool   `json:"-"`
	Out     uint64 `json:"outBytes"` // sent by the workload
	In      uint64 `json:"inBytes"`
	USD     Money  `json:"usd"` // its part of the bill for data
}

// Internet is the service of what leaves AWS.
const Internet = "internet"

// Local is the way inside a VPC.
const Local = "local"

func (f Flow) bytes() uint64 { return f.Out + f.In }

func (f Flow) byNAT() bool { return strings.HasPrefix(f.Via, "nat-") }

// outward reports whether a flow leaves for the internet, which is paid for.
func (f Flow) outward() bool { return f.Service == Internet }

// total is all traffic. It is refused if the sums would not fit.
func total(flows []Flow) (uint64, error) {
	var sum uint64
	for _, f := range flows {
		for _, n := range []uint64{f.Out, f.In} {
			if n > maxGB*bytesPerGB || sum+n > maxGB*bytesPerGB {
				return 0, fmt.Errorf("assess costs: more than %g GB of traffic cannot be reckoned with", maxGB)
			}
			sum += n
		}
	}
	return sum, nil
}

// Scaled is what traffic of one time would be in another.
func Scaled(flows []Flow, measured, to time.Duration) ([]Flow, error) {
	if measured <= 0 || to <= 0 {
		return nil, fmt.Errorf("what was counted in %s cannot be extrapolated to %s", measured, to)
	}
	scaled := slices.Clone(flows)
	for i := range scaled {
		for _, n := range []*uint64{&scaled[i].Out, &scaled[i].In} {
			high, low := bits.Mul64(*n, uint64(to))
			if high >= uint64(measured) {
				return nil, fmt.Errorf("what was counted in %s is too much to be extrapolated to %s", measured, to)
			}
			*n, _ = bits.Div64(high, low, uint64(measured))
		}
	}
	_, err := total(scaled)
	return scaled, err
}

// Spread replaces traffic by an amount in GB: evenly over the NAT gateways, or if there are none over the interface
// endpoints, or else the gateway endpoints. What goes through NAT gateways is supposed to go to S3.
func (in Inventory) Spread(gb float64) (Inventory, error) {
	if !(gb >= 0 && gb <= maxGB) {
		return in, fmt.Errorf("%v GB is no amount of traffic between 0 and %g GB", gb, maxGB)
	}
	in.Flows = in.over(bytesOf(gb), "")
	return in, nil
}

// over spreads bytes evenly over what could carry them to a service.
func (in Inventory) over(bytes uint64, service string) []Flow {
	var roads []Flow
	for _, n := range in.NATGateways {
		roads = append(roads, Flow{VPC: n.VPC, Via: n.ID, Service: service})
	}
	for _, gateway := range []bool{false, true} {
		if len(roads) > 0 {
			break
		}
		for _, e := range in.Endpoints {
			if e.Gateway == gateway && (service == "" || e.Service == service) {
				roads = append(roads, Flow{VPC: e.VPC, Via: e.ID, Service: e.Service})
			}
		}
	}
	for i := range roads {
		roads[i].In = share(bytes, i, len(roads))
	}
	return roads
}

// share is what the i-th of n gets. No share falls when the whole grows.
func share(bytes uint64, i, n int) uint64 {
	of := bytes / uint64(n)
	if uint64(i) < bytes%uint64(n) {
		of++
	}
	return of
}
