package topology

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// Source says where a DNS answer came from.
type Source string

// The sources.
const (
	SourcePrivateZone  Source = "private zone"         // private DNS of an interface endpoint
	SourceEndpoint     Source = "endpoint name"        // an interface endpoint's own name
	SourcePublic       Source = "public"               // an AWS service's public name
	SourceHostname     Source = "private host name"    // ip-10-0-1-5.us-west-2.compute.internal
	SourcePublicName   Source = "public host name"     // ec2-203-0-113-25.us-west-2.compute.amazonaws.com
	SourceReverse      Source = "reverse name"         // 5.1.0.10.in-addr.arpa
	SourceNone         Source = "none"                 // nobody knows the name
	SourceNoDNSSupport Source = "dns support disabled" // the resolver does not answer
)

// answerTTL is what AWS gives for host names and endpoint names, in seconds.
const answerTTL = 60

// Answer is what a resolver says about a name.
//
// A name that exists has Found set and, for types it has no record of, is answered with no records. Exactly one
// of Found, NXDomain and Timeout is set.
type Answer struct {
	Name       string // as asked: lower case, no final dot
	Found      bool
	NXDomain   bool
	Timeout    bool         // no answer at all
	Addresses  []netip.Addr // IPv4: the A records
	IPv6       []netip.Addr // the AAAA records
	Pointer    string       // of a reverse name
	Source     Source
	Zone       string                 // the zone that answered; empty: the root
	Service    string                 // the service whose name it is, if it is one
	EndpointID resource.VPCEndpointID // the endpoint that the addresses belong to, if any
	TTL        uint32
}

// Lookup decides what the resolver of a VPC answers, or for an empty VPC id the internet's. Inside a VPC the
// private zones come first and shadow: once a zone matches, what it does not have does not exist.
func Lookup(t *Topology, in resource.VPCID, name string) Answer {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	a := Answer{Name: name, TTL: answerTTL}
	if in != "" {
		vpc := t.VPC(in)
		if vpc == nil || !vpc.DNSSupport {
			a.Timeout, a.Source = true, SourceNoDNSSupport
			return a
		}
		for _, ask := range []func(*VPC, *Answer) bool{privateZone, privateHostname, reverse} {
			if ask(vpc, &a) {
				return a
			}
		}
	}
	for _, ask := range []func(*Topology, resource.VPCID, *Answer) bool{endpointName, publicHostname, balancerName, publicName} {
		if ask(t, in, &a) {
			return a
		}
	}
	a.NXDomain, a.Source = true, SourceNone
	return a
}

// privateZone answers from the private zones of the VPC's endpoints; the longest zone wins.
func privateZone(vpc *VPC, a *Answer) bool {
	var holder *Endpoint
	for _, e := range vpc.Endpoints {
		if !e.PrivateDNS {
			continue
		}
		for _, n := range e.Names {
			zone := strings.TrimPrefix(n.Pattern, "*.")
			if strings.HasSuffix(zone, ownSuffix) || !below(a.Name, zone) || len(zone) <= len(a.Zone) {
				continue
			}
			holder, a.Zone = e, zone
		}
	}
	if holder == nil {
		return false
	}
	a.Source, a.EndpointID, a.Service = SourcePrivateZone, holder.ID, holder.Service
	var apex bool
	a.Found = a.take(match(holder.Names, a.Name))
	for _, n := range holder.Names {
		apex = apex || a.Name == strings.TrimPrefix(n.Pattern, "*.")
	}
	a.Found = a.Found || apex
	a.NXDomain = !a.Found
	return true
}

// privateHostname answers ip-10-0-1-5.us-west-2.compute.internal for the interfaces of the VPC.
func privateHostname(vpc *VPC, a *Answer) bool {
	if !below(a.Name, vpc.DomainName) || !vpc.DNSHostnames {
		return false
	}
	a.Source, a.Zone = SourceHostname, vpc.DomainName
	if a.Name == vpc.DomainName {
		a.Found = true
		return true
	}
	label := strings.TrimSuffix(a.Name, "."+vpc.DomainName)
	if a.resourceName(vpc, label) {
		return true
	}
	ip, ok := dashed(label, "ip-")
	if ok && vpc.Holder(ip) != nil {
		a.Found, a.Addresses = true, []netip.Addr{ip}
		return true
	}
	a.NXDomain = true
	return true
}

// resourceName answers i-0123456789abcdef0.us-west-2.compute.internal. Only such names have IPv6 addresses: those made
// of an address have that one.
func (a *Answer) resourceName(vpc *VPC, label string) bool {
	for _, e := range vpc.ENIs {
		if n := e.ResourceName; n.Label != "" && n.Label == label {
			a.Found = true
			if n.A {
				a.Addresses = []netip.Addr{e.Address()}
			}
			if n.AAAA {
				a.IPv6 = slices.Clone(e.IPv6)
			}
			return true
		}
	}
	return false
}

// PrivateHostname is the name of a private address in the VPC.
func (v *VPC) PrivateHostname(ip netip.Addr) string {
	return "ip-" + strings.ReplaceAll(ip.String(), ".", "-") + "." + v.DomainName
}

const reverseZone = "in-addr.arpa"

// reverse answers PTR questions about the VPC's own addresses.
func reverse(vpc *VPC, a *Answer) bool {
	if !below(a.Name, reverseZone) {
		return false
	}
	a.Source, a.Zone = SourceReverse, reverseZone
	labels := strings.Split(strings.TrimSuffix(a.Name, "."+reverseZone), ".")
	slices.Reverse(labels)
	ip, err := netip.ParseAddr(strings.Join(labels, "."))
	if err == nil && vpc.DNSHostnames && vpc.Contains(ip) && vpc.Holder(ip) != nil {
		a.Found, a.Pointer = true, vpc.PrivateHostname(ip)
		return true
	}
	a.NXDomain = true
	return true
}

// endpointName answers the endpoints' own names. They are public names with private addresses.
func endpointName(t *Topology, _ resource.VPCID, a *Answer) bool {
	if !strings.HasSuffix(a.Name, ownSuffix) {
		return false
	}
	for _, v := range t.VPCs {
		for _, e := range v.Endpoints {
			if a.take(match(e.Names, a.Name)) {
				a.Found, a.Source = true, SourceEndpoint
				a.EndpointID, a.Service, a.Zone = e.ID, e.Service, strings.TrimPrefix(ownSuffix, ".")
				return true
			}
		}
	}
	return false
}

// publicHostname answers ec2-203-0-113-25.us-west-2.compute.amazonaws.com: with the private address inside the
// VPC whose interface has it and in peered VPCs that are allowed to know, with the public one elsewhere.
func publicHostname(t *Topology, in resource.VPCID, a *Answer) bool {
	zone := publicZone(t.Region)
	if !below(a.Name, zone) || a.Name == zone {
		return false
	}
	ip, ok := dashed(strings.TrimSuffix(a.Name, "."+zone), "ec2-")
	if !ok {
		return false
	}
	for _, v := range t.VPCs {
		for _, e := range v.ENIs {
			for _, p := range e.Public {
				if p.Public != ip || !v.DNSHostnames {
					continue
				}
				a.Found, a.Addresses, a.Source, a.Zone = true, []netip.Addr{ip}, SourcePublicName, zone
				if v.ID == in || t.resolvesPeer(in, v.ID) {
					a.Addresses = []netip.Addr{p.Private}
				}
				return true
			}
		}
	}
	return false
}

// resolvesPeer reports whether queries made in a VPC see the private addresses of another.
func (t *Topology) resolvesPeer(in, peer resource.VPCID) bool {
	vpc := t.VPC(in)
	if vpc == nil {
		return false
	}
	p := vpc.PeeringWith(peer)
	return p != nil && p.ResolvesPeer
}

// publicZone holds the public host names of a region.
func publicZone(region string) string {
	if region == "us-east-1" {
		return "compute-1.amazonaws.com"
	}
	return region + ".compute.amazonaws.com"
}

// publicName answers the services' public names.
func publicName(t *Topology, _ resource.VPCID, a *Answer) bool {
	for _, s := range t.Services {
		if a.take(match(s.Names, a.Name)) {
			a.Found, a.Source, a.Service = true, SourcePublic, s.Service
			a.Zone = "amazonaws.com"
			return true
		}
	}
	return false
}

// take sorts what match found by family.
func (a *Answer) take(addresses []netip.Addr, found bool) bool {
	for _, ip := range addresses {
		if ip.Is4() {
			a.Addresses = append(a.Addresses, ip)
		} else {
			a.IPv6 = append(a.IPv6, ip)
		}
	}
	return found
}

// match finds a name among patterns. An exact one wins over a wildcard, a longer wildcard over a shorter.
func match(names []Name, name string) (addresses []netip.Addr, found bool) {
	best := 0
	for _, n := range names {
		if n.Pattern == name {
			return n.Addresses, true
		}
		if zone, ok := strings.CutPrefix(n.Pattern, "*."); ok && name != zone && below(name, zone) && len(zone) > best {
			addresses, found, best = n.Addresses, true, len(zone)
		}
	}
	return addresses, found
}

// below reports whether a name is the zone or lies in it.
func below(name, zone string) bool {
	return name == zone || len(name) > len(zone) && name[len(name)-len(zone)-1] == '.' && strings.HasSuffix(name, zone)
}

// dashed reads ip-10-0-1-5 with the given prefix.
func dashed(label, prefix string) (netip.Addr, bool) {
	rest, ok := strings.CutPrefix(label, prefix)
	if !ok || strings.Contains(rest, ".") {
		return netip.Addr{}, false
	}
	ip, err := netip.ParseAddr(strings.ReplaceAll(rest, "-", "."))
	return ip, err == nil && ip.Is4()
}
