package wire

import (
	"net/http"

	"github.com/culvert-cloud/culvert/internal/api"
)

// S3Error encodes an error as S3 does. S3's other answers are not made here.
func S3Error(requestID string, e *api.Error) *Response {
	w := new(xmlWriter)
	end := w.document("Error", "")
	w.errorMembers(e)
	w.text("RequestId", requestID)
	w.text("HostId", requestID)
	end()
	h := http.Header{}
	h.Set("Content-Type", "application/xml")
	h.Set("X-Amz-Request-Id", requestID)
	h.Set("X-Amz-Id-2", requestID)
	return &Response{Status: statusOf(e), Header: h, Body: w.Bytes()}
}
