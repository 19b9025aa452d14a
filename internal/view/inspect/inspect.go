// Package inspect is what a region says of itself, as JSON over HTTP below /_culvert/: its status, its network,
// its counters, and why a function does or does not reach a service, and may or may not call it.
//
// The terminal and the demo read it and nothing else. It only reads; the one thing it can cause is the end of
// the region. It is reachable from the host's door alone, never from a workload.
package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Info is what does not change while a region runs.
type Info struct {
	Version          string
	Endpoint         string
	PID              int
	Started          time.Time
	Data             string // empty: in memory
	Rootless         bool
	AssumePrivateDNS bool
	NotEnforced      []string
	RunKey           string // the file with the key of culvert run, as the region sees it
	Quotas           resource.Quotas
}

// Service is what of an AWS service there is: names of operations, sorted.
type Service struct {
	Name        string   `json:"name"`
	Implemented []string `json:"implemented"`
	Refused     []string `json:"refused"`
	NotEnforced []string `json:"notEnforced"`
}

// Config says what to read.
type Config struct {
	Info     Info
	Services func() []Service
	Log      *slog.Logger
	Store    *state.Store
	Status   func() (applied uint64, err error)
	Topology func() *topology.Topology
	Stats    func(context.Context) (any, error)
	Flows    *flow.Memory
	Traffic  *flow.Totals
	Collect  func() // asks the network what passed until now
	// Session says as whom a function calls, and Decide whether a call may happen: what the front door uses.
	Session func(f *resource.Function) (api.Caller, error)
	Decide  func(r state.Reader, call *api.Call, q Question) (policy.Decision, error)
	// Run prepares a command to run in the network, for callers that show RunKey. Nil: there is no such thing.
	Run    func(context.Context, RunRequest) (Job, error)
	RunKey []byte
	// Authority is the certificate that workloads trust, PEM.
	Authority []byte
	// Shutdown asks the region to end; it returns at once.
	Shutdown func()
	Calls    Calls
	Ending   <-chan struct{} // closed when the region ends
}

// Question is what is to be decided about a call.
type Question struct {
	Action   string // s3:GetObject
	Resource string // ARN, or "*"
	// Policy is the resource's own policy; nil: it has none.
	Policy *policy.Document
	// Keys are condition keys of the operation, lower case, beside the global ones.
	Keys map[string][]string
}

// problem is an error with an HTTP status.
type problem struct {
	status  int
	message string
}

func (p *problem) Error() string { return p.message }

func badRequest(format string, args ...any) *problem {
	return &problem{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *problem {
	return &problem{http.StatusNotFound, fmt.Sprintf(format, args...)}
}

// New makes the handler. Its paths are below /_culvert/.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { c.answer(w, r, f) })
	}
	handle("GET /_culvert/status", c.status)
	handle("GET /_culvert/why", c.why)
	handle("GET /_culvert/topology", func(*http.Request) (any, error) { return c.Topology(), nil })
	handle("GET /_culvert/stats", func(r *http.Request) (any, error) { return c.Stats(r.Context()) })
	handle("POST /_culvert/down", func(*http.Request) (any, error) {
		c.Shutdown()
		return map[string]string{"status": "going down"}, nil
	})
	mux.HandleFunc("GET /_culvert/ca.pem", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(c.Authority)
	})
	mux.HandleFunc("GET /_culvert/diagram", c.serveDiagram)
	mux.HandleFunc("POST /_culvert/diagram", c.serveDiagram) // with icons of the caller's; it changes nothing
	mux.HandleFunc("POST /_culvert/run", c.serveRun)
	handle("GET /_culvert/cost", c.cost)
	handle("POST /_culvert/cost", c.cost) // with files of the caller's; it changes nothing
	mux.HandleFunc("GET /_culvert/calls", c.serveCalls)
	handle("GET /_culvert/policy/suggest", c.suggest)
	handle("GET /_culvert/flows", c.flows)
	handle("GET /_culvert/traffic", c.traffic)
	handle("/_culvert/", func(r *http.Request) (any, error) {
		return nil, &problem{http.StatusNotFound, fmt.Sprintf("there is no %s %s here", r.Method, r.URL.Path)}
	})
	return mux
}

func (c *Config) answer(w http.ResponseWriter, r *http.Request, f func(*http.Request) (any, error)) {
	out, err := f(r)
	status := http.StatusOK
	if err != nil {
		var p *problem
		if errors.As(err, &p) {
			status, out = p.status, map[string]string{"error": p.message}
		} else {
			c.Log.Error("inspect", "path", r.URL.Path, "error", err)
			status, out = http.StatusInternalServerError, map[string]string{"error": err.Error()}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(out) // the caller may have gone
}

// status is the answer of GET /_culvert/status.
type status struct {
	Version          string          `json:"version"`
	Region           string          `json:"region"`
	Account          string          `json:"account"`
	Endpoint         string          `json:"endpoint"`
	PID              int             `json:"pid"`
	Started          time.Time       `json:"started"`
	Data             string          `json:"data"`
	Rootless         bool            `json:"rootless"`
	AssumePrivateDNS bool            `json:"assumePrivateDns"`
	Revision         uint64          `json:"revision"`
	AppliedRevision  uint64          `json:"appliedRevision"`
	NetworkError     string          `json:"networkError,omitempty"`
	Resources        map[string]int  `json:"resources"`
	NotEnforced      []string        `json:"notEnforced"`
	Quotas           resource.Quotas `json:"quotas"`
	RaisedQuotas     []string        `json:"raisedQuotas"` // name=value: not AWS's usual ones
	Services         []Service       `json:"services"`
	RunKey           string          `json:"runKey"` // file
}

func (c *Config) status(*http.Request) (any, error) {
	v := c.Store.View()
	applied, err := c.Status()
	s := status{
		Version: c.Info.Version, Region: v.Region(), Account: v.Account(), Endpoint: c.Info.Endpoint, PID: c.Info.PID,
		Started: c.Info.Started, Data: c.Info.Data, Rootless: c.Info.Rootless, AssumePrivateDNS: c.Info.AssumePrivateDNS,
		Revision: v.Revision(), AppliedRevision: applied, NotEnforced: c.Info.NotEnforced, Resources: count(v),
		Services: c.Services(), Quotas: c.Info.Quotas.All(), RaisedQuotas: c.Info.Quotas.Texts(), RunKey: c.Info.RunKey,
	}
	if err != nil {
		s.NetworkError = err.Error()
	}
	return s, nil
}

func count(v *state.View) map[string]int {
	m := map[string]int{}
	add := func(kind resource.Kind, n int) {
		if n > 0 {
			m[string(kind)] = n
		}
	}
	add(resource.KindVPC, len(state.List[*resource.VPC](v)))
	add(resource.KindSubnet, len(state.List[*resource.Subnet](v)))
	add(resource.KindRouteTable, len(state.List[*resource.RouteTable](v)))
	add(resource.KindSecurityGroup, len(state.List[*resource.SecurityGroup](v)))
	add(resource.KindNetworkACL, len(state.List[*resource.NetworkACL](v)))
	add(resource.KindInternetGateway, len(state.List[*resource.InternetGateway](v)))
	add(resource.KindEgressOnlyGateway, len(state.List[*resource.EgressOnlyGateway](v)))
	add(resource.KindNATGateway, len(state.List[*resource.NATGateway](v)))
	add(resource.KindNetworkInterface, len(state.List[*resource.NetworkInterface](v)))
	add(resource.KindAddress, len(state.List[*resource.Address](v)))
	add(resource.KindVPCEndpoint, len(state.List[*resource.VPCEndpoint](v)))
	add(resource.KindVPCPeering, len(state.Select(v, (*resource.VPCPeeringConnection).Alive)))
	add(resource.KindFlowLog, len(state.List[*resource.FlowLog](v)))
	add(resource.KindRole, len(state.List[*resource.Role](v)))
	add(resource.KindFunction, len(state.List[*resource.Function](v)))
	add(resource.KindLayerVersion, len(state.List[*resource.LayerVersion](v)))
	add(resource.KindBucket, len(state.List[*resource.Bucket](v)))
	add(resource.KindLogGroup, len(state.List[*resource.LogGroup](v)))
	return m
}
