package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/sigv4"
	"github.com/culvert-cloud/culvert/internal/service"
)

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// exchangeOf returns the exchange of a call, nil for a call that did not come through a server.
func exchangeOf(call *api.Call) *exchange {
	if call.HTTP == nil {
		return nil
	}
	x, _ := call.HTTP.Context().Value(exchangeKey{}).(*exchange)
	return x
}

// SigningKey returns the derived key that a call was signed with, nil if it was not signed in a header. S3 needs it
// for chunks that are signed one by one.
func SigningKey(call *api.Call) []byte {
	x := exchangeOf(call)
	if x == nil || x.signature == nil || x.signature.Presigned {
		return nil
	}
	return x.signature.SigningKey
}

func (s *Server) authenticate(x *exchange) error {
	if x.web {
		return s.authenticateWeb(x)
	}
	result, err := sigv4.Verify(x.call.HTTP, sigv4.Options{
		Style:         sigv4.Style(x.service.Protocol),
		Service:       x.service.Name,
		Regions:       regions(x),
		Keys:          doorKeys{s.config.Keys, x.call.Origin.Door},
		Now:           x.call.Time,
		VirtualBucket: x.service.VirtualBucket,
		BodyHash:      func() (string, error) { return s.readBody(x) },
	})
	if err != nil {
		return s.refuseUnsigned(x, err)
	}
	x.signature, x.call.Caller = result, result.Caller
	if result.Caller.Temporary && x.service.Name == "iam" { // see the IAM guide, GetSessionToken
		return api.Errorf("InvalidClientTokenId", "The security token included in the request is invalid").WithStatus(http.StatusForbidden)
	}
	return nil
}

// authenticateWeb finds out who sends a request to an address that a service gave out, and reads its body.
func (s *Server) authenticateWeb(x *exchange) error {
	x.call.Operation = "Web"
	x.call.Caller = api.Caller{Type: api.Anonymous}
	hash, err := s.readBody(x)
	if err != nil {
		return err
	}
	r := x.call.HTTP
	r.Body = io.NopCloser(bytes.NewReader(x.request.Body))
	if x.service.Web.Open(hostname(r.Host), r.URL.Path) {
		return nil
	}
	result, err := sigv4.Verify(r, sigv4.Options{
		Style: sigv4.Style(x.service.Protocol), Service: x.service.Name, Regions: regions(x), Anonymous: true,
		Keys: doorKeys{s.config.Keys, x.call.Origin.Door}, Now: x.call.Time,
		BodyHash: func() (string, error) { return hash, nil },
	})
	if err != nil {
		return err
	}
	x.signature, x.call.Caller = result, result.Caller
	return nil
}

// doorKeys are the keys that are good at a door. The operator's pair is known to everybody and is the account's root:
// it opens the host's door only, or every function could leave its role.
type doorKeys struct {
	sigv4.Keys
	door api.Door
}

// Lookup implements sigv4.Keys.
func (k doorKeys) Lookup(id, token string, now time.Time) (sigv4.Credential, error) {
	c, err := k.Keys.Lookup(id, token, now)
	if err == nil && c.Caller.Type == api.Root && k.door != api.DoorHost {
		return sigv4.Credential{}, sigv4.ErrUnknownKey
	}
	return c, err
}

// regions are those that a signature may be for. IAM and STS are global, and their global names are signed for
// us-east-1.
func regions(x *exchange) []string {
	if x.service.Protocol == service.AWSQuery {
		return []string{x.call.Region, "us-east-1"}
	}
	return []string{x.call.Region}
}

// The longest bodies that are read, where the operation does not say.
const (
	maxForm = 2 << 20
	maxJSON = 8 << 20    // PutLogEvents takes 1 MiB of text, which JSON can make six times longer
	maxREST = 70_167_211 // Lambda's, for CreateFunction
)

func (x *exchange) maxBody() int64 {
	if x.web {
		return x.service.Web.MaxBody
	}
	if !x.service.codec.BodyNamesOperation() {
		if name, err := x.service.codec.Operation(x.request); err == nil {
			x.call.Operation = name
			if o := x.service.operations[name]; o != nil && o.MaxBody > 0 {
				return o.MaxBody
			}
		}
	}
	switch x.service.Protocol {
	case service.RESTJSON:
		return maxREST
	case service.AWSJSON11:
		return maxJSON
	}
	return maxForm
}

// readBody reads the body of a call whose key is known, and returns its hash.
func (s *Server) readBody(x *exchange) (string, error) {
	r, limit := x.call.HTTP, x.maxBody()
	if r.ContentLength > limit {
		return "", tooLarge(x, limit)
	}
	x.held = r.ContentLength
	if x.held < 0 {
		x.held = limit
	}
	if !s.hold(x) {
		return "", api.Errorf("ServiceUnavailable", "Too many large requests at a time.").WithStatus(http.StatusServiceUnavailable)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return "", api.Errorf("IncompleteBody", "The request body did not arrive completely.")
	}
	if int64(len(body)) > limit {
		return "", tooLarge(x, limit)
	}
	x.request.Body = body
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}

// hold counts a body against what may be held. Calls from inside the network get half of it, so that functions
// cannot lock the operator out.
func (s *Server) hold(x *exchange) bool {
	total := s.buffered.Add(x.held)
	if x.call.Origin.Door != api.DoorHost && s.inside.Add(x.held) > s.config.MaxBuffered/2 {
		return false
	}
	return total <= s.config.MaxBuffered
}

// release ends what hold began.
func (s *Server) release(x *exchange) {
	s.buffered.Add(-x.held)
	if x.call.Origin.Door != api.DoorHost {
		s.inside.Add(-x.held)
	}
}

func tooLarge(x *exchange, limit int64) *api.Error {
	name := "RequestEntityTooLargeException"
	if x.service.codec.BodyNamesOperation() {
		name = "RequestEntityTooLarge"
	}
	text := fmt.Sprintf("Request must be smaller than %d bytes", limit)
	if o := x.service.operations[x.call.Operation]; o != nil {
		_, action, _ := strings.Cut(o.Action, ":") // AWS says InvokeFunction here, not Invoke
		text += " for the " + action + " operation"
	}
	return api.Errorf(name, "%s", text).WithStatus(http.StatusRequestEntityTooLarge)
}
