package sigv4

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxSkew is how far a request's clock may be from ours.
const maxSkew = 15 * time.Minute

const unsignedPayload = "UNSIGNED-PAYLOAD"

// checkClaim checks all that needs no key.
func (o *Options) checkClaim(r *http.Request, c *claim) error {
	if err := o.checkScope(c); err != nil {
		return err
	}
	if err := o.checkTime(c); err != nil {
		return err
	}
	return o.checkSignedHeaders(r, c)
}

func (o *Options) checkScope(c *claim) error {
	switch {
	case c.service != o.Service:
		return fault{kind: scope, claim: c, text: fmt.Sprintf("Credential should be scoped to correct service: '%s'.", o.Service)}
	case !slices.Contains(o.Regions, c.region):
		return fault{kind: wrongRegion, claim: c, text: o.Regions[0]}
	case c.date != c.timeText[:len(dateLayout)]:
		return fault{kind: scope, claim: c, text: fmt.Sprintf(
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			excerpt(c.date), c.timeText[:len(dateLayout)], c.timeText)}
	}
	return nil
}

func (o *Options) checkTime(c *claim) error {
	if c.time.After(o.Now.Add(maxSkew)) {
		return fault{kind: tooEarly, claim: c}
	}
	if c.presigned && c.expires == 0 && o.Style == S3 {
		return fault{kind: incompleteQuery, text: "Query-string authentication version 4 requires the X-Amz-Expires parameter."}
	}
	life := maxSkew
	if c.presigned && c.expires != 0 {
		life = c.expires
	}
	if o.Now.After(c.time.Add(life)) {
		return fault{kind: tooLate, claim: c}
	}
	return nil
}

// checkSignedHeaders makes sure that what decides what a request does is signed: the host always, and for S3
// every header of its own.
func (o *Options) checkSignedHeaders(r *http.Request, c *claim) error {
	signed := map[string]bool{}
	for _, name := range c.signedHeaders {
		if name == "" || name != strings.ToLower(name) || signed[name] {
			return fault{kind: incomplete, claim: c, text: "The list of signed headers is malformed."}
		}
		signed[name] = true
	}
	if !signed["host"] {
		return fault{kind: headersNotSigned, claim: c, text: "host"}
	}
	if o.Style != S3 {
		return nil
	}
	var forgotten []string
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !signed[name] && !(c.presigned && name == "x-amz-content-sha256") {
			forgotten = append(forgotten, name)
		}
	}
	if forgotten != nil {
		slices.Sort(forgotten)
		return fault{kind: headersNotSigned, claim: c, text: strings.Join(forgotten, ", ")}
	}
	return nil
}

// payloadHash is the last line of the canonical request. S3 takes what the request declares, the others take the
// body's.
func (o *Options) payloadHash(r *http.Request, c *claim) (string, error) {
	if o.Style != S3 {
		return o.BodyHash()
	}
	declared := r.Header.Get("X-Amz-Content-Sha256")
	if c.presigned {
		if !slices.Contains(c.signedHeaders, "x-amz-content-sha256") {
			declared = r.URL.Query().Get("X-Amz-Content-Sha256")
		}
		if declared == "" {
			declared = unsignedPayload
		}
	}
	if declared == "" {
		return "", fault{kind: noPayloadHash, claim: c}
	}
	if !knownPayloadHash(declared) {
		return "", fault{kind: badPayloadHash, claim: c, text: excerpt(declared)}
	}
	return declared, nil
}

func knownPayloadHash(s string) bool {
	switch s {
	case unsignedPayload, "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
		"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
		return true
	}
	sum, err := hex.DecodeString(s)
	return err == nil && len(sum) == 32
}
