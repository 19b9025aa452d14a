// Command probefn is the function that the scripted tests deploy: it does one thing on the network and says
// what came of it, so that a script can state what must happen.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// event says what to do. Exactly one of the fields down to Attack is set.
type event struct {
	Get     string `json:"get"`     // bucket/key: read an object by the SDK's defaults
	Put     string `json:"put"`     // bucket/key: write one
	Lookup  string `json:"lookup"`  // a DNS name
	Connect string `json:"connect"` // address:port, TCP
	Fetch   string `json:"fetch"`   // a URL
	Call    string `json:"call"`    // a service: make a signed call with Body, and with Target or Path; see call
	Body    string `json:"body"`
	Target  string `json:"target"`
	Path    string `json:"path"`
	Attack  string `json:"attack"`  // try to get out, in the ways of a kind; see attackAll
	Timeout int    `json:"timeout"` // milliseconds, for what may not answer; 300 if not set
	// Endpoint is given to the SDK as its endpoint URL. The region never sets one.
	Endpoint string `json:"endpoint"`
	// Host is the URL of the region's door on the host, Neighbours are addresses of others' interfaces, with blanks between.
	Host       string `json:"host"`
	Neighbours string `json:"neighbours"`
}

func main() { lambda.Start(handle) }

func handle(ctx context.Context, e event) (string, error) {
	limit := 300 * time.Millisecond
	if e.Timeout > 0 {
		limit = time.Duration(e.Timeout) * time.Millisecond
	}
	// What the function waits for is the event's to say, or the network's; not the function's own time limit.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	switch {
	case e.Get != "":
		return object(ctx, e.Get, e.Endpoint, func(c *s3.Client, bucket, key string) (string, error) {
			out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
			if err != nil {
				return "", err
			}
			defer out.Body.Close()
			b, err := io.ReadAll(out.Body)
			return string(b), err
		})
	case e.Put != "":
		return object(ctx, e.Put, e.Endpoint, func(c *s3.Client, bucket, key string) (string, error) {
			_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("written by a function")})
			return "written", err
		})
	case e.Lookup != "":
		addresses, err := net.DefaultResolver.LookupHost(ctx, e.Lookup)
		if err != nil {
			return outcome(err), nil
		}
		return strings.Join(addresses, " "), nil
	case e.Connect != "":
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp4", e.Connect)
		if err != nil {
			return outcome(err), nil
		}
		_ = c.Close()
		return "connected", nil
	case e.Fetch != "":
		return fetch(ctx, e.Fetch)
	case e.Call != "":
		return call(ctx, e)
	case e.Attack != "":
		return attackAll(ctx, e)
	}
	return strings.Join(os.Environ(), "\n"), nil
}

func object(ctx context.Context, path, endpoint string, do func(c *s3.Client, bucket, key string) (string, error)) (string, error) {
	bucket, key, _ := strings.Cut(path, "/")
	o := s3.Options{
		Region:           os.Getenv("AWS_REGION"),
		RetryMaxAttempts: 1,
		HTTPClient:       &http.Client{Transport: &http.Transport{}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN")}, nil
		}),
	}
	if endpoint != "" {
		o.BaseEndpoint, o.UsePathStyle = &endpoint, true
	}
	out, err := do(s3.New(o), bucket, key)
	if err == nil {
		return out, nil
	}
	var refused smithy.APIError
	if ctx.Err() == nil && errors.As(err, &refused) {
		return refused.ErrorCode() + ": " + refused.ErrorMessage(), nil
	}
	return outcome(err), nil
}

func fetch(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return "", err
	}
	response, err := (&http.Client{Transport: &http.Transport{}}).Do(request)
	if err != nil {
		return outcome(err), nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	return response.Status + "\n" + string(body), err
}

// outcome names how an attempt failed.
func outcome(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such name"
	case errors.As(err, &certificate):
		return "certificate refused: " + certificate.Error()
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, context.DeadlineExceeded) || os.IsTimeout(err):
		return "timed out"
	default:
		return "failed: " + err.Error()
	}
}
