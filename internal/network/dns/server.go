package dns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"github.com/miekg/dns"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Config says for whom to answer, and where.
type Config struct {
	// VPC is whose resolver this is; empty: the internet's.
	VPC resource.VPCID
	// Topology returns the network of the moment. It is called for every question and must be fast.
	Topology func() *topology.Topology
	Packet   net.PacketConn // may be nil
	Stream   net.Listener   // may be nil
	Log      *slog.Logger   // nil: silent
}

// Serve answers until the context ends, and then closes the listeners. It returns nil if that is why it ended.
func Serve(ctx context.Context, c Config) error {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	var servers []*dns.Server
	if c.Packet != nil {
		h := &handler{config: c}
		servers = append(servers, &dns.Server{PacketConn: c.Packet, Handler: h, UDPSize: dns.DefaultMsgSize})
	}
	if c.Stream != nil {
		h := &handler{config: c, stream: true}
		servers = append(servers, &dns.Server{Listener: c.Stream, Handler: h})
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failures := make(chan error, len(servers))
	var running sync.WaitGroup
	for _, s := range servers {
		running.Go(func() {
			defer stop() // one without the other is not a resolver
			failures <- serve(ctx, s)
		})
	}
	running.Wait()
	close(failures)
	var err error
	for e := range failures {
		err = errors.Join(err, e)
	}
	if err != nil {
		return fmt.Errorf("serve DNS for %q: %w", c.VPC, err)
	}
	return nil
}

// serve runs one server until the context ends.
func serve(ctx context.Context, s *dns.Server) error {
	started := make(chan struct{})
	s.NotifyStartedFunc = func() { close(started) }
	ended := make(chan error, 1)
	go func() { ended <- s.ActivateAndServe() }()
	select {
	case err := <-ended:
		return err
	case <-started:
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		err := s.Shutdown()
		<-ended // what it returns after a shutdown is only that it was shut down
		return err
	}
}

type handler struct {
	config Config
	stream bool
	turn   atomic.Uint32
}

// ServeDNS answers one question.
func (h *handler) ServeDNS(w dns.ResponseWriter, request *dns.Msg) {
	var m *dns.Msg
	if t := h.config.Topology(); t != nil {
		m = reply(question{
			topology: t, vpc: h.config.VPC, request: request, stream: h.stream, turn: h.turn.Add(1),
		})
	}
	if m == nil {
		if h.stream {
			_ = w.Close() // silence, as far as a connection allows
		}
		return
	}
	if err := w.WriteMsg(m); err != nil {
		h.config.Log.Debug("dns answer not sent", "vpc", h.config.VPC, "to", w.RemoteAddr(), "error", err)
	}
}
