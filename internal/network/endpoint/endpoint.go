package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Config says where connections lead.
type Config struct {
	Log       *slog.Logger
	Network   dataplane.Driver
	Authority *Authority
	// Server makes the server of one listener; its handler is the front door's pipeline.
	Server func() *http.Server
	// WithOrigin stamps an origin on a connection's context.
	WithOrigin func(context.Context, api.Origin) context.Context
	// ServeDNS answers queries of a VPC (empty: of the internet) until the context ends or a socket is closed.
	ServeDNS func(ctx context.Context, vpc resource.VPCID, packets net.PacketConn, streams net.Listener)
}

// Endpoints are the region's listeners inside the network.
type Endpoints struct {
	config Config
	limits *limits

	mu   sync.Mutex
	open map[spot]*listening // guarded by mu
}

// spot is one listener: a place, a port, and what stands there.
type spot struct {
	place dataplane.Place
	port  uint16
	door  door
}

// door is what a connection to a spot means. It is comparable.
type door struct {
	service  string // empty for a resolver
	fallback string // name to certify for clients that ask for none
	vpc      resource.VPCID
	endpoint resource.VPCEndpointID
}

type listening struct {
	close func()
	done  chan struct{} // closed when nothing listens there any more
}

// New makes the listeners' keeper. Nothing listens until Apply.
func New(c Config) *Endpoints {
	return &Endpoints{config: c, limits: newLimits(maxConnections, maxFromSource), open: map[spot]*listening{}}
}

// Apply makes exactly the listeners of the topology listen. The data plane must have applied it before. A place
// that cannot be opened does not keep the others from it; the errors are joined.
func (e *Endpoints) Apply(ctx context.Context, t *topology.Topology) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	want := spots(t)
	for s, l := range e.open {
		if !want[s] || l.ended() {
			l.close()
			delete(e.open, s)
		}
	}
	var failed []error
	for s := range want {
		if e.open[s] != nil {
			continue
		}
		l, err := e.listen(ctx, s)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		e.open[s] = l
	}
	return errors.Join(failed...)
}

// Close closes every listener and every connection.
func (e *Endpoints) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s, l := range e.open {
		l.close()
		delete(e.open, s)
	}
}

func (l *listening) ended() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// The resolver answers at two addresses of every VPC; the second is the same everywhere.
var linkLocalResolver = netip.AddrFrom4([4]byte{169, 254, 169, 253})

// spots lists what must listen. S3 speaks plain HTTP too, as on AWS.
func spots(t *topology.Topology) map[spot]bool {
	want := map[spot]bool{}
	serve := func(p dataplane.Place, d door) {
		want[spot{p, 443, d}] = true
		if d.service == "s3" {
			want[spot{p, 80, d}] = true
		}
	}
	for _, s := range t.Services {
		for _, n := range s.Names {
			for _, a := range n.Addresses {
				serve(dataplane.Place{Internet: a}, door{service: s.Service, fallback: fallback(s.Service, t.Region)})
			}
		}
	}
	want[spot{dataplane.Place{Internet: linkLocalResolver}, 53, door{}}] = true
	for _, v := range t.VPCs {
		for _, a := range []netip.Addr{v.Resolver, linkLocalResolver} {
			want[spot{dataplane.Place{VPC: v.ID, Resolver: a}, 53, door{vpc: v.ID}}] = true
		}
		for _, ep := range v.Endpoints {
			if len(ep.LoadBalancers) > 0 {
				continue // to no service of the region: see package balancer
			}
			d := door{service: ep.Service, fallback: fallback(ep.Service, t.Region), vpc: v.ID, endpoint: ep.ID}
			for _, eni := range ep.ENIs {
				serve(dataplane.Place{ENI: eni}, d)
			}
			if ep.Type == resource.EndpointTypeGateway {
				serve(dataplane.Place{GatewayEndpoint: ep.ID}, d)
			}
		}
	}
	return want
}

func fallback(service, region string) string {
	if service == "iam" {
		return "iam.amazonaws.com"
	}
	return service + "." + region + ".amazonaws.com"
}

func (e *Endpoints) listen(ctx context.Context, s spot) (*listening, error) {
	stream, err := e.config.Network.Listen(ctx, s.place, "tcp", s.port)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", s, err)
	}
	stream = limited{Listener: stream, limits: e.limits, vpc: s.door.vpc}
	if s.port != 53 {
		return e.serve(s, stream), nil
	}
	packets, err := e.config.Network.ListenPacket(ctx, s.place, "udp", s.port)
	if err != nil {
		_ = stream.Close()
		return nil, fmt.Errorf("listen at %s: %w", s, err)
	}
	return e.resolve(s, packets, stream), nil
}

// serve answers calls. Each spot has a server of its own, so that closing it ends its connections too: they
// would keep a removed interface's namespace alive.
func (e *Endpoints) serve(s spot, stream net.Listener) *listening {
	server := e.config.Server()
	// What clients do to their connections is not the region's trouble.
	server.ErrorLog = slog.NewLogLogger(e.config.Log.With("at", s.String()).Handler(), slog.LevelDebug)
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return e.config.WithOrigin(ctx, s.origin(c))
	}
	if s.port == 443 {
		stream = tls.NewListener(stream, e.config.Authority.TLS(s.door.fallback))
	}
	l := &listening{close: func() { _ = server.Close() }, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		if err := server.Serve(stream); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			e.config.Log.Warn("listener ended", "at", s.String(), "error", err)
		}
	}()
	return l
}

func (e *Endpoints) resolve(s spot, packets net.PacketConn, streams net.Listener) *listening {
	ctx, cancel := context.WithCancel(context.Background())
	l := &listening{done: make(chan struct{})}
	l.close = func() {
		cancel()
		_ = packets.Close()
		_ = streams.Close()
	}
	go func() {
		defer close(l.done)
		e.config.ServeDNS(ctx, s.door.vpc, packets, streams)
	}()
	return l
}

// origin is what a connection to the spot says about its calls.
func (s spot) origin(c net.Conn) api.Origin {
	o := api.Origin{Door: api.DoorInternet, Secure: s.port == 443, Service: s.door.service}
	if remote, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		o.SourceIP = remote.AddrPort().Addr().Unmap()
	}
	if s.door.endpoint != "" {
		o.Door = api.DoorEndpoint
		o.VPCEndpointID, o.VPCID = string(s.door.endpoint), string(s.door.vpc)
	}
	return o
}

func (s spot) String() string {
	switch p := s.place; {
	case p.ENI != "":
		return fmt.Sprintf("%s port %d", p.ENI, s.port)
	case p.GatewayEndpoint != "":
		return fmt.Sprintf("%s port %d", p.GatewayEndpoint, s.port)
	case p.VPC != "":
		return fmt.Sprintf("%s of %s port %d", p.Resolver, p.VPC, s.port)
	default:
		return fmt.Sprintf("%s port %d", p.Internet, s.port)
	}
}
