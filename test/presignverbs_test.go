package test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/rogpeppe/go-internal/testscript"
)

// presign signs a URL for S3 by its real name, as whoever makes the calls now.
func presign(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 || args[2] != "->" {
		ts.Fatalf("usage: presign METHOD PATH -> VAR")
	}
	client := of(ts).client
	r, err := http.NewRequest(args[0], "http://s3."+client.Region+".amazonaws.com"+args[1]+"?X-Amz-Expires=300", nil)
	ts.Check(err)
	credentials := aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}
	if client.Credentials != nil {
		credentials = *client.Credentials
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	signed, _, err := signer.PresignHTTP(context.Background(), credentials, r, "UNSIGNED-PAYLOAD", "s3", client.Region, time.Now())
	ts.Check(err)
	ts.Setenv(args[3], signed)
}

// keepFromStderr keeps what an expression's first group matches in the last refusal.
func keepFromStderr(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep-from-stderr VAR PATTERN")
	}
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stderr"))
	if len(found) < 2 {
		ts.Fatalf("no match for %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// open gets a URL at the host's door, which is the proxy for all of AWS's names.
func open(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: open URL [HEADER=VALUE...]")
	}
	door, err := url.Parse(of(ts).client.Endpoint)
	ts.Check(err)
	r, err := http.NewRequest("GET", args[0], nil)
	ts.Check(err)
	for _, a := range args[1:] {
		name, value, _ := strings.Cut(a, "=")
		r.Header.Set(name, value)
	}
	response, err := (&http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(door), DisableKeepAlives: true}}).Do(r)
	ts.Check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d %s\n", response.StatusCode, oneLine(body))
	if failed := response.StatusCode >= 400; failed != neg {
		ts.Fatalf("answered %d %s", response.StatusCode, body)
	}
}
