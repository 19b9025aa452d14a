package wire

import (
	"fmt"
	"net/http"

	"github.com/culvert-cloud/culvert/internal/api"
)

// Protocol is how a service speaks.
type Protocol string

// The protocols.
const (
	EC2Query  Protocol = "ec2"
	AWSQuery  Protocol = "query"
	RESTJSON  Protocol = "rest-json"
	AWSJSON11 Protocol = "json"
)

// Service is what a codec must know of a service.
type Service struct {
	Protocol     Protocol
	Namespace    string // of XML answers
	TargetPrefix string // of X-Amz-Target, AWSJSON11
	// ValidationCode is the error code for input that breaks a constraint of the model. Empty: the protocol's
	// usual one. EC2 has several and ignores it.
	ValidationCode string
	// Operations are needed for RESTJSON only, where the path names the operation.
	Operations []Operation
}

// Operation says where an operation of a REST protocol is found.
type Operation struct {
	Name         string
	Method, Path string // labels in braces: /2015-03-31/functions/{FunctionName}
	Status       int    // of success; 0: 200
}

// Request is a request whose body has been read. It is used for one request only, by one goroutine.
type Request struct {
	HTTP *http.Request
	Body []byte

	form *node // of the query protocols, once parsed
}

// Response is an answer, ready to be sent.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Codec translates between one service's protocol and structs. Errors of Operation and Decode are *api.Error:
// the request is at fault. An error of Output is a bug in this program.
type Codec interface {
	// Operation returns the name of the operation that the request asks for; it need not exist. Where the
	// body names it, the body must have been read.
	Operation(*Request) (string, error)
	// BodyNamesOperation reports whether Operation needs the body.
	BodyNamesOperation() bool
	// Decode fills input, a pointer to a struct, and checks it against the constraints of its tags.
	Decode(r *Request, operation string, input any) error
	// Output encodes a successful answer; output is a pointer to a struct.
	Output(requestID, operation string, output any) (*Response, error)
	// Error encodes an error.
	Error(requestID string, e *api.Error) *Response
}

// New makes the codec of a service.
func New(s Service) (Codec, error) {
	p := new(planner)
	switch s.Protocol {
	case EC2Query:
		return &ec2Codec{service: s, planner: p}, nil
	case AWSQuery:
		return &queryCodec{service: s, planner: p, dialect: validating{orDefault(s.ValidationCode, "ValidationError")}}, nil
	case AWSJSON11:
		return &jsonCodec{service: s, planner: p, dialect: jsonDialect{validating{orDefault(s.ValidationCode, "InvalidParameterException")}}}, nil
	case RESTJSON:
		d := restDialect{validating{orDefault(s.ValidationCode, "ValidationException")}}
		return newRESTCodec(s, p, d)
	}
	return nil, fmt.Errorf("make a codec: the protocol %q is unknown", s.Protocol)
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func newResponse(status int, contentType, requestID string, body []byte) *Response {
	h := http.Header{}
	h.Set("X-Amzn-RequestId", requestID)
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return &Response{Status: status, Header: h, Body: body}
}

func statusOf(e *api.Error) int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}
