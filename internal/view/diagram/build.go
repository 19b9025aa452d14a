package diagram

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// group is a VPC, or what is in none.
type group struct {
	box     *Box
	vpc     *topology.VPC // nil: what is in no VPC
	zones   []*zone
	border  []*Card // on the VPC's right border
	columns int     // of cards, over all zones

	gutterX []int // left edge of each gutter; one more than columns
	columnX []int
	middle  int // top of the horizontal gutter
	lanes   *lanes
}

// zone is an availability zone of a VPC.
type zone struct {
	box  *Box
	rows [2][]*subnet // public, private
	work int          // columns for functions and interfaces
	net  int          // columns for gateways and endpoints
	from int          // the first column
}

type subnet struct {
	box       *Box
	cidr      netip.Prefix
	tier      *tier
	work, net []*Card
}

// maxStack is how many cards stand in one column before another is begun.
const maxStack, maxColumns = 6, 4

func build(in Input) *Picture {
	p := &Picture{Title: in.Title, byKey: map[string]*Card{}, names: in.Names, icons: in.Icons, Edges: []*Edge{}, Cards: []*Card{}, hasBuckets: len(in.Buckets) > 0}
	region := in.Topology.Region
	p.region = &Box{Key: "region", ID: region, Kind: KindRegion, Label: "Region " + region}
	p.Boxes = append(p.Boxes, p.region)
	for _, v := range in.Topology.VPCs {
		p.addVPC(in, v)
	}
	p.addOutside(in)
	p.addServices(in)
	return p
}

func (p *Picture) nameOf(id, otherwise string) string {
	if name := strings.TrimSpace(p.names[id]); name != "" {
		return name
	}
	return otherwise
}

func (p *Picture) addBox(b *Box) *Box {
	p.Boxes = append(p.Boxes, b)
	return b
}

func (p *Picture) addCard(c *Card) *Card {
	p.Cards = append(p.Cards, c)
	p.byKey[c.Key] = c
	return c
}

func (p *Picture) addVPC(in Input, v *topology.VPC) {
	id := string(v.ID)
	g := &group{vpc: v, lanes: newLanes()}
	g.box = p.addBox(&Box{Key: id, ID: id, Kind: KindVPC, Parent: "region", Label: p.nameOf(id, id), Detail: v.CIDRs[0].String()})
	subnets := map[resource.SubnetID]*subnet{}
	zones := map[string]*zone{}
	for _, s := range v.Subnets {
		z := zones[s.AZ]
		if z == nil {
			z = &zone{}
			zones[s.AZ] = z
		}
		row, kind := 1, KindPrivateSubnet
		if isPublic(s) {
			row, kind = 0, KindPublicSubnet
		}
		sid := string(s.ID)
		made := &subnet{cidr: s.CIDR, box: &Box{Key: sid, ID: sid, Kind: kind, Parent: id + "/" + s.AZ, Label: p.nameOf(sid, sid), Detail: s.CIDR.String()}}
		z.rows[row] = append(z.rows[row], made)
		subnets[s.ID] = made
	}
	for row := range 2 {
		alignTiers(slices.Collect(maps.Values(zones)), row)
	}
	for _, name := range slices.Sorted(maps.Keys(zones)) {
		z := zones[name]
		z.box = p.addBox(&Box{Key: id + "/" + name, ID: name, Kind: KindZone, Parent: id, Label: name})
		for _, row := range z.rows {
			for _, s := range row {
				p.addBox(s.box)
			}
		}
		g.zones = append(g.zones, z)
	}
	p.fill(in, v, subnets)
	p.addBorder(in.Topology, g)
	p.groups = append(p.groups, g)
	g.number(len(p.groups) - 1)
}

// isPublic reports whether a subnet has a way to an internet gateway.
func isPublic(s *topology.Subnet) bool {
	return slices.ContainsFunc(s.Routes, func(r topology.Route) bool { return r.Kind == topology.TargetInternetGateway && !r.Blackhole })
}

// fill puts functions, interfaces, gateways and endpoints into the subnets.
func (p *Picture) fill(in Input, v *topology.VPC, subnets map[resource.SubnetID]*subnet) {
	users := map[resource.NetworkInterfaceID][]string{}
	for _, f := range in.Functions {
		for _, e := range f.ENIs {
			users[e] = append(users[e], f.Name)
		}
	}
	for _, e := range v.ENIs {
		s := subnets[e.SubnetID]
		if s == nil {
			continue
		}
		switch nat, endpoint, balancer := natOf(v, e), endpointOf(v, e), balancerOf(in.Topology, e); {
		case nat != nil:
			s.net = append(s.net, p.addCard(p.natCard(s, nat, e)))
		case endpoint != nil:
			s.net = append(s.net, p.addCard(p.endpointCard(s, endpoint, e)))
		case balancer != nil:
			s.net = append(s.net, p.addCard(balancerCard(s, balancer, e)))
		case len(users[e.ID]) > 0:
			for _, name := range slices.Sorted(slices.Values(users[e.ID])) {
				s.work = append(s.work, p.addCard(&Card{
					Key: functionKey(name, e.ID), ID: name, Kind: KindFunction, Icon: "function", Parent: s.box.Key, ENI: string(e.ID),
					Label: name, details: []string{"function · " + e.Address().String()},
				}))
			}
		default:
			c := p.interfaceCard(s, e)
			if i := slices.IndexFunc(in.Instances, func(i Instance) bool { return i.ENI == e.ID }); i >= 0 {
				p.becomeInstance(c, in.Instances[i])
			} else if i := slices.IndexFunc(in.Instances, func(i Instance) bool { return e.Host != "" && i.ENI == e.Host }); i >= 0 {
				c.details = append(c.details, fmt.Sprintf("eth%d of", e.Device), p.nameOf(in.Instances[i].ID, in.Instances[i].ID))
			}
			s.work = append(s.work, p.addCard(c))
		}
	}
	for _, s := range subnets {
		slices.SortStableFunc(s.work, func(a, b *Card) int {
			return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Key, b.Key))
		})
		slices.SortStableFunc(s.net, func(a, b *Card) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key)) })
	}
}

func functionKey(name string, e resource.NetworkInterfaceID) string { return name + "@" + string(e) }

func natOf(v *topology.VPC, e *topology.ENI) *topology.NATGateway {
	for _, n := range v.NATGateways {
		if n.ENI == e.ID {
			return n
		}
	}
	return nil
}

func endpointOf(v *topology.VPC, e *topology.ENI) *topology.Endpoint {
	for _, endpoint := range v.Endpoints {
		if slices.Contains(endpoint.ENIs, e.ID) {
			return endpoint
		}
	}
	return nil
}

func (p *Picture) natCard(s *subnet, n *topology.NATGateway, e *topology.ENI) *Card {
	details := []string{string(n.ID)}
	for _, a := range e.Public {
		details = append(details, "public "+a.Public.String())
	}
	if !n.Public {
		details = append(details, "private only")
	}
	return &Card{
		Key: string(n.ID), ID: string(n.ID), Kind: KindNATGateway, Icon: "nat", Parent: s.box.Key, ENI: string(e.ID),
		Label: p.nameOf(string(n.ID), "NAT gateway"), details: details,
	}
}

func (p *Picture) endpointCard(s *subnet, endpoint *topology.Endpoint, e *topology.ENI) *Card {
	leadsTo := serviceName(endpoint.Service)
	if len(endpoint.LoadBalancers) > 0 {
		leadsTo = "PrivateLink"
	}
	return &Card{
		Key: string(endpoint.ID) + "@" + string(e.ID), ID: string(endpoint.ID), Kind: KindInterfaceEndpoint, Icon: "endpoint", Parent: s.box.Key,
		ENI: string(e.ID), Label: p.nameOf(string(endpoint.ID), leadsTo+" endpoint"),
		details: []string{"interface · " + e.Address().String(), string(endpoint.ID)},
	}
}

func (p *Picture) interfaceCard(s *subnet, e *topology.ENI) *Card {
	details := []string{"interface · " + e.Address().String()}
	for _, a := range e.Public {
		details = append(details, "public "+a.Public.String())
	}
	return &Card{
		Key: string(e.ID), ID: string(e.ID), Kind: KindInterface, Icon: "interface", Parent: s.box.Key, ENI: string(e.ID),
		Label: p.nameOf(string(e.ID), string(e.ID)), details: details,
	}
}

// addOutside draws the functions that are in no VPC.
func (p *Picture) addOutside(in Input) {
	var cards []*Card
	for _, f := range in.Functions {
		if len(f.ENIs) == 0 {
			cards = append(cards, &Card{
				Key: f.Name, ID: f.Name, Kind: KindFunction, Icon: "function", Parent: "outside", Label: f.Name, details: []string{"function"},
			})
		}
	}
	if len(cards) == 0 {
		return
	}
	slices.SortFunc(cards, func(a, b *Card) int { return cmp.Compare(a.Key, b.Key) })
	s := &subnet{box: p.addBox(&Box{Key: "outside", ID: "outside", Kind: KindOutside, Parent: "region", Label: "In no VPC"})}
	for _, c := range cards {
		s.work = append(s.work, p.addCard(c))
	}
	z := &zone{box: s.box}
	z.rows[1] = []*subnet{s}
	g := &group{box: s.box, zones: []*zone{z}, lanes: newLanes()}
	p.groups = append(p.groups, g)
	g.number(len(p.groups) - 1)
}

// number gives every card of a group its column.
func (g *group) number(index int) {
	for _, z := range g.zones {
		z.from = g.columns
		for _, row := range z.rows {
			for _, s := range row {
				if n := len(s.work); n > 0 {
					z.work = max(z.work, min((n+maxStack-1)/maxStack, maxColumns))
				}
				if len(s.net) > 0 {
					z.net = 1
				}
			}
		}
		if g.vpc == nil {
			z.work = 1 // there is no horizontal gutter
		}
		if z.work+z.net == 0 {
			z.work = 1 // an empty zone has its place too
		}
		for _, row := range z.rows {
			for _, s := range row {
				for i, c := range s.work {
					c.place = place{group: index, column: z.from + i%z.work}
				}
				for _, c := range s.net {
					c.place = place{group: index, column: z.from + z.work}
				}
			}
		}
		g.columns += z.work + z.net
	}
	for _, c := range g.border {
		c.place = place{group: index, column: g.columns, border: true}
	}
}

// addServices draws the services of the region; those that nothing leads to are dropped later.
func (p *Picture) addServices(in Input) {
	add := func(c *Card) {
		c.place = place{group: -1}
		p.services = append(p.services, p.addCard(c))
	}
	for _, s := range in.Topology.Services {
		details := []string{s.Service + "." + in.Topology.Region}
		if s.Service == "s3" {
			switch len(in.Buckets) {
			case 0:
			case 1:
				details = []string{in.Buckets[0]}
			default:
				details = []string{strconv.Itoa(len(in.Buckets)) + " buckets"}
			}
		}
		add(&Card{Key: serviceKey(s.Service), ID: s.Service, Kind: KindService, Icon: serviceIcon(s.Service), Parent: "region", Label: serviceName(s.Service), details: details})
	}
	add(&Card{Key: "internet", ID: "internet", Kind: KindInternet, Icon: "internet", Parent: "region", Label: "Internet", details: []string{"nothing is there"}})
}

func serviceKey(service string) string { return "service/" + service }

func serviceName(service string) string {
	switch service {
	case "s3", "ec2", "sts", "iam", "sns", "sqs", "ecr", "kms", "ssm":
		return strings.ToUpper(service)
	case "ecr.api", "ecr.dkr":
		return "ECR " + strings.TrimPrefix(service, "ecr.")
	case "secretsmanager":
		return "Secrets Manager"
	case "monitoring":
		return "CloudWatch"
	case "events":
		return "EventBridge"
	case "logs":
		return "CloudWatch Logs"
	case "dynamodb":
		return "DynamoDB"
	case "":
		return "AWS"
	default:
		return strings.ToUpper(service[:1]) + service[1:]
	}
}

func serviceIcon(service string) string {
	switch service {
	case "s3", "dynamodb":
		return "storage"
	case "lambda":
		return "function"
	case "iam", "sts", "kms":
		return "security"
	default:
		return "service"
	}
}
