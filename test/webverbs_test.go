package test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// web sends a request that is not signed to the host's door, under the name that a URL has:
//
//	web METHOD URL [BODY]
//
// Its status and body are stdout, its headers stderr.
func web(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: web METHOD URL [BODY]")
	}
	to, err := url.Parse(args[1])
	ts.Check(err)
	body := ""
	if len(args) == 3 {
		body = args[2]
	}
	r, err := http.NewRequest(args[0], of(ts).region.URL()+to.RequestURI(), strings.NewReader(body))
	ts.Check(err)
	r.Host = to.Host
	if body != "" {
		r.Header.Set("Content-Type", "text/plain")
	}
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d %s\n", answer.StatusCode, got)
	ts.Check(answer.Header.Write(ts.Stderr()))
}
