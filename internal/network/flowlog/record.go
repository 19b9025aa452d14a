package flowlog

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/resource"
	"golang.org/x/sys/unix"
)

// Place is what records say of where they were made.
type Place struct {
	Account, Region string
	// ZoneID is the id of a subnet's zone, and Instance the instance that has an interface; empty: there is none.
	ZoneID   func(resource.SubnetID) string
	Instance func(resource.NetworkInterfaceID) string
}

// The states of a record.
const (
	statusOK   = "OK"
	statusNone = "NODATA"   // nothing passed, nothing was refused
	statusLost = "SKIPDATA" // something did that is not known
)

// base are the fields that records without a flow have, too.
func (p *Place) base(eni resource.NetworkInterfaceID, start, end time.Time, status string) map[string]string {
	return map[string]string{
		"account-id": p.Account, "interface-id": string(eni), "log-status": status,
		"start": strconv.FormatInt(start.Unix(), 10), "end": strconv.FormatInt(end.Unix(), 10),
	}
}

// fields are those of a flow. The interface's own side has its primary address, whatever the packets have.
func (p *Place) fields(s *flow.Sight) map[string]string {
	out := p.base(s.ENI.ID, s.First, s.Last, statusOK)
	source, destination := s.Source.Addr(), s.Destination.Addr()
	own := func(a netip.Addr) netip.Addr {
		if a.Is4() && len(s.ENI.Addresses) > 0 {
			return s.ENI.Address()
		}
		return a
	}
	direction, kind := "ingress", "IPv4"
	if s.Egress {
		direction, source = "egress", own(source)
	} else {
		destination = own(destination)
	}
	if s.Source.Addr().Is6() {
		kind = "IPv6"
	}
	for name, v := range map[string]string{
		"srcaddr": source.String(), "dstaddr": destination.String(), "srcport": number(s.Source.Port()), "dstport": number(s.Destination.Port()),
		"protocol": number(s.Protocol), "packets": number(s.Packets), "bytes": number(s.Bytes), "action": action(s.Accepted),
		"vpc-id": string(s.VPC.ID), "subnet-id": string(s.ENI.SubnetID), "instance-id": p.Instance(s.ENI.ID), "type": kind,
		"pkt-srcaddr": s.Source.Addr().String(), "pkt-dstaddr": s.Destination.Addr().String(),
		"region": p.Region, "az-id": p.ZoneID(s.ENI.SubnetID), "flow-direction": direction,
		"pkt-src-aws-service": s.SourceService, "pkt-dst-aws-service": s.DestinationService, DecidedBy: decidedBy(&s.Decision),
	} {
		out[name] = v
	}
	if s.Protocol == unix.IPPROTO_TCP {
		out["tcp-flags"] = number(s.TCPFlags)
	}
	if s.Path != 0 {
		out["traffic-path"] = number(s.Path)
	}
	return out
}

func action(accepted bool) string {
	if accepted {
		return "ACCEPT"
	}
	return "REJECT"
}

// decidedBy is an object and its rule as one word.
func decidedBy(d *flow.Decision) string {
	if d.Rule == "" {
		return d.Component.ID
	}
	word := []byte(d.Component.ID + "/" + d.Rule)
	for i, c := range word {
		if c == ' ' {
			word[i] = '/'
		}
	}
	return string(word)
}

func number[T ~int | ~uint8 | ~uint16 | ~uint64](n T) string {
	return strconv.FormatUint(uint64(n), 10)
}
