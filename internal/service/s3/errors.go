package s3

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
)

const (
	namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
	xmlType   = "application/xml"
)

func itoa(n int) string { return strconv.Itoa(n) }

func noSuchBucket(name string) *api.Error {
	return (&api.Error{Code: "NoSuchBucket", Message: "The specified bucket does not exist", Status: 404}).With("BucketName", name)
}

func invalidBucketName(name string) *api.Error {
	return api.Errorf("InvalidBucketName", "The specified bucket is not valid.").With("BucketName", name)
}

func accessDenied() *api.Error {
	return &api.Error{Code: "AccessDenied", Message: "Access Denied", Status: http.StatusForbidden}
}

func notImplemented(message string) *api.Error {
	return &api.Error{Code: "NotImplemented", Message: message, Status: http.StatusNotImplemented}
}

// headerNotImplemented is S3's own text for a header that asks for what is not there.
func headerNotImplemented(name string) *api.Error {
	return notImplemented("A header you provided implies functionality that is not implemented").With("Header", strings.ToLower(name))
}

func methodNotAllowed(method string) *api.Error {
	return (&api.Error{
		Code: "MethodNotAllowed", Status: http.StatusMethodNotAllowed,
		Message: "The specified method is not allowed against this resource.",
	}).With("Method", method)
}

func malformedXML() *api.Error {
	return api.Errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

func invalidArgument(message, name, value string) *api.Error {
	return api.Errorf("InvalidArgument", "%s", message).With("ArgumentName", name).With("ArgumentValue", value)
}

func setCommonHeaders(w http.ResponseWriter, call *api.Call) {
	h := w.Header()
	h.Set("X-Amz-Request-Id", call.RequestID)
	h.Set("X-Amz-Id-2", hostID(call))
	h.Set("Server", "AmazonS3")
}

// hostID is S3's second request id: opaque, about that long.
func hostID(call *api.Call) string {
	return base64.StdEncoding.EncodeToString([]byte("s3 " + call.Region + " " + call.RequestID))
}

// writeError answers with an error. An error that is not the caller's is logged, and the caller learns
// nothing of it.
func (s *Service) writeError(w http.ResponseWriter, call *api.Call, err error) {
	e := api.AsError(err)
	if e == nil {
		if call.HTTP.Context().Err() != nil {
			panic(http.ErrAbortHandler) // the caller is gone; no answer at all would say 200 to one who is only half gone
		}
		s.Log.Error("call failed", "operation", call.Operation, "request", call.RequestID, "error", err)
		e = &api.Error{Code: "InternalError", Message: "We encountered an internal error. Please try again.", Status: 500}
	}
	if e.Code == "PermanentRedirect" {
		w.Header().Set("X-Amz-Bucket-Region", call.Region)
	}
	h := w.Header()
	h.Del("Content-Length")
	h.Del("Content-Type")
	if e.Status == http.StatusNotModified {
		w.WriteHeader(e.Status)
		return
	}
	body := errorBody(call, e)
	h.Set("Content-Type", xmlType)
	if call.HTTP.Method != http.MethodHead {
		h.Set("Content-Length", itoa(len(body)))
	}
	w.WriteHeader(e.Status)
	if call.HTTP.Method != http.MethodHead {
		_, _ = w.Write(body) // nobody left to tell
	}
}

func errorBody(call *api.Call, e *api.Error) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header + "<Error>")
	element := func(name, value string) {
		b.WriteString("<" + name + ">")
		_ = xml.EscapeText(&b, []byte(value)) // a Buffer takes everything
		b.WriteString("</" + name + ">")
	}
	element("Code", e.Code)
	element("Message", e.Message)
	for _, d := range e.Details {
		element(d.Name, d.Value)
	}
	element("RequestId", call.RequestID)
	element("HostId", hostID(call))
	b.WriteString("</Error>")
	return b.Bytes()
}

// writeXML answers with a document.
func writeXML(w http.ResponseWriter, document any) error {
	body, err := xml.Marshal(document)
	if err != nil {
		return err
	}
	return writeDocument(w, string(body))
}

func writeDocument(w http.ResponseWriter, document string) error {
	document = xml.Header + document
	w.Header().Set("Content-Type", xmlType)
	w.Header().Set("Content-Length", itoa(len(document)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(document)) // nobody left to tell
	return nil
}
