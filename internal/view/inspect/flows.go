package inspect

import (
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// A question about flows waits this long for an answer, at most.
const longestWait = 30 * time.Second

// flowsAnswer is the answer of GET /_culvert/flows.
type flowsAnswer struct {
	Flows   []flowAnswer `json:"flows"`
	Last    uint64       `json:"last"`    // to be asked with as after=
	Skipped uint64       `json:"skipped"` // times that more was dropped than could be told
}

type flowAnswer struct {
	Number      uint64    `json:"number"`
	Time        time.Time `json:"time"`
	Last        time.Time `json:"last"`
	Action      string    `json:"action"` // ACCEPT, REJECT
	VPC         string    `json:"vpc"`
	Interface   string    `json:"interface,omitempty"` // that decided; of what passed, that sent it, or got it from elsewhere
	Direction   string    `json:"direction"`           // as that interface sees it
	Protocol    int       `json:"protocol"`
	Source      endAnswer `json:"source"`
	Destination endAnswer `json:"destination"`
	Packets     uint64    `json:"packets"`
	Bytes       uint64    `json:"bytes"`
	Component   string    `json:"component,omitempty"`
	Code        string    `json:"code,omitempty"`
	Rule        string    `json:"rule,omitempty"`
	Text        string    `json:"text,omitempty"`
}

// endAnswer is one end of a flow, and what is known of it.
type endAnswer struct {
	Address   netip.Addr `json:"address"`
	Port      uint16     `json:"port"`
	Interface string     `json:"interface,omitempty"`
	Functions []string   `json:"functions,omitempty"` // that share the interface
	Endpoint  string     `json:"endpoint,omitempty"`
	Service   string     `json:"service,omitempty"`
}

// flows tells what became of packets: after= a number, wait= seconds for the first one if there is none; function=,
// eni=, vpc= and action= choose.
func (c *Config) flows(r *http.Request) (any, error) {
	q := r.URL.Query()
	after, err := strconv.ParseUint(orZero(q.Get("after")), 10, 64)
	if err != nil {
		return nil, badRequest("after %q is not a number", q.Get("after"))
	}
	seconds, err := strconv.Atoi(orZero(q.Get("wait")))
	if err != nil || seconds < 0 {
		return nil, badRequest("wait %q is not a number of seconds", q.Get("wait"))
	}
	v := c.Store.View()
	if name := q.Get("function"); name != "" {
		if _, ok := state.Get[*resource.Function](v, name); !ok {
			return nil, notFound("there is no function %q in this region", name)
		}
	}
	action := strings.ToUpper(q.Get("action"))
	if action != "" && action != "ACCEPT" && action != "REJECT" {
		return nil, badRequest("action %q is neither ACCEPT nor REJECT", q.Get("action"))
	}
	c.Collect()
	records, skipped := c.waitForFlows(r, after, min(time.Duration(seconds)*time.Second, longestWait))
	out := flowsAnswer{Flows: []flowAnswer{}, Last: after, Skipped: skipped}
	for _, record := range records {
		out.Last = record.Number
		a := c.flowAnswer(record)
		if (action == "" || a.Action == action) && chosen(a, q.Get("function"), q.Get("eni"), q.Get("vpc")) {
			out.Flows = append(out.Flows, a)
		}
	}
	return out, nil
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

func (c *Config) waitForFlows(r *http.Request, after uint64, wait time.Duration) ([]flow.Record, uint64) {
	records, skipped, more := c.Flows.Newer(after)
	if len(records) > 0 || wait == 0 {
		return records, skipped
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-more:
	case <-timer.C:
	case <-c.Ending:
	case <-r.Context().Done():
	}
	records, skipped, _ = c.Flows.Newer(after)
	return records, skipped
}

func chosen(a flowAnswer, function, eni, vpc string) bool {
	ends := []endAnswer{a.Source, a.Destination}
	return (vpc == "" || a.VPC == vpc) &&
		(eni == "" || a.Interface == eni || slices.ContainsFunc(ends, func(e endAnswer) bool { return e.Interface == eni })) &&
		(function == "" || slices.ContainsFunc(ends, func(e endAnswer) bool { return slices.Contains(e.Functions, function) }))
}

func (c *Config) flowAnswer(r flow.Record) flowAnswer {
	direction, action := "ingress", "REJECT"
	if r.Egress {
		direction = "egress"
	}
	if r.Accepted {
		action = "ACCEPT"
	}
	return flowAnswer{
		Number: r.Number, Time: r.First, Last: r.Last, Action: action, VPC: string(r.VPC), Interface: string(r.ENI), Direction: direction,
		Protocol: r.Protocol, Source: c.end(r.VPC, r.Source), Destination: c.end(r.VPC, r.Destination),
		Packets: r.Packets, Bytes: r.Bytes, Component: r.Component.ID, Code: r.Code, Rule: r.Rule, Text: r.Text,
	}
}

// end names what has an address.
func (c *Config) end(vpc resource.VPCID, at netip.AddrPort) endAnswer {
	out := endAnswer{Address: at.Addr(), Port: at.Port()}
	t := c.Topology()
	e := flow.Holder(t, vpc, at.Addr())
	if e == nil {
		out.Service = flow.ServiceAt(t, at.Addr())
		return out
	}
	out.Interface = string(e.ID)
	for _, f := range state.List[*resource.Function](c.Store.View()) {
		if f.VPCConfig != nil && slices.Contains(f.VPCConfig.NetworkInterfaceIDs, e.ID) {
			out.Functions = append(out.Functions, f.Name)
		}
	}
	if v := t.VPC(e.VPCID); v != nil {
		for _, p := range v.Endpoints {
			if slices.Contains(p.ENIs, e.ID) {
				out.Endpoint, out.Service = string(p.ID), p.Service
			}
		}
	}
	return out
}

// traffic is the answer of GET /_culvert/traffic.
func (c *Config) traffic(*http.Request) (any, error) {
	c.Collect()
	return map[string]any{"traffic": c.Traffic.All()}, nil
}
