package linux

import (
	"context"
	"errors"
	"fmt"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Stats counts what crossed the gateways and interfaces since they were made. Gateways are counted at the
// router's end of their wire, NAT gateways by what they passed on, interfaces by what they sent (out) and got.
func (d *Driver) Stats(context.Context) (dataplane.Stats, error) {
	// Apply closes what is counted here, so the two take turns.
	d.applying.Lock()
	defer d.applying.Unlock()
	out := dataplane.Stats{
		InternetGateways: map[resource.InternetGatewayID]dataplane.Counters{},
		NATGateways:      map[resource.NATGatewayID]dataplane.Counters{},
		GatewayEndpoints: map[resource.VPCEndpointID]dataplane.Counters{},
		ENIs:             map[resource.NetworkInterfaceID]dataplane.Counters{},
	}
	if d.isClosed() {
		return out, errDriverClosed
	}
	var errs []error
	for _, r := range d.routers {
		if err := r.count(&out); err != nil {
			errs = append(errs, fmt.Errorf("count in %s: %w", r.vpc, err))
		}
	}
	return out, errors.Join(errs...)
}

// withoutHeaders takes off what a link counts of its own: AWS counts the bytes of IP.
func withoutHeaders(bytes, packets uint64) uint64 {
	const header = 14
	return bytes - header*packets
}

func (r *router) count(out *dataplane.Stats) error {
	links, err := r.links.LinkList()
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	sent, received := map[string]dataplane.Counters{}, map[string]dataplane.Counters{}
	for _, l := range links {
		s := l.Attrs().Statistics
		if s == nil {
			continue
		}
		// A wire's far side is outside: what the router transmits leaves the VPC. An interface's far side is
		// the workload: what the router receives was sent by it.
		transmitted, got := withoutHeaders(s.TxBytes, s.TxPackets), withoutHeaders(s.RxBytes, s.RxPackets)
		sent[l.Attrs().Name] = dataplane.Counters{OutPackets: s.TxPackets, OutBytes: transmitted, InPackets: s.RxPackets, InBytes: got}
		received[l.Attrs().Name] = dataplane.Counters{OutPackets: s.RxPackets, OutBytes: got, InPackets: s.TxPackets, InBytes: transmitted}
	}
	if r.wire != nil {
		out.InternetGateways[r.wire.igw] = sent[igwLink]
	}
	for id, w := range r.endpoints {
		out.GatewayEndpoints[id] = sent[w.plan.name]
	}
	for id, e := range r.enis {
		out.ENIs[id] = received[e.plan.name]
		if e.nat == nil {
			continue
		}
		c, err := e.nat.counters(natTable)
		if err != nil {
			return err
		}
		out.NATGateways[e.plan.natGateway] = dataplane.Counters{
			OutPackets: c["out"].packets, OutBytes: c["out"].bytes, InPackets: c["in"].packets, InBytes: c["in"].bytes}
	}
	return nil
}
