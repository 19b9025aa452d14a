package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	restartTimeout = 10 * time.Second
	redialAfter    = 2 * time.Millisecond
	copyBuffer     = 128 << 10
	payloadHeader  = "X-Amz-Content-Sha256"
	// UnsignedPayload tells the engine that it cannot check the body.
	UnsignedPayload = "UNSIGNED-PAYLOAD"
)

// transport signs requests and sends them through the socket.
type transport struct {
	engine  *Engine
	signer  *v4.Signer
	key     aws.Credentials
	base    *http.Transport // for requests without a body
	uploads *http.Transport // for those with one: a connection each
}

func newTransport(e *Engine) *transport {
	t := &transport{
		engine: e,
		signer: v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }), // S3 signs the path as it is
		key:    aws.Credentials{AccessKeyID: e.child.Access, SecretAccessKey: e.child.Secret},
	}
	t.connect(t.dial)
	return t
}

// connect makes the connections. The engine answers as soon as it knows, and closes: before the body if it
// refuses, and before the last frame around aws-chunked if it does not. So a connection carries one body, and
// what the engine said is worth more than that it was not listening any more.
func (t *transport) connect(dial func(context.Context, string, string) (net.Conn, error)) {
	t.base = &http.Transport{
		DialContext:         dial,
		DisableCompression:  true,
		MaxConnsPerHost:     maxConnections / 4,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     time.Minute,
		ReadBufferSize:      copyBuffer,
		WriteBufferSize:     copyBuffer,
	}
	t.uploads = t.base.Clone()
	t.uploads.DisableKeepAlives = true
	t.uploads.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return listeningConn{c}, nil
	}
}

// listeningConn throws away what is written after the other side has closed: what it said before is still to be
// read. If it said nothing, reading tells.
type listeningConn struct{ net.Conn }

func (c listeningConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return len(b), nil
	}
	return n, err
}

func (t *transport) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := t.engine.wait(ctx, restartTimeout); err != nil {
		return nil, err
	}
	var d net.Dialer
	for until := time.Now().Add(restartTimeout); ; {
		c, err := d.DialContext(ctx, "unix", socket(t.engine.run.Fd()))
		// It was killed, and nobody has noticed yet; or the next one is about to listen.
		if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ENOENT) || time.Now().After(until) {
			return c, err
		}
		select {
		case <-time.After(redialAfter):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if err := t.engine.wait(ctx, restartTimeout); err != nil {
			return nil, err
		}
	}
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL = &url.URL{Scheme: "http", Host: "objects", Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	out.Host = out.URL.Host
	payload := out.Header.Get(payloadHeader)
	if payload == "" {
		payload = UnsignedPayload
		out.Header.Set(payloadHeader, payload)
	}
	if err := t.signer.SignHTTP(r.Context(), t.key, out, payload, "s3", t.engine.config.Region, time.Now()); err != nil {
		return nil, fmt.Errorf("sign request to object store: %w", err)
	}
	if out.Body == nil || out.Body == http.NoBody {
		return t.read(out)
	}
	return t.uploads.RoundTrip(out)
}

// read sends a request without a body. If the engine was killed over a question, it is put to the next one.
func (t *transport) read(r *http.Request) (*http.Response, error) {
	response, err := t.base.RoundTrip(r)
	broke := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	if broke && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return t.base.RoundTrip(r)
	}
	return response, err
}
