package flow

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Sight is what one interface saw of a flow: packets that left it, or that came to it. It is what AWS's flow logs have
// records of.
type Sight struct {
	VPC      *topology.VPC
	ENI      *topology.ENI
	Egress   bool
	Accepted bool

	Protocol            int
	Source, Destination netip.AddrPort // the packets' own
	Packets, Bytes      uint64
	TCPFlags            uint8
	First, Last         time.Time

	// Path is AWS's number of the way that packets took out of the interface; 0 where there is none.
	Path int
	// SourceService and DestinationService are AWS's names of the address ranges: S3, AMAZON; or empty.
	SourceService, DestinationService string
	// Decision is what said no. An accepted flow has one, too, if it then got nowhere for want of a route.
	Decision Decision
}

// AWS's numbers of traffic paths, those of Nitro instances.
const (
	pathWithinVPC       = 1
	pathPeering         = 4 // within the region
	pathGatewayEndpoint = 7
	pathInternetGateway = 8
)

// Passed is what interfaces saw of packets that passed a router: where they came from, and where they went.
func Passed(t *topology.Topology, f dataplane.Flow) []Sight {
	if f.Network == nil {
		return nil
	}
	s := Sight{
		VPC: f.Network, Accepted: true, Protocol: f.Protocol, Source: f.Source, Destination: f.Destination,
		Packets: f.Packets, Bytes: f.Bytes, TCPFlags: f.TCPFlags, First: f.First, Last: f.Last,
	}
	s.nameServices(t)
	var out []Sight
	if e := interfaceOf(f.Network, f.From.ENI); e != nil {
		sent := s
		sent.ENI, sent.Egress, sent.Path = e, true, pathTo(f.To)
		out = append(out, sent)
	}
	if e := interfaceOf(f.Network, f.To.ENI); e != nil {
		got := s
		got.ENI = e
		out = append(out, got)
	}
	return out
}

func pathTo(l dataplane.Link) int {
	switch {
	case l.ENI != "":
		return pathWithinVPC
	case l.GatewayEndpoint != "":
		return pathGatewayEndpoint
	case l.InternetGateway != "" || l.EgressOnly != "":
		return pathInternetGateway
	case l.Peering != "":
		return pathPeering
	}
	return 0
}

// Dropped is what interfaces saw of a packet that did not pass. Whose group or ACL refused it saw it refused. The
// sender of a packet that was refused at its destination, or that had no way, saw it leave.
func Dropped(t *topology.Topology, d dataplane.Drop, why Decision) []Sight {
	v := t.VPC(d.VPC)
	if v == nil {
		return nil
	}
	s := Sight{
		VPC: v, Protocol: d.Protocol, Source: d.Source, Destination: d.Destination,
		Packets: 1, Bytes: uint64(d.Bytes), TCPFlags: d.TCPFlags, First: d.Time, Last: d.Time, Decision: why,
	}
	s.nameServices(t)
	filtered := d.Stage == dataplane.StageGroups || d.Stage == dataplane.StageACL
	var out []Sight
	if e := interfaceOf(v, d.Sender); e != nil && d.Stage != dataplane.StageSource {
		sent := s
		sent.ENI, sent.Egress, sent.Accepted = e, true, !filtered || !d.Egress
		if filtered && !d.Egress {
			sent.Path, sent.Decision = pathWithinVPC, Decision{}
		}
		out = append(out, sent)
	}
	if e := interfaceOf(v, d.ENI); e != nil && filtered && !d.Egress {
		got := s
		got.ENI = e
		out = append(out, got)
	}
	return out
}

func interfaceOf(v *topology.VPC, id resource.NetworkInterfaceID) *topology.ENI {
	i, ok := slices.BinarySearchFunc(v.ENIs, id, func(e *topology.ENI, id resource.NetworkInterfaceID) int { return cmp.Compare(e.ID, id) })
	if !ok {
		return nil
	}
	return v.ENIs[i]
}

func (s *Sight) nameServices(t *topology.Topology) {
	s.SourceService, s.DestinationService = rangeName(publicService(t, s.VPC, s.Source.Addr())), rangeName(publicService(t, s.VPC, s.Destination.Addr()))
}

// rangeName is the name under which AWS publishes a service's addresses.
func rangeName(service string) string {
	switch service {
	case "":
		return ""
	case "s3":
		return "S3"
	case "dynamodb":
		return "DYNAMODB"
	}
	return "AMAZON"
}

// ServiceAt is the AWS service that has an address on the internet; empty if none has.
func ServiceAt(t *topology.Topology, a netip.Addr) string {
	for _, s := range t.Services {
		for _, n := range s.Names {
			if slices.Contains(n.Addresses, a) {
				return s.Service
			}
		}
	}
	return ""
}

// publicService is the AWS service that has a public address; empty if none has.
func publicService(t *topology.Topology, v *topology.VPC, a netip.Addr) string {
	if a.IsPrivate() {
		return ""
	}
	if s := ServiceAt(t, a); s != "" {
		return s
	}
	for _, e := range v.Endpoints {
		if slices.ContainsFunc(e.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) }) {
			return e.Service
		}
	}
	return ""
}
