package dns

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// udpSize is the largest answer over UDP: one that no path on the internet fragments (DNS flag day 2020).
const udpSize = 1232

// negativeTTL is how long, in seconds, a resolver may remember that a name or a type does not exist. It is short
// because a VPC's names change under the hands of its owner.
const negativeTTL = 5

// question is what is to be answered, and by whom.
type question struct {
	topology *topology.Topology
	vpc      resource.VPCID
	request  *dns.Msg
	stream   bool   // over TCP: no limit on the size
	turn     uint32 // which address comes first
}

// reply makes the answer, or nil if the resolver keeps silent.
func reply(q question) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(q.request)
	m.RecursionAvailable = true
	size := acceptEDNS(q.request, m)
	if m.Rcode == dns.RcodeSuccess {
		if !answer(q, m) {
			return nil
		}
	}
	if !q.stream {
		m.Truncate(size)
	}
	return m
}

// acceptEDNS answers an OPT record with ours and returns how large the answer may be.
func acceptEDNS(request, m *dns.Msg) int {
	opt := request.IsEdns0()
	if opt == nil {
		return dns.MinMsgSize
	}
	m.SetEdns0(udpSize, opt.Do())
	if opt.Version() != 0 {
		m.Rcode = dns.RcodeBadVers
	}
	return max(dns.MinMsgSize, min(int(opt.UDPSize()), udpSize))
}

// answer fills in the sections. It returns false for silence.
func answer(q question, m *dns.Msg) bool {
	if len(q.request.Question) != 1 {
		m.Rcode = dns.RcodeFormatError
		return true
	}
	ask := q.request.Question[0]
	found := topology.Lookup(q.topology, q.vpc, ask.Name)
	switch {
	case found.Timeout:
		return false
	case ask.Qclass != dns.ClassINET, refused(ask.Qtype):
		m.Rcode = dns.RcodeRefused
		return true
	case found.NXDomain:
		m.Rcode = dns.RcodeNameError
	default:
		m.Answer = records(ask, found, q.turn)
	}
	if len(m.Answer) == 0 {
		m.Ns = append(m.Ns, authority(found))
	}
	return true
}

// refused are the questions that only help an attacker: everything at once, and whole zones.
func refused(qtype uint16) bool {
	return qtype == dns.TypeANY || qtype == dns.TypeAXFR || qtype == dns.TypeIXFR
}

// records are those of the type asked for; none if the name has no such record.
func records(ask dns.Question, found topology.Answer, turn uint32) []dns.RR {
	header := dns.RR_Header{Name: ask.Name, Rrtype: ask.Qtype, Class: dns.ClassINET, Ttl: found.TTL}
	apex := dns.CanonicalName(ask.Name) == dns.CanonicalName(found.Zone)
	switch {
	case ask.Qtype == dns.TypeA:
		var out []dns.RR
		for _, ip := range turned(found.Addresses, turn) {
			out = append(out, &dns.A{Hdr: header, A: ip.AsSlice()})
		}
		return out
	case ask.Qtype == dns.TypeAAAA:
		var out []dns.RR
		for _, ip := range turned(found.IPv6, turn) {
			out = append(out, &dns.AAAA{Hdr: header, AAAA: ip.AsSlice()})
		}
		return out
	case ask.Qtype == dns.TypePTR && found.Pointer != "":
		return []dns.RR{&dns.PTR{Hdr: header, Ptr: dns.Fqdn(found.Pointer)}}
	case ask.Qtype == dns.TypeSOA && apex:
		return []dns.RR{authority(found)}
	case ask.Qtype == dns.TypeNS && apex:
		return []dns.RR{&dns.NS{Hdr: header, Ns: authority(found).Ns}}
	default:
		return nil
	}
}

// turned begins with another address each time.
func turned(all []netip.Addr, turn uint32) []netip.Addr {
	if len(all) == 0 {
		return nil
	}
	first := int(turn % uint32(len(all)))
	return slices.Concat(all[first:], all[:first])
}

// authority is the SOA record of the zone that answered.
func authority(found topology.Answer) *dns.SOA {
	zone := dns.Fqdn(found.Zone)
	soa := &dns.SOA{
		Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: negativeTTL},
		Ns:  "ns-1536.awsdns-00.co.uk.", Mbox: "awsdns-hostmaster.amazon.com.",
		Serial: 1, Refresh: 7200, Retry: 900, Expire: 1209600, Minttl: negativeTTL,
	}
	if found.Source == topology.SourceHostname {
		soa.Ns, soa.Mbox = "ns0."+zone, "hostmaster.amazon.com."
	}
	return soa
}
