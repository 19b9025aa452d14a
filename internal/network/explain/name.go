package explain

import (
	"fmt"
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// resolve finds the addresses that the flow goes to.
func (c *explanation) resolve() ([]netip.Addr, bool) {
	if c.flow.Internet {
		c.flow.Name, c.flow.To = "", internetClient
	}
	if ip, err := netip.ParseAddr(c.flow.Name); err == nil {
		c.flow.Name, c.flow.To = "", ip
	}
	if c.flow.Name == "" {
		return c.address(c.flow.To.Unmap())
	}
	var in resource.VPCID
	if c.vpc != nil {
		in = c.vpc.ID
	}
	a := topology.Lookup(c.topology, in, c.flow.Name)
	c.trace.DNS = a
	resolver := Component{KindResolver, string(in)}
	why := cause{code: "x:DNS_NO_ANSWER", component: resolver, vpc: c.vpc}
	switch {
	case a.Timeout:
		why.component = Component{resource.KindVPC, string(in)}
		c.deny(why, "the resolver of %s does not answer, because enable_dns_support is false: the name %s cannot be resolved", in, a.Name)
	case a.NXDomain && a.EndpointID != "":
		why.component = Component{resource.KindVPCEndpoint, string(a.EndpointID)}
		c.deny(why, "%s does not exist: the private zone %s of %s has no such name and hides the public one", a.Name, a.Zone, a.EndpointID)
	case a.NXDomain && c.unacceptedName(a.Name) != nil:
		c.unaccepted(c.unacceptedName(a.Name))
	case a.NXDomain:
		c.deny(why, "nobody in the region knows the name %s", a.Name)
	case len(c.usable(a)) == 0:
		c.deny(why, "%s exists and has no addresses%s", a.Name, c.ofFamily(a))
	default:
		all := c.usable(a)
		c.note(Allow, resolver, "", "%s is %s: %s", a.Name, joinAddresses(all), answerText(a))
		c.adviseOnName(a)
		return all, true
	}
	return nil, false
}

// address takes the flow's own destination.
func (c *explanation) address(to netip.Addr) ([]netip.Addr, bool) {
	why := cause{code: "NO_SOURCE_OR_DESTINATION", component: Component{KindInternet, "internet"}}
	switch {
	case !to.IsValid():
		c.deny(why, "the flow has no destination")
	default:
		c.flow.To = to
		return []netip.Addr{to}, true
	}
	return nil, false
}

func joinAddresses(all []netip.Addr) string {
	text := all[0].String()
	for _, a := range all[1:] {
		text += ", " + a.String()
	}
	return text
}

func answerText(a topology.Answer) string {
	switch a.Source {
	case topology.SourcePrivateZone:
		return "private DNS of " + string(a.EndpointID)
	case topology.SourceEndpoint:
		return "a name of " + string(a.EndpointID)
	case topology.SourcePublic:
		return "public addresses of " + a.Service
	default:
		return string(a.Source)
	}
}

// adviseOnName notes where an endpoint in the VPC might have been expected to answer, and does not.
func (c *explanation) adviseOnName(a topology.Answer) {
	if c.vpc == nil {
		return
	}
	for _, e := range c.vpc.Endpoints {
		if e.Type == resource.EndpointTypeGateway {
			continue
		}
		why := cause{component: Component{resource.KindVPCEndpoint, string(e.ID)}, vpc: c.vpc, endpoint: e}
		switch {
		case e.ID == a.EndpointID && a.Source == topology.SourcePrivateZone && e.PrivateDNSReason != "":
			c.note(Note, why.component, "", "private DNS of %s is %s", e.ID, e.PrivateDNSReason)
		case a.Source != topology.SourcePublic || e.Service != a.Service:
		case !e.PrivateDNS:
			why.code = "x:DNS_ANSWER_IS_PUBLIC"
			why.text = "private DNS of " + string(e.ID) + " is off (" + e.PrivateDNSReason + "), so " + a.Name +
				" resolves to public addresses and traffic does not use the endpoint"
			c.advise(why)
			return
		default:
			why.code = "x:DNS_WRONG_REGION_NAME"
			why.text = a.Name + " is not among the names that private DNS of " + string(e.ID) +
				" covers, so it resolves to public addresses; the regional name would lead to the endpoint"
			c.advise(why)
			return
		}
	}
}

// advise notes what will be the cause, should the flow fail.
func (c *explanation) advise(why cause) {
	c.advice = &why
	c.trace.Hops = append(c.trace.Hops, Hop{Component: why.component, Verdict: Note, Code: why.code, Text: why.text})
}

// zones notes that an endpoint is in another zone than whoever calls it: that costs money, and fails with the zone.
func (c *explanation) zones(vpc *topology.VPC, endpoint *topology.Endpoint, e *topology.ENI) {
	if c.eni == nil || c.eni.VPCID != vpc.ID {
		return
	}
	from, to := vpc.Subnet(c.eni.SubnetID), vpc.Subnet(e.SubnetID)
	if from == nil || to == nil || from.AZ == to.AZ {
		return
	}
	*c.hops = append(*c.hops, Hop{
		Component: Component{resource.KindVPCEndpoint, string(endpoint.ID)}, Verdict: Note, Code: "x:VPCE_NOT_IN_CALLERS_AZ", Packet: c.current.header(),
		Text: fmt.Sprintf("%s is reached in %s, and the caller is in %s: that is paid for by the byte, and a subnet of %s in the endpoint would avoid it",
			endpoint.ID, to.AZ, from.AZ, from.AZ),
	})
}
