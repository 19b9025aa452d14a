package server

import (
	"net/http"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/wire"
	"github.com/culvert-cloud/culvert/internal/service"
)

// visible is what the caller learns of an error: AWS's errors as they are, of any other nothing.
func (s *Server) visible(x *exchange, err error) *api.Error {
	if e := api.AsError(err); e != nil {
		return e
	}
	if x.call.HTTP.Context().Err() == nil { // otherwise the caller is gone, and that may well be the reason
		s.config.Log.Error("call failed", "service", x.call.Service, "operation", x.call.Operation,
			"request", x.call.RequestID, "error", err)
	}
	return x.internalError()
}

// internalError is AWS's answer where AWS is at fault.
func (x *exchange) internalError() *api.Error {
	e := &api.Error{Code: "InternalFailure", Message: "The request processing has failed because of an unknown error, exception or failure.", Status: http.StatusInternalServerError}
	if x.service == nil {
		return e
	}
	switch x.service.Protocol {
	case service.EC2Query:
		e.Code, e.Message = "InternalError", "An internal error has occurred"
	case service.RESTXML:
		e.Code, e.Message = "InternalError", "We encountered an internal error. Please try again."
	case service.RESTJSON:
		e.Code, e.Message = "ServiceException", "An internal error occurred in the service."
	}
	return e
}

// encodeError encodes an error as the service does; where no service was found, as the request's kind wants it.
func (x *exchange) encodeError(e *api.Error) *wire.Response {
	switch {
	case x.service != nil && x.service.codec != nil:
		return x.service.codec.Error(x.call.RequestID, e)
	case x.service != nil:
		response := wire.S3Error(x.call.RequestID, e)
		if e.Code == "AuthorizationHeaderMalformed" {
			response.Header.Set("X-Amz-Bucket-Region", x.call.Region) // the answer to HEAD has no body to say it
		}
		return response
	}
	protocol := wire.AWSQuery
	if x.call.HTTP.Header.Get("X-Amz-Target") != "" || strings.Contains(x.call.HTTP.Header.Get("Content-Type"), "json") {
		protocol = wire.AWSJSON11
	}
	codec, err := wire.New(wire.Service{Protocol: protocol})
	if err != nil { // cannot be: the protocol is known
		return wire.S3Error(x.call.RequestID, e)
	}
	return codec.Error(x.call.RequestID, e)
}

func (s *Server) send(x *exchange, response *wire.Response) {
	x.response = response
	h := x.answer.Header()
	for name, values := range response.Header {
		h[name] = values
	}
	x.answer.WriteHeader(response.Status)
	if response.Status == http.StatusNoContent || x.call.HTTP.Method == http.MethodHead {
		return
	}
	_, _ = x.answer.Write(response.Body) // the caller may be gone; nobody to tell
}
