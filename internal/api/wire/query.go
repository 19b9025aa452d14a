package wire

import (
	"fmt"
	"net/http"

	"github.com/culvert-cloud/culvert/internal/api"
)

const contentXML = "text/xml;charset=UTF-8"

// ec2Codec is ec2Query: forms with flat lists, answers without a result element.
type ec2Codec struct {
	service Service
	planner *planner
	dialect ec2Dialect
}

func (c *ec2Codec) BodyNamesOperation() bool { return true }

func (c *ec2Codec) Operation(r *Request) (string, error) { return actionOf(r, c.dialect) }

func (c *ec2Codec) Decode(r *Request, _ string, input any) error {
	d := &formDecoder{planner: c.planner, dialect: c.dialect, memberNames: true}
	return decodeForm(r, d, input)
}

func (c *ec2Codec) Output(requestID, operation string, output any) (*Response, error) {
	v, ok := structOf(output)
	if !ok {
		return nil, fmt.Errorf("encode the answer of %s: %T is no structure", operation, output)
	}
	w := &xmlWriter{planner: c.planner, item: "item", iso: isoMillis}
	end := w.document(operation+"Response", c.service.Namespace)
	w.text("requestId", requestID)
	if v.NumField() == 0 {
		w.text("return", "true") // EC2 says so where the model has no output
	}
	w.structure(v)
	end()
	return newResponse(http.StatusOK, contentXML, requestID, w.Bytes()), nil
}

func (c *ec2Codec) Error(requestID string, e *api.Error) *Response {
	w := &xmlWriter{planner: c.planner}
	end := w.document("Response", "")
	w.element("Errors", func() {
		w.element("Error", func() { w.errorMembers(e) })
	})
	w.text("RequestID", requestID)
	end()
	return newResponse(statusOf(e), contentXML, requestID, w.Bytes())
}

// queryCodec is awsQuery: forms and XML, as IAM and STS have them.
type queryCodec struct {
	service Service
	planner *planner
	dialect validating
}

func (c *queryCodec) BodyNamesOperation() bool { return true }

func (c *queryCodec) Operation(r *Request) (string, error) { return actionOf(r, c.dialect) }

func (c *queryCodec) Decode(r *Request, _ string, input any) error {
	d := &formDecoder{planner: c.planner, dialect: c.dialect, item: "member"}
	return decodeForm(r, d, input)
}

func (c *queryCodec) Output(requestID, operation string, output any) (*Response, error) {
	v, ok := structOf(output)
	if !ok {
		return nil, fmt.Errorf("encode the answer of %s: %T is no structure", operation, output)
	}
	w := &xmlWriter{planner: c.planner, item: "member", iso: isoSeconds}
	end := w.document(operation+"Response", c.service.Namespace)
	// An output without members is left out, unless the service says that its answers have it all the same: some
	// SDKs insist on what is in the model.
	if _, wrapped := output.(interface{ Wrapped() }); wrapped || v.NumField() > 0 {
		w.element(operation+"Result", func() { w.structure(v) })
	}
	w.element("ResponseMetadata", func() { w.text("RequestId", requestID) })
	end()
	return newResponse(http.StatusOK, contentXML, requestID, w.Bytes()), nil
}

func (c *queryCodec) Error(requestID string, e *api.Error) *Response {
	w := &xmlWriter{planner: c.planner}
	end := w.document("ErrorResponse", c.service.Namespace)
	w.element("Error", func() {
		w.text("Type", fault(e, "Sender", "Receiver"))
		w.errorMembers(e)
	})
	w.text("RequestId", requestID)
	end()
	return newResponse(statusOf(e), contentXML, requestID, w.Bytes())
}

func (w *xmlWriter) errorMembers(e *api.Error) {
	w.text("Code", e.Code)
	w.text("Message", e.Message)
	for _, d := range e.Details {
		w.text(d.Name, d.Value)
	}
}

// fault says whose fault an error is.
func fault(e *api.Error, callers, ours string) string {
	if statusOf(e) >= http.StatusInternalServerError {
		return ours
	}
	return callers
}

func actionOf(r *Request, d dialect) (string, error) {
	root, err := parseForm(r)
	if err != nil {
		return "", d.malformed(err.Error())
	}
	action := root.take("Action")
	root.take("Version") // one version of each service is known
	if action == "" {
		return "", api.Errorf("MissingAction", "The request is missing an action or a required parameter.")
	}
	return action, nil
}

func decodeForm(r *Request, d *formDecoder, input any) error {
	if _, err := actionOf(r, d.dialect); err != nil {
		return err
	}
	root, err := parseForm(r)
	if err != nil {
		return d.dialect.malformed(err.Error())
	}
	if err := d.decode(root, input); err != nil {
		return err
	}
	return check(d.planner, d.dialect, input, false)
}
