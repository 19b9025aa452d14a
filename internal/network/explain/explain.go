package explain

import (
	"net/netip"
	"slices"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Protocol numbers that have ports or types.
const (
	ICMP   = 1
	TCP    = 6
	UDP    = 17
	ICMPv6 = 58
)

// Flow is what is asked about: a connection, or a datagram and its answer.
type Flow struct {
	// From is the interface that starts it. Empty: somebody on the internet side, such as a function that is
	// not in a VPC.
	From resource.NetworkInterfaceID
	// Source is the source address; zero: the first address of From that is of the destination's family, or some
	// address on the internet.
	Source netip.Addr
	// Exactly one of To, Name and Internet.
	To   netip.Addr
	Name string
	// Internet is somebody there who answers, whoever it is: can it be reached at all?
	Internet bool
	// Protocol is an IANA number; 0: TCP.
	Protocol int
	// SourcePort 0 means any that a Linux client would take.
	SourcePort uint16
	Port       uint16
	// ICMP and ICMPv6 only; a ping is type 8, in ICMPv6 128.
	ICMPType, ICMPCode int
}

// Verdict is what a hop said.
type Verdict string

// The verdicts.
const (
	Allow Verdict = "allow"
	Deny  Verdict = "deny"
	Note  Verdict = "note" // worth knowing; decides nothing by itself
)

// The kinds of components that are no resources.
const (
	KindInternet resource.Kind = "internet"
	KindService  resource.Kind = "service"
	KindResolver resource.Kind = "resolver"
)

// Component is what decided at a hop.
type Component struct {
	Kind resource.Kind `json:"kind"`
	ID   string        `json:"id"`
}

// String is the id, which in AWS says the kind too.
func (c Component) String() string { return c.ID }

// Hop is one step of a flow.
type Hop struct {
	Component Component `json:"component"`
	Verdict   Verdict   `json:"verdict"`
	Code      string    `json:"code,omitempty"` // of a denial
	Rule      string    `json:"rule,omitempty"` // the rule, entry or route that decided
	Text      string    `json:"text"`
	// Where it happened, as far as that matters.
	Where Where `json:"-"`
	// Packet is what left the component, or what was denied.
	Packet Header `json:"-"`
}

// Where is the place of a denial.
type Where struct {
	Direction string // ingress or egress; empty: neither
	VPC       resource.VPCID
	Subnet    resource.SubnetID
	Interface resource.NetworkInterfaceID
}

// Remedy is one change that would help.
type Remedy struct {
	Text      string `json:"text"`
	CLI       string `json:"cli,omitempty"`       // AWS CLI command
	Terraform string `json:"terraform,omitempty"` // attribute or block
}

// Trace is the answer.
type Trace struct {
	Flow      Flow            `json:"-"`
	Reachable bool            `json:"reachable"`
	Code      string          `json:"code,omitempty"`      // of what stopped it
	Component Component       `json:"component,omitzero"`  // what stopped it
	Summary   string          `json:"summary"`             // one sentence
	DNS       topology.Answer `json:"dns,omitzero"`        // if Flow had a name
	To        netip.Addr      `json:"to"`                  // the address that was explained
	Hops      []Hop           `json:"hops"`                // there
	Return    []Hop           `json:"return,omitempty"`    // and back
	Service   string          `json:"service,omitempty"`   // the AWS service that was reached
	Endpoint  string          `json:"endpoint,omitempty"`  // the VPC endpoint it was reached through
	Interface string          `json:"interface,omitempty"` // the interface that was reached
	// SourceSeen is the address that the other end sees.
	SourceSeen netip.Addr `json:"sourceSeen,omitzero"`
	// Arrived is the packet as the other end sees it.
	Arrived  Header   `json:"-"`
	Remedies []Remedy `json:"remedies,omitempty"`
}

// Explain follows a flow through a topology.
func Explain(t *topology.Topology, f Flow) Trace { return examine(t, f).conclude() }

// examine follows a flow, and keeps what it takes to say what helps.
func examine(t *topology.Topology, f Flow) *explanation {
	if f.Protocol == 0 {
		f.Protocol = TCP
	}
	c := &explanation{topology: t, flow: f, trace: Trace{Flow: f}}
	c.hops = &c.trace.Hops
	if !c.start() {
		return c
	}
	targets, ok := c.resolve()
	if !ok {
		return c
	}
	return c.worst(targets)
}

// explanation is one flow being explained.
type explanation struct {
	topology *topology.Topology
	flow     Flow
	chosen   bool          // the flow names its source
	eni      *topology.ENI // nil: from the internet
	vpc      *topology.VPC // of eni
	trace    Trace
	hops     *[]Hop  // where hops are noted: there, or back
	causes   []cause // one for each denial, in order
	advice   *cause  // what the name's answer has to do with it
	passes   int     // through routers
	current  packet  // where the walk is
	relays   int     // load balancers before this connection
	// translated remembers what a NAT gateway must undo.
	translated map[resource.NetworkInterfaceID]packet
}

// internetClient is the address of somebody on the internet whose address does not matter (RFC 5737).
var internetClient = netip.AddrFrom4([4]byte{203, 0, 113, 9})

// start finds where the flow begins.
func (c *explanation) start() bool {
	c.chosen = c.flow.Source.IsValid()
	if c.flow.From == "" {
		if !c.flow.Source.IsValid() {
			c.flow.Source = internetClient
		}
		return true
	}
	c.eni = c.topology.ENIs[c.flow.From]
	if c.eni != nil {
		c.vpc = c.topology.VPC(c.eni.VPCID)
	}
	if c.vpc == nil {
		c.deny(cause{code: "NO_SOURCE_OR_DESTINATION", component: interfaceComponent(c.flow.From)},
			"there is no interface %s", c.flow.From)
		return false
	}
	if !c.flow.Source.IsValid() {
		c.flow.Source = c.eni.Address()
	}
	return true
}

// worst explains all addresses of a name. Those of IPv6 come first, if the source would try them; if they cannot be
// reached, those of IPv4 count.
func (c *explanation) worst(targets []netip.Addr) *explanation {
	split := slices.IndexFunc(targets, netip.Addr.Is4)
	if split <= 0 {
		return c.worstOf(targets)
	}
	first := c.worstOf(targets[:split])
	if len(first.causes) == 0 {
		return first
	}
	second := c.worstOf(targets[split:])
	if len(second.causes) > 0 {
		return first
	}
	second.hops = &second.trace.Hops
	second.note(Note, first.causes[0].component, "", "its IPv6 addresses cannot be reached, so clients fall back to IPv4, some only after a time-out: %s", first.causes[0].text)
	return second
}

// worstOf keeps the first address that cannot be reached, for a client may pick any.
func (c *explanation) worstOf(targets []netip.Addr) *explanation {
	var first *explanation
	for i, to := range targets {
		attempt := &explanation{topology: c.topology, flow: c.flow, chosen: c.chosen, eni: c.eni, vpc: c.vpc, trace: c.trace, advice: c.advice}
		attempt.trace.Hops = slices.Clone(c.trace.Hops)
		attempt.trace.To = to
		attempt.hops = &attempt.trace.Hops
		if attempt.speaks(to) {
			attempt.walk()
		}
		if len(attempt.causes) > 0 {
			return attempt
		}
		if i == 0 {
			first = attempt
		}
	}
	return first
}
