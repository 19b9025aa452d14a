package wire

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
)

const contentJSON11 = "application/x-amz-json-1.1"

// jsonCodec is awsJson1.1: the operation is in a header, everything else in a JSON object.
type jsonCodec struct {
	service Service
	planner *planner
	dialect jsonDialect
}

func (c *jsonCodec) BodyNamesOperation() bool { return false }

func (c *jsonCodec) Operation(r *Request) (string, error) {
	target := r.HTTP.Header.Get("X-Amz-Target")
	prefix, name, ok := strings.Cut(target, ".")
	if !ok || prefix != c.service.TargetPrefix || name == "" {
		return "", api.Errorf("UnknownOperationException", "The target %q is no operation that Culvert supports (docs/coverage.md and culvert status --json list them)", excerpt(target))
	}
	return name, nil
}

func (c *jsonCodec) Decode(r *Request, _ string, input any) error {
	object, err := parseJSON(r.Body)
	if err != nil {
		return c.dialect.malformed(err.Error())
	}
	d := &jsonDecoder{planner: c.planner, dialect: c.dialect}
	if err := d.structure(object, reflect.ValueOf(input).Elem(), ""); err != nil {
		return err
	}
	return check(c.planner, c.dialect, input, true)
}

func (c *jsonCodec) Output(requestID, operation string, output any) (*Response, error) {
	v, ok := structOf(output)
	if !ok {
		return nil, fmt.Errorf("encode the answer of %s: %T is no structure", operation, output)
	}
	w := &jsonWriter{planner: c.planner}
	w.structure(v)
	return newResponse(http.StatusOK, contentJSON11, requestID, w.Bytes()), nil
}

func (c *jsonCodec) Error(requestID string, e *api.Error) *Response {
	w := &jsonWriter{planner: c.planner}
	w.object(append([]api.Detail{{Name: "__type", Value: e.Code}, {Name: "message", Value: e.Message}}, e.Details...))
	return newResponse(statusOf(e), contentJSON11, requestID, w.Bytes())
}

// object writes texts as a JSON object.
func (w *jsonWriter) object(members []api.Detail) {
	w.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			w.WriteByte(',')
		}
		w.quote(m.Name)
		w.WriteByte(':')
		w.quote(m.Value)
	}
	w.WriteByte('}')
}
