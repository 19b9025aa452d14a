package lambda

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

const (
	// withPrelude is the content type of a streamed response that begins with its status and headers.
	withPrelude = "application/vnd.awslambda.http-integration-response"
	maxPrelude  = 64 << 10
)

// preludeEnd stands between status and headers, and the body.
var preludeEnd = make([]byte, 8)

// streamURL answers at a function's URL while the function still speaks.
func (s *Service) streamURL(w http.ResponseWriter, call *api.Call, n functionName, in Invocation) {
	out := &urlWriter{w: w}
	live := &liveWriter{w: w}
	in.Stream = func(_ *resource.Function, contentType string) io.Writer {
		live.begin(func() io.Writer {
			if out.prelude = contentType == withPrelude; !out.prelude {
				w.Header().Set("Content-Type", contentType)
			}
			return out
		})
		return live
	}
	result, _, err := s.run(call.HTTP.Context(), n, in)
	live.end()
	switch {
	case result.Streamed && err == nil:
		out.finish(result.FunctionError != "")
	default:
		answerInvocation(w, result, err)
	}
}

// urlWriter writes a streamed response. Until the prelude is there whole, nothing is out.
type urlWriter struct {
	w       http.ResponseWriter
	prelude bool // is still awaited
	held    []byte
	begun   bool
	broken  bool // the prelude is none
}

// Write never fails: that the caller is gone does not stop a function.
func (u *urlWriter) Write(b []byte) (int, error) {
	n := len(b)
	if u.broken {
		return n, nil
	}
	if u.prelude {
		u.held = append(u.held, b...)
		head, rest, whole := bytes.Cut(u.held, preludeEnd)
		if !whole {
			u.broken = len(u.held) > maxPrelude
			return n, nil
		}
		var a urlAnswer
		if json.Unmarshal(head, &a) != nil {
			u.broken = true
			return n, nil
		}
		if a.StatusCode == nil {
			a.StatusCode = ptr(http.StatusOK)
		}
		if u.broken = !headAnswer(u.w, a); u.broken {
			return n, nil
		}
		u.prelude, u.held, u.begun, b = false, nil, true, rest
	}
	u.begun = true
	_, _ = u.w.Write(b)
	_ = http.NewResponseController(u.w).Flush()
	return n, nil
}

// finish ends the response. What failed before anything was out is an error; later it can only break off.
func (u *urlWriter) finish(failed bool) {
	switch {
	case !u.begun && (failed || u.broken || u.prelude):
		internalServerError(u.w)
	case failed:
		panic(http.ErrAbortHandler) // the caller must see that it is half
	}
}
