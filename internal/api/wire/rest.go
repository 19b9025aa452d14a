package wire

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
)

const contentJSON = "application/json"

// restCodec is restJson1: method and path name the operation, members are in path, query, headers and body.
type restCodec struct {
	planner *planner
	dialect restDialect
	routes  []route
}

func newRESTCodec(s Service, p *planner, d restDialect) (*restCodec, error) {
	c := &restCodec{planner: p, dialect: d}
	for _, o := range s.Operations {
		r, err := newRoute(o)
		if err != nil {
			return nil, err
		}
		c.routes = append(c.routes, r)
	}
	// What asks for more is tried first: two operations can differ in a parameter alone.
	slices.SortStableFunc(c.routes, func(a, b route) int { return len(b.query) - len(a.query) })
	return c, nil
}

func (c *restCodec) BodyNamesOperation() bool { return false }

func (c *restCodec) Operation(r *Request) (string, error) {
	for i := range c.routes {
		if _, ok := c.routes[i].match(r.HTTP); ok {
			return c.routes[i].operation.Name, nil
		}
	}
	return "", unknownOperation(r.HTTP.Method, r.HTTP.URL.Path)
}

func (c *restCodec) route(operation string) (*route, bool) {
	i := slices.IndexFunc(c.routes, func(r route) bool { return r.operation.Name == operation })
	if i < 0 {
		return nil, false
	}
	return &c.routes[i], true
}

func (c *restCodec) Decode(r *Request, operation string, input any) error {
	route, ok := c.route(operation)
	if !ok {
		return unknownOperation(r.HTTP.Method, r.HTTP.URL.Path)
	}
	labels, ok := route.match(r.HTTP)
	if !ok {
		return unknownOperation(r.HTTP.Method, r.HTTP.URL.Path)
	}
	v := reflect.ValueOf(input).Elem()
	b := &restBinder{dialect: c.dialect, labels: labels, request: r.HTTP}
	if err := b.bind(c.planner.of(v.Type()), v); err != nil {
		return err
	}
	if err := c.body(r, v); err != nil {
		return err
	}
	return check(c.planner, c.dialect, input, true)
}

func (c *restCodec) body(r *Request, v reflect.Value) error {
	p := c.planner.of(v.Type())
	if f := p.payload(); f != nil && isBlob(v.Field(f.index).Type()) {
		v.Field(f.index).SetBytes(r.Body)
		return nil
	}
	if !p.hasBody() && p.payload() == nil {
		return nil // what an operation without a body gets in it is ignored, as AWS does
	}
	object, err := parseJSON(r.Body)
	if err != nil {
		return c.dialect.malformed(err.Error())
	}
	d := &jsonDecoder{planner: c.planner, dialect: c.dialect}
	if f := p.payload(); f != nil {
		return d.value(object, v.Field(f.index), f, f.in)
	}
	return d.structure(object, v, "")
}

func (c *restCodec) Output(requestID, operation string, output any) (*Response, error) {
	v, ok := structOf(output)
	if !ok {
		return nil, fmt.Errorf("encode the answer of %s: %T is no structure", operation, output)
	}
	route, ok := c.route(operation)
	if !ok {
		return nil, fmt.Errorf("encode the answer of %s: it has no route", operation)
	}
	status := route.operation.Status
	if status == 0 {
		status = http.StatusOK
	}
	response := newResponse(status, contentJSON, requestID, nil)
	p := c.planner.of(v.Type())
	bindOutput(p, v, response)
	c.outputBody(p, v, response)
	return response, nil
}

func (c *restCodec) outputBody(p *plan, v reflect.Value, response *Response) {
	w := &jsonWriter{planner: c.planner}
	f := p.payload()
	switch {
	case response.Status == http.StatusNoContent:
		response.Header.Del("Content-Type")
		return
	case f != nil && isBlob(v.Field(f.index).Type()):
		response.Body = v.Field(f.index).Bytes()
		return
	case f != nil && !v.Field(f.index).IsNil():
		w.value(v.Field(f.index), f)
	default:
		w.structure(v)
	}
	response.Body = w.Bytes()
}

func (c *restCodec) Error(requestID string, e *api.Error) *Response {
	w := &jsonWriter{planner: c.planner}
	members := []api.Detail{
		{Name: "Type", Value: fault(e, "User", "Service")},
		// The models spell it both ways, by the kind of error; clients look for one of them.
		{Name: "Message", Value: e.Message},
		{Name: "message", Value: e.Message},
	}
	for _, d := range e.Details {
		if d.Name != "Type" {
			members = append(members, d)
		}
	}
	w.object(members)
	response := newResponse(statusOf(e), contentJSON, requestID, w.Bytes())
	response.Header.Set("X-Amzn-ErrorType", strings.TrimSpace(e.Code))
	return response
}
