package diagram

import (
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// addBorder puts what leads out of a VPC on its border: gateways, gateway endpoints and peering connections. They
// belong to the VPC and stand half outside, so their place is counted from the region.
func (p *Picture) addBorder(t *topology.Topology, g *group) {
	add := func(c *Card) {
		c.Parent = "region"
		g.border = append(g.border, p.addCard(c))
	}
	if id := string(g.vpc.InternetGateway); id != "" {
		add(&Card{Key: id, ID: id, Kind: KindInternetGateway, Icon: "internet-gateway", Label: p.nameOf(id, "Internet gateway"), details: []string{id}})
	}
	for _, gateway := range g.vpc.EgressOnly {
		id := string(gateway)
		add(&Card{
			Key: id, ID: id, Kind: KindEgressOnlyGateway, Icon: "egress-only", Label: p.nameOf(id, "Egress-only gateway"),
			details: []string{"IPv6, outward only", id},
		})
	}
	for _, e := range g.vpc.Endpoints {
		if e.Type != resource.EndpointTypeGateway {
			continue
		}
		id := string(e.ID)
		add(&Card{
			Key: id, ID: id, Kind: KindGatewayEndpoint, Icon: "endpoint", Label: p.nameOf(id, serviceName(e.Service)+" endpoint"),
			details: []string{"gateway · free", id},
		})
	}
	for _, c := range g.vpc.Peerings {
		id := string(c.ID)
		if t.VPC(c.PeerVPCID) == nil {
			continue // nobody to lead to
		}
		add(&Card{
			Key: peeringKey(c.ID, g.vpc.ID), ID: id, Kind: KindPeering, Icon: "peering", Label: p.nameOf(id, "Peering"),
			details: []string{"to " + p.nameOf(string(c.PeerVPCID), string(c.PeerVPCID)), id},
		})
	}
}

// peeringKey names one end of a connection.
func peeringKey(c resource.PeeringID, vpc resource.VPCID) string {
	return string(c) + "@" + string(vpc)
}

// borderLinks are the ways over a VPC's border that are there whether or not anything uses them.
func (p *Picture) borderLinks(v *topology.VPC) {
	for _, c := range v.Peerings {
		from, to := peeringKey(c.ID, v.ID), peeringKey(c.ID, c.PeerVPCID)
		if !p.joined(to, from) {
			p.connect(from, []string{to}, StateLink)
		}
	}
	for _, c := range p.Cards {
		e := p.eniOf(v, c)
		if e == nil || len(e.IPv6) == 0 || !works(c) {
			continue
		}
		for _, r := range v.Subnet(e.SubnetID).Routes {
			if r.Kind == topology.TargetEgressOnly && !r.Blackhole {
				p.connect(c.Key, []string{r.TargetID}, StateLink)
			}
		}
	}
}

// eniOf is the interface of a card in a VPC, nil if it has none there.
func (p *Picture) eniOf(v *topology.VPC, c *Card) *topology.ENI {
	for _, e := range v.ENIs {
		if string(e.ID) == c.ENI {
			return e
		}
	}
	return nil
}

// works reports whether a card starts connections of its own.
func works(c *Card) bool {
	return c.Kind == KindFunction || c.Kind == KindInstance || c.Kind == KindInterface
}

func (p *Picture) joined(from, to string) bool {
	for _, e := range p.Edges {
		if e.From == from && e.To == to {
			return true
		}
	}
	return false
}
