// Package api holds the words of every call: who calls, through which door, and how a call fails.
//
// It knows no service, no protocol and no resource. What a call goes through is in api/server.
package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"
)

// Error is an error that a caller may see: AWS's code and AWS's text. Any other error is internal: it is
// logged, and the caller learns nothing of it.
type Error struct {
	Code    string
	Message string
	Status  int // HTTP
	// Details are further elements of the answer, such as S3's BucketName; in order.
	Details []Detail
}

// Detail is one further element of an error answer.
type Detail struct{ Name, Value string }

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an error with HTTP status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

// WithStatus returns the error with another HTTP status.
func (e *Error) WithStatus(status int) *Error {
	c := *e
	c.Status = status
	return &c
}

// With returns the error with one more element.
func (e *Error) With(name, value string) *Error {
	c := *e
	c.Details = append(append([]Detail(nil), e.Details...), Detail{name, value})
	return &c
}

// AsError finds the *Error in err's chain, nil if there is none.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// PrincipalType says what kind of principal calls.
type PrincipalType string

// The kinds of principals.
const (
	Root        PrincipalType = "Account"     // the operator: the account's root
	AssumedRole PrincipalType = "AssumedRole" // a role session
	User        PrincipalType = "User"        // an IAM user
	Anonymous   PrincipalType = "Anonymous"   // nobody signed
)

// Caller is who signed a call.
type Caller struct {
	Type        PrincipalType
	Account     string
	ARN         string // arn:aws:sts::<account>:assumed-role/<role>/<session>, arn:aws:iam::<account>:user/<name>, arn:aws:iam::<account>:root
	RoleARN     string // of a session: the role's ARN, which aws:PrincipalArn holds
	RoleName    string
	SessionName string
	UserName    string // of a user
	UserID      string // AROA...:session, AIDA..., or the account id
	AccessKeyID string
	// SessionPolicy is the policy passed when the session was made; empty: none.
	SessionPolicy string
	// SessionPolicyARNs are managed policies that limit the session as well.
	SessionPolicyARNs []string
	SessionTags       map[string]string
	TransitiveTags    []string // keys of those tags that sessions made by this one get too
	SourceIdentity    string
	// SessionKeys are condition keys that a session was made with, lower case, such as lambda:sourcefunctionarn.
	SessionKeys map[string]string
	IssuedAt    time.Time // of a session token; zero: the key has none
	// Temporary: a user or the root with a session token.
	Temporary bool
}

// PrincipalARN is the value of aws:PrincipalArn.
func (c *Caller) PrincipalARN() string {
	if c.RoleARN != "" {
		return c.RoleARN
	}
	return c.ARN
}

// Door is a way into the region.
type Door string

// The doors.
const (
	DoorHost     Door = "host"     // the listener on the host, for the operator's tools
	DoorInternet Door = "internet" // a public service address, from inside the emulated network
	DoorEndpoint Door = "endpoint" // a VPC endpoint
)

// Origin is through which door a call came. It is a fact of the connection, never of the request.
type Origin struct {
	Door     Door
	SourceIP netip.Addr // as the service sees it
	Secure   bool       // TLS
	// Service restricts the door to one service: the public address or endpoint of s3 does not serve ec2.
	Service string
	// Set for DoorEndpoint only:
	VPCEndpointID string
	VPCID         string
}

// Call is one call on its way through the pipeline.
type Call struct {
	RequestID string
	Service   string // ec2
	Operation string // CreateVpc
	Region    string
	Account   string
	Time      time.Time
	Caller    Caller
	Origin    Origin
	HTTP      *http.Request
}
