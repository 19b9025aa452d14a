package inspect

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// whyAnswer is the answer of GET /_culvert/why.
type whyAnswer struct {
	explain.Trace
	Function  string                      `json:"function,omitempty"`
	Interface resource.NetworkInterfaceID `json:"sourceInterface,omitempty"`
	Target    string                      `json:"target"`
	Port      int                         `json:"port"`
	Notes     []string                    `json:"notes,omitempty"`
	Call      *callAnswer                 `json:"call,omitempty"` // if one was asked for, and the packets get there
}

// why explains a connection from a function (function=NAME) or an interface (interface=ID) to a service, a name
// or an address (service=), and whether a call there would be allowed, if one is asked for: action= and resource=,
// or service=s3://bucket/key. A function in several subnets runs in any of them, so its worst way counts.
func (c *Config) why(r *http.Request) (any, error) {
	q := r.URL.Query()
	t := c.Topology()
	a := whyAnswer{Function: q.Get("function"), Target: q.Get("service"), Port: 443}
	if p := q.Get("port"); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 65535 {
			return nil, badRequest("port %q is not between 1 and 65535", p)
		}
		a.Port = n
	}
	wanted, err := c.wantedCall(q)
	if err != nil {
		return nil, err
	}
	flow, err := destination(t, a.Target)
	if err != nil {
		return nil, err
	}
	flow.Port = uint16(a.Port)
	sources, err := c.sources(t, a.Function, resource.NetworkInterfaceID(q.Get("interface")))
	if err != nil {
		return nil, err
	}
	if err := c.worstWay(&a, t, flow, sources, wanted); err != nil {
		return nil, err
	}
	a.Notes = c.notes(t, sources, a)
	return a, nil
}

// worstWay explains the flow from each source, and keeps the first from which it ends worst.
func (c *Config) worstWay(a *whyAnswer, t *topology.Topology, flow explain.Flow, sources []resource.NetworkInterfaceID, wanted *wantedCall) error {
	worst := -1
	for _, source := range sources {
		flow.From = source
		trace := explain.Explain(t, flow)
		var call *callAnswer
		how := 0
		switch {
		case !trace.Reachable:
			how = 2
		case wanted != nil:
			var err error
			if call, err = c.judge(trace, wanted); err != nil {
				return err
			}
			if !call.Allowed {
				how = 1
			}
		}
		if how > worst {
			worst, a.Trace, a.Interface, a.Call = how, trace, source, call
		}
	}
	return nil
}

// sources are the interfaces that a function's packets leave by. One empty id: not in a VPC.
func (c *Config) sources(t *topology.Topology, function string, eni resource.NetworkInterfaceID) ([]resource.NetworkInterfaceID, error) {
	switch {
	case function != "":
		f, ok := state.Get[*resource.Function](c.Store.View(), function)
		if !ok {
			return nil, &problem{http.StatusNotFound, fmt.Sprintf("there is no function %q in this region", function)}
		}
		if f.VPCConfig == nil {
			return []resource.NetworkInterfaceID{""}, nil
		}
		return f.VPCConfig.NetworkInterfaceIDs, nil
	case eni != "":
		if t.ENIs[eni] == nil {
			return nil, &problem{http.StatusNotFound, fmt.Sprintf("there is no interface %q in this region", eni)}
		}
		return []resource.NetworkInterfaceID{eni}, nil
	default:
		return nil, badRequest("say who: function=NAME or interface=ID")
	}
}

// destination reads a service's short name, a DNS name or an address.
func destination(t *topology.Topology, target string) (explain.Flow, error) {
	if target == "" {
		return explain.Flow{}, badRequest("say where: service=s3, a DNS name or an IPv4 address")
	}
	if path, ok := strings.CutPrefix(target, objectScheme); ok {
		return explain.Flow{Name: bucketName(path, t.Region)}, nil
	}
	if a, err := netip.ParseAddr(target); err == nil {
		if !a.Is4() {
			return explain.Flow{}, badRequest("%s is not an IPv4 address: nothing here speaks IPv6", target)
		}
		return explain.Flow{To: a}, nil
	}
	if strings.Contains(target, ".") {
		return explain.Flow{Name: strings.ToLower(strings.TrimSuffix(target, "."))}, nil
	}
	var known []string
	for _, s := range t.Services {
		if s.Service == target {
			return explain.Flow{Name: defaultName(target, t.Region)}, nil
		}
		known = append(known, s.Service)
	}
	return explain.Flow{}, &problem{http.StatusNotFound, fmt.Sprintf("%q is no service of this region (%s), no DNS name and no address", target, strings.Join(known, ", "))}
}

// defaultName is the name that an SDK uses for a service unless told otherwise.
func defaultName(service, region string) string {
	if service == "iam" {
		return "iam.amazonaws.com"
	}
	return service + "." + region + ".amazonaws.com"
}

func (c *Config) notes(t *topology.Topology, sources []resource.NetworkInterfaceID, a whyAnswer) []string {
	var notes []string
	if len(sources) > 1 && (!a.Reachable || a.Call != nil && !a.Call.Allowed) {
		notes = append(notes, fmt.Sprintf("the function runs in any of %d subnets; this is what happens to it behind %s", len(sources), a.Interface))
	}
	if t.AssumePrivateDNS {
		notes = append(notes, "this region assumes private DNS for every interface endpoint (--assume-private-dns); AWS does not, and may answer otherwise")
	}
	if a.Reachable && a.Service != "" && a.Call == nil {
		notes = append(notes, "permissions were not checked; add --action, or ask for s3://bucket/key")
	}
	return notes
}
