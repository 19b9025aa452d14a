package servicetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/api/server"
	"github.com/culvert-cloud/culvert/internal/api/sigv4"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

const account = "000000000000"

// Who makes a call; the words are the access keys.
const (
	operator = "operator" // may everything
	stranger = "stranger" // is known and may nothing
	nobody   = ""
)

// region is one service behind the pipeline, with an empty state.
type region struct {
	definition service.Definition
	store      *state.Store
	server     *server.Server
	asked      []server.Question
	log        bytes.Buffer
}

func newRegion(t *testing.T, newService func(*testing.T, *state.Store) service.Definition) *region {
	t.Helper()
	store, err := state.Open(state.Config{Region: "us-west-2", Account: account})
	if err != nil {
		t.Fatal(err)
	}
	d := newService(t, store)
	r := &region{definition: d, store: store}
	r.server, err = server.New(server.Config{
		Store: store, Services: []service.Definition{d}, Keys: keys{}, Authorizer: server.NewAuthorizer(r.decide),
		Log: slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type keys struct{}

func (keys) Lookup(id, _ string, _ time.Time) (sigv4.Credential, error) {
	c := api.Caller{Type: api.Root, Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account}
	switch id {
	case operator:
		return sigv4.Credential{Secret: "secret", Caller: c}, nil
	case stranger:
		c.Type, c.ARN = api.AssumedRole, "arn:aws:sts::"+account+":assumed-role/stranger/session"
		return sigv4.Credential{Secret: "secret", Caller: c}, nil
	}
	return sigv4.Credential{}, sigv4.ErrUnknownKey
}

func (r *region) decide(_ state.Reader, call *api.Call, q server.Question) (policy.Decision, error) {
	r.asked = append(r.asked, q)
	return policy.Decision{Allowed: call.Caller.Type == api.Root, Kind: string(policy.Identity), Statement: -1}, nil
}

// lastError is what went wrong inside, as far as it was logged.
func (r *region) lastError() string {
	lines := bytes.Split(bytes.TrimSpace(r.log.Bytes()), []byte("\n"))
	return string(lines[len(lines)-1])
}

// answer is what came back.
type answer struct {
	status      int
	code        string
	contentType string
	body        string
}

// do signs a request, unless it is nobody's, and sends it through the pipeline.
func (r *region) do(t rapid.TB, q request, who string) answer {
	t.Helper()
	h := httptest.NewRequest(q.method, "http://localhost"+q.target, bytes.NewReader([]byte(q.body)))
	for name, value := range q.header {
		h.Header.Set(name, value)
	}
	if who != nobody {
		sum := sha256.Sum256([]byte(q.body))
		err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: who, SecretAccessKey: "secret"},
			h, hex.EncodeToString(sum[:]), r.definition.Name, "us-west-2", time.Now())
		if err != nil {
			t.Fatalf("sign: %v", err)
		}
	}
	w := httptest.NewRecorder()
	r.server.ServeHTTP(w, h)
	a := answer{status: w.Code, contentType: w.Header().Get("Content-Type"), body: w.Body.String()}
	if w.Code >= http.StatusMultipleChoices {
		a.code = errorCode(w)
	}
	return a
}

// errorCode finds the error's code in the three places where protocols have it.
func errorCode(w *httptest.ResponseRecorder) string {
	if code := w.Header().Get("X-Amzn-ErrorType"); code != "" {
		return code
	}
	var j struct {
		Type string `json:"__type"`
	}
	if json.Unmarshal(w.Body.Bytes(), &j) == nil {
		return j.Type
	}
	var x struct {
		Query string `xml:"Error>Code"`
		EC2   string `xml:"Errors>Error>Code"`
	}
	if xml.Unmarshal(w.Body.Bytes(), &x) != nil {
		return ""
	}
	return x.Query + x.EC2
}
