package objects

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	restartTimeout = 10 * time.Second
	copyBuffer     = 128 << 10
	payloadHeader  = "X-Amz-Content-Sha256"
	// UnsignedPayload tells the engine that it cannot check the body.
	UnsignedPayload = "UNSIGNED-PAYLOAD"
)

// transport signs requests and sends them through the socket.
type transport struct {
	engine *Engine
	signer *v4.Signer
	key    aws.Credentials
	base   *http.Transport
}

func newTransport(e *Engine) *transport {
	t := &transport{
		engine: e,
		signer: v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }), // S3 signs the path as it is
		key:    aws.Credentials{AccessKeyID: e.child.Access, SecretAccessKey: e.child.Secret},
	}
	t.base = &http.Transport{
		DialContext:         t.dial,
		DisableCompression:  true,
		MaxConnsPerHost:     maxConnections / 2,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     time.Minute,
		ReadBufferSize:      copyBuffer,
		WriteBufferSize:     copyBuffer,
	}
	return t
}

func (t *transport) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := t.engine.wait(ctx, restartTimeout); err != nil {
		return nil, err
	}
	var d net.Dialer
	return d.DialContext(ctx, "unix", socket(t.engine.run.Fd()))
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
	// The engine stops reading where aws-chunked ends; what is left around or behind it must not be taken for the
	// next request.
	out.Close = r.ContentLength < 0 || strings.HasPrefix(payload, "STREAMING-")
	if err := t.signer.SignHTTP(r.Context(), t.key, out, payload, "s3", t.engine.config.Region, time.Now()); err != nil {
		return nil, fmt.Errorf("sign request to object store: %w", err)
	}
	return t.base.RoundTrip(out)
}
