// Package sigv4 finds out who signed a request, by AWS Signature Version 4 in the header or in the query; for URLs
// of S3 also by Version 2, which boto3 and the AWS CLI still make.
//
// It verifies; it never signs (clients of our own use the SDK's signer), never decides what a caller may do, and
// knows no service: how strict it is and how it words a refusal is a [Style]. Bodies of S3 are not its matter:
// their declared hash is part of the signature, and S3 checks the body against it while reading.
//
// See the IAM guide, "AWS Signature Version 4 for API requests", and for S3 the API reference,
// "Authenticating Requests".
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
)

// Style is how a protocol's services canonicalise and how they word refusals.
type Style string

// The styles, named as the protocols.
const (
	EC2   Style = "ec2"
	Query Style = "query"
	JSON  Style = "json"
	REST  Style = "rest-json"
	S3    Style = "rest-xml"
)

// Credential is a secret and whose it is.
type Credential struct {
	Secret string
	Caller api.Caller
}

// Keys knows the access keys. Lookup returns ErrUnknownKey, ErrInvalidToken or ErrExpiredToken where they are the
// reason; any other error is internal.
type Keys interface {
	Lookup(accessKeyID, sessionToken string, now time.Time) (Credential, error)
}

// The reasons why a key is not good.
var (
	ErrUnknownKey   = errors.New("the access key is unknown")
	ErrInvalidToken = errors.New("the session token is not that of the access key")
	ErrExpiredToken = errors.New("the session token has expired")
)

// Options say against what a request is verified.
type Options struct {
	Style   Style
	Service string   // that the signature must be for
	Regions []string // that it may be for; the first is named in refusals
	Keys    Keys
	Now     time.Time
	// Anonymous takes requests without any signature, as S3 always does.
	Anonymous bool
	// VirtualBucket returns the bucket that a host name stands for, empty for none. Version 2 signs it. Nil: no
	// version 2.
	VirtualBucket func(host string) string
	// BodyHash returns the SHA-256 of the body in hex. It is called only when everything else is in order, so a
	// stranger cannot make us read; never for S3.
	BodyHash func() (string, error)
}

// Result is what a good signature says.
type Result struct {
	Caller      api.Caller
	AccessKeyID string
	Token       string
	Time        time.Time
	Date        string // of the scope: 20261124
	Region      string // of the scope
	Service     string // of the scope
	SigningKey  []byte // derived for the scope
	Presigned   bool
}

// Verify returns who signed a request, or an *api.Error in the service's words. A request to S3 without any
// signature is anonymous; other services refuse it.
func Verify(r *http.Request, o Options) (*Result, error) {
	c, err := parse(r)
	if err != nil {
		return nil, o.refuse(err)
	}
	if c == nil {
		if o.Style == S3 || o.Anonymous {
			return &Result{Caller: api.Caller{Type: api.Anonymous}}, nil
		}
		return nil, o.refuse(fault{kind: missing})
	}
	if c.version2 {
		result, err := o.verifyVersion2(r)
		if err != nil {
			return nil, o.refuse(err)
		}
		return result, nil
	}
	if err := o.checkClaim(r, c); err != nil {
		return nil, o.refuse(err)
	}
	credential, err := o.Keys.Lookup(c.accessKeyID, c.token, o.Now)
	if err != nil {
		return nil, o.refuse(err)
	}
	payload, err := o.payloadHash(r, c)
	if err != nil {
		return nil, o.refuse(err)
	}
	key := deriveKey(credential.Secret, c)
	text := canonicalRequest(r, c, o.Style, payload)
	if !hmac.Equal(sign(key, stringToSign(c, text)), c.signature) {
		return nil, o.refuse(fault{kind: mismatch, claim: c, text: text})
	}
	caller := credential.Caller
	caller.AccessKeyID = c.accessKeyID
	return &Result{
		Caller: caller, AccessKeyID: c.accessKeyID, Token: c.token, Time: c.time,
		Date: c.date, Region: c.region, Service: c.service, SigningKey: key, Presigned: c.presigned,
	}, nil
}

// deriveKey makes the key that signs for one day, region and service.
func deriveKey(secret string, c *claim) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{c.date, c.region, c.service, terminator} {
		key = sign(key, part)
	}
	return key
}

func sign(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func stringToSign(c *claim, canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return fmt.Sprintf("%s\n%s\n%s\n%s", algorithm, c.timeText, c.scope(), hex.EncodeToString(sum[:]))
}
