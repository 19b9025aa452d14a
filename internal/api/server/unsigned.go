package server

import (
	"io"
	"net/url"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
)

// maxUnsigned is how much of the body of a call that nobody signed is read to find out what it wants.
const maxUnsigned = 64 << 10

// refuseUnsigned says of a call that needs no signature on AWS, and is not served here, just that. Any other error
// stays as it is.
func (s *Server) refuseUnsigned(x *exchange, err error) error {
	e := api.AsError(err)
	if e == nil || e.Code != "MissingAuthenticationToken" || !isUnsignedForm(x.call.HTTP) {
		return err
	}
	body, readErr := io.ReadAll(io.LimitReader(x.call.HTTP.Body, maxUnsigned))
	if readErr != nil {
		return err
	}
	form, parseErr := url.ParseQuery(string(body))
	if parseErr != nil {
		return err
	}
	name := form.Get("Action")
	for _, v := range s.services {
		if slices.Contains(v.Unsigned, name) {
			x.call.Service, x.call.Operation, x.service = v.Name, name, v
			return unknownOperation(v, name)
		}
	}
	return err
}
