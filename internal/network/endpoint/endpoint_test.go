package endpoint

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// loopback is a data plane whose places are sockets on loopback: it does not route, which is not this
// package's promise.
type loopback struct {
	dataplane.Driver
	mu      sync.Mutex
	streams map[string]net.Listener
	refuse  netip.Addr // a public address where nothing can be opened
}

func (l *loopback) Listen(_ context.Context, at dataplane.Place, _ string, port uint16) (net.Listener, error) {
	if l.refuse.IsValid() && at.Internet == l.refuse {
		return nil, errors.New("no such place")
	}
	s, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams[fmt.Sprint(at, port)] = s
	return s, nil
}

func (l *loopback) ListenPacket(context.Context, dataplane.Place, string, uint16) (net.PacketConn, error) {
	return net.ListenPacket("udp4", "127.0.0.1:0")
}

func (l *loopback) address(at dataplane.Place, port uint16) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.streams[fmt.Sprint(at, port)].Addr().String()
}

type originKey struct{}

func newEndpoints(t *testing.T, network *loopback) (*Endpoints, *Authority) {
	t.Helper()
	authority, err := OpenAuthority("")
	if err != nil {
		t.Fatal(err)
	}
	e := New(Config{
		Log: slog.New(slog.DiscardHandler), Network: network, Authority: authority,
		Server: func() *http.Server {
			return &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				o := r.Context().Value(originKey{}).(api.Origin)
				fmt.Fprintf(w, "%s %s %s %s %v", o.Door, o.Service, o.VPCEndpointID, o.SourceIP, o.Secure)
			})}
		},
		WithOrigin: func(ctx context.Context, o api.Origin) context.Context { return context.WithValue(ctx, originKey{}, o) },
		ServeDNS: func(ctx context.Context, _ resource.VPCID, _ net.PacketConn, _ net.Listener) {
			<-ctx.Done()
		},
	})
	t.Cleanup(e.Close)
	return e, authority
}

var (
	public  = netip.MustParseAddr("52.218.128.10")
	another = netip.MustParseAddr("52.94.1.1")
)

func sample() *topology.Topology {
	return &topology.Topology{
		Region: "us-west-2",
		Services: []*topology.PublicService{
			{Service: "s3", Names: []topology.Name{{Pattern: "s3.us-west-2.amazonaws.com", Addresses: []netip.Addr{public}}}},
			{Service: "sts", Names: []topology.Name{{Pattern: "sts.us-west-2.amazonaws.com", Addresses: []netip.Addr{another}}}},
		},
		VPCs: []*topology.VPC{{ID: "vpc-1", Resolver: netip.MustParseAddr("10.0.0.2"), Endpoints: []*topology.Endpoint{
			{ID: "vpce-1", Type: resource.EndpointTypeInterface, Service: "s3", ENIs: []resource.NetworkInterfaceID{"eni-1"}},
		}}},
	}
}

func ask(t *testing.T, authority *Authority, address, host string) string {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	c, err := tls.Dial("tcp4", address, &tls.Config{ServerName: host, RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host)
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAConnectionCarriesThePlaceItWasMadeTo(t *testing.T) {
	network := &loopback{streams: map[string]net.Listener{}}
	e, authority := newEndpoints(t, network)
	if err := e.Apply(t.Context(), sample()); err != nil {
		t.Fatal(err)
	}
	got := ask(t, authority, network.address(dataplane.Place{ENI: "eni-1"}, 443), "b.s3.us-west-2.amazonaws.com")
	if want := "endpoint s3 vpce-1 127.0.0.1 true"; got != want {
		t.Errorf("through the endpoint: %q, want %q", got, want)
	}
	got = ask(t, authority, network.address(dataplane.Place{Internet: public}, 443), "b.s3.us-west-2.amazonaws.com")
	if want := "internet s3  127.0.0.1 true"; got != want {
		t.Errorf("through the internet: %q, want %q", got, want)
	}
}

func TestARemovedEndpointEndsItsConnections(t *testing.T) {
	network := &loopback{streams: map[string]net.Listener{}}
	e, authority := newEndpoints(t, network)
	topo := sample()
	if err := e.Apply(t.Context(), topo); err != nil {
		t.Fatal(err)
	}
	address := network.address(dataplane.Place{ENI: "eni-1"}, 443)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	c, err := tls.Dial("tcp4", address, &tls.Config{ServerName: "s3.us-west-2.amazonaws.com", RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	topo.VPCs[0].Endpoints = nil
	if err := e.Apply(t.Context(), topo); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("an open connection outlived its endpoint")
	}
	if c, err := net.Dial("tcp4", address); err == nil {
		c.Close()
		t.Error("something still listens")
	}
}

func TestOnePlaceThatFailsDoesNotCloseTheOthers(t *testing.T) {
	network := &loopback{streams: map[string]net.Listener{}, refuse: another}
	e, authority := newEndpoints(t, network)
	err := e.Apply(t.Context(), sample())
	if err == nil || !strings.Contains(err.Error(), another.String()) {
		t.Errorf("error = %v, want one that names %s", err, another)
	}
	ask(t, authority, network.address(dataplane.Place{ENI: "eni-1"}, 443), "s3.us-west-2.amazonaws.com")
	network.refuse = netip.Addr{}
	if err := e.Apply(t.Context(), sample()); err != nil {
		t.Errorf("the next run: %v", err)
	}
}
