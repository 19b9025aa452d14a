package ec2

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// clientToken makes a Create call that is sent twice create one resource.
type clientToken struct {
	operation string
	token     string // empty: the caller sent none
	hash      string
}

// newClientToken takes the token and the input without it.
func newClientToken(operation string, token *string, input any) (clientToken, error) {
	b, err := json.Marshal(input)
	if err != nil {
		return clientToken{}, fmt.Errorf("encode input of %s: %w", operation, err)
	}
	sum := sha256.Sum256(b)
	return clientToken{operation, value(token), hex.EncodeToString(sum[:])}, nil
}

// seen returns the id of the resource that an earlier call with the token made; empty: there was none.
func (c clientToken) seen(r state.Reader) (string, error) {
	if c.token == "" {
		return "", nil
	}
	old, ok := state.Get[*resource.Idempotency](r, c.operation+"/"+c.token)
	if !ok {
		return "", nil
	}
	if old.InputHash != c.hash {
		return "", api.Errorf("IdempotentParameterMismatch",
			"The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical")
	}
	return old.ResourceID, nil
}

// made remembers what the call created.
func (c clientToken) made(tx *state.Tx, id string) {
	if c.token != "" {
		tx.Put(&resource.Idempotency{Operation: c.operation, Token: c.token, InputHash: c.hash, ResourceID: id})
	}
}

// echo is the token for the answer.
func (c clientToken) echo() *string {
	if c.token == "" {
		return nil
	}
	return &c.token
}

// forgetTokens drops the tokens that made a resource which is being deleted.
func forgetTokens(tx *state.Tx, id string) {
	for _, i := range state.Select(tx, func(i *resource.Idempotency) bool { return i.ResourceID == id }) {
		tx.Delete(i)
	}
}
