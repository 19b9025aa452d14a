package agree

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane/linux"
	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// TestEveryFixOpensTheWayAndNothingInItIsIdle makes what explain advises, for real: with all edits the kernel lets
// the packet pass, and with one left out it does not.
func TestEveryFixOpensTheWayAndNothingInItIsIdle(t *testing.T) {
	all := &proofs{kinds: map[string]int{}}
	t.Run("networks", func(t *testing.T) {
		for _, seed := range []uint64{2001, 2002, 2003, 2004} {
			t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
				t.Parallel()
				d, err := linux.New(linux.Config{})
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				m := &mender{t: t, driver: d, generator: newGenerator(t, seed), all: all}
				if seed == 2004 {
					m.generator.part()
				}
				m.network()
			})
		}
	})
	t.Logf("%d sets opened their ways; without one edit %d of %d stayed closed; edits %v, sizes %v", all.opened, all.closed, all.dropped, all.kinds, all.sizes)
	if all.opened < 40 || all.sizes[2] == 0 {
		t.Errorf("%d sets prove too little", all.opened)
	}
	for _, kind := range []string{
		"AddRule", "AddEntry", "SetRoute", "AttachGateway", "GiveAddress", "JoinVPCs", "AddGatewayRoutes", "StopChecking", "DeleteRoute",
		"CreateGroup", "CreateEndpoint", "EnablePrivateDNS", "AddEndpointSubnet", "CreateNAT", "CreateSubnet",
		"CreateEgressOnly", "AssignIPv6", "AcceptEndpoint", "AddRule of IPv6", "AddEntry of IPv6", "SetRoute of IPv6",
	} {
		if all.kinds[kind] == 0 {
			t.Errorf("no set with %s was proven", kind)
		}
	}
	if all.closed*100 < all.dropped*99 {
		t.Errorf("of %d sets without one edit %d let the packet pass", all.dropped, all.dropped-all.closed)
	}
}

// proofs are counted over all networks.
type proofs struct {
	mu                      sync.Mutex
	opened, closed, dropped int            // guarded by mu
	kinds                   map[string]int // guarded by mu
	sizes                   [12]int        // guarded by mu
}

func (p *proofs) add(plan explain.Plan, closed int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened++
	p.sizes[len(plan.Edits)]++
	p.dropped += len(plan.Edits)
	p.closed += closed
	for _, e := range plan.Edits {
		p.kinds[kindOf(e)]++
	}
}

// novelty is larger for plans with edits that were tried less.
func (p *proofs) novelty(plan explain.Plan) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, e := range plan.Edits {
		n += 100 / (1 + p.kinds[kindOf(e)])
	}
	return n
}

// mender tries plans in one network.
type mender struct {
	t         *testing.T
	driver    *linux.Driver
	generator *generator
	all       *proofs
}

type planned struct {
	seat string
	flow explain.Flow
	plan explain.Plan
}

const (
	statesToMend = 2
	plansOfState = 6
)

func (m *mender) network() {
	for range statesToMend {
		w := enter(m.t, m.driver, m.generator.resolve())
		flows := m.generator.flows(w, 250)
		named := m.generator.namedFlows(w, 40)
		balanced := m.generator.balancedFlows(w, 40)
		w.close()
		var all []planned
		for _, flows := range []map[string][]explain.Flow{flows, named, balanced} {
			for seat, list := range flows {
				for _, f := range list {
					if p := explain.Mend(w.topology, f); len(p.Edits) > 0 && !guesses(w.topology, f, p) && !perhaps(p) {
						all = append(all, planned{seat, f, p})
					}
				}
			}
		}
		slices.SortFunc(all, func(a, b planned) int { return int(a.flow.SourcePort) - int(b.flow.SourcePort) })
		for range min(len(all), plansOfState) {
			slices.SortStableFunc(all, func(a, b planned) int { return m.all.novelty(b.plan) - m.all.novelty(a.plan) })
			m.prove(all[0])
			all = all[1:]
		}
		m.generator.mutate()
	}
}

// guesses reports whether another VPC is opened for a public address that is not known yet: whether it needs to be
// nobody can say before.
func guesses(top *topology.Topology, f explain.Flow, p explain.Plan) bool {
	public, elsewhere := false, false
	for _, e := range p.Edits {
		switch e := e.(type) {
		case explain.CreateNAT, explain.GiveAddress:
			public = true
		case explain.AddEntry:
			elsewhere = elsewhere || top.ENIs[f.From] == nil || e.VPC != top.ENIs[f.From].VPCID
		case explain.AddRule:
			elsewhere = elsewhere || top.ENIs[f.From] == nil || e.VPC != top.ENIs[f.From].VPCID
		}
	}
	return public && elsewhere
}

// perhaps reports whether a way is open for some ports that a load balancer may send from.
func perhaps(p explain.Plan) bool {
	return throughBalancer(p.Trace) && slices.ContainsFunc(p.Blockers, func(h explain.Hop) bool { return strings.Contains(h.Text, someFail) })
}

// forEverySeat lets rules for the seat on the internet hold for the one of the next world, whose address is another.
func forEverySeat(p planned) []explain.Edit {
	out := slices.Clone(p.plan.Edits)
	for i, e := range out {
		r, ok := e.(explain.AddRule)
		if !ok || p.flow.From != "" || !r.CIDR.IsValid() || r.CIDR.Addr() != p.flow.Source {
			continue
		}
		r.CIDR = netip.PrefixFrom(r.CIDR.Addr(), r.CIDR.Addr().BitLen()/2).Masked()
		out[i] = r
	}
	return out
}

func (m *mender) prove(p planned) {
	m.t.Helper()
	p.plan.Edits = forEverySeat(p)
	o, top := m.probe(p, p.plan.Edits, true, patience)
	if !o.answered { // the machine may be busy, and nobody repeats a ping
		o, top = m.probe(p, p.plan.Edits, true, morePatience)
	}
	if !o.answered {
		m.t.Errorf("%+v\nis still dropped (%s) with %+v made:\n%s", p.flow, o.failure, p.plan.Edits, explain.Explain(top, p.flow))
		return
	}
	closed := 0
	for i, e := range p.plan.Edits {
		o, _ := m.probe(p, slices.Delete(slices.Clone(p.plan.Edits), i, i+1), false, patience)
		if o.answered {
			m.t.Logf("%+v passes without %+v of %+v", p.flow, e, p.plan.Edits)
		} else {
			closed++
		}
	}
	m.all.add(p.plan, closed)
}

// probe makes edits in a network, and takes them back. A new source port may be one that an ACL treats otherwise
// than the one that was planned for: then it takes another.
func (m *mender) probe(p planned, edits []explain.Edit, opens bool, wait time.Duration) (outcome, *topology.Topology) {
	g := m.generator
	var top *topology.Topology
	back := errors.New("take it back")
	_, err := g.store.Update(func(tx *state.Tx) error {
		for _, e := range edits {
			makeEdit(m.t, g, tx, e)
		}
		top = topology.Resolve(tx, topology.Options{})
		return back
	})
	if !errors.Is(err, back) {
		m.t.Fatal(err)
	}
	w := enter(m.t, m.driver, top)
	defer w.close()
	f := p.flow
	if f.From == "" {
		f.Source = w.outside
		if f.To.Is6() {
			f.Source = w.outside6
		}
	}
	for range 20 {
		f.SourcePort = g.sourcePort()
		if explain.Explain(top, f).Reachable == opens {
			break
		}
	}
	f, ok := addressed(top, f)
	if !ok {
		return outcome{failure: "the name has no address"}, top
	}
	if throughBalancer(explain.Explain(top, f)) {
		w.settle()
	}
	return probeAll(w.seats, map[string][]explain.Flow{p.seat: {f}}, wait)[p.seat][0], top
}

// makeEdit does to the state what the API would.
func makeEdit(t *testing.T, g *generator, tx *state.Tx, edit explain.Edit) {
	t.Helper()
	switch e := edit.(type) {
	case explain.AddRule:
		if isNew[*resource.SecurityGroup](tx, e.Peer) {
			return
		}
		change(t, tx, e.Group, func(s *resource.SecurityGroup) {
			s.Rules = append(slices.Clone(s.Rules), resource.SecurityGroupRule{
				ID: resource.SecurityGroupRuleID(g.id("sgr")), Egress: e.Egress, Protocol: e.Protocol, FromPort: e.FromPort, ToPort: e.ToPort,
				CIDR: e.CIDR, GroupID: e.Peer, GroupVPCID: e.PeerVPC, PrefixListID: e.PrefixListID,
			})
		})
	case explain.AddEntry:
		change(t, tx, e.ACL, func(n *resource.NetworkACL) {
			same := func(o resource.NetworkACLEntry) bool { return o.Egress == e.Egress && o.RuleNumber == e.Entry.Number }
			if slices.ContainsFunc(n.Entries, same) != e.Replace {
				t.Errorf("entry %d of %s: replace is %t", e.Entry.Number, e.ACL, e.Replace)
			}
			n.Entries = append(slices.DeleteFunc(slices.Clone(n.Entries), same), resource.NetworkACLEntry{
				RuleNumber: e.Entry.Number, Egress: e.Egress, Protocol: e.Entry.Protocol, Allow: true, CIDR: e.Entry.CIDR,
				FromPort: e.Entry.FromPort, ToPort: e.Entry.ToPort, ICMPType: e.Entry.ICMPType, ICMPCode: e.Entry.ICMPCode,
			})
		})
	case explain.SetRoute:
		if e.Kind == topology.TargetNATGateway && isNew[*resource.NATGateway](tx, e.Target) ||
			e.Kind == topology.TargetInternetGateway && isNew[*resource.InternetGateway](tx, e.Target) ||
			e.Kind == topology.TargetEgressOnly && isNew[*resource.EgressOnlyGateway](tx, e.Target) || isNew[*resource.RouteTable](tx, e.Table) {
			return
		}
		setRoute(t, tx, e)
	case explain.DeleteRoute:
		change(t, tx, e.Table, func(r *resource.RouteTable) {
			r.Routes = slices.DeleteFunc(slices.Clone(r.Routes), func(o resource.Route) bool {
				return o.DestinationPrefixListID == e.PrefixListID && (e.PrefixListID != "" || o.DestinationCIDR == e.Destination)
			})
		})
	case explain.StopChecking:
		change(t, tx, e.ENI, func(n *resource.NetworkInterface) { n.SourceDestCheck = false })
	case explain.AttachGateway:
		tx.Put(&resource.InternetGateway{ID: e.Gateway, VPCID: e.VPC})
	case explain.GiveAddress:
		tx.Put(&resource.Address{
			AllocationID: resource.AllocationID(g.id("eipalloc")), PublicIP: g.nextPublic(), NetworkInterfaceID: e.ENI, PrivateIP: e.Private,
		})
	case explain.JoinVPCs:
		tx.Put(&resource.VPCPeeringConnection{
			ID: "$PCX", Requester: resource.PeeringSide{VPCID: e.VPC}, Accepter: resource.PeeringSide{VPCID: e.Peer}, State: resource.PeeringActive,
		})
	case explain.AddGatewayRoutes:
		if e.Endpoint == "" {
			tx.Put(&resource.VPCEndpoint{
				ID: resource.VPCEndpointID(g.id("vpce")), VPCID: e.VPC, Type: resource.EndpointTypeGateway, ServiceName: e.ServiceName, State: "available",
				RouteTableIDs: []resource.RouteTableID{e.Table},
			})
			return
		}
		change(t, tx, e.Endpoint, func(o *resource.VPCEndpoint) { o.RouteTableIDs = append(slices.Clone(o.RouteTableIDs), e.Table) })
	default:
		if !makeNew(t, g, tx, edit) {
			t.Fatalf("nobody knows how to make %T", edit)
		}
	}
}

func setRoute(t *testing.T, tx *state.Tx, e explain.SetRoute) {
	t.Helper()
	target := resource.RouteTarget{}
	switch e.Kind {
	case topology.TargetInternetGateway:
		target.InternetGatewayID = resource.InternetGatewayID(e.Target)
	case topology.TargetNATGateway:
		target.NATGatewayID = resource.NATGatewayID(e.Target)
	case topology.TargetEgressOnly:
		target.EgressOnlyID = resource.EgressOnlyGatewayID(e.Target)
	case topology.TargetPeering:
		target.PeeringID = resource.PeeringID(e.Target)
	default:
		t.Fatalf("nobody knows how to make %+v", e)
	}
	change(t, tx, e.Table, func(r *resource.RouteTable) {
		same := func(o resource.Route) bool {
			return o.DestinationCIDR == e.Destination && o.DestinationPrefixListID == ""
		}
		if slices.ContainsFunc(r.Routes, same) != e.Replace {
			t.Errorf("%+v: replace is %t, the routes are %+v", e, e.Replace, r.Routes)
		}
		r.Routes = append(slices.DeleteFunc(slices.Clone(r.Routes), same), resource.Route{DestinationCIDR: e.Destination, Target: target})
	})
}

// change replaces a resource by a changed copy.
func change[K ~string, T any, P interface {
	*T
	state.Resource
}](t *testing.T, tx *state.Tx, id K, f func(P)) {
	t.Helper()
	old, ok := state.Get[P](tx, id)
	if !ok {
		t.Fatalf("an edit names %s, which does not exist", id)
	}
	c := *old
	f(&c)
	tx.Put(P(&c))
}

// kindOf is the name of an edit's type, and of the family, where one type of edit is for both.
func kindOf(e explain.Edit) string {
	var to netip.Prefix
	switch e := e.(type) {
	case explain.AddRule:
		to = e.CIDR
	case explain.AddEntry:
		to = e.Entry.CIDR
	case explain.SetRoute:
		to = e.Destination
	}
	kind := strings.TrimPrefix(fmt.Sprintf("%T", e), "explain.")
	if to.IsValid() && to.Addr().Is6() {
		kind += " of IPv6"
	}
	return kind
}
