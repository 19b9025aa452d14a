package diagram

import (
	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/view/cost"
)

// Input is what is to be drawn.
type Input struct {
	Topology *topology.Topology
	// Names are what users call things: Name tags by resource id.
	Names     map[string]string
	Functions []Function
	Instances []Instance
	// Buckets are drawn as part of the S3 service.
	Buckets []string
	// Title stands above the picture; empty: nothing does, unless there is a path.
	Title string
	// Icons are the user's own, by the names of ours; see CheckIcons.
	Icons map[string]UserIcon
	// Path is one flow to be drawn over the network; nil: none.
	Path *Path
	// Loads are traffic, Rejects what did not pass, and Standing what things cost a month with no traffic: overlays.
	Loads    []Load
	Rejects  []Reject
	Standing map[string]cost.Money // by id
	// Bytes and Money say what of the loads is written on the roads.
	Bytes, Money bool
}

// Function is a Lambda function and the interfaces that it uses; none: it is not in a VPC.
type Function struct {
	Name string
	ENIs []resource.NetworkInterfaceID
}

// Instance is an EC2 instance and its primary interface.
type Instance struct {
	ID    string
	State string
	ENI   resource.NetworkInterfaceID
}

// Path is a flow and what explain says of it.
type Path struct {
	Function string // empty: From is an interface of its own
	From     resource.NetworkInterfaceID
	Target   string // as the user asked
	Service  string // the service that is meant; empty if none is
	Trace    explain.Trace
}

// The kinds of boxes and cards. Those of resources are the resource's kind.
const (
	KindRegion        = "region"
	KindVPC           = "vpc"
	KindZone          = "availability-zone"
	KindPublicSubnet  = "public-subnet"
	KindPrivateSubnet = "private-subnet"
	KindOutside       = "outside-vpc"

	KindFunction          = "function"
	KindInterface         = "network-interface"
	KindInstance          = "instance"
	KindLoadBalancer      = "load-balancer"
	KindNATGateway        = "nat-gateway"
	KindInternetGateway   = "internet-gateway"
	KindEgressOnlyGateway = "egress-only-internet-gateway"
	KindPeering           = "vpc-peering-connection"
	KindInterfaceEndpoint = "interface-endpoint"
	KindGatewayEndpoint   = "gateway-endpoint"
	KindService           = "service"
	KindInternet          = "internet"
)

// The states of edges.
const (
	StateFlow    = "flow"    // something reaches a service this way
	StateLink    = "link"    // it leads there, but nothing uses it
	StatePath    = "path"    // part of the path asked for
	StateBlocked = "blocked" // where that path ends
)

// Rect is a place, in pixels.
type Rect struct {
	X      int `json:"x"`
	Y      int `json:"y"`
	Width  int `json:"width"`
	Height int `json:"height"`
}

func (r Rect) right() int  { return r.X + r.Width }
func (r Rect) bottom() int { return r.Y + r.Height }

// Point is a point, in pixels.
type Point struct {
	X int `json:"x"`
	Y int `json:"y"`
}

// Box contains other things.
type Box struct {
	Key    string   `json:"key"` // unique in the picture
	ID     string   `json:"id"`  // of the resource
	Kind   string   `json:"kind"`
	Parent string   `json:"parent,omitempty"`
	Label  string   `json:"label"`
	Lines  []string `json:"lines"` // the label as it is broken
	Detail string   `json:"detail,omitempty"`
	Rect
}

// Card is a resource with an icon.
type Card struct {
	Key     string   `json:"key"`
	ID      string   `json:"id"`
	Kind    string   `json:"kind"`
	Icon    string   `json:"icon"`
	Parent  string   `json:"parent"`
	ENI     string   `json:"interface,omitempty"`
	Label   string   `json:"label"`
	Lines   []string `json:"lines"`
	Details []string `json:"details,omitempty"`
	Code    string   `json:"code,omitempty"` // why the path ends here
	Alert   []string `json:"-"`              // the code as it is broken
	Rect

	details []string // before they are broken
	place   place
	onPath  bool
}

// place is where a card stands in the grammar.
type place struct {
	group  int // of picture's groups; -1: the services
	column int
	border bool
}

// port is the height at which edges meet the card: that of its icon.
func (c *Card) port() int { return c.Y + iconTop + iconSize/2 }

// Edge leads from one card to another.
type Edge struct {
	From   string  `json:"from"`
	To     string  `json:"to"`
	State  string  `json:"state"`
	Code   string  `json:"code,omitempty"`
	Points []Point `json:"points"`

	// What the overlays say of it.
	Bytes    uint64      `json:"bytes,omitempty"`
	Rejected int         `json:"rejectedPackets,omitempty"`
	USD      *cost.Money `json:"usdPerMonth,omitempty"` // nil: nothing is charged for here
}

// Picture is the network with a place for everything.
type Picture struct {
	Title   string   `json:"title,omitempty"`
	Summary string   `json:"summary,omitempty"`
	Blocked bool     `json:"blocked,omitempty"`
	Width   int      `json:"width"`
	Height  int      `json:"height"`
	Boxes   []*Box   `json:"boxes"`
	Cards   []*Card  `json:"cards"`
	Edges   []*Edge  `json:"edges"`
	Badges  []*Badge `json:"badges,omitempty"`
	Heading []string `json:"-"` // the summary as it is broken

	region   *Box
	groups   []*group
	services []*Card
	byKey    map[string]*Card
	names    map[string]string
	icons    map[string]UserIcon
	// hasBuckets keeps S3 in the picture though nothing reaches it.
	hasBuckets bool
}

// Draw makes the picture.
func Draw(in Input) *Picture {
	p := build(in)
	p.flows(in)
	if in.Path != nil {
		p.overlay(in)
	}
	p.load(in)
	p.dropUnused()
	p.arrange(in)
	return p
}
