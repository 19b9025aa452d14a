package diagram

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/view/cost"
)

// Load is traffic over a road.
type Load struct {
	From    resource.NetworkInterfaceID // empty: nobody in particular
	VPC     resource.VPCID
	Via     string // id of a gateway, endpoint or peering connection; cost.Local and empty: none that is drawn
	Service string // cost.Internet, s3 ...; empty: none
	Bytes   uint64
	USD     cost.Money // a month, for data
}

// Reject is what was dropped between two ends. A receiver that has no interface is the service, or the internet if it
// is Outside, or else nobody.
type Reject struct {
	From, To resource.NetworkInterfaceID
	Service  string
	Outside  bool
	Packets  int
	Code     string
}

// load puts traffic, what did not pass and money on the roads.
func (p *Picture) load(in Input) {
	for _, c := range p.Cards {
		if usd, found := in.Standing[c.ID]; found && in.Money {
			c.details = append(c.details, usd.String()+" a month")
		}
	}
	for _, l := range in.Loads {
		p.carry(in, l)
	}
	for _, r := range in.Rejects {
		p.refuse(r)
	}
}

// carry puts a load on each part of its road, and its price on the first.
func (p *Picture) carry(in Input, l Load) {
	keys := p.road(in, l)
	for i := 1; i < len(keys); i++ {
		if p.byKey[keys[i-1]] == nil || p.byKey[keys[i]] == nil {
			return
		}
		p.connect(keys[i-1], []string{keys[i]}, StateFlow)
		e := p.edge(keys[i-1], keys[i])
		if in.Bytes {
			e.Bytes += l.Bytes
		}
		if in.Money && i == 1 {
			if e.USD == nil {
				e.USD = new(cost.Money)
			}
			*e.USD += l.USD
		}
	}
}

// road are the cards that a load comes by. If nobody is known to send it, it begins at what it goes through.
func (p *Picture) road(in Input, l Load) []string {
	var keys []string
	if i := slices.IndexFunc(p.Cards, func(c *Card) bool { return c.ENI == string(l.From) && l.From != "" && works(c) }); i >= 0 {
		keys = append(keys, p.Cards[i].Key)
	}
	v := in.Topology.VPC(l.VPC)
	if v == nil || l.Via == "" || l.Via == cost.Local {
		return nil
	}
	if c := v.Peering(resource.PeeringID(l.Via)); c != nil {
		return append(keys, peeringKey(c.ID, v.ID), peeringKey(c.ID, c.PeerVPCID))
	}
	keys = append(keys, p.presence(in, l))
	if v.NATGateway(resource.NATGatewayID(l.Via)) != nil {
		keys = append(keys, string(v.InternetGateway))
	}
	switch l.Service {
	case cost.Internet:
		keys = append(keys, "internet")
	case "":
	default:
		keys = append(keys, serviceKey(l.Service))
	}
	return keys
}

// presence is the card of what a load goes through: of an endpoint that of the sender's zone, if there is one.
func (p *Picture) presence(in Input, l Load) string {
	key := ""
	own := zoneOf(in.Topology, l.From)
	for _, c := range p.Cards {
		if c.ID == l.Via && (key == "" || own != "" && zoneOf(in.Topology, resource.NetworkInterfaceID(c.ENI)) == own) {
			key = c.Key
		}
	}
	return key
}

// refuse draws what did not pass, in red.
func (p *Picture) refuse(r Reject) {
	end := func(e resource.NetworkInterfaceID) string {
		for _, c := range p.Cards {
			if c.ENI == string(e) && e != "" {
				return c.Key
			}
		}
		return ""
	}
	from, to := end(r.From), end(r.To)
	switch {
	case r.To != "":
	case r.Service != "":
		to = serviceKey(r.Service)
	case r.Outside:
		to = "internet"
	}
	if p.byKey[from] == nil { // from outside: it is told where it ended
		from, to = to, ""
	}
	if at := p.byKey[from]; at == nil {
		return
	} else if at.place.group >= 0 {
		at.Code = r.Code
	}
	if p.byKey[to] == nil || to == from {
		return
	}
	e := p.edge(from, to)
	e.State, e.Code = StateBlocked, r.Code
	e.Rejected += r.Packets
}

// Badge is what is written on a road, just before the card that it leads to.
type Badge struct {
	ID       string `json:"id"` // of the edge; where several meet, of the first
	Text     string `json:"text"`
	Rejected bool   `json:"rejected,omitempty"`
	Rect

	edges []*Edge
}

func (b *Badge) class(name string) string {
	if b.Rejected {
		return name + " rejected"
	}
	return name
}

// The measures of a badge, in pixels.
const (
	badgeHeight = 18
	badgeGap    = 15 // between its end and the card
)

func (b *Badge) width() int { return textWidth(b.Text, detailSize) + 16 }

// badgeRoom is the room that badges take outside of the VPCs.
type badgeRoom struct{ borders, services int }

// planBadges writes the badges and makes room for them. Edges to one card from one side share one.
func (p *Picture) planBadges(in Input) badgeRoom {
	type end struct {
		to        string
		fromRight bool
	}
	found := map[end]*Badge{}
	for _, e := range p.Edges {
		if e.Bytes == 0 && e.USD == nil && e.Rejected == 0 {
			continue
		}
		from, to := p.byKey[e.From], p.byKey[e.To]
		at := end{e.To, to.place.border && from.place.group != to.place.group}
		b := found[at]
		if b == nil {
			b = &Badge{ID: from.ID + "→" + to.ID}
			found[at] = b
			p.Badges = append(p.Badges, b)
		}
		b.edges = append(b.edges, e)
	}
	var room badgeRoom
	for _, b := range p.Badges {
		b.write()
		from, to := p.byKey[b.edges[0].From], p.byKey[b.edges[0].To]
		width := b.width() + badgeGap
		switch {
		case to.place.group < 0:
			room.services = max(room.services, width)
		case to.place.border && from.place.group != to.place.group:
			room.borders = max(room.borders, width)
		default:
			l := p.groups[to.place.group].lanes
			l.badges[to.place.column] = max(l.badges[to.place.column], width)
		}
	}
	return room
}

// write adds up what the edges carry.
func (b *Badge) write() {
	var bytes uint64
	var usd *cost.Money
	rejected := 0
	for _, e := range b.edges {
		bytes += e.Bytes
		rejected += e.Rejected
		if e.USD != nil {
			sum := *e.USD
			if usd != nil {
				sum += *usd
			}
			usd = &sum
		}
	}
	add := func(s string) {
		if b.Text != "" {
			b.Text += " · "
		}
		b.Text += s
	}
	if bytes > 0 {
		add(size(bytes))
	}
	if usd != nil {
		add(usd.String() + "/month")
	}
	if rejected > 0 {
		b.Rejected = true
		add(fmt.Sprintf("✕ %d packets", rejected))
	}
}

// placeBadges puts each badge on its line.
func (p *Picture) placeBadges() {
	for _, b := range p.Badges {
		e := b.edges[0]
		tip := e.Points[len(e.Points)-1]
		b.Rect = Rect{tip.X - badgeGap - b.width(), tip.Y - badgeHeight/2, b.width(), badgeHeight}
		if e.direction() < 0 {
			b.X = tip.X + badgeGap
		}
	}
}

// size writes an amount of bytes.
func size(bytes uint64) string {
	units := []string{"kB", "MB", "GB", "TB", "PB", "EB"}
	if bytes < 1000 {
		return strconv.FormatUint(bytes, 10) + " B"
	}
	v, i := float64(bytes)/1000, 0
	for v >= 999.95 && i+1 < len(units) {
		v, i = v/1000, i+1
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[i]
}
