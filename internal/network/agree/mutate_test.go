package agree

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// mutate changes a few things and says what.
func (g *generator) mutate() []string {
	var did []string
	g.update(func(tx *state.Tx) {
		for range 2 + g.rng.IntN(4) {
			did = append(did, g.mutateOne(tx, pick(g, g.plots)))
		}
		g.aside(func() { did = append(did, g.rebalance(tx)) })
	})
	return did
}

func (g *generator) mutateOne(tx *state.Tx, p *plot) string {
	type change struct {
		name string
		do   func(*state.Tx, *plot)
	}
	c := pick(g, []change{
		{"rules", g.changeRules}, {"rules", g.changeRules}, {"acl", g.changeACL}, {"acl", g.changeACL}, {"acl of a subnet", g.moveACL},
		{"groups", g.changeGroups}, {"routes", g.changeRoutes}, {"routes", g.changeRoutes}, {"table of a subnet", g.moveTable},
		{"internet gateway", g.toggleGateway}, {"public address", g.togglePublic}, {"source check", g.toggleCheck},
		{"NAT gateway", g.toggleNAT}, {"gateway endpoint", g.moveEndpoint}, {"interface", g.replaceInterface},
		{"prefix list", g.changeList}, {"peering", g.togglePeering}, {"peering", g.togglePeering},
		{"egress-only gateway", g.toggleEgressOnly}, {"IPv6 routes", g.changeRoutes6}, {"IPv6 addresses", g.changeAddresses6},
	})
	c.do(tx, p)
	return c.name
}

// one picks a resource of a VPC; it may be changed freely, being a copy.
func one[T any, P interface {
	*T
	state.Resource
}](g *generator, tx *state.Tx, in func(P) bool) (P, bool) {
	all := state.Select(tx, in)
	if len(all) == 0 {
		return nil, false
	}
	c := *pick(g, all)
	return &c, true
}

func (g *generator) changeRules(tx *state.Tx, p *plot) {
	if s, ok := one(g, tx, func(s *resource.SecurityGroup) bool { return s.VPCID == p.id && s.ID != p.groups[0] }); ok {
		switch {
		case len(s.Rules) > 0 && g.chance(40):
			i := g.rng.IntN(len(s.Rules))
			s.Rules = slices.Delete(slices.Clone(s.Rules), i, i+1)
		case g.chance(70):
			r := g.rule(p, g.chance(50))
			if p.cidr6.IsValid() && g.chance(50) {
				r = g.rule6(p, r)
			}
			s.Rules = append(slices.Clone(s.Rules), r)
		default:
			s.Rules = g.rules(p, false)
		}
		tx.Put(s)
	}
}

func (g *generator) changeACL(tx *state.Tx, p *plot) {
	if n, ok := one(g, tx, func(n *resource.NetworkACL) bool { return n.VPCID == p.id && !n.IsDefault }); ok {
		egress := g.chance(50)
		e := g.entry(p.cidr, egress, 1+g.rng.IntN(150))
		if p.cidr6.IsValid() && g.chance(40) {
			e = g.entry6(p, egress, 1+g.rng.IntN(150))
		}
		n.Entries = slices.DeleteFunc(slices.Clone(n.Entries), func(o resource.NetworkACLEntry) bool {
			return o.Egress == egress && (o.RuleNumber == e.RuleNumber || g.chance(30))
		})
		n.Entries = append(n.Entries, e)
		if o := opposite(e); !slices.ContainsFunc(n.Entries, func(e resource.NetworkACLEntry) bool { return e.Egress == egress && e.RuleNumber == o.RuleNumber }) {
			n.Entries = append(n.Entries, o)
		}
		tx.Put(n)
	}
}

func (g *generator) moveACL(tx *state.Tx, p *plot) {
	if s, ok := one(g, tx, func(s *resource.Subnet) bool { return s.VPCID == p.id }); ok {
		s.NetworkACLID = pick(g, p.acls)
		tx.Put(s)
	}
}

func (g *generator) changeGroups(tx *state.Tx, p *plot) {
	if e, ok := one(g, tx, func(e *resource.NetworkInterface) bool { return e.VPCID == p.id && len(e.GroupIDs) > 0 }); ok {
		e.GroupIDs = g.someGroups(p.groups)
		tx.Put(e)
	}
}

func (g *generator) changeRoutes(tx *state.Tx, p *plot) {
	if t, ok := one(g, tx, func(t *resource.RouteTable) bool { return t.VPCID == p.id }); ok {
		t.Routes = slices.DeleteFunc(slices.Clone(t.Routes), func(resource.Route) bool { return g.chance(35) })
		for _, r := range g.specialRoutes(p) {
			if !slices.ContainsFunc(t.Routes, func(o resource.Route) bool {
				return o.DestinationCIDR == r.DestinationCIDR && o.DestinationPrefixListID == r.DestinationPrefixListID
			}) {
				t.Routes = append(t.Routes, r)
			}
		}
		everywhere := routeTo("0.0.0.0/0", resource.RouteTarget{})
		has := slices.ContainsFunc(t.Routes, func(o resource.Route) bool { return o.DestinationCIDR == everywhere.DestinationCIDR })
		switch {
		case has:
		case p.gateway != "" && g.chance(50):
			everywhere.Target.InternetGatewayID = p.gateway
			t.Routes = append(t.Routes, everywhere)
		case p.nat != "":
			everywhere.Target.NATGatewayID = p.nat
			t.Routes = append(t.Routes, everywhere)
		}
		tx.Put(t)
	}
}

// moveTable takes a subnet from its table, so that it uses the main one, or gives it another's.
func (g *generator) moveTable(tx *state.Tx, p *plot) {
	tables := state.Select(tx, func(t *resource.RouteTable) bool { return t.VPCID == p.id })
	subnet := pick(g, p.subnets).ID
	for _, t := range tables {
		c := *t
		c.Associations = slices.DeleteFunc(slices.Clone(c.Associations), func(a resource.RouteTableAssociation) bool { return a.SubnetID == subnet })
		tx.Put(&c)
	}
	if g.chance(70) {
		if t, ok := one(g, tx, func(t *resource.RouteTable) bool { return t.VPCID == p.id && !t.Main() }); ok {
			t.Associations = append(slices.Clone(t.Associations), resource.RouteTableAssociation{SubnetID: subnet})
			tx.Put(t)
		}
	}
}

func (g *generator) toggleGateway(tx *state.Tx, p *plot) {
	if p.gateway == "" {
		return
	}
	c := resource.InternetGateway{ID: p.gateway, VPCID: p.id}
	if old, ok := state.Get[*resource.InternetGateway](tx, p.gateway); ok && old.VPCID != "" && g.chance(50) {
		c.VPCID = ""
	}
	tx.Put(&c)
}

func (g *generator) togglePublic(tx *state.Tx, p *plot) {
	e, ok := one(g, tx, func(e *resource.NetworkInterface) bool {
		return e.VPCID == p.id && e.InterfaceType == resource.InterfaceTypeInterface
	})
	if !ok {
		return
	}
	if a, ok := one(g, tx, func(a *resource.Address) bool { return a.NetworkInterfaceID == e.ID }); ok {
		tx.Delete(a)
		return
	}
	tx.Put(&resource.Address{
		AllocationID: resource.AllocationID(g.id("eipalloc")), PublicIP: g.nextPublic(), NetworkInterfaceID: e.ID, PrivateIP: e.PrimaryIP(),
	})
}

func (g *generator) toggleCheck(tx *state.Tx, p *plot) {
	if e, ok := one(g, tx, func(e *resource.NetworkInterface) bool {
		return e.VPCID == p.id && e.InterfaceType == resource.InterfaceTypeInterface
	}); ok {
		e.SourceDestCheck = !e.SourceDestCheck
		tx.Put(e)
	}
}

func (g *generator) toggleNAT(tx *state.Tx, p *plot) {
	if n, ok := one(g, tx, func(n *resource.NATGateway) bool { return n.VPCID == p.id }); ok {
		n.State = map[bool]string{true: "deleted", false: "available"}[n.State == "available"]
		tx.Put(n)
	}
}

func (g *generator) moveEndpoint(tx *state.Tx, p *plot) {
	if e, ok := one(g, tx, func(e *resource.VPCEndpoint) bool { return e.VPCID == p.id && e.Type == resource.EndpointTypeGateway }); ok {
		e.RouteTableIDs = nil
		for _, t := range state.Select(tx, func(t *resource.RouteTable) bool { return t.VPCID == p.id }) {
			if g.chance(50) {
				e.RouteTableIDs = append(e.RouteTableIDs, t.ID)
			}
		}
		tx.Put(e)
	}
}

// replaceInterface removes one, and what refers to it stays; another comes.
func (g *generator) replaceInterface(tx *state.Tx, p *plot) {
	if e, ok := one(g, tx, func(e *resource.NetworkInterface) bool {
		return e.VPCID == p.id && e.InterfaceType == resource.InterfaceTypeInterface
	}); ok {
		tx.Delete(e)
		for _, a := range state.Select(tx, func(a *resource.Address) bool { return a.NetworkInterfaceID == e.ID }) {
			tx.Delete(a)
		}
	}
	e := g.eni(tx, p, pick(g, p.subnets), resource.InterfaceTypeInterface)
	if g.chance(45) {
		g.middlebox(tx, p, e)
	}
}

func (g *generator) changeList(tx *state.Tx, p *plot) {
	if l, ok := one(g, tx, func(l *resource.PrefixList) bool { return l.ID == p.list }); ok {
		l.Entries = []resource.PrefixListEntry{{CIDR: g.block(p.cidr)}, {CIDR: subnetOf(p.cidr, 1+g.rng.IntN(3))}}
		tx.Put(l)
	}
}
