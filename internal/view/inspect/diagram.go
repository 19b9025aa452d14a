package inspect

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
	"github.com/culvert-cloud/culvert/internal/view/diagram"
)

// drawing is a picture as it goes out.
type drawing struct {
	contentType string
	body        []byte
}

// serveDiagram answers with the picture itself, errors with JSON like everything else.
func (c *Config) serveDiagram(w http.ResponseWriter, r *http.Request) {
	d, err := c.diagram(r)
	if err != nil {
		c.answer(w, r, func(*http.Request) (any, error) { return nil, err })
		return
	}
	h := w.Header()
	h.Set("Content-Type", d.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox") // names are the user's
	_, _ = w.Write(d.body)                                                                                    // the caller may have gone
}

// diagram draws the network: format=svg (default), png, mermaid, dot or json; theme=auto (default), light or dark;
// title=; the path from=FUNCTION or INTERFACE to=SERVICE, NAME or ADDRESS; overlay=flows, overlay=cost, the latter with
// gb= or scale= as cost has them.
func (c *Config) diagram(r *http.Request) (drawing, error) {
	q := r.URL.Query()
	t := c.Topology()
	in := c.drawn(t)
	in.Title = q.Get("title")
	var files struct {
		Icons map[string]diagram.UserIcon `json:"icons"`
	}
	if err := readFiles(r, &files); err != nil {
		return drawing{}, err
	}
	var err error
	if in.Icons, err = diagram.CheckIcons(files.Icons); err != nil {
		return drawing{}, badRequest("%v", err)
	}
	if from, to := q.Get("from"), q.Get("to"); from != "" || to != "" {
		path, err := c.path(t, from, to)
		if err != nil {
			return drawing{}, err
		}
		in.Path = path
	}
	if err := c.overlays(r.Context(), &in, q); err != nil {
		return drawing{}, err
	}
	theme := diagram.Theme(q.Get("theme"))
	switch theme {
	case "auto":
		theme = diagram.ThemeAuto
	case diagram.ThemeAuto, diagram.ThemeDark, diagram.ThemeLight:
	default:
		return drawing{}, badRequest("theme %q is none of auto, light, dark", theme)
	}
	return draw(in, q.Get("format"), theme)
}

func draw(in diagram.Input, format string, theme diagram.Theme) (drawing, error) {
	switch format {
	case "", "svg":
		return drawing{"image/svg+xml", diagram.Draw(in).SVG(theme)}, nil
	case "png":
		b, err := diagram.Draw(in).PNG(theme)
		return drawing{"image/png", b}, err
	case "mermaid":
		return drawing{"text/vnd.mermaid; charset=utf-8", diagram.Draw(in).Mermaid()}, nil
	case "dot":
		return drawing{"text/vnd.graphviz; charset=utf-8", diagram.Draw(in).DOT()}, nil
	case "json":
		b, err := diagram.Draw(in).JSON()
		return drawing{"application/json", b}, err
	default:
		return drawing{}, badRequest("format %q is none of svg, png, mermaid, dot, json", format)
	}
}

// drawn is what there is to draw: the applied network, with the names and functions of the state.
func (c *Config) drawn(t *topology.Topology) diagram.Input {
	v := c.Store.View()
	in := diagram.Input{Topology: t, Names: map[string]string{}}
	names(in.Names, state.List[*resource.VPC](v), func(r *resource.VPC) resource.Tags { return r.Tags })
	names(in.Names, state.List[*resource.Subnet](v), func(r *resource.Subnet) resource.Tags { return r.Tags })
	names(in.Names, state.List[*resource.NATGateway](v), func(r *resource.NATGateway) resource.Tags { return r.Tags })
	names(in.Names, state.List[*resource.InternetGateway](v), func(r *resource.InternetGateway) resource.Tags { return r.Tags })
	names(in.Names, state.List[*resource.EgressOnlyGateway](v), func(r *resource.EgressOnlyGateway) resource.Tags { return r.Tags })
	names(in.Names, state.List[*resource.VPCEndpoint](v), func(r *resource.VPCEndpoint) resource.Tags { return r.Tags })
	names(in.Names, state.List[*resource.NetworkInterface](v), func(r *resource.NetworkInterface) resource.Tags { return r.Tags })
	for _, f := range state.List[*resource.Function](v) {
		d := diagram.Function{Name: f.Name}
		if f.VPCConfig != nil {
			d.ENIs = f.VPCConfig.NetworkInterfaceIDs
		}
		in.Functions = append(in.Functions, d)
	}
	names(in.Names, state.List[*resource.Instance](v), func(r *resource.Instance) resource.Tags { return r.Tags })
	names(in.Names, state.List[*resource.EgressOnlyGateway](v), func(r *resource.EgressOnlyGateway) resource.Tags { return r.Tags })
	names(in.Names, state.List[*resource.VPCPeeringConnection](v), func(r *resource.VPCPeeringConnection) resource.Tags { return r.Tags })
	for _, i := range state.List[*resource.Instance](v) {
		if i.InterfaceID != "" {
			in.Instances = append(in.Instances, diagram.Instance{ID: string(i.ID), State: i.State, ENI: i.InterfaceID})
		}
	}
	for _, b := range state.List[*resource.Bucket](v) {
		in.Buckets = append(in.Buckets, b.Name)
	}
	return in
}

func names[R state.Resource](into map[string]string, resources []R, tags func(R) resource.Tags) {
	for _, r := range resources {
		if name := tags(r)["Name"]; name != "" {
			into[r.Key()] = name
		}
	}
}

// path explains what is to be drawn over the network.
func (c *Config) path(t *topology.Topology, from, to string) (*diagram.Path, error) {
	p := &diagram.Path{Target: to}
	e := &ends{view: c.Store.View(), topology: t}
	ask := url.Values{"service": {to}, "function": {from}}
	if strings.HasPrefix(from, "eni-") {
		ask = url.Values{"service": {to}, "interface": {from}}
	}
	if to == theInternet {
		return nil, badRequest("the path to nobody in particular cannot be drawn: say a service, a DNS name or an address")
	}
	for _, read := range []func() error{func() error { return e.from(ask) }, func() error { return e.to(to) }, func() error { return e.traffic(nil) }} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	p.Function = e.function
	flow := e.flow
	for i, source := range e.sources { // a function in several subnets runs in any: the worst counts
		flow.From = source.eni
		if trace := explain.Explain(t, flow); i == 0 || p.Trace.Reachable && !trace.Reachable {
			p.From, p.Trace = source.eni, trace
		}
	}
	p.Service = p.Trace.Service
	for _, s := range t.Services {
		if s.Service == to || p.Service == "" && serves(s, flow.Name, p.Trace) {
			p.Service = s.Service
		}
	}
	return p, nil
}

// serves reports whether a service is the one that a name or an address means.
func serves(s *topology.PublicService, name string, trace explain.Trace) bool {
	for _, n := range s.Names {
		host, wildcard := strings.CutPrefix(n.Pattern, "*")
		if name != "" && (name == n.Pattern || wildcard && strings.HasSuffix(name, host)) {
			return true
		}
		for _, a := range n.Addresses {
			if a == trace.To {
				return true
			}
		}
	}
	return false
}
