package ec2

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// insightsEndpoint is one end of a path as the network knows it.
type insightsEndpoint struct {
	id       string
	eni      *topology.ENI      // of an instance, an interface, or an interface endpoint
	gateway  *topology.VPC      // that an internet gateway belongs to
	endpoint *topology.Endpoint // interface or gateway
	vpc      resource.VPCID     // where it is
	fault    string             // why no packet begins or ends there
}

// insightsEndOf finds an end, or says why it is none.
func insightsEndOf(r state.Reader, t *topology.Topology, id string) insightsEndpoint {
	e := insightsEndpoint{id: id}
	if i, ok := state.Get[*resource.Instance](r, id); ok {
		return instanceEnd(t, e, i)
	}
	if e.eni = t.ENIs[resource.NetworkInterfaceID(id)]; e.eni != nil {
		e.vpc = e.eni.VPCID
		return e
	}
	if _, ok := state.Get[*resource.VPCPeeringConnection](r, id); ok {
		e.fault = "UNSUPPORTED_COMPONENT"
		return e
	}
	for _, v := range t.VPCs {
		if string(v.InternetGateway) == id {
			e.gateway, e.vpc = v, v.ID
			return e
		}
		if e.endpoint = v.Endpoint(resource.VPCEndpointID(id)); e.endpoint != nil {
			e.vpc = v.ID
			if len(e.endpoint.ENIs) > 0 {
				e.eni = v.ENI(e.endpoint.ENIs[0])
			} else if e.endpoint.Type != resource.EndpointTypeGateway {
				e.fault = "UNASSOCIATED_COMPONENT"
			}
			return e
		}
		if slices.ContainsFunc(v.Unaccepted, func(o *topology.Endpoint) bool { return string(o.ID) == id }) {
			e.fault, e.vpc = "BAD_STATE", v.ID
			return e
		}
	}
	e.fault = "NO_SOURCE_OR_DESTINATION"
	if _, ok := state.Get[*resource.InternetGateway](r, id); ok {
		e.fault = "UNASSOCIATED_COMPONENT" // it is attached to no VPC
	}
	return e
}

func instanceEnd(t *topology.Topology, e insightsEndpoint, i *resource.Instance) insightsEndpoint {
	e.eni = t.ENIs[i.InterfaceID]
	switch {
	case e.eni == nil:
		e.fault = "UNASSOCIATED_COMPONENT"
	case i.State != resource.InstanceRunning:
		e.fault, e.vpc = "BAD_STATE", e.eni.VPCID
	default:
		e.vpc = e.eni.VPCID
	}
	return e
}

// explained is one explanation of an end.
func (c components) explained(code string, e insightsEndpoint) Explanation {
	out := Explanation{ExplanationCode: new(code), Component: c.of(e.id), Vpc: c.of(string(e.vpc))}
	if e.gateway != nil {
		out.InternetGateway = c.of(e.id)
	}
	if e.endpoint != nil {
		out.VpcEndpoint = c.of(e.id)
	}
	if e.fault == "BAD_STATE" {
		out.State = new("not available")
	}
	return out
}

// ends are what is wrong with the ends of a path before any packet is sent.
func (q *question) ends(c components) []Explanation {
	var out []Explanation
	for _, e := range []insightsEndpoint{q.from, q.to} {
		if e.fault != "" {
			out = append(out, c.explained(e.fault, e))
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, code := range q.sourceFaults() {
		out = append(out, c.explained(code, q.from))
	}
	for _, code := range q.destinationFaults() {
		out = append(out, c.explained(code, q.to))
	}
	return out
}

var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")

// sourceFaults: not everything starts connections, and an internet gateway lets in from public addresses only.
func (q *question) sourceFaults() []string {
	var out []string
	source := q.path.SourceIP
	switch e := q.from; {
	case e.gateway != nil:
		switch {
		case e.gateway.Contains(source):
			out = append(out, "GATEWAY_REJECTS_SPOOFED_TRAFFIC")
		}
		if source.IsPrivate() {
			out = append(out, "IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS")
		}
		if sharedAddresses.Contains(source) {
			out = append(out, "IGW_SOURCE_ADDRESS_NOT_IN_RFC6598_INGRESS")
		}
		if notPublic(q.path.AtSource.SourceAddress) || notPublic(q.path.AtSource.DestinationAddress) {
			out = append(out, "IGW_EXPECTS_PUBLIC_ADDRESS")
		}
	case e.endpoint != nil && e.endpoint.Type == resource.EndpointTypeGateway:
		if source.IsValid() && !slices.ContainsFunc(e.endpoint.Prefixes, func(p netip.Prefix) bool { return p.Contains(source) }) {
			return []string{"VPCE_GATEWAY_EGRESS_SOURCE_ADDRESS_RESTRICTION"}
		}
		return []string{"NO_PATH"} // it answers, and starts nothing
	case e.endpoint != nil && e.vpc == q.to.vpc:
		return []string{"VPCE_INTRA_VPC_TRAFFIC"}
	case e.eni != nil && e.eni.Type != resource.InterfaceTypeInterface && e.eni.Type != resource.InterfaceTypeLambda:
		return []string{"NO_PATH"} // NAT gateways and endpoints start nothing
	}
	return out
}

func notPublic(a netip.Addr) bool {
	return a.IsValid() && (a.IsPrivate() || sharedAddresses.Contains(a))
}

// destinationFaults: what an internet gateway lets in, and whose address it is that was asked for.
func (q *question) destinationFaults() []string {
	to := q.path.DestinationIP
	switch e := q.to; {
	case e.gateway != nil && q.from.gateway == nil && q.from.vpc != e.vpc:
		return []string{"DISCONNECTED_VPCS"}
	case e.gateway != nil && notPublic(q.path.AtDestination.DestinationAddress):
		return []string{"IGW_EXPECTS_PUBLIC_ADDRESS"}
	case e.eni == nil:
	case q.from.gateway != nil && e.vpc != q.from.vpc:
		return []string{"IGW_DESTINATION_ADDRESS_IN_VPC_CIDRS"}
	case q.from.gateway != nil && len(e.eni.Public) == 0:
		return []string{"IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS"}
	case to.IsValid() && !holds(e.eni, to):
		return []string{"ENI_ADDRESS_RESTRICTION"}
	}
	return nil
}

// holds reports whether an address, private or public, is an interface's.
func holds(e *topology.ENI, a netip.Addr) bool {
	return slices.Contains(e.Addresses, a) || slices.ContainsFunc(e.Public, func(p topology.PublicAddress) bool { return p.Public == a })
}

// flow is what leaves the source, as far as the ends say it.
func (q *question) flow(t *topology.Topology) explain.Flow {
	f := explain.Flow{Protocol: explain.TCP, Source: q.path.SourceIP, To: q.path.DestinationIP}
	if q.path.Protocol == "udp" {
		f.Protocol = explain.UDP
	}
	if q.from.eni != nil {
		f.From = q.from.eni.ID
	}
	if a := q.path.AtSource.SourceAddress; a.IsValid() {
		f.Source = a
	}
	switch at, to := q.path.AtDestination.DestinationAddress, q.to; {
	case q.path.AtSource.DestinationAddress.IsValid():
		f.To = q.path.AtSource.DestinationAddress
	case f.To.IsValid():
	case to.eni != nil && q.from.gateway != nil:
		f.To = to.eni.Public[0].Public
		for _, p := range to.eni.Public {
			if p.Private == at {
				f.To = p.Public
			}
		}
	case to.eni != nil && at.IsValid() && holds(to.eni, at), to.id == "":
		f.To = at
	case to.eni != nil:
		f.To = to.eni.Address()
	case to.endpoint != nil:
		f.To = addressWithin(t, to.endpoint)
	case to.gateway != nil:
		f.Internet = true
	}
	return f
}

// addressWithin is one of a service's that a gateway endpoint leads to.
func addressWithin(t *topology.Topology, e *topology.Endpoint) netip.Addr {
	for _, s := range t.Services {
		for _, n := range s.Names {
			for _, a := range n.Addresses {
				if s.Service == e.Service && slices.ContainsFunc(e.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) }) {
					return a
				}
			}
		}
	}
	return netip.Addr{}
}
