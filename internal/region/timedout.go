package region

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// timedOut says in the region's own log why a function may have run out of time: what was dropped last of what it
// sent, or of what was sent back to it. The function's own log is as AWS's, which says nothing of it. Functions with
// the same subnet and groups share an interface, so it may have been another's packet.
func (r *Region) timedOut(f *resource.Function, eni resource.NetworkInterfaceID, began time.Time) {
	t := r.topology.Load()
	if f.VPCConfig == nil || t == nil {
		return
	}
	v := t.VPC(f.VPCConfig.VPCID)
	if v == nil {
		return
	}
	i := slices.IndexFunc(v.ENIs, func(e *topology.ENI) bool { return e.ID == eni })
	if i < 0 {
		return
	}
	if drop, ok := r.flows.LastDrop(began, concerns(v.ENIs[i])); ok {
		r.config.Log.Warn(timeoutHint(t, f.Name, v.ENIs[i], drop))
	}
}

// concerns chooses what an interface sent, and the answers to it: nobody begins to speak to a function, and answers
// are never its group's to refuse.
func concerns(e *topology.ENI) func(flow.Record) bool {
	return func(d flow.Record) bool {
		answer := d.VPC == e.VPCID && e.Has(d.Destination.Addr()) && d.Component.Kind != resource.KindSecurityGroup
		return sent(e, d) || answer
	}
}

// sent reports whether an interface sent what was dropped, in its own VPC or in one that it is joined with.
func sent(e *topology.ENI, d flow.Record) bool {
	return d.ENI == e.ID && d.Egress || d.VPC == e.VPCID && e.Has(d.Source.Addr())
}

func timeoutHint(t *topology.Topology, function string, e *topology.ENI, d flow.Record) string {
	peer, what := d.Destination, "its packets to"
	if !sent(e, d) {
		peer, what = d.Source, "the answers of"
	}
	shown, ask, usual := peer.String(), peer.Addr().String(), uint16(0)
	if service := serviceAt(t, e.VPCID, peer.Addr()); service != "" {
		shown, ask, usual = fmt.Sprintf("%s (%s)", peer, service), service, 443
	}
	if d.Protocol == 1 || d.Protocol == 58 {
		shown, ask = peer.Addr().String(), ask+" --protocol icmp"
	} else if peer.Port() != usual {
		ask = fmt.Sprintf("%s --port %d", ask, peer.Port())
	}
	if d.Protocol == 17 {
		ask += " --protocol udp"
	}
	return fmt.Sprintf("%s timed out: %s %s were dropped by %s (%s): culvert why %s %s", function, what, shown, d.Component.ID, d.Code, function, ask)
}

// serviceAt is the AWS service that an address belongs to, on the internet or as an endpoint's; empty if it is none's.
func serviceAt(t *topology.Topology, vpc resource.VPCID, peer netip.Addr) string {
	holder := flow.Holder(t, vpc, peer)
	if holder == nil {
		return flow.ServiceAt(t, peer)
	}
	for _, p := range t.VPC(holder.VPCID).Endpoints {
		known := slices.ContainsFunc(t.Services, func(s *topology.PublicService) bool { return s.Service == p.Service })
		if known && slices.Contains(p.ENIs, holder.ID) {
			return p.Service
		}
	}
	return ""
}
