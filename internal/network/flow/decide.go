package flow

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Decision is what said no, in the words of network/explain.
type Decision struct {
	Component explain.Component
	Code      string
	Rule      string
	Text      string
}

// Decide says what of a topology dropped a packet. The object is what the kernel named; explain, asked about the
// same flow, lends its words if it found the same.
func Decide(t *topology.Topology, d dataplane.Drop) Decision {
	out := named(t, d)
	trace := explain.Explain(t, asked(t, d))
	for _, h := range slices.Concat(trace.Hops, trace.Return) {
		if h.Verdict != explain.Deny || !out.sameAs(h, d) {
			continue
		}
		return Decision{h.Component, h.Code, h.Rule, h.Text}
	}
	return out
}

// sameAs reports whether explain's denial is the kernel's.
func (n Decision) sameAs(h explain.Hop, d dataplane.Drop) bool {
	switch {
	case d.Stage == dataplane.StageRoute:
		// That nobody has an address is the VPC's word, not the table's.
		return h.Component == n.Component || h.Code == "NO_POSSIBLE_DESTINATION"
	case d.Stage == dataplane.StageDestination && d.ENI == "" && strings.HasPrefix(h.Code, "PCX_"):
		return true // the link to a peer takes no such address
	case h.Component != n.Component:
		return false
	}
	return n.Rule == "" || h.Rule == n.Rule
}

// asked is the dropped packet as a question.
func asked(t *topology.Topology, d dataplane.Drop) explain.Flow {
	f := explain.Flow{
		Source: d.Source.Addr(), To: d.Destination.Addr(), Protocol: d.Protocol,
		SourcePort: d.Source.Port(), Port: d.Destination.Port(), ICMPType: d.ICMPType, ICMPCode: d.ICMPCode,
	}
	if d.Egress {
		f.From = d.ENI
	} else if e := Holder(t, d.VPC, d.Source.Addr()); e != nil {
		f.From = e.ID
	}
	return f
}

// Holder finds the interface of a VPC, or of one that it is joined with, that has an address; nil if there is none.
func Holder(t *topology.Topology, vpc resource.VPCID, a netip.Addr) *topology.ENI {
	v := t.VPC(vpc)
	if v == nil {
		return nil
	}
	for _, e := range v.ENIs {
		if e.Has(a) {
			return e
		}
	}
	for _, p := range v.Peerings {
		peer := t.VPC(p.PeerVPCID)
		if peer == nil || !p.Contains(a) {
			continue
		}
		for _, e := range peer.ENIs {
			if e.Has(a) {
				return e
			}
		}
	}
	return nil
}

// named is what the kernel said, without the help of explain.
func named(t *topology.Topology, d dataplane.Drop) Decision {
	where := Decision{Component: explain.Component{Kind: resource.KindVPC, ID: string(d.VPC)}}
	e := t.ENIs[d.ENI]
	if e != nil {
		where.Component = explain.Component{Kind: resource.KindNetworkInterface, ID: string(e.ID)}
	}
	direction := "ingress"
	if d.Egress {
		direction = "egress"
	}
	switch d.Stage {
	case dataplane.StageGroups:
		where.Code = "ENI_SG_RULES_MISMATCH"
		if e != nil && len(e.GroupIDs) > 0 {
			where.Component = explain.Component{Kind: resource.KindSecurityGroup, ID: string(e.GroupIDs[0])}
		}
		where.Text = fmt.Sprintf("no %s rule of the security groups of %s allows it", direction, d.ENI)
	case dataplane.StageACL:
		where.Component = explain.Component{Kind: resource.KindNetworkACL, ID: string(d.ACL)}
		where.Code, where.Rule = "SUBNET_ACL_RESTRICTION", direction+" "+d.Entry
		where.Text = fmt.Sprintf("entry %s of %s denies it", where.Rule, d.ACL)
	case dataplane.StageRoute:
		where.Code, where.Text = "NO_ROUTE_TO_DESTINATION", fmt.Sprintf("there is no way to %s", d.Destination.Addr())
		if table := tableOf(t, e); table != "" {
			where.Component = explain.Component{Kind: resource.KindRouteTable, ID: string(table)}
		}
	case dataplane.StageGateway:
		where.Code = "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS"
		if v := t.VPC(d.VPC); v != nil && v.InternetGateway != "" {
			where.Component = explain.Component{Kind: resource.KindInternetGateway, ID: string(v.InternetGateway)}
		}
		where.Text = fmt.Sprintf("%s has no public address, so the internet gateway does not translate it", d.Source.Addr())
		if d.Source.Addr().Is6() {
			where.Code = "GATEWAY_REJECTS_SPOOFED_TRAFFIC"
			where.Text = fmt.Sprintf("%s is no address of %s, so the internet gateway does not let it out", d.Source.Addr(), d.VPC)
			if !d.Egress {
				where.Text = fmt.Sprintf("%s is an address of %s itself, so the internet gateway does not let it in", d.Source.Addr(), d.VPC)
			}
		}
	case dataplane.StageEgressOnly:
		where.Code, where.Component = "x:EIGW_EGRESS_ONLY", egressOnly(t, d, e)
		where.Text = fmt.Sprintf("the egress-only gateway carries nothing from %s to %s that did not begin in the VPC", d.Source.Addr(), d.Destination.Addr())
	default:
		where.Code = "ENI_SOURCE_DEST_CHECK_RESTRICTION"
		where.Text = fmt.Sprintf("the source/destination check does not let %s send to %s", d.Source.Addr(), d.Destination.Addr())
	}
	return where
}

// egressOnly is the gateway that the packet met: that of its route, or, from outside, the VPC's.
func egressOnly(t *topology.Topology, d dataplane.Drop, e *topology.ENI) explain.Component {
	at := explain.Component{Kind: resource.KindVPC, ID: string(d.VPC)}
	v := t.VPC(d.VPC)
	if v == nil || len(v.EgressOnly) == 0 {
		return at
	}
	at = explain.Component{Kind: resource.KindEgressOnlyGateway, ID: string(v.EgressOnly[0])}
	if e != nil {
		if s := v.Subnet(e.SubnetID); s != nil {
			if r, found := s.Route(d.Destination.Addr()); found && r.Kind == topology.TargetEgressOnly {
				at.ID = r.TargetID
			}
		}
	}
	return at
}

func tableOf(t *topology.Topology, e *topology.ENI) resource.RouteTableID {
	if e == nil {
		return ""
	}
	if v := t.VPC(e.VPCID); v != nil {
		if s := v.Subnet(e.SubnetID); s != nil {
			return s.RouteTableID
		}
	}
	return ""
}
