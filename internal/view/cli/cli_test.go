package cli

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// answering is a region that answers one path.
func answering(t *testing.T, path string, status int, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/_culvert/"+path {
			http.NotFound(w, r)
			return
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// run runs a command and returns what it printed and its exit status.
func run(t *testing.T, arguments ...string) (stdout string, status int) {
	t.Helper()
	root := newRoot(Config{Version: "test"})
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(arguments)
	err := root.ExecuteContext(context.Background())
	var exit *exitError
	switch {
	case err == nil:
		return out.String(), ExitOK
	case errors.As(err, &exit):
		return out.String() + exit.message, exit.status
	default:
		return out.String() + err.Error(), ExitFailed
	}
}

func TestExitStatusesAreAPromise(t *testing.T) {
	well := answering(t, "status", 200, `{"region":"us-west-2"}`)
	ill := answering(t, "status", 200, `{"region":"us-west-2","networkError":"refused"}`)
	reached := answering(t, "why", 200, `{"reachable":true,"summary":"it gets there"}`)
	stopped := answering(t, "why", 200, `{"reachable":false,"code":"NO_ROUTE_TO_DESTINATION","summary":"it does not"}`)
	unknown := answering(t, "why", 404, `{"error":"there is no function \"f\" in this region"}`)
	stranger := answering(t, "status", 200, `<html>`)
	for _, c := range []struct {
		name      string
		arguments []string
		status    int
		says      string
	}{
		{"status of a region that is well", []string{"status", "--endpoint", well}, ExitOK, "region us-west-2"},
		{"status of one whose network differs", []string{"status", "--endpoint", ill}, ExitFailed, "DOES NOT MATCH"},
		{"no region", []string{"status", "--endpoint", "http://127.0.0.1:1"}, ExitNotRunning, "culvert up"},
		{"something else", []string{"status", "--endpoint", stranger}, ExitFailed, "not a culvert region"},
		{"no URL", []string{"status", "--endpoint", "nonsense"}, ExitUsage, "not a URL"},
		{"why, and it gets there", []string{"why", "f", "s3", "--endpoint", reached}, ExitOK, "it gets there"},
		{"why, and it does not", []string{"why", "f", "s3", "--endpoint", stopped}, ExitFailed, "NO_ROUTE_TO_DESTINATION"},
		{"why of nobody", []string{"why", "f", "s3", "--endpoint", unknown}, ExitUsage, "no function"},
		{"why without a target", []string{"why", "f"}, ExitUsage, "culvert why SOURCE DESTINATION"},
		{"a command that is none", []string{"nonsense"}, ExitUsage, "nonsense"},
		{"a flag that is none", []string{"status", "--nonsense"}, ExitUsage, "nonsense"},
		{"a timeout that is none", []string{"demo", "--timeout", "0"}, ExitUsage, "between 1 and 900"},
		{"an address that is none", []string{"up", "--listen", "nonsense"}, ExitUsage, "nonsense"},
		{"two minds", []string{"up", "--ephemeral", "--data", "d"}, ExitUsage, "keeps nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, status := run(t, c.arguments...)
			if status != c.status || !strings.Contains(out, c.says) {
				t.Errorf("status %d, %q; want %d and %q", status, out, c.status, c.says)
			}
		})
	}
}

func TestEnvIsReadByAShell(t *testing.T) {
	out, status := run(t, "env", "--endpoint", answering(t, "status", 200, `{"region":"us-west-2"}`))
	if status != ExitOK || !strings.Contains(out, "export AWS_ACCESS_KEY_ID=test\n") || !strings.Contains(out, "unset AWS_PROFILE") {
		t.Errorf("status %d, %q", status, out)
	}
	for in, want := range map[string]string{"plain": "plain", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x;`y`": "'$x;`y`'"} {
		if got := quote(in); got != want {
			t.Errorf("quote(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestExecKeepsOnlyWhatLeadsToTheRegion(t *testing.T) {
	got := execEnvironment([]string{"HOME=/h", "AWS_PROFILE=work", "AWS_ENDPOINT_URL_S3=http://elsewhere", "AWS_ACCESS_KEY_ID=real", "HTTP_PROXY=http://corp"},
		status{Region: "eu-west-1"}, "http://127.0.0.1:4566")
	for _, want := range []string{"HOME=/h", "AWS_ENDPOINT_URL=http://127.0.0.1:4566", "AWS_ACCESS_KEY_ID=test", "AWS_REGION=eu-west-1", "HTTP_PROXY=http://127.0.0.1:4566"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, kv := range got {
		if strings.HasPrefix(kv, "AWS_PROFILE=") || strings.Contains(kv, "elsewhere") || strings.Contains(kv, "real") || strings.Contains(kv, "corp") {
			t.Errorf("%s is still there", kv)
		}
	}
}
