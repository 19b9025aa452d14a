package server

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
)

type originKey struct{}

// WithOrigin says through which door the requests of a context come; for http.Server's ConnContext.
func WithOrigin(ctx context.Context, o api.Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// originOf is the origin of a request. A listener that says nothing is the one on the host.
func originOf(r *http.Request) api.Origin {
	o, ok := r.Context().Value(originKey{}).(api.Origin)
	if !ok {
		o = api.Origin{Door: api.DoorHost, Secure: r.TLS != nil}
	}
	if !o.SourceIP.IsValid() {
		if a, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			o.SourceIP = a.Addr().Unmap()
		}
	}
	return o
}

// HTTPServer makes the server of a listener. Bodies and answers may take as long as they need (uploads, Invoke);
// headers may not, nor pauses within a body. It speaks HTTP/1.1 only, as S3 does.
func HTTPServer(h http.Handler) *http.Server {
	var p http.Protocols
	p.SetHTTP1(true)
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		Protocols:         &p,
	}
}

// hostname is a Host header without the port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}
