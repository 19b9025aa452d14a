package sigv4

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/culvert-cloud/culvert/internal/api"
)

// kind is a reason to refuse a signature.
type kind int

const (
	missing kind = iota
	twoMechanisms
	oldVersion
	unsupported
	incomplete
	incompleteQuery
	scope
	wrongRegion
	tooEarly
	tooLate
	headersNotSigned
	noPayloadHash
	badPayloadHash
	mismatch
)

// fault is a refusal that has not been worded yet.
type fault struct {
	kind  kind
	claim *claim
	text  string // depends on the kind
}

func (f fault) Error() string { return "the signature is refused: " + f.text }

// refuse words an error as the services of a style do. Errors that are not about the signature stay as they are.
func (o *Options) refuse(err error) error {
	var f fault
	isFault := errors.As(err, &f)
	key := errors.Is(err, ErrUnknownKey) || errors.Is(err, ErrInvalidToken) || errors.Is(err, ErrExpiredToken)
	switch {
	case !isFault && !key && api.AsError(err) == nil:
		return fmt.Errorf("verify the signature: %w", err)
	case !isFault && !key:
		return err
	case o.Style == S3 && key:
		return s3KeyError(err)
	case o.Style == S3:
		return o.s3Error(f)
	case o.Style == EC2:
		return ec2Error(f, err)
	case key:
		return o.keyError(err)
	}
	return o.commonError(f)
}

func forbidden(code, format string, args ...any) *api.Error {
	return api.Errorf(code, format, args...).WithStatus(http.StatusForbidden)
}

func s3KeyError(err error) *api.Error {
	switch {
	case errors.Is(err, ErrExpiredToken):
		return api.Errorf("ExpiredToken", "The provided token has expired.")
	case errors.Is(err, ErrInvalidToken):
		return api.Errorf("InvalidToken", "The provided token is malformed or otherwise invalid.")
	}
	return forbidden("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
}

func (o *Options) s3Error(f fault) *api.Error {
	switch f.kind {
	case twoMechanisms:
		return api.Errorf("InvalidArgument", "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified")
	case oldVersion:
		return api.Errorf("InvalidRequest", "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
	case unsupported:
		return api.Errorf("InvalidRequest", "%s", f.text)
	case incompleteQuery:
		return api.Errorf("AuthorizationQueryParametersError", "%s", f.text)
	case incomplete, scope:
		return malformed(f, f.text)
	case wrongRegion:
		return malformed(f, fmt.Sprintf("the region '%s' is wrong; expecting '%s'", excerpt(f.claim.region), f.text)).With("Region", f.text)
	case tooEarly, tooLate:
		return o.s3TimeError(f)
	case headersNotSigned:
		return forbidden("AccessDenied", "There were headers present in the request which were not signed").With("HeadersNotSigned", f.text)
	case noPayloadHash:
		return api.Errorf("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	case badPayloadHash:
		return api.Errorf("InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.").
			With("ArgumentName", "x-amz-content-sha256").With("ArgumentValue", f.text)
	}
	e := forbidden("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.").
		With("AWSAccessKeyId", f.claim.accessKeyID)
	if f.text != "" {
		e = e.With("StringToSign", stringToSign(f.claim, f.text)).With("CanonicalRequest", f.text)
	}
	return e
}

func malformed(f fault, text string) *api.Error {
	if f.claim != nil && f.claim.presigned {
		return api.Errorf("AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter; %s", text)
	}
	return api.Errorf("AuthorizationHeaderMalformed", "The authorization header is malformed; %s", text)
}

func (o *Options) s3TimeError(f fault) *api.Error {
	const iso = "2006-01-02T15:04:05Z"
	now := o.Now.UTC().Format(iso)
	switch {
	case !f.claim.presigned:
		return forbidden("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.").
			With("RequestTime", f.claim.timeText).With("ServerTime", now).
			With("MaxAllowedSkewMilliseconds", strconv.FormatInt(maxSkew.Milliseconds(), 10))
	case f.kind == tooEarly:
		return forbidden("AccessDenied", "Request is not yet valid").With("X-Amz-Date", f.claim.timeText).With("ServerTime", now)
	}
	return forbidden("AccessDenied", "Request has expired").
		With("X-Amz-Expires", strconv.Itoa(int(f.claim.expires.Seconds()))).
		With("Expires", f.claim.time.Add(f.claim.expires).Format(iso)).With("ServerTime", now)
}

// ec2Error: EC2 says little.
func ec2Error(f fault, err error) *api.Error {
	switch {
	case errors.Is(err, ErrExpiredToken) || f.claim != nil && (f.kind == tooEarly || f.kind == tooLate):
		return api.Errorf("RequestExpired", "Request has expired.")
	case f.kind == unsupported:
		return api.Errorf("AuthFailure", "%s", f.text).WithStatus(http.StatusUnauthorized)
	case f.kind == wrongRegion:
		return api.Errorf("AuthFailure", "AWS was not able to validate the provided access credentials: they are for the region %s, this is %s",
			excerpt(f.claim.region), f.text).WithStatus(http.StatusUnauthorized)
	}
	return api.Errorf("AuthFailure", "AWS was not able to validate the provided access credentials").WithStatus(http.StatusUnauthorized)
}

// keyError is that of IAM, STS and the JSON services.
func (o *Options) keyError(err error) *api.Error {
	switch expired := errors.Is(err, ErrExpiredToken); {
	case expired && o.Style == Query:
		return forbidden("ExpiredToken", "The security token included in the request is expired")
	case expired:
		return o.status("ExpiredTokenException", "The security token included in the request is expired")
	case o.Style == Query:
		return forbidden("InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	return o.status("UnrecognizedClientException", "The security token included in the request is invalid.")
}

func (o *Options) commonError(f fault) *api.Error {
	switch f.kind {
	case missing:
		if o.Style == Query {
			return forbidden("MissingAuthenticationToken", "Request is missing Authentication Token")
		}
		return o.status("MissingAuthenticationTokenException", "Missing Authentication Token")
	case twoMechanisms:
		return o.incomplete("Only one of the Authorization header and the X-Amz-Signature parameter may be given.")
	case oldVersion:
		return o.incomplete("The signature version is not supported. Please use AWS4-HMAC-SHA256.")
	case unsupported, incomplete, incompleteQuery:
		return o.incomplete(f.text)
	}
	text := f.text
	switch f.kind {
	case wrongRegion:
		text = fmt.Sprintf("Credential should be scoped to a valid region, not '%s'.", excerpt(f.claim.region))
	case tooEarly:
		limit := o.Now.UTC().Add(maxSkew).Format(timeLayout)
		text = fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 15 min.)", f.claim.timeText, limit, o.Now.UTC().Format(timeLayout))
	case tooLate:
		limit := o.Now.UTC().Add(-maxSkew).Format(timeLayout)
		text = fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 15 min.)", f.claim.timeText, limit, o.Now.UTC().Format(timeLayout))
	case headersNotSigned:
		text = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
	case mismatch:
		text = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	}
	if o.Style == Query {
		return forbidden("SignatureDoesNotMatch", "%s", text)
	}
	return o.status("InvalidSignatureException", text)
}

func (o *Options) incomplete(text string) *api.Error {
	if o.Style == Query {
		return api.Errorf("IncompleteSignature", "%s", text)
	}
	return o.status("IncompleteSignatureException", text)
}

// status gives an error the status of the style: JSON services answer 400 to everything.
func (o *Options) status(code, text string) *api.Error {
	e := api.Errorf(code, "%s", text)
	if o.Style == REST {
		return e.WithStatus(http.StatusForbidden)
	}
	return e
}
